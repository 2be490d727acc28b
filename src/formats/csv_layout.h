// Which column of a CSV file means what: from an explicit mapping, from the header, or from the values themselves.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "formats/intake.h"

namespace parley::formats {

enum class Role : std::uint8_t {
  none,
  value,  ///< an indicator; its type stands in the type column, or shows
  typed,  ///< an indicator of the type that the header names
  type,
  first_seen,
  last_seen,
  confidence,
  tlp,
  pap,
  sightings,
  label,
  actor,
  malware,
  technique,
  sector,
  comment,
};

struct Column {
  Role role = Role::none;
  std::optional<Declared> type;  ///< of Role::typed
};

struct CsvLayout {
  char delimiter = ',';
  bool has_header = false;
  std::vector<Column> columns;
};

/// The role that `name` stands for, as `--column role=…` and as a header.
std::optional<Column> column_named(std::string_view name);

/// @param head      the beginning of the file
/// @param complete  whether that is all of it
/// @param mapping   as ReadOptions::columns
/// @error Errc::usage when `mapping` names a role or column that does not exist; Errc::format when no column holds
///        indicators
Result<CsvLayout> find_layout(std::string_view head, bool complete,
                              const std::vector<std::pair<std::string, std::string>>& mapping);

}  // namespace parley::formats
