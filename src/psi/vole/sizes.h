// The sizes of a silent VOLE, from the number of its outputs alone (psi.md 2.2, 2.2.1).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "crypto/block.h"

namespace parley::psi::vole {

/// Noise weight t of the LPN instance: one noisy position in each of 352 blocks. docs/lpn.md and tools/lpn_cost.py say
/// why so many.
inline constexpr std::size_t kNoiseWeight = 352;

/// Outputs below which the code is not made smaller: the cost estimates are for this size and above.
inline constexpr std::size_t kLeastOutputs = std::size_t{1} << 14;
/// Outputs of the largest instance; a longer VOLE is put together from several.
inline constexpr std::size_t kMostOutputs = std::size_t{1'350'000};

struct TreeSizes {
  std::size_t leaves;  ///< of each tree (psi.md's l), even
  std::size_t depth;   ///< levels below the root (d)

  /// Nodes of level `level` that have children: level 0 is the root. All others lead to no leaf.
  std::size_t parents(std::size_t level) const { return ((leaves - 1) >> (depth - level)) + 1; }
};

struct Sizes {
  std::size_t outputs;  ///< k
  std::size_t inputs;   ///< N = kNoiseWeight * tree.leaves >= 2k
  TreeSizes tree;

  /// Blocks of the extension's input: one for each tree's c, one for the check's, and the trees' choice bits.
  std::size_t choice_blocks() const { return (kNoiseWeight * tree.depth + 127) / 128; }
  std::size_t extension_blocks() const { return kNoiseWeight + 1 + choice_blocks(); }
  /// The sender's message: for each tree two blocks a level, and the sum of its leaves and stubs.
  std::size_t trees_bytes() const { return kNoiseWeight * (2 * tree.depth + 1) * crypto::kBlockBytes; }
};

/// What a run of VOLE is for: `instances` of `sizes.outputs` outputs each.
struct Plan {
  Sizes sizes;
  std::size_t instances;

  std::size_t extension_blocks() const { return instances * sizes.extension_blocks() + 1; }
};

/// @param outputs  1 to kMostOutputs.
constexpr Sizes sizes_for(std::size_t outputs) {
  const std::size_t k = outputs < kLeastOutputs ? kLeastOutputs : outputs;
  const std::size_t half = ((2 * k + kNoiseWeight - 1) / kNoiseWeight + 1) / 2;
  const std::size_t leaves = 2 * half;
  return {k, kNoiseWeight * leaves, {leaves, static_cast<std::size_t>(std::bit_width(leaves - 1))}};
}

}  // namespace parley::psi::vole
