// Four field elements at once, for AVX2: radix 2^25.5, limb i of all four in one register, 26 bits where i is even and
// 25 where it is odd. Constant time.
//
// Bounds. The multiplier takes 32 bits of each operand and gives 64.
// - Field: even limbs below 2^26, odd limbs below 2^25 + 2^16. Every function that gives a Field ends in carry().
// - Loose, a sum or difference of two Fields and what a multiplication takes: limbs at most 3 times those of a Field (a
//   difference adds 2p, whose limbs are just below twice those). 19 times such a limb is below 57 * 2^26 < 2^32, and 38
//   times one of the odd below 114 * (2^25 + 2^16) < 2^32.
// - Wide, a sum before its carries: limbs below 2^63.
//   The column of a product with the largest sum is column 0, for Fields at most
//   1 * 2^52 + 19 * 4 * 2^52 + 19 * 2 * 5 * (2^25 + 2^16)^2 < 125 * 2^52; for two Loose 9 times that, below 2^62.2. A
//   square that is doubled is one of a Field. What plus() and minus() add to a product is below 2^30.
// - carry(): each limb carries into the next below 2^38, the last 19 times that into limb 0, which is then below
//   2^42.4 and carries below 2^16 into limb 1, for the second time. So does limb 4, below 2^39, into limb 5.
#pragma once

#if defined(__x86_64__)

#include <immintrin.h>

#include <utility>

#include "crypto/detail/field25519.h"

