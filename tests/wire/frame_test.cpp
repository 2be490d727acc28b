#include "wire/frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/encoding.h"
#include "wire/psi_channel.h"

namespace parley::wire {
namespace {

/// Everything that a reader takes out of `stream`, given `step` bytes at a time.
Result<std::vector<Frame>> read_all(ByteView stream, std::size_t step, std::size_t limit_bytes = kMaxFrameBytes) {
  FrameReader reader(limit_bytes);
  std::vector<Frame> frames;
  while (!stream.empty()) {
    const MutableByteView room = reader.room();
    const std::size_t count = std::min({room.size(), step, stream.size()});
    std::memcpy(room.data(), stream.data(), count);
    stream = stream.subspan(count);
    TRY(auto frame, reader.took(count));
    if (frame) frames.push_back(std::move(*frame));
  }
  return frames;
}

Bytes frame_bytes(FrameType type, ByteView payload) {
  const auto head = frame_head(type, payload.size());
  Bytes bytes(head.size() + payload.size());
  std::ranges::copy(head, bytes.begin());
  std::ranges::copy(payload, bytes.begin() + head.size());
  return bytes;
}

// Frozen on the day the format was written down (docs/wire-format.md).
TEST(Frame, HasTheFrozenBytes) {
  EXPECT_EQ(to_hex(frame_bytes(FrameType::hello_s, as_bytes("hi"))), "00000003016869");
  EXPECT_EQ(to_hex(frame_bytes(FrameType::psi_data, {})), "0000000109");
  EXPECT_EQ(to_hex(frame_bytes(FrameType::ping, {})), "000000010a");
  EXPECT_EQ(to_hex(frame_bytes(FrameType::step, as_bytes("x"))), "000000020d78");
  EXPECT_EQ(to_hex(frame_head(FrameType::opening, kMaxPayloadBytes)), "0010000008");
}

TEST(Frame, TypesHaveTheFrozenNumbers) {
  const std::pair<FrameType, int> numbers[] = {
      {FrameType::hello_s, 1},  {FrameType::hello_c, 2},     {FrameType::push_leaves, 3}, {FrameType::proof, 4},
      {FrameType::cosig, 5},    {FrameType::head, 6},        {FrameType::get, 7},         {FrameType::opening, 8},
      {FrameType::psi_data, 9}, {FrameType::ping, 10},       {FrameType::err, 11},        {FrameType::bye, 12},
      {FrameType::step, 13},    {FrameType::entry_body, 14}, {FrameType::admission, 15}};
  for (const auto& [type, number] : numbers) EXPECT_EQ(static_cast<int>(type), number);
}

TEST(FrameReader, TakesFramesHoweverTheStreamIsCut) {
  Bytes stream = frame_bytes(FrameType::step, as_bytes("first"));
  append(stream, frame_bytes(FrameType::ping, {}));
  append(stream, frame_bytes(FrameType::psi_data, Bytes(70'000, std::byte{7})));
  for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{5}, std::size_t{16'384}, stream.size()}) {
    const auto frames = read_all(stream, step);
    ASSERT_TRUE(frames.has_value());
    ASSERT_EQ(frames->size(), 3u) << step;
    EXPECT_EQ(as_text((*frames)[0].payload), "first");
    EXPECT_EQ((*frames)[1].type, FrameType::ping);
    EXPECT_EQ((*frames)[2].payload.size(), 70'000u);
  }
}

TEST(FrameReader, WaitsForTheRestOfAFrame) {
  const Bytes stream = frame_bytes(FrameType::step, as_bytes("whole"));
  for (std::size_t size = 0; size < stream.size(); ++size)
    EXPECT_TRUE(read_all(ByteView(stream).first(size), 1)->empty()) << size;
}

TEST(FrameReader, TakesTheLongestFrameAndNoLonger) {
  const Bytes longest = frame_bytes(FrameType::psi_data, Bytes(kMaxPayloadBytes));
  EXPECT_EQ(read_all(longest, longest.size())->size(), 1u);
  const auto longer = read_all(*from_hex("0010000109"), 5);
  ASSERT_FALSE(longer.has_value());
  EXPECT_EQ(longer.error().code, Errc::protocol);
}

TEST(FrameReader, AllocatesNothingForAFrameThatItRefuses) {
  for (const char* head : {"0010000109", "7fffffff09", "ffffffff01", "ffffffff0d"}) {
    FrameReader reader(kMaxFrameBytes);
    Status refused;
    const Bytes bytes = *from_hex(head);
    for (const std::byte byte : bytes) {
      reader.room()[0] = byte;
      if (auto taken = reader.took(1); !taken) refused = std::unexpected(taken.error());
    }
    EXPECT_FALSE(refused.has_value()) << head;
    EXPECT_TRUE(reader.room().empty()) << head;
  }
}

TEST(FrameReader, RefusesWhatIsNoFrame) {
  const std::pair<const char*, const char*> heads[] = {{"0000000009", "without a type"},
                                                       {"0000000100", "unknown type 0"},
                                                       {"0000000110", "unknown type 16"},
                                                       {"00000001ff", "unknown type 255"},
                                                       {"4745542000", "1195725856 bytes"} /* "GET " */,
                                                       {"0010000101", "1048577 bytes"}};
  for (const auto& [head, said] : heads) {
    const auto frames = read_all(*from_hex(head), 1);
    ASSERT_FALSE(frames.has_value()) << head;
    EXPECT_EQ(frames.error().code, Errc::protocol) << head;
    EXPECT_THAT(frames.error().message, testing::HasSubstr(said)) << head;
  }
}

TEST(FrameReader, KeepsToASmallerLimit) {
  EXPECT_TRUE(read_all(frame_bytes(FrameType::hello_s, Bytes(9)), 100, 10).has_value());
  EXPECT_FALSE(read_all(frame_bytes(FrameType::hello_s, Bytes(10)), 100, 10).has_value());
}

TEST(ChunkHead, HasTheFrozenBytes) {
  const ChunkHead head{0x0102, 0x03040506, 0x0708, 0x090a0b0c0d0e0f10};
  Bytes bytes;
  append_chunk_head(bytes, head);
  EXPECT_EQ(to_hex(bytes), "0102030405060708090a0b0c0d0e0f10");
  EXPECT_EQ(read_chunk_head(bytes), head);
  bytes.pop_back();
  EXPECT_EQ(read_chunk_head(bytes), std::nullopt);
}

}  // namespace
}  // namespace parley::wire
