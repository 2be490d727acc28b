// Brings the sparse part of a system into triangular form by peeling (psi.md 2.3.4, steps 1 to 3): a column that only
// one row has left becomes that row's pivot, and the row goes. Which rows become pivots of which columns depends on the
// keys alone, never on the values.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "crypto/secret_array.h"
#include "psi/okvs/detail/row.h"

namespace parley::psi::okvs::detail {

struct Pivot {
  Columns columns;
  std::uint32_t row = 0;
  std::uint32_t column = 0;  ///< one of `columns`, and of those of no later pivot
};

/// Memory is kept for the next system.
class Triangulation {
 public:
  /// @param most_gaps  stops early when more rows than this are found to have no pivot
  /// The outcome is a function of the order of the rows, and the same everywhere.
  /// Precondition: all columns are below sparse_cells.
  void run(std::span<const Columns> rows, std::uint32_t sparse_cells, std::size_t most_gaps);

  /// In the order in which they were found. A row's other columns are columns of later pivots, or of none.
  std::span<const Pivot> pivots() const { return pivots_.expose().first(pivot_count_); }
  /// The rows without a pivot; with those of pivots() all rows, unless there are more than most_gaps.
  std::span<const std::uint32_t> gap_rows() const { return gap_rows_; }

 private:
  /// Of a column: the number of rows that it has left in the upper half, the XOR of their numbers in the lower. So a
  /// column with one row left names it, without any list.
  using Column = std::uint64_t;

  void reserve(std::size_t rows, std::size_t columns);
  void count_rows(std::span<const Columns> rows);
  void queue_single_columns();
  void peel(std::span<const Columns> rows);
  void break_core(std::span<const Columns> rows);
  void remove(Columns columns, std::uint32_t row);
  std::uint32_t lightest_column() const;
  std::span<Column> columns() { return columns_.expose_mutable().first(column_count_); }
  std::span<const Column> columns() const { return columns_.expose().first(column_count_); }

  std::size_t column_count_ = 0;
  std::size_t pivot_count_ = 0;
  std::size_t queue_begin_ = 0;
  std::size_t queue_end_ = 0;
  crypto::SecretArray<Column> columns_;
  crypto::SecretArray<std::uint32_t> queue_;  // columns, each once, as they come to have one row
  crypto::SecretArray<Pivot> pivots_;
  std::vector<bool> removed_;  // rows; only where peeling ends early
  std::vector<std::uint32_t> gap_rows_;
};

}  // namespace parley::psi::okvs::detail
