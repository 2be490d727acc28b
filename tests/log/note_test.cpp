#include "log/note.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "crypto/ed25519.h"
#include "vectors.h"

namespace parley::log {
namespace {

using testing::HasSubstr;

std::string vector_text(const char* name) {
  return log_vectors()[name].get<std::string>();
}

VerifierKey key_of(const std::string& vkey) {
  auto key = parse_vkey(vkey);
  if (!key) throw std::invalid_argument(key.error().text());
  return *key;
}

// --- verifier keys -----------------------------------------------------------------------------------------------

TEST(VerifierKey, IsReadAndWrittenAsInTheVectors) {
  for (const std::string& vkey :
       {vector_text("alpha_log_vkey"), vector_text("bravo_cosign_vkey"), vector_text("alpha_node_vkey"),
        log_vectors()["signed_note_example"]["vkey"].get<std::string>()}) {
    const auto key = parse_vkey(vkey);
    ASSERT_TRUE(key.has_value()) << key.error().text();
    EXPECT_EQ(key->text(), vkey);
  }
}

TEST(VerifierKey, BelongsToItsSeed) {
  EXPECT_EQ(
      vkey_of("parley.example/g/7d1f3c90/m/alpha", KeyType::ed25519, seed_of(vector_text("alpha_log_seed_hex"))).text(),
      vector_text("alpha_log_vkey"));
  EXPECT_EQ(vkey_of("parley.example/g/7d1f3c90/m/bravo/mirror", KeyType::cosignature,
                    seed_of(vector_text("bravo_cosign_seed_hex")))
                .text(),
            vector_text("bravo_cosign_vkey"));
}

TEST(VerifierKey, IsRefusedInEveryOtherForm) {
  const std::string good = vector_text("alpha_log_vkey");
  const auto replaced = [&](const std::string& what, const std::string& by) {
    std::string text = good;
    return text.replace(text.find(what), what.size(), by);
  };
  for (const std::string& text : {
           std::string(),
           std::string("+"),
           std::string("++"),
           std::string("a+b+c"),
           replaced("parley.example", "parley.examplf"),  // the id is of another name
           replaced("+8bb934d3+", "+8bb934d4+"),
           replaced("+8bb934d3+", "+8BB934D3+"),
           replaced("+8bb934d3+", "+8bb934d+"),
           replaced("+8bb934d3+", "+08bb934d3+"),
           replaced("+8bb934d3+", "8bb934d3+"),
           replaced("+AYqI", "+BYqI"),  // another algorithm
           replaced("+AYqI", "+AYqJ"),  // another key
           replaced("+AYqI", "+ AYqI"),
           replaced("parley.example/g", "parley.example /g"),
           replaced("parley.example/g", "parley.example\xe2\x80\xaf/g"),
           replaced("parley.example/g", "parley.example\n/g"),
           replaced("parley.example/g", "parley.example\xff/g"),
           good + "=",
           good + "\n",
           good + " ",
           " " + good,
           good.substr(0, good.size() - 4),
           good + "AAAA",
           std::string(1000, 'a') + good,
       }) {
    const auto key = parse_vkey(text);
    ASSERT_FALSE(key.has_value()) << testing::PrintToString(text);
    EXPECT_EQ(key.error().code, Errc::format) << testing::PrintToString(text);
  }
}

TEST(VerifierKey, IsRefusedWhenItsPointIsWeak) {
  VerifierKey key{"weak", KeyType::ed25519,
                  array_of<32>("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")};
  const auto read = parse_vkey(key.text());
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, Errc::key_weak);
}

// --- one verifier ------------------------------------------------------------------------------------------------

bool verifies(const std::string& key, const std::string& message, const std::string& signature) {
  const Bytes signature_bytes = bytes_of(signature);
  if (signature_bytes.size() != 64) return false;
  return crypto::verify(array_of<32>(key), bytes_of(message), std::span<const std::byte, 64>(signature_bytes));
}

TEST(Ed25519, AgreesWithWycheproof) {
  const auto rows = table("wycheproof/ed25519.txt");
  ASSERT_EQ(rows.size(), 151u);
  for (const auto& row : rows) {
    ASSERT_EQ(row.size(), 5u);
    EXPECT_EQ(verifies(row[1], row[2], row[3]), row[4] == "valid") << "test " << row[0];
  }
}

TEST(Ed25519, DecidesCraftedSignaturesAsFrozen) {
  const auto rows = table("ed25519/crafted.txt");
  ASSERT_EQ(rows.size(), 527u);
  for (const auto& row : rows) {
    ASSERT_EQ(row.size(), 6u);
    const bool valid = verifies(row[1], row[2], row[3]);
    const bool admitted = admit_public_key(array_of<32>(row[1])).has_value();
    EXPECT_EQ(valid, row[4] == "valid") << row[0];
    EXPECT_EQ(admitted, row[5] == "admitted") << row[0];
    EXPECT_FALSE(valid && admitted) << row[0] << ": a crafted signature verifies under a key that admission takes";
  }
}

TEST(Admission, RefusesSmallOrderMixedOrderAndNonCanonicalKeys) {
  for (const char* key : {
           "0000000000000000000000000000000000000000000000000000000000000000",  // order 4
           "0100000000000000000000000000000000000000000000000000000000000000",  // the neutral element
           "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // order 2
           "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",  // order 8
           "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",  // order 8
           "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // y = p + 1, a second spelling of 1
           "0100000000000000000000000000000000000000000000000000000000000080",  // x = 0 with the sign set
           "0200000000000000000000000000000000000000000000000000000000000000",  // no point
           "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
       }) {
    const Status admitted = admit_public_key(array_of<32>(key));
    ASSERT_FALSE(admitted.has_value()) << key;
    EXPECT_EQ(admitted.error().code, Errc::key_weak);
  }
  EXPECT_TRUE(admit_public_key(vkey_of("a", KeyType::ed25519, random_secret<32>()).key).has_value());
}

// --- notes -------------------------------------------------------------------------------------------------------

TEST(Note, OfTheSpecificationVerifies) {
  const auto& example = log_vectors()["signed_note_example"];
  const auto note = parse_note(example["note"].get<std::string>());
  ASSERT_TRUE(note.has_value()) << note.error().text();
  EXPECT_EQ(note->text, "This is an example message.\n");
  EXPECT_TRUE(verify_note(*note, key_of(example["vkey"])).has_value());
  EXPECT_FALSE(verify_note(*note, key_of(vector_text("alpha_log_vkey"))).has_value());
}

TEST(Note, MayCarryASignatureAndACosignature) {
  const auto checkpoint = parse_note(vector_text("checkpoint"));
  ASSERT_TRUE(checkpoint.has_value());
  EXPECT_EQ(checkpoint->signatures.size(), 2u);
  EXPECT_TRUE(verify_note(*checkpoint, key_of(vector_text("alpha_log_vkey"))).has_value());
  EXPECT_TRUE(verify_note(*checkpoint, key_of(vector_text("bravo_cosign_vkey"))).has_value());
}

TEST(Note, IsSignedAsInTheVectors) {
  const std::string text = vector_text("checkpoint");
  const std::string body = text.substr(0, text.find("\n\n") + 1);
  const std::string alone = text.substr(0, text.find("— parley.example/g/7d1f3c90/m/bravo"));
  EXPECT_EQ(sign_note(body, "parley.example/g/7d1f3c90/m/alpha", seed_of(vector_text("alpha_log_seed_hex"))), alone);
  EXPECT_TRUE(verify_note(*parse_note(vector_text("fork_second_checkpoint")), key_of(vector_text("alpha_log_vkey")))
                  .has_value());
}

TEST(Note, IsRefusedWithAnyBitOfTextOrSignatureFlipped) {
  const std::string good = vector_text("checkpoint");
  const VerifierKey alpha = key_of(vector_text("alpha_log_vkey"));
  const VerifierKey bravo = key_of(vector_text("bravo_cosign_vkey"));
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string text = good;
      text[at] = static_cast<char>(text[at] ^ (1 << bit));
      const auto note = parse_note(text);
      EXPECT_FALSE(note && verify_note(*note, alpha) && verify_note(*note, bravo)) << "byte " << at << ", bit " << bit;
    }
  }
}

