#include "log/fault.h"

#include <gtest/gtest.h>

#include <random>

#include "log/opening.h"
#include "member.h"
#include "support/offered.h"

namespace parley::log {
namespace {

/// An item of a session of a's with two of its three fields opened, the roots it stands under, and an offer that has
/// it, built as src/session builds them.
struct Opened {
  ItemOpening opening;
  Digest items_root{}, context_root{};
};

Opened opened_item() {
  Opened made;
  ItemOpening& opening = made.opening;
  opening.type = "ipv4";
  opening.value = "198.51.100.7";
  opening.salt = random_bytes<32>();
  opening.side = 1;
  opening.index = 2;
  opening.size = 5;
  opening.fields = {{.path = "sector", .place = 1, .salt = random_bytes<32>(), .value = "\"energy\""},
                    {.path = "tlp", .place = 2, .salt = random_bytes<32>(), .value = "\"green\""}};
  opening.commitments.assign(3, leaf_hash(as_bytes("another field")));
  for (const FieldOpening& field : opening.fields)
    opening.commitments[field.place] = field_commitment(field.salt, field.path, field.value);
  std::vector<Digest> leaves;
  for (const Digest& commitment : opening.commitments) leaves.push_back(leaf_hash(commitment));
  const Digest label = input_label(session_name('a'), opening.side);
  const Digest item = item_commitment(opening.salt, opening.type, as_bytes(opening.value));
  std::vector<Digest> items(opening.size, leaf_hash(as_bytes("another item"))), contexts = items;
  items[2] = item_leaf(label, item);
  contexts[2] = context_leaf(label, item, MerkleTree(leaves).root());
  const MerkleTree item_tree(items), context_tree(contexts);
  opening.items_path = item_tree.inclusion_proof(2);
  opening.context_path = context_tree.inclusion_proof(2);
  made.items_root = item_tree.root();
  made.context_root = context_tree.root();
  return made;
}

/// The second of three openings that are offered.
struct Offer {
  explicit Offer(std::string opening)
      : texts{"one opening", std::move(opening), "another one"},
        tree(offer_of(texts)),
        second{.index = 1, .path = tree.path(1), .text = texts[1]},
        body(*make_body(Json::Object{{"commit", to_hex(tree.root())}, {"v", 1}, {"values", 3}})) {}
  std::vector<std::string> texts;
  OfferTree tree;
  OfferedOpening second;
  Body body;
};

/// A member that is honest until a test makes it otherwise, with all that it ever signed.
class FaultTest : public testing::Test {
 protected:
  FaultTest() {
    commit_body_ = *make_body(
        Json::Object{{"ctx_root", to_hex(opened_.context_root)}, {"items_root", to_hex(opened_.items_root)}, {"v", 1}});
    honest_.append(kHeads);
    honest_.append(kSessionCommit, session_name('a'), commit_body_.commitment());
    honest_.append(kSessionRun, session_name('a'));
    honest_.append(kRevealOffer, session_name('a'), offer_.body.commitment());
    honest_.append(kRevealConsent, session_name('a'));
    honest_.append(kRevealConsent, session_name('a'));
    honest_.append(kSessionCommit, session_name('b'));
    honest_.append(kLogSeal);
  }

