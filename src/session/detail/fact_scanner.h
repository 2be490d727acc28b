// Bodies of a session's commonest steps, in the one spelling that PJ1 gives them, read in one pass and without a JSON
// value in between. Whatever is taken here is what the steps' own readers (session/step.h) take, and says the same;
// what is not taken here goes to those. A ledger is added up from entries by the hundred thousand.
#pragma once

#include <optional>
#include <string_view>

#include "ledger/event.h"

namespace parley::session::detail {

/// What the body of an entry of this type says. Nothing for other types, for texts with escapes, and for what is wrong.
std::optional<ledger::Fact> scan_fact(std::string_view type, std::string_view body);

}  // namespace parley::session::detail
