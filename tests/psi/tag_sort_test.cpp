#include "psi/detail/tag_sort.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "psi/tag_sets.h"

namespace parley::psi::detail {
namespace {

using crypto::Block;

/// Sorted by the library, ties by index.
std::vector<std::uint32_t> plain_order(std::span<const Block> blocks) {
  std::vector<std::uint32_t> order(blocks.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](std::uint32_t a, std::uint32_t b) {
    return std::memcmp(&blocks[a], &blocks[b], kTagBytes) < 0;  // bytewise, as it is promised
  });
  return order;
}

void expect_sorted(std::span<const Block> blocks, std::size_t threads) {
  ThreadPool pool(threads);
  const auto sorted = sort_tags(TagColumn(blocks), pool);
  ASSERT_TRUE(sorted.has_value());
  const std::vector<std::uint32_t> order = plain_order(blocks);
  EXPECT_TRUE(std::ranges::equal(sorted->order.expose(), order)) << blocks.size() << " tags, " << threads << " threads";
  ASSERT_EQ(sorted->tags.size(), blocks.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    ASSERT_EQ(sorted->tags.expose()[i], tag_of(blocks[order[i]])) << i;
  }
}

TEST(Tag, IsComparedAsItsBytesAre) {
  WITH_RANDOM(random);
  std::vector<Block> blocks = uniform_blocks(random, 60);
  for (std::size_t i = 0; i < 60; ++i) {  // neighbours that differ in one bit only
    Block near = blocks[i];
    mutable_bytes_of(std::span(&near, 1))[i % kTagBytes] ^= std::byte{1};
    blocks.push_back(near);
  }
  for (const Block& a : blocks) {
    EXPECT_TRUE(crypto::constant_time_equal(block_of(tag_of(a)), a));
    for (const Block& b : blocks) {
      EXPECT_EQ(tag_of(a) < tag_of(b), std::memcmp(&a, &b, kTagBytes) < 0);
      EXPECT_EQ(tag_of(a) == tag_of(b), std::memcmp(&a, &b, kTagBytes) == 0);
    }
  }
}

TEST(TagSort, OrdersBytewiseWhateverTheNumberOfThreads) {
  WITH_RANDOM(random);
  for (const std::size_t count : kTagCounts) {
    const auto blocks = uniform_blocks(random, count);
    for (const std::size_t threads : {1u, 2u, 8u}) expect_sorted(blocks, threads);
  }
}

TEST(TagSort, OrdersWhatIsFarFromUniform) {
  WITH_RANDOM(random);
  for (const std::size_t count : {5u, 17u, 100u, 5'000u, 100'000u}) {
    for (const UnevenSet& set : uneven_sets(random, count)) {
      SCOPED_TRACE(set.name);
      for (const std::size_t threads : {1u, 2u, 8u}) expect_sorted(blocks_of(set.tags), threads);
    }
  }
}

TEST(TagSort, OrdersEverySmallNumberOfTags) {
  WITH_RANDOM(random);
  for (std::size_t count = 0; count < 70; ++count) expect_sorted(uniform_blocks(random, count), 2);
}

TEST(TagSort, SaysWhichTwoTagsAreEqualWhereverTheyStand) {
  WITH_RANDOM(random);
  for (const std::size_t count : {2u, 3u, 16u, 17u, 100u, 1'000u, 70'000u}) {
    const auto blocks = uniform_blocks(random, count);
    const auto last = static_cast<std::uint32_t>(count - 1);
    const auto middle = static_cast<std::uint32_t>(count / 2);
    for (const EqualTags places : {EqualTags{0, last}, {0, 1}, {last - 1, last}, {0, middle}, {middle, last}}) {
      if (places.first == places.second) continue;
      auto with_equals = blocks;
      with_equals[places.second] = with_equals[places.first];
      for (const std::size_t threads : {1u, 2u, 8u}) {
        ThreadPool pool(threads);
        const auto sorted = sort_tags(TagColumn(with_equals), pool);
        ASSERT_FALSE(sorted.has_value()) << count;
        EXPECT_EQ(sorted.error(), places) << count << " tags, " << threads << " threads";
      }
    }
  }
}

TEST(TagSort, SaysTheLeastOfSeveralEqualTags) {
  const std::vector<Tag> tags = {{9, 0}, {7, 0}, {3, 5}, {9, 0}, {3, 5}, {1, 1}, {3, 5}, {7, 0}};
  ThreadPool pool(2);
  const auto sorted = sort_tags(TagColumn(blocks_of(tags)), pool);
  ASSERT_FALSE(sorted.has_value());
  EXPECT_EQ(sorted.error(), (EqualTags{2, 4}));
}

TEST(TagSort, FindsEqualTagsAmongWhatIsFarFromUniform) {
  WITH_RANDOM(random);
  for (UnevenSet& set : uneven_sets(random, 3'000)) {
    SCOPED_TRACE(set.name);
    const std::size_t a = random() % 3'000;
    const std::size_t b = (a + 1 + random() % 2'999) % 3'000;
    set.tags[a] = set.tags[b];
    ThreadPool pool(2);
    const auto sorted = sort_tags(TagColumn(blocks_of(set.tags)), pool);
    ASSERT_FALSE(sorted.has_value());
    EXPECT_EQ(sorted.error(),
              (EqualTags{static_cast<std::uint32_t>(std::min(a, b)), static_cast<std::uint32_t>(std::max(a, b))}));
  }
}

TEST(TagSort, RefusesOneTagManyTimes) {
  for (const std::size_t count : {2u, 30u, 100'000u}) {
    const std::vector<Block> blocks(count, Block{1, 2});
    ThreadPool pool(2);
    const auto sorted = sort_tags(TagColumn(blocks), pool);
    ASSERT_FALSE(sorted.has_value());
    EXPECT_EQ(sorted.error(), (EqualTags{0, 1}));
  }
}

}  // namespace
}  // namespace parley::psi::detail
