// What a fault proves and what it does not, in sentences (log.md 2.6).
#pragma once

#include "log/fault.h"

namespace parley::log::detail {

std::vector<std::string> sentences_of_proof(FaultKind kind, std::string_view accused);
std::vector<std::string> sentences_of_doubt(FaultKind kind, std::string_view accused);

}  // namespace parley::log::detail