TEST(Note, IsTakenInItsExactFormOnly) {
  const std::string line = "— a AAAAAAA=\n";  // four bytes of key id and one of signature
  ASSERT_TRUE(parse_note("text\n\n" + line).has_value());
  ASSERT_TRUE(parse_note("text\n\nmore text\n\n" + line).has_value()) << "the last empty line separates";
  for (const std::string& note : {
           std::string(),
           std::string("\n"),
           std::string("\n\n"),
           std::string("text"),
           std::string("text\n"),
           std::string("text\n\n"),
           line,
           "text\n" + line,
           "text\n\n" + line.substr(0, line.size() - 1),
           "text\n\n" + line + "\n",
           "text\n\n" + line + "x",
           "text\n\n" + line + "x\n",
           "text\r\n\r\n" + line,
           "te\txt\n\n" + line,
           std::string("te\0xt\n\n", 7) + line,
           "te\xffxt\n\n" + line,
           std::string("text\n\n- a AAAAAAA=\n"),
           std::string("text\n\n—a AAAAAAA=\n"),
           std::string("text\n\n—  a AAAAAAA=\n"),
           std::string("text\n\n— a  AAAAAAA=\n"),
           std::string("text\n\n— a\n"),
           std::string("text\n\n— a \n"),
           std::string("text\n\n— AAAAAAA=\n"),
           std::string("text\n\n— a+b AAAAAAA=\n"),
           std::string("text\n\n— a\u00a0b AAAAAAA=\n"),
           std::string("text\n\n— a AAAAAAA= \n"),
           std::string("text\n\n— a AAAAAA==\n"),  // four bytes only
           std::string("text\n\n— a AAAAAAB=\n"),  // unused bits set
           std::string("text\n\n— a AAAAAAA\n"),
           std::string("text\n\n— a AAAA_AA=\n"),
           "text\n\n— " + std::string(300, 'n') + " AAAAAAA=\n",
           "text\n\n— a " + std::string(12'000, 'A') + "\n",
       }) {
    const auto parsed = parse_note(note);
    ASSERT_FALSE(parsed.has_value()) << testing::PrintToString(note);
    EXPECT_EQ(parsed.error().code, Errc::format) << testing::PrintToString(note);
  }
}

TEST(Note, CarriesAtMost64SignaturesAndOneMebibyte) {
  std::string note = "text\n\n";
  for (int i = 0; i < 64; ++i) note += "— a" + std::to_string(i) + " AAAAAAA=\n";
  EXPECT_TRUE(parse_note(note).has_value());
  const auto more = parse_note(note + "— b AAAAAAA=\n");
  ASSERT_FALSE(more.has_value());
  EXPECT_EQ(more.error().code, Errc::limit);
  const auto longer = parse_note(std::string(kMaxNoteBytes, 'x') + "\n\n— a AAAAAAA=\n");
  ASSERT_FALSE(longer.has_value());
  EXPECT_EQ(longer.error().code, Errc::limit);
}

TEST(Note, WithASecondFalseSignatureByTheSameKeyIsRefused) {
  const Secret<32> seed = random_secret<32>();
  const std::string good = sign_note("text\n", "a", seed);
  const std::string other = sign_note("other\n", "a", seed);
  const std::string both = good + other.substr(other.find("— "));
  const Status verified = verify_note(*parse_note(both), vkey_of("a", KeyType::ed25519, seed));
  ASSERT_FALSE(verified.has_value());
  EXPECT_EQ(verified.error().code, Errc::signature);
}

TEST(Note, SignedByANodeKeyIsNoCosignatureOfIt) {
  const Secret<32> seed = random_secret<32>();
  const auto note = parse_note(sign_note("text\n", "a", seed));
  EXPECT_TRUE(verify_note(*note, vkey_of("a", KeyType::ed25519, seed)).has_value());
  EXPECT_FALSE(verify_note(*note, vkey_of("a", KeyType::cosignature, seed)).has_value());
  EXPECT_FALSE(verify_note(*note, vkey_of("b", KeyType::ed25519, seed)).has_value());
}

// --- several signers ---------------------------------------------------------------------------------------------

struct Signer {
  explicit Signer(std::string key_name) : name(std::move(key_name)), key(vkey_of(name, KeyType::ed25519, seed)) {}
  Secret<32> seed = random_secret<32>();
  std::string name;
  VerifierKey key;
};

class NoteOfSeveral : public testing::Test {
 protected:
  NoteOfSeveral() { note_ = *add_signature(sign_note("text\n", alpha_.name, alpha_.seed), bravo_.name, bravo_.seed); }
  Result<std::vector<std::size_t>> signers(std::string_view note, std::vector<VerifierKey> keys) const {
    return verified_signers(*parse_note(note), keys);
  }
  /// The line of a signature by `signer`.
  static std::string line(const Signer& signer, std::string_view text = "text\n") {
    const std::string note = sign_note(text, signer.name, signer.seed);
    return note.substr(note.find("— "));
  }

  const Signer alpha_{"g/alpha/id"};
  const Signer bravo_{"g/bravo/id"};
  const Signer carol_{"g/carol/id"};
  std::string note_;
};

TEST_F(NoteOfSeveral, TellsWhoOfTheKnownSigned) {
  using Signers = std::vector<std::size_t>;
  EXPECT_EQ(signers(note_, {alpha_.key, bravo_.key, carol_.key}), (Signers{0, 1}));
  EXPECT_EQ(signers(note_, {carol_.key, bravo_.key, alpha_.key}), (Signers{1, 2}));
  EXPECT_EQ(signers(note_, {bravo_.key}), (Signers{0})) << "a key that is not known is not counted";
  EXPECT_EQ(note_, "text\n\n" + line(alpha_) + line(bravo_)) << "signatures stand in the order they came";
  EXPECT_EQ(write_note(*parse_note(note_)), note_);
}

TEST_F(NoteOfSeveral, IsNotSignedWhenNoKnownKeySigned) {
  for (const auto& keys : {std::vector<VerifierKey>{}, {carol_.key}}) {
    const auto read = signers(note_, keys);
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().code, Errc::signature);
  }
}

