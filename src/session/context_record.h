// The context record of an indicator: what its owner knows about it, in fixed fields that are committed to before a
// session runs, and opened afterwards one by one (log.md 5.1).
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "indicator/context.h"
#include "log/pjson.h"
#include "vault/vault.h"

namespace parley::session {

/// The paths of the record, ascending. Every record commits to all of them, so that presence is hidden.
inline constexpr std::array<std::string_view, 12> kFieldPaths = {"actor",     "confidence", "first_seen", "label",
                                                                 "last_seen", "malware",    "pap",        "sector",
                                                                 "sightings", "source",     "technique",  "tlp"};
/// The marks travel with whatever else is opened.
inline constexpr std::array<std::string_view, 2> kMarkPaths = {"pap", "tlp"};

std::optional<std::size_t> field_index(std::string_view path);

/// The longest value of one field; longer lists of labels or sources are cut at this many entries and bytes, and say
/// so.
inline constexpr std::size_t kMaxFieldBytes = 4096;
inline constexpr std::size_t kMaxFieldEntries = 64;

/// PJ1 values by path: a text, a number, an array of texts.
using ContextFields = std::array<log::Json, kFieldPaths.size()>;

/// What stands in the place of a field that is not known.
inline const log::Json kFiller = "";

/// Fillers only.
ContextFields empty_fields();

struct ContextRecord {
  ContextFields fields = empty_fields();
  indicator::Tlp tlp = indicator::Tlp::amber;  ///< the strictest mark among the sources that entered the record

  bool has(std::size_t field) const { return fields[field] != kFiller; }
};

/// What unmarked material counts as.
inline constexpr indicator::Tlp kDefaultTlp = indicator::Tlp::amber;

/// Merges what all sources say. A source marked TLP:RED never enters a record; when every source is, the record is
/// empty and marked red.
ContextRecord context_record(std::span<const vault::SourceContext> sources);

/// Whether the source of this name entered a record of these fields; true of any where the record names not all of
/// them.
bool is_made_of(const ContextFields& fields, std::string_view source);

/// The record as one PJ1 object of its known fields, for storage and display.
log::Json to_json(const ContextRecord& record);

}  // namespace parley::session
