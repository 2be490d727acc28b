// Keys that are replaced while the logs go on (log.md 1.6): what each member takes from then on, and what a thief of
// the old key can still do.
#include "log/key_history.h"
#include "mirror/key_rotation.h"
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
    restart(i);
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

// By a new key a member could say later what it has said, and so have held late what it held in time.
TEST_F(RotationInThree, OfACosignKeyLetsNoLaterWordTakeThePlaceOfAnEarlierOne) {
  settle();
  const std::uint64_t size = circle_[1].size("bravo");
  circle_.append(1, log::kHeads);
  settle();
  Store& carols = circle_.homes[2]->store();
  const std::string& origin = circle_.keys[1].log.name;
  const auto lines = [&] {
    std::vector<std::string> all;
    const auto rows = carols.cosignatures(origin, size);
    EXPECT_OK(rows);
    for (const vault::LogCosignature& line : *rows) all.push_back(line.line);
    return all;
  };
  const std::vector<std::string> before = lines();
  ASSERT_EQ(before.size(), 2u);
  rotate(0, KeyRole::cosign);
  settle();
  const auto row = carols.checkpoint(origin, size);
  ASSERT_OK(row);
  const log::VerifierKey next = circle_[2].keys_of("alpha")->newest_cosign();
  const auto again = log::cosign({origin, size, (*row)->root}, next.name, crypto::SigningKey(seeds_.back()),
                                 static_cast<std::uint64_t>(kNow + 1'000'000));
  const auto note = log::add_cosignature((*row)->note, again, next);
  ASSERT_OK(note);
  ASSERT_OK(circle_[2].take("alpha", *write_message(kGroup, Cosig{"bravo", *note}), ++circle_.now));
  ASSERT_OK(circle_[2].flush());
  EXPECT_EQ(lines(), before);
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
  restart(0, [&] { circle_.disk(0).disk = old_disk; });
  circle_.link_all();
  settle();
  EXPECT_EQ(circle_[0].state(), State::live) << circle_[0].reason();
  EXPECT_EQ(circle_[0].keys_of("alpha")->rotated.size(), 1u);
  const EntryView after = circle_.append(0, log::kHeads);
  settle();
  expect_no_refusals();
  EXPECT_TRUE(circle_[1].is_final("alpha", after.entry.seq + 1));
}

// --- disks that are put back, and rows that are damaged ------------------------------------------------------------

/// Alpha's disk has an end that nobody else ever had, and the others hold another one.
class RotationAtAnEnd : public RotationTest {
 protected:
  RotationAtAnEnd() {
    circle_.append(0, log::kHeads);
    settle();
    before_ = circle_.disk(0).disk;
    before_guard_ = circle_.guard(0).signed_head;
    circle_.unlink(0, 1);
    circle_.unlink(0, 2);
  }
  void put_back(const MemoryDisk& disk, const vault::SignedHead& guard) {
    restart(0, [&] {
      circle_.disk(0).disk = disk;
      circle_.guard(0).signed_head = guard;
    });
    circle_.link_all();
  }
  /// @param unseen  what stands at the end that never left, @param shown  at the one that the others hold
  void expect_healed(const std::function<void()>& unseen, const std::function<void()>& shown) {
    unseen();
    const MemoryDisk copy = circle_.disk(0).disk;
    const vault::SignedHead copy_guard = circle_.guard(0).signed_head;
    put_back(before_, before_guard_);
    settle();
    shown();
    settle();
    expect_no_refusals();
    const log::MemberKeys held = *circle_[1].keys_of("alpha");
    put_back(copy, copy_guard);
    settle();
    expect_no_refusals();
    EXPECT_EQ(circle_[0].state(), State::live) << circle_[0].reason();
    EXPECT_EQ(*circle_[0].keys_of("alpha"), held);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(circle_.convictions[i].empty()) << i;
    const EntryView after = circle_.append(0, log::kHeads);
    circle_.append(1, log::kHeads);
    settle();
    expect_no_refusals();
    EXPECT_TRUE(circle_[1].is_final("alpha", after.entry.seq + 1));
    EXPECT_TRUE(circle_[2].held_by("alpha", "bravo", circle_[1].size("bravo")));
    EXPECT_TRUE(circle_[0].fsck()->empty());
  }
  /// The history of carol has three entries more than both hold now.
  void expect_fork_proven(std::size_t shown_to_bravo) {
    SCOPED_TRACE(shown_to_bravo);
    circle_.unlink(1, 2);
    const std::uint64_t common = circle_[1].size("alpha");
    circle_.link(0, 1);
    for (std::size_t i = 0; i < shown_to_bravo; ++i) circle_.append(0, log::kHeads);
    circle_.run();
    ASSERT_EQ(circle_[1].size("alpha"), common + shown_to_bravo);
    restart(0, [&] {
      circle_.disk(0).disk = before_;
      circle_.guard(0).signed_head = before_guard_;
    });
    circle_.link(0, 2);
    circle_.run();
    rotate(0, KeyRole::node);
    for (int i = 0; i < 2; ++i) circle_.append(0, log::kHeads);
    circle_.run();
    const std::uint64_t end = common + 3;
    ASSERT_EQ(circle_[2].size("alpha"), end);

    Push push{
        .log = "alpha", .from = common, .leaves = {}, .bodies = {}, .checkpoint = *circle_[2].checkpoint("alpha")};
    for (std::uint64_t seq = common; seq < end; ++seq)
      push.leaves.push_back(circle_.disk(2).leaves(circle_.keys[0].log.name, seq, 1)->front().note);
    circle_.stop(0);
    circle_.queue = {{2, 1, message_of(push)}};
    while (!circle_.queue.empty()) {
      const Sent sent = std::move(circle_.queue.front());
      circle_.queue.pop_front();
      EXPECT_OK(circle_.deliver(sent));
    }
    ASSERT_EQ(circle_.convictions[1].size(), 1u);
    EXPECT_EQ(circle_.convictions[1][0].accused, "alpha");
    EXPECT_OK(log::verify_fault(circle_.convictions[1][0].fault, circle_.keys));
  }
  MemoryDisk before_;
  vault::SignedHead before_guard_;
};

