// Four blocks in a register: the width of level `avx512`. The names are explained in wide128.h and wide256.h.
#pragma once

// GCC 12 warns of its own registers without a value (GCC bug 105593).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop

#include "crypto/block.h"

#define PARLEY_KERNEL __attribute__((target("aes,pclmul,sse4.1,ssse3,avx2,vaes,vpclmulqdq,avx512f,avx512vl")))
#define PARLEY_INLINE PARLEY_KERNEL __attribute__((always_inline)) inline

namespace parley::crypto::detail {
namespace {

constexpr std::size_t kLanes = 4;

struct Wide {
  __m512i value;
};

PARLEY_INLINE Wide zero() {
  return {_mm512_setzero_si512()};
}

PARLEY_INLINE Wide load(const Block* from) {
  return {_mm512_loadu_si512(from)};
}

PARLEY_INLINE void store(Wide wide, Block* to) {
  _mm512_storeu_si512(to, wide.value);
}

/// One bit for each half of the first `count` blocks.
PARLEY_INLINE __mmask8 mask_of(std::size_t count) {
  return static_cast<__mmask8>((1u << (2 * count)) - 1);
}

PARLEY_INLINE Wide load_some(const Block* from, std::size_t count) {
  return {_mm512_maskz_loadu_epi64(mask_of(count), from)};
}

PARLEY_INLINE void store_some(Wide wide, Block* to, std::size_t count) {
  _mm512_mask_storeu_epi64(to, mask_of(count), wide.value);
}

PARLEY_INLINE Wide in_all_lanes(Block block) {
  return {_mm512_broadcast_i32x4(_mm_load_si128(reinterpret_cast<const __m128i*>(&block)))};
}

PARLEY_INLINE Block fold_lanes(Wide wide) {
  const __m256i two = _mm256_xor_si256(_mm512_castsi512_si256(wide.value), _mm512_extracti64x4_epi64(wide.value, 1));
  Block block;
  _mm_store_si128(reinterpret_cast<__m128i*>(&block),
                  _mm_xor_si128(_mm256_castsi256_si128(two), _mm256_extracti128_si256(two, 1)));
  return block;
}

PARLEY_INLINE Wide operator^(Wide a, Wide b) {
  return {_mm512_xor_si512(a.value, b.value)};
}

PARLEY_INLINE Wide xor3(Wide a, Wide b, Wide c) {
  constexpr int kXorOfThree = 0x96;  // the table of a ^ b ^ c
  return {_mm512_ternarylogic_epi64(a.value, b.value, c.value, kXorOfThree)};
}

PARLEY_INLINE Wide low_low(Wide a, Wide b) {
  return {_mm512_clmulepi64_epi128(a.value, b.value, 0x00)};
}
PARLEY_INLINE Wide high_low(Wide a, Wide b) {
  return {_mm512_clmulepi64_epi128(a.value, b.value, 0x01)};
}
PARLEY_INLINE Wide low_high(Wide a, Wide b) {
  return {_mm512_clmulepi64_epi128(a.value, b.value, 0x10)};
}
PARLEY_INLINE Wide high_high(Wide a, Wide b) {
  return {_mm512_clmulepi64_epi128(a.value, b.value, 0x11)};
}

PARLEY_INLINE Wide swap_halves(Wide wide) {
  return {_mm512_shuffle_epi32(wide.value, _MM_PERM_BADC)};
}

PARLEY_INLINE Wide low_to_high(Wide wide) {
  constexpr __mmask16 kHighHalves = 0xcccc;
  return {_mm512_maskz_shuffle_epi32(kHighHalves, wide.value, _MM_PERM_BADC)};
}

PARLEY_INLINE Wide first_powers_of_x() {
  return {_mm512_set_epi64(0, 8, 0, 4, 0, 2, 0, 1)};
}

PARLEY_INLINE Wide shift_by_lanes(Wide wide) {
  return {_mm512_slli_epi64(wide.value, kLanes)};
}

PARLEY_INLINE Wide counters_from(std::uint64_t first) {
  return {_mm512_set_epi64(0, static_cast<long long>(first + 3), 0, static_cast<long long>(first + 2), 0,
                           static_cast<long long>(first + 1), 0, static_cast<long long>(first))};
}

PARLEY_INLINE Wide add_to_counters(Wide counters, std::uint64_t steps) {
  const auto step = static_cast<long long>(steps);
  return {_mm512_add_epi64(counters.value, _mm512_set_epi64(0, step, 0, step, 0, step, 0, step))};
}

PARLEY_INLINE Wide aes_round(Wide state, Wide key) {
  return {_mm512_aesenc_epi128(state.value, key.value)};
}

PARLEY_INLINE Wide aes_last_round(Wide state, Wide key) {
  return {_mm512_aesenclast_epi128(state.value, key.value)};
}

PARLEY_INLINE Wide alternating(Block even, Block odd) {
  const auto word = [](std::uint64_t value) { return static_cast<long long>(value); };
  return {_mm512_set_epi64(word(odd.high), word(odd.low), word(even.high), word(even.low), word(odd.high),
                           word(odd.low), word(even.high), word(even.low))};
}

/// The first two blocks of `wide`, each in two lanes.
PARLEY_INLINE Wide twice(Wide wide) {
  return {_mm512_shuffle_i64x2(wide.value, wide.value, 0x50)};
}

PARLEY_INLINE Wide load_twice(const Block* from) {
  return twice({_mm512_zextsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)))});
}

PARLEY_INLINE Wide load_some_twice(const Block* from, std::size_t count) {
  return twice(load_some(from, count));
}

PARLEY_INLINE void fold_alternating(Wide wide, Block& even, Block& odd) {
  const __m256i two = _mm256_xor_si256(_mm512_castsi512_si256(wide.value), _mm512_extracti64x4_epi64(wide.value, 1));
  _mm_store_si128(reinterpret_cast<__m128i*>(&even), _mm256_castsi256_si128(two));
  _mm_store_si128(reinterpret_cast<__m128i*>(&odd), _mm256_extracti128_si256(two, 1));
}

}  // namespace
}  // namespace parley::crypto::detail
