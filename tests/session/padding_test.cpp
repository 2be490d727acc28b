// What the other side sees of a set's size.
#include "session/padding.h"

#include <gtest/gtest.h>

namespace parley::session {
namespace {

TEST(Padding, HidesASmallSetBehindTheSmallestSize) {
  for (const std::uint64_t count : {0U, 1U, 5U, 255U, 256U}) EXPECT_EQ(padded_size(count), 256u) << count;
}

TEST(Padding, TakesTheNextOfTheFourStepsBetweenPowersOfTwo) {
  struct Case {
    std::uint64_t count, padded;
  };
  for (const auto& [count, padded] :
       {Case{257, 320}, Case{320, 320}, Case{321, 384}, Case{385, 448}, Case{449, 512}, Case{513, 640},
        Case{100'243, 114'688}, Case{120'430, 131'072}, Case{131'073, 163'840}})
    EXPECT_EQ(padded_size(count), padded) << count;
}

TEST(Padding, AddsLessThanAQuarterToALargeSetAndNeverShrinksIt) {
  for (std::uint64_t count = 257; count < 70'000; ++count) {
    const std::uint64_t padded = padded_size(count);
    ASSERT_GE(padded, count);
    ASSERT_LT(padded * 4, count * 5 + 4) << count;
  }
}

TEST(Padding, KnowsItsOwnSizesAndRefusesAllOthers) {
  for (const std::uint64_t size : {256u, 320u, 384u, 448u, 512u, 1u << 20, 7u << 21})
    EXPECT_TRUE(is_padded_size(size)) << size;
  for (const std::uint64_t size : {0u, 1u, 255u, 257u, 300u, 511u, 513u, 1u << 24, (1u << 24) + 1, 1u << 25})
    EXPECT_FALSE(is_padded_size(size)) << size;
}

}  // namespace
}  // namespace parley::session
