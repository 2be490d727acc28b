// Labels and markings as files write them (MISP taxonomies and galaxies, STIX labels), into a context.
#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "formats/intake.h"
#include "formats/limits.h"

namespace parley::formats {
namespace {

using indicator::Context;
using indicator::LabelKind;

/// Galaxies by what their clusters name (MISP/misp-galaxy, folder clusters/).
constexpr std::array<std::pair<std::string_view, LabelKind>, 27> kGalaxies = {{
    {"threat-actor", LabelKind::actor},
    {"mitre-intrusion-set", LabelKind::actor},
    {"mitre-enterprise-attack-intrusion-set", LabelKind::actor},
    {"microsoft-activity-group", LabelKind::actor},
    {"360net-threat-actor", LabelKind::actor},
    {"malware", LabelKind::malware},
    {"mitre-malware", LabelKind::malware},
    {"mitre-enterprise-attack-malware", LabelKind::malware},
    {"mitre-tool", LabelKind::malware},
    {"mitre-enterprise-attack-tool", LabelKind::malware},
    {"malpedia", LabelKind::malware},
    {"tool", LabelKind::malware},
    {"ransomware", LabelKind::malware},
    {"rat", LabelKind::malware},
    {"backdoor", LabelKind::malware},
    {"banker", LabelKind::malware},
    {"stealer", LabelKind::malware},
    {"botnet", LabelKind::malware},
    {"cryptominers", LabelKind::malware},
    {"android", LabelKind::malware},
    {"exploit-kit", LabelKind::malware},
    {"mitre-attack-pattern", LabelKind::technique},
    {"mitre-enterprise-attack-attack-pattern", LabelKind::technique},
    {"mitre-mobile-attack-attack-pattern", LabelKind::technique},
    {"mitre-ics-techniques", LabelKind::technique},
    {"sector", LabelKind::sector},
    {"target-information", LabelKind::sector},
}};

/// MISP/misp-taxonomies, misp, confidence-level, with the numeric values given there.
constexpr std::array<std::pair<std::string_view, std::uint8_t>, 5> kConfidenceLevels = {{
    {"completely-confident", 100},
    {"usually-confident", 75},
    {"fairly-confident", 50},
    {"rarely-confident", 25},
    {"unconfident", 0},
}};

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && equal_ignoring_case(text.substr(0, prefix.size()), prefix);
}

/// `namespace:predicate="value"` (MISP machine tags).
struct MachineTag {
  std::string_view predicate;
  std::string_view value;
};

MachineTag machine_tag(std::string_view after_namespace) {
  const std::size_t equals = after_namespace.find('=');
  if (equals == std::string_view::npos) return {after_namespace, {}};
  std::string_view value = after_namespace.substr(equals + 1);
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
  return {after_namespace.substr(0, equals), value};
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// T1566 or T1566.002; S0251, G0007 (attack.mitre.org).
bool is_attack_number(std::string_view text, char letter) {
  if (text.size() < 5 || text[0] != letter || !is_digits(text.substr(1, 4))) return false;
  return text.size() == 5 || (text.size() == 9 && text[5] == '.' && is_digits(text.substr(6)));
}

/// "APT28 - G0007" is APT28: names are what sources have in common, except for techniques.
std::string_view without_attack_number(std::string_view name) {
  const std::size_t dash = name.rfind(" - ");
  if (dash == std::string_view::npos) return name;
  const std::string_view last = name.substr(dash + 3);
  return is_attack_number(last, 'G') || is_attack_number(last, 'S') ? name.substr(0, dash) : name;
}

void add_galaxy(Context& context, MachineTag tag) {
  for (const auto& [galaxy, kind] : kGalaxies) {
    if (galaxy != tag.predicate) continue;
    add_label(context, kind,
              kind == LabelKind::technique ? technique_name(tag.value) : without_attack_number(tag.value));
    return;
  }
  add_label(context, LabelKind::label, tag.value);
}

}  // namespace

void add_label(Context& context, LabelKind kind, std::string_view name) {
  name = trimmed(name);
  if (name.empty() || name.size() > kMaxLabelBytes || context.labels.size() >= kMaxLabels || !is_valid_utf8(name))
    return;
  indicator::Label label{kind, std::string(name)};
  const auto at = std::ranges::lower_bound(context.labels, label);
  if (at == context.labels.end() || *at != label) context.labels.insert(at, std::move(label));
}

void restrict_tlp(Context& context, std::optional<indicator::Tlp> tlp) {
  if (tlp && (!context.tlp || *tlp > *context.tlp)) context.tlp = tlp;
}

void restrict_pap(Context& context, std::optional<indicator::Pap> pap) {
  if (pap && (!context.pap || *pap > *context.pap)) context.pap = pap;
}

std::string_view technique_name(std::string_view name) {
  const std::size_t dash = name.rfind(" - ");
  const std::string_view last = dash == std::string_view::npos ? name : name.substr(dash + 3);
  return is_attack_number(last, 'T') ? last : name;
}

void add_tag(Context& context, std::string_view tag) {
  tag = trimmed(tag);
  if (starts_with_ignoring_case(tag, "tlp:")) {
    if (const auto tlp = indicator::tlp_named(tag)) return restrict_tlp(context, tlp);
  }
  if (starts_with_ignoring_case(tag, "pap:")) {
    if (const auto pap = indicator::pap_named(tag)) return restrict_pap(context, pap);
  }
  constexpr std::string_view kGalaxy = "misp-galaxy:";
  if (starts_with_ignoring_case(tag, kGalaxy)) return add_galaxy(context, machine_tag(tag.substr(kGalaxy.size())));
  constexpr std::string_view kMisp = "misp:";
  if (starts_with_ignoring_case(tag, kMisp)) {
    const MachineTag misp = machine_tag(tag.substr(kMisp.size()));
    for (const auto& [level, confidence] : kConfidenceLevels) {
      if (misp.predicate == "confidence-level" && misp.value == level) context.confidence = confidence;
    }
    return;
  }
  add_label(context, LabelKind::label, tag);
}

}  // namespace parley::formats
