// How large an encoding is (psi.md 2.3.2, 2.3.3): computed in integers from the number of pairs alone, so that both
// sides and every build agree.
#pragma once

#include <cstddef>
#include <cstdint>

namespace parley::psi::okvs {

/// lambda of psi.md 0.1: an encoding of keys that are drawn at random fails with probability at most 2^-40.
inline constexpr std::uint32_t kStatisticalBits = 40;
/// Keys that a bin holds on average, at most. A constant of the suite: another number is another protocol.
inline constexpr std::size_t kKeysPerBin = std::size_t{1} << 16;
/// Fewer pairs are encoded in the shape of this many: the failure of smaller systems has not been measured.
inline constexpr std::size_t kFewestKeys = std::size_t{1} << 10;

/// The sizes of an encoding. It is `bins` systems of equal size, one behind the other; in each, the sparse cells come
/// before the dense ones.
struct Shape {
  std::uint32_t bins = 0;          ///< beta of psi.md 2.3.3
  std::uint32_t bin_capacity = 0;  ///< M: the most keys in a bin
  std::uint32_t sparse_cells = 0;  ///< s = e * M, of a bin
  std::uint32_t dense_cells = 0;   ///< g, of a bin

  std::size_t cells_per_bin() const { return std::size_t{sparse_cells} + dense_cells; }
  std::size_t cells() const { return bins * cells_per_bin(); }
  friend bool operator==(const Shape&, const Shape&) = default;
};

/// The shape of an encoding of `count` pairs. It fails with probability at most 2^-kStatisticalBits, one half of which
/// is for a bin that overflows and one half for a system without a solution.
/// Precondition: count <= kMaxElements (psi/limits.h).
Shape shape_for(std::size_t count);

}  // namespace parley::psi::okvs
