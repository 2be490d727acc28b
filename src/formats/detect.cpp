#include "formats/detect.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "formats/csv_layout.h"
#include "formats/intake.h"
#include "formats/json_stream.h"
#include "formats/limits.h"
#include "formats/list.h"
#include "formats/pdf_text.h"

namespace parley::formats {
namespace {

/// Of ten lines of a list so many must be indicators. Ours.
constexpr std::size_t kLinesOfTen = 9;
constexpr std::size_t kSampleLines = 200;

/// What file names say; "" is a report like any other text.
constexpr auto kSuffixes = std::to_array<std::pair<std::string_view, Format>>({
    {".csv", Format::csv},         {".tsv", Format::csv},     {".ioc", Format::openioc},
    {".md5", Format::hashes},      {".sha1", Format::hashes}, {".sha256", Format::hashes},
    {".sha512", Format::hashes},   {".lst", Format::list},    {".list", Format::list},
    {".hosts", Format::list},      {".htm", Format::html},    {".html", Format::html},
    {".xhtml", Format::html},      {".pdf", Format::pdf},     {".md", Format::report},
    {".markdown", Format::report}, {".adoc", Format::report}, {".asciidoc", Format::report},
    {".rst", Format::report},      {".txt", Format::report},  {".text", Format::report},
});

/// Containers of other files, by their first bytes (the formats' own specifications).
constexpr auto kPacked = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"\x1f\x8b", "gzip"},
    {"PK\x03\x04", "a ZIP archive (or an office document)"},
    {"BZh", "bzip2"},
    {"\xfd\x37zXZ", "xz"},
    {"\x28\xb5\x2f\xfd", "Zstandard"},
    {"7z\xbc\xaf", "7-Zip"},
    {"\xd0\xcf\x11\xe0", "an old office document"},
});

std::optional<Format> by_name(std::string_view name) {
  const std::string folded = lower(name);
  for (const auto& [suffix, format] : kSuffixes) {
    if (folded.ends_with(suffix)) return format;
  }
  return std::nullopt;
}

/// The keys of the outermost object, as far as `head` goes.
std::vector<std::string> outer_keys(std::string_view head) {
  MemorySource source(as_bytes(head));
  JsonStream json(source);
  std::vector<std::string> keys;
  std::string key;
  auto kind = json.peek();
  // A list of events: the keys of the first.
  if (kind && *kind == '[' && json.begin_array() && json.next_element()) kind = json.peek();
  if (!kind || *kind != '{' || !json.begin_object()) return keys;
  for (;;) {
    const auto more = json.next_key(key);
    if (!more || !*more) return keys;
    keys.push_back(key);
    if (!json.skip_value()) return keys;
  }
}

Result<Format> detect_json(std::string_view head) {
  const auto keys = outer_keys(head);
  const auto has = [&](std::string_view key) { return std::ranges::find(keys, key) != keys.end(); };
  if (has("Event") || has("response") || has("Attribute")) return Format::misp;
  if (has("objects") || has("spec_version")) return Format::stix;
  if (has("list") && has("type")) {
    return fail(Errc::format, "This looks like a MISP warning list; add it with `parley warninglist add`.");
  }
  return fail(Errc::format,
              "This is JSON, but neither a STIX bundle (with \"objects\") nor a MISP event (with \"Event\" or "
              "\"response\").");
}

/// The name of the first element, in lower case; "!doctype" for a declaration.
std::string first_element(std::string_view head) {
  for (std::size_t at = head.find('<'); at < head.size(); at = head.find('<', at + 1)) {
    const std::string_view rest = head.substr(at + 1);
    if (rest.starts_with("!--")) {
      const std::size_t end = rest.find("-->");
      if (end == std::string_view::npos) return {};
      at += end;
      continue;
    }
    if (rest.starts_with('?')) continue;
    return lower(rest.substr(0, rest.find_first_of(" \t\r\n>/")));
  }
  return {};
}

