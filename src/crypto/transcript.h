// The running hash over all messages of a session (psi.md 0.3.3); both sides keep it and sign its end.
#pragma once

#include "base/bytes.h"

namespace parley::crypto {

class Transcript {
 public:
  /// T_0 is the session id.
  explicit Transcript(const Digest& session_id) : value_(session_id) {}

  /// T_{i+1} = SHA-256("parley/v1/tr" || T_i || u8 direction || u16be type || u64be length || SHA-256(payload)).
  /// @param direction  0 or 1; who is 0 is for the protocol to say, the same on both sides.
  void absorb(std::uint8_t direction, std::uint16_t type, ByteView payload);
  /// The same of a payload of `size_bytes` of which only the hash is at hand.
  void absorb_hashed(std::uint8_t direction, std::uint16_t type, std::uint64_t size_bytes, const Digest& hash);

  const Digest& value() const { return value_; }

 private:
  Digest value_;
};

}  // namespace parley::crypto
