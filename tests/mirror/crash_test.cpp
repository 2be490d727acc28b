// Crashes, failing disks and old backups: nothing leaves before it is durable, nothing is signed twice, and a member
// that has forgotten asks.
#include "circle.h"

namespace parley::mirror {
namespace {

Draft heads_draft() {
  return {
      .type = std::string(log::kHeads), .session = {}, .refs = {}, .audience = {"*"}, .body = Json::Object{{"v", 1}}};
}

std::ptrdiff_t place(const std::vector<std::string>& order, std::string_view what) {
  const auto found = std::ranges::find(order, what);
  EXPECT_NE(found, order.end()) << what;
  return found - order.begin();
}

// --- before anything leaves ----------------------------------------------------------------------------------------

TEST(Durability, PutsTheEntryOnTheDiskBeforeTheGuardAndTheGuardBeforeTheLine) {
  Circle circle(2);
  circle.open_all();
  circle.append(0, log::kHeads);
  const auto& order = circle.disk(0).order;
  const std::string origin = circle.keys[0].log.name;
  EXPECT_LT(place(order, "entries of " + origin + " to 2"), place(order, "guard 2"));
  circle.guard(0).fails = true;
  EXPECT_FAILS(circle[0].append(heads_draft(), kNow), Errc::io);
  EXPECT_FAILS(circle[0].to_send("bravo"), Errc::io);
}

TEST(Durability, LetsNoCosignatureLeaveThatIsNotOnTheDisk) {
  Circle circle(2);
  circle.open_all();
  const std::string origin = circle.keys[0].log.name;
  std::size_t seen = 0;
  circle.tamper = [&](const Sent& sent) {
    if (sent.from == 1 && sent.message.type == MessageType::cosig) {
      const auto cosig = content_of<Cosig>(sent.message);
      const auto size = log::read_checkpoint(cosig.checkpoint, circle.keys[0].log)->size;
      const auto& cosignatures = circle.disk(1).disk.logs.at(origin).cosignatures;
      EXPECT_TRUE(cosignatures.contains(size));
      EXPECT_NE(cosig.checkpoint.find(cosignatures.at(size).at("bravo")), std::string::npos);
      ++seen;
    }
    return true;
  };
  for (int i = 0; i < 10; ++i) {
    circle.append(0, log::kHeads);
    circle.run();
  }
  EXPECT_EQ(seen, 10u);
}

TEST(Durability, SendsNothingAfterAFailedCommit) {
  for (const CommitFailure failure : {CommitFailure::nothing_written, CommitFailure::all_written}) {
    Circle circle(2);
    circle.open_all();
    circle.append(0, log::kHeads);
    circle.pump();
    circle.disk(1).next_commit = failure;
    circle.run();
    ASSERT_EQ(circle.refusals.size(), 1u);
    EXPECT_EQ(circle[1].state(), State::halted);
    EXPECT_FALSE(circle[0].held_by("bravo", "alpha", 2));
    circle.restart(1);
    circle.link_all();
    circle.run();
    EXPECT_TRUE(circle[0].held_by("bravo", "alpha", 2)) << "it goes on after a restart";
    EXPECT_EQ(circle[1].state(), State::live);
  }
}

TEST(Durability, LeavesNothingOfAnEntryWhoseOtherWritesFail) {
  Circle circle(2);
  circle.open_all();
  const auto refuse = [](const EntryView&) -> Status { return fail(Errc::policy, "The ledger says no."); };
  EXPECT_FAILS(circle[0].append(heads_draft(), kNow, refuse), Errc::policy);
  EXPECT_EQ(circle[0].state(), State::live);
  EXPECT_EQ(circle[0].size("alpha"), 1u);
  EXPECT_EQ(circle.disk(0).head(circle.keys[0].log.name)->size, 1u);
  EXPECT_EQ(circle.guard(0).signed_head.size, 1u);
  const auto also = [&](const EntryView& entry) -> Status {
    circle.disk(0).disk.others["session"] = to_hex(entry.leaf_hash);
    return {};
  };
  const auto written = circle[0].append(heads_draft(), kNow, also);
  ASSERT_OK(written);
  EXPECT_EQ(circle.disk(0).disk.others["session"], to_hex(written->leaf_hash));
}

TEST(Durability, NeverSignsWhatDoesNotReadBack) {
  const std::vector<std::function<void(MemoryLog&)>> damages = {
      [](MemoryLog& log) { log.leaves.back().note[30] ^= 1; },
      [](MemoryLog& log) { log.leaves.pop_back(); },
      [](MemoryLog& log) { log.nodes.rbegin()->second[0] ^= std::byte{1}; },
      [](MemoryLog& log) { log.checkpoints.rbegin()->second.root[0] ^= std::byte{1}; },
  };
  for (const auto& damage : damages) {
    Circle circle(2);
    circle.open_all();
    const std::string origin = circle.keys[0].log.name;
    circle.disk(0).after_commit = [&](MemoryDisk& disk) { damage(disk.logs.at(origin)); };
    EXPECT_FAILS(circle[0].append(heads_draft(), kNow), Errc::io);
    EXPECT_EQ(circle[0].state(), State::halted);
    EXPECT_EQ(circle.guard(0).signed_head.size, 1u);
    EXPECT_FAILS(circle[0].to_send("bravo"), Errc::io);
  }
}

TEST(Durability, MovesTheGuardOnAfterACrashBetweenTheTwo) {
  Circle circle(2);
  circle.open_all();
  circle.guard(0).fails = true;
  EXPECT_FAILS(circle[0].append(heads_draft(), kNow), Errc::io);
  circle.guard(0).fails = false;
  circle.restart(0);
  EXPECT_EQ(circle.guard(0).signed_head.size, 2u);
  circle.link_all();
  circle.run();
  EXPECT_EQ(circle[0].state(), State::live);
  EXPECT_TRUE(circle[0].held_by("bravo", "alpha", 2));
}

TEST(Durability, ShowsNoCheckpointOfItsOwnBeforeSomebodyHoldsTheEntries) {
  Circle circle(3);
  circle.open_all();
  circle.unlink(0, 1);
  circle.unlink(0, 2);
  circle.append(0, log::kHeads);
  circle.link(0, 1);
  std::size_t seen = 0;
  circle.tamper = [&](const Sent& sent) {
    if (sent.from == 0 && sent.message.type == MessageType::heads) {
      const auto heads = content_of<Heads>(sent.message);
      EXPECT_EQ(log::read_checkpoint(heads.logs.front().checkpoint, circle.keys[0].log)->size, 1u);
      ++seen;
    }
    return sent.message.type == MessageType::heads;
  };
  circle.run();
  EXPECT_GT(seen, 0u);
}

TEST(Durability, LetsCosignaturesOfOthersWaitForTheNextCommitSinceTheyComeAgain) {
  Circle circle(3);
  circle.open_all();
  circle.append(0, log::kHeads);
  circle.run();
  EXPECT_TRUE(circle[0].is_final("alpha", 2));
  EXPECT_OK(circle[0].final_checkpoint("alpha", 2));
  circle.restart(0);
  EXPECT_FALSE(circle[0].is_final("alpha", 2));
  circle.link_all();
  circle.run();
  EXPECT_TRUE(circle[0].is_final("alpha", 2));
  EXPECT_OK(circle[0].flush());
  const std::uint64_t commits = circle.disk(0).commits;
  EXPECT_OK(circle[0].flush());
  EXPECT_EQ(circle.disk(0).commits, commits) << "what is written is written once";
  circle.restart(0);
  EXPECT_TRUE(circle[0].is_final("alpha", 2));
}

// --- entries that are written together -----------------------------------------------------------------------------

std::vector<Appending> several(std::size_t count, std::size_t body_bytes = 10) {
  std::vector<Appending> all;
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back({heads_draft(), {}});
    all.back().draft.body = Json::Object{{"text", std::string(body_bytes, 'x')}, {"v", 1}};
  }
  return all;
}

TEST(Together, HaveOneCommitOneCheckpointAndOneMoveOfTheGuard) {
  Circle circle(2);
  circle.open_all();
  const std::uint64_t commits = circle.disk(0).commits;
  const auto written = circle[0].append_all(several(5), kNow);
  ASSERT_EQ(written.size(), 5u);
  for (std::size_t i = 0; i < written.size(); ++i) {
    ASSERT_OK(written[i]);
    EXPECT_EQ(written[i]->entry.seq, i + 1);
  }
  EXPECT_EQ(circle.disk(0).commits, commits + 1);
  EXPECT_EQ(circle.guard(0).signed_head.size, 6u);
  const MemoryLog& log = circle.disk(0).disk.logs.at(circle.keys[0].log.name);
  EXPECT_FALSE(log.checkpoints.contains(3));
  EXPECT_TRUE(log.checkpoints.contains(6));
  const auto& order = circle.disk(0).order;
  EXPECT_LT(place(order, "entries of " + circle.keys[0].log.name + " to 6"), place(order, "guard 6"));
  circle.run();
  EXPECT_TRUE(circle[0].held_by("bravo", "alpha", 6));
}

TEST(Together, LoseOnlyTheOneWhoseOtherWritesFail) {
  Circle circle(2);
  circle.open_all();
  std::vector<Appending> all = several(3);
  auto& others = circle.disk(0).disk.others;
  all[0].work = [&](const EntryView& entry) -> Status {
    others["first"] = to_hex(entry.leaf_hash);
    return {};
  };
  all[1].work = [](const EntryView&) -> Status { return fail(Errc::policy, "The ledger says no."); };
  all[2].work = [&](const EntryView& entry) -> Status {
    others["third"] = to_hex(entry.leaf_hash);
    return {};
  };
  const auto written = circle[0].append_all(std::move(all), kNow);
  ASSERT_OK(written[0]);
  EXPECT_FAILS(written[1], Errc::policy);
  ASSERT_OK(written[2]);
  EXPECT_EQ(written[2]->entry.seq, 2u);
  EXPECT_EQ(others["first"], to_hex(written[0]->leaf_hash));
  EXPECT_EQ(others["third"], to_hex(written[2]->leaf_hash));
  EXPECT_EQ(circle[0].size("alpha"), 3u);
  EXPECT_EQ(circle[0].state(), State::live);
  circle.run();
  EXPECT_TRUE(circle[0].held_by("bravo", "alpha", 3));
}

TEST(Together, TakeAStepOfASessionOnce) {
  Circle circle(2);
  circle.open_all();
  std::vector<Appending> all = several(2);
  for (Appending& one : all) {
    one.draft.type = log::kSessionRun;
    one.draft.session = std::string(32, '7');
  }
  const auto written = circle[0].append_all(std::move(all), kNow);
  ASSERT_OK(written[0]);
  EXPECT_FAILS(written[1], Errc::exists);
  EXPECT_EQ(circle[0].size("alpha"), 2u);
}

TEST(Together, FitIntoOnePushOrAreSeveral) {
  Circle circle(2);
  circle.open_all();
  std::vector<Appending> all = several(3, 400 * 1024);
  all.push_back(several(1, kMaxCarriedBodyBytes).front());
  all.push_back(several(1).front());
  const auto written = circle[0].append_all(std::move(all), kNow);
  ASSERT_EQ(written.size(), 5u);
  for (const std::size_t i : {0u, 1u, 2u, 4u}) EXPECT_OK(written[i]);
  EXPECT_FAILS(written[3], Errc::limit);
  EXPECT_EQ(circle[0].size("alpha"), 5u);
  EXPECT_TRUE(circle.disk(0).disk.logs.at(circle.keys[0].log.name).checkpoints.contains(3));
  circle.run();
  EXPECT_TRUE(circle[0].held_by("bravo", "alpha", 5));
}

TEST(Together, LeaveNothingWhenTheDiskFails) {
  Circle circle(2);
  circle.open_all();
  circle.disk(0).next_commit = CommitFailure::nothing_written;
  for (const auto& one : circle[0].append_all(several(3), kNow)) EXPECT_FALSE(one.has_value());
  EXPECT_EQ(circle[0].state(), State::halted);
  EXPECT_EQ(circle.guard(0).signed_head.size, 1u);
  EXPECT_FAILS(circle[0].to_send("bravo"), Errc::io);
}

// --- old backups ---------------------------------------------------------------------------------------------------

class Rollback : public testing::Test {
 protected:
  Rollback() {
    circle_.open_all();
    circle_.append(0, log::kHeads);
    circle_.run();
    backup_ = circle_.disk(0).disk;
    guard_ = circle_.guard(0).signed_head;
    for (int i = 0; i < 5; ++i) circle_.append(0, log::kHeads, {"bravo"});
    circle_.run();
  }
  void roll_back() {
    circle_.stop(0);
    circle_.disk(0).disk = backup_;
  }
  Circle circle_{3};
  MemoryDisk backup_;
  vault::SignedHead guard_;
};

// Carol may not read what was for bravo.
TEST_F(Rollback, BringsTheBodiesBackFromWhoeverMayReadThem) {
  roll_back();
  circle_.start(0);
  circle_.link(0, 2);
  circle_.run();
  EXPECT_EQ(circle_[0].state(), State::live) << "the entries count without their bodies";
  EXPECT_EQ(circle_[0].missing_bodies("alpha"), (std::vector<std::uint64_t>{2, 3, 4, 5, 6}));
  circle_.append(0, log::kHeads, {"bravo"});
  circle_.restart(0);
  EXPECT_EQ(circle_[0].missing_bodies("alpha"), (std::vector<std::uint64_t>{2, 3, 4, 5, 6})) << "after a restart too";
  circle_.link(0, 1);
  circle_.run();
  EXPECT_EQ(circle_[0].missing_bodies("alpha"), std::vector<std::uint64_t>{});
  for (std::uint64_t seq = 2; seq < 8; ++seq) EXPECT_TRUE(circle_[0].entry("alpha", seq)->body) << seq;
  circle_.restart(0);
  EXPECT_EQ(circle_[0].missing_bodies("alpha"), std::vector<std::uint64_t>{});
  EXPECT_EQ(circle_.disk(0).disk.logs.at(circle_.keys[0].log.name).lacking, std::nullopt);
}

TEST_F(Rollback, OfTheDiskIsNoticedByTheGuardAndHealedByAPeer) {
  roll_back();
  circle_.start(0);
  EXPECT_EQ(circle_[0].state(), State::amnesia);
  EXPECT_NE(circle_[0].reason().find("2 entries"), std::string::npos) << circle_[0].reason();
  EXPECT_FAILS(circle_[0].append(heads_draft(), kNow), Errc::policy);
  circle_.link(0, 2);
  circle_.run();
  EXPECT_EQ(circle_[0].state(), State::live);
  EXPECT_EQ(circle_[0].size("alpha"), 7u);
  circle_.append(0, log::kHeads);
  circle_.link(0, 1);
  circle_.run();
  EXPECT_TRUE(circle_[0].is_final("alpha", 8));
  EXPECT_TRUE(circle_.convictions.empty());
}

TEST_F(Rollback, OfDiskAndGuardIsNoticedByAPeer) {
  roll_back();
  circle_.guard(0).signed_head = guard_;
  circle_.start(0);
  EXPECT_EQ(circle_[0].state(), State::asking);
  circle_.link(0, 1);
  circle_.run();
  EXPECT_EQ(circle_[0].state(), State::live);
  EXPECT_EQ(circle_[0].size("alpha"), 7u);
  EXPECT_EQ(circle_.guard(0).signed_head.size, 7u);
  EXPECT_TRUE(circle_[0].entry("alpha", 4)->body.has_value()) << "bravo was in the audience and has the body";
  circle_.append(0, log::kHeads);
  circle_.link(0, 2);
  circle_.run();
  EXPECT_TRUE(circle_.convictions.empty());
}

// Carol was shown a push that goes on where her copy does not end, and kept none of its entries.
TEST_F(Rollback, OfDiskAndGuardIsNoticedByAPeerThatSawNoMoreThanACheckpoint) {
  circle_.unlink(0, 1);
  circle_.unlink(0, 2);
  circle_.append(0, log::kHeads);
  circle_.append(0, log::kHeads);
  const std::string origin = circle_.keys[0].log.name;
  const MemoryLog& rows = circle_.disk(0).disk.logs.at(origin);
  ASSERT_OK(circle_.deliver({0, 2,
                             message_of(Push{.log = "alpha",
                                             .from = 8,
                                             .leaves = {rows.leaves[8].note},
                                             .bodies = {},
                                             .checkpoint = rows.checkpoints.at(9).note})}));
  ASSERT_EQ(circle_[2].size("alpha"), 7u);
  circle_.restart(2);
  roll_back();
  circle_.guard(0).signed_head = guard_;
  circle_.start(0);
  circle_.link_all();
  circle_.run();
  EXPECT_EQ(circle_[0].state(), State::amnesia) << "entries 7 and 8 are lost";
  EXPECT_EQ(circle_[0].size("alpha"), 7u) << "what the others hold has come back";
  EXPECT_NE(circle_[0].reason().find("have signed 9"), std::string::npos) << circle_[0].reason();
  EXPECT_FAILS(circle_[0].append(heads_draft(), kNow), Errc::policy);
  ASSERT_OK(circle_[0].accept_fork_risk());
  circle_.link_all();
  circle_.run();
  EXPECT_EQ(circle_[0].state(), State::live);
}

TEST_F(Rollback, IsNotThoughtOfWhereAPushOnlyCameTooSoon) {
  circle_.unlink(0, 1);
  circle_.append(0, log::kHeads);
  circle_.append(0, log::kHeads);
  const MemoryLog& rows = circle_.disk(0).disk.logs.at(circle_.keys[0].log.name);
  ASSERT_OK(circle_.deliver({0, 1,
                             message_of(Push{.log = "alpha",
                                             .from = 8,
                                             .leaves = {rows.leaves[8].note},
                                             .bodies = {},
                                             .checkpoint = rows.checkpoints.at(9).note})}));
  circle_.queue.clear();
  circle_.link_all();
  circle_.run();
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(circle_[i].size("alpha"), 9u);
    EXPECT_EQ(circle_[i].state(), State::live);
  }
  circle_.append(0, log::kHeads);
  circle_.run();
  EXPECT_TRUE(circle_[0].is_final("alpha", 10));
}

