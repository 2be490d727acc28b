// Who knocks again and again: what it gets, and how much of it stands in the log.
#include <gtest/gtest.h>

#include "node/doorman.h"

namespace parley::node {
namespace {

// A connection that fails its handshake. @return what was said at its arrival
std::optional<std::string> knock(Doorman& doorman, const std::string& host) {
  const auto why = doorman.refuse_arrival(host);
  if (!why) {
    doorman.handshake_done(host, true);
    doorman.connection_closed();
  }
  return why;
}

TEST(DoormanInAFlood, SaysWhyOnceAMinuteSoThatTheLogCannotBeFilled) {
  Doorman doorman;
  int said = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto why = knock(doorman, "192.0.2.1");
    if (why && !why->empty()) ++said;
  }
  EXPECT_EQ(said, 1);
}

TEST(DoormanInAFlood, TakesAllAddressesOfAnIpv6NetworkForOneHost) {
  Doorman doorman;
  for (std::size_t i = 0; i < kMaxRefusalsPerMinute; ++i)
    EXPECT_FALSE(knock(doorman, "2001:db8::" + std::to_string(i + 1)));
  EXPECT_TRUE(knock(doorman, "2001:db8::ffff"));
  EXPECT_FALSE(knock(doorman, "2001:db8:0:1::1"));
}

TEST(DoormanInAFlood, DoesNotLetAPeerComeAgainWithoutEnd) {
  Doorman doorman;
  for (std::size_t i = 0; i < kMaxLinksPerPeerPerMinute; ++i) {
    ASSERT_TRUE(doorman.admit_peer("bravo")) << i;
    doorman.peer_left("bravo");
  }
  EXPECT_FALSE(doorman.admit_peer("bravo"));
  EXPECT_TRUE(doorman.admit_peer("charlie"));
}

}  // namespace
}  // namespace parley::node
