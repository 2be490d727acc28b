// GF(2^128) modulo x^128 + x^7 + x^2 + x + 1 (psi.md 0.4). Byte 0, bit 0 of a block is the coefficient of x^0: little
// endian and not reflected, so not the order of GHASH. Everything is constant time in all values; lengths are public.
#pragma once

#include <cstdint>
#include <span>

#include "crypto/block.h"

namespace parley::crypto {

inline constexpr Block kGfOne{1, 0};

Block gf_multiply(Block a, Block b);

/// base^exponent; the exponent is public.
Block gf_power(Block base, std::uint64_t exponent);

/// a^-1, and 0 for 0.
Block gf_invert(Block a);

/// sum[i] += factor * values[i]. Precondition: equal lengths.
void gf_add_multiple(std::span<Block> sum, Block factor, std::span<const Block> values);

/// The sum of a[i] * b[i]. Precondition: equal lengths.
Block gf_inner_product(std::span<const Block> a, std::span<const Block> b);

/// The sum over k of point^(k+1) * values[k].
Block gf_power_sum(Block point, std::span<const Block> values);

/// sums[i] += the sum over j of points[i]^(j+1) * coefficients[j]. Precondition: equal lengths of the first two.
void gf_add_polynomial(std::span<Block> sums, std::span<const Block> points, std::span<const Block> coefficients);

/// The sum over j of x^j * values[j].
Block gf_pack(std::span<const Block, 128> values);

}  // namespace parley::crypto
