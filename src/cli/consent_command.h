// What `parley reveal` and `parley consent` share.
#pragma once

#include "cli/command.h"
#include "session/consent.h"

namespace parley::cli {

/// The person whose consent it is; where none is named, the operator who signs for it, or the user that runs the
/// program where operators are not told apart. @error Errc::usage
Result<std::string> operator_named(Workplace& at, const std::string& name);
/// The strictest PAP mark that may leave. @error Errc::usage; Errc::mark for RED
Result<indicator::Pap> pap_option(const std::string& text);

}  // namespace parley::cli
