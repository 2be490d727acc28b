// Lists of fixed-size byte strings, kept flat: their order, and what two ordered lists share.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace parley::psi::detail {

/// A field of every record of a flat list: `size` bytes at `offset` of each `stride` bytes.
struct Field {
  ByteView records;
  std::size_t stride = 0;
  std::size_t offset = 0;
  std::size_t size = 0;

  std::size_t count() const { return records.size() / stride; }
  ByteView operator[](std::size_t i) const { return records.subspan(i * stride + offset, size); }
};

/// A list of records that are one field each.
inline Field whole(ByteView records, std::size_t size) {
  return {records, size, 0, size};
}

/// The positions of `field` in ascending bytewise order; positions fit 32 bits (kMaxElements).
std::vector<std::uint32_t> order_of(const Field& field);

/// The values of `field` in the given order.
Bytes gather(const Field& field, const std::vector<std::uint32_t>& order);

/// Whether each value is greater than the one before it: sorted and without repetition.
bool strictly_ascending(const Field& field);

/// The positions in `ours` of the values that stand in `theirs` too, ascending by value.
/// Precondition: `order` is order_of(ours); `theirs` is strictly ascending; `ours` has no value twice.
std::vector<std::uint32_t> shared_positions(const Field& ours, const std::vector<std::uint32_t>& order,
                                            const Field& theirs);

}  // namespace parley::psi::detail