TEST_F(Rollback, ToNothingAtAllIsHealed) {
  circle_.stop(0);
  circle_.disk(0).disk = {};
  circle_.guard(0).signed_head = {};
  circle_.start(0);
  circle_.link_all();
  circle_.run();
  EXPECT_EQ(circle_[0].state(), State::live);
  EXPECT_EQ(circle_[0].size("alpha"), 7u);
  EXPECT_EQ(circle_[0].size("bravo"), 1u);
  EXPECT_TRUE(circle_.convictions.empty());
}

TEST_F(Rollback, IsHeldUpUntilThePeerThatKnowsMoreHasGivenIt) {
  roll_back();
  circle_.start(0);
  circle_.link(0, 2);
  circle_.tamper = [](const Sent& sent) { return sent.message.type != MessageType::push; };
  circle_.run();
  EXPECT_EQ(circle_[0].state(), State::amnesia);
  EXPECT_FAILS(circle_[0].append(heads_draft(), kNow), Errc::policy);
}

TEST_F(Rollback, IsHeldUpByAPeersWordAloneWhenTheGuardForgotToo) {
  roll_back();
  circle_.guard(0).signed_head = guard_;
  circle_.start(0);
  circle_.tamper = [](const Sent& sent) { return sent.message.type != MessageType::push; };
  circle_.link_all();
  circle_.run();
  EXPECT_EQ(circle_[0].state(), State::amnesia);
  EXPECT_NE(circle_[0].reason().find("have signed 7"), std::string::npos) << circle_[0].reason();
  EXPECT_FAILS(circle_[0].append(heads_draft(), kNow), Errc::policy);
}

