#include "psi/okvs/detail/dense_row.h"

#include <algorithm>
#include <cassert>

#include "crypto/fixed_key_aes.h"
#include "crypto/gf128.h"
#include "psi/okvs/detail/row.h"

namespace parley::psi::okvs::detail {

using crypto::Block;
using crypto::FixedKeyAes;

// Seeds are uniform, so a key that all sessions share does: rho need only look unrelated to the columns.
void dense_points(std::span<const Digest> keys, std::span<Block> points) {
  assert(keys.size() <= kRowsAtOnce && points.size() == keys.size());
  static const FixedKeyAes kAes{as_bytes("parley/v1/okvs/1").first<crypto::kBlockBytes>()};
  for (std::size_t i = 0; i < keys.size(); ++i) points[i] = seed_of_row(keys[i]);
  kAes.hash(points, points);
}

void add_dense_cells(std::span<const Digest> keys, std::span<const Block> dense_cells, std::span<Block> sums) {
  assert(keys.size() == sums.size());
  std::array<Block, kRowsAtOnce> points;
  for (std::size_t begin = 0; begin < keys.size(); begin += kRowsAtOnce) {
    const std::size_t count = std::min(kRowsAtOnce, keys.size() - begin);
    const std::span<Block> some = std::span(points).first(count);
    dense_points(keys.subspan(begin, count), some);
    crypto::gf_add_polynomial(sums.subspan(begin, count), some, dense_cells);
  }
}

}  // namespace parley::psi::okvs::detail