namespace parley::crypto::detail::avx2 {

#define PARLEY_LANES [[gnu::always_inline, gnu::target("avx2")]]
#define PARLEY_LANES_CALLED [[gnu::noinline, gnu::target("avx2")]]

inline constexpr std::size_t kLanes = 4;
inline constexpr std::size_t kLimbs = 10;

using Vector = __m256i;
struct Mask {
  Vector lanes;  // all ones or all zero
};

struct Wide {
  Vector limb[kLimbs];
};
struct Loose {
  Vector limb[kLimbs];
};
struct Field : Loose {};

constexpr unsigned bits_of_limb(std::size_t i) {
  return i % 2 == 0 ? 26 : 25;
}

PARLEY_LANES inline Vector broadcast(std::uint64_t value) {
  return _mm256_set1_epi64x(static_cast<long long>(value));
}

PARLEY_LANES inline Vector limb_mask(std::size_t i) {
  return broadcast((std::uint64_t{1} << bits_of_limb(i)) - 1);
}

PARLEY_LANES inline Field broadcast(const Limbs51& x) {
  Field out;
  for (std::size_t i = 0; i < kLimbs51; ++i) {
    out.limb[2 * i] = broadcast(x.limb[i] & 0x3ffffff);
    out.limb[2 * i + 1] = broadcast(x.limb[i] >> 26);
  }
  return out;
}

/// Limb i of `multiple` * p, where every limb is about `multiple` times as large as one of p.
PARLEY_LANES inline Vector multiple_of_p(std::uint64_t multiple, std::size_t i) {
  const std::uint64_t limb = (std::uint64_t{1} << bits_of_limb(i)) - (i == 0 ? 19 : 1);
  return broadcast(multiple * limb);
}

/// 19 x, for any x below 2^59.
PARLEY_LANES inline Vector times_19(Vector x) {
  return _mm256_add_epi64(_mm256_add_epi64(_mm256_slli_epi64(x, 4), _mm256_slli_epi64(x, 1)), x);
}

template <std::size_t kI>
PARLEY_LANES inline void carry_from(Vector (&limb)[kLimbs]) {
  const Vector carried = _mm256_srli_epi64(limb[kI], bits_of_limb(kI));
  limb[kI] = _mm256_and_si256(limb[kI], limb_mask(kI));
  constexpr std::size_t kNext = (kI + 1) % kLimbs;
  limb[kNext] = _mm256_add_epi64(limb[kNext], kNext == 0 ? times_19(carried) : carried);
}

// Two chains at once, so that neither waits for the other.
PARLEY_LANES inline Field carry(const Wide& x) {
  Field out;
  for (std::size_t i = 0; i < kLimbs; ++i) out.limb[i] = x.limb[i];
  carry_from<0>(out.limb);
  carry_from<4>(out.limb);
  carry_from<1>(out.limb);
  carry_from<5>(out.limb);
  carry_from<2>(out.limb);
  carry_from<6>(out.limb);
  carry_from<3>(out.limb);
  carry_from<7>(out.limb);
  carry_from<4>(out.limb);
  carry_from<8>(out.limb);
  carry_from<9>(out.limb);
  carry_from<0>(out.limb);
  return out;
}

PARLEY_LANES inline Field reduced(const Loose& x) {
  Wide wide;
  for (std::size_t i = 0; i < kLimbs; ++i) wide.limb[i] = x.limb[i];
  return carry(wide);
}

PARLEY_LANES inline Wide plus(const Wide& a, const Loose& b) {
  Wide sum;
  for (std::size_t i = 0; i < kLimbs; ++i) sum.limb[i] = _mm256_add_epi64(a.limb[i], b.limb[i]);
  return sum;
}

PARLEY_LANES inline Wide minus(const Wide& a, const Loose& b) {
  Wide difference;
  for (std::size_t i = 0; i < kLimbs; ++i) {
    difference.limb[i] = _mm256_sub_epi64(_mm256_add_epi64(a.limb[i], multiple_of_p(4, i)), b.limb[i]);
  }
  return difference;
}

PARLEY_LANES inline Wide times_two(const Wide& a) {
  Wide twice;
  for (std::size_t i = 0; i < kLimbs; ++i) twice.limb[i] = _mm256_add_epi64(a.limb[i], a.limb[i]);
  return twice;
}

PARLEY_LANES inline Loose operator+(const Field& a, const Field& b) {
  Loose sum;
  for (std::size_t i = 0; i < kLimbs; ++i) sum.limb[i] = _mm256_add_epi64(a.limb[i], b.limb[i]);
  return sum;
}

PARLEY_LANES inline Loose operator-(const Field& a, const Field& b) {
  Loose difference;
  for (std::size_t i = 0; i < kLimbs; ++i) {
    difference.limb[i] = _mm256_sub_epi64(_mm256_add_epi64(a.limb[i], multiple_of_p(2, i)), b.limb[i]);
  }
  return difference;
}

PARLEY_LANES inline Loose negated(const Field& a) {
  Loose out;
  for (std::size_t i = 0; i < kLimbs; ++i) out.limb[i] = _mm256_sub_epi64(multiple_of_p(2, i), a.limb[i]);
  return out;
}

/// What every row of a product is made from: where i and j are both odd, 2^(25.5 i) * 2^(25.5 j) is half of what the
/// limbs of 26 and 25 bits weigh together, so their product counts twice; column k + 10 weighs 19 in column k.
struct Factors {
  Vector limb[kLimbs];
  Vector limb_times_19[kLimbs];
};

PARLEY_LANES inline Factors factors(const Loose& b) {
  Factors out;
  for (std::size_t j = 0; j < kLimbs; ++j) {
    out.limb[j] = b.limb[j];
    out.limb_times_19[j] = _mm256_mul_epu32(b.limb[j], broadcast(19));
  }
  return out;
}

template <std::size_t kI, std::size_t kJ>
PARLEY_LANES inline Vector term(Vector a, Vector a_twice, const Factors& b) {
  return _mm256_mul_epu32(kI % 2 == 1 && kJ % 2 == 1 ? a_twice : a,
                          kI + kJ < kLimbs ? b.limb[kJ] : b.limb_times_19[kJ]);
}

template <std::size_t... kJ>
PARLEY_LANES inline void first_row(Wide& sum, Vector a, const Factors& b, std::index_sequence<kJ...>) {
  ((sum.limb[kJ] = term<0, kJ>(a, a, b)), ...);
}

template <std::size_t kI, std::size_t... kJ>
PARLEY_LANES inline void accumulate_row(Wide& sum, Vector a, const Factors& b, std::index_sequence<kJ...>) {
  const Vector a_twice = _mm256_add_epi64(a, a);
  ((sum.limb[(kI + kJ) % kLimbs] = _mm256_add_epi64(sum.limb[(kI + kJ) % kLimbs], term<kI, kJ>(a, a_twice, b))), ...);
}

PARLEY_LANES inline Wide product(const Loose& a, const Loose& b) {
  const Factors with = factors(b);
  constexpr auto kAll = std::make_index_sequence<kLimbs>();
  Wide sum;
  first_row(sum, a.limb[0], with, kAll);
  accumulate_row<1>(sum, a.limb[1], with, kAll);
  accumulate_row<2>(sum, a.limb[2], with, kAll);
  accumulate_row<3>(sum, a.limb[3], with, kAll);
  accumulate_row<4>(sum, a.limb[4], with, kAll);
  accumulate_row<5>(sum, a.limb[5], with, kAll);
  accumulate_row<6>(sum, a.limb[6], with, kAll);
  accumulate_row<7>(sum, a.limb[7], with, kAll);
  accumulate_row<8>(sum, a.limb[8], with, kAll);
  accumulate_row<9>(sum, a.limb[9], with, kAll);
  return sum;
}

// In a square, a[i] a[j] with i < j counts twice. `once` and `twice` are a[i] and 2 a[i].
template <std::size_t kI, std::size_t kJ>
PARLEY_LANES inline Vector square_term(Vector once, Vector twice, const Loose& a, const Factors& scaled) {
  constexpr bool kBothOdd = kI % 2 == 1 && kJ % 2 == 1;
  if constexpr (kI + kJ < kLimbs) {
    if constexpr (kI == kJ) return _mm256_mul_epu32(kBothOdd ? twice : once, a.limb[kJ]);
    return _mm256_mul_epu32(twice, kBothOdd ? scaled.limb[kJ] : a.limb[kJ]);
  } else {
    // scaled.limb_times_19[j] is 38 a[j] where j is odd, 19 a[j] where it is even.
    constexpr bool kJOdd = kJ % 2 == 1;
    if constexpr (kI == kJ) return _mm256_mul_epu32(once, scaled.limb_times_19[kJ]);
    if constexpr (kJOdd && !kBothOdd) return _mm256_mul_epu32(once, scaled.limb_times_19[kJ]);
    return _mm256_mul_epu32(twice, scaled.limb_times_19[kJ]);
  }
}

template <std::size_t kI, std::size_t... kJ>
PARLEY_LANES inline void accumulate_square_row(Wide& sum, const Loose& a, const Factors& scaled,
                                               std::index_sequence<kJ...>) {
  const Vector once = a.limb[kI];
  const Vector twice = _mm256_add_epi64(once, once);
  ((sum.limb[(2 * kI + kJ) % kLimbs] =
        _mm256_add_epi64(sum.limb[(2 * kI + kJ) % kLimbs], square_term<kI, kI + kJ>(once, twice, a, scaled))),
   ...);
}

template <std::size_t... kJ>
PARLEY_LANES inline void first_square_row(Wide& sum, const Loose& a, const Factors& scaled,
                                          std::index_sequence<kJ...>) {
  const Vector twice = _mm256_add_epi64(a.limb[0], a.limb[0]);
  ((sum.limb[kJ] = square_term<0, kJ>(a.limb[0], twice, a, scaled)), ...);
}

template <std::size_t kI>
PARLEY_LANES inline void accumulate_square_rows(Wide& sum, const Loose& a, const Factors& scaled) {
  accumulate_square_row<kI>(sum, a, scaled, std::make_index_sequence<kLimbs - kI>());
  if constexpr (kI + 1 < kLimbs) accumulate_square_rows<kI + 1>(sum, a, scaled);
}

PARLEY_LANES inline Wide square(const Loose& a) {
  Factors scaled;
  for (std::size_t j = 0; j < kLimbs; ++j) {
    scaled.limb[j] = _mm256_add_epi64(a.limb[j], a.limb[j]);
    scaled.limb_times_19[j] = _mm256_mul_epu32(a.limb[j], broadcast(j % 2 == 1 ? 38 : 19));
  }
  Wide sum;
  first_square_row(sum, a, scaled, std::make_index_sequence<kLimbs>());
  accumulate_square_rows<1>(sum, a, scaled);
  return sum;
}

/// The one representation of each lane with limbs of 26 and 25 bits and the whole below p.
PARLEY_LANES inline Field canonical(const Field& x) {
  // The limbs' bounds put x below 2p; the carry out of x + 19 at bit 255 says whether x reaches p.
  Vector over = broadcast(19);
  for (std::size_t i = 0; i < kLimbs; ++i) {
    over = _mm256_srli_epi64(_mm256_add_epi64(x.limb[i], over), static_cast<int>(bits_of_limb(i)));
  }
  Vector carried = _mm256_mul_epu32(over, broadcast(19));
  Field out;
  for (std::size_t i = 0; i < kLimbs; ++i) {
    const Vector sum = _mm256_add_epi64(x.limb[i], carried);
    out.limb[i] = _mm256_and_si256(sum, limb_mask(i));
    carried = _mm256_srli_epi64(sum, static_cast<int>(bits_of_limb(i)));
  }
  return out;
}

PARLEY_LANES inline Mask is_negative(const Field& x) {
  const Vector low_bit = _mm256_and_si256(canonical(x).limb[0], broadcast(1));
  return {_mm256_sub_epi64(_mm256_setzero_si256(), low_bit)};
}

PARLEY_LANES inline Mask is_zero(const Field& x) {
  const Field c = canonical(x);
  Vector any = c.limb[0];
  for (std::size_t i = 1; i < kLimbs; ++i) any = _mm256_or_si256(any, c.limb[i]);
  return {_mm256_cmpeq_epi64(any, _mm256_setzero_si256())};
}

/// `yes` in the lanes of `mask`, `no` in the others.
PARLEY_LANES inline Field select(Mask mask, const Field& yes, const Field& no) {
  Field out;
  for (std::size_t i = 0; i < kLimbs; ++i) out.limb[i] = _mm256_blendv_epi8(no.limb[i], yes.limb[i], mask.lanes);
  return out;
}

PARLEY_LANES inline Mask either(Mask a, Mask b) {
  return {_mm256_or_si256(a.lanes, b.lanes)};
}
PARLEY_LANES inline Mask inverted(Mask a) {
  return {_mm256_xor_si256(a.lanes, broadcast(~std::uint64_t{0}))};
}
/// Bit i is lane i.
PARLEY_LANES inline unsigned bits_of(Mask a) {
  return static_cast<unsigned>(_mm256_movemask_pd(_mm256_castsi256_pd(a.lanes)));
}
PARLEY_LANES inline Mask mask_of_bits(unsigned bits) {
  const Vector lane_bit = _mm256_set_epi64x(8, 4, 2, 1);
  return {_mm256_cmpeq_epi64(_mm256_and_si256(broadcast(bits), lane_bit), lane_bit)};
}

PARLEY_LANES inline Field load(const Limbs51 (&lanes)[kLanes]) {
  alignas(sizeof(Vector)) std::uint64_t limbs[kLimbs][kLanes];
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    for (std::size_t i = 0; i < kLimbs51; ++i) {
      limbs[2 * i][lane] = lanes[lane].limb[i] & 0x3ffffff;
      limbs[2 * i + 1][lane] = lanes[lane].limb[i] >> 26;
    }
  }
  Field out;
  for (std::size_t i = 0; i < kLimbs; ++i) out.limb[i] = _mm256_load_si256(reinterpret_cast<const Vector*>(limbs[i]));
  return out;
}

