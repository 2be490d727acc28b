// Consistency, the edge of a tree, and proofs out of storages of hashes, against RFC 6962 word for word.
#include <gtest/gtest.h>

#include <bit>
#include <map>

#include "log/frontier.h"
#include "log/tile.h"
#include "vectors.h"

namespace parley::log {
namespace {

constexpr std::size_t kLargest = 70;

Digest nth_leaf(std::uint64_t n) {
  return leaf_hash(as_bytes("{\"n\":" + std::to_string(n) + "}"));
}

std::vector<Digest> leaves(std::size_t count) {
  std::vector<Digest> hashes;
  for (std::size_t i = 0; i < count; ++i) hashes.push_back(nth_leaf(i));
  return hashes;
}

std::size_t split_of(std::size_t size) {
  std::size_t split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

/// RFC 6962 2.1.
Digest slow_root(std::span<const Digest> hashes) {
  if (hashes.empty()) return empty_root();
  if (hashes.size() == 1) return hashes[0];
  const std::size_t split = split_of(hashes.size());
  return node_hash(slow_root(hashes.first(split)), slow_root(hashes.subspan(split)));
}

/// RFC 6962 2.1.2: SUBPROOF(m, D[n], b).
std::vector<Digest> slow_subproof(std::size_t m, std::span<const Digest> hashes, bool b) {
  if (m == hashes.size()) return b ? std::vector<Digest>() : std::vector<Digest>{slow_root(hashes)};
  const std::size_t split = split_of(hashes.size());
  auto proof =
      m <= split ? slow_subproof(m, hashes.first(split), b) : slow_subproof(m - split, hashes.subspan(split), false);
  proof.push_back(slow_root(m <= split ? hashes.subspan(split) : hashes.first(split)));
  return proof;
}

TEST(ConsistencyProof, IsThatOfTheVectors) {
  MerkleTree tree(leaves(5));
  std::vector<std::string> proof;
  const auto hashes = consistency_proof(tree, 3, 5);
  for (const Digest& hash : *hashes) proof.push_back(to_hex(hash));
  EXPECT_EQ(proof, log_vectors()["consistency_3_to_5_hex"].get<std::vector<std::string>>());
}

TEST(ConsistencyProof, IsThatOfTheRfcForEveryPairOfSizes) {
  const std::vector<Digest> all = leaves(kLargest);
  MerkleTree tree(all);
  for (std::size_t n = 1; n <= kLargest; ++n) {
    const std::span<const Digest> now = std::span(all).first(n);
    const Digest root = slow_root(now);
    ASSERT_EQ(*tree_root(tree, n), root) << n;
    for (std::size_t m = 1; m <= n; ++m) {
      const auto proof = consistency_proof(tree, m, n);
      ASSERT_TRUE(proof.has_value());
      const Digest old_root = slow_root(now.first(m));
      ASSERT_EQ(*proof, slow_subproof(m, now, true)) << m << " of " << n;
      ASSERT_TRUE(verify_consistency(m, old_root, n, root, *proof)) << m << " of " << n;
      if (m == n) continue;
      const auto prefix = prefix_proof(tree, m, n);
      ASSERT_EQ(*prefix, slow_subproof(m, now, false)) << m << " of " << n;
      ASSERT_EQ(*verify_prefix(m, n, root, *prefix), old_root) << m << " of " << n;
    }
  }
}

TEST(ConsistencyProof, OfTheEmptyTreeAndOfEqualTreesIsEmpty) {
  MerkleTree tree(leaves(5));
  EXPECT_TRUE(consistency_proof(tree, 0, 5)->empty());
  EXPECT_TRUE(verify_consistency(0, empty_root(), 5, tree.root(), {}));
  EXPECT_TRUE(verify_consistency(0, empty_root(), 0, empty_root(), {}));
  EXPECT_FALSE(verify_consistency(0, tree.root(), 5, tree.root(), {}));
  EXPECT_FALSE(verify_consistency(0, tree.root(), 0, tree.root(), {})) << "the empty tree has one root";
  EXPECT_FALSE(verify_consistency(0, empty_root(), 5, tree.root(), leaves(1)));
  EXPECT_FALSE(verify_consistency(5, tree.root(), 5, tree.root(), leaves(1)));
  EXPECT_FALSE(verify_consistency(5, tree.root(), 5, nth_leaf(0), {}));
  EXPECT_FALSE(verify_consistency(5, tree.root(), 4, tree.root(), {})) << "a log does not shrink";
  EXPECT_FALSE(verify_consistency(4, tree.root(), 5, tree.root(), {}));
}

TEST(ConsistencyProof, IsRefusedHoweverItIsAltered) {
  const std::vector<Digest> all = leaves(kLargest);
  MerkleTree tree(all);
  std::vector<Digest> roots;
  for (std::size_t n = 0; n <= kLargest; ++n) roots.push_back(slow_root(std::span(all).first(n)));
  for (std::size_t n = 2; n <= kLargest; ++n) {
    for (std::size_t m = 1; m < n; ++m) {
      const std::vector<Digest> good = *consistency_proof(tree, m, n);
      const auto holds = [&](std::span<const Digest> proof) {
        return verify_consistency(m, roots[m], n, roots[n], proof);
      };
      for (std::size_t at = 0; at < good.size(); ++at) {
        std::vector<Digest> altered = good;
        altered[at][at % 32] ^= std::byte{0x10};
        ASSERT_FALSE(holds(altered)) << m << " of " << n << ", hash " << at;
        altered = good;
        altered.erase(altered.begin() + static_cast<long>(at));
        ASSERT_FALSE(holds(altered)) << m << " of " << n << " without hash " << at;
        altered = good;
        altered.insert(altered.begin() + static_cast<long>(at), good[at]);
        ASSERT_FALSE(holds(altered)) << m << " of " << n << " with hash " << at << " twice";
        if (at > 0) {
          altered = good;
          std::swap(altered[at], altered[at - 1]);
          ASSERT_FALSE(holds(altered)) << m << " of " << n << ", hashes in another order";
        }
      }
      ASSERT_FALSE(holds({}));
      ASSERT_FALSE(verify_consistency(m, roots[m - 1], n, roots[n], good));
      ASSERT_FALSE(verify_consistency(m, roots[m], n, roots[n - 1], good) && m != n - 1);
      ASSERT_FALSE(verify_consistency(m + 1, roots[m], n, roots[n], good)) << m << " of " << n;
      ASSERT_FALSE(verify_consistency(m - 1, roots[m], n, roots[n], good)) << m << " of " << n;
    }
  }
}

TEST(ConsistencyProof, OfAnEndlessKindEndsAtOnce) {
  const std::vector<Digest> endless(100'000);
  EXPECT_FALSE(verify_consistency(1, Digest{}, ~std::uint64_t{0}, Digest{}, endless));
  EXPECT_FALSE(verify_consistency(3, Digest{}, ~std::uint64_t{0}, Digest{}, endless));
}

TEST(PrefixProof, OfAnotherHistoryTellsItsRoot) {
  std::vector<Digest> other = leaves(kLargest);
  other[2] = nth_leaf(1000);
  MerkleTree tree(other);
  for (std::size_t m = 1; m < kLargest; ++m) {
    const auto shown = verify_prefix(m, kLargest, tree.root(), *prefix_proof(tree, m, kLargest));
    ASSERT_TRUE(shown.has_value());
    EXPECT_EQ(*shown, slow_root(std::span(other).first(m))) << m;
  }
  EXPECT_FALSE(verify_prefix(0, 5, tree.root(), {}).has_value());
  EXPECT_FALSE(verify_prefix(5, 5, tree.root(), std::span(&tree.root(), 1)).has_value());
}

TEST(MerkleTree, HasNoNodeThatReachesPastItsLastLeaf) {
  MerkleTree tree(leaves(5));
  for (const TreeNode node : {TreeNode{0, 5}, {1, 2}, {2, 1}, {3, 0}, {4, 0}, {63, 0}, {200, 0}, {0, ~0ull}}) {
    const auto read = tree.read(std::span(&node, 1));
    ASSERT_FALSE(read.has_value()) << int{node.level} << ", " << node.index;
    EXPECT_EQ(read.error().code, Errc::not_found);
  }
}

// --- the edge ----------------------------------------------------------------------------------------------------

TEST(Frontier, HasTheRootOfEveryTreeItGrowsThrough) {
  const std::vector<Digest> all = leaves(300);
  Frontier frontier;
  EXPECT_EQ(frontier.root(), empty_root());
  for (std::size_t n = 1; n <= all.size(); ++n) {
    frontier.append(all[n - 1]);
    ASSERT_EQ(frontier.size(), n);
    ASSERT_EQ(frontier.root(), slow_root(std::span(all).first(n))) << n;
    ASSERT_EQ(*Frontier::parse(frontier.serialise()), frontier) << n;
    ASSERT_EQ(frontier.serialise().size(), 8u + 32u * static_cast<std::size_t>(std::popcount(n)));
  }
  MerkleTree tree(all);
  for (std::size_t n = 0; n <= all.size(); ++n) {
    const auto read = Frontier::read(tree, n);
    ASSERT_TRUE(read.has_value());
    ASSERT_EQ(read->root(), slow_root(std::span(all).first(n))) << n;
  }
}

TEST(Frontier, TellsEachPerfectSubtreeOnce) {
  const std::vector<Digest> all = leaves(100);
  MerkleTree tree(all);
  std::map<TreeNode, Digest> told;
  Frontier frontier;
  for (const Digest& leaf : all)
    frontier.append(leaf,
                    [&](const TreeNode& node, const Digest& hash) { EXPECT_TRUE(told.emplace(node, hash).second); });
  std::size_t expected = 0;
  for (std::uint8_t level = 0; level < 7; ++level) expected += all.size() >> level;
  EXPECT_EQ(told.size(), expected);
  for (const auto& [node, hash] : told) EXPECT_EQ(tree.read(std::span(&node, 1))->front(), hash);
}

TEST(Frontier, IsReadInItsOneFormOnly) {
  Frontier frontier;
  for (const Digest& leaf : leaves(5)) frontier.append(leaf);
  const Bytes good = frontier.serialise();
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(Frontier::parse(ByteView(good).first(size)).has_value()) << size;
  Bytes longer = good;
  longer.push_back(std::byte{0});
  EXPECT_EQ(Frontier::parse(longer).error().code, Errc::format);
  Bytes huge(8 + 64 * 32, std::byte{0xff});
  EXPECT_FALSE(Frontier::parse(huge).has_value()) << "a size above the largest tree's";
  Bytes grown = good;
  grown[7] = std::byte{7};  // three subtrees, and bytes for two
  EXPECT_FALSE(Frontier::parse(grown).has_value());
}

// --- tiles -------------------------------------------------------------------------------------------------------

TEST(TilePath, IsThatOfTheSpecification) {
  struct Case {
    Tile tile;
    const char* path;
  };
  for (const Case& one :
       {Case{{0, 0, 256}, "tile/0/000"}, Case{{0, 67, 256}, "tile/0/067"}, Case{{0, 999, 256}, "tile/0/999"},
        Case{{0, 1000, 256}, "tile/0/x001/000"}, Case{{0, 1'234'067, 256}, "tile/0/x001/x234/067"},
        Case{{0, 1'000'000, 256}, "tile/0/x001/x000/000"}, Case{{1, 0, 1}, "tile/1/000.p/1"},
        Case{{0, 273, 112}, "tile/0/273.p/112"}, Case{{0, 1'234'067, 8}, "tile/0/x001/x234/067.p/8"},
        Case{{0, (1ull << 45) - 1, 255}, "tile/0/x035/x184/x372/x088/831.p/255"}}) {
    EXPECT_EQ(tile_path(one.tile), one.path);
    const auto read = parse_log_path(one.path);
    ASSERT_TRUE(read.has_value()) << one.path;
    EXPECT_EQ(*read, (LogFile{LogFile::Kind::tile, one.tile}));
  }
  EXPECT_EQ(entries_path({0, 1234, 7}), "tile/entries/x001/234.p/7");
  EXPECT_EQ(*parse_log_path("tile/entries/x001/234.p/7"), (LogFile{LogFile::Kind::entries, {0, 1234, 7}}));
  EXPECT_EQ(parse_log_path("checkpoint")->kind, LogFile::Kind::checkpoint);
}

TEST(TilePath, OfAnyOtherFormNamesNothing) {
  for (const char* path :
       {"", "/checkpoint", "checkpoint/", "Checkpoint", "tile", "tile/", "tile/0", "tile/0/", "tile/0/0", "tile/0/00",
        "tile/0/0000", "tile/0/x000/000", "tile/0/x1/000", "tile/0/1000", "tile/0/x001", "tile/0/x001/",
        "tile/0/x001/x234", "tile/0/001/234", "tile/0/000.p", "tile/0/000.p/", "tile/0/000.p/0", "tile/0/000.p/01",
        "tile/0/000.p/256", "tile/0/000.p/999", "tile/0/000.p/1/", "tile/0/000.q/1", "tile/00/000", "tile/7/000",
        "tile/-1/000", "tile/6/000", "tile/6/000.p/33", "tile/entry/000", "tile/entries/0", "tile/0/000/", "tile//000",
        "tile/0/../../etc/passwd", "tile/0/000%2e", "tile/0/ 00", "tile/0/x999/x999/x999/x999/x999/x999/999",
        // 2^56 and about: times 256 they begin from 0 again
        "tile/0/x072/x057/x594/x037/x927/935", "tile/0/x072/x057/x594/x037/x927/936",
        "tile/entries/x072/x057/x594/x037/x927/937.p/7",
        // the first tile that no tree has
        "tile/0/x035/x184/x372/x088/832"})
    EXPECT_FALSE(parse_log_path(path).has_value()) << path;
  EXPECT_TRUE(parse_log_path("tile/0/x035/x184/x372/x088/831.p/255").has_value()) << "the last one";
  EXPECT_TRUE(parse_log_path("tile/6/000.p/31").has_value());
  EXPECT_FALSE(parse_log_path(std::string(1000, 'x')).has_value());
}

TEST(Tiles, OfATreeAreThoseItHas) {
  for (const std::uint64_t size :
       {0ull, 1ull, 255ull, 256ull, 257ull, 511ull, 65'535ull, 65'536ull, 65'537ull, 70'000ull}) {
    const std::vector<Tile> tiles = tiles_between(0, size);
    std::uint64_t expected = 0;
    for (std::uint64_t count = size; count > 0; count >>= 8) expected += (count + 255) / 256;
    EXPECT_EQ(tiles.size(), expected) << size;
    for (const Tile& tile : tiles) {
      EXPECT_TRUE(has_tile(size, tile));
      EXPECT_EQ(has_tile(size + 1, tile),
                tile.width == 256 || (size + 1) >> (8 * tile.level) == size >> (8 * tile.level));
    }
  }
}

TEST(Tiles, ThatChangeAreThoseThatAreNewOrWider) {
  for (std::uint64_t old_size = 0; old_size <= 1100; old_size += 37) {
    for (std::uint64_t new_size = old_size; new_size <= 1100; new_size += 41) {
      std::vector<Tile> expected;
      const std::vector<Tile> before = tiles_between(0, old_size);
      for (const Tile& tile : tiles_between(0, new_size))
        if (std::ranges::find(before, tile) == before.end()) expected.push_back(tile);
      ASSERT_EQ(tiles_between(old_size, new_size), expected) << old_size << " to " << new_size;
    }
  }
}

/// Tiles of one tree, which counts how they are read.
class TilesInMemory : public TileReader {
 public:
  TilesInMemory(MerkleTree& tree, std::uint64_t size) {
    for (const Tile& tile : tiles_between(0, size)) files_[tile_path(tile)] = *tile_content(tile, tree);
  }
  Result<Bytes> read_tile(const Tile& tile) override {
    ++reads;
    const auto found = files_.find(tile_path(tile));
    if (found == files_.end()) return fail(Errc::not_found, "There is no such tile.");
    return found->second;
  }
  void damage(const std::string& path) { files_.at(path)[5] ^= std::byte{1}; }
  void shorten(const std::string& path) { files_.at(path).pop_back(); }

  std::size_t reads = 0;

 private:
  std::map<std::string, Bytes> files_;
};

TEST(Tiles, ProveWhatTheWholeTreeProves) {
  for (const std::size_t size : {1u, 7u, 255u, 256u, 257u, 1000u, 66'000u}) {
    MerkleTree tree(leaves(size));
    TilesInMemory tiles(tree, size);
    TileHashReader hashes(tiles, size);
    EXPECT_EQ(*tree_root(hashes, size), tree.root()) << size;
    for (std::size_t index = 0; index < size; index += 1 + size / 23) {
      const auto proof = inclusion_proof(hashes, index, size);
      ASSERT_TRUE(proof.has_value()) << proof.error().text();
      EXPECT_EQ(*proof, tree.inclusion_proof(index)) << index << " of " << size;
      if (index > 0) {
        EXPECT_EQ(*consistency_proof(hashes, index, size), *consistency_proof(tree, index, size));
      }
    }
  }
}

TEST(Tiles, AreReadOnceForOneProof) {
  MerkleTree tree(leaves(66'000));
  TilesInMemory tiles(tree, 66'000);
  TileHashReader hashes(tiles, 66'000);
  ASSERT_TRUE(inclusion_proof(hashes, 12'345, 66'000).has_value());
  EXPECT_LE(tiles.reads, 5u);
}

TEST(Tiles, ThatAreDamagedProveNothing) {
  MerkleTree tree(leaves(300));
  TilesInMemory tiles(tree, 300);
  TileHashReader hashes(tiles, 300);
  tiles.damage("tile/0/000");
  const auto proof = inclusion_proof(hashes, 1, 300);
  ASSERT_TRUE(proof.has_value());
  EXPECT_FALSE(verify_inclusion(nth_leaf(1), 1, 300, *proof, tree.root()));
  TileHashReader larger(tiles, 600);
  EXPECT_EQ(inclusion_proof(larger, 1, 600).error().code, Errc::not_found);
  tiles.shorten("tile/0/000");
  EXPECT_EQ(inclusion_proof(hashes, 1, 300).error().code, Errc::format);
  const TreeNode beyond{0, 300};
  EXPECT_EQ(hashes.read(std::span(&beyond, 1)).error().code, Errc::not_found);
}

TEST(Bundle, HoldsEntriesOfAllLengths) {
  const std::string longest(65'535, 'x');
  const std::vector<std::string_view> entries{"", "a", longest, "b"};
  const Bytes bundle = make_bundle(entries);
  EXPECT_EQ(bundle.size(), 2u * 4 + 0 + 1 + 65'535 + 1);
  EXPECT_EQ(*parse_bundle(bundle, 4), entries);
  EXPECT_EQ(to_hex(make_bundle(std::vector<std::string_view>{"ab"})), "00026162");
  EXPECT_TRUE(parse_bundle({}, 0)->empty());
}

TEST(Bundle, IsRefusedWhenShortenedLengthenedOrOfAnotherWidth) {
  const Bytes bundle = make_bundle(std::vector<std::string_view>{"", "ab", "c"});
  for (std::size_t size = 0; size < bundle.size(); ++size)
    EXPECT_FALSE(parse_bundle(ByteView(bundle).first(size), 3).has_value()) << size;
  Bytes longer = bundle;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(parse_bundle(longer, 3).has_value());
  for (const std::size_t width : {0u, 2u, 4u}) EXPECT_FALSE(parse_bundle(bundle, width).has_value()) << width;
}

}  // namespace
}  // namespace parley::log
