// Reads CSV files into records: one row is one indicator with its context, or several hashes of one file.
#pragma once

#include "formats/csv_layout.h"
#include "formats/source.h"

namespace parley::formats {

/// @error Errc::format, Errc::limit with the line; Errc::usage as find_layout()
Status read_csv(Source& source, const std::vector<std::pair<std::string, std::string>>& mapping, Intake& intake);

}  // namespace parley::formats
