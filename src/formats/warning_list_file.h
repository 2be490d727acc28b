// Reads warning lists from files: the JSON of the MISP warninglist project, or plain lists.
#pragma once

#include <filesystem>

#include "base/error.h"
#include "indicator/warning_list.h"

namespace parley::formats {

/// MISP warninglist JSON ("name", "type": string, hostname, cidr, substring or regex, "list"), or one entry a line with
/// '#' comments: the list then has the file's name, and matches as addresses and ranges when all entries are such, as
/// host names (with what lies below them) when all are domains, and exactly otherwise.
/// @error Errc::not_found, Errc::io, Errc::limit, Errc::format with what was expected
Result<indicator::WarningList> read_warning_list(const std::filesystem::path& path);

}  // namespace parley::formats
