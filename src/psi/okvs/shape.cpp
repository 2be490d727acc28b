#include "psi/okvs/shape.h"

#include <algorithm>
#include <bit>
#include <cassert>

#include "psi/limits.h"
#include "psi/okvs/detail/bin_sizes.h"

namespace parley::psi::okvs {
namespace {

std::uint32_t quotient_rounded_up(std::size_t dividend, std::size_t divisor) {
  return static_cast<std::uint32_t>((dividend + divisor - 1) / divisor);
}

}  // namespace

Shape shape_for(std::size_t count) {
  assert(count <= kMaxElements);
  constexpr std::uint32_t kBitsOfEachHalf = kStatisticalBits + 1;
  const std::size_t keys = std::max(count, kFewestKeys);
  const std::uint32_t bins = quotient_rounded_up(keys, kKeysPerBin);
  if (bins == 1) return detail::one_bin(static_cast<std::uint32_t>(keys), kBitsOfEachHalf);

  const std::uint32_t capacity = detail::bin_capacity(bins, quotient_rounded_up(keys, bins), kBitsOfEachHalf);
  Shape shape = detail::one_bin(capacity, kBitsOfEachHalf + static_cast<std::uint32_t>(std::bit_width(bins - 1)));
  shape.bins = bins;
  return shape;
}

}  // namespace parley::psi::okvs