TEST_F(NoteOfSeveral, CountsNoKeyTwice) {
  const VerifierKey renamed{"g/other/id", KeyType::ed25519, alpha_.key.key};
  const std::string renamed_line = [&] {
    const std::string note = sign_note("text\n", renamed.name, alpha_.seed);
    return note.substr(note.find("— "));
  }();
  EXPECT_EQ(signers(note_ + line(alpha_) + line(alpha_), {alpha_.key})->size(), 1u) << "signed several times";
  EXPECT_EQ(signers(note_, {alpha_.key, alpha_.key})->size(), 1u) << "known several times";
  EXPECT_EQ(signers(note_ + renamed_line, {alpha_.key, renamed, bravo_.key}), (std::vector<std::size_t>{0, 2}))
      << "under another name";
  // The same public key as a cosigner's is still the same member's.
  const VerifierKey mirror{"g/alpha/mirror", KeyType::cosignature, alpha_.key.key};
  EXPECT_EQ(signers(note_, {alpha_.key, mirror})->size(), 1u);
}

TEST_F(NoteOfSeveral, FailsWholeWithOneFalseSignatureByAKnownKey) {
  const std::string good_and_false = note_ + line(carol_, "other\n");
  const auto read = signers(good_and_false, {alpha_.key, bravo_.key, carol_.key});
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, Errc::signature);
  EXPECT_FALSE(signers(note_ + line(alpha_, "other\n"), {alpha_.key}).has_value()) << "beside a good one";
  EXPECT_EQ(signers(good_and_false, {alpha_.key, bravo_.key})->size(), 2u) << "carol is not known";
}

