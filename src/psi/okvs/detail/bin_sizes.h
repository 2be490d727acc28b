// The two questions behind a shape: how many keys can a bin get, and how many cells does a bin of so many keys need?
#pragma once

#include <cstdint>

#include "psi/okvs/shape.h"

namespace parley::psi::okvs::detail {

/// The smallest capacity M that `bins` bins exceed with probability at most 2^-failure_bits when bins * mean_keys keys
/// are thrown into them: bins * Pr[Binomial(bins * mean_keys, 1 / bins) > M], the tail itself and no bound of it.
/// Preconditions: 2 <= bins; 2^10 <= mean_keys <= 2^20; bins * mean_keys <= 2^27; failure_bits <= 60.
std::uint32_t bin_capacity(std::uint32_t bins, std::uint32_t mean_keys, std::uint32_t failure_bits);

/// One bin of `capacity` keys that has no solution with probability at most 2^-failure_bits (psi.md 2.3.2).
/// Preconditions: 2^8 <= capacity <= 2^20; 1 <= failure_bits <= 60.
Shape one_bin(std::uint32_t capacity, std::uint32_t failure_bits);

}  // namespace parley::psi::okvs::detail