  /// The log as it is, and as it is told to somebody else from entry `at` on.
  TestLog other_history(std::size_t at) const {
    TestLog other(alpha_);
    other.leaves.assign(honest_.leaves.begin(), honest_.leaves.begin() + static_cast<long>(at));
    other.hashes.assign(honest_.hashes.begin(), honest_.hashes.begin() + static_cast<long>(at));
    other.state = {at, other.hashes.back(), read_entry(other.leaves.back(), alpha_.keys)->time, false};
    while (other.hashes.size() < honest_.hashes.size() + 2) other.append(kHeads);
    return other;
  }
  LeafProof leaf(const TestLog& log, std::size_t index, std::size_t size) const {
    MerkleTree tree(log.hashes);
    return {alpha_.sign(log.at(size)), index, log.hashes[index], *inclusion_proof(tree, index, size)};
  }
  std::string entry(Entry entry) const { return alpha_.sign(entry); }
  /// What the honest member offered, altered in one of the ways that a framer has.
  template <typename Below>
  OfferedOpening forged_opening(const Below& below) const {
    OfferedOpening forged = offer_.second;
    ItemOpening opening = opened_.opening;
    switch (below(8)) {
      case 0:
        opening.fields[0].value = "\"finance\"";
        break;
      case 1:
        opening.size = 1 + below(9);
        break;
      case 2:
        opening.side = 0;
        break;
      case 3:
        opening.index = below(5);
        break;
      case 4:
        forged.index = below(4);
        return forged;
      case 5:  // the salt of the offer, which is no opening
        forged.index = 3;
        forged.path = offer_.tree.path(3);
        return forged;
      case 6:
        forged.text = offer_.texts[below(3)];
        return forged;
      default:
        forged.path = opened_.opening.items_path;
        break;
    }
    forged.text = opening.text();
    return forged;
  }

  /// One fault of each kind.
  std::vector<Fault> faults() {
    std::vector<Fault> made;
    const auto add = [&](std::optional<Fault> fault) {
      if (!fault) throw std::logic_error("a fault was not found");
      made.push_back(*std::move(fault));
    };
    TestLog other = other_history(4);
    MerkleTree other_tree(other.hashes);
    add(fault_of_checkpoints(alpha_.sign(honest_.at(6)), alpha_.sign(other.at(6)), alpha_.keys));
    add(fault_of_leaves(leaf(honest_, 5, 8), leaf(other, 5, 7), alpha_.keys));
    add(fault_of_prefix(alpha_.sign(honest_.at(6)), alpha_.sign(other.head()), other_tree, alpha_.keys).value());
    add(fault_of_entries(honest_.leaves[5], other.leaves[5], alpha_.keys));
    Entry again = honest_.next(kSessionRun, session_name('a'));
    again.seq = 20;
    add(fault_of_entries(honest_.leaves[3], entry(again), alpha_.keys));
    Entry beyond = honest_.next(kHeads);
    add(fault_of_entries(honest_.leaves.back(), entry(beyond), alpha_.keys));
    add(fault_of_seal(honest_.leaves.back(), alpha_.sign(Checkpoint{alpha_.keys.log.name, 10, Digest{std::byte{1}}}),
                      alpha_.keys));
    Entry earlier = honest_.next(kHeads);
    earlier.seq = 4;
    earlier.prev = honest_.hashes[3];
    earlier.time = 1'789'999'999;
    add(fault_of_entries(honest_.leaves[3], entry(earlier), alpha_.keys));
    ItemOpening false_opening = opened_.opening;
    false_opening.fields[0].value = "\"finance\"";
    const Offer false_offer(false_opening.text());
    const Entry offers = honest_.next(kRevealOffer, session_name('a'), false_offer.body.commitment());
    add(fault_of_opening(honest_.leaves[2], commit_body_, entry(offers), false_offer.body, false_offer.second,
                         alpha_.keys));
    return made;
  }

