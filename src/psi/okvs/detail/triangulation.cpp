#include "psi/okvs/detail/triangulation.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace parley::psi::okvs::detail {
namespace {

constexpr std::uint64_t kOneRow = std::uint64_t{1} << 32;

// How far ahead of the work the next columns and rows are fetched: about what the memory pipeline keeps in flight.
constexpr std::size_t kColumnsAhead = 24;
constexpr std::size_t kRowsAhead = 12;

constexpr std::uint64_t rows_left(std::uint64_t column) {
  return column >> 32;
}
constexpr std::uint32_t row_of(std::uint64_t column) {
  return static_cast<std::uint32_t>(column);
}

}  // namespace

void Triangulation::run(std::span<const Columns> rows, std::uint32_t sparse_cells, std::size_t most_gaps) {
  reserve(rows.size(), sparse_cells);
  count_rows(rows);
  queue_single_columns();
  peel(rows);
  if (pivot_count_ == rows.size()) return;

  removed_.assign(rows.size(), false);
  for (const Pivot& pivot : pivots()) removed_[pivot.row] = true;
  while (pivot_count_ + gap_rows_.size() < rows.size() && gap_rows_.size() <= most_gaps) {
    const std::size_t known = pivot_count_;
    break_core(rows);
    peel(rows);
    for (const Pivot& pivot : pivots().subspan(known)) removed_[pivot.row] = true;
  }
}

void Triangulation::reserve(std::size_t rows, std::size_t columns) {
  // One more than needed: peel() writes before it decides.
  if (columns_.size() < columns) columns_ = crypto::SecretArray<Column>(columns);
  if (queue_.size() < columns + 1) queue_ = crypto::SecretArray<std::uint32_t>(columns + 1);
  if (pivots_.size() < rows + 1) pivots_ = crypto::SecretArray<Pivot>(rows + 1);
  column_count_ = columns;
  pivot_count_ = queue_begin_ = queue_end_ = 0;
  gap_rows_.clear();
}

void Triangulation::count_rows(std::span<const Columns> rows) {
  Column* const columns = this->columns().data();
  std::fill_n(columns, column_count_, 0);
  for (std::uint32_t row = 0; row < rows.size(); ++row) {
    for (unsigned i = 0; i < 3; ++i) {
      Column& column = columns[rows[row][i]];
      column = (column + kOneRow) ^ row;
    }
  }
}

void Triangulation::queue_single_columns() {
  const std::span<const Column> columns = this->columns();
  std::uint32_t* const queue = queue_.expose_mutable().data();
  for (std::uint32_t column = 0; column < columns.size(); ++column) {
    queue[queue_end_] = column;
    queue_end_ += rows_left(columns[column]) == 1;
  }
}

// A column enters the queue when its count comes to 1, so once at most; by the time it leaves, its row may have gone
// through another column. Then count and XOR are both 0, and every step below leaves things as they are: no branch,
// which would be mispredicted one time in three. (Row 0 is then read in vain.)
void Triangulation::peel(std::span<const Columns> rows) {
  Column* const columns = this->columns().data();
  std::uint32_t* const queue = queue_.expose_mutable().data();
  Pivot* const pivots = pivots_.expose_mutable().data();
  std::size_t begin = queue_begin_;
  std::size_t end = queue_end_;
  std::size_t pivot_count = pivot_count_;
  for (; begin < end; ++begin) {
    if (begin + kColumnsAhead < end) __builtin_prefetch(&columns[queue[begin + kColumnsAhead]], 1);
    if (begin + kRowsAhead < end) __builtin_prefetch(&rows[row_of(columns[queue[begin + kRowsAhead]])]);
    const Column single = columns[queue[begin]];
    const std::uint64_t present = rows_left(single);  // 0 or 1
    const std::uint32_t row = row_of(single);
    const Columns of_row = rows[row];
    pivots[pivot_count] = {of_row, row, queue[begin]};
    pivot_count += present;
    for (unsigned i = 0; i < 3; ++i) {
      const std::uint32_t column = of_row[i];
      const Column left = (columns[column] - (present << 32)) ^ row;
      columns[column] = left;
      queue[end] = column;
      end += present & static_cast<std::uint64_t>(rows_left(left) == 1);
    }
  }
  queue_begin_ = begin;
  queue_end_ = end;
  pivot_count_ = pivot_count;
}

// Peeling ended with rows left: every column has none or several of them. The column with the fewest gets one of its
// rows as pivot; the others become gap rows, and peeling goes on. Rare, so columns are searched and not kept in order.
void Triangulation::break_core(std::span<const Columns> rows) {
  const std::uint32_t column = lightest_column();
  bool has_pivot = false;
  for (std::uint32_t row = 0; row < rows.size(); ++row) {
    if (removed_[row] || !rows[row].contain(column)) continue;
    removed_[row] = true;
    if (has_pivot) {
      gap_rows_.push_back(row);
    } else {
      pivots_.expose_mutable()[pivot_count_++] = {rows[row], row, column};
      has_pivot = true;
    }
    remove(rows[row], row);
  }
  assert(has_pivot);
}

void Triangulation::remove(Columns columns, std::uint32_t row) {
  for (unsigned i = 0; i < 3; ++i) {
    Column& column = this->columns()[columns[i]];
    column = (column - kOneRow) ^ row;
    if (rows_left(column) == 1) queue_.expose_mutable()[queue_end_++] = columns[i];
  }
}

std::uint32_t Triangulation::lightest_column() const {
  std::uint32_t lightest = 0;
  std::uint64_t fewest = std::numeric_limits<std::uint64_t>::max();
  for (std::uint32_t column = 0; column < column_count_; ++column) {
    const std::uint64_t left = rows_left(columns()[column]);
    if (left != 0 && left < fewest) {
      lightest = column;
      fewest = left;
    }
  }
  return lightest;
}

}  // namespace parley::psi::okvs::detail
