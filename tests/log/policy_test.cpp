#include "log/policy.h"

#include <gtest/gtest.h>

#include <bit>

#include "log/tlog_proof.h"
#include "member.h"

namespace parley::log {
namespace {

class PolicyTest : public testing::Test {
 protected:
  std::string log_line() const { return "log " + alpha_.keys.log.text() + "\n"; }
  std::string witness(const TestMember& member) const {
    return "witness " + member.keys.nick + " " + member.keys.cosign.text() + "\n";
  }
  std::string witnesses() const { return witness(bravo_) + witness(carol_) + witness(dave_); }
  std::string two_of_three() const {
    return log_line() + witnesses() + "group mirrors 2 bravo carol dave\nquorum mirrors\n";
  }

  /// A checkpoint that a subset of bravo (1), carol (2) and dave (4) cosigned.
  std::string cosigned(const TestLog& log, unsigned subset) const {
    std::string note = alpha_.sign(log.head());
    unsigned bit = 1;
    for (const TestMember* member : {&bravo_, &carol_, &dave_}) {
      if ((subset & bit) != 0) note = *add_cosignature(note, member->cosigned(log.head(), 7), member->keys.cosign);
      bit <<= 1;
    }
    return note;
  }

  const TestMember alpha_{"alpha"}, bravo_{"bravo"}, carol_{"carol"}, dave_{"dave"};
};

TEST_F(PolicyTest, IsReadWithItsBlanksAndComments) {
  const auto plain = parse_policy(two_of_three());
  ASSERT_TRUE(plain.has_value()) << plain.error().text();
  EXPECT_EQ(write_policy(*plain), two_of_three());
  const auto spaced = parse_policy("# who counts\n\n \t\n\t log\t" + alpha_.keys.log.text() + "  \n" + witnesses() +
                                   "  # two of three\ngroup mirrors 2 bravo carol\tdave\nquorum mirrors\n");
  ASSERT_TRUE(spaced.has_value()) << spaced.error().text();
  EXPECT_EQ(*spaced, *plain);
}

TEST_F(PolicyTest, ThatBreaksARuleOfTheSpecificationIsRefused) {
  const std::string good_end = "quorum none\n";
  const std::string weak = VerifierKey{"w", KeyType::cosignature, {}}.text();
  for (const std::string& text : {
           std::string(),
           log_line(),                  // no quorum
           good_end + good_end,         // two
           std::string("quorum none"),  // no newline
           std::string("quorum\n"),
           std::string("quorum none none\n"),
           std::string("quorum bravo\n"),       // not defined
           "quorum bravo\n" + witness(bravo_),  // defined afterwards
           std::string("log\n") + good_end,
           std::string("log x\n") + good_end,
           "log " + alpha_.keys.log.text() + " a b\n" + good_end,
           "log " + bravo_.keys.cosign.text() + "\n" + good_end,     // a cosigner's key
           "witness w " + alpha_.keys.log.text() + "\n" + good_end,  // a log's key
           log_line() + log_line() + good_end,
           witness(bravo_) + witness(bravo_) + good_end,
           witness(bravo_) + "witness bravo " + carol_.keys.cosign.text() + "\n" + good_end,
           witness(bravo_) + "witness b2 " + bravo_.keys.cosign.text() + "\n" + good_end,
           "witness none " + bravo_.keys.cosign.text() + "\n" + good_end,
           "witness w " + weak + "\n" + good_end,
           witnesses() + "group none 1 bravo\n" + good_end,
           witnesses() + "group bravo 1 carol\n" + good_end,
           witnesses() + "group g 0 bravo\n" + good_end,
           witnesses() + "group g 01 bravo\n" + good_end,
           witnesses() + "group g +1 bravo\n" + good_end,
           witnesses() + "group g -1 bravo\n" + good_end,
           witnesses() + "group g 2 bravo\n" + good_end,
           witnesses() + "group g 1.0 bravo\n" + good_end,
           witnesses() + "group g 18446744073709551617 bravo\n" + good_end,
           witnesses() + "group g ANY bravo\n" + good_end,
           witnesses() + "group g any\n" + good_end,
           witnesses() + "group g any none\n" + good_end,
           witnesses() + "group g any g\n" + good_end,
           witnesses() + "group g 2 bravo bravo\n" + good_end,
           witnesses() + "group g any bravo\ngroup h any bravo\n" + good_end,  // contributes in two ways
           witnesses() + "group g any eve\n" + good_end,
           witnesses() + "group h any g\ngroup g any bravo\n" + good_end,
           std::string("mirror x\n") + good_end,
           std::string("Quorum none\n"),
           std::string("quorum none\r\n"),
           std::string("quorum none\0\n", 13),
           std::string("quorum none\x7f\n"),
       })
    EXPECT_FALSE(parse_policy(text).has_value()) << testing::PrintToString(text);
  std::string many;
  for (std::size_t i = 0; i <= kMaxPolicyNames; ++i) many += witness(TestMember("w" + std::to_string(i)));
  EXPECT_EQ(parse_policy(many + good_end).error().code, Errc::limit);
  EXPECT_EQ(parse_policy(std::string(kMaxPolicyBytes + 1, '\n')).error().code, Errc::limit);
}

TEST_F(PolicyTest, CountsEverySubsetOfItsGroups) {
  const Policy policy =
      *parse_policy(witnesses() + witness(alpha_) +
                    "group pair all bravo carol\ngroup one any pair dave\ngroup top 2 one alpha\nquorum top\n");
  for (std::size_t subset = 0; subset < 16; ++subset) {
    std::vector<std::size_t> cosigned;
    for (std::size_t i = 0; i < 4; ++i)
      if ((subset >> i & 1) != 0) cosigned.push_back(i);
    const bool bravo = subset & 1, carol = subset & 2, dave = subset & 4, alpha = subset & 8;
    EXPECT_EQ(policy.is_quorum(cosigned), ((bravo && carol) || dave) && alpha) << subset;
  }
  EXPECT_FALSE(policy.is_quorum(std::vector<std::size_t>{2, 2, 2})) << "no witness counts twice";
}

TEST_F(PolicyTest, TakesACheckpointOfEverySubsetThatMakesTheQuorum) {
  const TestLog log(alpha_);
  const Policy policy = *parse_policy(two_of_three());
  for (unsigned subset = 0; subset < 8; ++subset) {
    const auto read = verify_checkpoint(cosigned(log, subset), policy);
    EXPECT_EQ(read.has_value(), std::popcount(subset) >= 2) << subset;
    if (!read) {
      EXPECT_EQ(read.error().code, Errc::signature);
    }
  }
  EXPECT_TRUE(verify_checkpoint(cosigned(log, 0), *parse_policy(log_line() + "quorum none\n")).has_value());
  EXPECT_FALSE(verify_checkpoint(cosigned(log, 7), *parse_policy(witnesses() + "quorum none\n")).has_value());
  EXPECT_FALSE(verify_checkpoint(cosigned(log, 7), *parse_policy("log " + bravo_.keys.log.text() + "\nquorum none\n"))
                   .has_value());
}

// --- proofs ------------------------------------------------------------------------------------------------------

class TlogProofTest : public PolicyTest {
 protected:
  TlogProofTest() {
    for (int i = 0; i < 6; ++i) log_.append(kHeads);
    proof_.index = 4;
    proof_.path = MerkleTree(log_.hashes).inclusion_proof(4);
    proof_.checkpoint = cosigned(log_, 3);
  }
  Result<TrustedCheckpoint> verified(const std::string& text, const std::string& leaf) const {
    TRY(const TlogProof proof, parse_tlog_proof(text));
    return verify_tlog_proof(proof, as_bytes(leaf), policy_);
  }
  TestLog log_{alpha_};
  TlogProof proof_;
  const Policy policy_ = *parse_policy(two_of_three());
};

TEST_F(TlogProofTest, IsWrittenReadAndVerified) {
  for (const Bytes& extra : {Bytes(), to_bytes("anything")}) {
    proof_.extra = extra;
    const std::string text = write_tlog_proof(proof_);
    EXPECT_TRUE(text.starts_with("c2sp.org/tlog-proof@v1\n"));
    EXPECT_EQ(text.contains("\nextra YW55dGhpbmc=\n"), !extra.empty());
    ASSERT_TRUE(parse_tlog_proof(text).has_value());
    EXPECT_EQ(*parse_tlog_proof(text), proof_);
    const auto trusted = verified(text, log_.leaves[4]);
    ASSERT_TRUE(trusted.has_value()) << trusted.error().text();
    EXPECT_EQ(trusted->checkpoint, log_.head());
    EXPECT_EQ(trusted->witnesses.size(), 2u);
  }
}

TEST_F(TlogProofTest, ShowsNoOtherLeafPlaceOrTree) {
  for (std::size_t i = 0; i < log_.leaves.size(); ++i)
    EXPECT_EQ(verified(write_tlog_proof(proof_), log_.leaves[i]).has_value(), i == 4) << i;
  TlogProof altered = proof_;
  altered.index = 5;
  EXPECT_EQ(verified(write_tlog_proof(altered), log_.leaves[4]).error().code, Errc::protocol);
  altered = proof_;
  altered.checkpoint = cosigned(log_, 1);
  EXPECT_EQ(verified(write_tlog_proof(altered), log_.leaves[4]).error().code, Errc::signature);
  TestLog longer = log_;
  longer.append(kHeads);
  altered.checkpoint = cosigned(longer, 7);
  EXPECT_EQ(verified(write_tlog_proof(altered), log_.leaves[4]).error().code, Errc::protocol);
}

TEST_F(TlogProofTest, IsRefusedWithAnyBitFlipped) {
  const std::string good = write_tlog_proof(proof_);
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string text = good;
    text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(verified(text, log_.leaves[4]).has_value()) << "bit " << bit;
  }
}

TEST_F(TlogProofTest, IsReadInItsOneFormOnly) {
  const std::string good = write_tlog_proof(proof_);
  const auto replaced = [&](const std::string& what, const std::string& by) {
    std::string text = good;
    return text.replace(text.find(what), what.size(), by);
  };
  for (const std::string& text : {
           std::string(),
           good + "\n",
           "\n" + good,
           good.substr(0, good.size() - 1),
           replaced("@v1", "@v2"),
           replaced("@v1\n", "@v1\n\n"),
           replaced("@v1\n", "@v1\r\n"),
           replaced("index 4", "index 04"),
           replaced("index 4", "index +4"),
           replaced("index 4", "index "),
           replaced("index 4", "index  4"),
           replaced("index 4", "index 4 "),
           replaced("index 4", "Index 4"),
           replaced("index 4\n", ""),
           replaced("index 4", "index 9007199254740991"),
           replaced("index 4", "index 18446744073709551620"),
           replaced("index 4", "index 4\nindex 4"),
           replaced("index 4", "extra \nindex 4"),
           replaced("index 4", "extra A\nindex 4"),
           replaced("index 4", "extra YQ==\nextra YQ==\nindex 4"),
           replaced("index 4\n", "index 4\nAAAA\n"),
           replaced("index 4\n", "index 4\n\n"),
           replaced("index 4", "index 4\nextra YQ=="),
       })
    EXPECT_FALSE(parse_tlog_proof(text).has_value()) << text;
  std::string endless = "c2sp.org/tlog-proof@v1\nindex 0\n";
  for (std::size_t i = 0; i <= kMaxProofHashes; ++i) endless += to_base64(Digest{}) + "\n";
  EXPECT_EQ(parse_tlog_proof(endless).error().code, Errc::limit);
  EXPECT_EQ(parse_tlog_proof(std::string(kMaxTlogProofBytes + 1, 'x')).error().code, Errc::limit);
}

}  // namespace
}  // namespace parley::log
