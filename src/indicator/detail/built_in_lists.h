// What everybody may know without a file: address ranges and names with a special purpose, public resolvers, hashes of
// nothing. Each list names its source.
#pragma once

#include <vector>

#include "indicator/warning_list.h"

namespace parley::indicator::detail {

std::vector<WarningList> built_in_lists();

}  // namespace parley::indicator::detail
