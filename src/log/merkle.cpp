// The Merkle tree of RFC 6962 section 2.1, built level by level: a last node without a sibling moves up unchanged,
// which gives the same tree as splitting at the largest power of two.
#include "log/merkle.h"

#include "crypto/hash.h"

namespace parley::log {
namespace {

constexpr ByteArray<1> kLeafPrefix{std::byte{0}};
constexpr ByteArray<1> kNodePrefix{std::byte{1}};

}  // namespace

Digest leaf_hash(ByteView data) {
  crypto::Sha256 hash;
  hash.update(kLeafPrefix);
  hash.update(data);
  return hash.finish();
}

Digest node_hash(const Digest& left, const Digest& right) {
  crypto::Sha256 hash;
  hash.update(kNodePrefix);
  hash.update(left);
  hash.update(right);
  return hash.finish();
}

MerkleTree::MerkleTree(std::vector<Digest> leaf_hashes) {
  levels_.push_back(std::move(leaf_hashes));
  while (levels_.back().size() > 1) {
    const std::vector<Digest>& below = levels_.back();
    std::vector<Digest> level((below.size() + 1) / 2);
    for (std::size_t i = 0; i < level.size(); ++i) {
      level[i] = 2 * i + 1 < below.size() ? node_hash(below[2 * i], below[2 * i + 1]) : below[2 * i];
    }
    levels_.push_back(std::move(level));
  }
  root_ = levels_.back().empty() ? crypto::Sha256().finish() : levels_.back()[0];
}

std::uint64_t MerkleTree::size() const {
  return levels_[0].size();
}

const Digest& MerkleTree::root() const {
  return root_;
}

std::vector<Digest> MerkleTree::inclusion_proof(std::uint64_t index) const {
  std::vector<Digest> proof;
  for (const std::vector<Digest>& level : levels_) {
    const std::uint64_t sibling = index ^ 1;
    if (sibling < level.size()) proof.push_back(level[sibling]);
    index /= 2;
  }
  return proof;
}

bool verify_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t size, std::span<const Digest> proof,
                      const Digest& root) {
  if (index >= size) return false;
  std::uint64_t node = index;
  std::uint64_t last = size - 1;
  Digest hash = leaf;
  for (const Digest& sibling : proof) {
    if (last == 0) return false;
    if ((node & 1) == 1 || node == last) {
      hash = node_hash(sibling, hash);
      // A last node without a sibling moved up to here.
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      hash = node_hash(hash, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && hash == root;
}

}  // namespace parley::log