PARLEY_LANES inline void store_canonical(const Field& x, Limbs51 (&lanes)[kLanes]) {
  alignas(sizeof(Vector)) std::uint64_t limbs[kLimbs51][kLanes];
  const Field c = canonical(x);
  for (std::size_t i = 0; i < kLimbs51; ++i) {
    const Vector limb = _mm256_or_si256(c.limb[2 * i], _mm256_slli_epi64(c.limb[2 * i + 1], 26));
    _mm256_store_si256(reinterpret_cast<Vector*>(limbs[i]), limb);
  }
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
  const Vector bits = _mm256_srl_epi64(_mm256_loadu_si256(reinterpret_cast<const Vector*>(words)),
                                       _mm_cvtsi32_si128(static_cast<int>(shift)));
  const Vector digit = _mm256_sub_epi64(_mm256_and_si256(bits, broadcast(15)), broadcast(8));
  const Vector negative = _mm256_cmpgt_epi64(_mm256_setzero_si256(), digit);
  return {_mm256_sub_epi64(_mm256_xor_si256(digit, negative), negative), {negative}};
}

/// What a table in memory keeps of an element: limb 2i + 1 above limb 2i, each in 32 bits.
struct Packed {
  Vector pair[kLimbs51];
};

PARLEY_LANES inline Packed packed(const Field& x) {
  Packed out;
  for (std::size_t i = 0; i < kLimbs51; ++i) {
    out.pair[i] = _mm256_or_si256(x.limb[2 * i], _mm256_slli_epi64(x.limb[2 * i + 1], 32));
  }
  return out;
}

