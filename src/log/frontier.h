// The right edge of a growing tree ("compact range"): enough to append leaves and to know the root, in 32 bytes for
// each bit of its size.
#pragma once

#include "log/merkle.h"

namespace parley::log {

class Frontier {
 public:
  /// Of the empty tree.
  Frontier() = default;

  std::uint64_t size() const { return size_; }
  Digest root() const;
  /// The perfect subtrees that make up the tree, from left to right, one for each bit of size() that is set.
  const std::vector<Digest>& subtrees() const { return subtrees_; }

  /// Precondition: size() < kMaxTreeSize.
  void append(const Digest& leaf_hash) {
    append(leaf_hash, [](const TreeNode&, const Digest&) {});
  }

  /// Tells `completed(node, hash)` of each perfect subtree that the leaf completes, the leaf itself first. These are
  /// what a storage of hashes keeps; those of levels that divide by 8 are what tiles hold (tile.h).
  template <typename Completed>
  void append(const Digest& leaf_hash, Completed&& completed) {
    Digest hash = leaf_hash;
    TreeNode node{0, size_};
    completed(node, hash);
    while ((node.index & 1) == 1) {
      hash = node_hash(subtrees_.back(), hash);
      subtrees_.pop_back();
      node = {static_cast<std::uint8_t>(node.level + 1), node.index >> 1};
      completed(node, hash);
    }
    subtrees_.push_back(hash);
    ++size_;
  }

  /// u64be size, then subtrees().
  Bytes serialise() const;
  /// Takes what serialise() gives and nothing else. The hashes are the caller's to trust: compare root() with a
  /// checkpoint. @error Errc::format
  static Result<Frontier> parse(ByteView bytes);
  /// That of the first `size` leaves of a stored tree. @error what `hashes` says
  static Result<Frontier> read(HashReader& hashes, std::uint64_t size);

  bool operator==(const Frontier&) const = default;

 private:
  std::uint64_t size_ = 0;
  std::vector<Digest> subtrees_;
};

}  // namespace parley::log
