// The small system that is left for the dense cells when peeling leaves gap rows (psi.md 2.3.4, step 6).
#pragma once

#include <span>

#include "crypto/secret_array.h"

namespace parley::psi::okvs::detail {

/// Linear equations over GF(2^128), one a row: `unknowns` coefficients, then the right-hand side.
class DenseSystem {
 public:
  DenseSystem(std::size_t equations, std::size_t unknowns) : unknowns_(unknowns), cells_(equations * (unknowns + 1)) {}

  std::span<crypto::Block> equation(std::size_t i) {
    return cells_.expose_mutable().subspan(i * (unknowns_ + 1), unknowns_ + 1);
  }
  crypto::Block& right_hand_side(std::size_t i) { return equation(i).back(); }

  /// Writes a solution to `out`; unknowns that are free are zero. Which steps are taken depends on the coefficients,
  /// not on the right-hand sides. The system is used up.
  /// @return false when the equations are dependent, whatever their right-hand sides.
  bool solve(std::span<crypto::Block> out);

 private:
  std::size_t unknowns_;
  crypto::SecretBlocks cells_;
};

}  // namespace parley::psi::okvs::detail
