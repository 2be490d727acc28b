// JSON for scripts: what --json prints.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "session/states.h"

namespace parley::cli {

using OrderedJson = nlohmann::ordered_json;

/// A stored PJ1 object ("" is an empty one).
OrderedJson from_stored(const std::string& pjson);
/// One line, invalid UTF-8 replaced, and nothing raw that acts on a terminal; with a newline.
std::string to_line(const OrderedJson& json);
/// {"ipv4": 12, …}
OrderedJson by_type(const std::map<indicator::Type, std::uint64_t>& counts);
/// "12 ipv4, 3 domain", "nothing" when empty.
std::string in_words(const std::map<indicator::Type, std::uint64_t>& counts);
/// A context object in words: "first seen 2015-06-30, malware Sednit".
std::string context_in_words(const OrderedJson& context);

}  // namespace parley::cli
