// A key's row of the linear system, from its digest (psi.md 2.3.4). Bytes [16, 32) of the digest are the row's seed:
// four 32-bit little-endian words for the bin and the three columns; the dense coefficients are powers of one element
// that is hashed from the whole seed. Bytes [0, 16) are left for the value that belongs to the key.
#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "crypto/block.h"

namespace parley::psi::okvs::detail {

inline constexpr std::size_t kSeedOffset = 16;

inline crypto::Block seed_of_row(const Digest& key) {
  return crypto::load_block(ByteView(key).subspan<kSeedOffset>());
}

/// A uniform word to a uniform number below `range`, but for 2^-32 * range.
inline std::uint32_t reduce(std::uint32_t word, std::uint32_t range) {
  return static_cast<std::uint32_t>((std::uint64_t{word} * range) >> 32);
}

inline std::uint32_t bin_of_seed(crypto::Block seed, std::uint32_t bins) {
  return reduce(static_cast<std::uint32_t>(seed.low), bins);
}

/// Three distinct columns in one word.
class Columns {
 public:
  static constexpr unsigned kBits = 20;
  static constexpr std::uint32_t kLimit = std::uint32_t{1} << kBits;

  Columns() = default;

  /// Uniform over all triples of distinct columns. Precondition: 3 <= sparse_cells <= kLimit.
  Columns(crypto::Block seed, std::uint32_t sparse_cells) {
    const std::uint32_t first = reduce(static_cast<std::uint32_t>(seed.low >> 32), sparse_cells);
    std::uint32_t second = reduce(static_cast<std::uint32_t>(seed.high), sparse_cells - 1);
    std::uint32_t third = reduce(static_cast<std::uint32_t>(seed.high >> 32), sparse_cells - 2);
    // Each steps over those before it, the smaller one first.
    second += second >= first;
    third += third >= (first < second ? first : second);
    third += third >= (first < second ? second : first);
    packed_ = first | std::uint64_t{second} << kBits | std::uint64_t{third} << (2 * kBits);
  }

  std::uint32_t operator[](unsigned i) const {
    return static_cast<std::uint32_t>(packed_ >> (i * kBits)) & (kLimit - 1);
  }
  bool contain(std::uint32_t column) const {
    return (*this)[0] == column || (*this)[1] == column || (*this)[2] == column;
  }

 private:
  std::uint64_t packed_ = 0;
};

}  // namespace parley::psi::okvs::detail
