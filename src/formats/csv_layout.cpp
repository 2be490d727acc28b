#include "formats/csv_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/clock.h"
#include "formats/csv.h"
#include "formats/limits.h"

namespace parley::formats {
namespace {

/// Rows looked at. Ours: enough that one odd row does not decide.
constexpr std::size_t kSampleRows = 64;
/// Of ten filled cells of a column so many must be indicators (or types, or times). Ours.
constexpr std::size_t kCellsOfTen = 8;

/// Header names as published CSV files have them, in lower case with '-' for '_' and ' '. Names of types come on top.
constexpr auto kHeaderNames = std::to_array<std::pair<std::string_view, Role>>({
    {"value", Role::value},
    {"indicator", Role::value},
    {"indicators", Role::value},
    {"indicator-value", Role::value},
    {"ioc", Role::value},
    {"iocs", Role::value},
    {"ioc-value", Role::value},
    {"observable", Role::value},
    {"observable-value", Role::value},
    {"type", Role::type},
    {"indicator-type", Role::type},
    {"ioc-type", Role::type},
    {"data-type", Role::type},
    {"observable-type", Role::type},
    {"first-seen", Role::first_seen},
    {"first-seen-utc", Role::first_seen},
    {"firstseen", Role::first_seen},
    {"first-observed", Role::first_seen},
    {"observed-date", Role::first_seen},
    {"valid-from", Role::first_seen},
    {"date", Role::first_seen},
    {"date-added", Role::first_seen},
    {"dateadded", Role::first_seen},
    {"created", Role::first_seen},
    {"last-seen", Role::last_seen},
    {"last-seen-utc", Role::last_seen},
    {"lastseen", Role::last_seen},
    {"last-observed", Role::last_seen},
    {"last-online", Role::last_seen},
    {"confidence", Role::confidence},
    {"confidence-level", Role::confidence},
    {"tlp", Role::tlp},
    {"handling", Role::tlp},
    {"marking", Role::tlp},
    {"pap", Role::pap},
    {"sightings", Role::sightings},
    {"sighting-count", Role::sightings},
    {"count", Role::sightings},
    {"label", Role::label},
    {"labels", Role::label},
    {"tag", Role::label},
    {"tags", Role::label},
    {"campaign", Role::label},
    {"actor", Role::actor},
    {"threat-actor", Role::actor},
    {"intrusion-set", Role::actor},
    {"adversary", Role::actor},
    {"group", Role::actor},
    {"malware", Role::malware},
    {"malware-family", Role::malware},
    {"malware-printable", Role::malware},
    {"family", Role::malware},
    {"technique", Role::technique},
    {"techniques", Role::technique},
    {"attack-technique", Role::technique},
    {"mitre-technique", Role::technique},
    {"sector", Role::sector},
    {"industry", Role::sector},
    {"comment", Role::comment},
    {"comments", Role::comment},
    {"notes", Role::comment},
});

using Rows = std::vector<std::vector<std::string>>;

/// Some files keep their header in a comment line: it is the last one before the data, when it names roles.
std::string without_comment_mark(std::string_view head) {
  std::string out(head);
  std::size_t last = std::string::npos;
  for (std::size_t at = 0; at < out.size() && out[at] == '#';) {
    last = at;
    at = out.find('\n', at);
    if (at == std::string::npos) return out;
    ++at;
  }
  if (last == std::string::npos) return out;
  const std::size_t line_end = std::min(out.find('\n', last), out.size());
  const std::size_t name_end = std::min(out.find_first_of(",;\t|\r\n", last), line_end);
  std::string_view first = trimmed(std::string_view(out).substr(last + 1, name_end - last - 1));
  if (first.size() >= 2 && first.front() == '"') first = first.substr(1, first.size() - 2);
  if (name_end < line_end && column_named(first)) out[last] = ' ';
  return out;
}

Result<Rows> sample(std::string_view head, bool complete, char delimiter) {
  MemorySource source(as_bytes(head));
  CsvReader reader(source, delimiter);
  Rows rows;
  while (rows.size() < kSampleRows) {
    TRY(const auto state, reader.next());
    if (state == CsvReader::Row::end) break;
    if (state == CsvReader::Row::fault) continue;
    auto& row = rows.emplace_back();
    for (std::size_t i = 0; i < reader.size(); ++i) row.emplace_back(reader.field(i));
  }
  // The head may cut its last row in two.
  if (!complete && rows.size() > 1 && rows.size() < kSampleRows) rows.pop_back();
  return rows;
}

/// How many rows are as wide as the first, when that has several columns.
std::size_t agreeing_rows(const Rows& rows) {
  if (rows.empty() || rows[0].size() < 2) return 0;
  return static_cast<std::size_t>(
      std::ranges::count_if(rows, [&](const auto& row) { return row.size() == rows[0].size(); }));
}

struct Dialect {
  char delimiter = ',';
  Rows rows;
};

Result<Dialect> find_dialect(std::string_view head, bool complete) {
  Dialect best;
  TRY(best.rows, sample(head, complete, best.delimiter));
  for (const char delimiter : {';', '\t', '|'}) {
    TRY(Rows rows, sample(head, complete, delimiter));
    const auto score = [](const Rows& r) { return std::pair(agreeing_rows(r), r.empty() ? 0 : r[0].size()); };
    if (score(rows) > score(best.rows)) best = {delimiter, std::move(rows)};
  }
  return best;
}

bool is_header(const std::vector<std::string>& row) {
  const bool names = std::ranges::any_of(row, [](const std::string& cell) { return column_named(cell).has_value(); });
  return names && std::ranges::none_of(row, [](const std::string& cell) { return recognise(cell).has_value(); });
}

/// Whether most filled cells of `column` pass `test`.
template <typename Test>
bool mostly(const Rows& rows, std::size_t first_row, std::size_t column, Test test) {
  std::size_t filled = 0;
  std::size_t passed = 0;
  for (std::size_t i = first_row; i < rows.size(); ++i) {
    if (column >= rows[i].size() || rows[i][column].empty()) continue;
    ++filled;
    passed += test(rows[i][column]) ? 1 : 0;
  }
  return passed > 0 && 10 * passed >= kCellsOfTen * filled;
}

bool holds_indicators(const CsvLayout& layout) {
  return std::ranges::any_of(layout.columns,
                             [](const Column& c) { return c.role == Role::value || c.role == Role::typed; });
}

/// What the values show where no header says it: the first column of indicators, and columns of hashes beside it, which
/// are hashes of one file; a column of types; the first and last time.
void read_values(const Rows& rows, CsvLayout& layout) {
  const std::size_t first_row = layout.has_header ? 1 : 0;
  const auto is_type = [](const std::string& cell) { return declared_type(cell).has_value(); };
  const auto is_indicator = [](const std::string& cell) { return recognise(cell).has_value(); };
  const auto is_file_hash = [](const std::string& cell) {
    const auto value = recognise(cell);
    return value && indicator::is_hash(value->type());
  };
  const auto is_time = [](const std::string& cell) { return cell.size() >= 8 && parse_time(cell).has_value(); };
  bool first_seen = layout.has_header;
  bool last_seen = layout.has_header;
  for (std::size_t i = 0; i < layout.columns.size(); ++i) {
    Column& column = layout.columns[i];
    if (column.role != Role::none) continue;
    if (mostly(rows, first_row, i, is_type)) {
      column.role = Role::type;
    } else if (!first_seen && mostly(rows, first_row, i, is_time)) {
      column.role = Role::first_seen;
      first_seen = true;
    } else if (!last_seen && mostly(rows, first_row, i, is_time)) {
      column.role = Role::last_seen;
      last_seen = true;
    } else if (mostly(rows, first_row, i, holds_indicators(layout) ? +is_file_hash : +is_indicator)) {
      column.role = Role::value;
    }
  }
}

Result<std::size_t> column_number(std::string_view name, const std::vector<std::string>& header, std::size_t width) {
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (equal_ignoring_case(header[i], name)) return i;
  }
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error == std::errc() && end == name.data() + name.size() && number >= 1 && number <= width) return number - 1;
  return fail(Errc::usage, fmt::format("There is no column {}; a name from the header or a number from 1 to {} was "
                                       "expected.",
                                       shown(name), width));
}

