// Single-point VOLE by punctured trees (Goldreich, Goldwasser and Micali 1986; Boyle, Couteau, Gilboa and Ishai 2018;
// psi.md 2.2.4): from a root the sender grows `leaves` pseudorandom blocks; the receiver learns all of them but the one
// at its secret position, whose place takes what makes A = B + Delta c there. A tree has no more nodes than its leaves
// need: where a last child leads to no leaf it is made, for the sums, but not grown further; such a node is a *stub*.
#pragma once

#include "crypto/fixed_key_aes.h"
#include "crypto/hash.h"
#include "crypto/secret_array.h"
#include "psi/vole/sizes.h"

namespace parley::psi::vole {

/// The two public permutations that all trees of a session grow by.
struct TreePermutations {
  crypto::FixedKeyAes left, right;
  explicit TreePermutations(const Digest& session_id);

 private:
  explicit TreePermutations(const Secret<crypto::kSha512Bytes>& keys);
};

/// The two sums (XOR) of a level: of its left and of its right children.
using LevelSums = crypto::ChildSums;

/// Memory for one tree's levels, used again for the next tree.
class TreeWorkspace {
 public:
  explicit TreeWorkspace(const TreeSizes& sizes)
      : levels_{crypto::SecretBlocks(sizes.leaves), crypto::SecretBlocks(sizes.leaves)} {}
  std::span<crypto::Block> level(std::size_t depth) { return levels_[depth % 2].expose_mutable(); }

 private:
  crypto::SecretBlocks levels_[2];
};

/// Grows a tree. @param sums  one for each level, filled. @param leaves  filled; sizes.leaves of them.
/// @return the sum of all leaves and stubs. The stubs belong to it: a receiver is free to follow a path that ends in a
/// stub, from which it would know every leaf, and a sum of leaves alone would then hide nothing from it.
crypto::Block grow(const TreePermutations& permutations, const TreeSizes& sizes, crypto::Block root,
                   std::span<LevelSums> sums, std::span<crypto::Block> leaves, TreeWorkspace& workspace);

/// The leaf at `position` is left as zero; all other leaves are those of the sender. Constant time in `position`.
/// @param known  for each level the sum on the side of the path's sibling.
/// @return the sum of all leaves and stubs, but the leaf at `position`.
crypto::Block grow_punctured(const TreePermutations& permutations, const TreeSizes& sizes, std::uint32_t position,
                             std::span<const crypto::Block> known, std::span<crypto::Block> leaves,
                             TreeWorkspace& workspace);

/// `value` where `index` is `position`, else zero: without a comparison that could become a branch.
inline crypto::Block masked_at(crypto::Block value, std::uint64_t position, std::uint64_t index) {
  const std::uint64_t difference = index ^ position;
  return masked(value, 1 ^ ((difference | (0 - difference)) >> 63));
}

/// values[i] ^= value where i == position. Constant time in `position`.
void add_at(std::span<crypto::Block> values, std::uint32_t position, crypto::Block value);

}  // namespace parley::psi::vole