TEST_F(Rollback, CosignsNothingOfOthersMeanwhile) {
  roll_back();
  circle_.start(0);
  circle_.append(1, log::kHeads);
  circle_.link(0, 1);
  circle_.tamper = [](const Sent& sent) {
    return sent.message.type != MessageType::push || content_of<Push>(sent.message).log == "bravo";
  };
  circle_.run();
  EXPECT_EQ(circle_[0].size("bravo"), 2u);
  EXPECT_FALSE(circle_[1].held_by("alpha", "bravo", 2));
  circle_.tamper = {};
  circle_.link(0, 1);
  circle_.run();
  EXPECT_TRUE(circle_[1].held_by("alpha", "bravo", 2)) << "made up for once it is live";
}

TEST_F(Rollback, WithNobodyWhoKnowsNeedsAnOperatorsWord) {
  roll_back();
  circle_.stop(1);
  circle_.stop(2);
  circle_.start(0);
  EXPECT_EQ(circle_[0].state(), State::amnesia);
  ASSERT_OK(circle_[0].accept_fork_risk());
  EXPECT_EQ(circle_[0].state(), State::live);
  EXPECT_FAILS(circle_[0].accept_fork_risk(), Errc::policy);
  circle_.append(0, log::kCanarySet);
  // What was feared: carol, who lost her disk too, takes it; bravo holds another third entry.
  circle_.disk(2).disk = {};
  circle_.start(2);
  circle_.link(0, 2);
  circle_.run();
  ASSERT_EQ(circle_[2].size("alpha"), 3u);
  circle_.start(1);
  circle_.link(0, 1);
  circle_.run();
  ASSERT_FALSE(circle_.convictions[0].empty());
  EXPECT_EQ(circle_.convictions[0][0].accused, "alpha") << "it finds so by itself, before others can";
  EXPECT_EQ(circle_[0].state(), State::convicted);
  EXPECT_FAILS(circle_[0].append(heads_draft(), kNow), Errc::policy);
}

TEST_F(Rollback, OfAMirrorIsFilledUpAgain) {
  circle_.stop(1);
  MemoryDisk& disk = circle_.disk(1).disk;
  disk.logs.erase(circle_.keys[0].log.name);
  circle_.start(1);
  circle_.link_all();
  circle_.run();
  EXPECT_EQ(circle_[1].size("alpha"), 7u);
  EXPECT_EQ(circle_[1].state(), State::live);
}

TEST_F(Rollback, ToAnotherHistoryThanWasSignedIsNeverSigned) {
  circle_.stop(0);
  circle_.guard(0).signed_head.root[0] ^= std::byte{1};
  circle_.start(0);
  EXPECT_EQ(circle_[0].state(), State::amnesia);
  EXPECT_FAILS(circle_[0].accept_fork_risk(), Errc::policy);
  circle_.link_all();
  circle_.run();
  EXPECT_EQ(circle_[0].state(), State::amnesia);
}

