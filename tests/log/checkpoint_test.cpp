#include "log/checkpoint.h"

#include <gtest/gtest.h>

#include "member.h"
#include "vectors.h"

namespace parley::log {
namespace {

std::string vector_text(const char* name) {
  return log_vectors()[name].get<std::string>();
}

const VerifierKey kAlpha = *parse_vkey(vector_text("alpha_log_vkey"));
const VerifierKey kBravo = *parse_vkey(vector_text("bravo_cosign_vkey"));
constexpr std::uint64_t kVectorTime = 1'790'000'000;

Checkpoint vector_checkpoint() {
  return {"parley.example/g/7d1f3c90/m/alpha", 5, array_of<32>(log_vectors()["roots_hex"]["5"])};
}

TEST(Checkpoint, IsSignedAndCosignedAsInTheVectors) {
  const Checkpoint checkpoint = vector_checkpoint();
  const std::string note = sign_checkpoint(checkpoint, seed_of(vector_text("alpha_log_seed_hex")));
  const NoteSignature signature =
      cosign(checkpoint, kBravo.name, seed_of(vector_text("bravo_cosign_seed_hex")), kVectorTime);
  EXPECT_EQ(add_cosignature(note, signature, kBravo), vector_text("checkpoint"));
}

TEST(Checkpoint, OfTheVectorsIsReadWithItsCosigner) {
  const auto read = read_cosigned(vector_text("checkpoint"), kAlpha, std::span(&kBravo, 1));
  ASSERT_TRUE(read.has_value()) << read.error().text();
  EXPECT_EQ(read->checkpoint, vector_checkpoint());
  EXPECT_EQ(read->cosigners, (std::vector<Cosigner>{{0, kVectorTime}}));
  EXPECT_EQ(read_checkpoint(vector_text("checkpoint"), kAlpha), vector_checkpoint());
  EXPECT_TRUE(read_cosigned(vector_text("checkpoint"), kAlpha, {})->cosigners.empty());
}

TEST(Checkpoint, IsReadInItsOneFormOnly) {
  const std::string root = to_base64(vector_checkpoint().root);
  const std::string empty = to_base64(empty_root());
  ASSERT_TRUE(parse_checkpoint("o\n5\n" + root + "\n").has_value());
  ASSERT_TRUE(parse_checkpoint("o\n9007199254740991\n" + root + "\n").has_value());
  ASSERT_TRUE(parse_checkpoint("o\n0\n" + empty + "\n").has_value());
  for (const std::string& text : {
           std::string(),
           std::string("o\n"),
           std::string("o\n5\n"),
           "o\n5\n" + root,                    // no newline
           "o\n5\n" + root + "\n\n",           // an empty line
           "o\n5\n" + root + "\nextension\n",  // extension lines are not accepted here
           "\n5\n" + root + "\n",
           "o o\n5\n" + root + "\n",
           "o+o\n5\n" + root + "\n",
           "o\n\n" + root + "\n",
           "o\n05\n" + root + "\n",
           "o\n+5\n" + root + "\n",
           "o\n-5\n" + root + "\n",
           "o\n 5\n" + root + "\n",
           "o\n5 \n" + root + "\n",
           "o\n5.0\n" + root + "\n",
           "o\n0x5\n" + root + "\n",
           "o\n9007199254740992\n" + root + "\n",      // 2^53
           "o\n18446744073709551621\n" + root + "\n",  // 2^64 + 5
           "o\n5\n" + root + " \n",
           "o\n5\n" + root.substr(4) + "\n",
           "o\n5\nAAAA" + root + "\n",
           "o\n5\n" + root.substr(0, 43) + "\n",
           "o\n5\n" + to_hex(vector_checkpoint().root) + "\n",
           "o\n0\n" + root + "\n",   // a hash that the empty tree has not
           "o\n1\n" + empty + "\n",  // the empty tree's, of a tree with a leaf
       }) {
    const auto read = parse_checkpoint(text);
    ASSERT_FALSE(read.has_value()) << testing::PrintToString(text);
    EXPECT_EQ(read.error().code, Errc::format) << testing::PrintToString(text);
  }
}

TEST(Checkpoint, IsRefusedWithAnyBitFlipped) {
  const std::string good = vector_text("checkpoint");
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string note = good;
    note[bit / 8] = static_cast<char>(note[bit / 8] ^ (1 << (bit % 8)));
    const auto read = read_cosigned(note, kAlpha, std::span(&kBravo, 1));
    EXPECT_FALSE(read && read->cosigners.size() == 1) << "bit " << bit;
  }
}

TEST(Checkpoint, OfAnotherOriginThanItsKeysNameIsRefused) {
  const TestMember alpha("alpha");
  Checkpoint checkpoint = vector_checkpoint();
  checkpoint.origin = "parley.example/g/7d1f3c90/m/bravo";
  const auto read = read_checkpoint(sign_note(checkpoint.text(), alpha.keys.log.name, alpha.log), alpha.keys.log);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, Errc::format);
}

