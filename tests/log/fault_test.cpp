#include "log/fault.h"

#include <gtest/gtest.h>

#include <random>

#include "log/opening.h"
#include "member.h"

namespace parley::log {
namespace {

/// An opening of field 1 of item 2 in the session of a's, and the root of context it stands under, which is built as
/// src/session builds it.
struct Opened {
  FieldOpening opening;
  Digest context_root{};
};

Opened opened_field() {
  Opened made;
  FieldOpening& opening = made.opening;
  opening.path = "/context/0/sector";
  opening.value = "\"energy\"";
  opening.salt = random_bytes<32>();
  opening.item = random_bytes<32>();
  opening.tag = std::string(64, 'a');
  std::vector<Digest> fields(3, leaf_hash(as_bytes("another field")));
  fields[1] = leaf_hash(field_commitment(opening.salt, opening.path, opening.value));
  const MerkleTree field_tree(fields);
  opening.field = {1, 3, field_tree.inclusion_proof(1)};
  opening.side = 1;
  Bytes context = to_bytes(ByteView(input_label(session_name('a'), opening.side)));
  append(context, opening.item);
  append(context, field_tree.root());
  std::vector<Digest> contexts(5, leaf_hash(as_bytes("another item")));
  contexts[2] = leaf_hash(context);
  const MerkleTree context_tree(contexts);
  opening.context = {2, 5, context_tree.inclusion_proof(2)};
  made.context_root = context_tree.root();
  return made;
}

/// A member that is honest until a test makes it otherwise, with all that it ever signed.
class FaultTest : public testing::Test {
 protected:
  FaultTest() {
    commit_body_ = *make_body(Json::Object{{"ctx_root", to_hex(opened_.context_root)}, {"v", 1}});
    open_body_ = *make_body(opened_.opening.to_json());
    honest_.append(kHeads);
    honest_.append(kSessionCommit, session_name('a'), commit_body_.commitment());
    honest_.append(kSessionRun, session_name('a'));
    honest_.append(kRevealOpen, session_name('a'), open_body_.commitment());
    honest_.append(kRevealOffer, session_name('a'));
    honest_.append(kRevealOffer, session_name('a'));
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
    FieldOpening false_opening = opened_.opening;
    false_opening.value = "\"finance\"";
    const Body false_body = *make_body(false_opening.to_json());
    const Entry opens = honest_.next(kRevealOpen, session_name('a'), false_body.commitment());
    add(fault_of_opening(honest_.leaves[2], commit_body_, entry(opens), false_body, alpha_.keys));
    return made;
  }

  const TestMember alpha_{"alpha"}, bravo_{"bravo"};
  const std::vector<MemberKeys> members_{bravo_.keys, alpha_.keys};
  const Opened opened_ = opened_field();
  Body commit_body_, open_body_;
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
          fault_of_opening(honest_.leaves[i], commit_body_, honest_.leaves[j], open_body_, alpha_.keys).has_value());
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
    for (Body& body : fault.bodies) body = below(2) == 0 ? commit_body_ : open_body_;
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
        if (!fault.bodies.empty()) fault.bodies[1] = *make_body(opened_field().opening.to_json());
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

TEST_F(FaultTest, AnOpeningIsUnderItsRootOnlyAsItIs) {
  EXPECT_TRUE(opened_.opening.is_under(opened_.context_root, session_name('a')));
  EXPECT_FALSE(opened_.opening.is_under(Digest{}, session_name('a')));
  EXPECT_FALSE(opened_.opening.is_under(opened_.context_root, session_name('b')));
  std::vector<FieldOpening> altered(10, opened_.opening);
  altered[0].value = "\"finance\"";
  altered[1].path += "x";
  altered[2].salt[0] ^= std::byte{1};
  altered[3].item[0] ^= std::byte{1};
  altered[4].field.index = 0;
  altered[5].context.index = 3;
  altered[6].field.path[0][0] ^= std::byte{1};
  altered[7].context.path.pop_back();
  altered[8].context.size = 0;
  altered[9].side = 0;
  for (std::size_t i = 0; i < altered.size(); ++i)
    EXPECT_FALSE(altered[i].is_under(opened_.context_root, session_name('a'))) << i;
  EXPECT_EQ(*FieldOpening::from_json(opened_.opening.to_json()), opened_.opening);
}

}  // namespace
}  // namespace parley::log
