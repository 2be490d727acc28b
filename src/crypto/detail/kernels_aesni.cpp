// Level `aesni`: AES-NI and PCLMULQDQ on one block at a time.
#if defined(__x86_64__)

#include "crypto/detail/wide128.h"
// After the width.
#include "crypto/detail/aes_wide.h"
#include "crypto/detail/gf128_wide.h"

namespace parley::crypto::detail {
namespace {

PARLEY_INLINE Wide child(Wide parent, const WideKeys& keys, Block* to) {
  const Wide value = encrypted(parent, keys) ^ parent;
  store(value, to);
  return value;
}

PARLEY_KERNEL ChildSums expand_children(const RoundKeys& left, const RoundKeys& right, std::span<const Block> parents,
                                        std::span<Block> children) {
  constexpr std::size_t kParents = kInFlight / 2;
  const WideKeys left_keys = in_all_lanes(left), right_keys = in_all_lanes(right);
  const std::size_t count = children.size();
  const Block* const from = parents.data();
  Block* const to = children.data();
  Wide left_sum = zero(), right_sum = zero();

  std::size_t i = 0;  // parents done
  for (; 2 * (i + kParents) <= count; i += kParents) {
    std::array<Wide, kParents> lefts, rights;
#pragma GCC unroll 4
    for (std::size_t j = 0; j < kParents; ++j) lefts[j] = rights[j] = load(from + i + j);
    encrypt_both(lefts, left_keys, rights, right_keys);
#pragma GCC unroll 4
    for (std::size_t j = 0; j < kParents; ++j) {
      const Wide parent = load(from + i + j);
      lefts[j] = lefts[j] ^ parent;
      rights[j] = rights[j] ^ parent;
      left_sum = left_sum ^ lefts[j];
      right_sum = right_sum ^ rights[j];
      store(lefts[j], to + 2 * (i + j));
      store(rights[j], to + 2 * (i + j) + 1);
    }
  }
  for (; i < parents.size(); ++i) {
    const Wide parent = load(from + i);
    left_sum = left_sum ^ child(parent, left_keys, to + 2 * i);
    if (2 * i + 1 < count) right_sum = right_sum ^ child(parent, right_keys, to + 2 * i + 1);
  }
  return {fold_lanes(left_sum), fold_lanes(right_sum)};
}

}  // namespace

PARLEY_KERNEL Block multiply_aesni(Block a, Block b) {
  return fold_lanes(multiply_wide(in_all_lanes(a), in_all_lanes(b)));
}

constinit const Kernels kAesniKernels = {
    .multiply = multiply_aesni,
    .add_multiple = add_multiple,
    .inner_product = inner_product,
    .power_sum = power_sum,
    .add_polynomial = add_polynomial,
    .pack = pack,
    .hash = hash,
    .coins = coins,
    .expand_children = expand_children,
};

}  // namespace parley::crypto::detail

#endif
