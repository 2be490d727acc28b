#include "base/bytes.h"

#include <gtest/gtest.h>

#include <limits>

namespace parley {
namespace {

// The same number at each width, most significant byte first.
TEST(BigEndian, IsWrittenMostSignificantByteFirst) {
  Bytes out;
  append_be(out, std::uint8_t{0x01});
  append_be(out, std::uint16_t{0x0203});
  append_be(out, std::uint32_t{0x04050607});
  append_be(out, std::uint64_t{0x08090a0b0c0d0e0f});
  ASSERT_EQ(out.size(), 15u);
  for (std::size_t i = 0; i < out.size(); ++i) EXPECT_EQ(std::to_integer<std::size_t>(out[i]), i + 1);
}

template <typename Integer>
void expect_to_come_back(Integer value) {
  Bytes out;
  append_be(out, value);
  ASSERT_EQ(out.size(), sizeof(Integer));
  EXPECT_EQ(read_be<Integer>(out), value);
}

TEST(BigEndian, ComesBackAtItsLimits) {
  expect_to_come_back(std::numeric_limits<std::uint16_t>::max());
  expect_to_come_back(std::uint32_t{0});
  expect_to_come_back(std::numeric_limits<std::uint32_t>::max());
  expect_to_come_back(std::numeric_limits<std::uint64_t>::max());
  expect_to_come_back(std::uint64_t{1} << 63);
  expect_to_come_back(std::int64_t{-1});
  expect_to_come_back(std::numeric_limits<std::int64_t>::min());
}

TEST(BigEndian, ReadsNoFurtherThanItsWidth) {
  const Bytes bytes{std::byte{0}, std::byte{1}, std::byte{0xff}, std::byte{0xff}};
  EXPECT_EQ(read_be<std::uint16_t>(bytes), 1u);
}

TEST(Bytes, AndTextAreViewsOfTheSameMemory) {
  const std::string text("a\0\xff", 3);
  const ByteView bytes = as_bytes(text);
  EXPECT_EQ(bytes.size(), 3u);
  EXPECT_EQ(bytes[1], std::byte{0});
  EXPECT_EQ(bytes[2], std::byte{0xff});
  EXPECT_EQ(as_text(bytes), text);
  EXPECT_EQ(static_cast<const void*>(bytes.data()), text.data());
  EXPECT_TRUE(as_bytes("").empty());
}

TEST(Bytes, AreAppendedBehindWhatStandsThere) {
  Bytes out = to_bytes(std::string_view("ab"));
  append(out, as_bytes("cd"));
  append(out, {});
  EXPECT_EQ(as_text(out), "abcd");
}

}  // namespace
}  // namespace parley
