#include "formats/stix_links.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "formats/limits.h"

namespace parley::formats {
namespace {

using indicator::Context;
using indicator::LabelKind;
using indicator::Tlp;
using simdjson::dom::object;

/// The marking definitions whose ids the standards fix: TLP 1 in STIX 2.1 section 7.2.1.4, TLP 2.0 in the OASIS
/// extension definition 60a3c5c5-0d10-413e-aab3-9e08dde9e88d (2022). A bundle need not repeat them.
constexpr std::array<std::pair<std::string_view, Tlp>, 9> kTlpMarkings = {{
    {"marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", Tlp::clear},
    {"marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da", Tlp::green},
    {"marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", Tlp::amber},
    {"marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed", Tlp::red},
    {"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487", Tlp::clear},
    {"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb", Tlp::green},
    {"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421", Tlp::amber},
    {"marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003", Tlp::amber_strict},
    {"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1", Tlp::red},
}};

/// STIX 2.1 section 10.13 (indicator-type-ov) and 2.0's indicator-label-ov: they say that something is an indicator,
/// which all are.
constexpr std::array<std::string_view, 7> kIndicatorTypes = {
    "anomalous-activity", "anonymization", "attribution", "benign", "compromised", "malicious-activity", "unknown"};

std::optional<LabelKind> kind_of(std::string_view type) {
  if (type == "threat-actor" || type == "intrusion-set") return LabelKind::actor;
  if (type == "malware" || type == "tool") return LabelKind::malware;
  if (type == "attack-pattern") return LabelKind::technique;
  if (type == "campaign") return LabelKind::label;
  return std::nullopt;
}

/// The ATT&CK number of an attack pattern, or its name.
std::string_view attack_pattern_name(const object& pattern, std::string_view name) {
  std::string_view number;
  const Status read =
      for_each_object(pattern, "external_references", [&](const object& reference, std::size_t) -> Status {
        const auto source = string_at(reference, "source_name");
        if (source && source->starts_with("mitre") && source->ends_with("attack")) {
          number = string_at(reference, "external_id").value_or(number);
        }
        return {};
      });
  return read && !number.empty() ? number : technique_name(name);
}

}  // namespace

void add_times(const object& object, std::string_view first_key, std::string_view last_key, Context& context) {
  const auto first = time_at(object, first_key);
  const auto last = time_at(object, last_key);
  if (first && (!context.first_seen || *first < *context.first_seen)) context.first_seen = first;
  if (last && (!context.last_seen || *last > *context.last_seen)) context.last_seen = last;
}

Status StixLinks::learn(const object& object) {
  const auto type = string_at(object, "type");
  const auto id = string_at(object, "id");
  if (!type || !id || true_at(object, "revoked")) return {};
  if (*type == "marking-definition") {
    learn_marking(object, *id);
  } else if (*type == "relationship") {
    learn_relationship(object);
  } else if (*type == "sighting") {
    if (const auto ref = string_at(object, "sighting_of_ref"))
      learn_seen(object, *ref, "first_seen", "last_seen", "count");
  } else if (*type == "observed-data") {
    for_each_string(object, "object_refs", [&](std::string_view ref) {
      learn_seen(object, ref, "first_observed", "last_observed", "number_observed");
    });
  } else {
    learn_names(object, *type, *id);
  }
  if (links_ > kMaxStixLinks) {
    return fail(Errc::limit, fmt::format("The bundle has more than {} names, relationships and sightings; split it.",
                                         kMaxStixLinks));
  }
  return {};
}

void StixLinks::learn_names(const object& object, std::string_view type, std::string_view id) {
  Context names;
  const auto name = string_at(object, "name");
  if (const auto kind = kind_of(type); kind && name) {
    add_label(names, *kind, *kind == LabelKind::technique ? attack_pattern_name(object, *name) : *name);
  } else if (type == "identity") {
    for_each_string(object, "sectors", [&](std::string_view sector) { add_label(names, LabelKind::sector, sector); });
  }
  if (names.labels.empty()) return;
  links_ += names.labels.size();
  names_[std::string(id)] = std::move(names.labels);
}

void StixLinks::learn_marking(const object& object, std::string_view id) {
  Marking marking;
  const auto definition = object_at(object, "definition");
  const auto read = [&](std::string_view text) {
    if (const auto tlp = indicator::tlp_named(text)) marking.tlp = tlp;
    if (const auto pap = indicator::pap_named(text); pap && !marking.tlp) marking.pap = pap;
  };
  if (definition) {
    if (const auto tlp = string_at(*definition, "tlp")) marking.tlp = indicator::tlp_named(*tlp);
    if (const auto pap = string_at(*definition, "pap")) marking.pap = indicator::pap_named(*pap);
  }
  const auto name = string_at(object, "name");
  if (!marking.tlp && !marking.pap && name && name->find(':') != std::string_view::npos) read(*name);
  if (!marking.tlp && !marking.pap) return;
  ++links_;
  markings_[std::string(id)] = marking;
}

void StixLinks::learn_relationship(const object& object) {
  const auto type = string_at(object, "relationship_type");
  const auto source = string_at(object, "source_ref");
  const auto target = string_at(object, "target_ref");
  if (!type || !source || !target) return;
  const bool of_indicator = source->starts_with("indicator--") && *type != "duplicate-of" && *type != "derived-from";
  if (!of_indicator && *type != "attributed-to") return;
  // More targets than labels would only cost time.
  auto& targets = targets_[std::string(*source)];
  if (targets.size() == kMaxLabels) return;
  ++links_;
  targets.emplace_back(*target);
}

void StixLinks::learn_seen(const object& object, std::string_view ref, std::string_view first_key,
                           std::string_view last_key, std::string_view count_key) {
  ++links_;
  Seen& seen = seen_[std::string(ref)];
  Context times;
  times.first_seen = seen.first;
  times.last_seen = seen.last;
  add_times(object, first_key, last_key, times);
  seen.first = times.first_seen;
  seen.last = times.last_seen;
  const std::uint64_t count = std::max<std::uint64_t>(unsigned_at(object, count_key).value_or(1), 1);
  if (__builtin_add_overflow(seen.count, count, &seen.count)) seen.count = UINT64_MAX;
}

void StixLinks::add_names(std::string_view id, Context& context) const {
  const auto names = names_.find(std::string(id));
  if (names == names_.end()) return;
  for (const indicator::Label& label : names->second) add_label(context, label.kind, label.name);
}

void StixLinks::add_markings(const object& object, Context& context) const {
  for_each_string(object, "object_marking_refs", [&](std::string_view id) {
    for (const auto& [fixed, tlp] : kTlpMarkings) {
      if (fixed == id) restrict_tlp(context, tlp);
    }
    const auto marking = markings_.find(std::string(id));
    if (marking == markings_.end()) return;
    restrict_tlp(context, marking->second.tlp);
    restrict_pap(context, marking->second.pap);
  });
}

void StixLinks::describe(const object& object, Context& context) const {
  if (const auto confidence = unsigned_at(object, "confidence"); confidence && *confidence <= 100) {
    context.confidence = static_cast<std::uint8_t>(*confidence);
  }
  add_markings(object, context);
  for_each_string(object, "labels", [&](std::string_view label) {
    if (std::ranges::find(kIndicatorTypes, label) == kIndicatorTypes.end()) add_tag(context, label);
  });
  const auto id = string_at(object, "id");
  if (!id) return;
  if (const auto targets = targets_.find(std::string(*id)); targets != targets_.end()) {
    for (const std::string& target : targets->second) {
      add_names(target, context);
      const auto behind = targets_.find(target);
      if (behind == targets_.end()) continue;
      for (const std::string& actor : behind->second) add_names(actor, context);
    }
  }
  if (const auto seen = seen_.find(std::string(*id)); seen != seen_.end()) {
    context.sightings = seen->second.count;
    if (seen->second.first && (!context.first_seen || *seen->second.first < *context.first_seen)) {
      context.first_seen = seen->second.first;
    }
    if (seen->second.last && (!context.last_seen || *seen->second.last > *context.last_seen)) {
      context.last_seen = seen->second.last;
    }
  }
}

}  // namespace parley::formats
