// What gf128.h promises, without special instructions.
#pragma once

#include "crypto/gf128.h"

namespace parley::crypto::detail {

Block multiply_portable(Block a, Block b);
void add_multiple_portable(std::span<Block> sum, Block factor, std::span<const Block> values);
Block inner_product_portable(std::span<const Block> a, std::span<const Block> b);
Block power_sum_portable(Block point, std::span<const Block> values);
void add_polynomial_portable(std::span<Block> sums, std::span<const Block> points, std::span<const Block> coefficients);
Block pack_portable(std::span<const Block, 128> values);

}  // namespace parley::crypto::detail