PARLEY_LANES inline Field unpacked(const Packed& x) {
  Field out;
  for (std::size_t i = 0; i < kLimbs51; ++i) {
    out.limb[2 * i] = _mm256_and_si256(x.pair[i], broadcast(0xffffffff));
    out.limb[2 * i + 1] = _mm256_srli_epi64(x.pair[i], 32);
  }
  return out;
}

/// The entry of each lane's own: entries[(m - 1) * kStride] where its digit's magnitude is m, `at_zero` where that
/// is 0. Reads all entries.
template <std::size_t kStride>
PARLEY_LANES inline Field look_up(const Packed* entries, const Digits& digits, std::uint64_t at_zero) {
  Packed out;
  const Vector zero = _mm256_setzero_si256();
  out.pair[0] = _mm256_and_si256(_mm256_cmpeq_epi64(digits.magnitude, zero), broadcast(at_zero));
  for (std::size_t i = 1; i < kLimbs51; ++i) out.pair[i] = zero;
  for (std::size_t m = 1; m <= 8; ++m) {
    const Vector here = _mm256_cmpeq_epi64(digits.magnitude, broadcast(m));
    for (std::size_t i = 0; i < kLimbs51; ++i) {
      out.pair[i] = _mm256_or_si256(out.pair[i], _mm256_and_si256(here, entries[(m - 1) * kStride].pair[i]));
    }
  }
  return unpacked(out);
}

