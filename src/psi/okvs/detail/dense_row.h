// The dense part of rows: their points rho, and the sum of rho^(j+1) * cells[j].
#pragma once

#include <array>
#include <span>

#include "crypto/block.h"

namespace parley::psi::okvs::detail {

/// Rows whose dense parts are computed at once: their seeds and points fit the first-level cache.
inline constexpr std::size_t kRowsAtOnce = 64;

/// points[i] = rho of keys[i]: not zero and not one of another key's, but for a chance of 2^-128 each.
/// Precondition: keys.size() <= kRowsAtOnce, points.size() is keys.size().
void dense_points(std::span<const Digest> keys, std::span<crypto::Block> points);

/// sums[i] += the dense cells' part in the value of keys[i], for any number of keys.
void add_dense_cells(std::span<const Digest> keys, std::span<const crypto::Block> dense_cells,
                     std::span<crypto::Block> sums);

}  // namespace parley::psi::okvs::detail
