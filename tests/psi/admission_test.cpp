#include "psi/admission/admission.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "base/random.h"
#include "crypto/hash.h"
#include "crypto/vector_table.h"

namespace parley::psi::admission {
namespace {

using crypto::Element;
using crypto::kElementBytes;
using crypto::Scalar;

const nlohmann::json& model() {
  static const nlohmann::json kModel =
      nlohmann::json::parse(std::ifstream(std::string(PARLEY_VECTORS) + "/psi/admission.json"));
  return kModel;
}

Epoch epoch_of_model() {
  return array_of<32>(model()["epoch"]);
}

oprf::KeyPair key_of(const nlohmann::json& member) {
  return *derive_key(seed_of(member["seed"]), bytes_of(model()["info"]));
}

Elements elements_of_model() {
  Elements elements;
  for (const auto& row : model()["elements"]) elements.push_back(bytes_of(row["element"]));
  return elements;
}

Bytes column(const char* name, std::optional<std::size_t> member = {}) {
  Bytes column;
  for (const auto& row : model()["elements"])
    append(column, bytes_of(member ? row[name][*member].get<std::string>() : row[name].get<std::string>()));
  return column;
}

/// The helpers' and the owner's keys, a batch, and everybody's answers to it.
class Admission : public testing::TestWithParam<std::size_t> {
 protected:
  static void SetUpTestSuite() { start_random(); }
  void SetUp() override {
    for (std::size_t i = 0; i < 3; ++i) keys.push_back(*derive_key(random_secret<32>(), as_bytes("test")));
  }
  /// Puts `count` elements in.
  void fill(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) elements.push_back(as_bytes("element " + std::to_string(i)));
    blinded = *blind(epoch, elements, seed, pool, progress);
    answers.clear();
    for (const oprf::KeyPair& key : keys) answers.push_back(*evaluate(key.secret_key, blinded, pool, progress));
  }
  Result<SecretBytes> tags() { return combine(epoch, elements, seed, answers, pool, progress); }
  bool proof_holds_for(std::size_t member, std::span<const std::uint32_t> sample) {
    const auto nonce = Scalar::from_uniform(random_secret<64>().expose());
    const auto proof = prove_sample(keys[member], blinded, answers[member], sample, nonce);
    return proof && verify_sample(keys[member].public_key, blinded, answers[member], sample, *proof);
  }

