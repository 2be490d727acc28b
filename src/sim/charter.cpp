#include "sim/charter.h"

#include <algorithm>

#include "log/note.h"
#include "log/quorum.h"
#include "session/padding.h"

namespace parley::sim {
namespace {

using group::Function;
using indicator::Type;

constexpr UnixSeconds kBegan = kEpoch - 100 * group::kSecondsPerDay;
constexpr UnixSeconds kEnds = kBegan + group::kLongestWindowSeconds;

group::Caps draw_caps(Dice& dice, bool tight) {
  if (!tight)
    return {.items_per_session = 4096,
            .sessions_per_day = 1000,
            .probe_items_30d = 10'000'000,
            .probe_items_group_30d = 20'000'000,
            .matches_revealed_30d = 1'000'000,
            .fields_per_item = 12};
  const std::int64_t items = dice.one_in(2) ? 1280 : 2048;
  const std::int64_t by_one = items * dice.between(2, 10);
  return {.items_per_session = items,
          .sessions_per_day = dice.between(2, 12),
          .probe_items_30d = by_one,
          .probe_items_group_30d = by_one + items * dice.between(0, 10),
          .matches_revealed_30d = dice.between(200, 2000),
          .fields_per_item = 12};
}

}  // namespace

group::SignedCharter sign_charter(const std::vector<Member>& members, Dice& dice) {
  const bool tight = dice.one_in(2);
  const group::Caps caps = draw_caps(dice, tight);
  group::Charter charter{.group = std::string(kGroup),
                         .domain = "parley.example",
                         .name = "Simulated",
                         .purpose = "Everything goes wrong",
                         .not_before = kBegan,
                         .not_after = kEnds,
                         .finding_quorum = std::max<std::size_t>(2, members.size() / 2 + 1),
                         .log_quorum = log::log_quorum(members.size()),
                         .protocols = {"classic", "fast"},
                         .questions = {{Type::domain, Function::count, caps},
                                       {Type::domain, Function::intersection, caps},
                                       {Type::ipv4, Function::intersection, caps}}};
  for (const Member& member : members) charter.members.push_back(member.in_charter());
  std::string note;
  for (const Member& member : members) {
    const std::string name = member.in_charter().id.name;
    note = note.empty() ? log::sign_note(group::charter_text(charter), name, member.id)
                        : log::add_signature(note, name, member.id).value();
  }
  return group::read_founded(note).value();
}

session::Question draw_question(const group::Charter& charter, Dice& dice) {
  const group::AllowedQuestion& one = charter.questions[dice.below(charter.questions.size())];
  session::Question question{.function = one.function, .types = {one.type}, .label = {}, .since = {}};
  question.direction = static_cast<session::Direction>(dice.below(3));
  return question;
}

std::uint64_t draw_padded(Dice& dice) {
  return session::padded_size(static_cast<std::uint64_t>(dice.between(1, dice.one_in(12) ? 4096 : 1280)));
}

}  // namespace parley::sim
