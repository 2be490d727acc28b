#include "psi/okvs/detail/dense_system.h"

#include <algorithm>
#include <cassert>
#include <vector>

#include "crypto/gf128.h"

namespace parley::psi::okvs::detail {

using crypto::Block;

bool DenseSystem::solve(std::span<Block> out) {
  assert(out.size() == unknowns_);
  const std::size_t equations = cells_.size() / (unknowns_ + 1);
  std::vector<std::size_t> pivots;
  for (std::size_t i = 0; i < equations; ++i) {
    const auto coefficients = equation(i).first(unknowns_);
    const auto pivot =
        std::ranges::find_if(coefficients, [](Block block) { return !constant_time_equal(block, Block{}); });
    if (pivot == coefficients.end()) return false;
    const auto column = static_cast<std::size_t>(pivot - coefficients.begin());
    pivots.push_back(column);
    const Block scale = crypto::gf_invert(*pivot);
    for (Block& block : equation(i)) block = crypto::gf_multiply(block, scale);
    for (std::size_t other = 0; other < equations; ++other) {
      if (other != i) crypto::gf_add_multiple(equation(other), equation(other)[column], equation(i));
    }
  }
  std::ranges::fill(out, Block{});
  for (std::size_t i = 0; i < equations; ++i) out[pivots[i]] = right_hand_side(i);
  return true;
}

}  // namespace parley::psi::okvs::detail
