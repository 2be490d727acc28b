// Tags for tests: uniform ones from a seed that is printed, and small ones that one can read.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <vector>

#include "psi/detail/tag.h"

namespace parley::psi::detail {

using Random = std::mt19937_64;

/// PARLEY_TEST_SEED, or a fresh seed; shown when the test fails.
inline std::uint64_t test_seed_number() {
  const char* given = std::getenv("PARLEY_TEST_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

#define WITH_RANDOM(random)                                          \
  const std::uint64_t random##_seed = test_seed_number();            \
  SCOPED_TRACE("PARLEY_TEST_SEED=" + std::to_string(random##_seed)); \
  Random random(random##_seed)

inline constexpr std::size_t kTagCounts[] = {0, 1, 2, 3, 255, 256, 257, 1000, 65'535, 65'536, 65'537, 1'000'000};

inline std::vector<crypto::Block> uniform_blocks(Random& random, std::size_t count) {
  std::vector<crypto::Block> blocks(count);
  for (crypto::Block& block : blocks) block = {random(), random()};
  return blocks;
}

inline std::vector<Tag> tags_of(std::span<const crypto::Block> blocks) {
  std::vector<Tag> tags;
  tags.reserve(blocks.size());
  for (const crypto::Block block : blocks) tags.push_back(tag_of(block));
  return tags;
}

inline std::vector<crypto::Block> blocks_of(std::span<const Tag> tags) {
  std::vector<crypto::Block> blocks;
  blocks.reserve(tags.size());
  for (const Tag tag : tags) blocks.push_back(block_of(tag));
  return blocks;
}

inline std::vector<Tag> ascending(std::vector<Tag> tags) {
  std::ranges::sort(tags, std::less<>{});
  return tags;
}

inline std::vector<Tag> uniform_ascending_tags(Random& random, std::size_t count) {
  return ascending(tags_of(uniform_blocks(random, count)));
}

inline bool strictly_ascending_tags(std::span<const Tag> tags) {
  return std::ranges::adjacent_find(tags, [](Tag a, Tag b) { return !(a < b); }) == tags.end();
}

/// Sets that no hash function gives: long common beginnings, already in order, or in the opposite one.
struct UnevenSet {
  const char* name;
  std::vector<Tag> tags;
};

inline std::vector<UnevenSet> uneven_sets(Random& random, std::size_t count) {
  std::vector<Tag> counting, same_prefix, two_heaps, one_cell;
  for (std::size_t i = 0; i < count; ++i) {
    counting.push_back({0, i});
    same_prefix.push_back({0x0123456789abcdef, random()});
    two_heaps.push_back(i % 2 == 0 ? Tag{0, random()} : Tag{~std::uint64_t{0}, random()});
    one_cell.push_back({random() >> 1 >> 40, random()});
  }
  std::vector<Tag> descending(counting.rbegin(), counting.rend());
  std::vector<Tag> sorted = uniform_ascending_tags(random, count);
  std::vector<Tag> backwards(sorted.rbegin(), sorted.rend());
  return {{"counting", std::move(counting)},          {"counting down", std::move(descending)},
          {"one prefix", std::move(same_prefix)},     {"first and last prefix", std::move(two_heaps)},
          {"leading zeros", std::move(one_cell)},     {"in order", std::move(sorted)},
          {"in opposite order", std::move(backwards)}};
}

}  // namespace parley::psi::detail