  const TestMember alpha_{"alpha"}, bravo_{"bravo"};
  const std::vector<MemberKeys> members_{bravo_.keys, alpha_.keys};
  const Opened opened_ = opened_item();
  const Offer offer_{opened_.opening.text()};
  Body commit_body_;
  TestLog honest_{alpha_};
};

TEST_F(FaultTest, OfEachKindIsFoundWrittenReadAndVerified) {
  const std::vector<FaultKind> kinds{FaultKind::fork_roots,      FaultKind::fork_leaves, FaultKind::fork_prefix,
                                     FaultKind::rewritten_entry, FaultKind::double_step, FaultKind::sealed_extended,
                                     FaultKind::sealed_extended, FaultKind::antedated,   FaultKind::bad_opening};
  const std::vector<Fault> made = faults();
  ASSERT_EQ(made.size(), kinds.size());
  for (std::size_t i = 0; i < made.size(); ++i) {
    EXPECT_EQ(name_of(made[i].kind), name_of(kinds[i])) << i;
    const std::string text = write_fault(made[i]);
    ASSERT_TRUE(text.ends_with("}\n"));
    EXPECT_EQ(*parse_fault(text), made[i]);
    const auto verdict = verify_fault(text, members_);
    ASSERT_TRUE(verdict.has_value()) << name_of(kinds[i]) << ": " << verdict.error().text();
    EXPECT_EQ(verdict->accused, 1u);
    EXPECT_EQ(verdict->kind, kinds[i]);
    EXPECT_FALSE(verdict->proves.empty());
    EXPECT_FALSE(verdict->proves_not.empty());
  }
}

TEST_F(FaultTest, OfOneMemberIsNoneOfAnother) {
  for (const Fault& fault : faults()) {
    Fault renamed = fault;
    renamed.accused = "bravo";
    EXPECT_FALSE(verify_fault(write_fault(renamed), members_).has_value()) << name_of(fault.kind);
    EXPECT_EQ(verify_fault(write_fault(fault), std::span(members_).first(1)).error().code, Errc::not_found);
    MemberKeys other_keys = bravo_.keys;
    other_keys.nick = "alpha";
    EXPECT_FALSE(verify_fault(write_fault(fault), std::span(&other_keys, 1)).has_value()) << name_of(fault.kind);
  }
}

TEST_F(FaultTest, WithAnyByteAlteredNeverVerifiesAgain) {
  for (const Fault& fault : faults()) {
    const std::string good = write_fault(fault);
    for (std::size_t at = 0; at < good.size(); ++at) {
      std::string text = good;
      text[at] = static_cast<char>(text[at] ^ 1);
      EXPECT_FALSE(verify_fault(text, members_).has_value()) << name_of(fault.kind) << ", byte " << at;
    }
  }
}

TEST_F(FaultTest, IsReadInItsOneFormOnly) {
  const std::string good = write_fault(faults()[0]);
  for (const std::string& text :
       {std::string(), good + "\n", good + good, good.substr(1), good.substr(0, good.size() - 1), "x" + good,
        std::string("parley/fault/v1\n{}\n"), std::string("parley/fault/v1\n[]\n")})
    EXPECT_EQ(parse_fault(text).error().code, Errc::format) << text;
  EXPECT_EQ(parse_fault(std::string(kMaxFaultBytes + 1, 'x')).error().code, Errc::limit);
}

TEST_F(FaultTest, WithThePartsOfAnotherKindIsRefused) {
  const std::vector<Fault> made = faults();
  for (const Fault& fault : made) {
    const std::string text = write_fault(fault);
    for (const Fault& other : made) {
      if (other.kind == fault.kind) continue;
      std::string renamed = text;
      const std::string own = "\"kind\":\"" + std::string(name_of(fault.kind)) + "\"";
      renamed.replace(renamed.find(own), own.size(), "\"kind\":\"" + std::string(name_of(other.kind)) + "\"");
      EXPECT_FALSE(verify_fault(renamed, members_).has_value()) << name_of(fault.kind) << " as " << name_of(other.kind);
    }
  }
}

TEST_F(FaultTest, CarriesNoSignaturesOfOthers) {
  const std::string cosigned =
      *add_cosignature(alpha_.sign(honest_.at(6)), bravo_.cosigned(honest_.at(6), 5), bravo_.keys.cosign);
  const auto fault = fault_of_checkpoints(cosigned, alpha_.sign(other_history(4).at(6)), alpha_.keys);
  ASSERT_TRUE(fault.has_value());
  for (const std::string& checkpoint : fault->checkpoints) EXPECT_EQ(parse_note(checkpoint)->signatures.size(), 1u);
  Fault cosigned_fault = *fault;
  cosigned_fault.checkpoints[0] = cosigned;
  EXPECT_FALSE(verify_fault(write_fault(cosigned_fault), members_).has_value()) << "a byte that nobody checks";
}

// --- the honest --------------------------------------------------------------------------------------------------

TEST_F(FaultTest, IsNotFoundInAnythingAnHonestMemberSigned) {
  MerkleTree tree(honest_.hashes);
  const std::size_t n = honest_.leaves.size();
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      EXPECT_FALSE(fault_of_entries(honest_.leaves[i], honest_.leaves[j], alpha_.keys).has_value()) << i << ", " << j;
      const std::string one = alpha_.sign(honest_.at(i + 1)), other = alpha_.sign(honest_.at(j + 1));
      EXPECT_FALSE(fault_of_checkpoints(one, other, alpha_.keys).has_value()) << i << ", " << j;
      EXPECT_FALSE(fault_of_prefix(one, other, tree, alpha_.keys).value().has_value()) << i << ", " << j;
      EXPECT_FALSE(fault_of_seal(honest_.leaves[i], other, alpha_.keys).has_value()) << i << ", " << j;
      EXPECT_FALSE(fault_of_leaves(leaf(honest_, i, n), leaf(honest_, j, n), alpha_.keys).has_value())
          << i << ", " << j;
      EXPECT_FALSE(
          fault_of_opening(honest_.leaves[i], commit_body_, honest_.leaves[j], offer_.body, offer_.second, alpha_.keys)
              .has_value());
    }
  }
}

