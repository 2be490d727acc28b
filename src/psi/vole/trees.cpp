#include "psi/vole/trees.h"

#include <cassert>

#include "psi/detail/labelled_hash.h"

namespace parley::psi::vole {
namespace {

using crypto::Block;
using crypto::kBlockBytes;

constexpr std::string_view kPermutationLabel = "parley/v1/vole/tree";

Secret<crypto::kSha512Bytes> permutation_keys(const Digest& session_id) {
  Secret<crypto::kSha512Bytes> keys;
  detail::labelled_sha512(kPermutationLabel, session_id).finish(keys.expose_mutable());
  return keys;
}

/// Where the children of level `level` - 1 go: between two buffers, and at the last level to the leaves.
std::span<Block> children_at(const TreeSizes& sizes, std::size_t level, std::span<Block> leaves,
                             TreeWorkspace& workspace) {
  if (level == sizes.depth) return leaves;
  return workspace.level(level).first(2 * sizes.parents(level - 1));
}

/// Adds left and right to the children of parent `pair`, wherever that is.
void add_to_pair(std::span<Block> children, std::uint64_t pair, Block left, Block right) {
  for (std::size_t i = 0; i < children.size() / 2; ++i) {
    children[2 * i] ^= masked_at(left, pair, i);
    children[2 * i + 1] ^= masked_at(right, pair, i);
  }
}

/// Only the last child of a level can be one that leads to no leaf.
void add_stub(const TreeSizes& sizes, std::size_t level, std::span<const Block> children, Block& stubs) {
  if (level < sizes.depth && sizes.parents(level) < children.size()) stubs ^= children.back();
}

}  // namespace

TreePermutations::TreePermutations(const Digest& session_id) : TreePermutations(permutation_keys(session_id)) {}

TreePermutations::TreePermutations(const Secret<crypto::kSha512Bytes>& keys)
    : left(keys.expose().first<kBlockBytes>()), right(keys.expose().subspan<kBlockBytes, kBlockBytes>()) {}

Block grow(const TreePermutations& permutations, const TreeSizes& sizes, Block root, std::span<LevelSums> sums,
           std::span<Block> leaves, TreeWorkspace& workspace) {
  assert(sums.size() == sizes.depth && leaves.size() == sizes.leaves);
  std::span<Block> parents = workspace.level(0);
  parents[0] = root;
  Block stubs;
  for (std::size_t level = 1; level <= sizes.depth; ++level) {
    const std::span<Block> children = children_at(sizes, level, leaves, workspace);
    sums[level - 1] =
        expand_children(permutations.left, permutations.right, parents.first(sizes.parents(level - 1)), children);
    add_stub(sizes, level, children, stubs);
    parents = children;
  }
  return stubs ^ sums.back().left ^ sums.back().right;
}

// The node on the path is not known: zero stands in its place and is expanded like all others, and what comes of it is
// taken out again, from the sums at once and from the children by a pass over all of them.
Block grow_punctured(const TreePermutations& permutations, const TreeSizes& sizes, std::uint32_t position,
                     std::span<const Block> known, std::span<Block> leaves, TreeWorkspace& workspace) {
  assert(known.size() == sizes.depth && leaves.size() == sizes.leaves && position < sizes.leaves);
  const Block zero{};
  Block of_zero[2];
  permutations.left.hash({&zero, 1}, {&of_zero[0], 1});
  permutations.right.hash({&zero, 1}, {&of_zero[1], 1});

  std::span<Block> parents = workspace.level(0);
  parents[0] = zero;
  Block stubs, all_but_path;
  for (std::size_t level = 1; level <= sizes.depth; ++level) {
    const std::span<Block> children = children_at(sizes, level, leaves, workspace);
    const LevelSums sums =
        expand_children(permutations.left, permutations.right, parents.first(sizes.parents(level - 1)), children);
    const std::uint64_t path = std::uint64_t{position} >> (sizes.depth - level);
    const std::uint64_t path_is_right = path & 1;
    const Block others = (masked(sums.left, path_is_right) ^ masked(sums.right, 1 - path_is_right)) ^
                         (masked(of_zero[0], path_is_right) ^ masked(of_zero[1], 1 - path_is_right));
    const Block sibling = known[level - 1] ^ others;
    add_to_pair(children, path >> 1, of_zero[0] ^ masked(sibling, path_is_right),
                of_zero[1] ^ masked(sibling, 1 - path_is_right));
    all_but_path = sums.left ^ of_zero[0] ^ sums.right ^ of_zero[1] ^ sibling;
    add_stub(sizes, level, children, stubs);
    parents = children;
  }
  return stubs ^ all_but_path;
}

void add_at(std::span<Block> values, std::uint32_t position, Block value) {
  for (std::size_t i = 0; i < values.size(); ++i) values[i] ^= masked_at(value, position, i);
}

}  // namespace parley::psi::vole