TEST_F(RotationAtAnEnd, IsTakenInThePlaceOfAnEntryThatNeverLeft) {
  expect_healed([&] { circle_.append(0, log::kCanarySet); }, [&] { rotate(0, KeyRole::node); });
}

TEST_F(RotationAtAnEnd, OfTheCosignKeyIsTakenInThePlaceOfAnEntryThatNeverLeft) {
  expect_healed([&] { circle_.append(0, log::kCanarySet); }, [&] { rotate(0, KeyRole::cosign); });
}

TEST_F(RotationAtAnEnd, ThatNeverLeftGivesWayToAnEntry) {
  expect_healed([&] { rotate(0, KeyRole::node); }, [&] { circle_.append(0, log::kHeads); });
}

TEST_F(RotationAtAnEnd, ThatNeverLeftGivesWayToAnother) {
  expect_healed([&] { rotate(0, KeyRole::node); }, [&] { rotate(0, KeyRole::node); });
}

TEST_F(RotationAtAnEnd, IsFoundBehindOthersOfAnEndThatNeverLeft) {
  expect_healed(
      [&] {
        rotate(0, KeyRole::cosign);
        circle_.append(0, log::kCanarySet);
        rotate(0, KeyRole::node);
      },
      [&] {
        circle_.append(0, log::kHeads);
        rotate(0, KeyRole::node);
        rotate(0, KeyRole::node);
        circle_.append(0, log::kHeads);
      });
}

// Alpha shows bravo one history and carol another, in which it has another key; carol's copy reaches bravo as entries
// only, before either has told the other what it holds.
class RotationInAnotherHistory : public RotationAtAnEnd, public testing::WithParamInterface<std::size_t> {};

TEST_P(RotationInAnotherHistory, IsProvenByItsCheckpoint) {
  expect_fork_proven(GetParam());
}

INSTANTIATE_TEST_SUITE_P(EntriesShownToBravo, RotationInAnotherHistory, testing::Values(1, 2, 3, 5));

