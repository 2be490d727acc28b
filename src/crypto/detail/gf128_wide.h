// The kernels of gf128.h on registers of kLanes blocks: included after a wideN.h, which says what `Wide` is, by the one
// file of that level.
#pragma once

#include <array>

#include "crypto/detail/kernels.h"

namespace parley::crypto::detail {
namespace {

constexpr Block kModulus{0x87, 0};  // x^128 = x^7 + x^2 + x + 1

/// low + middle * x^64 + high * x^128, not reduced: sums of products stay in this form as long as they can.
struct Product {
  Wide low, middle, high;
};

PARLEY_INLINE Product multiply_unreduced(Wide a, Wide b) {
  return {low_low(a, b), high_low(a, b) ^ low_high(a, b), high_high(a, b)};
}

PARLEY_INLINE void add_product(Product& sum, Wide a, Wide b) {
  sum.low = sum.low ^ low_low(a, b);
  sum.middle = xor3(sum.middle, high_low(a, b), low_high(a, b));
  sum.high = sum.high ^ high_high(a, b);
}

/// low + middle * x^64, where `middle` has at most 128 bits: its upper half is folded once.
PARLEY_INLINE Wide reduce_short(Wide low, Wide middle) {
  return xor3(low, low_to_high(middle), high_low(middle, in_all_lanes(kModulus)));
}

// The upper half of `high` belongs to x^192 and is folded into `middle`; then what belongs to x^128, the lower half of
// `high` and the upper half of `middle`, is folded into `low`.
PARLEY_INLINE Wide reduce(Product product) {
  const Wide modulus = in_all_lanes(kModulus);
  const Wide middle = product.middle ^ high_low(product.high, modulus);
  const Wide above = product.high ^ swap_halves(middle);
  return xor3(product.low, low_to_high(middle), low_low(above, modulus));
}

PARLEY_INLINE Wide multiply_wide(Wide a, Wide b) {
  return reduce(multiply_unreduced(a, b));
}

/// A factor for many products: with itself times x^64, both halves of the other factor meet 128 bits, and a product has
/// 192 bits, not 256.
struct FixedFactor {
  Wide itself, times_x64;
};

PARLEY_INLINE FixedFactor fixed_factor(Block factor) {
  const Wide itself = in_all_lanes(factor);
  return {itself, multiply_wide(itself, in_all_lanes(Block{0, 1}))};
}

PARLEY_INLINE Wide multiply_fixed(Wide a, const FixedFactor& b) {
  return reduce_short(low_low(a, b.itself) ^ high_low(a, b.times_x64),
                      low_high(a, b.itself) ^ high_high(a, b.times_x64));
}

PARLEY_KERNEL void add_multiple(std::span<Block> sum, Block factor, std::span<const Block> values) {
  const FixedFactor fixed = fixed_factor(factor);
  const std::size_t count = sum.size();
  Block* const to = sum.data();
  const Block* const from = values.data();
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(load(to + i) ^ multiply_fixed(load(from + i), fixed), to + i);
  const std::size_t rest = count - i;
  store_some(load_some(to + i, rest) ^ multiply_fixed(load_some(from + i, rest), fixed), to + i, rest);
}

PARLEY_KERNEL Block inner_product(std::span<const Block> a, std::span<const Block> b) {
  Product sum{zero(), zero(), zero()};
  const std::size_t count = a.size();
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) add_product(sum, load(a.data() + i), load(b.data() + i));
  add_product(sum, load_some(a.data() + i, count - i), load_some(b.data() + i, count - i));
  return fold_lanes(reduce(sum));
}

constexpr std::size_t kPowers = 16;  // registers of powers of the point, so one reduction in 16

/// powers[j] in lane l: point^(j * kLanes + l + 1), as many registers as `count` values need. @return point^kLanes
PARLEY_INLINE Wide powers_of(Block point, std::size_t count, std::array<Wide, kPowers>& powers) {
  std::array<Block, kLanes> first;
  first[0] = point;
  for (std::size_t lane = 1; lane < kLanes; ++lane) first[lane] = multiply_aesni(first[lane - 1], point);
  const Wide step = in_all_lanes(first[kLanes - 1]);
  powers[0] = load(first.data());
  for (std::size_t j = 1; j < kPowers && j * kLanes < count; ++j) powers[j] = multiply_wide(powers[j - 1], step);
  return step;
}

// Horner in steps of point^(kPowers * kLanes), from the last values on; what lies between two steps is an inner product
// with the powers. Each lane has a sum of its own until the end.
PARLEY_KERNEL Block power_sum(Block point, std::span<const Block> values) {
  constexpr std::size_t kStep = kPowers * kLanes;
  std::array<Wide, kPowers> powers;
  powers_of(point, values.size(), powers);

  const std::size_t rest = values.size() % kStep;
  const Block* from = values.data() + (values.size() - rest);
  Product product{zero(), zero(), zero()};
  std::size_t j = 0;
  for (; (j + 1) * kLanes <= rest; ++j) add_product(product, load(from + j * kLanes), powers[j]);
  if (j * kLanes < rest) add_product(product, load_some(from + j * kLanes, rest - j * kLanes), powers[j]);
  if (from == values.data()) return fold_lanes(reduce(product));

  // The last lane of the last power is point^kStep.
  std::array<Block, kLanes> last;
  store(powers[kPowers - 1], last.data());
  const Wide step = in_all_lanes(last[kLanes - 1]);
  while (from != values.data()) {
    from -= kStep;
    product = multiply_unreduced(reduce(product), step);
    for (j = 0; j < kPowers; ++j) add_product(product, load(from + j * kLanes), powers[j]);
  }
  return fold_lanes(reduce(product));
}

/// The sum over j of point^(j+1) * coefficient j at kLanes points: Horner, whose first step has a fixed factor, the
/// last coefficient.
PARLEY_INLINE Wide polynomial_at(Wide point, std::span<const Block> others, const FixedFactor& last) {
  Wide sum = multiply_fixed(point, last);
  for (std::size_t j = others.size(); j-- > 0;) sum = multiply_wide(sum ^ in_all_lanes(others[j]), point);
  return sum;
}

PARLEY_KERNEL void add_polynomial(std::span<Block> sums, std::span<const Block> points,
                                  std::span<const Block> coefficients) {
  if (coefficients.empty()) return;
  const FixedFactor last = fixed_factor(coefficients.back());
  const std::span<const Block> others = coefficients.first(coefficients.size() - 1);
  const std::size_t count = sums.size();
  Block* const to = sums.data();
  const Block* const from = points.data();

  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    store(load(to + i) ^ polynomial_at(load(from + i), others, last), to + i);
  }
  const std::size_t rest = count - i;
  store_some(load_some(to + i, rest) ^ polynomial_at(load_some(from + i, rest), others, last), to + i, rest);
}

// x^0 to x^63 have one half only: two half products a value, for 64 values at once and those 64 later.
PARLEY_KERNEL Block pack(std::span<const Block, 128> values) {
  constexpr std::size_t kHalf = 64;
  Product sum{zero(), zero(), zero()};
  Wide power = first_powers_of_x();
  for (std::size_t j = 0; j < kHalf; j += kLanes) {
    const Wide early = load(values.data() + j);
    const Wide late = load(values.data() + kHalf + j);
    sum.low = sum.low ^ low_low(early, power);
    sum.middle = xor3(sum.middle, high_low(early, power), low_low(late, power));
    sum.high = sum.high ^ high_low(late, power);
    power = shift_by_lanes(power);
  }
  return fold_lanes(reduce(sum));
}

}  // namespace
}  // namespace parley::crypto::detail