  Epoch epoch = random_bytes<32>();
  Secret<32> seed = random_secret<32>();
  std::vector<oprf::KeyPair> keys;
  Elements elements;
  Bytes blinded;
  std::vector<Bytes> answers;
  ThreadPool pool{2};
  SilentProgress progress;
};

TEST_F(Admission, DerivesTheKeysAndProofsOfTheModel) {
  const Scalar nonce = *Scalar::decode(array_of<32>(model()["nonce"]));
  for (const auto& member : model()["members"]) {
    const oprf::KeyPair key = key_of(member);
    EXPECT_EQ(to_hex(key.secret_key.expose()), member["key"].get<std::string>());
    EXPECT_EQ(to_hex(key.public_key.encoding()), member["public_key"].get<std::string>());
    const auto proof = prove_possession(key, array_of<32>(model()["claim"]), nonce);
    ASSERT_TRUE(proof.has_value());
    EXPECT_EQ(to_hex(*proof), member["possession"].get<std::string>());
    EXPECT_TRUE(verify_possession(key.public_key, array_of<32>(model()["claim"]), *proof));
  }
}

TEST_F(Admission, GivesEveryMessageAndTagOfTheModelWhateverTheNumberOfThreads) {
  for (const std::size_t threads : {1u, 3u}) {
    ThreadPool some(threads);
    const auto sent = blind(epoch_of_model(), elements_of_model(), seed_of(model()["batch_seed"]), some, progress);
    ASSERT_TRUE(sent.has_value());
    EXPECT_EQ(to_hex(*sent), to_hex(column("blinded")));
    std::vector<Bytes> got;
    for (std::size_t i = 0; i < model()["members"].size(); ++i) {
      got.push_back(*evaluate(key_of(model()["members"][i]).secret_key, *sent, some, progress));
      EXPECT_EQ(to_hex(got.back()), to_hex(column("evaluated", i)));
    }
    const auto made =
        combine(epoch_of_model(), elements_of_model(), seed_of(model()["batch_seed"]), got, some, progress);
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(to_hex(made->expose()), to_hex(column("tag")));
  }
}

TEST_F(Admission, GivesEveryOwnerTheSameTagHoweverItBlinds) {
  fill(70);
  const SecretBytes first = *tags();
  seed = random_secret<32>();
  const Bytes blinded_before = blinded;
  fill(0);
  EXPECT_NE(blinded, blinded_before);
  std::swap(answers[0], answers[2]);  // the order of members does not matter
  EXPECT_EQ(to_hex(tags()->expose()), to_hex(first.expose()));
}

TEST_F(Admission, GivesOtherTagsInAnotherEpochForAnotherElementAndWithoutOneMember) {
  fill(3);
  std::set<std::string> seen;
  const auto note = [&](ByteView list) {
    for (std::size_t i = 0; i < list.size() / kTagBytes; ++i)
      EXPECT_TRUE(seen.insert(to_hex(list.subspan(i * kTagBytes, kTagBytes))).second);
  };
  note(tags()->expose());
  answers.pop_back();
  note(tags()->expose());
  epoch = random_bytes<32>();
  fill(0);
  note(tags()->expose());
}

TEST_F(Admission, RefusesToHelpWithWhatIsNoElement) {
  fill(5);
  const auto helped = [&](const Bytes& list) { return evaluate(keys[0].secret_key, list, pool, progress); };
  EXPECT_FALSE(helped({}));
  EXPECT_FALSE(helped(Bytes(blinded.begin(), blinded.end() - 1)));
  EXPECT_FALSE(helped(Bytes((kMostInBatch + 1) * kElementBytes)));
  std::vector<std::string> bad{std::string(64, '0')};  // the identity
  for (const auto& row : table("rfc9496/invalid.txt")) bad.push_back(row[1]);
  for (const std::string& encoding : bad) {
    Bytes list = blinded;
    std::ranges::copy(bytes_of(encoding), list.begin() + 3 * kElementBytes);
    const auto refused = helped(list);
    ASSERT_FALSE(refused.has_value()) << encoding;
    EXPECT_EQ(refused.error().code, Errc::protocol);
    EXPECT_NE(refused.error().message.find("number 3"), std::string::npos);
  }
}

TEST_F(Admission, FindsTheFirstAnswerThatIsNoElementWhereverItIsWithAnyNumberOfThreads) {
  fill(700);
  for (const std::size_t threads : {1u, 3u}) {
    ThreadPool some(threads);
    EXPECT_EQ(*first_invalid(answers[0], some, progress), std::nullopt);
    for (const std::size_t at : {0u, 1u, 511u, 512u, 699u}) {
      for (const std::byte filling : {std::byte{0}, std::byte{0xff}}) {  // the identity; no canonical encoding
        Bytes bent = answers[0];
        for (const std::size_t i : {at, std::size_t{699}})
          std::ranges::fill(std::span(bent).subspan(i * kElementBytes, kElementBytes), filling);
        EXPECT_EQ(*first_invalid(bent, some, progress), at);
      }
    }
  }
}

TEST_F(Admission, TakesNoAnswersThatAreNoElementsAreTooFewOrCancelEachOtherOut) {
  fill(4);
  const std::vector<Bytes> good = std::move(answers);
  const auto fails_with = [&](std::vector<Bytes> list) {
    answers = std::move(list);
    const auto made = tags();
    return !made && made.error().code == Errc::protocol;
  };
  const auto altered = [&](std::size_t member, ByteView encoding) {
    std::vector<Bytes> list = good;
    std::ranges::copy(encoding, list[member].begin() + 2 * kElementBytes);
    return list;
  };
  for (std::size_t member = 0; member < good.size(); ++member) {
    EXPECT_TRUE(fails_with(altered(member, ByteArray<32>{})));  // the identity
    for (const auto& row : table("rfc9496/invalid.txt")) EXPECT_TRUE(fails_with(altered(member, bytes_of(row[1]))));
  }
  std::vector<Bytes> short_list = good;
  short_list[1].resize(3 * kElementBytes);
  EXPECT_TRUE(fails_with(short_list));
  // Minus the sum of the others: the tags would be those of no key at all.
  const Scalar minus_one = Scalar() - *Scalar::decode(ByteArray<32>{std::byte{1}});
  Element sum = *Element::decode(ByteView(good[0]).subspan(2 * kElementBytes).first<kElementBytes>());
  sum = *crypto::add(sum, *Element::decode(ByteView(good[1]).subspan(2 * kElementBytes).first<kElementBytes>()));
  EXPECT_TRUE(fails_with(altered(2, crypto::multiply(minus_one, sum)->encoding())));
}

TEST_F(Admission, RefusesBatchesThatAreTooLong) {
  for (std::size_t i = 0; i <= kMostInBatch; ++i) elements.push_back(as_bytes("x"));
  EXPECT_EQ(blind(epoch, elements, seed, pool, progress).error().code, Errc::limit);
  EXPECT_EQ(combine(epoch, elements, seed, {}, pool, progress).error().code, Errc::limit);
}

TEST_F(Admission, ProvesASampleOfAnySize) {
  for (const std::size_t count : {1u, 2u, 299u, 300u, 301u, 500u}) {
    elements = {};
    fill(count);
    EXPECT_TRUE(proof_holds_for(1, draw_sample(count))) << count;
  }
}

TEST_F(Admission, CatchesAnAnswerUnderAnotherKeyIfItIsInTheSample) {
  fill(400);
  const std::vector<std::uint32_t> sample = draw_sample(400);
  for (const std::uint32_t index : {sample.front(), sample[150], sample.back()}) {
    const Bytes good = answers[1];
    const auto place = answers[1].begin() + static_cast<std::ptrdiff_t>(index * kElementBytes);
    std::ranges::copy(ByteView(answers[2]).subspan(index * kElementBytes, kElementBytes), place);
    EXPECT_FALSE(proof_holds_for(1, sample));
    answers[1] = good;
  }
  EXPECT_TRUE(proof_holds_for(1, sample));
}

TEST_F(Admission, CatchesTwoAnswersThatWereSwapped) {
  fill(10);
  const std::vector<std::uint32_t> all = draw_sample(10);
  ASSERT_EQ(all.size(), 10u);
  std::swap_ranges(answers[0].begin(), answers[0].begin() + kElementBytes, answers[0].begin() + kElementBytes);
  EXPECT_FALSE(proof_holds_for(0, all));
}

TEST_F(Admission, TakesNoProofOfAnotherSampleKeyOrBatch) {
  fill(400);
  const std::vector<std::uint32_t> sample = draw_sample(400), other = draw_sample(400);
  ASSERT_NE(sample, other);
  const auto nonce = Scalar::from_uniform(random_secret<64>().expose());
  const oprf::Proof proof = *prove_sample(keys[0], blinded, answers[0], sample, nonce);
  EXPECT_TRUE(verify_sample(keys[0].public_key, blinded, answers[0], sample, proof));
  EXPECT_FALSE(verify_sample(keys[0].public_key, blinded, answers[0], other, proof));
  EXPECT_FALSE(verify_sample(keys[1].public_key, blinded, answers[0], sample, proof));
  EXPECT_FALSE(verify_sample(keys[0].public_key, blinded, answers[1], sample, proof));
  for (const std::size_t flipped : {0u, 31u, 32u, 63u}) {
    oprf::Proof altered = proof;
    altered[flipped] ^= std::byte{1};
    EXPECT_FALSE(verify_sample(keys[0].public_key, blinded, answers[0], sample, altered)) << flipped;
  }
}

TEST_F(Admission, DrawsDistinctAscendingIndicesOfTheBatch) {
  for (const std::size_t count : {1u, 2u, 300u, 301u, 1000u, 16'384u}) {
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(is_sample(draw_sample(count), count)) << count;
  }
}

TEST_F(Admission, RefusesSamplesThatNobodyDraws) {
  std::vector<std::uint32_t> sample = draw_sample(1000);
  EXPECT_FALSE(is_sample({}, 0));
  EXPECT_FALSE(is_sample({}, 1000));
  EXPECT_FALSE(is_sample(std::span(sample).first(299), 1000));
  EXPECT_FALSE(is_sample(sample, sample.back()));
  std::vector<std::uint32_t> twice = sample;
  twice[1] = twice[0];
  EXPECT_FALSE(is_sample(twice, 1000));
  std::ranges::reverse(sample);
  EXPECT_FALSE(is_sample(sample, 1000));
}

// Each index is as likely as any other: over many draws each of 1,000 comes up 0.3 times a draw.
TEST_F(Admission, DrawsEachIndexEquallyOften) {
  constexpr std::size_t kBatch = 1000, kDraws = 4000;
  std::vector<double> drawn(kBatch);
  for (std::size_t i = 0; i < kDraws; ++i)
    for (const std::uint32_t index : draw_sample(kBatch)) ++drawn[index];
  const double expected = kDraws * 0.3, deviation = std::sqrt(kDraws * 0.3 * 0.7);
  for (const double count : drawn) EXPECT_LT(std::abs(count - expected), 6 * deviation);
}

/// The chance that `kSampleCount` of `batch` hit one of `false_answers`, exactly.
double caught_exactly(std::size_t batch, std::size_t false_answers) {
  double missed = 1;
  for (std::size_t i = 0; i < kSampleCount; ++i)
    missed *= static_cast<double>(batch - false_answers - i) / static_cast<double>(batch - i);
  return 1 - missed;
}

// What psi.md 6.6 says a sample of 300 catches, recomputed and measured with the samples that are really drawn.
TEST_F(Admission, CatchesAFalsifierAsOftenAsTheSpecificationSays) {
  constexpr std::size_t kDraws = 3000;
  struct Row {
    double fraction, at_least;
  };
  for (const Row& row : {Row{0.01, 0.95}, Row{0.005, 0.77}, Row{0.001, 0.25}, Row{0.05, 0.9999}}) {
    const auto count = static_cast<std::size_t>(std::ceil(row.fraction * kMostInBatch));
    const double formula = 1 - std::pow(1 - row.fraction, kSampleCount);
    EXPECT_GE(formula, row.at_least);
    const double exact = caught_exactly(kMostInBatch, count);
    EXPECT_GE(exact, formula);
    std::size_t caught = 0;
    for (std::size_t i = 0; i < kDraws; ++i) caught += draw_sample(kMostInBatch).front() < count;
    const double deviation = std::sqrt(exact * (1 - exact) / kDraws) + 1e-3;
    EXPECT_LT(std::abs(static_cast<double>(caught) / kDraws - exact), 5 * deviation) << row.fraction;
  }
}

/// A proof of possession, and what it is for.
class Possessed : public Admission {
 protected:
  bool holds() const { return verify_possession(public_key, claim, proof); }

  oprf::KeyPair key = *derive_key(random_secret<32>(), as_bytes("test"));
  Element public_key = key.public_key;
  Digest claim = random_bytes<32>();
  Possession proof = *prove_possession(key, claim, Scalar::from_uniform(random_secret<64>().expose()));
};

TEST_F(Possessed, KeyIsProven) {
  EXPECT_TRUE(holds());
}

TEST_F(Possessed, KeyIsProvenForOneClaimOnly) {
  claim[0] ^= std::byte{1};
  EXPECT_FALSE(holds());
}

TEST_F(Possessed, ProofIsRefusedWhenAByteOfItIsAnother) {
  for (std::size_t i = 0; i < proof.size(); ++i) {
    proof[i] ^= std::byte{4};
    EXPECT_FALSE(holds()) << i;
    proof[i] ^= std::byte{4};
  }
}

TEST_F(Possessed, ProofIsRefusedWhenAScalarOfItIsNotCanonical) {
  std::ranges::fill(std::span(proof).last<32>(), std::byte{0xff});
  EXPECT_FALSE(holds());
}

TEST_F(Possessed, ProofNeedsANonce) {
  EXPECT_FALSE(prove_possession(key, claim, Scalar()));
}

// A key that cancels out all others: its owner could make every tag alone, and cannot prove that it knows it.
TEST_F(Possessed, RogueKeyWouldTakeOverTheSumAndHasNoProof) {
  fill(1);
  const Scalar minus_one = Scalar() - *Scalar::decode(ByteArray<32>{std::byte{1}});
  public_key = *crypto::add(key.public_key, *crypto::multiply(minus_one, keys[0].public_key));
  const auto cancelled = crypto::add(public_key, keys[0].public_key);
  ASSERT_TRUE(cancelled && cancelled->equals(key.public_key));  // what would be at stake
  EXPECT_FALSE(holds());                                        // by the proof of the key that the rogue does know
}

}  // namespace
}  // namespace parley::psi::admission
