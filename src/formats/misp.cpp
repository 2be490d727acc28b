#include "formats/misp.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "formats/json_stream.h"
#include "formats/json_value.h"
#include "formats/limits.h"

namespace parley::formats {
namespace {

using indicator::Context;
using indicator::Type;
using simdjson::dom::object;

void add_tags(const object& tagged, Context& context) {
  const auto add = [&](const object& tag, std::string_view key) {
    if (const auto name = string_at(tag, key)) add_tag(context, *name);
  };
  Status read = for_each_object(tagged, "Tag", [&](const object& tag, std::size_t) -> Status {
    add(tag, "name");
    return {};
  });
  read = for_each_object(tagged, "Galaxy", [&](const object& galaxy, std::size_t) {
    return for_each_object(galaxy, "GalaxyCluster", [&](const object& cluster, std::size_t) -> Status {
      add(cluster, "tag_name");
      return {};
    });
  });
}

void add_seen(const object& seen, Context& context) {
  if (const auto first = time_at(seen, "first_seen")) context.first_seen = first;
  if (const auto last = time_at(seen, "last_seen")) context.last_seen = last;
}

class EventReader {
 public:
  EventReader(Intake& intake, std::string path) : intake_(intake), path_(std::move(path)) {}

  Status read(const object& event) {
    add_tags(event, event_context_);
    event_context_.first_seen = time_at(event, "date");
    TRY_STATUS(for_each_object(event, "Attribute", [&](const object& attribute, std::size_t index) {
      return take_attribute(attribute, event_context_, 0, fmt::format("{}.Attribute[{}]", path_, index));
    }));
    TRY_STATUS(for_each_object(event, "Object", [&](const object& whole, std::size_t index) {
      return take_object(whole, fmt::format("{}.Object[{}]", path_, index));
    }));
    for (const auto& [type, count] : not_carried_) {
      intake_.skip({path_}, fmt::format("{} attribute{} of type {}: parley does not carry this type.", count,
                                        count == 1 ? "" : "s", shown(type)));
    }
    return {};
  }

 private:
  /// Hashes of one object are hashes of one file, as long as there is only one of each kind.
  Status take_object(const object& whole, const std::string& path) {
    if (true_at(whole, "deleted")) return {};
    Context context = event_context_;
    add_seen(whole, context);
    std::set<std::string> kinds;
    bool one_of_each = true;
    TRY_STATUS(for_each_object(whole, "Attribute", [&](const object& attribute, std::size_t) -> Status {
      const std::string_view type = string_at(attribute, "type").value_or("");
      if (const auto hash = declared_type(type);
          hash && indicator::is_hash(hash->type) && !true_at(attribute, "deleted")) {
        one_of_each = kinds.emplace(type).second && one_of_each;
      }
      return {};
    }));
    const std::uint64_t file_object = one_of_each ? intake_.new_file_object() : 0;
    return for_each_object(whole, "Attribute", [&](const object& attribute, std::size_t index) {
      return take_attribute(attribute, context, file_object, fmt::format("{}.Attribute[{}]", path, index));
    });
  }

  Status take_attribute(const object& attribute, const Context& outer, std::uint64_t file_object,
                        const std::string& path) {
    if (true_at(attribute, "deleted")) return {};
    const auto type = string_at(attribute, "type");
    const auto value = scalar_at(attribute, "value");
    if (!type || !value) return intake_.refuse({path}, "An attribute with \"type\" and \"value\" was expected.");
    Context context = outer;
    add_tags(attribute, context);
    add_seen(attribute, context);
    if (!context.first_seen) context.first_seen = time_at(attribute, "timestamp");
    if (const auto sightings = array_at(attribute, "Sighting"); sightings && sightings->size() > 0) {
      context.sightings = sightings->size();
    }
    // A URL to what somebody wrote about the event, not one of the event.
    if (*type == "url" && string_at(attribute, "category") == "External analysis") {
      ++not_carried_["url in External analysis"];
      return {};
    }
    TRY(const bool carried, intake_.take_typed(*type, *value, context, file_object, {path + ".value"}));
    if (!carried) ++not_carried_[std::string(*type)];
    return {};
  }

  Intake& intake_;
  std::string path_;
  Context event_context_;
  std::map<std::string, std::uint64_t> not_carried_;
};

class MispReader {
 public:
  MispReader(Source& source, Intake& intake) : json_(source), intake_(intake) {}

  Status read() {
    TRY_STATUS(value("$"));
    TRY_STATUS(json_.end());
    if (!any_event_) {
      return fail(Errc::format, "The JSON has no \"Event\" and no \"Attribute\", which every MISP export has.");
    }
    return {};
  }