/// Eight elements that are the same for all lanes: the m-th 32 bits of each limb, from 0, are of entry m + 1.
struct SharedEntries {
  Vector limb[kLimbs];
};

PARLEY_LANES inline SharedEntries shared_entries(const Limbs51 (&entries)[8]) {
  alignas(sizeof(Vector)) std::uint32_t limbs[kLimbs][8];
  for (std::size_t m = 0; m < 8; ++m) {
    for (std::size_t i = 0; i < kLimbs51; ++i) {
      limbs[2 * i][m] = static_cast<std::uint32_t>(entries[m].limb[i] & 0x3ffffff);
      limbs[2 * i + 1][m] = static_cast<std::uint32_t>(entries[m].limb[i] >> 26);
    }
  }
  SharedEntries out;
  for (std::size_t i = 0; i < kLimbs; ++i) out.limb[i] = _mm256_load_si256(reinterpret_cast<const Vector*>(limbs[i]));
  return out;
}

/// As above, from entries shared by all lanes: a permutation inside registers.
PARLEY_LANES inline Field look_up(const SharedEntries& entries, const Digits& digits, std::uint64_t at_zero) {
  const Vector index = _mm256_sub_epi64(digits.magnitude, broadcast(1));
  const Vector at_zero_mask = _mm256_cmpeq_epi64(digits.magnitude, _mm256_setzero_si256());
  const Vector keep = _mm256_andnot_si256(at_zero_mask, broadcast(0xffffffff));
  Field out;
  for (std::size_t i = 0; i < kLimbs; ++i) {
    out.limb[i] = _mm256_and_si256(_mm256_permutevar8x32_epi32(entries.limb[i], index), keep);
  }
  out.limb[0] = _mm256_or_si256(out.limb[0], _mm256_and_si256(at_zero_mask, broadcast(at_zero)));
  return out;
}

}  // namespace parley::crypto::detail::avx2

#endif
