// Keys that are replaced while the logs go on (log.md 1.6): what each member takes from then on, and what a thief of
// the old key can still do.
#include "rotating_circle.h"

namespace parley::mirror {
namespace {

class RotationInThree : public RotationTest {};
class RotationInFour : public RotationTest {
 protected:
  RotationInFour() : RotationTest(4) {}
};

TEST_F(RotationInThree, OfANodeKeyIsTakenByAllAndTheLogGoesOnWithTheNewKey) {
  const EntryView rotated = rotate(0, KeyRole::node);
  const EntryView after = circle_.append(0, log::kHeads);
  settle();
  expect_no_refusals();
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(circle_[i].size("alpha"), after.entry.seq + 1);
    EXPECT_TRUE(circle_[i].is_final("alpha", after.entry.seq + 1));
    const auto keys = circle_[i].keys_of("alpha");
    ASSERT_OK(keys);
    EXPECT_EQ(keys->node_at(rotated.entry.seq - 1), circle_.keys[0].node);
    EXPECT_EQ(keys->node_at(rotated.entry.seq).key, crypto::public_key_of(seeds_[0]));
  }
}

TEST_F(RotationInThree, IsKnownAgainAfterARestartOfEveryMember) {
  rotate(0, KeyRole::node);
  rotate(0, KeyRole::cosign);
  circle_.append(0, log::kHeads);
  settle();
  for (std::size_t i = 0; i < 3; ++i) {
    circle_.stop(i);
    auto opened = reopen(i);
    ASSERT_OK(opened);
    circle_.replicas[i] = std::move(*opened);
    EXPECT_EQ(circle_[i].keys_of("alpha")->rotated.size(), 2u);
    EXPECT_FALSE(circle_[i].damaged("alpha"));
    const auto defects = circle_[i].fsck();
    ASSERT_OK(defects);
    EXPECT_TRUE(defects->empty());
  }
  circle_.link_all();
  settle();
  const EntryView after = circle_.append(0, log::kHeads);
  circle_.append(1, log::kHeads);
  settle();
  expect_no_refusals();
  EXPECT_TRUE(circle_[2].is_final("alpha", after.entry.seq + 1));
  EXPECT_TRUE(circle_[2].is_final("bravo", circle_[1].size("bravo")));
}

TEST_F(RotationInThree, OfACosignKeyMakesItsOwnerCosignWithTheNewOneAndKeepsWhatTheOldOneHeld) {
  const std::uint64_t before = circle_[1].size("bravo");
  rotate(0, KeyRole::cosign, RotationReason::routine);
  settle();
  EXPECT_TRUE(circle_[2].held_by("alpha", "bravo", before));
  EXPECT_TRUE(circle_[2].is_final("bravo", before));
  const EntryView after = circle_.append(1, log::kHeads);
  settle();
  expect_no_refusals();
  EXPECT_TRUE(circle_[2].held_by("alpha", "bravo", after.entry.seq + 1));
  EXPECT_TRUE(circle_[2].is_final("bravo", after.entry.seq + 1));
  const auto note = circle_[2].final_checkpoint("bravo", after.entry.seq + 1);
  ASSERT_OK(note);
  const auto by_new_key =
      log::read_cosigned(*note, circle_.keys[1].log, std::vector{circle_[2].keys_of("alpha")->newest_cosign()});
  ASSERT_OK(by_new_key);
  EXPECT_EQ(by_new_key->cosigners.size(), 1u);
}

TEST_F(RotationInThree, NeedsTheOldKeyWhereThatStillSpeaksForItsOwner) {
  const EntryView rotated = rotate(0, KeyRole::node, RotationReason::staff);
  const auto read = log::read_rotation(*rotated.body->object()->at("rotation").text(), circle_.keys[0].id);
  ASSERT_OK(read);
  EXPECT_EQ(read->reason, RotationReason::staff);
  // A disk that has not the key in use can say that it is lost, and no more.
  settle();
  circle_.stop(0);
  auto without = reopen(0, false);
  ASSERT_OK(without);
  circle_.replicas[0] = std::move(*without);
  circle_.link_all();
  settle();
  const auto appended = circle_[0].append(draft_for_everyone(log::kHeads, Json::Object{{"v", 1}}), ++circle_.now);
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().code, Errc::policy);
  const auto routine = try_rotate(0, KeyRole::node, RotationReason::routine, random_secret<32>());
  ASSERT_FALSE(routine);
  EXPECT_EQ(routine.error().code, Errc::not_found);
  rotate(0, KeyRole::node, RotationReason::lost);
  circle_.append(0, log::kHeads);
  settle();
  expect_no_refusals();
  EXPECT_TRUE(circle_[1].is_final("alpha", circle_[0].size("alpha")));
}

