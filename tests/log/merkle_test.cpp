#include "log/merkle.h"

#include <gtest/gtest.h>

#include "log/commitment.h"
#include "vectors.h"

namespace parley::log {
namespace {

std::vector<Digest> leaves(std::size_t count) {
  std::vector<Digest> hashes;
  for (std::size_t i = 0; i < count; ++i) hashes.push_back(leaf_hash(as_bytes("{\"n\":" + std::to_string(i) + "}")));
  return hashes;
}

/// RFC 6962 section 2.1 word for word.
Digest slow_root(std::span<const Digest> hashes) {
  if (hashes.size() == 1) return hashes[0];
  std::size_t split = 1;
  while (split * 2 < hashes.size()) split *= 2;
  return node_hash(slow_root(hashes.first(split)), slow_root(hashes.subspan(split)));
}

/// RFC 6962 section 2.1.1 word for word.
std::vector<Digest> slow_path(std::size_t index, std::span<const Digest> hashes) {
  if (hashes.size() == 1) return {};
  std::size_t split = 1;
  while (split * 2 < hashes.size()) split *= 2;
  auto path = index < split ? slow_path(index, hashes.first(split)) : slow_path(index - split, hashes.subspan(split));
  path.push_back(slow_root(index < split ? hashes.subspan(split) : hashes.first(split)));
  return path;
}

TEST(MerkleTree, HasTheLeavesAndRootsOfTheVectors) {
  const auto& vectors = log_vectors();
  for (std::size_t size = 0; size <= 5; ++size) {
    const MerkleTree tree(leaves(size));
    EXPECT_EQ(to_hex(tree.root()), vectors["roots_hex"][std::to_string(size)].get<std::string>()) << size;
    EXPECT_EQ(tree.size(), size);
    if (size == 0) continue;
    EXPECT_EQ(to_hex(leaves(size).back()), vectors["leaf_hashes_hex"][size - 1].get<std::string>());
  }
}

TEST(MerkleTree, ProvesTheInclusionOfTheVectors) {
  const MerkleTree tree(leaves(5));
  std::vector<std::string> path;
  for (const Digest& node : tree.inclusion_proof(2)) path.push_back(to_hex(node));
  EXPECT_EQ(path, log_vectors()["inclusion_2_of_5_hex"].get<std::vector<std::string>>());
}

TEST(MerkleTree, HashesTheEntryOfTheVectors) {
  EXPECT_EQ(to_hex(leaf_hash(as_bytes(log_vectors()["entry_note"].get<std::string>()))),
            log_vectors()["entry_leaf_hash_hex"].get<std::string>());
}

TEST(MerkleTree, IsTheTreeOfTheRfcForEverySizeAndPlace) {
  for (std::size_t size = 1; size <= 70; ++size) {
    const std::vector<Digest> hashes = leaves(size);
    const MerkleTree tree(hashes);
    ASSERT_EQ(tree.root(), slow_root(hashes)) << size;
    for (std::size_t index = 0; index < size; ++index) {
      const auto proof = tree.inclusion_proof(index);
      ASSERT_EQ(proof, slow_path(index, hashes)) << index << " of " << size;
      ASSERT_TRUE(verify_inclusion(hashes[index], index, size, proof, tree.root())) << index << " of " << size;
    }
  }
}

TEST(InclusionProof, HoldsForNoOtherPlaceSizeLeafOrRoot) {
  for (const std::size_t size : {1u, 2u, 3u, 7u, 8u, 13u}) {
    const std::vector<Digest> hashes = leaves(size);
    const MerkleTree tree(hashes);
    for (std::size_t index = 0; index < size; ++index) {
      const auto proof = tree.inclusion_proof(index);
      for (std::size_t other = 0; other < 2 * size; ++other) {
        if (other == index) continue;
        EXPECT_FALSE(verify_inclusion(hashes[index], other, size, proof, tree.root()))
            << index << " as " << other << " of " << size;
      }
      EXPECT_FALSE(verify_inclusion(node_hash(hashes[index], hashes[index]), index, size, proof, tree.root()));
      EXPECT_FALSE(verify_inclusion(hashes[index], index, size, proof, hashes[index == 0 ? size - 1 : 0]) && size > 1);
      EXPECT_FALSE(verify_inclusion(hashes[index], index, 0, proof, tree.root()));
    }
  }
}

TEST(InclusionProof, IsRefusedWhenShortenedLengthenedOrReordered) {
  const std::vector<Digest> hashes = leaves(13);
  const MerkleTree tree(hashes);
  for (std::size_t index = 0; index < hashes.size(); ++index) {
    const auto proof = tree.inclusion_proof(index);
    auto shorter = proof;
    shorter.pop_back();
    EXPECT_FALSE(verify_inclusion(hashes[index], index, 13, shorter, tree.root()));
    auto longer = proof;
    longer.push_back(proof[0]);
    EXPECT_FALSE(verify_inclusion(hashes[index], index, 13, longer, tree.root()));
    auto reordered = proof;
    std::swap(reordered.front(), reordered.back());
    EXPECT_EQ(verify_inclusion(hashes[index], index, 13, reordered, tree.root()), proof.size() == 1);
    for (std::size_t node = 0; node < proof.size(); ++node) {
      auto altered = proof;
      altered[node][31] ^= std::byte{1};
      EXPECT_FALSE(verify_inclusion(hashes[index], index, 13, altered, tree.root()));
    }
  }
}

TEST(InclusionProof, OfAnEndlessKindEndsAtOnce) {
  const std::vector<Digest> endless(100'000);
  EXPECT_FALSE(verify_inclusion(Digest{}, 0, ~std::uint64_t{0}, endless, Digest{}));
}

// --- commitments -------------------------------------------------------------------------------------------------

TEST(Commitment, IsThatOfTheVectors) {
  const auto& vectors = log_vectors();
  const auto& item = vectors["item_commit"];
  EXPECT_EQ(to_hex(item_commitment(array_of<32>(item["salt_hex"]), item["type"].get<std::string>(),
                                   as_bytes(item["value"].get<std::string>()))),
            item["commit_hex"].get<std::string>());
  const auto& field = vectors["field_commit"];
  EXPECT_EQ(to_hex(field_commitment(array_of<32>(field["salt_hex"]), field["path"].get<std::string>(),
                                    field["value_json"].get<std::string>())),
            field["commit_hex"].get<std::string>());
  const auto& body = vectors["body_commit"];
  EXPECT_EQ(to_hex(body_commitment(array_of<32>(body["salt_hex"]), as_bytes(body["body"].get<std::string>()))),
            body["commit_hex"].get<std::string>());
}

TEST(Commitment, BeginsWithTheLabelOfItsSessionAndSide) {
  // By Python's hashlib from the formula of docs/wire-format.md.
  EXPECT_EQ(to_hex(input_label("0123456789abcdef0123456789abcdef", 0)),
            "3fd7f314f1a9c8645732c646ef8c4b8a20393fe4031de92867b027c5f2ce7ef7");
  EXPECT_EQ(to_hex(input_label("0123456789abcdef0123456789abcdef", 1)),
            "538135088c94b7caf5b22776382fd8071d40e674c460332b3678afae5345dc34");
}

TEST(Commitment, ChangesWithEachOfItsParts) {
  const Salt salt{};
  Salt other_salt{};
  other_salt[31] = std::byte{1};
  const Digest commitment = item_commitment(salt, "ipv4", as_bytes("192.0.2.1"));
  EXPECT_NE(commitment, item_commitment(other_salt, "ipv4", as_bytes("192.0.2.1")));
  EXPECT_NE(commitment, item_commitment(salt, "ipv6", as_bytes("192.0.2.1")));
  EXPECT_NE(commitment, item_commitment(salt, "ipv4", as_bytes("192.0.2.2")));
  EXPECT_NE(commitment, item_commitment(salt, "ipv41", as_bytes("92.0.2.1"))) << "the border between the parts counts";
  EXPECT_NE(commitment, field_commitment(salt, "ipv4", "192.0.2.1")) << "an item is no field";
  EXPECT_NE(field_commitment(salt, "", "x"), body_commitment(salt, as_bytes("x")));
}

}  // namespace
}  // namespace parley::log
