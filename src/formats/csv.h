// Reads CSV (RFC 4180) row by row: any delimiter, quoted fields over several lines, comment lines that begin with '#'.
#pragma once

#include <vector>

#include "formats/source.h"

namespace parley::formats {

class CsvReader {
 public:
  CsvReader(Source& source, char delimiter) : source_(source), delimiter_(delimiter) {}

  enum class Row : std::uint8_t { fields, fault, end };

  /// Reads the next row that is neither blank nor a comment. After a fault, the next call goes on behind that row.
  /// @error Errc::io, Errc::cancelled
  Result<Row> next();

  std::size_t size() const { return ends_.size(); }
  /// Field `index` of the row, valid until the next call; empty when the row has fewer.
  std::string_view field(std::size_t index) const;
  /// The line on which the row begins, from 1.
  std::uint64_t line() const { return row_line_; }
  /// What is wrong with the row.
  const Error& fault() const { return fault_; }

 private:
  enum class State : std::uint8_t { row_start, comment, field_start, plain, quoted, quote_seen, skipping };

  /// Goes through `text` up to the end of the row; returns how much of it was used.
  std::size_t scan(std::string_view text, bool& row_ends);
  void step(char c, bool& row_ends);
  void end_field() { ends_.push_back(text_.size()); }
  void fail_row(Errc code, std::string why);
  bool finish_row();

  BufferedSource source_;
  char delimiter_;
  State state_ = State::row_start;
  std::string text_;               ///< the row's fields, one after the other
  std::vector<std::size_t> ends_;  ///< where each ends in `text_`
  std::uint64_t line_ = 1;
  std::uint64_t row_line_ = 1;
  bool faulty_ = false;
  bool quoted_row_ = false;  ///< the row has a quoted field, so that it is not blank
  bool started_ = false;
  Error fault_;
};

}  // namespace parley::formats
