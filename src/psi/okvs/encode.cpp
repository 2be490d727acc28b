// Encoding: peel the sparse part, solve the dense part where rows are left over, substitute back (psi.md 2.3.4).
#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <numeric>
#include <optional>
#include <vector>

#include "crypto/gf128.h"
#include "psi/okvs/detail/dense_row.h"
#include "psi/okvs/detail/dense_system.h"
#include "psi/okvs/okvs.h"

namespace parley::psi::okvs {
namespace {

using crypto::Block;
using detail::Columns;
using detail::Pivot;

constexpr std::size_t kPivotsAhead = 12;  // whose values and cells are fetched while those before are computed

/// After a failure: the positions of a key that stands there twice. Sorts, so it is slow.
std::optional<std::pair<std::size_t, std::size_t>> find_repetition(std::span<const Digest> keys) {
  const auto seed = [&](std::size_t i) { return ByteView(keys[i]).subspan(detail::kSeedOffset); };
  std::vector<std::size_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(
      order, [&](std::size_t a, std::size_t b) { return std::ranges::lexicographical_compare(seed(a), seed(b)); });
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (std::ranges::equal(seed(order[i - 1]), seed(order[i]))) return std::minmax(order[i - 1], order[i]);
  }
  return std::nullopt;
}

std::unexpected<Error> unsolvable(std::span<const Digest> keys, std::string why) {
  if (const auto twice = find_repetition(keys)) {
    return fail(Errc::internal, fmt::format("Keys {} and {} of a bin are the same; a set must hold each element once.",
                                            twice->first, twice->second));
  }
  return fail(Errc::limit, std::move(why) + " Keys from another salt will have an encoding.");
}

}  // namespace

/// One call of encode_bin.
class BinEncoder {
 public:
  BinEncoder(const Shape& shape, std::span<const Digest> keys, std::span<const Block> values, std::span<Block> cells,
             Workspace& workspace)
      : shape_(shape),
        keys_(keys),
        values_(values),
        sparse_(cells.first(shape.sparse_cells)),
        dense_(cells.subspan(shape.sparse_cells)),
        workspace_(workspace) {}

  Status run();

 private:
  void make_rows();
  bool solve_dense();
  std::span<const Block> with_dense_part(std::span<const Block> values);
  void substitute(std::span<const Block> sums);
  Block sparse_sum(std::size_t row) const;
  Status check(std::span<const Block> sums) const;

  const Shape& shape_;
  std::span<const Digest> keys_;
  std::span<const Block> values_;
  std::span<Block> sparse_;
  std::span<Block> dense_;
  Workspace& workspace_;
  std::span<const Columns> rows_;
};

Status BinEncoder::run() {
  if (keys_.size() > shape_.bin_capacity) {
    return unsolvable(keys_, fmt::format("A bin has {} keys and room for {}.", keys_.size(), shape_.bin_capacity));
  }
  make_rows();
  detail::Triangulation& triangulation = workspace_.triangulation_;
  triangulation.run(rows_, shape_.sparse_cells, shape_.dense_cells);
  const std::size_t gaps = triangulation.gap_rows().size();
  std::ranges::fill(dense_, Block{});
  std::span<const Block> sums = values_;
  if (gaps > shape_.dense_cells) {
    return unsolvable(keys_, fmt::format("A bin of {} keys leaves at least {} of them for {} dense cells.",
                                         keys_.size(), gaps, shape_.dense_cells));
  }
  if (gaps != 0) {
    if (!solve_dense()) {
      return unsolvable(keys_,
                        fmt::format("The {} keys that a bin leaves for its dense cells depend on each other.", gaps));
    }
    sums = with_dense_part(values_);
  }
  substitute(sums);
  return check(sums);
}

void BinEncoder::make_rows() {
  if (workspace_.rows_.size() < keys_.size()) workspace_.rows_ = crypto::SecretArray<Columns>(shape_.bin_capacity);
  const std::span<Columns> rows = workspace_.rows_.expose_mutable().first(keys_.size());
  for (std::size_t i = 0; i < keys_.size(); ++i) rows[i] = Columns(detail::seed_of_row(keys_[i]), shape_.sparse_cells);
  rows_ = rows;
}

