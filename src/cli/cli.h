// The command line: one file a command, thin: parse, call, print.
#pragma once

namespace parley::cli {

/// The whole program. @return the exit code: 0 done, 1 refused or failed, 2 wrong usage.
int run(int argc, char** argv);

}  // namespace parley::cli
