// A member's disk is put back to any of its older states, with the guard or without: it never signs a second history,
// and has its log back from the others before it writes again. PARLEY_ROLLBACKS says how often (60 unless it is set).
#include "mirror/circle.h"
#include "support/log_members.h"

namespace parley::attacks {
namespace {

using mirror::Dice;

constexpr std::size_t kAlpha = 0, kBravo = 1, kCarol = 2;

std::size_t rollbacks() {
  const char* wanted = std::getenv("PARLEY_ROLLBACKS");
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 60;
}

class ReplayedDisk : public testing::Test {
 protected:
  using Files = std::map<std::string, Bytes>;

  ReplayedDisk() { everybody_writes(); }

  void everybody_writes() {
    RunningLog alpha(group_, kAlpha);
    for (RunningLog* peer : {&*bravo_, &*carol_})
      EXPECT_OK(meet(alpha, peer == &*bravo_ ? kBravo : kCarol, *peer).first);
    EXPECT_OK(alpha.append("begun"));
    for (RunningLog* peer : {&*bravo_, &*carol_})
      EXPECT_OK(meet(alpha, peer == &*bravo_ ? kBravo : kCarol, *peer).first);
  }
  RunningLog& peer(std::size_t i) { return i == kBravo ? *bravo_ : *carol_; }
  Files files() const { return vault::contents(group_[kAlpha].folder()); }
  void put_back(Files older, bool with_guard) {
    const std::string guard = group_[kAlpha].guard().filename().string();
    if (!with_guard) older[guard] = files().at(guard);
    vault::restore(group_[kAlpha].folder(), older);
  }
  /// What the others hold of alpha only grows.
  void expect_one_history() {
    for (const std::size_t i : {kBravo, kCarol}) {
      const std::vector<std::string> now = peer(i).leaves("alpha");
      ASSERT_GE(now.size(), known_[i].size());
      EXPECT_TRUE(std::ranges::equal(std::span(now).first(known_[i].size()), known_[i]));
      EXPECT_TRUE(peer(i).convictions().empty());
      known_[i] = now;
    }
  }

  LogGroup group_{"alpha", "bravo", "carol"};
  std::optional<RunningLog> bravo_{std::in_place, group_, kBravo}, carol_{std::in_place, group_, kCarol};
  std::map<std::size_t, std::vector<std::string>> known_;
};

TEST_F(ReplayedDisk, NeverMakesAMemberSignASecondHistory) {
  const std::uint64_t seed = vault::test_seed();
  SCOPED_TRACE(testing::Message() << "PARLEY_TEST_SEED=" << seed);
  Dice dice(seed);
  std::vector<Files> snapshots{files()};
  std::size_t refused = 0, healed = 0;
  for (std::size_t round = 0; round < rollbacks() && !HasFailure(); ++round) {
    const bool with_guard = dice.one_in(2);
    put_back(snapshots[dice.below(snapshots.size())], with_guard);
    {
      RunningLog alpha(group_, kAlpha);
      EXPECT_NE(alpha.state(), mirror::State::live) << "nobody was asked";
      EXPECT_FALSE(alpha.append("too early").has_value());
      // With the guard gone too, only who knows more can tell: one of them may know alone, so both are asked. Else
      // anybody, and where that is not who has the rest, it waits.
      const std::size_t first = 1 + dice.below(2);
      EXPECT_OK(meet(alpha, first, peer(first)).first);
      if (with_guard || dice.one_in(2)) {
        EXPECT_OK(meet(alpha, 3 - first, peer(3 - first)).first);
      }
      const bool live = alpha.state() == mirror::State::live;
      EXPECT_EQ(alpha.append("round " + std::to_string(round)).has_value(), live);
      ++(live ? healed : refused);
      const std::size_t then = 1 + dice.below(2);
      EXPECT_OK(meet(alpha, then, peer(then)).first);
      EXPECT_TRUE(alpha.convictions().empty());
      for (const mirror::Defect& defect : alpha.fsck()) ADD_FAILURE() << defect.what;
      expect_one_history();
    }
    // A state that nobody else ever heard of, put back after another was written in its place, is a second history:
    // docs/threat-model.md says so.
    if (dice.one_in(3)) snapshots.push_back(files());
  }
  EXPECT_GT(refused, 0u);
  EXPECT_GT(healed, rollbacks() / 3);
}

}  // namespace
}  // namespace parley::attacks
