// The kernels of fixed_key_aes.h on registers of kLanes blocks: included after a wideN.h, which says what `Wide` is, by
// the one file of that level.
#pragma once

#include <array>

#include "crypto/detail/kernels.h"

namespace parley::crypto::detail {
namespace {

constexpr std::size_t kInFlight = 8;  // registers at once: a round takes a few cycles, but several begin in each

using WideKeys = std::array<Wide, kAesRoundKeys>;

PARLEY_INLINE WideKeys in_all_lanes(const RoundKeys& keys) {
  WideKeys wide;
  for (std::size_t round = 0; round < kAesRoundKeys; ++round) wide[round] = in_all_lanes(keys[round]);
  return wide;
}

template <std::size_t N>
PARLEY_INLINE void encrypt(std::array<Wide, N>& states, const WideKeys& keys) {
#pragma GCC unroll 8
  for (std::size_t i = 0; i < N; ++i) states[i] = states[i] ^ keys[0];
#pragma GCC unroll 9
  for (std::size_t round = 1; round + 1 < kAesRoundKeys; ++round) {
#pragma GCC unroll 8
    for (std::size_t i = 0; i < N; ++i) states[i] = aes_round(states[i], keys[round]);
  }
#pragma GCC unroll 8
  for (std::size_t i = 0; i < N; ++i) states[i] = aes_last_round(states[i], keys[kAesRoundKeys - 1]);
}

/// Two sets of states under keys of their own, round by round together.
template <std::size_t N>
PARLEY_INLINE void encrypt_both(std::array<Wide, N>& a, const WideKeys& a_keys, std::array<Wide, N>& b,
                                const WideKeys& b_keys) {
#pragma GCC unroll 8
  for (std::size_t i = 0; i < N; ++i) {
    a[i] = a[i] ^ a_keys[0];
    b[i] = b[i] ^ b_keys[0];
  }
#pragma GCC unroll 9
  for (std::size_t round = 1; round + 1 < kAesRoundKeys; ++round) {
#pragma GCC unroll 8
    for (std::size_t i = 0; i < N; ++i) {
      a[i] = aes_round(a[i], a_keys[round]);
      b[i] = aes_round(b[i], b_keys[round]);
    }
  }
#pragma GCC unroll 8
  for (std::size_t i = 0; i < N; ++i) {
    a[i] = aes_last_round(a[i], a_keys[kAesRoundKeys - 1]);
    b[i] = aes_last_round(b[i], b_keys[kAesRoundKeys - 1]);
  }
}

PARLEY_INLINE Wide encrypted(Wide state, const WideKeys& keys) {
  std::array<Wide, 1> states{state};
  encrypt(states, keys);
  return states[0];
}

PARLEY_KERNEL void hash(const RoundKeys& round_keys, std::span<const Block> in, std::span<Block> out) {
  const WideKeys keys = in_all_lanes(round_keys);
  const std::size_t count = in.size();
  const Block* const from = in.data();
  Block* const to = out.data();
  std::size_t i = 0;
  for (; i + kInFlight * kLanes <= count; i += kInFlight * kLanes) {
    std::array<Wide, kInFlight> states;
#pragma GCC unroll 8
    for (std::size_t j = 0; j < kInFlight; ++j) states[j] = load(from + i + j * kLanes);
    encrypt(states, keys);
#pragma GCC unroll 8
    for (std::size_t j = 0; j < kInFlight; ++j) {
      store(states[j] ^ load(from + i + j * kLanes), to + i + j * kLanes);
    }
  }
  for (; i + kLanes <= count; i += kLanes) {
    const Wide block = load(from + i);
    store(encrypted(block, keys) ^ block, to + i);
  }
  const Wide block = load_some(from + i, count - i);
  store_some(encrypted(block, keys) ^ block, to + i, count - i);
}

PARLEY_KERNEL void coins(const RoundKeys& round_keys, std::uint64_t first, std::span<Block> out) {
  const WideKeys keys = in_all_lanes(round_keys);
  const std::size_t count = out.size();
  Block* const to = out.data();
  Wide counters = counters_from(first);
  std::size_t i = 0;
  for (; i + kInFlight * kLanes <= count; i += kInFlight * kLanes) {
    std::array<Wide, kInFlight> states;
#pragma GCC unroll 8
    for (std::size_t j = 0; j < kInFlight; ++j) states[j] = add_to_counters(counters, j * kLanes);
    counters = add_to_counters(counters, kInFlight * kLanes);
    encrypt(states, keys);
#pragma GCC unroll 8
    for (std::size_t j = 0; j < kInFlight; ++j) store(states[j], to + i + j * kLanes);
  }
  for (; i + kLanes <= count; i += kLanes) {
    store(encrypted(counters, keys), to + i);
    counters = add_to_counters(counters, kLanes);
  }
  store_some(encrypted(counters, keys), to + i, count - i);
}

}  // namespace
}  // namespace parley::crypto::detail
