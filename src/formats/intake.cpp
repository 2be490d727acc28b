#include "formats/intake.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "formats/limits.h"

namespace parley::formats {
namespace {

using indicator::Canonical;
using indicator::Type;

/// Types between which a value decides without anybody having been wrong.
bool same_family(Type a, Type b) {
  const auto is_address = [](Type type) { return type == Type::ipv4 || type == Type::ipv6 || type == Type::cidr; };
  return a == b || (is_address(a) && is_address(b));
}

bool fits(Declared declared, Type actual) {
  if (same_family(declared.type, actual)) return true;
  return declared.family && indicator::is_hash(declared.type) && indicator::is_hash(actual);
}

}  // namespace

std::string Place::text() const {
  if (line == 0) return std::string(path);
  return path.empty() ? fmt::format("line {}", line) : fmt::format("line {}, {}", line, path);
}

std::string shown(std::string_view text) {
  constexpr std::size_t kShownBytes = 60;
  if (text.size() <= kShownBytes) return fmt::format("\"{}\"", visible(text));
  std::size_t end = kShownBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return fmt::format("\"{}…\" ({} bytes)", visible(text.substr(0, end)), text.size());
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::ranges::equal(a, b, [](char x, char y) {
           const auto fold = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
           return fold(x) == fold(y);
         });
}

Status Intake::take(Declared declared, std::string_view text, const indicator::Context& context,
                    std::uint64_t file_object, Place place) {
  text = trimmed(text);
  auto value = indicator::canonicalise(declared.type, text);
  if (!value) {
    auto plain = recognise(text);
    if (!plain) return refuse(place, std::move(value).error());
    value = std::move(*plain);
  }
  if (!fits(declared, value->type())) {
    correct(place, fmt::format("{} is declared as {}; it was taken as {}, which it plainly is.", shown(text),
                               indicator::name_of(declared.type), indicator::name_of(value->type())));
  }
  return take(std::move(*value), context, file_object);
}

Result<bool> Intake::take_typed(std::string_view type_name, std::string_view text, const indicator::Context& context,
                                std::uint64_t file_object, Place place) {
  if (type_name == "malware-sample") type_name = "filename|md5";  // MISP's name for a file with its sample attached
  const std::size_t type_bar = type_name.find('|');
  if (type_bar == std::string_view::npos) {
    const auto declared = declared_type(type_name);
    if (!declared) return false;
    // The fingerprint of a certificate is a hash of no file.
    const bool of_file = indicator::is_hash(declared->type) && !type_name.starts_with("x509");
    TRY_STATUS(take(*declared, text, context, of_file ? file_object : 0, place));
    return true;
  }
  const std::string_view types[] = {type_name.substr(0, type_bar), type_name.substr(type_bar + 1)};
  if (!declared_type(types[0]) && !declared_type(types[1])) return false;
  // A file name may hold the separator, a hash cannot; the data of a registry key may, the key cannot.
  const std::size_t bar = types[0] == "filename" ? text.rfind('|') : text.find('|');
  if (bar == std::string_view::npos) {
    TRY_STATUS(refuse(place, fmt::format("{} is one value; two joined by \"|\" were expected for the type {}.",
                                         shown(text), shown(type_name))));
    return true;
  }
  TRY_STATUS(take_typed(types[0], text.substr(0, bar), context, file_object, place));
  TRY_STATUS(take_typed(types[1], text.substr(bar + 1), context, file_object, place));
  return true;
}

Status Intake::take(std::string_view text, const indicator::Context& context, std::uint64_t file_object, Place place) {
  text = trimmed(text);
  auto value = recognise(text);
  if (!value) {
    return refuse(place, fmt::format("{} is no address, domain, URL, e-mail address, hash or other value that shows "
                                     "its type.",
                                     shown(text)));
  }
  return take(std::move(*value), context, file_object);
}

Status Intake::take(Canonical value, const indicator::Context& context, std::uint64_t file_object) {
  return sink_.record({std::move(value), context, file_object});
}

Status Intake::refuse(Place place, std::string why) {
  if (!lenient_) return fail(Errc::format, std::move(why), place.text());
  skip(place, std::move(why));
  return {};
}

Status Intake::refuse(Place place, Error error) {
  std::string where = place.text();
  if (!where.empty()) error = std::move(error).at(std::move(where));
  if (!lenient_) return std::unexpected(std::move(error));
  sink_.notice({Notice::Kind::skipped, std::move(error.where), std::move(error.message)});
  return {};
}

}  // namespace parley::formats
