// Eight field elements at once, for AVX-512 with IFMA: radix 2^51, limb i of all eight in one register. Constant time.
//
// Bounds. The multiplier takes the low 52 bits of each operand, so every limb must stay below 2^52.
// - Field: limbs below 2^51 + 2^15. Every function that gives a Field ends in carry(), which grants it.
// - Wide, a sum before its carries: limbs below 2^62.
//   A column of a product has at most 5 low halves below 2^52 and 5 high halves below 2^50.1, which count twice:
//   below 2^55. Folding the upper columns adds 19 times as much: below 2^59.4. times_two() doubles that, and what is
//   added to a Wide is below 2^55: below 2^62.
// - carry(): limbs of x below 2^62 carry below 2^11 into the next limb, and 19 times that, below 2^15, into limb 0.
// - Loose, what a multiplication takes, is the same type here: sums and differences are carried at once, because the
//   operand's 52 bits have no room for them.
#pragma once

#if defined(__x86_64__)

#include <immintrin.h>

#include <utility>

#include "crypto/detail/field25519.h"

namespace parley::crypto::detail::ifma {

#define PARLEY_LANES [[gnu::always_inline, gnu::target("avx512f,avx512dq,avx512vl,avx512ifma")]]
#define PARLEY_LANES_CALLED [[gnu::noinline, gnu::target("avx512f,avx512dq,avx512vl,avx512ifma")]]

inline constexpr std::size_t kLanes = 8;
inline constexpr unsigned kLimbBits = 51;

using Vector = __m512i;
using Mask = __mmask8;

struct Wide {
  Vector limb[kLimbs51];
};
struct Field {
  Vector limb[kLimbs51];
};
using Loose = Field;

PARLEY_LANES inline Vector broadcast(std::uint64_t value) {
  return _mm512_set1_epi64(static_cast<long long>(value));
}

PARLEY_LANES inline Field broadcast(const Limbs51& x) {
  return {
      {broadcast(x.limb[0]), broadcast(x.limb[1]), broadcast(x.limb[2]), broadcast(x.limb[3]), broadcast(x.limb[4])}};
}

/// 2 p, with limbs that no limb of a Field exceeds.
PARLEY_LANES inline Wide two_p() {
  const Vector high = broadcast((std::uint64_t{1} << 52) - 2);
  return {{broadcast((std::uint64_t{1} << 52) - 38), high, high, high, high}};
}

PARLEY_LANES inline Field carry(const Wide& x) {
  const Vector mask = broadcast(kMask51);
  Field out;
  out.limb[0] =
      _mm512_madd52lo_epu64(_mm512_and_si512(x.limb[0], mask), _mm512_srli_epi64(x.limb[4], kLimbBits), broadcast(19));
  for (std::size_t i = 1; i < kLimbs51; ++i) {
    out.limb[i] = _mm512_add_epi64(_mm512_and_si512(x.limb[i], mask), _mm512_srli_epi64(x.limb[i - 1], kLimbBits));
  }
  return out;
}

PARLEY_LANES inline Field reduced(const Loose& x) {
  return x;
}

PARLEY_LANES inline Wide plus(const Wide& a, const Loose& b) {
  Wide sum;
  for (std::size_t i = 0; i < kLimbs51; ++i) sum.limb[i] = _mm512_add_epi64(a.limb[i], b.limb[i]);
  return sum;
}

PARLEY_LANES inline Wide minus(const Wide& a, const Loose& b) {
  const Wide bias = two_p();
  Wide difference;
  for (std::size_t i = 0; i < kLimbs51; ++i) {
    difference.limb[i] = _mm512_sub_epi64(_mm512_add_epi64(a.limb[i], bias.limb[i]), b.limb[i]);
  }
  return difference;
}

PARLEY_LANES inline Wide times_two(const Wide& a) {
  Wide twice;
  for (std::size_t i = 0; i < kLimbs51; ++i) twice.limb[i] = _mm512_add_epi64(a.limb[i], a.limb[i]);
  return twice;
}

PARLEY_LANES inline Loose operator+(const Field& a, const Field& b) {
  Wide sum;
  for (std::size_t i = 0; i < kLimbs51; ++i) sum.limb[i] = _mm512_add_epi64(a.limb[i], b.limb[i]);
  return carry(sum);
}

PARLEY_LANES inline Loose operator-(const Field& a, const Field& b) {
  return carry(minus(Wide{{a.limb[0], a.limb[1], a.limb[2], a.limb[3], a.limb[4]}}, b));
}

PARLEY_LANES inline Loose negated(const Field& a) {
  const Vector zero = _mm512_setzero_si512();
  return carry(minus(Wide{{zero, zero, zero, zero, zero}}, a));
}

/// The columns of a product: the sum of low[k] * 2^(51 k) + high[k] * 2^(51 k + 52).
struct Columns {
  Vector low[2 * kLimbs51 - 1];
  Vector high[2 * kLimbs51 - 1];
};

template <std::size_t kI, std::size_t... kJ>
PARLEY_LANES inline void accumulate_row(Columns& columns, const Loose& a, const Loose& b, std::index_sequence<kJ...>) {
  ((columns.low[kI + kJ] = _mm512_madd52lo_epu64(columns.low[kI + kJ], a.limb[kI], b.limb[kJ])), ...);
  ((columns.high[kI + kJ] = _mm512_madd52hi_epu64(columns.high[kI + kJ], a.limb[kI], b.limb[kJ])), ...);
}

template <std::size_t... kK>
PARLEY_LANES inline void clear(Columns& columns, std::index_sequence<kK...>) {
  ((columns.low[kK] = columns.high[kK] = _mm512_setzero_si512()), ...);
}

/// 19 x
PARLEY_LANES inline Vector times_19(Vector x) {
  return _mm512_add_epi64(_mm512_add_epi64(_mm512_slli_epi64(x, 4), _mm512_slli_epi64(x, 1)), x);
}

// A high half weighs 2^52 and so counts twice in the next column; column k + 5 weighs 2^255, that is 19 in column k.
PARLEY_LANES inline Wide fold(const Columns& columns) {
  Vector sum[2 * kLimbs51];
  sum[0] = columns.low[0];
  for (std::size_t k = 1; k < 2 * kLimbs51 - 1; ++k) {
    sum[k] = _mm512_add_epi64(columns.low[k], _mm512_slli_epi64(columns.high[k - 1], 1));
  }
  sum[2 * kLimbs51 - 1] = _mm512_slli_epi64(columns.high[2 * kLimbs51 - 2], 1);
  Wide out;
  for (std::size_t k = 0; k < kLimbs51; ++k) out.limb[k] = _mm512_add_epi64(sum[k], times_19(sum[k + kLimbs51]));
  return out;
}

PARLEY_LANES inline Wide product(const Loose& a, const Loose& b) {
  Columns columns;
  clear(columns, std::make_index_sequence<2 * kLimbs51 - 1>());
  constexpr auto kAll = std::make_index_sequence<kLimbs51>();
  accumulate_row<0>(columns, a, b, kAll);
  accumulate_row<1>(columns, a, b, kAll);
  accumulate_row<2>(columns, a, b, kAll);
  accumulate_row<3>(columns, a, b, kAll);
  accumulate_row<4>(columns, a, b, kAll);
  return fold(columns);
}

// a[I] * a[J] for each J after I.
template <std::size_t kI, std::size_t... kJ>
PARLEY_LANES inline void accumulate_mixed(Columns& columns, const Loose& a, std::index_sequence<kJ...>) {
  ((columns.low[2 * kI + kJ + 1] =
        _mm512_madd52lo_epu64(columns.low[2 * kI + kJ + 1], a.limb[kI], a.limb[kI + kJ + 1])),
   ...);
  ((columns.high[2 * kI + kJ + 1] =
        _mm512_madd52hi_epu64(columns.high[2 * kI + kJ + 1], a.limb[kI], a.limb[kI + kJ + 1])),
   ...);
}

template <std::size_t... kK>
PARLEY_LANES inline void double_columns(Columns& columns, std::index_sequence<kK...>) {
  ((columns.low[kK] = _mm512_add_epi64(columns.low[kK], columns.low[kK])), ...);
  ((columns.high[kK] = _mm512_add_epi64(columns.high[kK], columns.high[kK])), ...);
}

template <std::size_t... kI>
PARLEY_LANES inline void accumulate_squares(Columns& columns, const Loose& a, std::index_sequence<kI...>) {
  ((columns.low[2 * kI] = _mm512_madd52lo_epu64(columns.low[2 * kI], a.limb[kI], a.limb[kI])), ...);
  ((columns.high[2 * kI] = _mm512_madd52hi_epu64(columns.high[2 * kI], a.limb[kI], a.limb[kI])), ...);
}

PARLEY_LANES inline Wide square(const Loose& a) {
  Columns columns;
  clear(columns, std::make_index_sequence<2 * kLimbs51 - 1>());
  accumulate_mixed<0>(columns, a, std::make_index_sequence<4>());
  accumulate_mixed<1>(columns, a, std::make_index_sequence<3>());
  accumulate_mixed<2>(columns, a, std::make_index_sequence<2>());
  accumulate_mixed<3>(columns, a, std::make_index_sequence<1>());
  double_columns(columns, std::make_index_sequence<2 * kLimbs51 - 1>());
  accumulate_squares(columns, a, std::make_index_sequence<kLimbs51>());
  return fold(columns);
}

/// The one representation of each lane with all limbs below 2^51 and the whole below p.
PARLEY_LANES inline Field canonical(const Field& x) {
  // The limbs' bounds put x below 2p; the carry out of x + 19 at bit 255 says whether x reaches p.
  Vector over = broadcast(19);
  for (std::size_t i = 0; i < kLimbs51; ++i) {
    over = _mm512_srli_epi64(_mm512_add_epi64(x.limb[i], over), kLimbBits);
  }
  Vector carried = _mm512_madd52lo_epu64(_mm512_setzero_si512(), over, broadcast(19));
  Field out;
  for (std::size_t i = 0; i < kLimbs51; ++i) {
    const Vector sum = _mm512_add_epi64(x.limb[i], carried);
    out.limb[i] = _mm512_and_si512(sum, broadcast(kMask51));
    carried = _mm512_srli_epi64(sum, kLimbBits);
  }
  return out;
}

PARLEY_LANES inline Mask is_negative(const Field& x) {
  return _mm512_test_epi64_mask(canonical(x).limb[0], broadcast(1));
}

PARLEY_LANES inline Mask is_zero(const Field& x) {
  const Field c = canonical(x);
  const Vector any = _mm512_or_si512(
      _mm512_or_si512(_mm512_or_si512(c.limb[0], c.limb[1]), _mm512_or_si512(c.limb[2], c.limb[3])), c.limb[4]);
  return _mm512_testn_epi64_mask(any, any);
}

/// `yes` in the lanes of `mask`, `no` in the others.
PARLEY_LANES inline Field select(Mask mask, const Field& yes, const Field& no) {
  Field out;
  for (std::size_t i = 0; i < kLimbs51; ++i) out.limb[i] = _mm512_mask_blend_epi64(mask, no.limb[i], yes.limb[i]);
  return out;
}

PARLEY_LANES inline Mask either(Mask a, Mask b) {
  return static_cast<Mask>(a | b);
}
PARLEY_LANES inline Mask inverted(Mask a) {
  return static_cast<Mask>(~a);
}
/// Bit i is lane i.
PARLEY_LANES inline unsigned bits_of(Mask a) {
  return a;
}
PARLEY_LANES inline Mask mask_of_bits(unsigned bits) {
  return static_cast<Mask>(bits);
}

PARLEY_LANES inline Field load(const Limbs51 (&lanes)[kLanes]) {
  alignas(sizeof(Vector)) std::uint64_t limbs[kLimbs51][kLanes];
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    for (std::size_t i = 0; i < kLimbs51; ++i) limbs[i][lane] = lanes[lane].limb[i];
  }
  Field out;
  for (std::size_t i = 0; i < kLimbs51; ++i) out.limb[i] = _mm512_load_si512(limbs[i]);
  return out;
}

