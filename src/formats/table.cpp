#include "formats/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/clock.h"
#include "formats/csv.h"
#include "formats/limits.h"

namespace parley::formats {
namespace {

using indicator::Context;
using indicator::LabelKind;

/// What people write into a cell that has nothing.
bool is_blank(std::string_view cell) {
  return cell.empty() || cell == "-" || equal_ignoring_case(cell, "n/a") || equal_ignoring_case(cell, "none") ||
         equal_ignoring_case(cell, "null");
}

template <typename Take>
void for_each_part(std::string_view cell, std::string_view separators, Take take) {
  while (!cell.empty()) {
    const std::size_t end = std::min(cell.find_first_of(separators), cell.size());
    take(trimmed(cell.substr(0, end)));
    cell.remove_prefix(std::min(end + 1, cell.size()));
  }
}

class TableReader {
 public:
  TableReader(const CsvLayout& layout, Intake& intake) : layout_(layout), intake_(intake) {
    const auto may_hold_hash = [](const Column& column) {
      return column.role == Role::value || column.role == Role::comment ||
             (column.role == Role::typed && indicator::is_hash(column.type->type));
    };
    rows_tie_hashes_ = std::ranges::count_if(layout.columns, may_hold_hash) > 1;
  }

  Status take_row(const CsvReader& row) {
    context_ = {};
    type_ = {};
    file_object_ = 0;
    any_ = false;
    place_ = {{}, row.line()};
    for (std::size_t i = 0; i < layout_.columns.size(); ++i) {
      const std::string_view cell = row.field(i);
      if (!is_blank(cell)) describe(layout_.columns[i].role, i, cell);
    }
    for (std::size_t i = 0; i < layout_.columns.size(); ++i) {
      const std::string_view cell = row.field(i);
      if (!is_blank(cell)) TRY_STATUS(take_cell(layout_.columns[i], cell));
    }
    if (!any_) return intake_.refuse(place_, "The row has no indicator.");
    return {};
  }

 private:
  void describe(Role role, std::size_t column, std::string_view cell) {
    switch (role) {
      case Role::type:
        type_ = cell;
        return;
      case Role::first_seen:
        return set_time(context_.first_seen, column, cell);
      case Role::last_seen:
        return set_time(context_.last_seen, column, cell);
      case Role::confidence:
        return set_confidence(column, cell);
      case Role::tlp:
        return restrict_tlp(context_, indicator::tlp_named(cell));
      case Role::pap:
        return restrict_pap(context_, indicator::pap_named(cell));
      case Role::sightings:
        return set_sightings(column, cell);
      case Role::label:
        return for_each_part(cell, ",;|", [&](std::string_view tag) { add_tag(context_, tag); });
      case Role::actor:
        return add_labels(LabelKind::actor, cell);
      case Role::malware:
        return add_labels(LabelKind::malware, cell);
      case Role::technique:
        return for_each_part(cell, ",;|", [&](std::string_view name) {
          add_label(context_, LabelKind::technique, technique_name(name));
        });
      case Role::sector:
        return add_labels(LabelKind::sector, cell);
      case Role::none:
      case Role::value:
      case Role::typed:
      case Role::comment:
        return;
    }
  }

  void add_labels(LabelKind kind, std::string_view cell) {
    for_each_part(cell, ",;|", [&](std::string_view name) { add_label(context_, kind, name); });
  }

  /// Said once for each column: a column in another notation would else be said for each of a million rows.
  void not_understood(std::size_t column, std::string_view cell, std::string_view expected) {
    if (said_.size() <= column) said_.resize(column + 1, false);
    if (said_[column]) return;
    said_[column] = true;
    intake_.correct(place_, fmt::format("{} in column {} is not {}; this and others like it are left out.", shown(cell),
                                        column + 1, expected));
  }

