// What keeps a text from being a name, or a part of a finding, said so that a person finds it.
#pragma once

#include <string>
#include <string_view>

namespace parley {

/// A sentence for the end of an error, with a blank before it, about the first character of `text` that visible() would
/// show as an escape: which one it is and where it stands. Nothing where all can be seen.
/// @param may_have_lines  line feeds are no such characters here
std::string hidden_in(std::string_view text, bool may_have_lines = false);

}  // namespace parley