PARLEY_LANES inline void store_canonical(const Field& x, Limbs51 (&lanes)[kLanes]) {
  alignas(sizeof(Vector)) std::uint64_t limbs[kLimbs51][kLanes];
  const Field c = canonical(x);
  for (std::size_t i = 0; i < kLimbs51; ++i) _mm512_store_si512(limbs[i], c.limb[i]);
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    for (std::size_t i = 0; i < kLimbs51; ++i) lanes[lane].limb[i] = limbs[i][lane];
  }
}

/// A digit of each lane: its absolute value, and where it is negative.
struct Digits {
  Vector magnitude;
  Mask negative;
};

/// The digits d - 8 of the four bits d at `shift` of each lane.
PARLEY_LANES inline Digits digits_at(const std::uint64_t (&words)[kLanes], unsigned shift) {
  const Vector bits = _mm512_srl_epi64(_mm512_loadu_si512(words), _mm_cvtsi32_si128(static_cast<int>(shift)));
  const Vector digit = _mm512_sub_epi64(_mm512_and_si512(bits, broadcast(15)), broadcast(8));
  return {_mm512_abs_epi64(digit), _mm512_movepi64_mask(digit)};
}

/// What a table in memory keeps of an element: nothing is saved here.
using Packed = Field;
PARLEY_LANES inline Packed packed(const Field& x) {
  return x;
}