Result<Format> detect_markup(std::string_view head, std::string_view name) {
  const std::string element = first_element(head);
  const std::string_view local = std::string_view(element).substr(element.find(':') + 1);
  if (local == "ioc" || local == "openioc") return Format::openioc;
  if (local == "stix_package") {
    return fail(Errc::unsupported, "This is STIX 1 (XML); export it as STIX 2.1 and import that.");
  }
  constexpr std::array<std::string_view, 8> kPage = {"html", "head", "body", "div", "p", "table", "title", "meta"};
  const bool html_name = by_name(name) == Format::html;
  if (element == "!doctype") {
    const std::string start = lower(head.substr(0, 512));
    if (start.find("doctype html") != std::string::npos) return Format::html;
    if (by_name(name) == Format::openioc) return Format::openioc;
  }
  if (html_name || std::ranges::find(kPage, element) != kPage.end()) return Format::html;
  if (head.starts_with("<?xml")) {
    return fail(Errc::format,
                fmt::format("This is XML with the root element {}; OpenIOC (<ioc> or <OpenIOC>) was expected.",
                            shown(element)));
  }
  return Format::report;
}

struct LineCounts {
  std::size_t filled = 0;
  std::size_t hashes = 0;
  std::size_t values = 0;
};

LineCounts count_lines(std::string_view head, bool complete) {
  LineCounts counts;
  while (!head.empty() && counts.filled < kSampleLines) {
    const std::size_t end = head.find('\n');
    if (end == std::string_view::npos && !complete && counts.filled > 0) break;  // cut in two
    const std::string_view line = trimmed(head.substr(0, end));
    head.remove_prefix(end == std::string_view::npos ? head.size() : end + 1);
    const ListLine split = split_list_line(line);
    if (split.kind == ListLine::Kind::blank) continue;
    ++counts.filled;
    counts.hashes += !split_hash_line(line).empty() ? 1 : 0;
    counts.values += split.kind == ListLine::Kind::host || recognise(split.value).has_value() ? 1 : 0;
  }
  return counts;
}

Result<Format> detect_text(std::string_view head, bool complete, std::string_view name) {
  const auto named = by_name(name);
  const LineCounts counts = count_lines(head, complete);
  if (counts.filled > 0 && named != Format::csv) {
    if (counts.hashes == counts.filled) return Format::hashes;
    if (10 * counts.values >= kLinesOfTen * counts.filled) return Format::list;
  }
  // A Markdown table is a report.
  const bool markdown = trimmed(head).starts_with('|') || named == Format::report;
  const auto layout =
      markdown && named != Format::csv ? Result<CsvLayout>(fail(Errc::format, "")) : find_layout(head, complete, {});
  if (layout && layout->columns.size() > 1) return Format::csv;
  if (named) return *named;
  return Format::report;
}

}  // namespace

Result<Format> detect_content(std::string_view head, bool complete, std::string_view name) {
  TRY_STATUS(check_encoding(head));
  if (is_pdf(head)) return Format::pdf;
  for (const auto& [mark, what] : kPacked) {
    if (head.starts_with(mark))
      return fail(Errc::format, fmt::format("This is {}; unpack it and import what is inside.", what));
  }
  if (head.starts_with(kUtf8Mark)) head.remove_prefix(kUtf8Mark.size());
  if (head.find('\0') != std::string_view::npos) {
    return fail(Errc::format,
                "This is a binary file; STIX or MISP JSON, CSV, a list, OpenIOC, a report as text, HTML or PDF "
                "was expected.");
  }
  const std::string_view start = trimmed(head);
  if (start.empty()) return fail(Errc::format, "The file is empty.");
  // A defanged list may begin with a bracket too ("[.]evil"), JSON goes on with one of these.
  const std::string_view next = trimmed(start.substr(1));
  if (start[0] == '{' && (next.empty() || next[0] == '"' || next[0] == '}')) return detect_json(head);
  if (start[0] == '[' && (next.empty() || next[0] == '{' || next[0] == '[' || next[0] == ']')) return detect_json(head);
  if (start[0] == '<') return detect_markup(start, name);
  if (by_name(name) == Format::html) return Format::html;
  return detect_text(head, complete, name);
}

}  // namespace parley::formats