TEST_F(Rollback, AtTheRiskOfAnOperatorConvictsNobodyAsLongAsNothingOfItLeft) {
  roll_back();
  circle_.stop(1);
  circle_.stop(2);
  circle_.start(0);
  ASSERT_OK(circle_[0].accept_fork_risk());
  circle_.append(0, log::kCanarySet);
  circle_.start(1);
  circle_.link(0, 1);
  circle_.run();
  EXPECT_TRUE(circle_.convictions[0].empty());
  EXPECT_EQ(circle_[0].state(), State::live);
  EXPECT_EQ(circle_[0].size("alpha"), 7u) << "what bravo holds is what was signed first";
}

TEST_F(Rollback, IsToldOfByAPeerThatSawNoMoreThanHeads) {
  circle_.unlink(0, 1);
  circle_.unlink(0, 2);
  circle_.append(0, log::kHeads);
  circle_.link(0, 1);
  circle_.run();
  circle_.unlink(0, 1);
  ASSERT_EQ(circle_[1].size("alpha"), 8u);
  ASSERT_EQ(circle_[2].size("alpha"), 7u);
  // Bravo shows carol his heads, and is gone for good before he gives her the entry.
  circle_.tamper = [](const Sent& sent) { return sent.message.type == MessageType::heads; };
  circle_.link(1, 2);
  circle_.run();
  circle_.tamper = {};
  ASSERT_EQ(circle_[2].size("alpha"), 7u);
  circle_.stop(1);
  ASSERT_OK(circle_[2].flush());
  circle_.restart(2);
  roll_back();
  circle_.guard(0).signed_head = guard_;
  circle_.start(0);
  circle_.link(0, 2);
  circle_.run();
  EXPECT_EQ(circle_[0].state(), State::amnesia);
  EXPECT_NE(circle_[0].reason().find("have signed 8"), std::string::npos) << circle_[0].reason();
}

TEST_F(Rollback, WritesWhatItSawInHeadsOnlyWhereTheEntriesDidNotCome) {
  circle_.append(0, log::kHeads);
  circle_.run();
  for (std::size_t i = 1; i < 3; ++i) EXPECT_EQ(circle_.disk(i).disk.logs.at(circle_.keys[0].log.name).seen, "");
}

// --- an end that nobody else ever had --------------------------------------------------------------------------------

const std::string kSession = "00112233445566778899aabbccddeeff";

/// Alpha's disk is copied with entries that nobody else has, put back to before them, and the others get other entries
/// in their place. Then the copy comes back.
class UnseenEnd : public testing::Test {
 protected:
  UnseenEnd() {
    circle_.open_all();
    circle_.append(0, log::kHeads);
    circle_.run();
    before_ = circle_.disk(0).disk;
    before_guard_ = circle_.guard(0).signed_head;
    circle_.unlink(0, 1);
    circle_.unlink(0, 2);
  }
  void take_copy() {
    copy_ = circle_.disk(0).disk;
    copy_guard_ = circle_.guard(0).signed_head;
  }
  /// The disk before is put back, and alpha goes on from there with everybody.
  void go_on_otherwise(const std::function<void()>& what) {
    put_back(before_, before_guard_);
    circle_.link_all();
    circle_.run();
    what();
    circle_.run();
    size_ = circle_[1].size("alpha");
    later_guard_ = circle_.guard(0).signed_head;
  }
  void put_back(const MemoryDisk& disk, const vault::SignedHead& guard) {
    circle_.stop(0);
    circle_.disk(0).disk = disk;
    circle_.guard(0).signed_head = guard;
    circle_.start(0);
  }
  void expect_healed() {
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_TRUE(circle_.convictions[i].empty()) << i;
      EXPECT_EQ(circle_[i].state(), State::live) << i;
    }
    EXPECT_EQ(circle_[0].size("alpha"), size_);
    EXPECT_TRUE(circle_[0].held_by("bravo", "alpha", size_)) << "it is the log that bravo holds";
    const auto defects = circle_[0].fsck();
    ASSERT_OK(defects);
    EXPECT_TRUE(defects->empty()) << defects->front().what;
    circle_.append(0, log::kHeads);
    circle_.run();
    EXPECT_TRUE(circle_[0].is_final("alpha", size_ + 1));
    circle_.restart(0);
    EXPECT_EQ(circle_[0].size("alpha"), size_ + 1);
    EXPECT_NE(circle_[0].state(), State::amnesia);
  }
  Circle circle_{3};
  MemoryDisk before_, copy_;
  vault::SignedHead before_guard_, copy_guard_, later_guard_;
  std::uint64_t size_ = 0;
};

TEST_F(UnseenEnd, IsGivenUpForWhatTheOthersHold) {
  for (int i = 0; i < 3; ++i) circle_.append(0, log::kCanarySet);
  take_copy();
  go_on_otherwise([&] {
    for (int i = 0; i < 5; ++i) circle_.append(0, log::kHeads, {"bravo"});
  });
  put_back(copy_, copy_guard_);
  circle_.link_all();
  circle_.run();
  expect_healed();
}

TEST_F(UnseenEnd, IsGivenUpWhereItIsLongerThanWhatTheOthersHold) {
  for (int i = 0; i < 9; ++i) circle_.append(0, log::kCanarySet);
  take_copy();
  go_on_otherwise([&] { circle_.append(0, log::kHeads); });
  put_back(copy_, copy_guard_);
  circle_.link(0, 2);
  circle_.run();
  circle_.link_all();
  circle_.run();
  expect_healed();
}

TEST_F(UnseenEnd, IsGivenUpWhereTheGuardKnowsWhatWasSignedLast) {
  for (int i = 0; i < 3; ++i) circle_.append(0, log::kCanarySet);
  take_copy();
  go_on_otherwise([&] { circle_.append(0, log::kHeads); });
  put_back(copy_, later_guard_);
  EXPECT_EQ(circle_[0].state(), State::amnesia);
  EXPECT_NE(circle_[0].reason(), "");
  circle_.link_all();
  circle_.run();
  expect_healed();
}

TEST_F(UnseenEnd, GivesItsStepsUpToo) {
  circle_.append(0, log::kSessionCommit, {"bravo"}, Json::Object{{"v", 1}}, kSession);
  circle_.append(0, log::kSessionAbort, {"bravo"}, Json::Object{{"v", 1}}, kSession);
  take_copy();
  go_on_otherwise([&] {
    circle_.append(0, log::kHeads);
    circle_.append(0, log::kSessionCommit, {"bravo"}, Json::Object{{"v", 1}}, kSession);
  });
  put_back(copy_, copy_guard_);
  circle_.link_all();
  circle_.run();
  EXPECT_TRUE(circle_.convictions[0].empty()) << "the step that came back is not its second";
  EXPECT_EQ(*circle_.disk(0).step(circle_.keys[0].log.name, {"alpha", kSession, std::string(log::kSessionCommit)}), 3u);
  EXPECT_EQ(*circle_.disk(0).step(circle_.keys[0].log.name, {"alpha", kSession, std::string(log::kSessionAbort)}),
            std::nullopt);
  expect_healed();
}

TEST_F(UnseenEnd, LeavesToNobodyBeforeEnoughHaveAnswered) {
  circle_.append(0, log::kCanarySet);
  take_copy();
  put_back(before_, before_guard_);
  circle_.answers_needed = 2;
  go_on_otherwise([&] {
    circle_.unlink(0, 2);
    circle_.append(0, log::kHeads);
  });
  // Carol, who was away, is asked first: she must not get what bravo could contradict.
  circle_.unlink(1, 2);
  put_back(copy_, copy_guard_);
  circle_.link(0, 2);
  circle_.run();
  EXPECT_EQ(circle_[0].state(), State::asking);
  EXPECT_EQ(circle_[2].size("alpha"), 2u);
  circle_.link_all();
  circle_.run();
  expect_healed();
}

