// AES-128 under public keys that hold for one session: as the permutation inside a one-way function (Matyas, Meyer and
// Oseas 1985; Guo, Katz, Wang and Yu 2020 for its use in trees) and as a generator of public coins. Constant time in
// the blocks.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "crypto/block.h"

namespace parley::crypto {

inline constexpr std::size_t kAesRoundKeys = 11;

class FixedKeyAes {
 public:
  explicit FixedKeyAes(std::span<const std::byte, kBlockBytes> key);

  /// out[i] = AES(in[i]) ^ in[i]. `in` and `out` may be the same. Precondition: equal lengths.
  void hash(std::span<const Block> in, std::span<Block> out) const;

  /// out[i] = AES(first + i as a 128-bit little-endian integer): counter mode.
  void coins(std::uint64_t first, std::span<Block> out) const;

  const std::array<Block, kAesRoundKeys>& round_keys() const { return round_keys_; }

 private:
  std::array<Block, kAesRoundKeys> round_keys_;
};

/// Both children of tree nodes: children[2i] = left.hash(parents[i]), children[2i+1] = right.hash(parents[i]).
/// @return the sum (XOR) of all even and of all odd children.
/// Precondition: children.size() is 2 * parents.size(), or one less: then the last right child is left out. They do not
/// overlap.
struct ChildSums {
  Block left, right;
};
ChildSums expand_children(const FixedKeyAes& left, const FixedKeyAes& right, std::span<const Block> parents,
                          std::span<Block> children);

}  // namespace parley::crypto
