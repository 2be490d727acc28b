#include "log/rotation.h"

#include <gtest/gtest.h>

#include <functional>

#include "log/fault.h"
#include "log/key_history.h"
#include "log/quorum.h"
#include "member.h"
#include "support/keys_that_look_alike.h"

namespace parley::log {
namespace {

constexpr std::int64_t kNow = 1'790'000'000;

/// Alpha with an id key, a log of three entries, and whatever a test rotates in it.
class RotationTest : public testing::Test {
 protected:
  RotationTest() {
    keys_ = alpha_.keys;
    keys_.id = vkey_of("parley.example/m/alpha/id", KeyType::ed25519, id_);
    for (int i = 0; i < 3; ++i) append(kHeads, alpha_.node);
  }
  Entry next(std::string_view type) const {
    Entry entry;
    entry.author = "alpha";
    entry.seq = leaves_.size();
    entry.prev = leaves_.empty() ? Digest{} : leaf_hash(as_bytes(leaves_.back()));
    entry.audience = {std::string(kEveryone)};
    entry.time = kNow + static_cast<std::int64_t>(leaves_.size());
    entry.type = leaves_.empty() ? kLogOpen : type;
    return entry;
  }
  void append(std::string_view type, const Secret<32>& node) {
    leaves_.push_back(make_entry(next(type), keys_.node.name, node).value());
  }
  Rotation rotation(KeyRole role, const Secret<32>& seed, RotationReason reason = RotationReason::stolen) const {
    Rotation made{.origin = keys_.log.name, .nick = "alpha", .role = role, .reason = reason, .old = {}, .next = {}};
    made.old = role == KeyRole::node ? keys_.newest_node() : keys_.newest_cosign();
    if (role == KeyRole::tls) made.old = vkey_of(tls_key_name(keys_.log.name), KeyType::ed25519, tls_);
    made.next = made.old;
    made.next.key = crypto::public_key_of(seed);
    return made;
  }
  std::string statement(const Rotation& made, const Secret<32>& seed, const Secret<32>& old) const {
    const crypto::SigningKey old_key(old);
    return make_rotation(made, keys_.id.name, id_, seed, &old_key);
  }
  /// The entry that carries a statement, and its body.
  std::pair<std::string, Body> entry_with(std::string statement, const Secret<32>& node) const {
    const Body body = *make_body(rotation_body(std::move(statement)));
    Entry entry = next(kKeyRotate);
    entry.body = body.commitment();
    return {make_entry(entry, keys_.node.name, node).value(), body};
  }
  /// Rotates the node key in the log, as alpha does.
  void rotate_node(const Secret<32>& seed, const Secret<32>& old) {
    const auto [leaf, body] = entry_with(statement(rotation(KeyRole::node, seed), seed, old), seed);
    ASSERT_TRUE(admit_rotation(keys_, leaf, body).has_value());
    leaves_.push_back(leaf);
  }

  TestMember alpha_{"alpha"};
  Secret<32> id_ = random_secret<32>(), tls_ = random_secret<32>();
  MemberKeys keys_;
  std::vector<std::string> leaves_;
};

TEST_F(RotationTest, IsReadAsItWasMade) {
  const Secret<32> seed = random_secret<32>();
  for (const KeyRole role : {KeyRole::node, KeyRole::cosign, KeyRole::tls})
    for (const RotationReason reason :
         {RotationReason::lost, RotationReason::stolen, RotationReason::staff, RotationReason::routine}) {
      Rotation made = rotation(role, seed, reason);
      made.since = kNow;
      if (role == KeyRole::cosign) made.cutoffs = {{"bravo", 7}, {"carol", 1}};
      const Secret<32>& old = role == KeyRole::node ? alpha_.node : role == KeyRole::cosign ? alpha_.cosign : tls_;
      const auto read = read_rotation(statement(made, seed, old), keys_.id);
      ASSERT_TRUE(read.has_value()) << read.error().text();
      EXPECT_EQ(*read, made);
    }
}

TEST_F(RotationTest, IsRefusedWithOtherSignaturesThanAreDue) {
  const Secret<32> seed = random_secret<32>(), other = random_secret<32>();
  const Rotation routine = rotation(KeyRole::node, seed, RotationReason::routine);
  const Rotation stolen = rotation(KeyRole::node, seed);
  const auto signed_by = [&](const Rotation& made, const Secret<32>& id, const Secret<32>& next,
                             const Secret<32>& old) {
    const crypto::SigningKey old_key(old);
    return make_rotation(made, keys_.id.name, id, next, &old_key);
  };
  const auto without_last = [](const std::string& note) {
    Note parsed = *parse_note(note);
    parsed.signatures.pop_back();
    return write_note(parsed);
  };
  const auto with_old = [&](const std::string& note) { return *add_signature(note, keys_.node.name, alpha_.node); };
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"another id key", signed_by(stolen, other, seed, alpha_.node)},
      {"another new key", signed_by(stolen, id_, other, alpha_.node)},
      {"another old key", signed_by(routine, id_, seed, other)},
      {"no old key", without_last(signed_by(routine, id_, seed, alpha_.node))},
      {"no new key", without_last(signed_by(stolen, id_, seed, alpha_.node))},
      {"an old key that may be a thief's", with_old(signed_by(stolen, id_, seed, alpha_.node))},
      {"a stranger's as well", *add_signature(signed_by(stolen, id_, seed, alpha_.node), "stranger", other)},
  };
  for (const auto& [name, note] : cases) EXPECT_FALSE(read_rotation(note, keys_.id)) << name;
}