TEST_F(UnseenEnd, IsNotGivenUpOnceSomebodyHoldsIt) {
  circle_.link(0, 2);
  circle_.append(0, log::kCanarySet);
  circle_.run();
  ASSERT_OK(circle_[0].flush());
  take_copy();
  circle_.stop(2);
  circle_.unlink(1, 2);
  put_back(before_, before_guard_);
  circle_.link(0, 1);
  circle_.run();
  ASSERT_EQ(circle_[0].state(), State::live);
  circle_.append(0, log::kHeads);
  circle_.run();
  put_back(copy_, copy_guard_);
  circle_.link(0, 1);
  circle_.run();
  ASSERT_FALSE(circle_.convictions[0].empty()) << "carol can show the other one";
  EXPECT_EQ(circle_.convictions[0][0].accused, "alpha");
  EXPECT_EQ(circle_[0].size("alpha"), 3u);
}

TEST_F(UnseenEnd, IsNotGivenUpForEntriesThatWeDidNotSign) {
  circle_.append(0, log::kCanarySet);
  take_copy();
  put_back(copy_, copy_guard_);
  // Bravo has our old entries and our checkpoint, and one entry more that he signed himself.
  Push push{.log = "alpha", .from = 2, .leaves = {}, .bodies = {}, .checkpoint = {}};
  Branch forged(circle_.members[1]);
  for (const std::string_view type : {log::kLogOpen, log::kHeads, log::kHeads}) forged.append(type);
  push.leaves = {forged.leaves[2]};
  push.checkpoint = circle_.disk(0).disk.logs.at(circle_.keys[0].log.name).checkpoints.at(3).note;
  EXPECT_FALSE(circle_.deliver({1, 0, message_of(push)}).has_value());
  EXPECT_EQ(circle_[0].size("alpha"), 3u);
  EXPECT_EQ(circle_.guard(0).signed_head, copy_guard_);
}

// The process dies between the guard and the cut, or right after the cut.
TEST_F(UnseenEnd, IsGivenUpAcrossACrash) {
  for (const CommitFailure failure : {CommitFailure::nothing_written, CommitFailure::all_written}) {
    Circle circle(2);
    circle.open_all();
    const MemoryDisk before = circle.disk(0).disk;
    const vault::SignedHead guard = circle.guard(0).signed_head;
    circle.unlink(0, 1);
    circle.append(0, log::kCanarySet);
    const MemoryDisk copy = circle.disk(0).disk;
    const vault::SignedHead copy_guard = circle.guard(0).signed_head;
    circle.stop(0);
    circle.disk(0).disk = before;
    circle.guard(0).signed_head = guard;
    circle.start(0);
    circle.link(0, 1);
    circle.run();
    circle.append(0, log::kHeads);
    circle.run();
    circle.stop(0);
    circle.disk(0).disk = copy;
    circle.guard(0).signed_head = copy_guard;
    circle.start(0);
    circle.link(0, 1);
    circle.disk(0).next_commit = failure;
    circle.run();
    ASSERT_EQ(circle[0].state(), State::halted);
    circle.restart(0);
    circle.link(0, 1);
    circle.run();
    EXPECT_EQ(circle[0].state(), State::live);
    EXPECT_EQ(circle[0].size("alpha"), 2u);
    EXPECT_EQ(circle[0].entry("alpha", 1)->entry.type, log::kHeads);
    EXPECT_TRUE(circle.convictions.empty());
  }
}

// --- rows that are damaged -----------------------------------------------------------------------------------------

class Damage : public testing::Test {
 protected:
  Damage() {
    circle_.open_all();
    for (int i = 0; i < 9; ++i) circle_.append(0, log::kHeads);
    circle_.run();
    for (std::size_t i = 0; i < 3; ++i) EXPECT_OK(circle_[i].flush());
  }
  MemoryLog& rows(std::size_t i) { return circle_.disk(i).disk.logs.at(circle_.keys[0].log.name); }
  /// One defect, named where it is.
  void expect_found(std::size_t i, std::uint64_t seq, std::string_view what) {
    const auto defects = circle_[i].fsck();
    ASSERT_OK(defects);
    ASSERT_FALSE(defects->empty());
    EXPECT_EQ(defects->front().log, "alpha");
    EXPECT_EQ(defects->front().seq, seq);
    EXPECT_NE(defects->front().what.find(what), std::string::npos) << defects->front().what;
  }
  void expect_mended(std::size_t i) {
    EXPECT_TRUE(circle_[i].damaged("alpha"));
    circle_.link_all();
    circle_.run();
    EXPECT_FALSE(circle_[i].damaged("alpha"));
    const auto defects = circle_[i].fsck();
    ASSERT_OK(defects);
    EXPECT_TRUE(defects->empty()) << defects->front().what;
    EXPECT_EQ(circle_[i].state(), State::live);
    circle_.append(0, log::kHeads);
    circle_.run();
    EXPECT_TRUE(circle_[0].is_final("alpha", 11));
    EXPECT_TRUE(circle_.convictions.empty());
  }
  Circle circle_{3};
};

TEST_F(Damage, IsNotFoundWhereThereIsNone) {
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(circle_[i].fsck()->empty());
}

TEST_F(Damage, OfAnEntryIsFoundAndMended) {
  rows(1).leaves[4].note[40] ^= 1;
  expect_found(1, 4, "");
  expect_mended(1);
}

TEST_F(Damage, OfAnEntryIsNotHandedOutAsWhatItWas) {
  const auto entry = circle_[1].entry("alpha", 4), before = circle_[1].entry("alpha", 3);
  ASSERT_OK(entry);
  ASSERT_OK(before);
  const auto sound = rows(1).leaves;
  rows(1).leaves[4].note[40] ^= 1;
  EXPECT_FAILS(circle_[1].entry("alpha", 4), Errc::vault_damaged);
  EXPECT_FAILS(circle_[1].entry("alpha", entry->leaf_hash), Errc::vault_damaged);

  // A disk that gives another row than the one that is asked for.
  rows(1).leaves = sound;
  std::swap(rows(1).leaves[3], rows(1).leaves[4]);
  EXPECT_FAILS(circle_[1].entry("alpha", 4), Errc::vault_damaged);
  EXPECT_FAILS(circle_[1].entry("alpha", entry->leaf_hash), Errc::vault_damaged);
  rows(1).leaves = sound;
  rows(1).leaves[4] = circle_.disk(1).disk.logs.at(circle_.keys[2].log.name).leaves.at(0);
  EXPECT_FAILS(circle_[1].entry("alpha", 4), Errc::vault_damaged);

  rows(1).leaves = sound;
  EXPECT_EQ(circle_[1].entry("alpha", 4)->leaf_hash, entry->leaf_hash);
}

TEST_F(Damage, OfAnEntrysHashIsFoundAndMended) {
  rows(1).leaves[4].hash[0] ^= std::byte{1};
  expect_found(1, 4, "stored hash of the entry");
  expect_mended(1);
}

TEST_F(Damage, OfANodeIsFoundAndMended) {
  rows(1).nodes[{1, 2}][0] ^= std::byte{1};
  expect_found(1, 5, "stored hash of the tree");
  expect_mended(1);
}

TEST_F(Damage, OfACheckpointIsFoundAndMended) {
  rows(1).checkpoints[10].note[60] ^= 1;
  expect_found(1, 9, "checkpoint");
  expect_mended(1);
}