 private:
  /// {"Event": …}, {"response": …}, a list of either, or an event's own fields.
  Status value(const std::string& path) {
    TRY(const char kind, json_.peek());
    if (kind != '[') return wrapper(path);
    if (++depth_ > kMaxWrappers) return fail(Errc::format, "The lists around the events are nested too deeply.", path);
    TRY_STATUS(json_.begin_array());
    for (std::size_t index = 0;; ++index) {
      TRY(const bool more, json_.next_element());
      if (!more) break;
      TRY_STATUS(value(fmt::format("{}[{}]", path, index)));
    }
    --depth_;
    return {};
  }

  Status wrapper(const std::string& path) {
    if (++depth_ > kMaxWrappers)
      return fail(Errc::format, "The objects around the events are nested too deeply.", path);
    TRY_STATUS(json_.begin_object());
    for (std::string key;;) {
      TRY(const bool more, json_.next_key(key));
      if (!more) break;
      TRY(const char kind, json_.peek());
      if (key == "Event" && kind == '{') {
        TRY_STATUS(event(path + ".Event"));
      } else if (key == "response" && (kind == '{' || kind == '[')) {
        TRY_STATUS(value(path + ".response"));
      } else if (key == "Attribute" && kind == '[') {
        TRY_STATUS(attributes(path));
      } else {
        TRY_STATUS(json_.skip_value());
      }
    }
    --depth_;
    return {};
  }

  Status event(const std::string& path) { return parse_event("", "", path); }
  /// The answer of an attribute search: attributes without an event around them.
  Status attributes(const std::string& path) { return parse_event("{\"Attribute\":", "}", path); }

  Status parse_event(std::string_view before, std::string_view after, const std::string& path) {
    any_event_ = true;
    text_.assign(before);
    TRY(const bool fits, json_.raw_value(text_, kMaxMispEventBytes));
    if (!fits) {
      return intake_.refuse(
          {path}, Error{Errc::limit, fmt::format("The event has more than {} bytes.", kMaxMispEventBytes), {}});
    }
    text_ += after;
    auto parsed = parser_.parse(text_);
    object event;
    if (!parsed) return intake_.refuse({path}, std::move(parsed).error());
    if (parsed->get(event) != simdjson::SUCCESS) return intake_.refuse({path}, "An event object was expected.");
    return EventReader(intake_, path).read(event);
  }

  /// {"response": [{"Event": …}]} needs three. Ours.
  static constexpr int kMaxWrappers = 8;

  JsonStream json_;
  Intake& intake_;
  JsonParser parser_;
  std::string text_;
  bool any_event_ = false;
  int depth_ = 0;
};

/// The manifest's keys, which are event UUIDs; anything else would be a path chosen by a stranger.
Result<std::vector<std::string>> manifest_events(Source& source) {
  JsonStream json(source);
  std::vector<std::string> events;
  TRY_STATUS(json.begin_object());
  for (std::string key;;) {
    TRY(const bool more, json.next_key(key));
    if (!more) break;
    constexpr std::size_t kUuidCharacters = 36;  // RFC 4122 section 3
    if (key.size() != kUuidCharacters || key.find_first_not_of("0123456789abcdefABCDEF-") != std::string::npos) {
      return fail(Errc::format, fmt::format("{} stands where an event's UUID was expected.", shown(key)),
                  fmt::format("manifest.json, line {}", json.line()));
    }
    if (events.size() == kMaxFeedEvents) {
      return fail(Errc::limit, fmt::format("The feed has more than {} events.", kMaxFeedEvents), "manifest.json");
    }
    TRY_STATUS(json.skip_value());
    events.push_back(key);
  }
  TRY_STATUS(json.end());
  std::ranges::sort(events);
  return events;
}

}  // namespace

Status read_misp(Source& source, Intake& intake) {
  return MispReader(source, intake).read();
}

Status read_misp_feed(const std::filesystem::path& folder, Intake& intake, Progress& progress) {
  SilentProgress inner;
  auto manifest = open_source(folder / "manifest.json", inner);
  if (!manifest) return std::unexpected(std::move(manifest).error().at("manifest.json"));
  TRY(const auto events, manifest_events(**manifest));
  progress.phase("reading events", events.size());
  std::uint64_t done = 0;
  for (const std::string& uuid : events) {
    if (progress.cancelled()) return fail(Errc::cancelled, "Reading was stopped.");
    const std::string name = uuid + ".json";
    auto source = open_source(folder / name, inner);
    Status read = source ? read_misp(**source, intake) : Status(std::unexpected(std::move(source).error()));
    // Lenient: a damaged event is left out, whatever the sink fails with still ends the import.
    const bool fault_of_file = !read && (read.error().code == Errc::format || read.error().code == Errc::limit ||
                                         read.error().code == Errc::not_found);
    if (!read && fault_of_file) read = intake.refuse({name}, std::move(read).error());
    TRY_STATUS(read);
    progress.advance(++done);
  }
  return {};
}

}  // namespace parley::formats
