#include "psi/detail/records.h"

#include <algorithm>
#include <cassert>
#include <numeric>

namespace parley::psi::detail {
namespace {

int compare(ByteView a, ByteView b) {
  return std::memcmp(a.data(), b.data(), a.size());
}

}  // namespace

std::vector<std::uint32_t> order_of(const Field& field) {
  std::vector<std::uint32_t> order(field.count());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) { return compare(field[a], field[b]) < 0; });
  return order;
}

Bytes gather(const Field& field, const std::vector<std::uint32_t>& order) {
  Bytes out;
  out.reserve(order.size() * field.size);
  for (const std::uint32_t i : order) append(out, field[i]);
  return out;
}

bool strictly_ascending(const Field& field) {
  for (std::size_t i = 1; i < field.count(); ++i) {
    if (compare(field[i - 1], field[i]) >= 0) return false;
  }
  return true;
}

std::vector<std::uint32_t> shared_positions(const Field& ours, const std::vector<std::uint32_t>& order,
                                            const Field& theirs) {
  assert(ours.size == theirs.size && order.size() == ours.count());
  std::vector<std::uint32_t> shared;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < order.size() && j < theirs.count()) {
    const int difference = compare(ours[order[i]], theirs[j]);
    if (difference == 0) shared.push_back(order[i]);
    if (difference <= 0) ++i;
    if (difference >= 0) ++j;
  }
  return shared;
}

}  // namespace parley::psi::detail
