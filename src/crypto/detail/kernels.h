// The kernels of each level (crypto/cpu.h) as one table, and the choice between the tables. Kernels take what their
// callers have checked; they are constant time in all blocks.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "crypto/block.h"
#include "crypto/fixed_key_aes.h"

namespace parley::crypto::detail {

using RoundKeys = std::array<Block, kAesRoundKeys>;

/// What gf128.h and fixed_key_aes.h promise under the same names.
struct Kernels {
  Block (*multiply)(Block a, Block b);
  void (*add_multiple)(std::span<Block> sum, Block factor, std::span<const Block> values);
  Block (*inner_product)(std::span<const Block> a, std::span<const Block> b);
  Block (*power_sum)(Block point, std::span<const Block> values);
  void (*add_polynomial)(std::span<Block> sums, std::span<const Block> points, std::span<const Block> coefficients);
  Block (*pack)(std::span<const Block, 128> values);

  void (*hash)(const RoundKeys& keys, std::span<const Block> in, std::span<Block> out);
  void (*coins)(const RoundKeys& keys, std::uint64_t first, std::span<Block> out);
  ChildSums (*expand_children)(const RoundKeys& left, const RoundKeys& right, std::span<const Block> parents,
                               std::span<Block> children);
};

extern const Kernels kPortableKernels;
#if defined(__x86_64__)
extern const Kernels kAesniKernels;
extern const Kernels kVaesKernels;
extern const Kernels kAvx512Kernels;

/// A single product gains nothing from wide registers: all levels but the portable one share this.
Block multiply_aesni(Block a, Block b);
#endif

/// Those of cpu_level().
const Kernels& kernels();

}  // namespace parley::crypto::detail
