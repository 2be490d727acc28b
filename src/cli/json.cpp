// JSON and words for counts and contexts.
#include "cli/json.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace parley::cli {
namespace {

std::string value_in_words(const OrderedJson& value) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    // A time of day that is midnight says no more than the date.
    constexpr std::string_view kMidnight = "T00:00:00Z";
    return visible(text.ends_with(kMidnight) ? std::string_view(text).substr(0, text.size() - kMidnight.size())
                                             : std::string_view(text));
  }
  if (!value.is_array()) return value.dump();
  std::string words;
  for (const auto& entry : value) words += (words.empty() ? "" : ", ") + value_in_words(entry);
  return words;
}

}  // namespace

OrderedJson from_stored(const std::string& pjson) {
  return pjson.empty() ? OrderedJson::object() : OrderedJson::parse(pjson, nullptr, /*allow_exceptions=*/false);
}

std::string to_line(const OrderedJson& json) {
  return escape_in_json(json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace)) + "\n";
}

OrderedJson by_type(const std::map<indicator::Type, std::uint64_t>& counts) {
  OrderedJson json = OrderedJson::object();
  for (const auto& [type, count] : counts)
    if (count > 0) json[std::string(indicator::name_of(type))] = count;
  return json;
}

std::string in_words(const std::map<indicator::Type, std::uint64_t>& counts) {
  std::string words;
  for (const auto& [type, count] : counts)
    if (count > 0) words += fmt::format("{}{} {}", words.empty() ? "" : ", ", count, indicator::name_of(type));
  return words.empty() ? "nothing" : words;
}

std::string context_in_words(const OrderedJson& context) {
  std::string words;
  for (const auto& [key, value] : context.items()) {
    std::string name = key;
    std::ranges::replace(name, '_', ' ');
    words += fmt::format("{}{} {}", words.empty() ? "" : ", ", name, value_in_words(value));
  }
  return words;
}

}  // namespace parley::cli