TEST_F(Damage, OfACosignatureIsFoundAndComesAgain) {
  rows(0).cosignatures[10]["bravo"][50] ^= 1;
  expect_found(0, 9, "cosignature of bravo");
  EXPECT_FALSE(circle_[0].damaged("alpha"));
  circle_.restart(0);
  circle_.link_all();
  circle_.run();
  EXPECT_OK(circle_[0].flush());
  EXPECT_TRUE(circle_[0].fsck()->empty());
}

TEST_F(Damage, OfABodyIsFoundAndComesAgain) {
  const auto entry = circle_[1].entry("alpha", 3);
  circle_.disk(1).disk.bodies.at(entry->leaf_hash).content[0] ^= std::byte{1};
  expect_found(1, 3, "body");
  EXPECT_FALSE(circle_[1].damaged("alpha"));
  circle_.link_all();
  circle_.run();
  EXPECT_TRUE(circle_[1].fsck()->empty());
  EXPECT_TRUE(circle_[1].missing_bodies("alpha").empty());
}

TEST_F(Damage, OfABodyIsHandedOnToNobody) {
  const auto entry = circle_[1].entry("alpha", 3);
  circle_.disk(1).disk.bodies.at(entry->leaf_hash).content[0] ^= std::byte{1};
  const auto outcome = circle_[1].take("carol", message_of(Get{Get::What::body, "alpha", 3, 1}), kNow);
  ASSERT_OK(outcome);
  EXPECT_TRUE(outcome->replies.empty());
  const auto read = circle_[1].entry("alpha", 3);
  ASSERT_OK(read);
  EXPECT_FALSE(read->body) << "what is not what was signed says nothing";
}

TEST_F(Damage, OfTheOwnLogIsFoundAtTheStartAndMendedFromAPeer) {
  rows(0).leaves[9].note[40] ^= 1;
  circle_.restart(0);
  EXPECT_EQ(circle_[0].state(), State::amnesia);
  EXPECT_FAILS(circle_[0].append(heads_draft(), kNow), Errc::policy);
  expect_mended(0);
}

TEST_F(Damage, IsMendedWithTheOwnersEntriesOnly) {
  rows(1).nodes[{0, 2}][0] ^= std::byte{1};
  ASSERT_FALSE(circle_[1].fsck()->empty());
  Branch other(circle_.members[2]);
  other.append(log::kLogOpen);
  Push forged = other.push("bravo");
  forged.log = "alpha";
  EXPECT_FALSE(circle_.deliver({2, 1, message_of(forged)}).has_value());
  EXPECT_TRUE(circle_[1].damaged("alpha"));
}

TEST_F(Damage, IsNotMendedUnderACheckpointOfOtherEntries) {
  Push push{.log = "alpha", .from = 0, .leaves = {}, .bodies = {}, .checkpoint = {}};
  for (const vault::LogLeaf& leaf : rows(1).leaves) push.leaves.push_back(leaf.note);
  rows(1).nodes[{0, 2}][0] ^= std::byte{1};
  ASSERT_FALSE(circle_[1].fsck()->empty());
  push.checkpoint = circle_.members[0].sign(log::Checkpoint{circle_.keys[0].log.name, 10, Digest{std::byte{9}}});
  EXPECT_FAILS(circle_.deliver({2, 1, message_of(push)}), Errc::protocol);
  EXPECT_TRUE(circle_[1].damaged("alpha"));
}

TEST_F(Damage, IsNotMendedWithASecondHistory) {
  circle_.stop(0);
  rows(1).nodes[{0, 2}][0] ^= std::byte{1};
  ASSERT_FALSE(circle_[1].fsck()->empty());
  Branch other(circle_.members[0]);
  other.append(log::kLogOpen);
  for (int i = 0; i < 9; ++i) other.append(log::kCanarySet);
  ASSERT_OK(circle_.deliver({2, 1, message_of(other.push("bravo"))}));
  ASSERT_EQ(circle_.convictions[1].size(), 1u);
  EXPECT_EQ(circle_.convictions[1][0].accused, "alpha");
}

TEST_F(Damage, ThatADiskShowsOnceHoldsUpNoLonger) {
  circle_.tamper = [](const Sent& sent) { return sent.message.type != MessageType::cosig; };
  circle_.append(0, log::kHeads);
  circle_.run();
  circle_.tamper = {};
  circle_.stop(1), circle_.stop(2);
  circle_.append(0, log::kHeads);  // and one that never left
  circle_.restart(0);
  for (const std::size_t i : {1u, 2u}) circle_.start(i);
  vault::LogCheckpoint& row = rows(0).checkpoints.at(11);
  const Digest root = row.root;
  row.root[0] ^= std::byte{1};
  circle_.link_all();
  circle_.run();
  EXPECT_EQ(circle_[0].state(), State::amnesia) << "others seem to hold another entry of ours";
  row.root = root;
  circle_.link_all();
  circle_.run();
  EXPECT_EQ(circle_[0].state(), State::live) << circle_[0].reason();
  EXPECT_EQ(circle_[0].size("alpha"), 12u);
  EXPECT_TRUE(circle_.convictions.empty());
}

TEST_F(Damage, OfTheTreesEdgeIsFoundAtTheStart) {
  for (const log::TreeNode node : {log::TreeNode{3, 0}, log::TreeNode{1, 4}}) {
    rows(0).nodes[node][0] ^= std::byte{1};
    circle_.restart(0);
    EXPECT_TRUE(circle_[0].damaged("alpha")) << node.level;
    EXPECT_EQ(circle_[0].state(), State::amnesia);
    circle_.link_all();
    circle_.run();
    EXPECT_TRUE(circle_[0].fsck()->empty());
  }
  rows(0).nodes[{3, 0}][0] ^= std::byte{1};
  circle_.restart(0);
  expect_mended(0);
}

TEST_F(Damage, IsAskedForAgainOnceAMemberHasSaidAnewWhatItHolds) {
  rows(1).leaves[4].note[40] ^= 1;
  ASSERT_FALSE(circle_[1].fsck()->empty());
  circle_.tamper = [](const Sent& sent) { return sent.message.type != MessageType::push; };
  circle_.link_all();
  circle_.run();
  ASSERT_TRUE(circle_[1].damaged("alpha"));
  circle_.tamper = {};
  const auto question = circle_[1].ask_for_heads("alpha");
  ASSERT_OK(question);
  for (const Message& message : *question) circle_.queue.push_back({1, 0, message});
  circle_.run();
  EXPECT_FALSE(circle_[1].damaged("alpha"));
}

// As long as nobody else can be asked: what it was told about the entries behind the damage is not of its own branch.
TEST_F(Damage, OfALogWithTwoHistoriesClosesNoLink) {
  circle_.stop(0), circle_.stop(2);
  Branch other(circle_.members[0]);
  for (std::size_t i = 0; i < 3; ++i) other.follow(rows(1).leaves[i].note);
  for (int i = 0; i < 5; ++i) other.append(log::kCanarySet);
  rows(1).leaves[5].note[40] ^= 1;
  ASSERT_FALSE(circle_[1].fsck()->empty());
  ASSERT_OK(circle_[1].to_send("carol"));
  EXPECT_OK(circle_.deliver({2, 1, message_of(other.push("bravo"))}));
  EXPECT_TRUE(circle_[1].damaged("alpha"));
}

