// Reads MISP: an event, a response with several, an attribute search, and feed folders (misp-standard.org, MISP core
// format; the lists of attribute types and taxonomies are facts of the MISP project).
#pragma once

#include <filesystem>

#include "formats/intake.h"
#include "formats/source.h"

namespace parley::formats {

/// @error Errc::format, Errc::limit with the line or JSON path
Status read_misp(Source& source, Intake& intake);

/// Reads `folder`/manifest.json and each event that it names.
/// @error as read_misp(), and Errc::not_found when the manifest or an event is missing
Status read_misp_feed(const std::filesystem::path& folder, Intake& intake, Progress& progress);

}  // namespace parley::formats
