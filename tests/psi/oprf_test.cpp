#include "psi/oprf/oprf.h"

#include <gtest/gtest.h>

#include "crypto/vector_table.h"
#include "psi/oprf/proof.h"

namespace parley::psi::oprf {
namespace {

using crypto::Element;
using crypto::Scalar;

/// One row of tests/vectors/rfc9497.
struct Vector {
  Mode mode;
  KeyPair key;
  std::string secret_key, public_key;
  std::vector<Bytes> inputs;
  std::vector<Scalar> blinds;
  std::vector<std::string> blinded, evaluated, outputs;
  std::string nonce, proof;
};

Scalar scalar_of(const std::string& hex) {
  return *Scalar::decode(array_of<32>(hex));
}

std::vector<Vector> vectors() {
  std::vector<Vector> all;
  for (const auto& row : table("rfc9497/ristretto255_sha512.txt")) {
    const Mode mode = row[0] == "0" ? Mode::oprf : Mode::voprf;
    Vector vector{mode,
                  *derive_key_pair(mode, seed_of(row[1]), bytes_of(row[2])),
                  row[3],
                  row[4],
                  {},
                  {},
                  split(row[7], ','),
                  split(row[8], ','),
                  split(row[9], ','),
                  row[10],
                  row[11]};
    for (const auto& input : split(row[5], ',')) vector.inputs.push_back(bytes_of(input));
    for (const auto& blind : split(row[6], ',')) vector.blinds.push_back(scalar_of(blind));
    all.push_back(std::move(vector));
  }
  return all;
}

std::vector<Element> elements_of(const std::vector<std::string>& encodings) {
  std::vector<Element> elements;
  for (const auto& encoding : encodings) elements.push_back(*Element::decode(array_of<32>(encoding)));
  return elements;
}

TEST(Oprf, DerivesTheKeysOfRfc9497) {
  for (const Vector& vector : vectors()) {
    EXPECT_EQ(to_hex(vector.key.secret_key.expose()), vector.secret_key);
    if (vector.mode == Mode::voprf) {
      EXPECT_EQ(to_hex(vector.key.public_key.encoding()), vector.public_key);
    }
  }
}

TEST(Oprf, GivesTheElementsAndOutputsOfRfc9497) {
  for (const Vector& vector : vectors()) {
    for (std::size_t i = 0; i < vector.inputs.size(); ++i) {
      const auto blinded = blind(vector.mode, vector.inputs[i], vector.blinds[i]);
      ASSERT_TRUE(blinded.has_value());
      EXPECT_EQ(to_hex(blinded->encoding()), vector.blinded[i]);

      const auto evaluated = crypto::decode_and_multiply(vector.key.secret_key, blinded->encoding());
      ASSERT_TRUE(evaluated.has_value());
      EXPECT_EQ(to_hex(evaluated->encoding()), vector.evaluated[i]);

      Scalar inverse = vector.blinds[i].clone();
      ASSERT_TRUE(Scalar::invert_all({&inverse, 1}));
      const auto output = finalize(vector.inputs[i], inverse, evaluated->encoding());
      ASSERT_TRUE(output.has_value());
      EXPECT_EQ(to_hex(output->expose()), vector.outputs[i]);

      const auto direct = evaluate(vector.mode, vector.inputs[i], vector.key.secret_key);
      ASSERT_TRUE(direct.has_value());
      EXPECT_EQ(to_hex(direct->expose()), vector.outputs[i]);
    }
  }
}

TEST(Oprf, GivesTheProofsOfRfc9497AndTakesThem) {
  std::size_t proofs = 0;
  for (const Vector& vector : vectors()) {
    if (vector.mode != Mode::voprf) continue;
    ++proofs;
    const auto blinded = elements_of(vector.blinded);
    const auto evaluated = elements_of(vector.evaluated);
    const auto proof = prove(vector.mode, vector.key, blinded, evaluated, scalar_of(vector.nonce));
    ASSERT_TRUE(proof.has_value());
    EXPECT_EQ(to_hex(*proof), vector.proof);
    EXPECT_TRUE(verify(vector.mode, vector.key.public_key, blinded, evaluated, *proof));
  }
  EXPECT_EQ(proofs, 3u);
}

TEST(Oprf, KeepsTheModesApart) {
  EXPECT_NE(to_hex(hash_to_group(Mode::oprf, {}).encoding()), to_hex(hash_to_group(Mode::voprf, {}).encoding()));
  EXPECT_NE(to_hex(hash_to_scalar(Mode::oprf, {}).expose()), to_hex(hash_to_scalar(Mode::voprf, {}).expose()));
}

TEST(Oprf, RefusesABlindOfZeroAndAnswersThatAreNoElements) {
  EXPECT_FALSE(blind(Mode::oprf, as_bytes("x"), Scalar()).has_value());
  EXPECT_FALSE(evaluate(Mode::oprf, as_bytes("x"), Scalar()).has_value());
  const Scalar one = *Scalar::decode(ByteArray<32>{std::byte{1}});
  EXPECT_FALSE(finalize(as_bytes("x"), one, ByteArray<32>{}).has_value());
  for (const auto& row : table("rfc9496/invalid.txt")) {
    EXPECT_FALSE(finalize(as_bytes("x"), one, array_of<32>(row[1])).has_value()) << row[0];
  }
}

/// A batch of 5 under one key, with its proof.
class BatchProof : public testing::Test {
 protected:
  void SetUp() override {
    for (std::size_t i = 0; i < 5; ++i) {
      blinded.push_back(hash_to_group(Mode::voprf, as_bytes("element " + std::to_string(i))));
      evaluated.push_back(*crypto::multiply(key.secret_key, blinded.back()));
    }
    proof = *prove(Mode::voprf, key, blinded, evaluated, hash_to_scalar(Mode::voprf, as_bytes("nonce")));
  }