TEST_F(RotationTest, IsRefusedWhenAFieldBreaksARule) {
  const Secret<32> seed = random_secret<32>();
  const std::string good = statement(rotation(KeyRole::node, seed), seed, alpha_.node);
  const auto altered = [&](std::string_view what, std::string_view with) {
    std::string text = parse_note(good)->text;
    const std::size_t at = text.find(what);
    EXPECT_NE(at, text.npos) << what;
    text.replace(at, what.size(), with);
    Note note{text, {make_signature(text, keys_.id.name, id_), make_signature(text, keys_.node.name, seed)}};
    return write_note(note);
  };
  const std::string next =
      crypto::public_key_of(seed) == keys_.node.key ? "" : rotation(KeyRole::node, seed).next.text();
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"another kind", altered("parley/rotation/v1", "parley/rotation/v2")},
      {"another version", altered("\"v\":1", "\"v\":2")},
      {"an unknown role", altered("\"role\":\"node\"", "\"role\":\"log\"")},
      {"the role of another key", altered("\"role\":\"node\"", "\"role\":\"tls\"")},
      {"an unknown reason", altered("stolen", "bored")},
      {"another log", altered("\"log\":\"parley.example/g/7d1f3c90/m/alpha\"", "\"log\":\"parley.example/m/alpha\"")},
      {"cutoffs of a node key", altered("\"cutoffs\":[]", "\"cutoffs\":[{\"nick\":\"bravo\",\"size\":1}]")},
      {"the old key again", altered(next, keys_.node.text())},
      {"a time before time", altered("\"since\":0", "\"since\":-1")},
      {"a field more", altered("\"v\":1", "\"v\":1,\"w\":1")},
  };
  for (const auto& [name, note] : cases) EXPECT_FALSE(read_rotation(note, keys_.id)) << name;
  EXPECT_FALSE(read_rotation(std::string(kMaxRotationBytes + 1, 'x'), keys_.id));
  EXPECT_TRUE(read_rotation(good, keys_.id));
}

TEST_F(RotationTest, MakesEachEntryVerifyWithTheKeyOfItsPlace) {
  const Secret<32> second = random_secret<32>(), third = random_secret<32>();
  rotate_node(second, alpha_.node);  // entry 3
  append(kHeads, second);
  rotate_node(third, second);  // entry 5
  append(kHeads, third);
  for (const std::string& leaf : leaves_) EXPECT_TRUE(read_entry(leaf, keys_)) << leaf;
  // Each key at each place: only the one that is due.
  const std::vector<const Secret<32>*> seeds{&alpha_.node, &second, &third};
  for (std::uint64_t seq = 1; seq < 9; ++seq)
    for (std::size_t generation = 0; generation < seeds.size(); ++generation) {
      Entry entry = next(kHeads);
      entry.seq = seq;
      const auto read = read_entry(make_entry(entry, keys_.node.name, *seeds[generation]).value(), keys_);
      const std::size_t due = seq < 3 ? 0 : seq < 5 ? 1 : 2;
      EXPECT_EQ(read.has_value(), generation == due) << seq << " with key " << generation;
      if (!read) {
        EXPECT_EQ(read.error().code, Errc::signature);
      }
    }
}

