// SHA-256 (FIPS 180-4) of a fixed first block followed by many short messages: the first block is hashed once, and
// messages that then need one block each are hashed several at a time.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace parley::crypto {

class PrefixedSha256 {
 public:
  static constexpr std::size_t kPrefixBytes = 64;
  /// The longest message that needs one block after the prefix.
  static constexpr std::size_t kOneBlockBytes = 55;

  explicit PrefixedSha256(std::span<const std::byte, kPrefixBytes> prefix);

  /// digests[i] = SHA-256(prefix || messages[i]). Messages of any length. Constant time in their content.
  void hash(std::span<const ByteView> messages, std::span<Digest> digests) const;
  Digest hash(ByteView message) const;

 private:
  std::array<std::uint32_t, 8> state_;  // after the prefix
};

}  // namespace parley::crypto
