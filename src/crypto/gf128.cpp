#include "crypto/gf128.h"

#include <cassert>

#include "crypto/detail/kernels.h"

namespace parley::crypto {

using detail::kernels;

Block gf_multiply(Block a, Block b) {
  return kernels().multiply(a, b);
}

Block gf_power(Block base, std::uint64_t exponent) {
  const auto multiply = kernels().multiply;
  Block power = kGfOne;
  for (; exponent != 0; exponent >>= 1) {
    if (exponent & 1) power = multiply(power, base);
    base = multiply(base, base);
  }
  return power;
}

// a^(2^128 - 2) = (a^(2^127 - 1))^2. With r(n) = a^(2^n - 1): r(n + m) = r(n)^(2^m) * r(m), so that 127 = 64 + 63 is
// reached by doubling n, and r(63) from r(31), and so on (Itoh and Tsujii 1988).
Block gf_invert(Block a) {
  const auto multiply = kernels().multiply;
  Block run = a;  // r(length)
  for (unsigned length = 1; length < 127; length = 2 * length + 1) {
    Block shifted = run;
    for (unsigned i = 0; i < length; ++i) shifted = multiply(shifted, shifted);
    run = multiply(shifted, run);           // r(2 * length)
    run = multiply(multiply(run, run), a);  // r(2 * length + 1)
  }
  return multiply(run, run);
}

void gf_add_multiple(std::span<Block> sum, Block factor, std::span<const Block> values) {
  assert(sum.size() == values.size());
  kernels().add_multiple(sum, factor, values);
}

Block gf_inner_product(std::span<const Block> a, std::span<const Block> b) {
  assert(a.size() == b.size());
  return kernels().inner_product(a, b);
}

Block gf_power_sum(Block point, std::span<const Block> values) {
  return kernels().power_sum(point, values);
}

void gf_add_polynomial(std::span<Block> sums, std::span<const Block> points, std::span<const Block> coefficients) {
  assert(sums.size() == points.size());
  kernels().add_polynomial(sums, points, coefficients);
}

Block gf_pack(std::span<const Block, 128> values) {
  return kernels().pack(values);
}

}  // namespace parley::crypto
