// Set sizes as the other side sees them (psi.md 6.4; log.md 3.3).
#pragma once

#include <cstdint>

namespace parley::session {

/// The smallest size that leaves: a member with nothing looks like one with a few.
inline constexpr std::uint64_t kSmallestPadded = 256;
/// The largest set of one session (psi.md 0.6: larger ones go in shards): what is kept for its reveal, 64 bytes an
/// item, still fits into one cell of the vault (SQLite: 10^9 bytes).
inline constexpr std::uint64_t kLargestPadded = std::uint64_t{7} << 21;

/// More than any protocol lets a set of the largest size test.
inline constexpr std::uint64_t kMostTests = 4 * kLargestPadded;

/// The smallest of {1, 1.25, 1.5, 1.75}·2^k that is at least `count` and kSmallestPadded: the other side learns the
/// size to within a quarter. Precondition: count <= kLargestPadded.
std::uint64_t padded_size(std::uint64_t count);

/// Whether padded_size() can give `size`.
bool is_padded_size(std::uint64_t size);

}  // namespace parley::session