TEST_F(NoteOfSeveral, IsRefusedWithAnyBitFlipped) {
  const std::vector<VerifierKey> keys{alpha_.key, bravo_.key};
  for (std::size_t bit = 0; bit < 8 * note_.size(); ++bit) {
    std::string note = note_;
    note[bit / 8] = static_cast<char>(note[bit / 8] ^ (1 << (bit % 8)));
    const auto parsed = parse_note(note);
    if (!parsed) continue;
    const auto read = verified_signers(*parsed, keys);
    EXPECT_FALSE(read && read->size() == 2) << "bit " << bit;
  }
}

TEST_F(NoteOfSeveral, TakesNoSecondSignatureByAKey) {
  const auto again = add_signature(note_, alpha_.name, alpha_.seed);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, Errc::exists);
}

TEST_F(NoteOfSeveral, TakesNoSignatureThatWouldBreakItsForm) {
  for (const std::string& name : {std::string(), std::string("a b"), std::string("a+b"), std::string("a\nb"),
                                  std::string("a\u2003b"), std::string("a\xff"), std::string(256, 'a')}) {
    const auto read = add_signature(note_, name, alpha_.seed);
    ASSERT_FALSE(read.has_value()) << testing::PrintToString(name);
    EXPECT_EQ(read.error().code, Errc::format);
  }
  EXPECT_EQ(add_signature("text\n", alpha_.name, alpha_.seed).error().code, Errc::format) << "no note";
}