TEST(Checkpoint, IsNotReadWhenLongerThanItsLimit) {
  const auto read = read_checkpoint(std::string(kMaxCheckpointBytes + 1, 'x'), kAlpha);
  EXPECT_EQ(read.error().code, Errc::limit);
}

// --- cosignatures ------------------------------------------------------------------------------------------------

class Cosignature : public testing::Test {
 protected:
  const TestMember alpha_{"alpha"}, bravo_{"bravo"}, carol_{"carol"};
  const Checkpoint checkpoint_{alpha_.keys.log.name, 3, Digest{std::byte{1}}};
  const std::string note_ = alpha_.sign(checkpoint_);

  std::string with(const NoteSignature& signature) const {
    Note note = *parse_note(note_);
    note.signatures.push_back(signature);
    return write_note(note);
  }
};

TEST_F(Cosignature, StatesItsTimeAndCoversIt) {
  for (const std::uint64_t time : {std::uint64_t{0}, std::uint64_t{1}, (std::uint64_t{1} << 63) - 1})
    EXPECT_EQ(verify_cosignature(checkpoint_, bravo_.cosigned(checkpoint_, time), bravo_.keys.cosign), time);
  NoteSignature moved = bravo_.cosigned(checkpoint_, 100);
  moved.signature[7] ^= std::byte{1};
  EXPECT_EQ(verify_cosignature(checkpoint_, moved, bravo_.keys.cosign).error().code, Errc::signature);
}

TEST_F(Cosignature, IsOfOneTreeOneKeyAndOneType) {
  const NoteSignature good = bravo_.cosigned(checkpoint_, 100);
  Checkpoint larger = checkpoint_, other_root = checkpoint_, other_log = checkpoint_;
  larger.size = 4;
  other_root.root[0] = std::byte{2};
  other_log.origin = carol_.keys.log.name;
  for (const Checkpoint& other : {larger, other_root, other_log})
    EXPECT_FALSE(verify_cosignature(other, good, bravo_.keys.cosign).has_value());
  EXPECT_FALSE(verify_cosignature(checkpoint_, good, carol_.keys.cosign).has_value());
  EXPECT_FALSE(verify_cosignature(checkpoint_, good, bravo_.keys.log).has_value());
  // A plain signature by the same seed is no cosignature, nor the other way round.
  NoteSignature plain = make_signature(checkpoint_.text(), bravo_.keys.cosign.name, bravo_.cosign);
  EXPECT_FALSE(verify_cosignature(checkpoint_, plain, bravo_.keys.cosign).has_value());
  plain.key_id = bravo_.keys.cosign.id();
  EXPECT_FALSE(verify_cosignature(checkpoint_, plain, bravo_.keys.cosign).has_value());
  NoteSignature longer = good;
  longer.signature.push_back(std::byte{0});
  EXPECT_FALSE(verify_cosignature(checkpoint_, longer, bravo_.keys.cosign).has_value());
  EXPECT_FALSE(read_checkpoint(with(good), vkey_of("x", KeyType::cosignature, alpha_.log)).has_value());
}

