// The deterministic generator of one session (psi.md 0.3.6): ChaCha20 (RFC 8439) keyed by HKDF-SHA-512 from the
// session's seed, one label per consumer, readable at any place, so that threads need no order among them.
#pragma once

#include <string_view>

#include "base/secret.h"

namespace parley::crypto {

class Drbg {
 public:
  static constexpr std::size_t kBlockBytes = 64;

  /// The stream of `label` in the session `session_id`. Two streams under different labels are independent.
  Drbg(const Secret<32>& seed, const Digest& session_id, std::string_view label);

  /// Fills `out` with the stream from block `first_block` on. Constant time in the stream.
  void fill(std::uint64_t first_block, MutableByteView out) const;

  /// The first N bytes of block `block`.
  template <std::size_t N>
  Secret<N> secret(std::uint64_t block) const {
    Secret<N> bytes;
    fill(block, bytes.expose_mutable());
    return bytes;
  }

 private:
  Secret<32> key_;
};

}  // namespace parley::crypto
