// What members hold of each other's logs when all is well, and when somebody is late, away, or at two places at once.
#include "circle.h"

namespace parley::mirror {
namespace {

std::vector<std::string> nicks(std::initializer_list<std::string> list) {
  return list;
}

TEST(Replica, ReplicatesEveryLogToEveryMember) {
  Circle circle(3);
  circle.open_all();
  for (int i = 0; i < 5; ++i) circle.append(0, log::kHeads);
  circle.run();
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(circle[i].size("alpha"), 6u);
    EXPECT_EQ(circle[i].size("bravo"), 1u);
    EXPECT_EQ(circle[i].state(), State::live);
  }
  EXPECT_TRUE(circle[0].is_final("alpha", 6));
  EXPECT_EQ(circle[0].holders("alpha", 6), nicks({"alpha", "bravo", "carol"}));
  EXPECT_TRUE(circle.refusals.empty());
  EXPECT_EQ(circle.entries[2].size(), 7u);
}

TEST(Replica, OpensItsLogOnlyOnceEnoughPeersHaveSpoken) {
  Circle circle(4);  // a quorum of 3: two of the others
  EXPECT_EQ(circle[0].state(), State::asking);
  EXPECT_FAILS(circle[0].append({.type = std::string(log::kLogOpen), .session = {}, .refs = {}, .audience = {}}, kNow),
               Errc::policy);
  circle.link(0, 1);
  circle.run();
  EXPECT_EQ(circle[0].state(), State::asking);
  circle.link(0, 2);
  circle.run();
  EXPECT_EQ(circle[0].state(), State::live);
  circle.append(0, log::kLogOpen);
}

/// Bravo has taken an entry of alpha while it had not heard enough members to sign anything.
class TakenBeforeItIsLive : public testing::Test {
 protected:
  TakenBeforeItIsLive() {
    circle_.open_all();
    circle_.restart(1);
    circle_.link(0, 1);
    circle_.append(0, log::kHeads);
    circle_.run();
    EXPECT_EQ(circle_[1].state(), State::asking);
    EXPECT_EQ(circle_[1].size("alpha"), 2u);
    EXPECT_FALSE(is_cosigned());
  }
  /// On bravo's disk.
  bool is_cosigned() {
    const auto& rows = circle_.disk(1).disk.logs.at(circle_.keys[0].log.name).cosignatures;
    return rows.contains(2) && rows.at(2).contains("bravo");
  }
  void hear_carol() {
    circle_.link(1, 2);
    circle_.run();
    EXPECT_EQ(circle_[1].state(), State::live);
  }
  Circle circle_{4};  // two of the others have to be heard
};

TEST_F(TakenBeforeItIsLive, IsCosignedThenAndTheCosignatureIsKept) {
  hear_carol();
  EXPECT_TRUE(is_cosigned());
  EXPECT_TRUE(circle_[0].held_by("bravo", "alpha", 2));
}

TEST_F(TakenBeforeItIsLive, IsNotCosignedIfItsOwnerWasConvictedMeanwhile) {
  Branch other(circle_.members[0]);
  other.append(log::kLogOpen, {}, {}, Json::Object{{"v", 2}});
  ASSERT_OK(circle_.deliver({0, 1, message_of(other.push("bravo"))}));
  ASSERT_EQ(circle_.convictions[1].size(), 1u);
  hear_carol();
  EXPECT_FALSE(is_cosigned());
  EXPECT_FALSE(circle_[0].held_by("bravo", "alpha", 2));
}

// Whoever asks on a link waits for the answer, and then knows that nothing sent before it is still on the way.
TEST(Replica, AnswersAQuestionForItsHeadsOnce) {
  Circle circle(2);
  circle.open_all();
  circle.unlink(0, 1);
  circle.append(1, log::kHeads);
  circle.link(0, 1);
  const auto asked = circle[0].to_send("bravo");
  ASSERT_OK(asked);
  ASSERT_EQ(asked->size(), 1u);
  const auto outcome = circle[1].take("alpha", asked->front(), kNow);
  ASSERT_OK(outcome);
  EXPECT_EQ(std::ranges::count(outcome->replies, MessageType::heads, &Message::type), 1);
  EXPECT_EQ(std::ranges::count(outcome->replies, MessageType::push, &Message::type), 1);
}

TEST(Replica, GivesBodiesToTheirAudienceOnly) {
  Circle circle(3);
  circle.open_all();
  const EntryView secret = circle.append(0, log::kHeads, {"bravo"}, Json::Object{{"v", 1}, {"x", "for bravo"}});
  const EntryView own = circle.append(0, log::kHeads, {}, Json::Object{{"v", 1}, {"x", "for nobody"}});
  circle.run();
  EXPECT_EQ(circle[1].entry("alpha", secret.entry.seq)->body, secret.body);
  EXPECT_FALSE(circle[1].entry("alpha", own.entry.seq)->body.has_value());
  EXPECT_FALSE(circle[2].entry("alpha", secret.entry.seq)->body.has_value());
  EXPECT_EQ(circle[0].entry("alpha", own.entry.seq)->body, own.body);
  EXPECT_TRUE(circle[0].held_by("carol", "alpha", own.entry.seq + 1)) << "others cosign on the header";
  for (const auto& [leaf, body] : circle.disk(2).disk.bodies)
    EXPECT_EQ(as_text(body.content).find("for"), std::string_view::npos);
}

TEST(Replica, BringsALateJoinerUpToDate) {
  Circle circle(3);
  circle.link(0, 1);
  circle.run();
  circle.append(0, log::kLogOpen);
  circle.append(1, log::kLogOpen);
  for (int i = 0; i < 1200; ++i) circle.append(0, log::kHeads, {"*"});
  circle.run();
  EXPECT_FALSE(circle[0].is_final("alpha", 1)) << "three of three are due";
  circle.link(0, 2);
  circle.link(1, 2);
  circle.run();
  EXPECT_EQ(circle[2].size("alpha"), 1201u);
  EXPECT_TRUE(circle[0].is_final("alpha", 1201));
  EXPECT_EQ(circle.entries[2].size(), 1202u);
  EXPECT_TRUE(circle.refusals.empty());
}

TEST(Replica, GetsTheLogOfAnOwnerThatWithholdsItFromAnotherMirror) {
  Circle circle(3);
  circle.open_all();
  circle.unlink(0, 2);
  circle.append(0, log::kHeads, {"bravo", "carol"});
  circle.append(0, log::kHeads, {"bravo"});
  circle.run();
  circle.link(1, 2);  // the pull of every minute
  circle.run();
  EXPECT_EQ(circle[2].size("alpha"), 3u);
  EXPECT_TRUE(circle[2].entry("alpha", 1)->body.has_value());
  EXPECT_TRUE(circle[2].held_by("carol", "alpha", 3));
  circle.link(0, 2);
  circle.run();
  EXPECT_TRUE(circle[0].is_final("alpha", 3));
}

TEST(Replica, GoesOnWithoutAMemberThatIsAway) {
  Circle circle(4);
  circle.open_all();
  circle.stop(3);
  circle.append(0, log::kHeads);
  circle.run();
  EXPECT_TRUE(circle[0].is_final("alpha", 2)) << "three of four";
  EXPECT_EQ(circle[0].holders("alpha", 2), nicks({"alpha", "bravo", "carol"}));
  circle.start(3);
  circle.link(1, 3);
  circle.link(2, 3);
  circle.run();
  EXPECT_EQ(circle[3].size("alpha"), 2u);
}

TEST(Replica, OfTwoNeedsBoth) {
  Circle circle(2);
  circle.open_all();
  circle.unlink(0, 1);
  circle.append(0, log::kHeads);
  EXPECT_TRUE(circle[0].is_final("alpha", 1));
  EXPECT_FALSE(circle[0].is_final("alpha", 2));
  EXPECT_FALSE(circle[0].held_by("bravo", "alpha", 2));
  circle.link(0, 1);
  circle.run();
  EXPECT_TRUE(circle[0].is_final("alpha", 2));
  EXPECT_TRUE(circle[0].held_by("bravo", "alpha", 2));
}

TEST(Replica, KnowsAfterARestartWhatItKnew) {
  Circle circle(3);
  circle.open_all();
  circle.append(0, log::kSessionCommit, {"bravo"}, Json::Object{{"v", 1}}, log::session_name('a'));
  circle.run();
  for (std::size_t i = 0; i < 3; ++i) EXPECT_OK(circle[i].flush());
  for (std::size_t i = 0; i < 3; ++i) circle.restart(i);
  EXPECT_EQ(circle[0].state(), State::asking);
  EXPECT_TRUE(circle[0].is_final("alpha", 2));
  EXPECT_TRUE(circle[0].held_by("bravo", "alpha", 2));
  circle.link_all();
  circle.run();
  EXPECT_EQ(circle[0].state(), State::live);
  EXPECT_FAILS(circle[0].append({.type = std::string(log::kSessionCommit),
                                 .session = log::session_name('a'),
                                 .refs = {},
                                 .audience = {"bravo"}},
                                kNow),
               Errc::exists)
      << "a step of a session is taken once";
  EXPECT_EQ(circle.entries[1].size(), 3u) << "nothing is new a second time";
}

TEST(Replica, TakesMessagesAgainAndOutOfOrder) {
  Circle circle(2);
  circle.open_all();
  std::vector<Sent> seen;
  circle.tamper = [&](const Sent& sent) {
    seen.push_back(sent);
    return true;
  };
  for (int i = 0; i < 20; ++i) {
    circle.append(0, log::kHeads);
    circle.run();
  }
  circle.tamper = {};
  const std::uint64_t commits = circle.disk(1).commits;
  const std::size_t entries = circle.entries[1].size();
  std::mt19937_64 random(vault::test_seed());
  std::ranges::shuffle(seen, random);
  for (const Sent& sent : seen) EXPECT_OK(circle.deliver(sent));
  circle.run();
  EXPECT_EQ(circle.disk(1).commits, commits) << "a repetition is written again";
  EXPECT_EQ(circle.entries[1].size(), entries);
  EXPECT_TRUE(circle.refusals.empty());
}

TEST(Replica, TakesEntriesThatComeOutOfOrder) {
  Circle circle(2);
  circle.open_all();
  Dice dice(vault::test_seed());
  circle.append(0, log::kHeads);
  for (int i = 0; i < 30; ++i) {
    circle.append(0, log::kHeads);
    circle.pump();
    std::swap(circle.queue[dice.below(circle.queue.size())], circle.queue.back());
  }
  circle.run();
  EXPECT_EQ(circle[1].size("alpha"), 32u);
  EXPECT_TRUE(circle[0].is_final("alpha", 32));
}

TEST(Replica, CarriesBodiesOfEverySizeUpToTheLimit) {
  Circle circle(2);
  circle.open_all();
  const auto body = [](std::size_t bytes) { return Json::Object{{"x", std::string(bytes - 8, 'x')}}; };
  circle.append(0, log::kHeads, {"bravo"}, body(kMaxCarriedBodyBytes));
  circle.append(0, log::kHeads, {"bravo"}, body(kMaxCarriedBodyBytes));
  circle.append(0, log::kHeads, {"bravo"}, body(600'000));
  circle.append(0, log::kHeads, {"bravo"}, body(100));
  EXPECT_FAILS(circle[0].append({.type = std::string(log::kHeads),
                                 .session = {},
                                 .refs = {},
                                 .audience = {"bravo"},
                                 .body = body(kMaxCarriedBodyBytes + 1)},
                                kNow),
               Errc::limit);
  circle.run();
  EXPECT_TRUE(circle[0].held_by("bravo", "alpha", 5));
  EXPECT_EQ(circle[1].entry("alpha", 1)->body, circle[0].entry("alpha", 1)->body);
}

TEST(Replica, StatesTheHeadsOfAllThatItHolds) {
  Circle circle(3);
  circle.open_all();
  circle.append(0, log::kHeads);
  circle.run();
  const Json body = circle[0].heads_body();
  const Json::Array& logs = *body.object()->at("logs").array();
  ASSERT_EQ(logs.size(), 3u);
  EXPECT_EQ(*logs[0].object()->at("size").integer(), 2);
  EXPECT_EQ(logs[0].object()->at("cosigners"), Json(Json::Array{"bravo", "carol"}));
  EXPECT_EQ(logs[1].object()->at("cosigners").array()->front(), Json("alpha")) << "we cosigned bravo's";
  EXPECT_OK(circle[0].append(
      {.type = std::string(log::kHeads), .session = {}, .refs = {}, .audience = {"*"}, .body = body}, kNow));
}

TEST(Replica, GivesCheckpointsThatOthersCheckOffline) {
  Circle circle(3);
  circle.open_all();
  circle.unlink(0, 2);
  circle.append(0, log::kHeads);
  circle.run();
  const auto final_note = circle[0].final_checkpoint("alpha", 1);
  ASSERT_OK(final_note);
  const auto standing = log::read_standing(*final_note, circle.keys, 0, 3);
  ASSERT_OK(standing);
  EXPECT_TRUE(standing->is_final());
  EXPECT_EQ(standing->checkpoint.size, 1u);
  EXPECT_FAILS(circle[0].final_checkpoint("alpha", 2), Errc::not_found);
  EXPECT_FALSE(log::read_standing(*circle[0].checkpoint("alpha"), circle.keys, 0, 3)->is_final());
  EXPECT_TRUE(log::read_standing(*circle[0].checkpoint("alpha"), circle.keys, 0, 3)->held_by(1));
}

TEST(Replica, SealsItsLogAndGoesOnCosigning) {
  Circle circle(2);
  circle.open_all();
  ASSERT_OK(circle[0].seal(++circle.now));
  EXPECT_EQ(circle[0].state(), State::sealed);
  EXPECT_FAILS(circle[0].append({.type = std::string(log::kHeads), .session = {}, .refs = {}, .audience = {}}, kNow),
               Errc::policy);
  EXPECT_FAILS(circle[0].seal(kNow), Errc::policy);
  circle.append(1, log::kHeads);
  circle.run();
  EXPECT_TRUE(circle[0].is_final("alpha", 2));
  EXPECT_TRUE(circle[1].is_final("bravo", 2));
  circle.restart(0);
  circle.link_all();
  circle.run();
  EXPECT_EQ(circle[0].state(), State::sealed);
}

TEST(Replica, RefusesToBeOpenedWithForeignKeysOrAQuorumThatHoldsNothingTogether) {
  Circle circle(4);
  EXPECT_FAILS(Replica::open(circle.view(0), circle.seeds(1), circle.homes[0]->store(), circle.homes[0]->guard()),
               Errc::usage);
  GroupView view = circle.view(0);
  view.log_quorum = 2;
  EXPECT_FAILS(Replica::open(view, circle.seeds(0), circle.homes[0]->store(), circle.homes[0]->guard()), Errc::policy);
  view.log_quorum = 5;
  EXPECT_FAILS(Replica::open(view, circle.seeds(0), circle.homes[0]->store(), circle.homes[0]->guard()), Errc::policy);
}

}  // namespace
}  // namespace parley::mirror
