// Two blocks in a register: the width of level `vaes`. The names are explained in wide128.h.
#pragma once

#include <immintrin.h>

#include "crypto/block.h"

#define PARLEY_KERNEL __attribute__((target("aes,pclmul,sse4.1,ssse3,avx2,vaes,vpclmulqdq")))
#define PARLEY_INLINE PARLEY_KERNEL __attribute__((always_inline)) inline

namespace parley::crypto::detail {
namespace {

constexpr std::size_t kLanes = 2;

struct Wide {
  __m256i value;
};

PARLEY_INLINE Wide zero() {
  return {_mm256_setzero_si256()};
}

PARLEY_INLINE Wide load(const Block* from) {
  return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))};
}

PARLEY_INLINE void store(Wide wide, Block* to) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), wide.value);
}

PARLEY_INLINE Wide load_some(const Block* from, std::size_t count) {
  if (count == 0) return zero();
  return {_mm256_zextsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(from)))};
}

PARLEY_INLINE void store_some(Wide wide, Block* to, std::size_t count) {
  if (count == 0) return;
  _mm_store_si128(reinterpret_cast<__m128i*>(to), _mm256_castsi256_si128(wide.value));
}

PARLEY_INLINE Wide in_all_lanes(Block block) {
  return {_mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(&block)))};
}

PARLEY_INLINE Block fold_lanes(Wide wide) {
  Block block;
  _mm_store_si128(reinterpret_cast<__m128i*>(&block),
                  _mm_xor_si128(_mm256_castsi256_si128(wide.value), _mm256_extracti128_si256(wide.value, 1)));
  return block;
}

PARLEY_INLINE Wide operator^(Wide a, Wide b) {
  return {_mm256_xor_si256(a.value, b.value)};
}

PARLEY_INLINE Wide xor3(Wide a, Wide b, Wide c) {
  return a ^ b ^ c;
}

PARLEY_INLINE Wide low_low(Wide a, Wide b) {
  return {_mm256_clmulepi64_epi128(a.value, b.value, 0x00)};
}
PARLEY_INLINE Wide high_low(Wide a, Wide b) {
  return {_mm256_clmulepi64_epi128(a.value, b.value, 0x01)};
}
PARLEY_INLINE Wide low_high(Wide a, Wide b) {
  return {_mm256_clmulepi64_epi128(a.value, b.value, 0x10)};
}
PARLEY_INLINE Wide high_high(Wide a, Wide b) {
  return {_mm256_clmulepi64_epi128(a.value, b.value, 0x11)};
}

PARLEY_INLINE Wide swap_halves(Wide wide) {
  return {_mm256_shuffle_epi32(wide.value, 0x4e)};
}

PARLEY_INLINE Wide low_to_high(Wide wide) {
  return {_mm256_bslli_epi128(wide.value, 8)};
}

PARLEY_INLINE Wide first_powers_of_x() {
  return {_mm256_set_epi64x(0, 2, 0, 1)};
}

PARLEY_INLINE Wide shift_by_lanes(Wide wide) {
  return {_mm256_slli_epi64(wide.value, kLanes)};
}

PARLEY_INLINE Wide counters_from(std::uint64_t first) {
  return {_mm256_set_epi64x(0, static_cast<long long>(first + 1), 0, static_cast<long long>(first))};
}

PARLEY_INLINE Wide add_to_counters(Wide counters, std::uint64_t steps) {
  const auto step = static_cast<long long>(steps);
  return {_mm256_add_epi64(counters.value, _mm256_set_epi64x(0, step, 0, step))};
}

PARLEY_INLINE Wide aes_round(Wide state, Wide key) {
  return {_mm256_aesenc_epi128(state.value, key.value)};
}

PARLEY_INLINE Wide aes_last_round(Wide state, Wide key) {
  return {_mm256_aesenclast_epi128(state.value, key.value)};
}

// Only widths of an even number of lanes have what follows: both children of a parent side by side.

/// `even` in even lanes, `odd` in odd ones.
PARLEY_INLINE Wide alternating(Block even, Block odd) {
  return {_mm256_set_epi64x(static_cast<long long>(odd.high), static_cast<long long>(odd.low),
                            static_cast<long long>(even.high), static_cast<long long>(even.low))};
}

/// kLanes / 2 blocks, each in two lanes.
PARLEY_INLINE Wide load_twice(const Block* from) {
  return {_mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(from)))};
}

/// The first `count` blocks, each in two lanes. Precondition: 1 <= count <= kLanes / 2.
PARLEY_INLINE Wide load_some_twice(const Block* from, std::size_t) {
  return load_twice(from);
}

/// The XOR of the even lanes and that of the odd lanes.
PARLEY_INLINE void fold_alternating(Wide wide, Block& even, Block& odd) {
  _mm_store_si128(reinterpret_cast<__m128i*>(&even), _mm256_castsi256_si128(wide.value));
  _mm_store_si128(reinterpret_cast<__m128i*>(&odd), _mm256_extracti128_si256(wide.value, 1));
}

}  // namespace
}  // namespace parley::crypto::detail
