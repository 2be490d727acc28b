#include "psi/detail/tag_join.h"

#include <gtest/gtest.h>

#include <map>

#include "psi/tag_sets.h"

namespace parley::psi::detail {
namespace {

using crypto::Block;

std::vector<TagMatch> plain_matches(std::span<const Tag> own, std::span<const Tag> list) {
  std::map<Uint128, std::uint32_t> places;
  for (std::size_t i = 0; i < own.size(); ++i) places[own[i].value()] = static_cast<std::uint32_t>(i);
  std::vector<TagMatch> matches;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (const auto found = places.find(list[i].value()); found != places.end())
      matches.push_back({found->second, static_cast<std::uint32_t>(i)});
  }
  return matches;
}

std::vector<TagMatch> found_in(std::span<const Tag> own, std::span<const Tag> list, std::size_t piece_tags,
                               std::size_t threads = 1) {
  ThreadPool pool(threads);
  const auto index = TagIndex::build(TagColumn(blocks_of(own)), pool);
  EXPECT_TRUE(index.has_value());
  EXPECT_EQ(index->size(), own.size());
  std::vector<TagMatch> matches;
  for (std::size_t at = 0; at < list.size(); at += piece_tags) {
    index->find(list.subspan(at, std::min(piece_tags, list.size() - at)), at, matches);
  }
  return matches;
}

/// Two uniform sets with about a third of the smaller one in common, in random order; the second one ascending.
struct TwoSets {
  TwoSets(Random& random, std::size_t own_count, std::size_t list_count)
      : own(tags_of(uniform_blocks(random, own_count))), list(tags_of(uniform_blocks(random, list_count))) {
    for (std::size_t i = 0; i < std::min(own_count, list_count); i += 3) list[i] = own[i];
    list = ascending(std::move(list));
    std::ranges::shuffle(own, random);
  }
  std::vector<Tag> own, list;
};

TEST(TagIndex, FindsWhatAPlainMapFinds) {
  WITH_RANDOM(random);
  for (const std::size_t own_count : {0u, 1u, 2u, 3u, 4u, 8u, 9u, 255u, 256u, 257u, 1'000u, 65'537u}) {
    for (const std::size_t list_count : {0u, 1u, 2u, 3u, 255u, 511u, 512u, 513u, 65'537u}) {
      const TwoSets sets(random, own_count, list_count);
      const auto expected = plain_matches(sets.own, sets.list);
      EXPECT_GE(expected.size(), std::min(own_count, list_count) / 3);
      EXPECT_EQ(found_in(sets.own, sets.list, 65'536), expected) << own_count << " and " << list_count;
    }
  }
}

TEST(TagIndex, FindsTheSameInPiecesOfAnySizeWhateverTheNumberOfThreads) {
  WITH_RANDOM(random);
  const TwoSets sets(random, 5'000, 7'000);
  const auto expected = plain_matches(sets.own, sets.list);
  for (const std::size_t piece_tags : {1u, 7u, 512u, 1'000u, 7'000u}) {
    for (const std::size_t threads : {1u, 2u, 8u}) {
      EXPECT_EQ(found_in(sets.own, sets.list, piece_tags, threads), expected) << piece_tags;
    }
  }
}

TEST(TagIndex, FindsInAMillion) {
  WITH_RANDOM(random);
  for (const auto& [own_count, list_count] :
       {std::pair{1'000'000u, 1'000'000u}, {1'000u, 1'000'000u}, {1'000'000u, 1'000u}}) {
    const TwoSets sets(random, own_count, list_count);
    EXPECT_EQ(found_in(sets.own, sets.list, 65'536, 2), plain_matches(sets.own, sets.list));
  }
}

TEST(TagIndex, FindsAllNoneAndItself) {
  WITH_RANDOM(random);
  const auto own = tags_of(uniform_blocks(random, 3'000));
  EXPECT_EQ(found_in(own, ascending(own), 512).size(), own.size());
  EXPECT_TRUE(found_in(own, uniform_ascending_tags(random, 3'000), 512).empty());
}

TEST(TagIndex, TellsApartTagsThatDifferInOneBit) {
  WITH_RANDOM(random);
  const auto own = tags_of(uniform_blocks(random, 500));
  for (unsigned bit = 0; bit < kTagBits; ++bit) {
    std::vector<Tag> near;
    for (const Tag tag : own)
      near.push_back(bit < 64 ? Tag{tag.high, tag.low ^ std::uint64_t{1} << bit}
                              : Tag{tag.high ^ std::uint64_t{1} << (bit - 64), tag.low});
    EXPECT_TRUE(found_in(own, ascending(near), 512).empty()) << bit;
  }
}

TEST(TagIndex, FindsInWhatIsFarFromUniform) {
  WITH_RANDOM(random);
  for (const std::size_t count : {9u, 300u, 20'000u}) {
    for (const UnevenSet& set : uneven_sets(random, count)) {
      std::vector<Tag> list = set.tags;
      for (std::size_t i = 0; i < list.size(); i += 2) list[i].low ^= std::uint64_t{1} << 50;  // some fall upon others
      list = ascending(std::move(list));
      EXPECT_EQ(found_in(set.tags, list, 512), plain_matches(set.tags, list)) << set.name << ", " << count;
    }
  }
}

TEST(TagIndex, FindsTheLeastAndTheGreatestTag) {
  const std::uint64_t ones = ~std::uint64_t{0};
  const std::vector<Tag> ends = {{0, 0}, {ones, ones}};
  EXPECT_EQ(found_in(ends, ends, 2), (std::vector<TagMatch>{{0, 0}, {1, 1}}));
  // The fingerprints past the last tag are zeros, as those of tag 0 are.
  EXPECT_TRUE(found_in(std::vector<Tag>{{ones, ones}}, std::vector<Tag>{{0, 0}, {ones << 32, 0}}, 2).empty());
}

TEST(TagIndex, IsNotBuiltFromEqualTags) {
  WITH_RANDOM(random);
  auto own = uniform_blocks(random, 2'000);
  own[1'999] = own[17];
  ThreadPool pool(2);
  const auto index = TagIndex::build(TagColumn(own), pool);
  ASSERT_FALSE(index.has_value());
  EXPECT_EQ(index.error(), (EqualTags{17, 1'999}));
}

}  // namespace
}  // namespace parley::psi::detail