  void set_time(std::optional<UnixSeconds>& time, std::size_t column, std::string_view cell) {
    const auto parsed = parse_time(cell);
    if (!parsed) return not_understood(column, cell, "a date like 2018-11-20 or 2018-11-20T09:00:00Z");
    if (!time) time = parsed;
  }

  void set_confidence(std::size_t column, std::string_view cell) {
    const auto number = unsigned_number(cell);
    if (!number || *number > 100) return not_understood(column, cell, "a confidence from 0 to 100");
    context_.confidence = static_cast<std::uint8_t>(*number);
  }

  void set_sightings(std::size_t column, std::string_view cell) {
    const auto number = unsigned_number(cell);
    if (!number || *number == 0) return not_understood(column, cell, "a number of sightings");
    context_.sightings = *number;
  }

  static std::optional<std::uint64_t> unsigned_number(std::string_view cell) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
    if (error != std::errc() || end != cell.data() + cell.size()) return std::nullopt;
    return number;
  }

  Status take_cell(const Column& column, std::string_view cell) {
    if (column.role == Role::comment) return take_comment(cell);
    if (column.role != Role::value && column.role != Role::typed) return {};
    any_ = true;
    if (column.role == Role::typed) {
      const bool hash = indicator::is_hash(column.type->type);
      return intake_.take(*column.type, cell, context_, hash ? file_object() : 0, place_);
    }
    if (!type_.empty()) {
      TRY(const bool carried, intake_.take_typed(type_, cell, context_, file_object(), place_));
      if (carried) return {};
    }
    auto value = recognise(cell);
    if (!value && !type_.empty()) {
      intake_.skip(place_, fmt::format("{} is of type {}, which parley does not carry.", shown(cell), shown(type_)));
      return {};
    }
    if (!value) return intake_.take(cell, context_, 0, place_);
    const bool hash = indicator::is_hash(value->type());
    return intake_.take(std::move(*value), context_, hash ? file_object() : 0);
  }

  /// Further hashes of the row's file, as "FILENAME:a.dll|SHA1:…|SHA256:…". Other comments are text.
  Status take_comment(std::string_view cell) {
    Status taken;
    for_each_part(cell, "|", [&](std::string_view part) {
      const std::size_t colon = part.find(':');
      if (!taken || colon == std::string_view::npos) return;
      const auto type = declared_type(part.substr(0, colon));
      const std::string_view text = trimmed(part.substr(colon + 1));
      if (!type || !indicator::is_hash(type->type) || !recognise(text)) return;
      // Where the value is missing, the hash stands in for it, and the type column speaks of the hash.
      const auto declared = any_ ? std::nullopt : declared_type(type_);
      any_ = true;
      taken = intake_.take(declared.value_or(*type), text, context_, file_object(), place_);
    });
    return taken;
  }

  /// The number that ties the hashes of this row.
  std::uint64_t file_object() {
    if (rows_tie_hashes_ && file_object_ == 0) file_object_ = intake_.new_file_object();
    return file_object_;
  }

  const CsvLayout& layout_;
  Intake& intake_;
  bool rows_tie_hashes_ = false;
  Context context_;
  std::string_view type_;
  std::uint64_t file_object_ = 0;
  bool any_ = false;
  Place place_;
  std::vector<bool> said_;
};

}  // namespace

Status read_csv(Source& source, const std::vector<std::pair<std::string, std::string>>& mapping, Intake& intake) {
  TRY(const std::string head, read_head(source, kHeadBytes));
  TRY(const CsvLayout layout, find_layout(head, head.size() < kHeadBytes, mapping));
  CsvReader reader(source, layout.delimiter);
  TableReader table(layout, intake);
  for (bool header = layout.has_header;;) {
    TRY(const auto row, reader.next());
    if (row == CsvReader::Row::end) return {};
    if (row == CsvReader::Row::fault) {
      TRY_STATUS(intake.refuse({}, reader.fault()));
    } else if (!header) {
      TRY_STATUS(table.take_row(reader));
    }
    header = false;
  }
}

}  // namespace parley::formats
