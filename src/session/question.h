// What a member asks another: which indicators, which function of the two sets, and who learns the answer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "group/charter.h"
#include "indicator/indicator.h"
#include "log/pjson.h"
#include "vault/vault.h"

namespace parley::session {

/// Which function of the two sets is computed: which indicators both hold, or how many, which between two members is a
/// count by good faith (psi.md 3.2, protocol 3B).
using group::Function;
using group::function_named;
using group::name_of;

/// Who learns, as the asker sees it.
enum class Direction : std::uint8_t { mine, theirs, both };

std::string_view name_of(Direction direction);
std::optional<Direction> direction_named(std::string_view name);

/// The question as both sides see it. `types` and `since` bind both sides; `label` says what the asker asks about and
/// selects on the asker's side only, because labels are each member's own words.
struct Question {
  Function function = Function::intersection;
  Direction direction = Direction::both;
  std::vector<indicator::Type> types;  ///< ascending, distinct, at least one
  std::string label;
  std::optional<UnixSeconds> since;

  bool asker_learns() const { return direction != Direction::theirs; }
  bool responder_learns() const { return direction != Direction::mine; }
};

/// What of the vault the question selects on the asker's side, of what may enter a session of its group
/// (group::Membership::admitted). The responder's is the same without the label.
vault::Selection asker_selection(const Question& question, vault::Selection admitted);
vault::Selection responder_selection(const Question& question, vault::Selection admitted);

/// How many places a side's set has for canaries beside its indicators, whether it has any or not: as many as one set
/// of them has where both learn which indicators match, none elsewhere. There a hit would not show, or could not be
/// proven.
std::uint64_t canary_places(const Question& question);

log::Json to_json(const Question& question);
/// @error Errc::format for anything that to_json() does not write.
Result<Question> question_from_json(const log::Json& json);

/// The question as a sentence: "which indicators do we both hold: ipv4, domain; labelled sednit; seen since
/// 2018-01-01".
std::string in_words(const Question& question);

/// What either side learns, in words for the one who reads it: `we_ask` tells from which side.
std::string who_learns(const Question& question, bool we_ask);

}  // namespace parley::session
