#include "base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace parley {
namespace {

class Random : public testing::Test {
 protected:
  static void SetUpTestSuite() { start_random(); }
};

TEST_F(Random, CanBeStartedTwice) {
  start_random();
  EXPECT_NE(random_bytes<32>(), random_bytes<32>());
}

// 256 draws of 32 bytes: two that are equal have a probability of 2^-241.
TEST_F(Random, NeverComesTwice) {
  std::set<ByteArray<32>> seen;
  for (int i = 0; i < 256; ++i) EXPECT_TRUE(seen.insert(random_bytes<32>()).second);
}

// That one of 4,096 places stays untouched by chance in 8 draws has a probability of 2^-52.
TEST_F(Random, FillsEveryByte) {
  Bytes touched(4096);
  for (int draw = 0; draw < 8; ++draw) {
    Bytes bytes(touched.size());
    fill_random(bytes);
    for (std::size_t i = 0; i < bytes.size(); ++i) touched[i] |= bytes[i];
  }
  EXPECT_EQ(std::ranges::count(touched, std::byte{0}), 0);
  fill_random({});
}

TEST_F(Random, SecretsDiffer) {
  EXPECT_FALSE(random_secret<32>().equals(random_secret<32>()));
}

}  // namespace
}  // namespace parley
