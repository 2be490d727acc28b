#include "formats/json_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "formats/intake.h"
#include "formats/limits.h"

namespace parley::formats {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool ends_scalar(char c) {
  return is_space(c) || c == ',' || c == ']' || c == '}' || c == '[' || c == '{' || c == '"' || c == ':';
}

void put(std::string& out, std::string_view text, std::size_t limit_bytes, bool& fits) {
  if (out.size() + text.size() > limit_bytes) fits = false;
  if (fits) out += text;
}

}  // namespace

std::unexpected<Error> JsonStream::unexpected_character(char found, std::string_view wanted) const {
  return fail(Errc::format,
              found == '\0'
                  ? fmt::format("The JSON text ends where {} was expected; the file may be cut off.", wanted)
                  : fmt::format("{} stands where {} was expected.", shown(std::string_view(&found, 1)), wanted),
              fmt::format("line {}", line_));
}

Result<char> JsonStream::peek() {
  for (;;) {
    TRY(std::string_view rest, source_.peek());
    if (!started_) {
      started_ = true;
      if (rest.starts_with(kUtf8Mark)) {
        source_.consume(kUtf8Mark.size());
        continue;
      }
    }
    if (rest.empty()) return '\0';
    std::size_t i = 0;
    while (i < rest.size() && is_space(rest[i])) line_ += rest[i++] == '\n';
    source_.consume(i);
    if (i < rest.size()) return rest[i];
  }
}

Result<char> JsonStream::get() {
  TRY(const char c, peek());
  if (c != '\0') source_.consume(1);
  return c;
}

Status JsonStream::expect(char wanted, std::string_view name) {
  TRY(const char c, get());
  if (c != wanted) return unexpected_character(c, name);
  return {};
}

Status JsonStream::begin_object() {
  first_ = true;
  return expect('{', "an object \"{\"");
}

Status JsonStream::begin_array() {
  first_ = true;
  return expect('[', "an array \"[\"");
}

Result<bool> JsonStream::next_key(std::string& key) {
  TRY(char c, peek());
  if (c == '}') {
    first_ = false;
    source_.consume(1);
    return false;
  }
  if (!first_) {
    TRY_STATUS(expect(',', "\",\" or \"}\""));
    TRY(c, peek());
  }
  first_ = false;
  if (c != '"') return unexpected_character(c, "a key in quotation marks");
  key.clear();
  bool fits = true;
  TRY_STATUS(scan_string(key, kMaxJsonKeyBytes, fits));
  if (!fits) {
    return fail(Errc::limit, fmt::format("A key has more than {} bytes.", kMaxJsonKeyBytes),
                fmt::format("line {}", line_));
  }
  key = key.substr(1, key.size() - 2);
  TRY_STATUS(expect(':', "\":\""));
  return true;
}

Result<bool> JsonStream::next_element() {
  TRY(const char c, peek());
  if (c == ']') {
    first_ = false;
    source_.consume(1);
    return false;
  }
  if (!first_) TRY_STATUS(expect(',', "\",\" or \"]\""));
  first_ = false;
  return true;
}

Result<bool> JsonStream::raw_value(std::string& out, std::size_t limit_bytes) {
  bool fits = true;
  const std::size_t before = out.size();
  TRY_STATUS(scan_value(out, before + limit_bytes, fits));
  if (!fits) out.resize(before);
  return fits;
}

Status JsonStream::skip_value() {
  std::string nowhere;
  bool fits = false;
  return scan_value(nowhere, 0, fits);
}

Status JsonStream::end() {
  TRY(const char c, peek());
  if (c != '\0') return unexpected_character(c, "the end of the file");
  return {};
}

Status JsonStream::scan_value(std::string& out, std::size_t limit_bytes, bool& fits) {
  std::array<char, kMaxDepth> closers{};
  std::size_t depth = 0;
  do {
    TRY(const char c, peek());
    if (c == '{' || c == '[') {
      if (depth == closers.size()) {
        return fail(Errc::limit, fmt::format("Objects and arrays are nested deeper than {} levels.", kMaxDepth),
                    fmt::format("line {}", line_));
      }
      closers[depth++] = c == '{' ? '}' : ']';
    } else if (c == '"') {
      TRY_STATUS(scan_string(out, limit_bytes, fits));
      continue;
    } else if (depth > 0 && c == closers[depth - 1]) {
      --depth;
    } else if (c == '\0' || c == '}' || c == ']' || (depth == 0 && (c == ',' || c == ':'))) {
      return unexpected_character(c, depth == 0 ? "a value" : std::string_view(&closers[depth - 1], 1));
    } else if (c != ',' && c != ':') {
      TRY_STATUS(scan_scalar(out, limit_bytes, fits));
      continue;
    }
    put(out, std::string_view(&c, 1), limit_bytes, fits);
    source_.consume(1);
  } while (depth > 0);
  return {};
}

Status JsonStream::scan_string(std::string& out, std::size_t limit_bytes, bool& fits) {
  put(out, "\"", limit_bytes, fits);
  source_.consume(1);
  for (bool escaped = false;;) {
    TRY(const std::string_view rest, source_.peek());
    if (rest.empty()) return unexpected_character('\0', "the end of a string");
    std::size_t taken = 0;
    if (escaped) {
      taken = 1;
      escaped = false;
    } else {
      taken = std::min(rest.find_first_of("\"\\\n"), rest.size());
      if (taken == 0 || taken < rest.size()) {
        const char c = rest[taken++];
        if (c == '\n') return unexpected_character('\n', "the end of a string");
        escaped = c == '\\';
        if (c == '"') {
          put(out, rest.substr(0, taken), limit_bytes, fits);
          source_.consume(taken);
          return {};
        }
      }
    }
    put(out, rest.substr(0, taken), limit_bytes, fits);
    source_.consume(taken);
  }
}

Status JsonStream::scan_scalar(std::string& out, std::size_t limit_bytes, bool& fits) {
  for (;;) {
    TRY(const std::string_view rest, source_.peek());
    const auto end = std::ranges::find_if(rest, ends_scalar);
    const auto count = static_cast<std::size_t>(end - rest.begin());
    put(out, rest.substr(0, count), limit_bytes, fits);
    source_.consume(count);
    if (rest.empty() || end != rest.end()) return {};
  }
}

}  // namespace parley::formats