TEST_F(Cosignature, IsCountedOnceForEachPublicKey) {
  const std::string twice = with(bravo_.cosigned(checkpoint_, 200)) + [&] {
    const std::string note = with(bravo_.cosigned(checkpoint_, 100));
    return note.substr(note.rfind("— "));
  }();
  const VerifierKey renamed{"other", KeyType::cosignature, bravo_.keys.cosign.key};
  const std::vector<VerifierKey> keys{bravo_.keys.cosign, bravo_.keys.cosign, renamed, carol_.keys.cosign};
  const auto read = read_cosigned(twice, alpha_.keys.log, keys);
  ASSERT_TRUE(read.has_value()) << read.error().text();
  EXPECT_EQ(read->cosigners, (std::vector<Cosigner>{{0, 100}})) << "with the earliest of its times";
  const auto under_another_name = add_cosignature(twice, cosign(checkpoint_, "other", bravo_.cosign, 50), renamed);
  ASSERT_TRUE(under_another_name.has_value());
  EXPECT_EQ(read_cosigned(*under_another_name, alpha_.keys.log, keys)->cosigners.size(), 1u);
}

TEST_F(Cosignature, ByTheLogsOwnKeyIsNone) {
  const VerifierKey own{"own", KeyType::cosignature, alpha_.keys.log.key};
  const auto note = add_cosignature(note_, cosign(checkpoint_, "own", alpha_.log, 1), own);
  ASSERT_TRUE(note.has_value());
  EXPECT_TRUE(read_cosigned(*note, alpha_.keys.log, std::span(&own, 1))->cosigners.empty());
}

TEST_F(Cosignature, ThatIsFalseFailsTheNoteOfAKnownKeyOnly) {
  NoteSignature bad = bravo_.cosigned(checkpoint_, 100);
  bad.signature.back() ^= std::byte{1};
  const auto known = read_cosigned(with(bad), alpha_.keys.log, std::span(&bravo_.keys.cosign, 1));
  ASSERT_FALSE(known.has_value());
  EXPECT_EQ(known.error().code, Errc::signature);
  EXPECT_TRUE(read_cosigned(with(bad), alpha_.keys.log, std::span(&carol_.keys.cosign, 1)).has_value());
}

TEST_F(Cosignature, ThatWasVerifiedBeforeDoesNotVouchForAnotherByItsKey) {
  const NoteSignature good = bravo_.cosigned(checkpoint_, 100);
  NoteSignature bad = good;
  bad.signature.back() ^= std::byte{1};
  const std::span<const VerifierKey> keys(&bravo_.keys.cosign, 1);
  Note note = *parse_note(with(good));
  const std::vector<NoteSignature> verified = note.signatures;
  const auto read = read_cosigned(note, alpha_.keys.log, keys, verified);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->cosigners, (std::vector<Cosigner>{{0, 100}}));
  note.signatures.push_back(bad);
  EXPECT_FALSE(read_cosigned(note, alpha_.keys.log, keys, verified).has_value());
  note.signatures.back() = note.signatures.front();  // the log's own
  note.signatures.back().signature.back() ^= std::byte{1};
  EXPECT_FALSE(read_cosigned(note, alpha_.keys.log, keys, verified).has_value());
}

TEST_F(Cosignature, IsAddedOnlyIfItVerifiesAndReplacesAnOlderOne) {
  NoteSignature bad = bravo_.cosigned(checkpoint_, 100);
  bad.signature.back() ^= std::byte{1};
  EXPECT_EQ(add_cosignature(note_, bad, bravo_.keys.cosign).error().code, Errc::signature);
  EXPECT_EQ(add_cosignature("text\n", bad, bravo_.keys.cosign).error().code, Errc::format);
  const std::string old = *add_cosignature(note_, bravo_.cosigned(checkpoint_, 100), bravo_.keys.cosign);
  const std::string renewed = *add_cosignature(old, bravo_.cosigned(checkpoint_, 200), bravo_.keys.cosign);
  EXPECT_EQ(renewed, *add_cosignature(note_, bravo_.cosigned(checkpoint_, 200), bravo_.keys.cosign));
  EXPECT_EQ(add_cosignature(renewed, bravo_.cosigned(checkpoint_, 150), bravo_.keys.cosign), renewed);
}

TEST_F(Cosignature, IsOneOfAtMost15) {
  std::string note = note_;
  for (int i = 0; i < 15; ++i) {
    const TestMember member("m" + std::to_string(i));
    note = *add_cosignature(note, member.cosigned(checkpoint_, 1), member.keys.cosign);
  }
  EXPECT_EQ(parse_note(note)->signatures.size(), 16u);
  EXPECT_EQ(add_cosignature(note, bravo_.cosigned(checkpoint_, 1), bravo_.keys.cosign).error().code, Errc::limit);
}

}  // namespace
}  // namespace parley::log
