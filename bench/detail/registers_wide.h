// The loops of registers.h: included after a wideN.h of crypto/detail, by the one file of that width.
#pragma once

#include <benchmark/benchmark.h>

#include <array>

#include "crypto/fixed_key_aes.h"
#include "registers.h"

namespace parley::crypto::detail {
namespace {

constexpr std::size_t kStates = parley::limits::detail::kInFlight;
using States = std::array<Wide, kStates>;

PARLEY_KERNEL States some_states() {
  States states;
  for (std::size_t i = 0; i < kStates; ++i) states[i] = in_all_lanes(Block{i + 1, ~i});
  return states;
}

PARLEY_KERNEL void keep(const States& states) {
  for (const Wide& state : states) {
    Block sum = fold_lanes(state);
    benchmark::DoNotOptimize(sum);
  }
}

PARLEY_KERNEL void aes_loop(std::size_t count) {
  std::array<Wide, kAesRoundKeys> keys;
  for (std::size_t round = 0; round < keys.size(); ++round) keys[round] = in_all_lanes(Block{round, ~round});
  States states = some_states();
  for (std::size_t done = 0; done < count; ++done) {
#pragma GCC unroll 12
    for (std::size_t i = 0; i < kStates; ++i) states[i] = states[i] ^ keys[0];
#pragma GCC unroll 9
    for (std::size_t round = 1; round + 1 < kAesRoundKeys; ++round) {
#pragma GCC unroll 12
      for (std::size_t i = 0; i < kStates; ++i) states[i] = aes_round(states[i], keys[round]);
    }
#pragma GCC unroll 12
    for (std::size_t i = 0; i < kStates; ++i) states[i] = aes_last_round(states[i], keys[kAesRoundKeys - 1]);
  }
  keep(states);
}

// Each factor is the product before: nothing but products, and enough of them at once to hide how long one takes.
PARLEY_KERNEL void product_loop(std::size_t count) {
  const Wide factor = in_all_lanes(Block{0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9});
  States states = some_states();
  for (std::size_t done = 0; done < count; ++done) {
#pragma GCC unroll 12
    for (std::size_t i = 0; i < kStates; ++i) states[i] = low_high(states[i], factor);
  }
  keep(states);
}

PARLEY_KERNEL Block sum_loop(std::span<const Block> blocks) {
  States states = some_states();
  for (std::size_t at = 0; at + kStates * kLanes <= blocks.size(); at += kStates * kLanes) {
#pragma GCC unroll 12
    for (std::size_t i = 0; i < kStates; ++i) states[i] = states[i] ^ load(blocks.data() + at + i * kLanes);
  }
  Block sum;
  for (const Wide& state : states) sum ^= fold_lanes(state);
  return sum;
}

PARLEY_KERNEL void update_loop(std::span<Block> blocks) {
  const Wide change = in_all_lanes(Block{3, 4});
  for (std::size_t at = 0; at + kLanes <= blocks.size(); at += kLanes)
    store(load(blocks.data() + at) ^ change, blocks.data() + at);
}

PARLEY_KERNEL void add_loop(std::span<Block> sums, std::span<const Block> blocks) {
  for (std::size_t at = 0; at + kLanes <= sums.size(); at += kLanes)
    store(load(sums.data() + at) ^ load(blocks.data() + at), sums.data() + at);
}

}  // namespace
}  // namespace parley::crypto::detail

#define PARLEY_REGISTERS                     \
  {.aes = crypto::detail::aes_loop,          \
   .products = crypto::detail::product_loop, \
   .sum = crypto::detail::sum_loop,          \
   .update = crypto::detail::update_loop,    \
   .add = crypto::detail::add_loop,          \
   .lanes = crypto::detail::kLanes}
