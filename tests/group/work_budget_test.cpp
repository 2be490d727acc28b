// What a member may make us check for nothing, and what counts as nothing.
#include "group/work_budget.h"

#include <gmock/gmock.h>

#include "group/started_log.h"
#include "wire/two_members.h"

namespace parley::group {
namespace {

using log::Json;
using mirror::Branch, mirror::Circle, mirror::Effort, mirror::message_of, mirror::Push;
using testing::HasSubstr;
using vault::fails, vault::succeeds, vault::why;

const Deadline kStart = Deadline() + std::chrono::hours(1);
constexpr Effort kAllAtOnce{.checked = static_cast<std::uint64_t>(kWastedChecksAtOnce), .brought = 0};

TEST(WorkBudget, RefusesWhoHasWastedAllOfItAndSaysWhenToComeAgain) {
  WorkBudget budget;
  ASSERT_OK(budget.admit("bravo", kStart));
  budget.charge("bravo", kAllAtOnce, kStart);
  const Status refused = budget.admit("bravo", kStart);
  ASSERT_FAILS(refused, Errc::limit);
  EXPECT_THAT(refused.error().message, HasSubstr("bravo has made this node check more than 30000 signatures"));
  EXPECT_THAT(refused.error().message, HasSubstr("again in 1 s"));
}

TEST(WorkBudget, IsFilledAgainByTimeAndNeverBeyondItsSize) {
  WorkBudget budget;
  budget.charge("bravo", kAllAtOnce, kStart);
  EXPECT_OK(budget.admit("bravo", kStart + std::chrono::seconds(1)));
  budget.charge("bravo", {.checked = 3'000, .brought = 0}, kStart + std::chrono::seconds(1));
  EXPECT_FAILS(budget.admit("bravo", kStart + std::chrono::seconds(2)), Errc::limit);
  budget.charge("bravo", kAllAtOnce, kStart + std::chrono::hours(1000));
  EXPECT_FAILS(budget.admit("bravo", kStart + std::chrono::hours(1000)), Errc::limit);
}

TEST(WorkBudget, IsOneForEachMember) {
  WorkBudget budget;
  budget.charge("bravo", kAllAtOnce, kStart);
  EXPECT_OK(budget.admit("carol", kStart));
}

TEST(WorkBudget, CountsNothingThatBroughtSomethingButTheMessageItself) {
  WorkBudget budget;
  for (int i = 0; i < 10'000; ++i) budget.charge("bravo", {.checked = 1'025, .brought = 1'025}, kStart);
  EXPECT_OK(budget.admit("bravo", kStart));
}

TEST(WorkBudget, CountsAMessageOfWhichNothingWasChecked) {
  WorkBudget budget;
  for (double i = 0; i < kWastedChecksAtOnce; ++i) budget.charge("bravo", {}, kStart);
  EXPECT_FAILS(budget.admit("bravo", kStart), Errc::limit);
}

// --- what messages cost ------------------------------------------------------------------------------------------

/// Alpha's log, and bravo who writes by hand.
class HostilePeer : public testing::Test {
 protected:
  HostilePeer() : circle_(2) {
    circle_.open_all();
    log_.emplace(circle_);
    bravo_.emplace(circle_.members[1]);
  }
  /// Bravo's log from its first entry, as the circle has it, and `count` more.
  void write_entries(std::size_t count) {
    bravo_->append(log::kLogOpen, {}, {"*"});
    for (std::size_t i = 0; i < count; ++i) bravo_->append(log::kHeads, {}, {"alpha"});
  }
  Result<mirror::Outcome> take(const mirror::Content& content) { return (*log_)->take("bravo", message_of(content)); }
  /// The smallest tree of bravo's log under as many signatures as a note can have.
  mirror::Cosig stuffed_checkpoint() {
    log::Note note = *log::parse_note(bravo_->checkpoint(1));
    while (note.signatures.size() < 64) note.signatures.push_back(note.signatures.front());
    return {"bravo", log::write_note(note)};
  }
  Effort effort() {
    return (*log_)->with([](mirror::Replica& replica) { return replica.effort(); });
  }

  Circle circle_;
  std::optional<StartedLog> log_;
  std::optional<Branch> bravo_;
};

/// Bravo's log is not on alpha's disk yet.
class HostileNewcomer : public HostilePeer {
 protected:
  HostileNewcomer() {
    circle_.disk(0).disk.logs.erase(circle_.keys[1].log.name);
    log_.emplace(circle_);
  }
};

TEST_F(HostileNewcomer, BringsAsManyEntriesAsItLikesIfTheyAreNew) {
  constexpr std::size_t kCount = 32 * mirror::kMaxPushLeaves;
  static_assert(kCount > kWastedChecksAtOnce);
  write_entries(kCount - 1);
  for (std::size_t from = 0; from < kCount; from += mirror::kMaxPushLeaves)
    ASSERT_OK(take(bravo_->push("alpha", from, from + mirror::kMaxPushLeaves)));
  EXPECT_LE(effort().wasted(), 1u);
  EXPECT_OK(take(bravo_->push("alpha", kCount - 1, kCount))) << "and is heard after that";
}

TEST_F(HostileNewcomer, IsNotHeardForEverWithEntriesThatTurnOutWrongInTheEnd) {
  write_entries(mirror::kMaxPushLeaves - 1);
  Push push = bravo_->push("alpha");
  push.leaves.back() = push.leaves.front();
  const mirror::Message message = message_of(push);
  int refused_for_itself = 0;
  Result<mirror::Outcome> taken = mirror::Outcome{};
  while (taken || taken.error().code != Errc::limit) {
    taken = (*log_)->take("bravo", message);
    ASSERT_FALSE(taken.has_value());
    ASSERT_LT(++refused_for_itself, 40) << "each costs a thousand checks";
  }
  EXPECT_FAILS(take(mirror::Heads{}), Errc::limit) << "whatever it says next, on whatever link";
  EXPECT_OK((*log_)->append(
      {.type = std::string(log::kHeads), .session = {}, .refs = {}, .audience = {"*"}, .body = Json::Object{{"v", 1}}}))
      << "our own work goes on";
}

TEST_F(HostileNewcomer, WastesASixteenthOfACheckWithEachEntryThatIsHere) {
  write_entries(mirror::kMaxPushLeaves - 1);
  const Push push = bravo_->push("alpha");
  ASSERT_OK(take(push));
  ASSERT_OK(take(push));
  EXPECT_EQ(effort().wasted(), mirror::kMaxPushLeaves / mirror::kEntriesPerCheck);
}

TEST_F(HostileNewcomer, WastesWhatItMakesUsCheckOfCheckpointsThatAreNotTheNewest) {
  write_entries(2);
  ASSERT_OK(take(bravo_->push("alpha")));
  ASSERT_OK(take(stuffed_checkpoint()));
  EXPECT_EQ(effort().wasted(), 64u);
}

TEST_F(HostilePeer, IsNotChargedForWhatBothKnow) {
  const auto note = (*log_)->with([](mirror::Replica& replica) { return *replica.checkpoint("bravo"); });
  EXPECT_GE(log::parse_note(note)->signatures.size(), 2u);
  ASSERT_OK(take(mirror::Heads{.logs = {{"bravo", note}}, .answer = false}));
  EXPECT_EQ(effort().checked, 0u);
}

// The log's own refuses the note. Another's is charged and does not count, and is no reason to hear nothing else.
TEST_F(HostilePeer, CannotPassAWrongSignatureBesideOnesThatAreKnown) {
  const auto note = (*log_)->with([](mirror::Replica& replica) { return *replica.checkpoint("bravo"); });
  const log::Note known = *log::parse_note(note);
  const std::string& log_name = known.signatures.front().name;
  ASSERT_EQ(log::parse_checkpoint(known.text)->origin, log_name);
  for (std::size_t i = 0; i < known.signatures.size(); ++i) {
    log::Note one = known;
    one.signatures[i].signature.back() ^= std::byte{1};
    const auto taken = take(mirror::Heads{.logs = {{"bravo", log::write_note(one)}}, .answer = false});
    if (known.signatures[i].name == log_name) {
      EXPECT_FAILS(taken, Errc::signature);
    } else {
      EXPECT_OK(taken);
      EXPECT_EQ(effort().checked, 1u);
      EXPECT_EQ(effort().brought, 0u);
    }
  }
}

/// More than the buffers of both ends of a link hold.
void append_long_entries(JointLog& log, const std::string& audience) {
  const std::string long_text(mirror::kMaxCarriedBodyBytes - 100, 'x');
  for (int i = 0; i < 32; ++i)
    ASSERT_OK(log.append({.type = std::string(log::kHeads),
                          .session = {},
                          .refs = {},
                          .audience = {audience},
                          .body = Json::Object{{"v", 1}, {"x", long_text}}}));
}

// --- on a link ---------------------------------------------------------------------------------------------------

TEST_F(HostileNewcomer, LosesItsLinkWithASentence) {
  wire::TwoMembers members;
  const wire::TwoMembers::Pair links = members.links();
  LogLink link(*links.alpha, **log_);
  write_entries(2);
  ASSERT_OK(take(bravo_->push("alpha")));
  const mirror::Message stuffed = message_of(stuffed_checkpoint());
  while ((*log_)->take("bravo", stuffed)) continue;
  for (int i = 0; i < 60; ++i)  // more than the budget fills again meanwhile
    ASSERT_OK(links.bravo->send(static_cast<wire::FrameType>(stuffed.type), stuffed.payload));
  const auto received = link.receive(wire::soon());
  ASSERT_FAILS(received, Errc::limit);
  EXPECT_THAT(received.error().text(), HasSubstr("the connection is closed"));
}

TEST_F(HostilePeer, ThatTakesNothingOfTheLogsHoldsNobodyBeyondTheDeadline) {
  append_long_entries(**log_, "bravo");
  wire::TwoMembers members;
  const wire::TwoMembers::Pair links = members.links({.send = std::chrono::seconds(20)});
  LogLink link(*links.alpha, **log_);
  const mirror::Message heads = message_of(mirror::Heads{.logs = {}, .answer = true});
  ASSERT_OK(links.bravo->send(static_cast<wire::FrameType>(heads.type), heads.payload));
  const auto begun = Monotonic::now();
  EXPECT_FAILS(link.synchronise(deadline_in(std::chrono::seconds(1))), Errc::peer_gone);
  EXPECT_LT(Monotonic::now() - begun, std::chrono::seconds(10));
}

TEST(LogLink, GetsWhatThePeerHasWhenThereIsNothingToBringIt) {
  Circle circle(2);
  circle.open_all();
  StartedLog alpha(circle, 0);
  StartedLog bravo(circle, 1);
  for (int i = 0; i < 3; ++i)
    ASSERT_OK(bravo->append({.type = std::string(log::kHeads),
                             .session = {},
                             .refs = {},
                             .audience = {"alpha"},
                             .body = Json::Object{{"v", 1}}}));
  wire::TwoMembers members;
  const wire::TwoMembers::Pair links = members.links();
  const Deadline deadline = wire::soon();
  auto served = std::async(std::launch::async, [&] { return LogLink(*links.bravo, *bravo).receive(deadline); });
  EXPECT_OK(LogLink(*links.alpha, *alpha).synchronise(deadline));
  EXPECT_EQ(alpha->with([](mirror::Replica& replica) { return replica.size("bravo"); }), 4u)
      << "it has come when synchronise() returns";
  EXPECT_OK(links.alpha->send(wire::FrameType::bye, {}));
  EXPECT_OK(served.get());
  EXPECT_TRUE(bravo->with([](mirror::Replica& replica) { return replica.held_by("alpha", "bravo", 4); }));
}

TEST(LogLink, BringsTwoMembersTogetherWhoBothHaveMuchToBring) {
  Circle circle(2);
  circle.open_all();
  StartedLog alpha(circle, 0);
  StartedLog bravo(circle, 1);
  append_long_entries(*alpha, "bravo");
  append_long_entries(*bravo, "alpha");
  wire::TwoMembers members;
  const wire::TwoMembers::Pair links = members.links();
  const Deadline deadline = deadline_in(std::chrono::seconds(20));
  auto served = std::async(std::launch::async, [&] { return LogLink(*links.bravo, *bravo).receive(deadline); });
  EXPECT_OK(LogLink(*links.alpha, *alpha).synchronise(deadline));
  EXPECT_OK(links.alpha->send(wire::FrameType::bye, {}));
  EXPECT_OK(served.get());
  for (StartedLog* log : {&alpha, &bravo}) {
    EXPECT_EQ((*log)->with([](mirror::Replica& replica) { return replica.size("alpha"); }), 33u);
    EXPECT_EQ((*log)->with([](mirror::Replica& replica) { return replica.size("bravo"); }), 33u);
  }
}

}  // namespace
}  // namespace parley::group