TEST_F(NoteOfSeveral, CarriesAtMost64) {
  std::string note = note_;
  for (int i = 2; i < 64; ++i) note += "— a" + std::to_string(i) + " AAAAAAA=\n";
  const auto more = add_signature(note, carol_.name, carol_.seed);
  ASSERT_FALSE(more.has_value());
  EXPECT_EQ(more.error().code, Errc::limit);
}

// --- signed objects ----------------------------------------------------------------------------------------------

class SignedObject : public testing::Test {
 protected:
  const Secret<32> seed_ = random_secret<32>();
  const VerifierKey key_ = vkey_of("a/node", KeyType::ed25519, seed_);
  const Json object_ = Json::Object{{"a", 1}, {"b", "two"}};
  const std::string note_ = sign_object("parley/test/v1", object_, "a/node", seed_);
};

TEST_F(SignedObject, ComesBackAsItWas) {
  const auto read = read_object(note_, "parley/test/v1", key_, note_.size());
  ASSERT_TRUE(read.has_value()) << read.error().text();
  EXPECT_EQ(*read, object_);
  EXPECT_EQ(read_object(log_vectors()["entry_note"].get<std::string>(), "parley/entry/v1",
                        key_of(vector_text("alpha_node_vkey")), 1000)
                .has_value(),
            true);
}

TEST_F(SignedObject, IsRefusedForAnotherKindKeyOrLimit) {
  const auto code_of = [](const auto& result) { return result ? Errc::internal : result.error().code; };
  EXPECT_EQ(code_of(read_object(note_, "parley/test/v2", key_, 1000)), Errc::format);
  EXPECT_EQ(code_of(read_object(note_, "parley/test", key_, 1000)), Errc::format);
  EXPECT_EQ(
      code_of(read_object(note_, "parley/test/v1", vkey_of("a/node", KeyType::ed25519, random_secret<32>()), 1000)),
      Errc::signature);
  EXPECT_EQ(code_of(read_object(note_, "parley/test/v1", vkey_of("b/node", KeyType::ed25519, seed_), 1000)),
            Errc::signature);
  EXPECT_EQ(code_of(read_object(note_, "parley/test/v1", key_, note_.size() - 1)), Errc::limit);
}

TEST_F(SignedObject, IsRefusedWithTextBesideTheObject) {
  for (const std::string text :
       {"parley/test/v1\n{}\n{}\n", "parley/test/v1\n\n{}\n", "parley/test/v1\n{} \n", "parley/test/v1\n",
        "parley/test/v1\n[]\n", "parley/test/v1 {}\n", "\nparley/test/v1\n{}\n", "parley/test/v1\n{}\nx\n"}) {
    const auto read = read_object(sign_note(text, "a/node", seed_), "parley/test/v1", key_, 1000);
    ASSERT_FALSE(read.has_value()) << testing::PrintToString(text);
    EXPECT_EQ(read.error().code, Errc::format) << testing::PrintToString(text);
  }
}

TEST_F(SignedObject, IsRefusedWithASecondSignature) {
  const std::string other = sign_object("parley/test/v1", object_, "b/node", random_secret<32>());
  const auto read = read_object(note_ + other.substr(other.find("— ")), "parley/test/v1", key_, 1000);
  ASSERT_FALSE(read.has_value());
  EXPECT_THAT(read.error().message, HasSubstr("exactly one signature"));
}

TEST_F(SignedObject, IsRefusedWithAnyBitFlipped) {
  for (std::size_t bit = 0; bit < 8 * note_.size(); ++bit) {
    std::string note = note_;
    note[bit / 8] = static_cast<char>(note[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(read_object(note, "parley/test/v1", key_, 1000).has_value()) << "bit " << bit;
  }
}

}  // namespace
}  // namespace parley::log
