// Entries in the one spelling that make_entry() gives them, read in one pass and without a JSON value in between. PJ1
// has one spelling of each object, so whatever is taken here is what the general reader (pjson.h, note.h) takes, and
// says the same; what is not taken here goes to that one, which knows why. Entries of a log are read by the million.
#pragma once

#include <optional>
#include <string_view>

#include "crypto/ed25519.h"
#include "log/entry.h"

namespace parley::log::detail {

/// A note with one signature whose line has plain characters only.
struct PlainNote {
  std::string_view text;  ///< what is signed, with its last newline
  std::string_view key_name;
  ByteArray<4> key_id{};
  crypto::Signature signature{};
};

/// Looks at the signature's line only.
std::optional<PlainNote> split_plain_note(std::string_view note);

/// The fields of a header, whose rules are not checked yet.
std::optional<Entry> scan_entry(std::string_view text);

}  // namespace parley::log::detail
