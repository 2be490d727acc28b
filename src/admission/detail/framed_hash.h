// Texts of any length in a hash of several, so that none of them runs into the next.
#pragma once

#include <string_view>

#include "base/encoding.h"
#include "crypto/hash.h"

namespace parley::admission::detail {

/// u16be of the length, then the text.
inline void take_in(crypto::Sha256& hash, std::string_view text) {
  Bytes length;
  append_be(length, static_cast<std::uint16_t>(text.size()));
  hash.update(length);
  hash.update(as_bytes(text));
}

}  // namespace parley::admission::detail
