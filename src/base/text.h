// Text from outside, made safe to look at.
#pragma once

#include <string>
#include <string_view>

namespace parley {

/// Valid UTF-8: no overlong forms, no surrogates, nothing past U+10FFFF.
bool is_valid_utf8(std::string_view text);

/// `text` as a person may safely read it on a terminal: control characters, bidirectional controls, zero-width
/// characters and invalid UTF-8 are shown as escapes (\x1b, \u{202e}), everything else stays.
std::string visible(std::string_view text);

/// JSON text that means the same, with what visible() would escape written as \u escapes. Precondition: JSON in UTF-8,
/// in which such characters stand in strings only.
std::string escape_in_json(std::string_view json);

}  // namespace parley
