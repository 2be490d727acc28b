// Reads a foreign file, whatever its format, into records.
#pragma once

#include <filesystem>
#include <optional>

#include "base/progress.h"
#include "formats/record.h"

namespace parley::formats {

enum class Format : std::uint8_t {
  stix,     ///< STIX 2.0 or 2.1 bundle
  misp,     ///< MISP event JSON, a response with several, or a feed folder with manifest.json
  csv,      ///< columns detected or mapped
  hashes,   ///< one hash a line
  list,     ///< one indicator a line, '#' comments (blocklists)
  openioc,  ///< OpenIOC 1.0 / 1.1
  report,   ///< text, Markdown, AsciiDoc
  html,
  pdf,
};

std::string_view name_of(Format format);
std::optional<Format> format_named(std::string_view name);

struct ReadOptions {
  std::optional<Format> format;  ///< detected from content and name when absent
  std::vector<std::pair<std::string, std::string>>
      columns;           ///< CSV: role ("value", "type", "first_seen", …) = header name or number
  bool lenient = false;  ///< skip what is wrong and give a notice, instead of failing
};

/// The format of `path` by its content first and its name second.
/// @error Errc::format when nothing fits, with what was tried.
Result<Format> detect_format(const std::filesystem::path& path);

/// Reads `path` (a file, or a MISP feed folder) and hands each record to `sink`. Memory does not grow with the file,
/// except for PDF, HTML and single JSON events, which have the size limits of formats/limits.h.
/// @error Errc::format, Errc::limit with file, line or JSON path, and what was expected; or what `sink` returned.
Result<Format> read(const std::filesystem::path& path, const ReadOptions& options, Sink& sink, Progress& progress);

/// The plain text of a report (text, Markdown, AsciiDoc, HTML, PDF), for `parley extract`.
/// @error as read().
Result<std::string> report_text(ByteView content, std::string_view file_name);

}  // namespace parley::formats