// The sparse cells are an affine function of the dense ones. Substituting once with no dense cell, and once for each of
// them being one and all values zero, shows what the gap rows demand of the dense cells.
bool BinEncoder::solve_dense() {
  const auto gap_rows = workspace_.triangulation_.gap_rows();
  const std::size_t unknowns = dense_.size();
  detail::DenseSystem system(gap_rows.size(), unknowns);
  substitute(values_);
  for (std::size_t i = 0; i < gap_rows.size(); ++i)
    system.right_hand_side(i) = values_[gap_rows[i]] ^ sparse_sum(gap_rows[i]);
  for (std::size_t j = 0; j < unknowns; ++j) {
    dense_[j] = crypto::kGfOne;
    const std::span<const Block> powers = with_dense_part({});
    dense_[j] = Block{};
    substitute(powers);
    for (std::size_t i = 0; i < gap_rows.size(); ++i)
      system.equation(i)[j] = powers[gap_rows[i]] ^ sparse_sum(gap_rows[i]);
  }
  return system.solve(dense_);
}

// What the sparse cells of each row are to add up to: `values`, or zeros for none, less the dense cells' part.
std::span<const Block> BinEncoder::with_dense_part(std::span<const Block> values) {
  if (workspace_.sums_.size() < keys_.size()) workspace_.sums_ = crypto::SecretBlocks(shape_.bin_capacity);
  const std::span<Block> sums = workspace_.sums_.expose_mutable().first(keys_.size());
  if (values.empty()) std::ranges::fill(sums, Block{});
  std::ranges::copy(values, sums.begin());
  detail::add_dense_cells(keys_, dense_, sums);
  return sums;
}

// A pivot's own cell is still zero when its turn comes, and its other cells are those of later pivots, which are done,
// or of none, which stay zero. So adding up all three needs no question which is which.
void BinEncoder::substitute(std::span<const Block> sums) {
  std::ranges::fill(sparse_, Block{});
  const std::span<const Pivot> pivots = workspace_.triangulation_.pivots();
  Block* const cells = sparse_.data();
  for (std::size_t i = pivots.size(); i-- > 0;) {
    if (i >= kPivotsAhead) {
      const Pivot& ahead = pivots[i - kPivotsAhead];
      __builtin_prefetch(&sums[ahead.row]);
      for (unsigned j = 0; j < 3; ++j) __builtin_prefetch(&cells[ahead.columns[j]], 1);
    }
    const Pivot& pivot = pivots[i];
    cells[pivot.column] = sums[pivot.row] ^ cells[pivot.columns[0]] ^ cells[pivot.columns[1]] ^ cells[pivot.columns[2]];
  }
}

Block BinEncoder::sparse_sum(std::size_t row) const {
  const Columns columns = rows_[row];
  return sparse_[columns[0]] ^ sparse_[columns[1]] ^ sparse_[columns[2]];
}

// Every row once more, gap rows too. All are looked at before anything is decided.
Status BinEncoder::check(std::span<const Block> sums) const {
  const Block* const cells = sparse_.data();
  const Columns* const rows = rows_.data();
  Block difference;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const Block decoded = cells[rows[i][0]] ^ cells[rows[i][1]] ^ cells[rows[i][2]] ^ sums[i];
    difference.low |= decoded.low | decoded.high;
  }
  if (constant_time_equal(difference, Block{})) return {};
  return fail(Errc::internal, "An encoding does not decode to what was encoded: this machine's memory may be faulty.");
}

Status encode_bin(const Shape& shape, std::span<const Digest> keys, std::span<const Block> values,
                  std::span<Block> cells, Workspace& workspace) {
  assert(keys.size() == values.size() && cells.size() == shape.cells_per_bin());
  return BinEncoder(shape, keys, values, cells, workspace).run();
}

}  // namespace parley::psi::okvs
