#include "formats/json_value.h"

#include <fmt/format.h>

#include "formats/limits.h"

namespace parley::formats {

using simdjson::dom::element;
using simdjson::dom::object;

Result<element> JsonParser::parse(std::string& text) {
  text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  if (text.size() > parser_.capacity() || parser_.max_depth() != kMaxDepth) {
    if (parser_.allocate(text.size(), kMaxDepth) != simdjson::SUCCESS) {
      return fail(Errc::limit, "There is not enough memory to read this JSON value.");
    }
  }
  element parsed;
  if (const auto error = parser_.parse(text.data(), text.size(), false).get(parsed); error != simdjson::SUCCESS) {
    return fail(Errc::format, fmt::format("This is not valid JSON: {}", simdjson::error_message(error)));
  }
  return parsed;
}

std::optional<std::string_view> string_at(const object& object, std::string_view key) {
  std::string_view text;
  if (object[key].get(text) != simdjson::SUCCESS) return std::nullopt;
  return text;
}

std::optional<std::string> scalar_at(const object& object, std::string_view key) {
  element value;
  if (object[key].get(value) != simdjson::SUCCESS) return std::nullopt;
  if (std::string_view text; value.get(text) == simdjson::SUCCESS) return std::string(text);
  if (std::int64_t number = 0; value.get(number) == simdjson::SUCCESS) return std::to_string(number);
  return std::nullopt;
}

std::optional<std::uint64_t> unsigned_at(const object& object, std::string_view key) {
  std::uint64_t number = 0;
  if (object[key].get(number) != simdjson::SUCCESS) return std::nullopt;
  return number;
}

bool true_at(const object& object, std::string_view key) {
  bool value = false;
  return object[key].get(value) == simdjson::SUCCESS && value;
}

std::optional<UnixSeconds> time_at(const object& object, std::string_view key) {
  const auto text = scalar_at(object, key);
  return text ? parse_time(*text) : std::nullopt;
}

std::optional<simdjson::dom::array> array_at(const object& object, std::string_view key) {
  simdjson::dom::array array;
  if (object[key].get(array) != simdjson::SUCCESS) return std::nullopt;
  return array;
}

std::optional<object> object_at(const object& outer, std::string_view key) {
  object inner;
  if (outer[key].get(inner) != simdjson::SUCCESS) return std::nullopt;
  return inner;
}

}  // namespace parley::formats