// Nothing that comes of it is taken, and it would come again for every question.
TEST_F(Damage, OfTheLogOfAConvictedIsNotAskedFor) {
  Branch other(circle_.members[0]);
  other.append(log::kLogOpen, {}, {}, Json::Object{{"v", 2}});
  ASSERT_OK(circle_.deliver({0, 1, message_of(other.push("bravo"))}));
  ASSERT_EQ(circle_.convictions[1].size(), 1u);
  rows(1).leaves[4].note[40] ^= 1;
  ASSERT_FALSE(circle_[1].fsck()->empty());
  std::size_t asked = 0;
  circle_.tamper = [&](const Sent& sent) {
    if (sent.from == 1 && sent.message.type == MessageType::get) ++asked;
    return true;
  };
  circle_.link(1, 2);
  circle_.run();
  EXPECT_TRUE(circle_[1].damaged("alpha"));
  EXPECT_EQ(asked, 0u);
}

// Whoever got it would refuse all that came with it.
TEST_F(Damage, OfAnEarlierCheckpointLeavesNobody) {
  circle_.unlink(0, 1), circle_.unlink(0, 2);
  for (int i = 0; i < 3; ++i) circle_.append(0, log::kHeads);
  rows(0).checkpoints.at(10).note[60] ^= 1;  // the largest that the others hold
  circle_.link(0, 1);
  circle_.run();
  EXPECT_TRUE(circle_.refusals.empty());
  EXPECT_EQ(circle_[1].size("alpha"), 13u);
  // And one at which a push of a mirror's would end.
  rows(1).checkpoints.at(10).note[60] ^= 1;
  const auto outcome = circle_[1].take("carol", message_of(Get{Get::What::entries, "alpha", 0, 10}), kNow);
  ASSERT_OK(outcome);
  ASSERT_FALSE(outcome->replies.empty()) << "there is another one before it";
  for (const Message& reply : outcome->replies)
    EXPECT_OK(log::read_checkpoint(content_of<Push>(reply).checkpoint, circle_.keys[0].log));
}

/// What an entry is not made of: hashes of the tree and of entries.
TEST_F(Damage, OfHashesIsMendedAloneBeforeAnybodyIsAsked) {
  for (const std::size_t i : {0u, 1u}) {
    rows(i).nodes[{1, 2}][0] ^= std::byte{1};
    rows(i).leaves[7].hash[0] ^= std::byte{1};
    ASSERT_FALSE(circle_[i].fsck()->empty());
    EXPECT_TRUE(circle_[i].damaged("alpha"));
  }
  for (const std::size_t i : {0u, 1u}) {
    ASSERT_OK(circle_[i].to_send("carol"));
    EXPECT_FALSE(circle_[i].damaged("alpha")) << "the entries say what the hashes are";
    EXPECT_TRUE(circle_[i].fsck()->empty());
  }
}

TEST_F(Damage, OfTheCheckpointIsNotMendedAlone) {
  rows(1).checkpoints[10].note[60] ^= 1;
  ASSERT_FALSE(circle_[1].fsck()->empty());
  ASSERT_OK(circle_[1].to_send("carol"));
  EXPECT_TRUE(circle_[1].damaged("alpha")) << "who signed the last entries is what it says";
}

TEST_F(Damage, OfTheLogOfAConvictedIsMendedAndNothingElseHangs) {
  Branch other(circle_.members[0]);
  other.append(log::kLogOpen, {}, {}, Json::Object{{"v", 2}});
  ASSERT_OK(circle_.deliver({0, 1, message_of(other.push("bravo"))}));
  ASSERT_EQ(circle_.convictions[1].size(), 1u);
  rows(1).nodes[{1, 2}][0] ^= std::byte{1};
  ASSERT_FALSE(circle_[1].fsck()->empty());
  ASSERT_OK(circle_[1].to_send("carol"));
  EXPECT_FALSE(circle_[1].damaged("alpha"));
  EXPECT_FAILS(circle_[1].trusted("alpha"), Errc::policy);
}

class DamageOfTwo : public testing::Test {
 protected:
  DamageOfTwo() {
    circle_.open_all();
    for (int i = 0; i < 9; ++i) {
      circle_.append(0, log::kHeads);
      circle_.run();
    }
    for (std::size_t i = 0; i < 2; ++i) EXPECT_OK(circle_[i].flush());
  }
  MemoryLog& rows(std::size_t i) { return circle_.disk(i).disk.logs.at(circle_.keys[0].log.name); }
  void damage(std::size_t i, std::size_t entry) {
    rows(i).leaves[entry].note[40] ^= 1;
    ASSERT_FALSE(circle_[i].fsck()->empty());
    ASSERT_TRUE(circle_[i].damaged("alpha"));
  }
  /// @param meetings  of the two
  void expect_mended(int meetings) {
    for (int i = 0; i < meetings; ++i) {
      circle_.link_all();
      circle_.run();
    }
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_FALSE(circle_[i].damaged("alpha")) << i;
      EXPECT_TRUE(circle_[i].fsck()->empty()) << i;
      EXPECT_EQ(circle_[i].state(), State::live) << circle_[i].reason();
    }
    EXPECT_TRUE(circle_.convictions.empty());
  }
  Circle circle_{2};
};

TEST_F(DamageOfTwo, InDifferentEntriesIsMendedByEachOther) {
  for (const auto& [owners, mirrors] : {std::pair(3, 6), std::pair(6, 3), std::pair(0, 9), std::pair(9, 0)}) {
    SCOPED_TRACE(owners);
    damage(0, static_cast<std::size_t>(owners));
    damage(1, static_cast<std::size_t>(mirrors));
    expect_mended(2);
  }
}

TEST_F(DamageOfTwo, InOneEntryStaysAndIsSaid) {
  damage(0, 4);
  damage(1, 4);
  for (int i = 0; i < 3; ++i) {
    circle_.link_all();
    circle_.run();
  }
  EXPECT_TRUE(circle_[0].damaged("alpha"));
  EXPECT_TRUE(circle_[1].damaged("alpha"));
  EXPECT_EQ(circle_[0].state(), State::amnesia) << "nothing is signed over what nobody knows any more";
}

TEST_F(DamageOfTwo, LetsNoEntryOutThatTheOtherNeverHad) {
  circle_.unlink(0, 1);
  circle_.append(0, log::kHeads);  // entry 10, which nobody else has
  circle_.append(0, log::kHeads);
  circle_.restart(0);
  damage(0, 11);
  circle_.link_all();
  circle_.run();
  ASSERT_TRUE(circle_[0].damaged("alpha"));
  // Bravo asks for all that there is, as if it had it.
  const auto outcome = circle_[0].take("bravo", message_of(Get{Get::What::entries, "alpha", 0, 100}), kNow);
  ASSERT_OK(outcome);
  ASSERT_FALSE(outcome->replies.empty());
  for (const Message& reply : outcome->replies) {
    const auto content = parse_message(kGroup, reply);
    ASSERT_OK(content);
    const auto& push = std::get<Push>(*content);
    EXPECT_LE(push.from + push.leaves.size(), 10u);
  }
  EXPECT_EQ(circle_[1].size("alpha"), 10u);
}

TEST_F(DamageOfTwo, AndASecondTreeOfTheSameSizeConvictsItsOwner) {
  circle_.stop(0);
  damage(1, 9);
  // Of the last entry no sound row is left; what its owner signed over it is.
  Branch other(circle_.members[0]);
  for (std::size_t i = 0; i < 9; ++i) other.follow(rows(1).leaves[i].note);
  other.append(log::kCanarySet);
  ASSERT_OK(circle_[1].to_send("alpha"));
  ASSERT_OK(circle_.deliver({0, 1, message_of(other.push("bravo", 9, 10))}));
  ASSERT_EQ(circle_.convictions[1].size(), 1u);
  EXPECT_EQ(circle_.convictions[1][0].accused, "alpha");
}

