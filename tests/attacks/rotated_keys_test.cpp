// A thief with a key that its owner has replaced (T-ROT): with the old key of each role, every attempt is refused and
// says why, and nobody who is honest is accused. Until the rotation has reached a member, what the thief can do there
// is shown, and that it ends there.
#include "log/key_history.h"
#include "mirror/rotating_circle.h"

namespace parley::attacks {
namespace {

using log::KeyRole, log::RotationReason;
using mirror::Push, mirror::kGroup, mirror::Conviction, mirror::EntryView;
using mirror::succeeds, mirror::why, mirror::fails;

/// Alpha's keys are stolen and replaced; bravo helps the thief; carol and dave are honest.
class RotatedKeys : public mirror::RotationTest {
 protected:
  RotatedKeys() : RotationTest(4) {}

  /// An entry at the end of alpha's log as whoever has these seeds would write it, with a checkpoint over it.
  Push forged_push(const Secret<32>& node, const Secret<32>& log_key, std::int64_t time,
                   std::string_view type = log::kHeads, const log::Json& json = log::Json::Object{{"v", 1}}) {
    mirror::Store& store = circle_.homes[2]->store();
    const std::string& origin = circle_.keys[0].log.name;
    const std::uint64_t size = circle_[2].size("alpha");
    log::Entry entry;
    entry.author = "alpha";
    entry.seq = size;
    entry.prev = store.leaves(origin, size - 1, 1)->front().hash;
    entry.audience = {std::string(log::kEveryone)};
    const log::Body body = *log::make_body(json);
    entry.body = body.commitment();
    entry.time = time;
    entry.type = type;
    const std::string leaf = log::make_entry(entry, circle_.keys[0].node.name, node).value();
    mirror::StoredTree tree(store, origin);
    log::Frontier frontier = *log::Frontier::read(tree, size);
    frontier.append(log::leaf_hash(as_bytes(leaf)), [](const log::TreeNode&, const Digest&) {});
    return {.log = "alpha",
            .from = size,
            .leaves = {leaf},
            .bodies = {{size, body}},
            .checkpoint = log::sign_checkpoint({origin, size + 1, frontier.root()}, log_key)};
  }
  Result<mirror::Outcome> show(std::size_t to, const mirror::Content& content) {
    return circle_[to].take("bravo", *mirror::write_message(kGroup, content), ++circle_.now);
  }
  void expect_nobody_accused() {
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_TRUE(circle_[i].convictions().empty()) << mirror::Circle::nick(i);
      EXPECT_EQ(circle_[i].state(), mirror::State::live);
    }
  }
  const Secret<32>& old_node() const { return circle_.members[0].node; }
  const Secret<32>& old_cosign() const { return circle_.members[0].cosign; }
};

TEST_F(RotatedKeys, OfEntriesSignNothingBeyondTheRotationWhateverTimeItStates) {
  const EntryView rotated = rotate(0, KeyRole::node);
  circle_.append(0, log::kHeads);
  settle();
  const std::uint64_t size = circle_[2].size("alpha");
  // With the log key as well, which makes the thief a second owner of the log, and yet of no use without the node key.
  const std::int64_t before_the_theft = rotated.entry.time - 1;
  for (const std::int64_t time : {before_the_theft, rotated.entry.time, circle_.now + 10}) {
    const auto taken = show(2, forged_push(old_node(), circle_.members[0].log, time));
    ASSERT_FALSE(taken) << time;
    EXPECT_EQ(taken.error().code, Errc::signature);
    EXPECT_NE(taken.error().message.find("is signed with a node key that entry 1 replaced (stolen)"), std::string::npos)
        << taken.error().message;
    EXPECT_EQ(circle_[2].size("alpha"), size);
  }
  expect_nobody_accused();
  // Whoever owns the log goes on.
  circle_.append(0, log::kHeads);
  settle();
  EXPECT_TRUE(circle_[3].is_final("alpha", size + 1));
}

TEST_F(RotatedKeys, OfEntriesAccuseNobodyAfterwards) {
  circle_.append(0, log::kHeads);
  settle();
  const std::string held = circle_.homes[2]->store().leaves(circle_.keys[0].log.name, 1, 1)->front().note;
  log::Entry other = *log::read_entry_unverified(held);
  other.time += 5;
  const std::string forged = log::make_entry(other, circle_.keys[0].node.name, old_node()).value();
  const auto fault = log::fault_of_entries(held, forged, circle_.keys[0]);
  ASSERT_TRUE(fault.has_value());
  rotate(0, KeyRole::node);
  settle();
  const Conviction accusation{"alpha", log::write_fault(*fault), "The node key of alpha signed two different entries."};
  ASSERT_OK(circle_[1].append(mirror::Replica::fault_draft(accusation), ++circle_.now));
  settle();
  expect_nobody_accused();
  const auto why = log::verify_fault(accusation.fault, std::vector{*circle_[2].keys_of("alpha")});
  ASSERT_FALSE(why);
  EXPECT_NE(why.error().message.find("alpha replaced by entry 2 (stolen)"), std::string::npos) << why.error().message;
}

TEST_F(RotatedKeys, OfEntriesConvictTheirOwnerOnlyWhereTheRotationHasNotCome) {
  circle_.append(0, log::kHeads);
  settle();
  for (std::size_t i : {0u, 1u, 2u}) circle_.unlink(i, 3);
  rotate(0, KeyRole::node);
  settle();
  const std::string held = circle_.homes[3]->store().leaves(circle_.keys[0].log.name, 1, 1)->front().note;
  log::Entry other = *log::read_entry_unverified(held);
  other.time += 5;
  Push push{.log = "alpha", .from = 1, .leaves = {}, .bodies = {}, .checkpoint = *circle_[3].checkpoint("alpha")};
  push.leaves = {log::make_entry(other, circle_.keys[0].node.name, old_node()).value()};
  ASSERT_OK(show(3, push));
  EXPECT_EQ(circle_[3].convictions().size(), 1u) << "dave has no other word than the old key's";
  // What dave says of it convinces nobody who has the rotation.
  ASSERT_OK(circle_[3].append(mirror::Replica::fault_draft(circle_[3].convictions().front()), ++circle_.now));
  circle_.link(2, 3);
  settle();
  for (std::size_t i : {0u, 1u, 2u}) EXPECT_TRUE(circle_[i].convictions().empty()) << i;
  EXPECT_EQ(circle_[0].state(), mirror::State::live);
  EXPECT_TRUE(circle_[2].is_final("alpha", circle_[0].size("alpha"))) << "three of four still hold it";
}

TEST_F(RotatedKeys, OfCosignaturesCountForNoTreeBeyondWhatTheirOwnerHeld) {
  const std::uint64_t held = circle_[1].size("bravo");
  rotate(0, KeyRole::cosign);
  settle();
  // Bravo shows its next entry to carol only, with alpha's name and dave's absence: two of four, and the stolen key.
  for (std::size_t i : {0u, 2u, 3u}) circle_.unlink(1, i);
  circle_.append(1, log::kHeads);
  circle_.link(1, 2);
  circle_.tamper = [](const mirror::Sent& sent) {
    return sent.to != 0 && sent.from != 0 && sent.to != 3 && sent.from != 3;
  };
  settle();
  const std::uint64_t size = circle_[1].size("bravo");
  ASSERT_EQ(circle_[2].size("bravo"), size);
  const auto checkpoint = log::read_checkpoint(*circle_[1].checkpoint("bravo"), circle_.keys[1].log);
  ASSERT_OK(checkpoint);
  const auto stolen = log::cosign(*checkpoint, circle_.keys[0].cosign.name, old_cosign(), mirror::kNow);
  const auto note = log::add_cosignature(*circle_[1].checkpoint("bravo"), stolen, circle_.keys[0].cosign);
  ASSERT_OK(note);
  ASSERT_OK(show(2, mirror::Cosig{"bravo", *note}));
  EXPECT_FALSE(circle_[2].held_by("alpha", "bravo", size));
  EXPECT_FALSE(circle_[2].is_final("bravo", size));
  EXPECT_EQ(circle_[2].holders("bravo", size), (std::vector<std::string>{"bravo", "carol"}));
  EXPECT_TRUE(circle_[2].held_by("alpha", "bravo", held)) << "what alpha did hold stands";
  expect_nobody_accused();
}

TEST_F(RotatedKeys, OfCosignaturesThatWereTakenBeforeStayCounted) {
  // The thief is first: carol counts alpha where alpha holds nothing. An owner answers for its keys until then, and
  // nobody takes back by a rotation what was signed to be held.
  for (std::size_t i : {1u, 2u, 3u}) circle_.unlink(0, i);
  circle_.unlink(1, 3);
  circle_.unlink(2, 3);
  circle_.append(1, log::kHeads);
  settle();
  const std::uint64_t size = circle_[1].size("bravo");
  const auto checkpoint = log::read_checkpoint(*circle_[1].checkpoint("bravo"), circle_.keys[1].log);
  const auto stolen = log::cosign(*checkpoint, circle_.keys[0].cosign.name, old_cosign(), mirror::kNow);
  ASSERT_OK(show(2, mirror::Cosig{"bravo", *log::add_cosignature(*circle_[1].checkpoint("bravo"), stolen,
                                                                 circle_.keys[0].cosign)}));
  EXPECT_TRUE(circle_[2].held_by("alpha", "bravo", size)) << "one vote";
  EXPECT_TRUE(circle_[2].is_final("bravo", size));
  rotate(0, KeyRole::cosign);
  circle_.tamper = [](const mirror::Sent& sent) {
    return sent.from == 0 || sent.message.type == mirror::MessageType::heads;
  };
  circle_.link(0, 2);
  settle();
  EXPECT_TRUE(circle_[2].held_by("alpha", "bravo", size));
  EXPECT_TRUE(circle_[2].is_final("bravo", size));
  circle_.restart(2);
  EXPECT_TRUE(circle_[2].held_by("alpha", "bravo", size)) << "after a restart too";
  circle_.tamper = {};
  circle_.link_all();
  settle();
  EXPECT_TRUE(circle_[2].held_by("alpha", "bravo", size)) << "now alpha does hold it";
  EXPECT_TRUE(circle_[2].is_final("bravo", size));
  expect_nobody_accused();
}

TEST_F(RotatedKeys, ReplaceNothingThemselves) {
  rotate(0, KeyRole::node);
  settle();
  // A thief's own rotation, signed by all that it has: the id key is not among that.
  const Secret<32> thiefs = random_secret<32>();
  const log::MemberKeys keys = *circle_[2].keys_of("alpha");
  log::Rotation back{.origin = keys.log.name,
                     .nick = "alpha",
                     .role = KeyRole::node,
                     .reason = RotationReason::routine,
                     .old = keys.newest_node(),
                     .next = keys.newest_node()};
  back.next.key = crypto::public_key_of(thiefs);
  const crypto::SigningKey old_key(old_node());
  const std::string statement = log::make_rotation(back, keys.id.name, thiefs, thiefs, &old_key);
  const auto taken =
      show(2, forged_push(thiefs, circle_.members[0].log, circle_.now, log::kKeyRotate, log::rotation_body(statement)));
  ASSERT_FALSE(taken);
  EXPECT_EQ(circle_[2].keys_of("alpha")->rotated.size(), 1u);
  expect_nobody_accused();
}

TEST_F(RotatedKeys, OfAMemberWhoseLogIsSealedAreNotReplacedAnyMore) {
  ASSERT_OK(circle_[0].seal(++circle_.now));
  settle();
  const auto rotated = try_rotate(0, KeyRole::node, RotationReason::stolen, random_secret<32>());
  ASSERT_FALSE(rotated);
  EXPECT_EQ(rotated.error().code, Errc::policy);
  // And what its keys sign is taken from nobody.
  const auto taken = show(2, forged_push(old_node(), circle_.members[0].log, circle_.now + 5));
  const bool refused = !taken || !taken->convictions.empty();
  EXPECT_TRUE(refused);
  EXPECT_EQ(circle_[2].size("alpha"), circle_[0].size("alpha"));
}

}  // namespace
}  // namespace parley::attacks
