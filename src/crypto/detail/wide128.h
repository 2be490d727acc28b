// One block in a register: the width that the kernels of gf128_wide.h and aes_wide.h have at level `aesni`.
// Every wideN.h has the same names, with internal linkage, and says which instructions the including file may use.
#pragma once

#include <immintrin.h>

#include "crypto/block.h"

#define PARLEY_KERNEL __attribute__((target("aes,pclmul,sse4.1,ssse3")))
#define PARLEY_INLINE PARLEY_KERNEL __attribute__((always_inline)) inline

namespace parley::crypto::detail {
namespace {

constexpr std::size_t kLanes = 1;

struct Wide {
  __m128i value;
};

PARLEY_INLINE Wide zero() {
  return {_mm_setzero_si128()};
}

PARLEY_INLINE Wide load(const Block* from) {
  return {_mm_load_si128(reinterpret_cast<const __m128i*>(from))};
}

PARLEY_INLINE void store(Wide wide, Block* to) {
  _mm_store_si128(reinterpret_cast<__m128i*>(to), wide.value);
}

/// The first `count` < kLanes blocks; zeros in the other lanes.
PARLEY_INLINE Wide load_some(const Block*, std::size_t) {
  return zero();
}

PARLEY_INLINE void store_some(Wide, Block*, std::size_t) {}

/// The same block in all lanes.
PARLEY_INLINE Wide in_all_lanes(Block block) {
  return load(&block);
}

/// The XOR of all lanes.
PARLEY_INLINE Block fold_lanes(Wide wide) {
  Block block;
  store(wide, &block);
  return block;
}

PARLEY_INLINE Wide operator^(Wide a, Wide b) {
  return {_mm_xor_si128(a.value, b.value)};
}

PARLEY_INLINE Wide xor3(Wide a, Wide b, Wide c) {
  return a ^ b ^ c;
}

/// The 127-bit products of one half of each block of `a` and one half of `b`: low and low, high and low, and so on.
PARLEY_INLINE Wide low_low(Wide a, Wide b) {
  return {_mm_clmulepi64_si128(a.value, b.value, 0x00)};
}
PARLEY_INLINE Wide high_low(Wide a, Wide b) {
  return {_mm_clmulepi64_si128(a.value, b.value, 0x01)};
}
PARLEY_INLINE Wide low_high(Wide a, Wide b) {
  return {_mm_clmulepi64_si128(a.value, b.value, 0x10)};
}
PARLEY_INLINE Wide high_high(Wide a, Wide b) {
  return {_mm_clmulepi64_si128(a.value, b.value, 0x11)};
}

/// The halves of each block exchanged.
PARLEY_INLINE Wide swap_halves(Wide wide) {
  return {_mm_shuffle_epi32(wide.value, 0x4e)};
}

/// The low half moved up, zero below.
PARLEY_INLINE Wide low_to_high(Wide wide) {
  return {_mm_slli_si128(wide.value, 8)};
}

/// Lane i: x^i.
PARLEY_INLINE Wide first_powers_of_x() {
  return {_mm_set_epi64x(0, 1)};
}

/// Each half times x^kLanes, modulo x^64.
PARLEY_INLINE Wide shift_by_lanes(Wide wide) {
  return {_mm_slli_epi64(wide.value, kLanes)};
}

/// Lane i: first + i.
PARLEY_INLINE Wide counters_from(std::uint64_t first) {
  return {_mm_set_epi64x(0, static_cast<long long>(first))};
}

PARLEY_INLINE Wide add_to_counters(Wide counters, std::uint64_t steps) {
  return {_mm_add_epi64(counters.value, _mm_set_epi64x(0, static_cast<long long>(steps)))};
}

PARLEY_INLINE Wide aes_round(Wide state, Wide key) {
  return {_mm_aesenc_si128(state.value, key.value)};
}

PARLEY_INLINE Wide aes_last_round(Wide state, Wide key) {
  return {_mm_aesenclast_si128(state.value, key.value)};
}

}  // namespace
}  // namespace parley::crypto::detail
