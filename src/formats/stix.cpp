#include "formats/stix.h"

#include <fmt/format.h>

#include <algorithm>

#include "formats/json_stream.h"
#include "formats/limits.h"
#include "formats/stix_links.h"
#include "formats/stix_pattern.h"

namespace parley::formats {
namespace {

using indicator::Context;
using indicator::Type;
using simdjson::dom::element;
using simdjson::dom::object;

/// Calls `take(object, path)` for each object of the bundle in `source`.
template <typename Take>
Status for_each_stix_object(Source& source, Intake& intake, bool report_faults, Take take) {
  JsonStream json(source);
  JsonParser parser;
  std::string key;
  std::string text;
  bool any = false;
  TRY_STATUS(json.begin_object());
  for (;;) {
    TRY(const bool more_keys, json.next_key(key));
    if (!more_keys) break;
    TRY(const char kind, json.peek());
    if (key != "objects" || kind != '[') {
      TRY_STATUS(json.skip_value());
      continue;
    }
    any = true;
    TRY_STATUS(json.begin_array());
    for (std::size_t index = 0;; ++index) {
      TRY(const bool more, json.next_element());
      if (!more) break;
      text.clear();
      TRY(const bool fits, json.raw_value(text, kMaxStixObjectBytes));
      const auto path = [&] { return fmt::format("$.objects[{}]", index); };
      if (!fits) {
        if (report_faults) {
          TRY_STATUS(intake.refuse(
              {path()},
              Error{Errc::limit, fmt::format("The object has more than {} bytes.", kMaxStixObjectBytes), {}}));
        }
        continue;
      }
      auto parsed = parser.parse(text);
      object stix;
      if (!parsed || parsed->get(stix) != simdjson::SUCCESS || !string_at(stix, "type")) {
        if (!report_faults) continue;
        TRY_STATUS(intake.refuse({path()}, parsed
                                               ? Error{Errc::format, "A STIX object with a \"type\" was expected.", {}}
                                               : std::move(parsed).error()));
        continue;
      }
      TRY_STATUS(take(stix, path()));
    }
  }
  TRY_STATUS(json.end());
  if (!any) return fail(Errc::format, "The JSON object has no \"objects\" array, which every STIX bundle has.");
  return {};
}

std::optional<Declared> hash_named(std::string_view algorithm) {
  const auto type = declared_type(algorithm);
  return type && indicator::is_hash(type->type) && !type->family ? type : std::nullopt;
}

/// What parley carries of a pattern's object paths.
struct Carried {
  std::optional<Declared> type;  ///< absent: the value shows it
};

bool ends_with_ignoring_case(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && equal_ignoring_case(text.substr(text.size() - end.size()), end);
}

std::optional<Carried> carried(std::string_view object, std::string_view path) {
  constexpr std::string_view kHashes = "hashes.";
  if (const std::size_t at = path.find(kHashes); at != std::string_view::npos) {
    if (const auto type = hash_named(path.substr(at + kHashes.size()))) return Carried{type};
    return std::nullopt;
  }
  if (path == "value") {
    if (object == "cryptocurrency-wallet") return Carried{{{Type::btc}}};
    if (const auto type = declared_type(object)) {
      return Carried{{{type->type, object == "ipv4-addr" || object == "ipv6-addr"}}};
    }
    return std::nullopt;
  }
  if (object == "file" && path == "name") return Carried{{{Type::filename}}};
  if (object == "mutex" && path == "name") return Carried{{{Type::mutex}}};
  if (object == "windows-registry-key" && path == "key") return Carried{{{Type::regkey}}};
  if (object == "autonomous-system" && path == "number") return Carried{{{Type::asn}}};
  if (object == "vulnerability" && path == "name") return Carried{{{Type::cve}}};
  if (object == "network-traffic" && ends_with_ignoring_case(path, "user-agent")) return Carried{{{Type::user_agent}}};
  if (ends_with_ignoring_case(path, "ja3") || ends_with_ignoring_case(path, "ja3_hash")) return Carried{{{Type::ja3}}};
  const bool of_traffic = object == "network-traffic" && (path == "dst_ref.value" || path == "src_ref.value");
  const bool of_domain = object == "domain-name" && path == "resolves_to_refs.value";
  const bool of_message = object == "email-message" && (path == "from_ref.value" || path == "sender_ref.value");
  if (of_traffic || of_domain || of_message) return Carried{};
  return std::nullopt;
}

class StixReader {
 public:
  StixReader(Intake& intake, const StixLinks& links) : intake_(intake), links_(links) {}

  Status take(const object& stix, const std::string& path) {
    if (true_at(stix, "revoked")) {
      intake_.skip({path}, "The object is revoked.");
      return {};
    }
    const std::string_view type = *string_at(stix, "type");
    Context context;
    if (type == "indicator") {
      links_.describe(stix, context);
      add_times(stix, "valid_from", "", context);
      add_times(stix, "first_seen", "last_seen", context);
      return indicator(stix, context, path);
    }
    if (type == "observed-data") return observed_data(stix, path);
    if (type == "vulnerability") {
      const auto name = string_at(stix, "name");
      if (!name || !equal_ignoring_case(name->substr(0, 4), "cve-")) return {};
    }
    links_.describe(stix, context);
    return observable(stix, context, path);
  }

