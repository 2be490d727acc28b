#include "psi/memory_channel.h"

#include <gtest/gtest.h>

#include <thread>

namespace parley::psi {
namespace {

constexpr auto kSoon = std::chrono::milliseconds(1);

TEST(MemoryChannel, HandsOverWholeMessagesInOrder) {
  auto [first, second] = memory_channels();
  ASSERT_TRUE(first->send(MessageType::blinded, as_bytes("one")).has_value());
  ASSERT_TRUE(first->send(MessageType::tags, {}).has_value());
  EXPECT_EQ(second->receive(MessageType::blinded, 3), to_bytes("one"));
  EXPECT_EQ(second->receive(MessageType::tags, 0), Bytes());
  EXPECT_EQ(first->bytes_sent(), 3u);
  EXPECT_EQ(second->bytes_received(), 3u);
}

TEST(MemoryChannel, RefusesAnotherTypeOrSizeThanIsDue) {
  auto [first, second] = memory_channels();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(first->send(MessageType::tags, as_bytes("1234")).has_value());
  EXPECT_EQ(second->receive(MessageType::blinded, 4).error().code, Errc::protocol);
  EXPECT_EQ(second->receive(MessageType::tags, 3).error().code, Errc::protocol);
  EXPECT_EQ(second->receive(MessageType::tags, 5).error().code, Errc::protocol);
  EXPECT_EQ(second->receive_up_to(MessageType::tags, 3).error().code, Errc::protocol);
  EXPECT_EQ(second->receive_up_to(MessageType::tags, 5), to_bytes("1234"));
}

TEST(MemoryChannel, SaysThatThePeerGaveUp) {
  auto [first, second] = memory_channels();
  ASSERT_TRUE(first->send(MessageType::abort, {}).has_value());
  EXPECT_EQ(second->receive(MessageType::tags, 0).error().code, Errc::protocol);
}

TEST(MemoryChannel, SaysThatThePeerIsGoneAfterItsLastMessage) {
  auto [first, second] = memory_channels();
  ASSERT_TRUE(first->send(MessageType::tags, as_bytes("1")).has_value());
  first.reset();
  EXPECT_EQ(second->receive(MessageType::tags, 1), to_bytes("1"));
  EXPECT_EQ(second->receive(MessageType::tags, 1).error().code, Errc::peer_gone);
  EXPECT_TRUE(second->send(MessageType::tags, {}).has_value());
}

TEST(MemoryChannel, GivesUpWaitingAtItsDeadline) {
  auto [first, second] = memory_channels(kSoon);
  EXPECT_EQ(second->receive(MessageType::tags, 1).error().code, Errc::peer_gone);
}

TEST(MemoryChannel, WakesAWaitingReceiver) {
  auto [first, second] = memory_channels();
  std::thread sender([&channel = first] { EXPECT_TRUE(channel->send(MessageType::tags, as_bytes("1")).has_value()); });
  EXPECT_EQ(second->receive(MessageType::tags, 1), to_bytes("1"));
  sender.join();
}

TEST(MemoryChannel, CountsARoundWhenItWaitsAfterHavingSent) {
  auto [first, second] = memory_channels();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(second->send(MessageType::tags, {}).has_value());
  ASSERT_TRUE(first->receive(MessageType::tags, 0).has_value());
  EXPECT_EQ(first->rounds(), 0u);
  ASSERT_TRUE(first->send(MessageType::tags, {}).has_value());
  ASSERT_TRUE(first->send(MessageType::tags, {}).has_value());
  ASSERT_TRUE(first->receive(MessageType::tags, 0).has_value());
  ASSERT_TRUE(first->receive(MessageType::tags, 0).has_value());
  EXPECT_EQ(first->rounds(), 1u);
}

}  // namespace
}  // namespace parley::psi
