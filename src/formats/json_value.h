// Small readers over a parsed JSON object (simdjson DOM): what is absent or of another type is nothing.
#pragma once

#include <simdjson.h>

#include <optional>

#include "base/clock.h"
#include "base/error.h"

namespace parley::formats {

/// Parses one JSON value at a time and keeps it until the next one.
class JsonParser {
 public:
  /// `text` is kept by the caller while the element is used. @error Errc::format with simdjson's reason
  Result<simdjson::dom::element> parse(std::string& text);

 private:
  simdjson::dom::parser parser_;
};

std::optional<std::string_view> string_at(const simdjson::dom::object& object, std::string_view key);
/// A string or a number as text, as MISP writes both for one field.
std::optional<std::string> scalar_at(const simdjson::dom::object& object, std::string_view key);
std::optional<std::uint64_t> unsigned_at(const simdjson::dom::object& object, std::string_view key);
bool true_at(const simdjson::dom::object& object, std::string_view key);
std::optional<UnixSeconds> time_at(const simdjson::dom::object& object, std::string_view key);
std::optional<simdjson::dom::array> array_at(const simdjson::dom::object& object, std::string_view key);
std::optional<simdjson::dom::object> object_at(const simdjson::dom::object& object, std::string_view key);

/// Calls `take(string)` for each string of the array at `key`.
template <typename Take>
void for_each_string(const simdjson::dom::object& object, std::string_view key, Take take) {
  const auto array = array_at(object, key);
  if (!array) return;
  for (const simdjson::dom::element element : *array) {
    std::string_view text;
    if (element.get(text) == simdjson::SUCCESS) take(text);
  }
}

/// Calls `take(object, index)`, which returns a Status, for each object of the array at `key`.
template <typename Take>
Status for_each_object(const simdjson::dom::object& object, std::string_view key, Take take) {
  const auto array = array_at(object, key);
  if (!array) return {};
  std::size_t index = 0;
  for (const simdjson::dom::element element : *array) {
    simdjson::dom::object inner;
    if (element.get(inner) == simdjson::SUCCESS) TRY_STATUS(take(inner, index));
    ++index;
  }
  return {};
}

}  // namespace parley::formats