/// The entry of each lane's own: entries[(m - 1) * kStride] where its digit's magnitude is m, `at_zero` where that
/// is 0. Reads all entries.
template <std::size_t kStride>
PARLEY_LANES inline Field look_up(const Packed* entries, const Digits& digits, std::uint64_t at_zero) {
  const Vector zero = _mm512_setzero_si512();
  Field out{{broadcast(at_zero), zero, zero, zero, zero}};
  for (std::size_t m = 1; m <= 8; ++m) {
    const Mask here = _mm512_cmpeq_epi64_mask(digits.magnitude, broadcast(m));
    for (std::size_t i = 0; i < kLimbs51; ++i) {
      out.limb[i] = _mm512_mask_mov_epi64(out.limb[i], here, entries[(m - 1) * kStride].limb[i]);
    }
  }
  return out;
}

/// Eight elements that are the same for all lanes: lane m - 1 of each limb is of entry m.
struct SharedEntries {
  Vector limb[kLimbs51];
};

PARLEY_LANES inline SharedEntries shared_entries(const Limbs51 (&entries)[8]) {
  const Field lanes = load(entries);
  return {{lanes.limb[0], lanes.limb[1], lanes.limb[2], lanes.limb[3], lanes.limb[4]}};
}

/// As above, from entries shared by all lanes: a permutation inside registers.
PARLEY_LANES inline Field look_up(const SharedEntries& entries, const Digits& digits, std::uint64_t at_zero) {
  const Vector index = _mm512_sub_epi64(digits.magnitude, broadcast(1));
  const Mask nonzero = _mm512_test_epi64_mask(digits.magnitude, digits.magnitude);
  Field out;
  for (std::size_t i = 0; i < kLimbs51; ++i) {
    out.limb[i] = _mm512_maskz_permutexvar_epi64(nonzero, index, entries.limb[i]);
  }
  out.limb[0] = _mm512_mask_mov_epi64(broadcast(at_zero), nonzero, out.limb[0]);
  return out;
}

}  // namespace parley::crypto::detail::ifma

#endif