Status apply_mapping(const std::vector<std::pair<std::string, std::string>>& mapping, const Rows& rows,
                     CsvLayout& layout) {
  for (const auto& [role, name] : mapping) {
    const auto column = column_named(role);
    if (!column) {
      return fail(Errc::usage,
                  fmt::format("{} is no column role; value, type, first_seen, last_seen, confidence, tlp, pap, "
                              "sightings, label, actor, malware, technique, sector, comment or the name of an "
                              "indicator type was expected.",
                              shown(role)));
    }
    const std::vector<std::string> none;
    TRY(const std::size_t number, column_number(name, rows.empty() ? none : rows[0], layout.columns.size()));
    layout.columns[number] = *column;
    const bool named = number < rows[0].size() && equal_ignoring_case(rows[0][number], name);
    layout.has_header = layout.has_header || named;
  }
  if (!holds_indicators(layout)) {
    return fail(Errc::usage, "The column mapping names no column of indicators; map \"value\" or the name of a type.");
  }
  return {};
}

}  // namespace

std::optional<Column> column_named(std::string_view name) {
  std::string key = lower(trimmed(name));
  std::ranges::replace(key, '_', '-');
  std::ranges::replace(key, ' ', '-');
  for (const auto& [header, role] : kHeaderNames) {
    if (header == key) return Column{role, std::nullopt};
  }
  if (const auto type = declared_type(key)) return Column{Role::typed, type};
  return std::nullopt;
}

Result<CsvLayout> find_layout(std::string_view head, bool complete,
                              const std::vector<std::pair<std::string, std::string>>& mapping) {
  if (head.starts_with(kUtf8Mark)) head.remove_prefix(kUtf8Mark.size());
  const std::string visible_header = without_comment_mark(head);
  TRY(const Dialect dialect, find_dialect(visible_header, complete));
  const Rows& rows = dialect.rows;
  if (rows.empty()) return fail(Errc::format, "There is no row of values in it.");
  CsvLayout layout;
  layout.delimiter = dialect.delimiter;
  layout.has_header = is_header(rows[0]);
  std::size_t width = 0;
  for (const auto& row : rows) width = std::max(width, row.size());
  layout.columns.resize(width);
  if (!mapping.empty()) {
    TRY_STATUS(apply_mapping(mapping, rows, layout));
  } else {
    if (layout.has_header) {
      for (std::size_t i = 0; i < rows[0].size(); ++i) layout.columns[i] = column_named(rows[0][i]).value_or(Column{});
    }
    if (!holds_indicators(layout)) read_values(rows, layout);
    if (!holds_indicators(layout)) {
      return fail(Errc::format, "No column of indicators was found; name it, e.g. value=2 or value=\"IOC\".");
    }
  }
  // A header that stands in a comment line is passed over as one.
  if (visible_header != head) layout.has_header = false;
  return layout;
}

}  // namespace parley::formats