TEST_F(RotationAtAnEnd, IsNotTakenThereFromAnybodyWithoutTheIdKey) {
  circle_.append(0, log::kCanarySet);
  restart(0);
  const std::uint64_t size = circle_[0].size("alpha");
  const std::string held = circle_.disk(0).leaves(circle_.keys[0].log.name, size - 1, 1)->front().note;
  // Bravo signs a rotation for alpha, with its own id key and a new key of its own.
  const Secret<32> new_key = random_secret<32>();
  log::Rotation forged{.origin = circle_.keys[0].log.name,
                       .nick = "alpha",
                       .role = KeyRole::node,
                       .reason = RotationReason::stolen,
                       .old = circle_.keys[0].node,
                       .next = circle_.keys[0].node};
  forged.next.key = crypto::public_key_of(new_key);
  const log::Body body = *log::make_body(
      log::rotation_body(log::make_rotation(forged, circle_.keys[0].id.name, ids_[1], new_key, nullptr)));
  log::Entry entry = *log::read_entry_unverified(held);
  entry.type = log::kKeyRotate;
  entry.audience = {"*"};
  entry.body = body.commitment();
  Push push{.log = "alpha", .from = size - 1, .leaves = {}, .bodies = {{size - 1, body}}, .checkpoint = {}};
  push.leaves = {*log::make_entry(entry, circle_.keys[0].node.name, new_key)};
  push.checkpoint = circle_.disk(0).disk.logs.at(circle_.keys[0].log.name).checkpoints.at(size).note;
  EXPECT_FAILS(circle_.deliver({1, 0, message_of(push)}), Errc::signature);
  EXPECT_EQ(circle_[0].size("alpha"), size);
  EXPECT_TRUE(circle_[0].keys_of("alpha")->rotated.empty());
}

/// Rows of alpha's log, which has rotations, damaged on one disk.
class DamagedRotation : public RotationTest {
 protected:
  DamagedRotation() {
    circle_.append(0, log::kHeads);
    node_at_ = rotate(0, KeyRole::node).entry.seq;
    cosign_at_ = rotate(0, KeyRole::cosign).entry.seq;
    for (int i = 0; i < 5; ++i) circle_.append(0, log::kHeads);
    circle_.append(2, log::kHeads);
    settle();
    for (std::size_t i = 0; i < 3; ++i) EXPECT_OK(circle_[i].flush());
  }
  MemoryLog& rows(std::size_t i) { return circle_.disk(i).disk.logs.at(circle_.keys[0].log.name); }
  void expect_mended(std::size_t i, const std::function<void(MemoryLog&)>& damage) {
    SCOPED_TRACE(i);
    const log::MemberKeys before = *circle_[i].keys_of("alpha");
    const MemoryDisk whole = circle_.disk(i).disk;
    restart(i, [&] { damage(rows(i)); });
    ASSERT_OK(circle_[i].fsck());
    EXPECT_TRUE(circle_[i].damaged("alpha"));
    circle_.link_all();
    settle();
    expect_no_refusals();
    EXPECT_FALSE(circle_[i].damaged("alpha"));
    EXPECT_EQ(*circle_[i].keys_of("alpha"), before);
    EXPECT_EQ(circle_[i].state(), State::live) << circle_[i].reason();
    // And so it is found at the next start.
    restart(i);
    EXPECT_FALSE(circle_[i].damaged("alpha"));
    EXPECT_TRUE(circle_[i].fsck()->empty());
    circle_.link_all();
    settle();
    const EntryView after = circle_.append(0, log::kHeads);
    settle();
    expect_no_refusals();
    EXPECT_TRUE(circle_[2].is_final("alpha", after.entry.seq + 1));
  }
  /// On the owner's disk and on another's.
  void expect_mended_everywhere(const std::function<void(MemoryLog&)>& damage) {
    for (const std::size_t i : {0u, 1u}) expect_mended(i, damage);
  }
  std::uint64_t node_at_ = 0, cosign_at_ = 0;
};

TEST_F(DamagedRotation, IsMendedWithTheKeyThatItBrings) {
  expect_mended_everywhere([&](MemoryLog& log) { log.leaves[node_at_].note[40] ^= 1; });
}

TEST_F(DamagedRotation, OfTheCosignKeyIsMended) {
  expect_mended_everywhere([&](MemoryLog& log) { log.leaves[cosign_at_].note[40] ^= 1; });
}

TEST_F(DamagedRotation, IsMendedWhereItsRowIsNoEntryAnyMore) {
  for (const std::uint64_t at : {node_at_, cosign_at_})
    expect_mended_everywhere([&](MemoryLog& log) { log.leaves[at].note[0] ^= 1; });
}

TEST_F(DamagedRotation, IsPassedWhereARowBehindItIsDamaged) {
  expect_mended_everywhere([&](MemoryLog& log) { log.leaves[cosign_at_ + 2].note[40] ^= 1; });
}

TEST_F(DamagedRotation, IsFoundAgainWhereTheRowIsLostThatSaysWhereItStands) {
  expect_mended_everywhere([&](MemoryLog& log) { log.steps.erase(rotation_key("alpha", 0)); });
}

