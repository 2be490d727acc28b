// GF(2^128) without special instructions: the specification of the other kernels. Constant time where the integer
// multiplication of the processor is, as on all 64-bit processors that this program is built for.
#include "crypto/detail/gf128_portable.h"

namespace parley::crypto::detail {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::size_t kHoles = 5;

/// Every fifth bit, from `first` on.
constexpr Wide every_fifth_bit(std::size_t first) {
  Wide mask = 0;
  for (std::size_t bit = first; bit < 128; bit += kHoles) mask |= Wide{1} << bit;
  return mask;
}

/// The product of two polynomials of degree 63. Of each factor one bit in five is taken at a time: then at most 13
/// terms meet at one place of the integer product, which is less than 2^5, so no carry reaches the next place that is
/// kept, and the lowest bit of each is the sum modulo 2.
Wide multiply_carryless(std::uint64_t a, std::uint64_t b) {
  std::array<std::uint64_t, kHoles> a_parts, b_parts;
  for (std::size_t i = 0; i < kHoles; ++i) {
    a_parts[i] = a & static_cast<std::uint64_t>(every_fifth_bit(i));
    b_parts[i] = b & static_cast<std::uint64_t>(every_fifth_bit(i));
  }
  Wide product = 0;
  for (std::size_t place = 0; place < kHoles; ++place) {
    Wide sum = 0;
    for (std::size_t i = 0; i < kHoles; ++i) sum ^= Wide{a_parts[i]} * b_parts[(place + kHoles - i) % kHoles];
    product |= sum & every_fifth_bit(place);
  }
  return product;
}

constexpr std::uint64_t low(Wide wide) {
  return static_cast<std::uint64_t>(wide);
}
constexpr std::uint64_t high(Wide wide) {
  return static_cast<std::uint64_t>(wide >> 64);
}

/// `word` * (x^7 + x^2 + x + 1), 71 bits.
constexpr Wide fold(std::uint64_t word) {
  return Wide{word} ^ (Wide{word} << 1) ^ (Wide{word} << 2) ^ (Wide{word} << 7);
}

/// x times `a`.
Block times_x(Block a) {
  const std::uint64_t carry = a.high >> 63;
  return {(a.low << 1) ^ (0x87 & (0 - carry)), (a.high << 1) | (a.low >> 63)};
}

}  // namespace

// Karatsuba and Ofman 1962; then the two words above x^128 are folded, the upper one first.
Block multiply_portable(Block a, Block b) {
  const Wide lows = multiply_carryless(a.low, b.low);
  const Wide highs = multiply_carryless(a.high, b.high);
  const Wide middle = multiply_carryless(a.low ^ a.high, b.low ^ b.high) ^ lows ^ highs;
  const Wide from_x192 = fold(high(highs));
  const Wide from_x128 = fold(low(highs) ^ high(middle) ^ high(from_x192));
  return {low(lows) ^ low(from_x128), high(lows) ^ low(middle) ^ low(from_x192) ^ high(from_x128)};
}

void add_multiple_portable(std::span<Block> sum, Block factor, std::span<const Block> values) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] ^= multiply_portable(factor, values[i]);
}

Block inner_product_portable(std::span<const Block> a, std::span<const Block> b) {
  Block sum;
  for (std::size_t i = 0; i < a.size(); ++i) sum ^= multiply_portable(a[i], b[i]);
  return sum;
}

// Horner, from the last value on.
Block power_sum_portable(Block point, std::span<const Block> values) {
  Block sum;
  for (std::size_t i = values.size(); i-- > 0;) sum = multiply_portable(sum ^ values[i], point);
  return sum;
}

void add_polynomial_portable(std::span<Block> sums, std::span<const Block> points,
                             std::span<const Block> coefficients) {
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] ^= power_sum_portable(points[i], coefficients);
}

Block pack_portable(std::span<const Block, 128> values) {
  Block sum;
  for (std::size_t i = values.size(); i-- > 0;) sum = times_x(sum) ^ values[i];
  return sum;
}

}  // namespace parley::crypto::detail
