// What the subcommands of parley operator share.
#pragma once

#include "cli/command.h"

namespace parley::cli {

void add_operator_log(Command& family, Chosen& chosen);     ///< log
void add_operator_verify(Command& family, Chosen& chosen);  ///< verify

}  // namespace parley::cli
