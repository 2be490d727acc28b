// What the objects of a STIX bundle say about each other, gathered in a first pass.
#pragma once

#include <string>
#include <unordered_map>

#include "formats/intake.h"
#include "formats/json_value.h"

namespace parley::formats {

class StixLinks {
 public:
  /// Takes what `object` says about others. @error Errc::limit past kMaxStixLinks
  Status learn(const simdjson::dom::object& object);

  /// Adds to `context` what `object` and everything that refers to it say: labels, markings, confidence, sightings.
  void describe(const simdjson::dom::object& object, indicator::Context& context) const;

 private:
  struct Marking {
    std::optional<indicator::Tlp> tlp;
    std::optional<indicator::Pap> pap;
  };
  struct Seen {
    std::optional<UnixSeconds> first;
    std::optional<UnixSeconds> last;
    std::uint64_t count = 0;
  };

  void learn_names(const simdjson::dom::object& object, std::string_view type, std::string_view id);
  void learn_marking(const simdjson::dom::object& object, std::string_view id);
  void learn_relationship(const simdjson::dom::object& object);
  void learn_seen(const simdjson::dom::object& object, std::string_view ref, std::string_view first_key,
                  std::string_view last_key, std::string_view count_key);
  void add_names(std::string_view id, indicator::Context& context) const;
  void add_markings(const simdjson::dom::object& object, indicator::Context& context) const;

  template <typename Value>
  using ById = std::unordered_map<std::string, Value>;

  ById<std::vector<indicator::Label>> names_;
  ById<Marking> markings_;
  ById<std::vector<std::string>> targets_;  ///< indicator -> what it indicates; campaign, malware -> who is behind it
  ById<Seen> seen_;
  std::size_t links_ = 0;
};

/// Adds the first and last time of `object`, in the names of `first_key` and `last_key`.
void add_times(const simdjson::dom::object& object, std::string_view first_key, std::string_view last_key,
               indicator::Context& context);

}  // namespace parley::formats
