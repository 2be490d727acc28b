// Logarithms, powers of two and roots in integers alone: the same on every machine, as no library's std::pow is.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace parley::psi::okvs::detail {

using Wide = unsigned __int128;

inline constexpr unsigned kFractionBits = 32;

/// The square root, rounded down.
constexpr std::uint64_t square_root(Wide value) {
  std::uint64_t root = 0;
  for (std::uint64_t bit = std::uint64_t{1} << 63; bit != 0; bit >>= 1) {
    const std::uint64_t tried = root | bit;
    if (Wide{tried} * tried <= value) root = tried;
  }
  return root;
}

/// log2(value) * 2^kFractionBits, rounded down: one bit of the fraction for each squaring.
/// Precondition: value > 0.
constexpr std::uint64_t log2_fixed(std::uint64_t value) {
  const auto whole = static_cast<unsigned>(std::bit_width(value) - 1);
  std::uint64_t mantissa = value << (63 - whole);  // in [1, 2), 63 bits behind the point
  std::uint64_t result = whole;
  for (unsigned i = 0; i < kFractionBits; ++i) {
    const Wide squared = Wide{mantissa} * mantissa;
    const bool two_or_more = (squared >> 127) != 0;
    mantissa = static_cast<std::uint64_t>(squared >> (two_or_more ? 64 : 63));
    result = result << 1 | (two_or_more ? 1 : 0);
  }
  return result;
}

/// 2^(exponent / 2^kFractionBits) * 2^kFractionBits, to 31 significant bits. Precondition: the power is below 2^31.
constexpr std::uint64_t exp2_fixed(std::uint64_t exponent) {
  std::uint64_t root = std::uint64_t{1} << 63;  // 2^(2^-i), at first 1; 62 bits behind the point
  std::uint64_t product = std::uint64_t{1} << 62;
  for (unsigned i = 1; i <= kFractionBits; ++i) {
    root = square_root(Wide{root} << 62);
    if ((exponent >> (kFractionBits - i)) & 1) product = static_cast<std::uint64_t>((Wide{product} * root) >> 62);
  }
  const std::uint64_t whole = exponent >> kFractionBits;
  return static_cast<std::uint64_t>((Wide{product} << whole) >> (62 - kFractionBits));
}

}  // namespace parley::psi::okvs::detail
