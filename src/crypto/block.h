// 16 bytes: a block of AES, or an element of GF(2^128) (gf128.h). Byte 0 is the least significant byte of `low`.
#pragma once

#include <span>

#include "base/secret.h"

namespace parley::crypto {

inline constexpr std::size_t kBlockBytes = 16;

struct alignas(kBlockBytes) Block {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  friend constexpr Block operator^(Block a, Block b) { return {a.low ^ b.low, a.high ^ b.high}; }
  friend constexpr Block operator&(Block a, Block b) { return {a.low & b.low, a.high & b.high}; }
  constexpr Block& operator^=(Block other) { return *this = *this ^ other; }
};
static_assert(sizeof(Block) == kBlockBytes);

/// `block` where `choose` is 1, zero where it is 0. Constant time in both.
constexpr Block masked(Block block, std::uint64_t choose) {
  const std::uint64_t mask = 0 - choose;
  return {block.low & mask, block.high & mask};
}

/// Constant time in both. Blocks have no operator== because most are secret.
constexpr bool constant_time_equal(Block a, Block b) {
  return ((a.low ^ b.low) | (a.high ^ b.high)) == 0;
}

/// Precondition: bytes.size() >= kBlockBytes.
inline Block load_block(ByteView bytes) {
  Block block;
  std::memcpy(&block, bytes.data(), kBlockBytes);
  return block;
}

/// Precondition: bytes.size() >= kBlockBytes.
inline void store_block(Block block, MutableByteView bytes) {
  std::memcpy(bytes.data(), &block, kBlockBytes);
}

inline ByteView bytes_of(std::span<const Block> blocks) {
  return {reinterpret_cast<const std::byte*>(blocks.data()), blocks.size_bytes()};
}
inline MutableByteView mutable_bytes_of(std::span<Block> blocks) {
  return {reinterpret_cast<std::byte*>(blocks.data()), blocks.size_bytes()};
}

}  // namespace parley::crypto
