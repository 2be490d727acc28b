// Decoding: three cells and a polynomial in the dense cells a key (psi.md 2.3.4).
#include <algorithm>
#include <array>
#include <cassert>

#include "crypto/gf128.h"
#include "psi/okvs/detail/dense_row.h"
#include "psi/okvs/detail/row.h"
#include "psi/okvs/okvs.h"

namespace parley::psi::okvs {

using crypto::Block;
using detail::Columns;
using detail::kRowsAtOnce;

std::uint32_t bin_of(const Shape& shape, const Digest& key) {
  return detail::bin_of_seed(detail::seed_of_row(key), shape.bins);
}

// The cells of a whole batch are on their way from memory while its points are computed.
void decode_bin(const Shape& shape, std::span<const Digest> keys, std::span<const Block> cells,
                std::span<Block> values) {
  assert(cells.size() == shape.cells_per_bin() && keys.size() == values.size());
  const Block* const sparse = cells.data();
  const std::span<const Block> dense = cells.subspan(shape.sparse_cells);
  std::array<Columns, kRowsAtOnce> rows;
  std::array<Block, kRowsAtOnce> points;
  for (std::size_t begin = 0; begin < keys.size(); begin += kRowsAtOnce) {
    const std::size_t count = std::min(kRowsAtOnce, keys.size() - begin);
    const std::span<const Digest> some = keys.subspan(begin, count);
    for (std::size_t i = 0; i < count; ++i) {
      rows[i] = Columns(detail::seed_of_row(some[i]), shape.sparse_cells);
      for (unsigned j = 0; j < 3; ++j) __builtin_prefetch(&sparse[rows[i][j]]);
    }
    detail::dense_points(some, std::span(points).first(count));
    Block* const out = values.data() + begin;
    for (std::size_t i = 0; i < count; ++i) out[i] = sparse[rows[i][0]] ^ sparse[rows[i][1]] ^ sparse[rows[i][2]];
    crypto::gf_add_polynomial({out, count}, std::span(points).first(count), dense);
  }
}

}  // namespace parley::psi::okvs
