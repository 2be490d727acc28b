#include "formats/csv.h"

#include <fmt/format.h>

#include "formats/intake.h"
#include "formats/limits.h"

namespace parley::formats {

std::string_view CsvReader::field(std::size_t index) const {
  if (index >= ends_.size()) return {};
  const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
  return trimmed(std::string_view(text_).substr(begin, ends_[index] - begin));
}

void CsvReader::fail_row(Errc code, std::string why) {
  faulty_ = true;
  fault_ = {code, std::move(why), fmt::format("line {}", row_line_)};
  state_ = State::skipping;
}

void CsvReader::step(char c, bool& row_ends) {
  const bool line_end = c == '\n';
  if (line_end && state_ != State::quoted) {
    if (state_ != State::comment && state_ != State::skipping && state_ != State::row_start) end_field();
    row_ends = true;
    return;
  }
  switch (state_) {
    case State::row_start:
      state_ = c == '#' ? State::comment : State::field_start;
      if (state_ == State::field_start) step(c, row_ends);
      return;
    case State::field_start:
      if (c == delimiter_) return end_field();
      if (c == ' ') return;
      state_ = c == '"' ? State::quoted : State::plain;
      if (c == '"') quoted_row_ = true;
      if (c != '"') text_ += c;
      return;
    case State::plain:
      if (c != delimiter_) {
        text_ += c;
        return;
      }
      end_field();
      state_ = State::field_start;
      return;
    case State::quoted:
      if (c == '"') {
        state_ = State::quote_seen;
      } else {
        text_ += c;
      }
      return;
    case State::quote_seen:
      if (c == '"') {
        text_ += c;
        state_ = State::quoted;
      } else if (c == delimiter_) {
        end_field();
        state_ = State::field_start;
      } else if (c != '\r' && c != ' ' && c != '\t') {
        fail_row(Errc::format,
                 fmt::format("{} follows the closing quotation mark of field {}; the delimiter or the end of "
                             "the line was expected.",
                             shown(std::string_view(&c, 1)), ends_.size() + 1));
      }
      return;
    case State::comment:
    case State::skipping:
      return;
  }
}

std::size_t CsvReader::scan(std::string_view text, bool& row_ends) {
  std::size_t i = 0;
  while (i < text.size() && !row_ends) {
    const char c = text[i++];
    line_ += c == '\n';
    step(c, row_ends);
    if (text_.size() > kMaxCsvRowBytes && !faulty_) {
      fail_row(Errc::limit,
               fmt::format("The row has more than {} bytes; a quotation mark may be missing.", kMaxCsvRowBytes));
    }
    if (ends_.size() > kMaxCsvColumns && !faulty_) {
      fail_row(Errc::limit, fmt::format("The row has more than {} fields.", kMaxCsvColumns));
    }
  }
  return i;
}

/// Whether there is a row to show.
bool CsvReader::finish_row() {
  if (faulty_) return true;
  const bool blank = ends_.empty() || (ends_.size() == 1 && !quoted_row_ && field(0).empty());
  return !blank;
}

Result<CsvReader::Row> CsvReader::next() {
  for (;;) {
    state_ = State::row_start;
    text_.clear();
    ends_.clear();
    faulty_ = false;
    quoted_row_ = false;
    row_line_ = line_;
    bool row_ends = false;
    bool any = false;
    while (!row_ends) {
      TRY(std::string_view rest, source_.peek());
      if (!started_ && rest.starts_with(kUtf8Mark)) {
        source_.consume(kUtf8Mark.size());
        rest.remove_prefix(kUtf8Mark.size());
      }
      started_ = true;
      if (rest.empty()) break;
      any = true;
      source_.consume(scan(rest, row_ends));
    }
    if (!row_ends && any) {
      if (state_ == State::quoted) {
        fail_row(Errc::format, "The file ends inside a quoted field; the closing quotation mark is missing.");
      } else if (state_ != State::comment && state_ != State::skipping && state_ != State::row_start) {
        end_field();
      }
    }
    if (finish_row()) return faulty_ ? Row::fault : Row::fields;
    if (!any) return Row::end;
  }
}

}  // namespace parley::formats
