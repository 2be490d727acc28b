// The value that stands for an element at the end of the fast protocol: 16 bytes, uniform to whoever lacks the
// session's keys (psi.md 2.0). Bytewise order is the order of the big-endian integer, and that is how a tag is held
// here.
#pragma once

#include <bit>
#include <span>

#include "base/bytes.h"
#include "crypto/block.h"

namespace parley::psi::detail {

inline constexpr std::size_t kTagBytes = 16;
inline constexpr unsigned kTagBits = 128;

using Uint128 = unsigned __int128;

/// Compared plainly: branches and addresses may depend on tags, which tell nothing about elements without the keys of
/// the session (psi.md 8.1).
struct Tag {
  std::uint64_t high = 0;  ///< bytes 0 to 7, big-endian
  std::uint64_t low = 0;   ///< bytes 8 to 15, big-endian

  constexpr Uint128 value() const { return Uint128{high} << 64 | low; }
  friend constexpr bool operator==(const Tag&, const Tag&) = default;
  friend constexpr bool operator<(const Tag& a, const Tag& b) { return a.value() < b.value(); }
};
static_assert(sizeof(Tag) == kTagBytes);
static_assert(std::endian::native == std::endian::little, "Block, and the loads and stores here, are little-endian");

/// The tag whose bytes are those of `block`, and back.
inline Tag tag_of(crypto::Block block) {
  return {std::byteswap(block.low), std::byteswap(block.high)};
}
inline crypto::Block block_of(Tag tag) {
  return {std::byteswap(tag.high), std::byteswap(tag.low)};
}

/// Tags as the protocol leaves them: the first bytes of records that stand side by side.
class TagColumn {
 public:
  TagColumn(std::span<const crypto::Block> tags)
      : begin_(std::as_bytes(tags).data()), stride_(sizeof(crypto::Block)), count_(tags.size()) {}
  TagColumn(std::span<const Digest> outputs)
      : begin_(std::as_bytes(outputs).data()), stride_(sizeof(Digest)), count_(outputs.size()) {}

  std::size_t size() const { return count_; }
  Tag operator[](std::size_t i) const { return tag_of(crypto::load_block(ByteView(begin_ + i * stride_, kTagBytes))); }

 private:
  const std::byte* begin_;
  std::size_t stride_;
  std::size_t count_;
};

/// The first `bits` bits of a tag. Precondition: bits <= 63.
constexpr std::uint64_t leading_bits(Tag tag, unsigned bits) {
  return tag.high >> 1 >> (63 - bits);
}

}  // namespace parley::psi::detail
