// A member that shows its log in two ways, in every way that we could think of: sizes, where the branches part, what
// differs, who is shown which, in which order and in how many messages. Each gives a fault that anybody can check by
// the end of the first contact after the branches met, and nobody honest is accused. PARLEY_FORK_STRATEGIES says how
// many are drawn (200 unless it is set).
#include "cheating_owner.h"

namespace parley::attacks {
namespace {

using mirror::Dice;

enum class Cheat { body, order, missing, extra, sealed, twice, antedated, rewritten, count };

struct Strategy {
  Cheat cheat{};
  std::size_t common = 0, one_more = 0, other_more = 0;
  bool carol_first = false, one_by_one = false, in_parts = false;
};

std::string in_words(const Strategy& strategy) {
  constexpr const char* kNames[] = {"another body", "another order", "an entry left out",  "an entry put in",
                                    "past a seal",  "a step twice",  "an antedated entry", "an old entry rewritten"};
  return std::string(kNames[static_cast<std::size_t>(strategy.cheat)]) + " after " + std::to_string(strategy.common) +
         " entries, then " + std::to_string(strategy.one_more) + " and " + std::to_string(strategy.other_more) +
         (strategy.carol_first ? ", carol first" : "") + (strategy.one_by_one ? ", one by one" : "") +
         (strategy.in_parts ? ", in parts" : "");
}

Strategy draw(Dice& dice, std::size_t number) {
  return {.cheat = static_cast<Cheat>(number % static_cast<std::size_t>(Cheat::count)),
          .common = 1 + dice.below(12),
          .one_more = dice.below(8),
          .other_more = dice.below(8),
          .carol_first = dice.one_in(2),
          .one_by_one = dice.one_in(2),
          .in_parts = dice.one_in(2)};
}

void grow(Branch& branch, std::size_t entries, int variant = 0) {
  for (std::size_t i = 0; i < entries; ++i)
    branch.append(log::kHeads, {}, {"*"}, log::Json::Object{{"label", variant}, {"v", 1}});
}

/// What the first is shown, and what the second.
std::pair<Branch, Branch> branches(const Strategy& strategy, const log::TestMember& alpha) {
  Branch one(alpha);
  one.append(log::kLogOpen, {}, {"*"});
  grow(one, strategy.common);
  Branch other = one;
  const std::string session = log::session_name('a');
  switch (strategy.cheat) {
    case Cheat::body:
      grow(one, 1, 1);
      grow(other, 1, 2);
      break;
    case Cheat::order:
      one.append(log::kHeads, {}, {"*"});
      one.append(log::kCanarySet, {}, {"*"});
      other.append(log::kCanarySet, {}, {"*"});
      other.append(log::kHeads, {}, {"*"});
      break;
    case Cheat::missing:
      one.append(log::kCanarySet, {}, {"*"});
      grow(one, 1, 1);
      grow(other, 1, 1);
      break;
    case Cheat::extra:
      grow(one, 1, 1);
      other.append(log::kCanarySet, {}, {"*"});
      grow(other, 1, 1);
      break;
    case Cheat::sealed:
      one.append(log::kLogSeal, {}, {"*"});
      other = one;
      // Nothing can be written by the rules beyond a seal: by hand.
      other.append(other.next(log::kHeads, {}, {}));
      return {one, other};
    case Cheat::twice:
      one.append(log::kSessionCommit, session, {"*"});
      grow(one, strategy.one_more);
      other = one;
      other.append(log::kSessionCommit, session, {"*"}, log::Json::Object{{"label", "again"}, {"v", 1}});
      return {one, other};
    case Cheat::antedated: {
      other = one;
      log::Entry early = other.next(log::kHeads);
      early.time -= 1000;
      other.append(early);
      return {one, other};
    }
    case Cheat::rewritten:
      other = Branch(alpha);
      other.append(log::kLogOpen, {}, {"*"}, log::Json::Object{{"label", "another"}, {"v", 1}});
      grow(other, strategy.common);
      break;
    case Cheat::count:
      break;
  }
  grow(one, strategy.one_more, 1);
  grow(other, strategy.other_more, 2);
  return {one, other};
}

class ForkStrategies : public CheatingOwner {
 protected:
  void try_out(const Strategy& strategy, bool by_program) {
    begin_again();
    const auto [one, other] = branches(strategy, group_[kAlpha].keys);
    const std::size_t first = strategy.carol_first ? kCarol : kBravo, second = kBravo + kCarol - first;
    show(strategy, one, first);
    show(strategy, other, second);
    EXPECT_OK(meet(*bravo_, kCarol, *carol_).first);
    expect_convicted(by_program);
    for (const std::size_t i : {kBravo, kCarol}) EXPECT_LE(signed_for(i), peer(i).size("alpha"));
  }
  /// In one call or in two; the second goes on where the first ended.
  void show(const Strategy& strategy, const Branch& branch, std::size_t to) {
    const std::size_t cut = strategy.in_parts ? branch.leaves.size() / 2 : 0;
    if (cut > 0) say(to, {message_of(branch.push(group_.nick(to), 0, cut))});
    say(to, pushes(branch, to, cut, strategy.one_by_one));
  }
};

TEST_F(ForkStrategies, AllGiveAFaultThatAnybodyCanCheck) {
  const char* wanted = std::getenv("PARLEY_FORK_STRATEGIES");
  const std::size_t count = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 200;
  const std::uint64_t seed = vault::test_seed();
  Dice dice(seed);
  for (std::size_t i = 0; i < count && !HasFailure(); ++i) {
    const Strategy strategy = draw(dice, i);
    SCOPED_TRACE(testing::Message() << "PARLEY_TEST_SEED=" << seed << ", strategy " << i << ": " << in_words(strategy));
    try_out(strategy, i % 10 < 2);
  }
}

}  // namespace
}  // namespace parley::attacks
