#include "wire/psi_channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "wire/two_members.h"

namespace parley::wire {
namespace {

using psi::MessageType;
using testing::HasSubstr;

constexpr std::uint16_t kSuite = 0x0010;

class PsiChannel : public testing::Test {
 protected:
  /// Sends one PSI_DATA frame made by hand from alpha.
  Status send_chunk(const ChunkHead& head, std::size_t part_bytes) {
    Bytes payload;
    append_chunk_head(payload, head);
    payload.resize(payload.size() + part_bytes);
    return links_.alpha->send(FrameType::psi_data, payload);
  }

  TwoMembers members_;
  TwoMembers::Pair links_ = members_.links();
  std::unique_ptr<psi::Channel> alpha_ = psi_channel(*links_.alpha, kSuite, soon(), 0);
  std::unique_ptr<psi::Channel> bravo_ = psi_channel(*links_.bravo, kSuite, soon(), 0);
};

Bytes patterned(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 2654435761u >> 13);
  return bytes;
}

TEST_F(PsiChannel, CarriesMessagesOfEverySize) {
  const std::size_t sizes[] = {0, 1, kChunkBytes - 1, kChunkBytes, kChunkBytes + 1, 3 * kChunkBytes, 5'000'000};
  std::thread sender([&] {
    for (const std::size_t size : sizes) EXPECT_TRUE(alpha_->send(MessageType::blinded, patterned(size)).has_value());
    EXPECT_TRUE(alpha_->flush().has_value());
  });
  for (const std::size_t size : sizes) {
    const auto message = bravo_->receive(MessageType::blinded, size);
    ASSERT_TRUE(message.has_value()) << message.error().text();
    EXPECT_EQ(*message, patterned(size));
  }
  sender.join();
}

TEST_F(PsiChannel, TakesAMessageOfUnknownSizeUpToALimit) {
  ASSERT_TRUE(alpha_->send(MessageType::matched_tags, patterned(320)).has_value());
  EXPECT_EQ(bravo_->receive_up_to(MessageType::matched_tags, 1000)->size(), 320u);
  ASSERT_TRUE(alpha_->send(MessageType::matched_tags, patterned(1001)).has_value());
  const auto message = bravo_->receive_up_to(MessageType::matched_tags, 1000);
  ASSERT_FALSE(message.has_value());
  EXPECT_EQ(message.error().code, Errc::protocol);
}

TEST_F(PsiChannel, CountsFramesHeadsAndPayload) {
  ASSERT_TRUE(alpha_->send(MessageType::blinded, patterned(kChunkBytes + 10)).has_value());
  ASSERT_TRUE(bravo_->receive(MessageType::blinded, kChunkBytes + 10).has_value());
  const std::uint64_t expected = kChunkBytes + 10 + 2 * (kFrameHeadBytes + kChunkHeadBytes);
  EXPECT_EQ(alpha_->bytes_sent(), expected);
  EXPECT_EQ(bravo_->bytes_received(), expected);
  EXPECT_EQ(bravo_->bytes_sent(), 0u);
}

TEST_F(PsiChannel, CountsARoundEachTimeItWaitsAfterHavingSent) {
  ASSERT_TRUE(alpha_->send(MessageType::blinded, patterned(8)).has_value());
  ASSERT_TRUE(alpha_->send(MessageType::tags, patterned(8)).has_value());
  ASSERT_TRUE(bravo_->receive(MessageType::blinded, 8).has_value());
  ASSERT_TRUE(bravo_->receive(MessageType::tags, 8).has_value());
  ASSERT_TRUE(bravo_->send(MessageType::evaluated, patterned(8)).has_value());
  ASSERT_TRUE(alpha_->receive(MessageType::evaluated, 8).has_value());
  EXPECT_EQ(alpha_->rounds(), 1u);
  EXPECT_EQ(bravo_->rounds(), 0u);
}

TEST_F(PsiChannel, RefusesAMessageOfAnotherTypeOrSize) {
  ASSERT_TRUE(alpha_->send(MessageType::tags, patterned(32)).has_value());
  EXPECT_EQ(bravo_->receive(MessageType::evaluated, 32).error().code, Errc::protocol);
  ASSERT_TRUE(alpha_->send(MessageType::tags, patterned(32)).has_value());
  EXPECT_EQ(bravo_->receive(MessageType::tags, 33).error().code, Errc::protocol);
}

TEST_F(PsiChannel, SaysThatThePeerGaveUp) {
  ASSERT_TRUE(alpha_->send(MessageType::abort, {}).has_value());
  const auto message = bravo_->receive(MessageType::tags, 32);
  ASSERT_FALSE(message.has_value());
  EXPECT_THAT(message.error().message, HasSubstr("gave up"));
}

TEST_F(PsiChannel, AllocatesNothingForAMessageThatItRefuses) {
  ASSERT_TRUE(send_chunk({0x0102, 0, kSuite, ~std::uint64_t{0}}, 10).has_value());
  const auto message = bravo_->receive(MessageType::blinded, 32);
  ASSERT_FALSE(message.has_value());
  EXPECT_THAT(message.error().message, HasSubstr("18446744073709551615 bytes long"));
}

struct BadChunk {
  const char* what;
  ChunkHead head;
  std::size_t part_bytes;
};

class ChunkRefused : public PsiChannel, public testing::WithParamInterface<BadChunk> {};

TEST_P(ChunkRefused, AsABreachOfTheProtocol) {
  ASSERT_TRUE(send_chunk(GetParam().head, GetParam().part_bytes).has_value());
  const auto message = bravo_->receive(MessageType::blinded, 100);
  ASSERT_FALSE(message.has_value()) << GetParam().what;
  EXPECT_EQ(message.error().code, Errc::protocol) << GetParam().what;
}

INSTANTIATE_TEST_SUITE_P(Each, ChunkRefused,
                         testing::Values(BadChunk{"repeated or left out", {0x0102, 1, kSuite, 100}, 100},
                                         BadChunk{"sequence from the past", {0x0102, 0xffffffff, kSuite, 100}, 100},
                                         BadChunk{"of another suite", {0x0102, 0, 0x0001, 100}, 100},
                                         BadChunk{"of another message", {0x0103, 0, kSuite, 100}, 100},
                                         BadChunk{"of no known message", {0xffff, 0, kSuite, 100}, 100},
                                         BadChunk{"of a longer message", {0x0102, 0, kSuite, 101}, 101},
                                         BadChunk{"of a shorter message", {0x0102, 0, kSuite, 99}, 99},
                                         BadChunk{"shorter than it must be", {0x0102, 0, kSuite, 100}, 99},
                                         BadChunk{"longer than it must be", {0x0102, 0, kSuite, 100}, 101},
                                         BadChunk{"empty", {0x0102, 0, kSuite, 100}, 0}));

TEST_F(PsiChannel, RefusesAChunkTooShortForItsHead) {
  ASSERT_TRUE(links_.alpha->send(FrameType::psi_data, Bytes(kChunkHeadBytes - 1)).has_value());
  EXPECT_EQ(bravo_->receive(MessageType::blinded, 100).error().code, Errc::protocol);
}

TEST_F(PsiChannel, RefusesALengthThatChangesWithinAMessage) {
  ASSERT_TRUE(send_chunk({0x0102, 0, kSuite, kChunkBytes + 100}, kChunkBytes).has_value());
  ASSERT_TRUE(send_chunk({0x0102, 1, kSuite, kChunkBytes + 101}, 101).has_value());
  EXPECT_EQ(bravo_->receive(MessageType::blinded, kChunkBytes + 100).error().code, Errc::protocol);
}

TEST_F(PsiChannel, RefusesFramesThatAreNoProtocolData) {
  ASSERT_TRUE(links_.alpha->send(FrameType::step, as_bytes("x")).has_value());
  EXPECT_EQ(bravo_->receive(MessageType::blinded, 100).error().code, Errc::protocol);
  ASSERT_TRUE(links_.alpha->send(FrameType::bye, {}).has_value());
  EXPECT_EQ(bravo_->receive(MessageType::blinded, 100).error().code, Errc::peer_gone);
}

TEST_F(PsiChannel, EndsAtItsDeadline) {
  const auto channel = psi_channel(*links_.bravo, kSuite, deadline_in(std::chrono::milliseconds(20)), 0);
  EXPECT_EQ(channel->receive(MessageType::blinded, 100).error().code, Errc::peer_gone);
}

TEST_F(PsiChannel, LetsBothSidesSendBeforeEitherReceives) {
  // Far more than TCP buffers and the usual queue hold.
  const Bytes message = patterned(std::size_t{100} << 20);
  const auto side = [&](psi::Channel& channel) {
    EXPECT_TRUE(channel.send(MessageType::blinded, message).has_value());
    const auto received = channel.receive(MessageType::blinded, message.size());
    EXPECT_TRUE(received.has_value() && *received == message);
  };
  alpha_ = psi_channel(*links_.alpha, kSuite, deadline_in(std::chrono::minutes(5)), message.size());
  bravo_ = psi_channel(*links_.bravo, kSuite, deadline_in(std::chrono::minutes(5)), message.size());
  std::thread other([&] { side(*alpha_); });
  side(*bravo_);
  other.join();
}

/// What the channel says to its link.
class RecordingLink final : public Link {
 public:
  const PinnedPeer& peer() const override { return peer_; }
  const Digest& exporter() const override { return exporter_; }
  UnixSeconds peer_time() const override { return 0; }
  Status send(FrameType, ByteView) override { return {}; }
  Status send_until(FrameType, ByteView, Deadline) override {
    ahead_in_sending.push_back(ahead);
    return {};
  }
  Result<Frame> receive(Deadline) override { return fail(Errc::peer_gone, "Nobody is there."); }
  Result<bool> wait_readable(Deadline) override { return false; }
  void let_run_ahead(std::size_t bytes) override { ahead = bytes; }
  std::uint64_t bytes_sent() const override { return 0; }
  std::uint64_t bytes_received() const override { return 0; }
  std::chrono::microseconds round_trip() const override { return {}; }
  void close(Error) override {}

  std::size_t ahead = 0;
  std::vector<std::size_t> ahead_in_sending;

 private:
  PinnedPeer peer_;
  Digest exporter_{};
};

TEST(PsiChannelAlone, LetsThePeerRunAheadOnlyWhileItSendsAndByWhatWasAgreed) {
  RecordingLink link;
  const auto channel = psi_channel(link, kSuite, soon(), 4'096);
  EXPECT_EQ(link.ahead, 0u);
  ASSERT_TRUE(channel->send(MessageType::blinded, patterned(kChunkBytes + 1)).has_value());
  EXPECT_THAT(link.ahead_in_sending, testing::ElementsAre(4'096u, 4'096u));
  EXPECT_EQ(link.ahead, 0u);
  EXPECT_FALSE(channel->receive(MessageType::blinded, 1).has_value());
  EXPECT_EQ(link.ahead, 0u);
}

}  // namespace
}  // namespace parley::wire