 private:
  Status indicator(const object& stix, const Context& context, const std::string& path) {
    const std::string pattern_path = path + ".pattern";
    const auto text = string_at(stix, "pattern");
    const auto language = string_at(stix, "pattern_type");
    if (language && *language != "stix") {
      intake_.skip({path}, fmt::format("The pattern is written in {}; only STIX patterns are read.", shown(*language)));
      return {};
    }
    if (!text) return intake_.refuse({path}, "An indicator with a \"pattern\" was expected.");
    const auto pattern = parse_stix_pattern(*text);
    if (!pattern) return intake_.refuse({pattern_path}, pattern.error());
    std::size_t taken = 0;
    TRY_STATUS(terms(*pattern, context, pattern_path, taken));
    if (taken == 0) intake_.skip({pattern_path}, "The pattern names nothing that parley carries: " + shown(*text));
    return {};
  }

  /// Hashes of different kinds that one observation joins by AND are hashes of one file.
  Status terms(const Pattern& pattern, const Context& context, const std::string& path, std::size_t& taken) {
    std::unordered_map<std::size_t, std::uint64_t> file_objects;
    for (const PatternTerm& term : pattern.terms) {
      const auto type = carried(term.object, term.path);
      if (!type) continue;
      ++taken;
      std::uint64_t file_object = 0;
      if (type->type && indicator::is_hash(type->type->type) && term.object == "file") {
        std::uint64_t& number = file_objects[term.group];
        if (number == 0) number = intake_.new_file_object();
        file_object = number;
      }
      TRY_STATUS(type->type ? intake_.take(*type->type, term.value, context, file_object, {path})
                            : intake_.take(term.value, context, file_object, {path}));
    }
    return {};
  }

  /// STIX 2.0 keeps observables inside (section 2.8 there); those of 2.1 are objects of the bundle.
  Status observed_data(const object& stix, const std::string& path) {
    const auto objects = object_at(stix, "objects");
    if (!objects) return {};
    Context context;
    links_.describe(stix, context);
    add_times(stix, "first_observed", "last_observed", context);
    context.sightings = std::max<std::uint64_t>(unsigned_at(stix, "number_observed").value_or(1), 1);
    for (const auto field : *objects) {
      object inner;
      if (field.value.get(inner) != simdjson::SUCCESS || !string_at(inner, "type")) continue;
      TRY_STATUS(observable(inner, context, fmt::format("{}.objects.{}", path, field.key)));
    }
    return {};
  }

  Status observable(const object& stix, const Context& context, const std::string& path) {
    const std::string_view type = *string_at(stix, "type");
    for (const std::string_view property : {"value", "name", "key", "number"}) {
      const auto place = carried(type, property);
      const auto text = place ? scalar_at(stix, property) : std::nullopt;
      if (text) TRY_STATUS(intake_.take(*place->type, *text, context, 0, {fmt::format("{}.{}", path, property)}));
    }
    if (const auto hashes = object_at(stix, "hashes")) TRY_STATUS(take_hashes(type, *hashes, context, path));
    const auto extensions = object_at(stix, "extensions");
    const auto request = extensions ? object_at(*extensions, "http-request-ext") : std::nullopt;
    const auto header = request ? object_at(*request, "request_header") : std::nullopt;
    if (!header) return {};
    for (const auto field : *header) {
      if (!equal_ignoring_case(field.key, "user-agent")) continue;
      // STIX 2.1 (section 6.12.2) gives a list of strings, 2.0 one string.
      std::string_view agent;
      if (field.value.is_array() ? field.value.at(0).get(agent) : field.value.get(agent)) continue;
      TRY_STATUS(intake_.take({Type::user_agent}, agent, context, 0, {path + ".extensions"}));
    }
    return {};
  }

  Status take_hashes(std::string_view type, const object& hashes, const Context& context, const std::string& path) {
    const std::uint64_t file_object = type == "file" || type == "artifact" ? intake_.new_file_object() : 0;
    for (const auto field : hashes) {
      const auto algorithm = hash_named(field.key);
      std::string_view text;
      if (!algorithm || field.value.get(text) != simdjson::SUCCESS) continue;
      TRY_STATUS(intake_.take(*algorithm, text, context, file_object, {fmt::format("{}.hashes.{}", path, field.key)}));
    }
    return {};
  }

  Intake& intake_;
  const StixLinks& links_;
};

}  // namespace

Status read_stix(Source& source, Intake& intake) {
  StixLinks links;
  TRY_STATUS(for_each_stix_object(source, intake, false, [&](const object& stix, const std::string& path) -> Status {
    auto learnt = links.learn(stix);
    if (!learnt) return std::unexpected(std::move(learnt).error().at(path));
    return {};
  }));
  TRY_STATUS(source.rewind());
  StixReader reader(intake, links);
  return for_each_stix_object(source, intake, true,
                              [&](const object& stix, const std::string& path) { return reader.take(stix, path); });
}

}  // namespace parley::formats
