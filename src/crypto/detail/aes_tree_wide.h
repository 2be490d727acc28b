// expand_children() of fixed_key_aes.h on registers with an even number of lanes: each parent is loaded into two lanes,
// which have the keys of the left and of the right child. So children come out in order, and one set of keys is held.
// Included after aes_wide.h.
#pragma once

namespace parley::crypto::detail {
namespace {

constexpr std::size_t kParents = kLanes / 2;  // in a register

PARLEY_KERNEL ChildSums expand_children(const RoundKeys& left, const RoundKeys& right, std::span<const Block> parents,
                                        std::span<Block> children) {
  WideKeys keys;
  for (std::size_t round = 0; round < kAesRoundKeys; ++round) keys[round] = alternating(left[round], right[round]);
  const std::size_t count = children.size();
  const Block* from = parents.data();
  Block* const to = children.data();
  Wide sum = zero();

  std::size_t i = 0;  // children done
  for (; i + kInFlight * kLanes <= count; i += kInFlight * kLanes, from += kInFlight * kParents) {
    std::array<Wide, kInFlight> states;
#pragma GCC unroll 8
    for (std::size_t j = 0; j < kInFlight; ++j) states[j] = load_twice(from + j * kParents);
    encrypt(states, keys);
#pragma GCC unroll 8
    for (std::size_t j = 0; j < kInFlight; ++j) {
      const Wide pair = states[j] ^ load_twice(from + j * kParents);
      sum = sum ^ pair;
      store(pair, to + i + j * kLanes);
    }
  }
  for (; i + kLanes <= count; i += kLanes, from += kParents) {
    const Wide parent = load_twice(from);
    const Wide pair = encrypted(parent, keys) ^ parent;
    sum = sum ^ pair;
    store(pair, to + i);
  }
  ChildSums sums;
  fold_alternating(sum, sums.left, sums.right);

  if (i < count) {  // fewer than a register of children: the unused lanes are not summed
    const std::size_t rest = count - i;
    const Wide parent = load_some_twice(from, (rest + 1) / 2);
    std::array<Block, kLanes> last;
    store(encrypted(parent, keys) ^ parent, last.data());
    for (std::size_t j = 0; j < rest; ++j) {
      to[i + j] = last[j];
      (j % 2 == 0 ? sums.left : sums.right) ^= last[j];
    }
    sodium_memzero(last.data(), sizeof last);
  }
  return sums;
}

}  // namespace
}  // namespace parley::crypto::detail
