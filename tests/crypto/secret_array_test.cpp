// Memory of secrets: zeroed when it comes, wiped when it goes, and kept for the next of its size.
#include "crypto/secret_array.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <vector>

namespace parley::crypto {
namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20;
using SecretMemory = SecretArray<std::byte>;

/// How many pages the kernel has to find while a region comes, is written to and goes.
long faults_of(std::size_t size_bytes) {
  rusage before{}, after{};
  ::getrusage(RUSAGE_SELF, &before);
  {
    SecretMemory memory(size_bytes);
    std::ranges::fill(memory.expose_mutable(), std::byte{1});
  }
  ::getrusage(RUSAGE_SELF, &after);
  return after.ru_minflt - before.ru_minflt;
}

TEST(SecretArray, IsZeroWhateverStoodThereBefore) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{5000}, kMegabyte, 8 * kMegabyte}) {
    for (int time = 0; time < 3; ++time) {
      SecretMemory memory(size);
      EXPECT_TRUE(std::ranges::all_of(memory.expose(), [](std::byte byte) { return byte == std::byte{0}; })) << size;
      std::ranges::fill(memory.expose_mutable(), std::byte{0x5a});
    }
  }
}

TEST(SecretArray, LetsAnotherHaveItsMemoryAsItStands) {
  SecretArray<std::uint64_t> first(kMegabyte / sizeof(std::uint64_t));
  first.expose_mutable()[1] = 0x0807060504030201;
  const void* memory = first.expose().data();
  const auto second = SecretMemory::in_place_of(std::move(first));
  EXPECT_EQ(second.expose().data(), memory);
  EXPECT_EQ(second.size(), kMegabyte);
  EXPECT_EQ(second.expose()[8], std::byte{1});
  EXPECT_EQ(first.size(), 0u);  // NOLINT(bugprone-use-after-move): that nothing is left of it is the promise
}

TEST(SecretArray, IsWipedAlsoWhereItWasTruncated) {
  {
    SecretMemory memory(kMegabyte);
    std::ranges::fill(memory.expose_mutable(), std::byte{0x5a});
    memory.truncate(10);
    EXPECT_EQ(memory.expose().size(), 10u);
  }
  const SecretMemory again(kMegabyte);  // the same pages: they were kept
  EXPECT_TRUE(std::ranges::all_of(again.expose(), [](std::byte byte) { return byte == std::byte{0}; }));
}

// Below the size of a huge page, so that each page counts.
constexpr std::size_t kRegion = 3 * kMegabyte / 2;
constexpr long kPages = kRegion / 4096;

TEST(SecretArray, IsTakenFromTheOneOfItsSizeThatWentBefore) {
  (void)faults_of(kRegion);
  EXPECT_LT(faults_of(kRegion), kPages / 4);
}

TEST(SecretArray, IsKeptAlsoAfterManyOfOtherSizesThatNobodyUsesAnyMore) {
  {
    std::vector<SecretMemory> old;
    for (std::size_t i = 0; i < 40; ++i) old.emplace_back(kMegabyte / 2 + 4096 * i);
  }
  constexpr std::size_t kAnother = kRegion + 4096;
  EXPECT_GE(faults_of(kAnother), kPages / 2) << "there is one of this size already, so this shows nothing";
  EXPECT_LT(faults_of(kAnother), kPages / 4);
}

}  // namespace
}  // namespace parley::crypto
