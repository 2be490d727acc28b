// The Merkle tree of RFC 6962 section 2.1, built level by level: a last node without a sibling moves up unchanged,
// which gives the same tree as splitting at the largest power of two.
#include "log/merkle.h"

#include <algorithm>
#include <bit>
#include <cassert>

#include "crypto/hash.h"

namespace parley::log {
namespace {

constexpr ByteArray<1> kLeafPrefix{std::byte{0}};
constexpr ByteArray<1> kNodePrefix{std::byte{1}};

/// Leaves [begin, end) that RFC 6962 makes a subtree of.
struct Range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  std::uint64_t size() const { return end - begin; }
  /// Where the RFC splits it: at the largest power of two below its size. Precondition: size() > 1.
  std::uint64_t middle() const { return begin + std::bit_floor(size() - 1); }
};

/// The perfect subtrees of a range, from left to right.
std::vector<TreeNode> perfect_subtrees(Range range) {
  std::vector<TreeNode> nodes;
  while (range.size() > 0) {
    const auto level = static_cast<std::uint8_t>(std::bit_width(range.size()) - 1);
    nodes.push_back({level, range.begin >> level});
    range.begin += std::uint64_t{1} << level;
  }
  return nodes;
}

/// The root over each range, out of one reading.
Result<std::vector<Digest>> roots_of(HashReader& hashes, std::span<const Range> ranges) {
  std::vector<TreeNode> nodes;
  std::vector<std::size_t> counts;
  for (const Range& range : ranges) {
    const std::vector<TreeNode> subtrees = perfect_subtrees(range);
    nodes.insert(nodes.end(), subtrees.begin(), subtrees.end());
    counts.push_back(subtrees.size());
  }
  TRY(const std::vector<Digest> read, hashes.read(nodes));
  if (read.size() != nodes.size())
    return fail(Errc::internal, "A storage of hashes gave another number than asked for.");
  std::vector<Digest> roots;
  auto next = read.begin();
  for (const std::size_t count : counts) {
    const auto end = next + static_cast<std::ptrdiff_t>(count);
    Digest root = *(end - 1);
    for (auto left = end - 1; left != next;) root = node_hash(*--left, root);
    roots.push_back(root);
    next = end;
  }
  return roots;
}

/// SUBPROOF of RFC 6962 2.1.2; with the subtree it starts from left out where the RFC leaves it out, or never.
Result<std::vector<Digest>> subproof(HashReader& hashes, std::uint64_t old_size, std::uint64_t new_size,
                                     bool leave_out_whole_old_tree) {
  std::vector<Range> ranges;
  Range range{0, new_size};
  while (range.end != old_size) {
    const std::uint64_t middle = range.middle();
    if (old_size <= middle) {
      ranges.push_back({middle, range.end});
      range.end = middle;
    } else {
      ranges.push_back({range.begin, middle});
      range.begin = middle;
    }
  }
  if (range.begin != 0 || !leave_out_whole_old_tree) ranges.push_back(range);
  std::ranges::reverse(ranges);
  return roots_of(hashes, ranges);
}

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

Digest empty_root() {
  return crypto::Sha256().finish();
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
  root_ = levels_.back().empty() ? empty_root() : levels_.back()[0];
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

Result<std::vector<Digest>> MerkleTree::read(std::span<const TreeNode> nodes) {
  std::vector<Digest> hashes;
  hashes.reserve(nodes.size());
  for (const TreeNode& node : nodes) {
    // A node that reaches past the last leaf is not perfect: at its place stands what moved up.
    if (node.level >= levels_.size() || node.index >= size() >> node.level) {
      return fail(Errc::not_found, "The tree does not have this node.");
    }
    hashes.push_back(levels_[node.level][node.index]);
  }
  return hashes;
}

std::optional<Digest> root_of_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t size,
                                        std::span<const Digest> proof) {
  if (index >= size) return std::nullopt;
  std::uint64_t node = index;
  std::uint64_t last = size - 1;
  Digest hash = leaf;
  for (const Digest& sibling : proof) {
    if (last == 0) return std::nullopt;
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
  if (last != 0) return std::nullopt;
  return hash;
}

bool verify_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t size, std::span<const Digest> proof,
                      const Digest& root) {
  return root_of_inclusion(leaf, index, size, proof) == root;
}

bool verify_consistency(std::uint64_t old_size, const Digest& old_root, std::uint64_t new_size, const Digest& new_root,
                        std::span<const Digest> proof) {
  if (old_size > new_size) return false;
  if (old_size == new_size) return proof.empty() && old_root == new_root && (old_size > 0 || old_root == empty_root());
  if (old_size == 0) return proof.empty() && old_root == empty_root();
  std::vector<Digest> whole;
  if (std::has_single_bit(old_size)) {
    if (proof.size() > kMaxProofHashes) return false;
    whole.push_back(old_root);
    whole.insert(whole.end(), proof.begin(), proof.end());
    proof = whole;
  }
  const auto shown = verify_prefix(old_size, new_size, new_root, proof);
  return shown && *shown == old_root;
}

Result<Digest> verify_prefix(std::uint64_t old_size, std::uint64_t new_size, const Digest& new_root,
                             std::span<const Digest> proof) {
  const auto refuse = [] { return fail(Errc::format, "A proof of consistency does not lead to the root."); };
  if (old_size == 0 || old_size >= new_size || proof.empty()) return refuse();
  std::uint64_t old_node = old_size - 1;
  std::uint64_t new_node = new_size - 1;
  const int whole_levels = std::countr_one(old_node);
  old_node >>= whole_levels;
  new_node >>= whole_levels;
  Digest old_hash = proof[0];
  Digest new_hash = proof[0];
  for (const Digest& sibling : proof.subspan(1)) {
    if (new_node == 0) return refuse();
    if ((old_node & 1) == 1 || old_node == new_node) {
      old_hash = node_hash(sibling, old_hash);
      new_hash = node_hash(sibling, new_hash);
      while ((old_node & 1) == 0 && old_node != 0) {
        old_node >>= 1;
        new_node >>= 1;
      }
    } else {
      new_hash = node_hash(new_hash, sibling);
    }
    old_node >>= 1;
    new_node >>= 1;
  }
  if (new_node != 0 || new_hash != new_root) return refuse();
  return old_hash;
}

std::vector<TreeNode> subtrees_of(std::uint64_t size) {
  return perfect_subtrees({0, size});
}

Result<Digest> tree_root(HashReader& hashes, std::uint64_t size) {
  if (size == 0) return empty_root();
  const Range whole{0, size};
  TRY(const std::vector<Digest> roots, roots_of(hashes, std::span(&whole, 1)));
  return roots[0];
}

Result<std::vector<Digest>> inclusion_proof(HashReader& hashes, std::uint64_t index, std::uint64_t size) {
  assert(index < size && size <= kMaxTreeSize);
  std::vector<Range> siblings;
  Range range{0, size};
  while (range.size() > 1) {
    const std::uint64_t middle = range.middle();
    if (index < middle) {
      siblings.push_back({middle, range.end});
      range.end = middle;
    } else {
      siblings.push_back({range.begin, middle});
      range.begin = middle;
    }
  }
  std::ranges::reverse(siblings);
  return roots_of(hashes, siblings);
}

Result<std::vector<Digest>> consistency_proof(HashReader& hashes, std::uint64_t old_size, std::uint64_t new_size) {
  assert(old_size <= new_size && new_size <= kMaxTreeSize);
  if (old_size == 0 || old_size == new_size) return std::vector<Digest>();
  return subproof(hashes, old_size, new_size, true);
}

Result<std::vector<Digest>> prefix_proof(HashReader& hashes, std::uint64_t old_size, std::uint64_t new_size) {
  assert(old_size > 0 && old_size < new_size && new_size <= kMaxTreeSize);
  return subproof(hashes, old_size, new_size, false);
}

}  // namespace parley::log