TEST_F(RotationTest, IsNotTakenFromAnEntryThatDoesNotCarryItProperly) {
  const Secret<32> seed = random_secret<32>(), other = random_secret<32>();
  const std::string good = statement(rotation(KeyRole::node, seed), seed, alpha_.node);
  const auto refused = [&](const char* what, const std::string& leaf, const Body& body) {
    const MemberKeys before = keys_;
    EXPECT_FALSE(admit_rotation(keys_, leaf, body)) << what;
    EXPECT_EQ(keys_, before) << what;
  };
  auto [leaf, body] = entry_with(good, seed);
  refused("another body", leaf, *make_body(rotation_body(good)));
  const auto [by_old, by_old_body] = entry_with(good, alpha_.node);
  refused("signed with the old node key", by_old, by_old_body);
  Entry for_one = next(kKeyRotate);
  for_one.body = body.commitment();
  for_one.audience = {"bravo"};
  refused("for one member", make_entry(for_one, keys_.node.name, seed).value(), body);
  Entry of_type = next(kHeads);
  of_type.body = body.commitment();
  refused("of another type", make_entry(of_type, keys_.node.name, seed).value(), body);
  Rotation of_bravo = rotation(KeyRole::node, seed);
  of_bravo.nick = "bravo";
  const auto [bravos, bravos_body] = entry_with(statement(of_bravo, seed, alpha_.node), seed);
  refused("of another member", bravos, bravos_body);
  Rotation not_in_use = rotation(KeyRole::node, seed);
  not_in_use.old.key = crypto::public_key_of(other);
  const auto [unused, unused_body] = entry_with(statement(not_in_use, seed, other), seed);
  refused("of a key that is not in use", unused, unused_body);
  const auto [cosign, cosign_body] =
      entry_with(statement(rotation(KeyRole::node, alpha_.cosign), alpha_.cosign, alpha_.node), alpha_.cosign);
  refused("to a key of another role", cosign, cosign_body);
  MemberKeys without_id = alpha_.keys;
  EXPECT_EQ(admit_rotation(without_id, leaf, body).error().code, Errc::policy);
  ASSERT_TRUE(admit_rotation(keys_, leaf, body));
  refused("twice", leaf, body);
}

TEST_F(RotationTest, NeverBringsAKeyBack) {
  const Secret<32> second = random_secret<32>();
  rotate_node(second, alpha_.node);
  append(kHeads, second);
  const auto [leaf, body] =
      entry_with(statement(rotation(KeyRole::node, alpha_.node), alpha_.node, second), alpha_.node);
  EXPECT_FALSE(admit_rotation(keys_, leaf, body));
}

// Its lines on checkpoints would pass for forged ones to whoever knows of the rotation, and these would refuse all that
// comes with such a line: all heads of all members, as long as it goes on signing with the old key.
TEST_F(RotationTest, OfACosignKeyBringsNoneThatLooksLikeAnyBefore) {
  const std::array<Secret<32>, 2> alike = cosign_keys_that_look_alike();
  ASSERT_EQ(vkey_of(keys_.cosign.name, KeyType::cosignature, alike[0]).id(),
            vkey_of(keys_.cosign.name, KeyType::cosignature, alike[1]).id());
  const auto rotate = [&](MemberKeys& keys, const Secret<32>& seed, const Secret<32>& old) {
    const auto [leaf, body] = entry_with(statement(rotation(KeyRole::cosign, seed), seed, old), alpha_.node);
    const Status admitted = admit_rotation(keys, leaf, body);
    if (admitted) leaves_.push_back(leaf);
    return admitted;
  };
  const Secret<32> between = random_secret<32>();
  ASSERT_TRUE(rotate(keys_, alike[0], alpha_.cosign));
  for (const bool at_once : {true, false}) {
    ASSERT_TRUE(at_once || rotate(keys_, between, alike[0]).has_value());
    const Status refused = rotate(keys_, alike[1], at_once ? alike[0] : between);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("looks like one"), std::string::npos) << refused.error().message;
  }
  // The first key of all is the charter's.
  keys_ = alpha_.keys;
  keys_.id = vkey_of("parley.example/m/alpha/id", KeyType::ed25519, id_);
  keys_.cosign.key = crypto::public_key_of(alike[0]);
  leaves_.resize(3);
  EXPECT_FALSE(rotate(keys_, alike[1], alike[0]));
}