  bool holds() const { return verify(Mode::voprf, key.public_key, blinded, evaluated, proof); }

  KeyPair key = *derive_key_pair(Mode::voprf, seed_of(std::string(64, '1')), {});
  KeyPair other_key = *derive_key_pair(Mode::voprf, seed_of(std::string(64, '2')), {});
  std::vector<Element> blinded, evaluated;
  Proof proof;
};

TEST_F(BatchProof, HoldsForOneKey) {
  EXPECT_TRUE(holds());
}

// Few and many elements are summed up in different ways.
TEST_F(BatchProof, HoldsForBatchesOfAnySizeAndFailsForOneWrongElementInThem) {
  for (const std::size_t size : std::initializer_list<std::size_t>{1, 2, 8, 9, 64, 257, 600}) {
    while (blinded.size() > size) blinded.pop_back();
    while (blinded.size() < size)
      blinded.push_back(hash_to_group(Mode::voprf, as_bytes("element " + std::to_string(blinded.size()))));
    evaluated.clear();
    for (const Element& element : blinded) evaluated.push_back(*crypto::multiply(key.secret_key, element));
    proof = *prove(Mode::voprf, key, blinded, evaluated, hash_to_scalar(Mode::voprf, as_bytes("nonce")));
    EXPECT_TRUE(holds()) << size;
    for (const std::size_t wrong : {std::size_t{0}, size / 2, size - 1}) {
      const Element honest = evaluated[wrong];
      evaluated[wrong] = *crypto::add(honest, blinded[wrong]);
      EXPECT_FALSE(holds()) << size << ", " << wrong;
      evaluated[wrong] = honest;
    }
  }
}

TEST_F(BatchProof, FailsForASecondKeyInTheBatch) {
  for (std::size_t i = 0; i < blinded.size(); ++i) {
    const Element honest = evaluated[i];
    evaluated[i] = *crypto::multiply(other_key.secret_key, blinded[i]);
    EXPECT_FALSE(holds()) << i;
    const auto forged =
        prove(Mode::voprf, key, blinded, evaluated, hash_to_scalar(Mode::voprf, as_bytes("another nonce")));
    EXPECT_FALSE(verify(Mode::voprf, key.public_key, blinded, evaluated, *forged)) << i;
    evaluated[i] = honest;
  }
}

TEST_F(BatchProof, FailsForAnotherPublicKeyModeOrOrder) {
  EXPECT_FALSE(verify(Mode::voprf, other_key.public_key, blinded, evaluated, proof));
  EXPECT_FALSE(verify(Mode::oprf, key.public_key, blinded, evaluated, proof));
  std::swap(blinded[0], blinded[1]);
  std::swap(evaluated[0], evaluated[1]);
  EXPECT_FALSE(holds());
}

TEST_F(BatchProof, FailsForEveryFlippedBit) {
  for (std::size_t bit = 0; bit < 8 * proof.size(); ++bit) {
    proof[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_FALSE(holds()) << bit;
    proof[bit / 8] ^= std::byte{1} << (bit % 8);
  }
  EXPECT_TRUE(holds());
}

TEST_F(BatchProof, IsForListsOfOneLengthThatAreNotEmptyNorTooLong) {
  EXPECT_FALSE(verify(Mode::voprf, key.public_key, {}, {}, proof));
  EXPECT_FALSE(verify(Mode::voprf, key.public_key, blinded, std::span(evaluated).first(4), proof));
  const std::vector<Element> many(kProofBatch + 1, blinded[0]);
  EXPECT_FALSE(verify(Mode::voprf, key.public_key, many, many, proof));
  const Scalar nonce = hash_to_scalar(Mode::voprf, as_bytes("nonce"));
  EXPECT_FALSE(prove(Mode::voprf, key, {}, {}, nonce).has_value());
  EXPECT_FALSE(prove(Mode::voprf, key, blinded, std::span(evaluated).first(4), nonce).has_value());
  EXPECT_FALSE(prove(Mode::voprf, key, many, many, nonce).has_value());
  EXPECT_FALSE(prove(Mode::voprf, key, blinded, evaluated, Scalar()).has_value());
}

}  // namespace
}  // namespace parley::psi::oprf
