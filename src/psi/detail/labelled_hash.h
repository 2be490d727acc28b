// Hashes with a domain of their own: a label with its length, then the session (psi.md 0.3.4).
#pragma once

#include <string_view>

#include "crypto/hash.h"

namespace parley::psi::detail {

/// A SHA-512 state that has taken in u8 length of `label` || label || session_id. Precondition: label.size() < 256.
inline crypto::Sha512 labelled_sha512(std::string_view label, const Digest& session_id) {
  crypto::Sha512 hash;
  const ByteArray<1> length{static_cast<std::byte>(label.size())};
  hash.update(length);
  hash.update(as_bytes(label));
  hash.update(session_id);
  return hash;
}

/// The same with SHA-256.
inline crypto::Sha256 labelled_sha256(std::string_view label, const Digest& session_id) {
  crypto::Sha256 hash;
  const ByteArray<1> length{static_cast<std::byte>(label.size())};
  hash.update(length);
  hash.update(as_bytes(label));
  hash.update(session_id);
  return hash;
}

}  // namespace parley::psi::detail
