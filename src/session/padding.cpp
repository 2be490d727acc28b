// Padding sizes.
#include "session/padding.h"

#include <algorithm>
#include <bit>

namespace parley::session {

std::uint64_t padded_size(std::uint64_t count) {
  if (count <= kSmallestPadded) return kSmallestPadded;
  const std::uint64_t quarter = std::bit_floor(count - 1) / 4;
  return (count + quarter - 1) / quarter * quarter;
}

bool is_padded_size(std::uint64_t size) {
  return size >= kSmallestPadded && size <= kLargestPadded && padded_size(size) == size;
}

}  // namespace parley::session