TEST_F(FaultTest, IsNoneWhenAStepIsOnlySignedTwice) {
  const Entry step = *read_entry(honest_.leaves[3], alpha_.keys);
  EXPECT_FALSE(fault_of_entries(honest_.leaves[3], entry(step), alpha_.keys).has_value());
}

/// Whoever frames has all that the honest member ever signed, and may put it together and alter it as it likes.
TEST_F(FaultTest, CannotBeForgedAboutAnHonestMember) {
  const auto seed = static_cast<unsigned>(read_be<std::uint32_t>(random_bytes<4>()));
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  const std::size_t n = honest_.leaves.size();
  std::vector<std::string> checkpoints;
  for (std::size_t size = 1; size <= n; ++size) checkpoints.push_back(alpha_.sign(honest_.at(size)));
  MerkleTree tree(honest_.hashes);
  const std::vector<Fault> shapes = faults();  // for their kinds; what they hold is replaced by what is honest
  const TestMember framer("alpha");            // the same names, keys of the framer's own
  std::size_t tried = 0;
  for (int round = 0; round < 4000; ++round) {
    Fault fault = shapes[below(shapes.size())];
    for (std::string& text : fault.checkpoints) text = checkpoints[below(n)];
    for (std::string& text : fault.entries) text = honest_.leaves[below(n)];
    for (LeafProof& one : fault.leaves) one = leaf(honest_, below(n), n);
    if (!fault.prefix.empty()) fault.prefix = *prefix_proof(tree, 1 + below(n - 1), n);
    for (Body& body : fault.bodies) body = below(2) == 0 ? commit_body_ : offer_.body;
    if (!fault.openings.empty() && below(2) == 0) {
      // Everything as it was signed, and an opening of the framer's own that says something else.
      fault.entries = {honest_.leaves[2], honest_.leaves[4]};
      fault.bodies = {commit_body_, offer_.body};
      fault.openings[0] = forged_opening(below);
    }
    switch (below(6)) {
      case 0:
        if (!fault.checkpoints.empty()) fault.checkpoints[0] = framer.sign(honest_.at(1 + below(n)));
        break;
      case 1:
        if (!fault.entries.empty()) {
          Entry forged = *read_entry_unverified(fault.entries[0]);
          forged.time += static_cast<std::int64_t>(below(3));
          fault.entries[below(fault.entries.size())] = framer.sign(forged);
        }
        break;
      case 2:
        if (!fault.leaves.empty()) fault.leaves[0].leaf_hash = honest_.hashes[below(n)];
        if (!fault.prefix.empty()) fault.prefix[below(fault.prefix.size())] = honest_.hashes[below(n)];
        break;
      case 3:
        if (!fault.bodies.empty()) fault.bodies[below(2)].text.back() = ' ';
        if (!fault.leaves.empty()) fault.leaves[below(2)].index = below(n);
        break;
      case 4:
        if (!fault.bodies.empty()) fault.bodies[1] = Offer(opened_item().opening.text()).body;
        if (!fault.leaves.empty()) fault.leaves[0].path.clear();
        break;
      default:
        break;
    }
    std::string text = write_fault(fault);
    if (below(2) == 0) text[below(text.size())] = static_cast<char>('0' + below(75));
    ++tried;
    ASSERT_FALSE(verify_fault(text, members_).has_value()) << text;
  }
  EXPECT_GE(tried, 1000u);
}