TEST_F(DamagedRotation, OfWhichTheBodyIsDamagedOrLostIsMended) {
  const Digest body = circle_[0].entry("alpha", node_at_)->leaf_hash;
  for (const std::size_t i : {0u, 1u}) {
    expect_mended(i, [&](MemoryLog&) { circle_.disk(i).disk.bodies.at(body).content[9] ^= std::byte{1}; });
    expect_mended(i, [&](MemoryLog&) { circle_.disk(i).disk.bodies.erase(body); });
  }
}

// Whoever stole the key that was replaced signs another entry of that time.
TEST_F(DamagedRotation, LetsNothingThatTheOldKeySignsConvictItsOwner) {
  const std::string held = rows(2).leaves[1].note;
  log::Entry other = *log::read_entry_unverified(held);
  other.time += 5;
  const std::string forged = log::make_entry(other, circle_.keys[0].node.name, circle_.members[0].node).value();
  const Conviction accusation{"alpha", log::write_fault(log::fault_of_entries(held, forged, circle_.keys[0]).value()),
                              "The node key of alpha signed two different entries."};
  const std::vector<std::function<void(MemoryLog&)>> damages = {
      [&](MemoryLog& log) { log.leaves[node_at_].note[40] ^= 1; },
      [&](MemoryLog& log) { log.steps.erase(rotation_key("alpha", 0)); }};
  circle_.append(2, log::kFault, {"*"}, Replica::fault_draft(accusation).body);
  const MemoryDisk whole = circle_.disk(1).disk;
  for (const auto& damage : damages) {
    restart(1, [&] {
      circle_.disk(1).disk = whole;
      damage(rows(1));
    });
    ASSERT_TRUE(circle_[1].damaged("alpha"));
    // Carol's log comes, and alpha's, which would mend it, does not.
    circle_.tamper = [](const Sent& sent) {
      if (sent.to != 1 || sent.message.type != MessageType::push) return true;
      const auto content = parse_message(kGroup, sent.message);
      return std::get<Push>(*content).log != "alpha";
    };
    circle_.link(1, 2);
    circle_.run();
    EXPECT_EQ(circle_[1].size("carol"), circle_[2].size("carol"));
    EXPECT_TRUE(circle_[1].convictions().empty());
    circle_.tamper = {};
    circle_.link_all();
    settle();
    EXPECT_FALSE(circle_[1].damaged("alpha"));
    EXPECT_TRUE(circle_[1].convictions().empty());
  }
  for (std::size_t i : {0u, 1u, 2u}) EXPECT_OK(circle_[i].trusted("alpha"));
}

TEST_F(DamagedRotation, KeepsNoTwoTreesFromConvictingWhoSignedThem) {
  restart(1, [&] { rows(1).leaves[node_at_].note[40] ^= 1; });
  ASSERT_TRUE(circle_[1].damaged("alpha"));
  log::Checkpoint other{.origin = circle_.keys[0].log.name, .size = circle_[2].size("alpha"), .root = {}};
  other.root[0] = std::byte{1};
  const std::string note = log::sign_checkpoint(other, crypto::SigningKey(circle_.members[0].log));
  const auto fault = log::fault_of_checkpoints(*circle_[2].checkpoint("alpha"), note, circle_.keys[0]);
  ASSERT_TRUE(fault.has_value());
  const Conviction conviction{"alpha", log::write_fault(*fault),
                              log::verify_fault(log::write_fault(*fault), circle_.keys)->proves.front()};
  circle_.append(2, log::kFault, {"*"}, Replica::fault_draft(conviction).body);
  circle_.link(1, 2);
  circle_.run();
  ASSERT_EQ(circle_[1].convictions().size(), 1u);
}

TEST_F(DamagedRotation, MakesWhatItsOwnerCosignedCountAgain) {
  restart(1, [&] { rows(1).leaves[cosign_at_].note[40] ^= 1; });
  const std::uint64_t size = circle_[1].size("carol");
  EXPECT_FALSE(circle_[1].held_by("alpha", "carol", size)) << "by a key that is not known here now";
  // Alpha's own copy of its log mends it, and no heads come with which alpha would say again what it holds.
  circle_.tamper = [](const Sent& sent) { return sent.to != 1 || sent.message.type == MessageType::push; };
  circle_.link(0, 1);
  circle_.run();
  ASSERT_FALSE(circle_[1].damaged("alpha"));
  EXPECT_TRUE(circle_[1].held_by("alpha", "carol", size));
}

// --- what stays proven ---------------------------------------------------------------------------------------------

