#include "crypto/transcript.h"

#include "crypto/hash.h"

namespace parley::crypto {

void Transcript::absorb(std::uint8_t direction, std::uint16_t type, ByteView payload) {
  absorb_hashed(direction, type, payload.size(), sha256(payload));
}

void Transcript::absorb_hashed(std::uint8_t direction, std::uint16_t type, std::uint64_t size_bytes,
                               const Digest& hash) {
  static constexpr std::string_view kDomain = "parley/v1/tr";  // psi.md 0.3.3
  Bytes head;
  append(head, as_bytes(kDomain));
  append(head, value_);
  append_be(head, direction);
  append_be(head, type);
  append_be(head, size_bytes);
  append(head, hash);
  value_ = sha256(head);
}

}  // namespace parley::crypto