TEST_F(RotationInThree, IsRefusedForAnotherIdKeyAKeyInUseAndByAppending) {
  const auto foreign = circle_[0].rotate(
      {.role = KeyRole::node, .reason = RotationReason::lost, .seed = random_secret<32>()}, ids_[1], ++circle_.now);
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().code, Errc::usage);
  for (const Secret<32>* seed :
       {&circle_.members[0].node, &circle_.members[0].log, &circle_.members[1].cosign, &ids_[2]}) {
    const auto used = try_rotate(0, KeyRole::node, RotationReason::lost, *seed);
    ASSERT_FALSE(used);
    EXPECT_EQ(used.error().code, Errc::usage);
  }
  const auto by_hand = circle_[0].append(draft_for_everyone(log::kKeyRotate, Json::Object{{"v", 1}}), ++circle_.now);
  ASSERT_FALSE(by_hand);
  EXPECT_EQ(by_hand.error().code, Errc::usage);
  // Nothing has changed.
  circle_.append(0, log::kHeads);
  settle();
  expect_no_refusals();
  EXPECT_TRUE(circle_[0].keys_of("alpha")->rotated.empty());
}

TEST_F(RotationInThree, ThatCannotBeMadeDurableLeavesTheOldKeyInUse) {
  const auto undone = circle_[0].rotate(
      {.role = KeyRole::node, .reason = RotationReason::stolen, .seed = random_secret<32>()}, ids_[0], ++circle_.now,
      [](const EntryView&) -> Status { return fail(Errc::limit, "The seed cannot be kept."); });
  ASSERT_FALSE(undone);
  EXPECT_EQ(undone.error().code, Errc::limit);
  circle_.append(0, log::kHeads);
  settle();
  expect_no_refusals();
  EXPECT_TRUE(circle_[1].is_final("alpha", circle_[0].size("alpha")));
  EXPECT_TRUE(circle_[1].keys_of("alpha")->rotated.empty());
}

TEST_F(RotationInFour, ReachesAMemberThatWasAwayThroughAnyOther) {
  for (std::size_t i : {0u, 1u, 2u}) circle_.unlink(i, 3);
  rotate(0, KeyRole::node);
  rotate(0, KeyRole::tls);
  rotate(0, KeyRole::cosign);
  circle_.append(0, log::kHeads);
  circle_.append(1, log::kHeads);
  settle();
  EXPECT_TRUE(circle_[1].is_final("alpha", circle_[0].size("alpha")));
  circle_.link(2, 3);
  settle();
  expect_no_refusals();
  EXPECT_EQ(circle_[3].size("alpha"), circle_[0].size("alpha"));
  EXPECT_EQ(circle_[3].keys_of("alpha")->rotated.size(), 3u);
  EXPECT_TRUE(circle_[3].is_final("bravo", circle_[1].size("bravo")));
}

TEST_F(RotationInFour, IsNotTakenWithoutItsBodyNorAfterwardsTaken) {
  circle_.tamper = [&](const Sent& sent) { return sent.to != 3 || sent.from == 3; };
  rotate(0, KeyRole::node);
  circle_.append(0, log::kHeads);
  settle();
  circle_.tamper = {};
  const std::uint64_t held = circle_[3].size("alpha");
  Push push{.log = "alpha", .from = held, .leaves = {}, .bodies = {}, .checkpoint = *circle_[0].checkpoint("alpha")};
  for (std::uint64_t seq = held; seq < circle_[0].size("alpha"); ++seq)
    push.leaves.push_back(circle_.homes[0]->store().leaves(circle_.keys[0].log.name, seq, 1)->front().note);
  const auto taken = circle_[3].take("alpha", *write_message(kGroup, push), ++circle_.now);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Errc::protocol);
  EXPECT_EQ(circle_[3].size("alpha"), held);
  EXPECT_TRUE(circle_[3].keys_of("alpha")->rotated.empty());
}

TEST_F(RotationInThree, ComesBackOutOfTheOthersCopiesWhenADiskIsPutBack) {
  const MemoryDisk old_disk = circle_.disk(0).disk;
  rotate(0, KeyRole::node);
  circle_.append(0, log::kHeads);
  settle();
  circle_.stop(0);
  circle_.disk(0).disk = old_disk;
  auto opened = reopen(0);
  ASSERT_OK(opened);
  circle_.replicas[0] = std::move(*opened);
  circle_.link_all();
  settle();
  EXPECT_EQ(circle_[0].state(), State::live) << circle_[0].reason();
  EXPECT_EQ(circle_[0].keys_of("alpha")->rotated.size(), 1u);
  const EntryView after = circle_.append(0, log::kHeads);
  settle();
  expect_no_refusals();
  EXPECT_TRUE(circle_[1].is_final("alpha", after.entry.seq + 1));
}

}  // namespace
}  // namespace parley::mirror
