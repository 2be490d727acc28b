// Keys and signatures that a lax verifier would let pass: weak and oddly spelled points, one key in two roles, a key of
// another group, a second signature made of a first, a key of somebody who left, a card exchanged on the disk.
#include "group/groups_of_vaults.h"
#include "group/operation.h"
#include "log/checkpoint.h"
#include "log/fault.h"
#include "log/member.h"
#include "support/member.h"
#include "wire/hello.h"
#include "wire/two_members.h"

namespace parley::group {
namespace {

/// Points of small order, points of mixed order, second spellings of points, and what is no point.
const std::vector<std::string> kBadKeys{
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "0200000000000000000000000000000000000000000000000000000000000000",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};
ByteArray<32> key_of(const std::string& hex) {
  ByteArray<32> key{};
  std::ranges::copy(*from_hex(hex), key.begin());
  return key;
}

using Place = std::pair<std::string, std::function<ByteArray<32>&(CharterMember&)>>;
const std::vector<Place> kPlaces{
    {"id", [](CharterMember& member) -> ByteArray<32>& { return member.id.key; }},
    {"node", [](CharterMember& member) -> ByteArray<32>& { return member.keys.node.key; }},
    {"log", [](CharterMember& member) -> ByteArray<32>& { return member.keys.log.key; }},
    {"cosign", [](CharterMember& member) -> ByteArray<32>& { return member.keys.cosign.key; }},
    {"tls", [](CharterMember& member) -> ByteArray<32>& { return member.tls_key; }},
};

TEST(WeakKey, IsInNoCharterWhateverItsRole) {
  for (const auto& [role, place] : kPlaces)
    for (const std::string& bad : kBadKeys) {
      Charter charter = charter_of(3);
      place(charter.members[1]) = key_of(bad);
      EXPECT_EQ(check_charter(charter).error().code, Errc::key_weak) << role << " " << bad;
      EXPECT_FALSE(read_founded(signed_charter(charter, nicks_of(charter))).has_value()) << role << " " << bad;
    }
}

TEST(WeakKey, IsOnNoCard) {
  const TestMember& alpha = test_member("alpha");
  const std::string note = alpha.card_note();
  const std::string text = log::parse_note(note)->text;
  const Card card = *read_card(note);
  for (const std::string& bad : kBadKeys) {
    const ByteArray<32> key = key_of(bad);
    for (const std::string* vkey : {&card.id_vkey, &card.node_vkey, &card.log_vkey, &card.cosign_vkey}) {
      log::VerifierKey weak = *log::parse_vkey(*vkey);
      weak.key = key;
      std::string changed = text;
      changed.replace(changed.find(*vkey), vkey->size(), weak.text());
      EXPECT_FALSE(read_card(log::sign_note(changed, alpha.id().name, alpha.card_seeds.id)).has_value()) << bad;
    }
    std::string changed = text;
    const std::string tls = to_base64(card.tls_key);
    changed.replace(changed.find(tls), tls.size(), to_base64(key));
    EXPECT_EQ(read_card(log::sign_note(changed, alpha.id().name, alpha.card_seeds.id)).error().code, Errc::key_weak);
  }
}

TEST(WeakKey, SignsNoNoteWhateverTheSignature) {
  // Under a point of small order the neutral element and S = 0 satisfy the equation for a part of all messages.
  const std::string text = "parley/card/v1\n{}\n";
  for (const std::string& bad : kBadKeys) {
    const log::VerifierKey key{"parley.local/m/alpha/id", log::KeyType::ed25519, key_of(bad)};
    for (const std::string& r : kBadKeys) {
      Bytes signature = to_bytes(ByteView(key_of(r)));
      signature.resize(64);
      log::Note note{text, {{key.name, key.id(), signature}}};
      EXPECT_FALSE(log::verify_note(note, key).has_value());
    }
  }
}

TEST(OneKey, InTwoRolesOrOfTwoMembersMakesNoCharter) {
  for (const auto& [role, place] : kPlaces) {
    for (const auto& [other_role, other_place] : kPlaces) {
      Charter charter = charter_of(3);
      place(charter.members[1]) = other_place(charter.members[2]);
      EXPECT_FALSE(check_charter(charter).has_value()) << role << " of one is " << other_role << " of another";
      if (role == other_role) continue;
      charter = charter_of(3);
      place(charter.members[1]) = other_place(charter.members[1]);
      EXPECT_FALSE(check_charter(charter).has_value()) << role << " is " << other_role;
    }
  }
}

TEST(OneKey, OfAnotherGroupIsRefusedByItsName) {
  const std::string elsewhere = "8e2f4da0000000000000000000000002";
  Charter charter = charter_of(3);
  charter.members[1] = test_members()[1].in_group("parley.example", elsewhere);
  EXPECT_FALSE(check_charter(charter).has_value());
  charter = charter_of(3);
  charter.members[1] = test_members()[1].in_group("other.example", kGroup);
  EXPECT_FALSE(check_charter(charter).has_value());
}

// --- a second signature out of a first -------------------------------------------------------------------------------

/// S + L, little-endian, of the signature that ends `blob` (RFC 8032 5.1.7 asks for S < L).
void add_order(Bytes& blob) {
  const auto order = *from_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    std::byte& digit = blob[blob.size() - 32 + i];
    carry += static_cast<unsigned>(digit) + static_cast<unsigned>(order[i]);
    digit = static_cast<std::byte>(carry & 0xff);
    carry >>= 8;
  }
}
std::string with_second_spelling(const std::string& note) {
  log::Note parsed = *log::parse_note(note);
  add_order(parsed.signatures.back().signature);
  return log::write_note(parsed);
}

TEST(SecondSignature, MadeOfAFirstIsRefusedOnEveryPaper) {
  const TestMember& alpha = test_member("alpha");
  ASSERT_TRUE(read_card(alpha.card_note()).has_value());
  EXPECT_EQ(read_card(with_second_spelling(alpha.card_note())).error().code, Errc::signature);

  const Charter charter = charter_of(3);
  const std::string signed_by_all = signed_charter(charter, nicks_of(charter));
  ASSERT_TRUE(read_founded(signed_by_all).has_value());
  EXPECT_FALSE(read_founded(with_second_spelling(signed_by_all)).has_value());

  const log::TestMember member("alpha");
  const log::TestLog log(member);
  ASSERT_TRUE(log::read_entry(log.leaves[0], member.keys).has_value());
  EXPECT_EQ(log::read_entry(with_second_spelling(log.leaves[0]), member.keys).error().code, Errc::signature);
  EXPECT_FALSE(log::extend({}, with_second_spelling(log.leaves[0]), member.keys).has_value());

  const std::string checkpoint = member.sign(log.head());
  ASSERT_TRUE(log::read_checkpoint(checkpoint, member.keys.log).has_value());
  EXPECT_EQ(log::read_checkpoint(with_second_spelling(checkpoint), member.keys.log).error().code, Errc::signature);

  const log::TestMember bravo("bravo");
  log::NoteSignature cosignature = bravo.cosigned(log.head(), 1'790'000'000);
  ASSERT_TRUE(log::verify_cosignature(log.head(), cosignature, bravo.keys.cosign));
  add_order(cosignature.signature);
  EXPECT_FALSE(log::verify_cosignature(log.head(), cosignature, bravo.keys.cosign));
}

TEST(SecondSignature, MadeOfAFirstOpensNoLink) {
  const wire::LocalIdentity alpha = wire::make_identity("alpha");
  const Digest exporter{std::byte{7}};
  const std::string hello = wire::make_hello(alpha, wire::Side::server, "bravo", exporter, kBegin);
  ASSERT_TRUE(wire::check_hello(hello, wire::pin(alpha), wire::Side::server, "bravo", exporter).has_value());
  EXPECT_EQ(wire::check_hello(with_second_spelling(hello), wire::pin(alpha), wire::Side::server, "bravo", exporter)
                .error()
                .code,
            Errc::signature);
}

TEST(SecondSignature, MakesNoSecondEntryOutOfOne) {
  // If it verified, one entry would have two leaf hashes, and its author would be convicted of both.
  const log::TestMember member("alpha");
  const log::TestLog log(member);
  EXPECT_FALSE(log::fault_of_entries(log.leaves[0], with_second_spelling(log.leaves[0]), member.keys).has_value());
}

// --- the key of somebody who left ----------------------------------------------------------------------------------

TEST(KeyOfSomebodyWhoLeft, CountsForNoAmendmentAnyMore) {
  Group group{{"alpha", "bravo", "charlie", "delta"}};
  group.found();
  Participant& delta = group["delta"];
  const auto left = withdraw(delta.desk(), delta.row(), "", delta.id_seed(), kBegin + 60,
                             [](const SealDue&) -> Result<Sealed> { return Sealed::settled; });
  ASSERT_HOLDS(left);
  ASSERT_TRUE(left->leave.has_value());
  for (const char* nick : {"alpha", "bravo", "charlie"}) ASSERT_HOLDS(group[nick].take(left->leave->note));
  Charter tighter = group["alpha"].next();
  tighter.not_after -= kSecondsPerDay;
  const auto proposed = group["alpha"].amend(tighter);
  ASSERT_HOLDS(proposed);
  // Delta signs it with the key that it kept.
  const auto signed_by_delta = log::add_signature(proposed->charter.note, delta.id().name, delta.id_seed());
  ASSERT_HOLDS(signed_by_delta);
  (void)group["bravo"].take(*signed_by_delta);
  EXPECT_EQ(group["bravo"].membership().charter().not_after, tighter.not_after + kSecondsPerDay)
      << "two of the two signatures that it takes would be one of a member";
}

// --- a card exchanged on the disk ------------------------------------------------------------------------------------

TEST(CardOnTheDisk, ThatIsNotThatOfTheKeysIsSaidToBeUncheckedAndRefusedWhereItMatters) {
  const program::Member alpha("Alpha CERT"), mallory("Mallory");
  EXPECT_SAYS(alpha.run({"id"}), 0, "NOT CHECKED");
  EXPECT_EQ(alpha.json({"id"}).at("checked"), false);
  const program::Ended checked = alpha.run({"id", "--check"});
  EXPECT_SAYS(checked, 0, "the card of the keys in this vault");
  EXPECT_EQ(checked.out, alpha.output({"id"}));
  EXPECT_EQ(alpha.json({"id", "--check"}).at("checked"), true);
  program::write_text(alpha.home() / "card.note", program::read_text(mallory.home() / "card.note"));
  EXPECT_SAYS(alpha.run({"id"}), 0, "NOT CHECKED");
  EXPECT_SAYS(alpha.run({"id", "--check"}), 1, "key");
  for (const std::vector<std::string>& line :
       {std::vector<std::string>{"peer", "list"}, {"group", "list"}, {"log", "list"}, {"id", "--check", "--json"}})
    EXPECT_EQ(alpha.run(line).code, 1) << line[0];
}

TEST(CardOnTheDisk, IsLookedAtAgainWhileANodeRuns) {
  const program::Member alpha("Alpha CERT"), mallory("Mallory");
  const program::Node node(alpha);
  program::write_text(alpha.home() / "card.note", program::read_text(mallory.home() / "card.note"));
  EXPECT_SAYS(alpha.run({"id", "--check"}), 1, "key");
}

}  // namespace
}  // namespace parley::group