// Its end is missing as well: what it takes nothing of is pushed to it once on a link, and that is not what it asks
// for.
TEST(DamagedBackup, IsMendedHoweverManyAnswersWereLostBefore) {
  Circle circle(2);
  circle.open_all();
  for (int i = 0; i < 4; ++i) circle.append(0, log::kHeads);
  circle.run();
  ASSERT_OK(circle[0].flush());  // who holds the log
  const MemoryDisk backup = circle.disk(0).disk;
  for (int i = 0; i < 4; ++i) {
    circle.append(0, log::kHeads);
    circle.run();
  }
  circle.stop(0);
  circle.disk(0).disk = backup;
  circle.disk(0).disk.logs.at(circle.keys[0].log.name).leaves[2].note[40] ^= 1;
  circle.start(0);
  ASSERT_FALSE(circle[0].fsck()->empty());
  circle.tamper = [](const Sent& sent) { return sent.message.type != MessageType::push; };
  for (int i = 0; i < 3; ++i) {
    circle.link(0, 1);
    circle.run();
  }
  ASSERT_TRUE(circle[0].damaged("alpha"));
  circle.tamper = {};
  circle.link(0, 1);
  circle.run();
  EXPECT_FALSE(circle[0].damaged("alpha"));
  circle.link(0, 1);  // what lies beyond comes with the next heads
  circle.run();
  EXPECT_EQ(circle[0].state(), State::live);
  EXPECT_EQ(circle[0].size("alpha"), 9u);
}

/// Alpha's disk is put back to its first five entries. Bravo got what followed the first in one push, and has no
/// checkpoint where the backup ends.
class LogOfOnePush : public testing::Test {
 protected:
  LogOfOnePush() {
    circle_.open_all();
    circle_.unlink(0, 1);
    for (int i = 0; i < 4; ++i) circle_.append(0, log::kHeads);
    const MemoryDisk backup = circle_.disk(0).disk;
    for (int i = 0; i < 4; ++i) circle_.append(0, log::kHeads);
    circle_.link(0, 1);
    circle_.run();
    EXPECT_FALSE(rows(1).checkpoints.contains(5)) << "all came in one push";
    circle_.stop(0);
    circle_.disk(0).disk = backup;
  }
  MemoryLog& rows(std::size_t i) { return circle_.disk(i).disk.logs.at(circle_.keys[0].log.name); }
  /// What lies beyond the backup comes with the next heads.
  void expect_mended() {
    circle_.link(0, 1);
    circle_.run();
    EXPECT_FALSE(circle_[0].damaged("alpha"));
    circle_.link(0, 1);
    circle_.run();
    EXPECT_EQ(circle_[0].state(), State::live) << circle_[0].reason();
    EXPECT_EQ(circle_[0].size("alpha"), 9u);
    EXPECT_TRUE(circle_[0].fsck()->empty());
    EXPECT_TRUE(circle_.convictions.empty());
  }
  Circle circle_{2};
};

TEST_F(LogOfOnePush, IsMendedByAPeerThatHasNoCheckpointWhereItEnds) {
  rows(0).nodes[{0, 2}][0] ^= std::byte{1};
  circle_.start(0);
  ASSERT_FALSE(circle_[0].fsck()->empty());
  expect_mended();
}

TEST_F(LogOfOnePush, IsMendedWhereNobodyHasACheckpointAtItsEnd) {
  rows(0).checkpoints.at(5).note[60] ^= 1;
  circle_.start(0);
  ASSERT_TRUE(circle_[0].damaged("alpha"));
  expect_mended();
}

TEST_F(LogOfOnePush, IsMendedWhereItsLastCheckpointIsGone) {
  rows(0).checkpoints.erase(5);
  circle_.start(0);
  ASSERT_TRUE(circle_[0].damaged("alpha"));
  expect_mended();
}

/// An own log of which the end never left, while others hold another entry in its place: both were signed here, and
/// only one was shown.
class UnseenDamage : public testing::Test {
 protected:
  UnseenDamage() {
    circle_.open_all();
    EXPECT_OK(circle_[0].flush());
    const MemoryDisk before = circle_.disk(0).disk;
    const vault::SignedHead signed_before = circle_.guard(0).signed_head;
    circle_.unlink(0, 1);
    circle_.append(0, log::kHeads);
    const MemoryDisk unseen = circle_.disk(0).disk;
    circle_.stop(0);
    circle_.disk(0).disk = before;
    circle_.guard(0).signed_head = signed_before;
    circle_.start(0);
    circle_.link(0, 1);
    circle_.run();
    circle_.append(0, log::kCanarySet);
    circle_.run();
    EXPECT_EQ(circle_[1].size("alpha"), 2u);
    circle_.stop(0);
    circle_.disk(0).disk = unseen;
  }
  void damage_and_meet(std::size_t entry) {
    circle_.disk(0).disk.logs.at(circle_.keys[0].log.name).leaves[entry].note[40] ^= 1;
    circle_.start(0);
    ASSERT_FALSE(circle_[0].fsck()->empty());
    ASSERT_TRUE(circle_[0].damaged("alpha"));
    for (int i = 0; i < 3; ++i) {
      circle_.link(0, 1);
      circle_.run();
    }
    EXPECT_TRUE(circle_.convictions.empty());
    EXPECT_TRUE(circle_.refusals.empty()) << "no link ends";
  }
  Circle circle_{2};
};

TEST_F(UnseenDamage, OfWhatNobodySawConvictsNobody) {
  damage_and_meet(1);
  EXPECT_EQ(circle_[0].state(), State::amnesia) << "nothing is signed";
}

TEST_F(UnseenDamage, OfWhatOthersHaveIsMendedAndTheEndGivenUp) {
  damage_and_meet(0);
  EXPECT_FALSE(circle_[0].damaged("alpha"));
  EXPECT_EQ(circle_[0].state(), State::live) << circle_[0].reason();
  EXPECT_EQ(circle_[0].entry("alpha", 1)->entry.type, log::kCanarySet);
}

// A mirror of which the checkpoint at the end is damaged, where a peer has none but a later one: the last entry waits,
// and what is mended is not begun anew with each push.
TEST(DamagedMirror, WaitsAtItsLastEntryForACheckpoint) {
  Circle circle(3);
  circle.open_all();
  circle.unlink(0, 2), circle.unlink(1, 2), circle.unlink(0, 1);
  for (int i = 0; i < 4; ++i) circle.append(0, log::kHeads);
  circle.link(0, 1);
  circle.run();
  circle.unlink(0, 1);
  for (int i = 0; i < 4; ++i) circle.append(0, log::kHeads);
  circle.link(0, 2);
  circle.run();
  circle.stop(0);
  MemoryLog& rows = circle.disk(1).disk.logs.at(circle.keys[0].log.name);
  ASSERT_EQ(rows.leaves.size(), 5u);
  rows.checkpoints.at(5).note[60] ^= 1;
  circle.restart(1);
  ASSERT_TRUE(circle[1].damaged("alpha"));
  circle.link(1, 2);
  circle.run();
  const std::uint64_t commits = circle.disk(1).commits;
  for (int i = 0; i < 3; ++i) {
    circle.link(1, 2);
    circle.run();
  }
  EXPECT_TRUE(circle[1].damaged("alpha"));
  EXPECT_EQ(circle.disk(1).commits, commits);
  circle.start(0);
  circle.link(0, 1);
  circle.run();
  EXPECT_FALSE(circle[1].damaged("alpha"));
  EXPECT_EQ(circle[1].size("alpha"), 9u);
}

}  // namespace
}  // namespace parley::mirror
