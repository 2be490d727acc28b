// The Merkle tree of RFC 6962 section 2.1: leaf SHA-256(0x00||data), node SHA-256(0x01||left||right), empty root
// SHA-256("").
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"

namespace parley::log {

Digest leaf_hash(ByteView data);
Digest node_hash(const Digest& left, const Digest& right);

/// A tree over fixed leaves, kept whole: root and inclusion proofs in O(log n), 64 bytes a leaf.
class MerkleTree {
 public:
  explicit MerkleTree(std::vector<Digest> leaf_hashes);

  std::uint64_t size() const;
  const Digest& root() const;
  /// Precondition: size() > 0.
  const std::vector<Digest>& leaves() const { return levels_.front(); }
  /// RFC 6962 2.1.1, leaf upwards. Precondition: index < size().
  std::vector<Digest> inclusion_proof(std::uint64_t index) const;

 private:
  std::vector<std::vector<Digest>> levels_;  // from the leaves upwards
  Digest root_;
};

/// Whether `proof` shows that `leaf` stands at `index` of the tree of `size` leaves with `root` (RFC 9162 2.1.3.2).
bool verify_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t size, std::span<const Digest> proof,
                      const Digest& root);

}  // namespace parley::log
