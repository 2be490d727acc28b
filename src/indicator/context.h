// What a member knows about an indicator besides its value, and how far it may go.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace parley::indicator {

/// Traffic Light Protocol 2.0 (FIRST, 2022), least restrictive first. WHITE of TLP 1 reads as CLEAR.
enum class Tlp : std::uint8_t { clear = 0, green = 1, amber = 2, amber_strict = 3, red = 4 };
/// Permissible Actions Protocol, least restrictive first. WHITE reads as CLEAR.
enum class Pap : std::uint8_t { clear = 0, green = 1, amber = 2, red = 3 };

/// "clear", "green", "amber", "amber+strict", "red".
std::string_view name_of(Tlp tlp);
std::string_view name_of(Pap pap);
/// Takes any case, with or without the "TLP:" / "PAP:" prefix, and the MISP tag and STIX spellings.
std::optional<Tlp> tlp_named(std::string_view name);
std::optional<Pap> pap_named(std::string_view name);

/// What a label says. The names stand in storage and in commands.
enum class LabelKind : std::uint8_t { label = 0, actor = 1, malware = 2, technique = 3, sector = 4 };
std::string_view name_of(LabelKind kind);

struct Label {
  LabelKind kind = LabelKind::label;
  std::string name;  ///< as written in the source; compared without regard to case
  auto operator<=>(const Label&) const = default;
};

/// One source's view of one indicator. Nothing is guessed: what the source does not say stays empty.
struct Context {
  std::optional<UnixSeconds> first_seen;
  std::optional<UnixSeconds> last_seen;
  std::uint64_t sightings = 1;
  std::optional<std::uint8_t> confidence;  ///< 0 to 100, STIX 2.1 section 3.2
  std::optional<Tlp> tlp;
  std::optional<Pap> pap;
  std::vector<Label> labels;  ///< sorted, no duplicates
};

}  // namespace parley::indicator
