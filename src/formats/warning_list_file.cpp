#include "formats/warning_list_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "formats/intake.h"
#include "formats/json_value.h"
#include "formats/limits.h"
#include "formats/list.h"
#include "formats/source.h"

namespace parley::formats {
namespace {

using indicator::Type;
using indicator::WarningList;
using indicator::WarningMatch;
using simdjson::dom::object;

constexpr std::array<std::pair<std::string_view, WarningMatch>, 5> kMatches = {{
    {"string", WarningMatch::exact},
    {"hostname", WarningMatch::hostname},
    {"cidr", WarningMatch::cidr},
    {"substring", WarningMatch::substring},
    {"regex", WarningMatch::regex},
}};

Result<WarningList> from_json(std::string& content) {
  JsonParser parser;
  TRY(const auto parsed, parser.parse(content));
  object fields;
  if (parsed.get(fields) != simdjson::SUCCESS)
    return fail(Errc::format, "A JSON object with \"name\", \"type\" and \"list\" was expected.");
  const auto name = string_at(fields, "name");
  const auto type = string_at(fields, "type");
  const auto entries = array_at(fields, "list");
  if (!name || trimmed(*name).empty() || !entries) {
    return fail(Errc::format, "A MISP warning list with \"name\", \"type\" and \"list\" was expected.");
  }
  const auto match =
      std::ranges::find(kMatches, type.value_or("string"), &std::pair<std::string_view, WarningMatch>::first);
  if (match == kMatches.end()) {
    return fail(Errc::format,
                fmt::format("{} is no type of a warning list; string, hostname, cidr, substring or regex was "
                            "expected.",
                            shown(*type)),
                "$.type");
  }
  WarningList list{std::string(trimmed(*name)), match->second, {}};
  std::size_t index = 0;
  for (const simdjson::dom::element element : *entries) {
    std::string_view entry;
    if (element.get(entry) != simdjson::SUCCESS)
      return fail(Errc::format, "A string was expected.", fmt::format("$.list[{}]", index));
    list.entries.emplace_back(trimmed(entry));
    ++index;
  }
  return list;
}

Result<WarningList> from_lines(std::string_view content, std::string name) {
  MemorySource source(as_bytes(content));
  LineReader lines(source);
  WarningList list{std::move(name), WarningMatch::exact, {}};
  bool addresses = true;
  bool domains = true;
  for (std::string_view line;;) {
    TRY(const bool more, lines.next(line));
    if (!more) break;
    const std::string where = fmt::format("line {}", lines.number());
    if (lines.too_long())
      return fail(Errc::limit, fmt::format("The line has more than {} bytes.", kMaxLineBytes), where);
    if (!is_valid_utf8(line)) return fail(Errc::format, "The line is not UTF-8 text.", where);
    const ListLine split = split_list_line(line);
    if (split.kind == ListLine::Kind::blank) continue;
    const auto value = recognise(split.value);
    const bool address =
        value && (value->type() == Type::ipv4 || value->type() == Type::ipv6 || value->type() == Type::cidr);
    addresses = addresses && address;
    domains = domains && value && value->type() == Type::domain;
    list.entries.emplace_back(value ? value->value() : split.value);
  }
  if (list.entries.empty()) return fail(Errc::format, "The list has no entry.");
  list.match = addresses ? WarningMatch::cidr : domains ? WarningMatch::hostname : WarningMatch::exact;
  return list;
}

}  // namespace

Result<WarningList> read_warning_list(const std::filesystem::path& path) {
  const auto read = [&]() -> Result<WarningList> {
    SilentProgress progress;
    TRY(const auto source, open_source(path, progress));
    TRY(std::string content, read_all(*source, kMaxWarningListBytes));
    TRY_STATUS(check_encoding(content));
    if (content.starts_with(kUtf8Mark)) content.erase(0, kUtf8Mark.size());
    if (trimmed(content).starts_with('{')) return from_json(content);
    return from_lines(content, path.stem().string());
  };
  auto list = read();
  if (!list) return std::unexpected(std::move(list).error().at(path.string()));
  return list;
}

}  // namespace parley::formats
