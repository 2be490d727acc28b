#include "psi/detail/records.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace parley::psi::detail {
namespace {

Bytes records(std::initializer_list<std::string_view> values) {
  Bytes bytes;
  for (std::string_view value : values) append(bytes, as_bytes(value));
  return bytes;
}

TEST(Records, AreOrderedBytewise) {
  const Bytes list = records({"bb", "\x7f\x01", "ab", "\x80\x01", "aa"});
  EXPECT_EQ(order_of(whole(list, 2)), (std::vector<std::uint32_t>{4, 2, 0, 1, 3}));
  EXPECT_EQ(gather(whole(list, 2), {4, 0}), records({"aa", "bb"}));
}

TEST(Records, AreOrderedByOneFieldOfThem) {
  const Bytes list = records({"1z", "2a", "3m"});
  EXPECT_EQ(order_of({list, 2, 1, 1}), (std::vector<std::uint32_t>{1, 2, 0}));
  EXPECT_EQ(gather({list, 2, 1, 1}, {0, 1, 2}), records({"z", "a", "m"}));
}

TEST(Records, AscendStrictlyOnlyWithoutRepetition) {
  EXPECT_TRUE(strictly_ascending(whole({}, 2)));
  EXPECT_TRUE(strictly_ascending(whole(records({"ab"}), 2)));
  EXPECT_TRUE(strictly_ascending(whole(records({"ab", "ac", "b\x01"}), 2)));
  EXPECT_FALSE(strictly_ascending(whole(records({"ab", "ab"}), 2)));
  EXPECT_FALSE(strictly_ascending(whole(records({"ab", "b\x01", "ac"}), 2)));
}

TEST(Records, ShareWhatTwoPlainSetsShare) {
  std::mt19937 random(20);
  for (int round = 0; round < 200; ++round) {
    std::set<std::string> ours, theirs;
    const std::size_t range = 1 + random() % 40;
    for (std::size_t i = random() % 30; i-- > 0;) ours.insert(std::string(1, static_cast<char>(random() % range)));
    for (std::size_t i = random() % 30; i-- > 0;) theirs.insert(std::string(1, static_cast<char>(random() % range)));
    std::vector<std::string> shuffled(ours.begin(), ours.end());
    std::ranges::shuffle(shuffled, random);
    Bytes our_bytes, their_bytes;
    for (const auto& value : shuffled) append(our_bytes, as_bytes(value));
    for (const auto& value : theirs) append(their_bytes, as_bytes(value));

    std::vector<std::string> expected;
    std::ranges::set_intersection(ours, theirs, std::back_inserter(expected));
    std::vector<std::string> found;
    const Field field = whole(our_bytes, 1);
    for (const auto i : shared_positions(field, order_of(field), whole(their_bytes, 1))) found.push_back(shuffled[i]);
    EXPECT_EQ(found, expected);
  }
}

}  // namespace
}  // namespace parley::psi::detail
