#include "formats/list.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "formats/limits.h"

namespace parley::formats {
namespace {

using indicator::Context;

constexpr std::string_view kSpace = " \t";

/// The addresses that hosts files point at: nowhere, or the machine itself.
constexpr std::array<std::string_view, 6> kSinks = {"0.0.0.0", "127.0.0.1", "127.0.1.1", "::1", "::", "fe80::1%lo0"};

std::string_view without_comment(std::string_view line) {
  line = trimmed(line);
  if (line.starts_with('#') || line.starts_with(';') || line.starts_with("//")) return {};
  for (std::size_t at = line.find_first_of(kSpace); at < line.size(); at = line.find_first_of(kSpace, at + 1)) {
    const std::string_view rest = line.substr(at + 1);
    if (rest.starts_with('#') || rest.starts_with(';') || rest.starts_with("//")) return trimmed(line.substr(0, at));
  }
  return line;
}

bool is_hash_text(std::string_view text) {
  const bool length = text.size() == 32 || text.size() == 40 || text.size() == 64 || text.size() == 128;
  return length && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

/// Calls `take(line, place)` for each line that is not too long.
template <typename Take>
Status for_each_line(Source& source, Intake& intake, Take take) {
  LineReader lines(source);
  for (std::string_view line;;) {
    TRY(const bool more, lines.next(line));
    if (!more) return {};
    const Place place{{}, lines.number()};
    if (lines.too_long()) {
      TRY_STATUS(
          intake.refuse(place, Error{Errc::limit, fmt::format("The line has more than {} bytes.", kMaxLineBytes), {}}));
      continue;
    }
    TRY_STATUS(take(line, place));
  }
}

/// A name of a hosts file. Names without a dot ("localhost") are those of the machine itself.
Status take_host(std::string_view name, Intake& intake, Place place) {
  if (name.find('.') == std::string_view::npos || std::ranges::find(kSinks, name) != kSinks.end()) {
    intake.skip(place, fmt::format("{} is a name or address of the machine itself.", shown(name)));
    return {};
  }
  return intake.take({indicator::Type::domain}, name, {}, 0, place);
}

}  // namespace

ListLine split_list_line(std::string_view line) {
  line = without_comment(line);
  if (line.empty()) return {};
  const std::size_t space = line.find_first_of(kSpace);
  if (space == std::string_view::npos || std::ranges::find(kSinks, line.substr(0, space)) == kSinks.end()) {
    return {ListLine::Kind::value, line, {}};
  }
  const std::string_view names = trimmed(line.substr(space));
  const std::size_t end = std::min(names.find_first_of(kSpace), names.size());
  return {ListLine::Kind::host, names.substr(0, end), trimmed(names.substr(end))};
}

std::string_view split_hash_line(std::string_view line) {
  line = without_comment(line);
  const std::string_view first = line.substr(0, std::min(line.find_first_of(kSpace), line.size()));
  if (is_hash_text(first)) return first;
  const std::size_t equals = line.rfind(" = ");
  if (equals != std::string_view::npos && line.find('(') < equals && is_hash_text(line.substr(equals + 3))) {
    return line.substr(equals + 3);
  }
  return {};
}

Status read_list(Source& source, Intake& intake) {
  return for_each_line(source, intake, [&](std::string_view line, Place place) -> Status {
    ListLine split = split_list_line(line);
    if (split.kind == ListLine::Kind::blank) return {};
    if (split.kind == ListLine::Kind::value) return intake.take(split.value, {}, 0, place);
    while (!split.value.empty()) {
      TRY_STATUS(take_host(split.value, intake, place));
      const std::size_t end = std::min(split.more_names.find_first_of(kSpace), split.more_names.size());
      split.value = split.more_names.substr(0, end);
      split.more_names = trimmed(split.more_names.substr(end));
    }
    return {};
  });
}

Status read_hashes(Source& source, Intake& intake) {
  return for_each_line(source, intake, [&](std::string_view line, Place place) -> Status {
    if (split_list_line(line).kind == ListLine::Kind::blank) return {};
    const std::string_view hash = split_hash_line(line);
    if (hash.empty()) {
      return intake.refuse(place,
                           fmt::format("{} is no MD5, SHA-1, SHA-256 or SHA-512 hash in hexadecimal.", shown(line)));
    }
    return intake.take({indicator::Type::sha256, true}, hash, {}, 0, place);
  });
}

}  // namespace parley::formats