TEST_F(RotationTest, LeavesAnOldCosignKeyWhatItHadCosignedAndNoMore) {
  const Secret<32> second = random_secret<32>(), third = random_secret<32>();
  Rotation first = rotation(KeyRole::cosign, second);
  first.cutoffs = {{"bravo", 5}};
  const auto [leaf, body] = entry_with(statement(first, second, alpha_.cosign), alpha_.node);
  ASSERT_TRUE(admit_rotation(keys_, leaf, body));
  leaves_.push_back(leaf);
  Rotation later = rotation(KeyRole::cosign, third);
  later.cutoffs = {{"bravo", 9}, {"carol", 2}};
  const auto [next_leaf, next_body] = entry_with(statement(later, third, second), alpha_.node);
  ASSERT_TRUE(admit_rotation(keys_, next_leaf, next_body));
  const auto generations = [&](std::string_view owner, std::uint64_t size) {
    return keys_.cosign_on(owner, size).size();
  };
  EXPECT_EQ(generations("bravo", 5), 3u);
  EXPECT_EQ(generations("bravo", 6), 2u);
  EXPECT_EQ(generations("bravo", 9), 2u);
  EXPECT_EQ(generations("bravo", 10), 1u);
  EXPECT_EQ(generations("carol", 1), 2u) << "the first key had cosigned nothing of it";
  EXPECT_EQ(generations("carol", 3), 1u);
  EXPECT_EQ(generations("dave", 1), 1u);

  TestMember bravo("bravo");
  const std::vector<MemberKeys> members{keys_, bravo.keys};
  for (const auto& [size, counts] : {std::pair(5, true), std::pair(6, false)}) {
    const Checkpoint tree{bravo.keys.log.name, static_cast<std::uint64_t>(size), leaf_hash(as_bytes("root"))};
    const auto note = add_cosignature(bravo.sign(tree), alpha_.cosigned(tree, 1), alpha_.keys.cosign);
    const auto standing = read_standing(*note, members, 1, 2);
    ASSERT_TRUE(standing.has_value());
    EXPECT_EQ(standing->held_by(0), counts) << size;
  }
}

TEST_F(RotationTest, EndsWhatAnOldNodeKeyCanProveAgainstItsOwner) {
  Entry other = next(kHeads);
  other.seq = 1;
  other.prev = leaf_hash(as_bytes("another entry"));
  const std::string forged = make_entry(other, keys_.node.name, alpha_.node).value();
  const std::string held = leaves_[1];
  const auto before = fault_of_entries(held, forged, keys_);
  ASSERT_TRUE(before.has_value()) << "until then its owner answers for it";
  EXPECT_TRUE(verify_fault(write_fault(*before), std::vector{keys_}));

  const Secret<32> second = random_secret<32>();
  rotate_node(second, alpha_.node);
  EXPECT_FALSE(fault_of_entries(held, forged, keys_));
  const auto late = verify_fault(write_fault(*before), std::vector{keys_});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::policy);
  EXPECT_NE(late.error().message.find("replaced by entry 3 (stolen)"), std::string::npos) << late.error().message;
}

TEST_F(RotationTest, TravelsWithAFaultOfTheNewKeySoThatAnOutsiderCanCheckIt) {
  const Secret<32> second = random_secret<32>();
  rotate_node(second, alpha_.node);
  Entry one = next(kHeads), other = next(kCanarySet);
  const auto fault = fault_of_entries(make_entry(one, keys_.node.name, second).value(),
                                      make_entry(other, keys_.node.name, second).value(), keys_);
  ASSERT_TRUE(fault.has_value());
  EXPECT_EQ(fault->rotations.size(), 1u);
  const std::string text = write_fault(*fault);
  EXPECT_EQ(*parse_fault(text), *fault);
  MemberKeys founding = keys_;
  founding.rotated.clear();
  EXPECT_TRUE(verify_fault(text, std::vector{founding}));
  EXPECT_TRUE(verify_fault(text, std::vector{keys_}));
  Fault without = *fault;
  without.rotations.clear();
  EXPECT_FALSE(verify_fault(write_fault(without), std::vector{founding}));
  Fault altered = *fault;
  altered.rotations[0].body.text[20] = '!';
  EXPECT_FALSE(verify_fault(write_fault(altered), std::vector{founding}));
  MemberKeys without_id = alpha_.keys;
  EXPECT_FALSE(verify_fault(text, std::vector{without_id}));
}

TEST_F(RotationTest, LeavesEntriesToTheKeyOfTheirPlaceThoughAnotherOneOfTheirAuthorHasTheSameId) {
  const std::array<Secret<32>, 2> alike = node_keys_that_look_alike();
  const VerifierKey first = vkey_of(keys_.node.name, KeyType::ed25519, alike[0]);
  const VerifierKey second = vkey_of(keys_.node.name, KeyType::ed25519, alike[1]);
  ASSERT_NE(first.key, second.key);
  ASSERT_EQ(first.id(), second.id());
  rotate_node(alike[0], alpha_.node);
  append(kHeads, alike[0]);
  const std::string by_first = leaves_.back();
  rotate_node(alike[1], alike[0]);
  append(kHeads, alike[1]);
  EXPECT_TRUE(read_entry(by_first, keys_));
  EXPECT_TRUE(read_entry(leaves_.back(), keys_));
  leaves_.pop_back();
  append(kHeads, alike[0]);
  const auto refused = read_entry(leaves_.back(), keys_);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("that entry 5 replaced"), std::string::npos) << refused.error().message;
}

}  // namespace
}  // namespace parley::log