// --- openings ----------------------------------------------------------------------------------------------------

TEST_F(FaultTest, AnOpeningIsUnderItsRootsOnlyAsItIs) {
  const auto is_under = [&](const ItemOpening& opening, char session = 'a') {
    return !opening.not_under(opened_.items_root, opened_.context_root, session_name(session));
  };
  EXPECT_TRUE(is_under(opened_.opening));
  EXPECT_FALSE(is_under(opened_.opening, 'b'));
  EXPECT_TRUE(opened_.opening.not_under(Digest{}, opened_.context_root, session_name('a')));
  EXPECT_TRUE(opened_.opening.not_under(opened_.items_root, Digest{}, session_name('a')));
  ItemOpening item_alone = opened_.opening;
  item_alone.fields.clear();
  item_alone.commitments.clear();
  item_alone.context_path.clear();
  EXPECT_TRUE(is_under(item_alone)) << "that it was in the set";
  std::vector<ItemOpening> altered(13, opened_.opening);
  altered[0].fields[0].value = "\"finance\"";
  altered[1].fields[0].path += "x";
  altered[2].fields[1].salt[0] ^= std::byte{1};
  altered[3].salt[0] ^= std::byte{1};
  altered[4].fields[0].place = 0;
  altered[5].index = 3;
  altered[6].items_path[0][0] ^= std::byte{1};
  altered[7].context_path.pop_back();
  altered[8].size = 9;
  altered[9].side = 0;
  altered[10].value = "198.51.100.8";
  altered[11].commitments[0][0] ^= std::byte{1};
  altered[12].fields[1].place = 31;
  for (std::size_t i = 0; i < altered.size(); ++i) EXPECT_FALSE(is_under(altered[i])) << i;
  EXPECT_EQ(*ItemOpening::parse(opened_.opening.text()), opened_.opening);
}

TEST_F(FaultTest, IsNoneOfAnOpeningThatCannotBeReadOrWasNotOffered) {
  const auto convicts = [&](const OfferedOpening& opening, const Offer& offer) {
    const Entry entry_of = honest_.next(kRevealOffer, session_name('a'), offer.body.commitment());
    return fault_of_opening(honest_.leaves[2], commit_body_, entry(entry_of), offer.body, opening, alpha_.keys)
        .has_value();
  };
  ItemOpening lie = opened_.opening;
  lie.fields[0].value = "\"finance\"";
  const Offer offer(lie.text()), junk("what no program writes");
  EXPECT_TRUE(convicts(offer.second, offer));
  EXPECT_FALSE(convicts(junk.second, junk));
  EXPECT_FALSE(convicts(offer.second, offer_)) << "another offer than the one that has it";
  OfferedOpening elsewhere = offer.second;
  elsewhere.index = 0;
  EXPECT_FALSE(convicts(elsewhere, offer));
  OfferedOpening salt{.index = 3, .path = offer.tree.path(3), .text = offer.texts[1]};
  EXPECT_FALSE(convicts(salt, offer)) << "the last leaf is no opening";
}

}  // namespace
}  // namespace parley::log
