// What the subcommands of parley operator share.
#pragma once

#include "cli/command.h"

namespace parley::cli {

void add_operator_log(CLI::App& family, Chosen& chosen);     ///< log
void add_operator_verify(CLI::App& family, Chosen& chosen);  ///< verify

}  // namespace parley::cli