class RotationOfAConvicted : public RotationTest {
 protected:
  RotationOfAConvicted() {
    circle_.append(0, log::kHeads);
    settle();
    const std::string held = circle_.homes[2]->store().leaves(circle_.keys[0].log.name, 1, 1)->front().note;
    log::Entry other = *log::read_entry_unverified(held);
    other.time += 5;
    const std::string second = *log::make_entry(other, circle_.keys[0].node.name, circle_.members[0].node);
    const auto fault = log::fault_of_entries(held, second, circle_.keys[0]);
    EXPECT_TRUE(fault.has_value());
    accusation_ = {"alpha", log::write_fault(*fault), "The node key of alpha signed two different entries."};
  }
  Conviction accusation_;
};

// A member that accuses itself, and says behind it that its key was stolen.
TEST_F(RotationOfAConvicted, InOnePushWithTheProofLeavesTheProofAndEveryLogStarts) {
  circle_.unlink(0, 1);
  circle_.unlink(0, 2);
  ASSERT_OK(circle_[0].append(Replica::fault_draft(accusation_), ++circle_.now));
  rotate(0, KeyRole::node, RotationReason::stolen);
  circle_.link_all();
  settle();
  for (const std::size_t i : {1u, 2u}) {
    ASSERT_EQ(circle_[i].convictions().size(), 1u) << i;
    EXPECT_EQ(circle_[i].keys_of("alpha")->rotated.size(), 1u) << "it came in the same push";
    restart(i);
    ASSERT_EQ(circle_[i].convictions().size(), 1u) << i;
    EXPECT_EQ(circle_[i].convictions().front().accused, "alpha");
    EXPECT_FALSE(circle_[i].trusted("alpha"));
  }
}

TEST_F(RotationOfAConvicted, ForRoutineOrStaffUndoesNothing) {
  rotate(0, KeyRole::node, RotationReason::routine);
  rotate(0, KeyRole::node, RotationReason::staff);
  settle();
  ASSERT_EQ(circle_[1].keys_of("alpha")->rotated.size(), 2u);
  // What proves it is shown only now.
  ASSERT_OK(circle_[1].append(Replica::fault_draft(accusation_), ++circle_.now));
  settle();
  ASSERT_EQ(circle_[2].convictions().size(), 1u);
  EXPECT_EQ(circle_[2].convictions().front().accused, "alpha");
  restart(2);
  EXPECT_FALSE(circle_[2].trusted("alpha"));
}

TEST_F(RotationOfAConvicted, ThatComesLaterUndoesNothingWhateverItsReason) {
  ASSERT_OK(circle_[1].append(Replica::fault_draft(accusation_), ++circle_.now));
  circle_.unlink(0, 1);
  circle_.unlink(0, 2);
  settle();
  ASSERT_EQ(circle_[2].convictions().size(), 1u);
  rotate(0, KeyRole::node, RotationReason::stolen);
  circle_.link_all();
  settle();
  restart(2);
  EXPECT_FALSE(circle_[2].trusted("alpha"));
}

TEST_F(RotationInFour, ToAKeyThatAnotherMemberHasRotatedToIsRefused) {
  rotate(0, KeyRole::node);
  settle();
  for (const KeyRole role : {KeyRole::node, KeyRole::cosign}) {
    const auto shared = try_rotate(1, role, RotationReason::lost, seeds_.back());
    ASSERT_FALSE(shared);
    EXPECT_EQ(shared.error().code, Errc::usage);
  }
}

// Two who do so behind the others' backs: whichever comes first, all take the same, and nobody is split off.
TEST_F(RotationInFour, OfTwoToOneSharedKeySplitsNobody) {
  for (std::size_t a = 0; a < 4; ++a)
    for (std::size_t b = a + 1; b < 4; ++b) circle_.unlink(a, b);
  seeds_.push_back(random_secret<32>());
  for (const std::size_t i : {0u, 1u}) ASSERT_OK(try_rotate(i, KeyRole::node, RotationReason::lost, seeds_.back()));
  circle_.link(0, 2);
  circle_.link(1, 3);
  settle();
  circle_.link_all();
  settle();
  for (const std::size_t i : {2u, 3u}) {
    for (const std::string_view nick : {"alpha", "bravo"}) {
      EXPECT_EQ(circle_[i].keys_of(nick)->rotated.size(), 1u) << i << " of " << nick;
      EXPECT_OK(circle_[i].trusted(nick));
    }
    restart(i);
    EXPECT_FALSE(circle_[i].damaged("alpha"));
    EXPECT_FALSE(circle_[i].damaged("bravo"));
  }
  circle_.link_all();
  settle();
  expect_no_refusals();
}

}  // namespace
}  // namespace parley::mirror
