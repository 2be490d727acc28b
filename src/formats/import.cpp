#include "formats/import.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "formats/detect.h"
#include "formats/intake.h"
#include "formats/limits.h"
#include "formats/list.h"
#include "formats/misp.h"
#include "formats/openioc.h"
#include "formats/report.h"
#include "formats/source.h"
#include "formats/stix.h"
#include "formats/table.h"

namespace parley::formats {
namespace {

constexpr std::array<std::pair<std::string_view, Format>, 9> kNames = {{
    {"stix", Format::stix},
    {"misp", Format::misp},
    {"csv", Format::csv},
    {"hashes", Format::hashes},
    {"list", Format::list},
    {"openioc", Format::openioc},
    {"report", Format::report},
    {"html", Format::html},
    {"pdf", Format::pdf},
}};

std::unexpected<Error> at(const std::filesystem::path& path, Error error) {
  return std::unexpected(std::move(error).at(path.string()));
}

Result<Format> detect(Source& source, const std::filesystem::path& path) {
  TRY(const std::string head, read_head(source, kHeadBytes));
  return detect_content(head, head.size() < kHeadBytes, path.filename().string());
}

Status read_format(Format format, Source& source, const ReadOptions& options, Intake& intake) {
  if (format != Format::pdf && format != Format::openioc) {
    TRY(const std::string head, read_head(source, kUtf8Mark.size() + 1));
    TRY_STATUS(check_encoding(head));
  }
  switch (format) {
    case Format::stix:
      return read_stix(source, intake);
    case Format::misp:
      return read_misp(source, intake);
    case Format::csv:
      return read_csv(source, options.columns, intake);
    case Format::hashes:
      return read_hashes(source, intake);
    case Format::list:
      return read_list(source, intake);
    case Format::openioc:
      return read_openioc(source, intake);
    case Format::report:
    case Format::html:
    case Format::pdf:
      return read_report(source, format, intake);
  }
  return fail(Errc::internal, "There is no such format.");
}

Result<Format> read_folder(const std::filesystem::path& path, const ReadOptions& options, Intake& intake,
                           Progress& progress) {
  if (options.format.value_or(Format::misp) != Format::misp) {
    return fail(Errc::format, fmt::format("A folder can only be a MISP feed, not {}.", name_of(*options.format)));
  }
  TRY_STATUS(read_misp_feed(path, intake, progress));
  return Format::misp;
}

Result<Format> read_file_at(const std::filesystem::path& path, const ReadOptions& options, Intake& intake,
                            Progress& progress) {
  std::error_code ignored;
  const std::uintmax_t size = std::filesystem::file_size(path, ignored);
  progress.phase("reading", ignored ? 0 : size);
  TRY(const auto source, open_source(path, progress));
  Format format = options.format.value_or(Format::report);
  if (!options.columns.empty() && !options.format) {
    format = Format::csv;
  } else if (!options.format) {
    TRY(format, detect(*source, path));
  }
  TRY_STATUS(read_format(format, *source, options, intake));
  return format;
}

}  // namespace

std::string_view name_of(Format format) {
  for (const auto& [name, known] : kNames) {
    if (known == format) return name;
  }
  return "unknown";
}

std::optional<Format> format_named(std::string_view name) {
  for (const auto& [known, format] : kNames) {
    if (equal_ignoring_case(known, name)) return format;
  }
  return std::nullopt;
}

Result<Format> detect_format(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::exists(path / "manifest.json", ignored)) return Format::misp;
  SilentProgress progress;
  auto source = open_source(path, progress);
  if (!source) return at(path, std::move(source).error());
  auto format = detect(**source, path);
  if (!format) return at(path, std::move(format).error());
  return format;
}

Result<Format> read(const std::filesystem::path& path, const ReadOptions& options, Sink& sink, Progress& progress) {
  Intake intake(sink, options.lenient);
  std::error_code ignored;
  auto format = std::filesystem::is_directory(path, ignored) && std::filesystem::exists(path / "manifest.json", ignored)
                    ? read_folder(path, options, intake, progress)
                    : read_file_at(path, options, intake, progress);
  if (!format) return at(path, std::move(format).error());
  return format;
}

Result<std::string> report_text(ByteView content, std::string_view file_name) {
  const std::string_view text = as_text(content);
  const auto format = detect_content(text.substr(0, kHeadBytes), text.size() <= kHeadBytes, file_name);
  const bool document = format && (*format == Format::html || *format == Format::pdf);
  if (!format &&
      (format.error().code == Errc::unsupported || text.substr(0, kHeadBytes).find('\0') != std::string_view::npos)) {
    return std::unexpected(format.error());
  }
  return text_of_report(content, document ? *format : Format::report);
}

}  // namespace parley::formats
