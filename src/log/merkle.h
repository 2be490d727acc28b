// The Merkle tree of RFC 6962 section 2.1: leaf SHA-256(0x00||data), node SHA-256(0x01||left||right), empty root
// SHA-256(""). A tree kept whole, a tree of which only the edge is kept, and proofs out of any storage of hashes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace parley::log {

/// The largest tree: its size and the indices into it are integers of PJ1.
inline constexpr std::uint64_t kMaxTreeSize = (std::uint64_t{1} << 53) - 1;

/// No proof of RFC 6962 is longer: one hash for each level of a tree of 2^64 leaves.
inline constexpr std::size_t kMaxProofHashes = 64;

Digest leaf_hash(ByteView data);
Digest node_hash(const Digest& left, const Digest& right);
/// The root of the tree without leaves.
Digest empty_root();

/// A perfect subtree: the one over the leaves [index << level, (index + 1) << level). Level 0 are the leaf hashes.
struct TreeNode {
  std::uint8_t level = 0;
  std::uint64_t index = 0;
  auto operator<=>(const TreeNode&) const = default;
};

/// Where the hashes of perfect subtrees are kept: in memory, in tiles (tile.h), in a database.
class HashReader {
 public:
  virtual ~HashReader() = default;
  /// The hashes of `nodes`, in their order. They are taken as they come: whoever proves something out of a storage that
  /// may be damaged verifies the proof before it leaves. @error Errc::not_found, Errc::io, or the storage's own
  virtual Result<std::vector<Digest>> read(std::span<const TreeNode> nodes) = 0;
};

/// A tree over fixed leaves, kept whole: root and inclusion proofs in O(log n), 64 bytes a leaf.
class MerkleTree : public HashReader {
 public:
  explicit MerkleTree(std::vector<Digest> leaf_hashes);

  std::uint64_t size() const;
  const Digest& root() const;
  /// Precondition: size() > 0.
  const std::vector<Digest>& leaves() const { return levels_.front(); }
  /// RFC 6962 2.1.1, leaf upwards. Precondition: index < size().
  std::vector<Digest> inclusion_proof(std::uint64_t index) const;
  /// @error Errc::not_found for a node that reaches past the last leaf
  Result<std::vector<Digest>> read(std::span<const TreeNode> nodes) override;

 private:
  std::vector<std::vector<Digest>> levels_;  // from the leaves upwards
  Digest root_;
};

/// Whether `proof` shows that `leaf` stands at `index` of the tree of `size` leaves with `root` (RFC 9162 2.1.3.2).
bool verify_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t size, std::span<const Digest> proof,
                      const Digest& root);

/// The root that a proof of inclusion leads to; nothing if it has not the length that the place asks for.
std::optional<Digest> root_of_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t size,
                                        std::span<const Digest> proof);

/// Whether `proof` shows that the tree of `old_size` leaves with `old_root` is the beginning of the tree of `new_size`
/// with `new_root` (RFC 9162 2.1.4.2). Beyond the RFC: of equal sizes the proof is empty and the roots are equal; the
/// empty tree begins every tree, by an empty proof.
bool verify_consistency(std::uint64_t old_size, const Digest& old_root, std::uint64_t new_size, const Digest& new_root,
                        std::span<const Digest> proof);

/// The perfect subtrees that make up a tree of `size` leaves, from left to right.
std::vector<TreeNode> subtrees_of(std::uint64_t size);

/// The root of the first `size` leaves. @error what `hashes` says
Result<Digest> tree_root(HashReader& hashes, std::uint64_t size);

/// RFC 6962 2.1.1, leaf upwards. Precondition: index < size <= kMaxTreeSize. @error what `hashes` says
Result<std::vector<Digest>> inclusion_proof(HashReader& hashes, std::uint64_t index, std::uint64_t size);

/// RFC 6962 2.1.2; empty if old_size is 0 or new_size. Precondition: old_size <= new_size <= kMaxTreeSize.
/// @error what `hashes` says
Result<std::vector<Digest>> consistency_proof(HashReader& hashes, std::uint64_t old_size, std::uint64_t new_size);

/// A consistency proof that always begins with the subtree it starts from, even where RFC 6962 leaves that out because
/// it is the whole old tree (SUBPROOF with b = false): it tells what the first `old_size` leaves of the new tree hash
/// to, without being told. Precondition: 0 < old_size < new_size <= kMaxTreeSize.
Result<std::vector<Digest>> prefix_proof(HashReader& hashes, std::uint64_t old_size, std::uint64_t new_size);

/// The root of the first `old_size` leaves of the tree of `new_size` leaves with `new_root`, as `proof` (made by
/// prefix_proof) shows it. With collisions of SHA-256 out of reach there is one such root.
/// @error Errc::format if the proof does not lead to `new_root`
Result<Digest> verify_prefix(std::uint64_t old_size, std::uint64_t new_size, const Digest& new_root,
                             std::span<const Digest> proof);

}  // namespace parley::log
