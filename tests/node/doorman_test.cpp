// How many may come in, and how often.
#include "node/doorman.h"

#include <gtest/gtest.h>

namespace parley::node {
namespace {

TEST(Doorman, KeepsASlowSourceFromTakingEveryPlace) {
  Doorman doorman;
  for (std::size_t i = 0; i < kMaxHandshakesPerHost; ++i) EXPECT_EQ(doorman.refuse_arrival("192.0.2.1"), std::nullopt);
  EXPECT_NE(doorman.refuse_arrival("192.0.2.1"), std::nullopt);
  EXPECT_EQ(doorman.refuse_arrival("192.0.2.2"), std::nullopt) << "another source has room";
  doorman.handshake_done("192.0.2.1", false);
  EXPECT_EQ(doorman.refuse_arrival("192.0.2.1"), std::nullopt) << "one handshake ended";
}

TEST(Doorman, TurnsAwayASourceThatWasRefusedTooOften) {
  Doorman doorman;
  for (std::size_t i = 0; i < kMaxRefusalsPerMinute; ++i) {
    ASSERT_EQ(doorman.refuse_arrival("192.0.2.1"), std::nullopt) << i;
    doorman.handshake_done("192.0.2.1", true);
    doorman.connection_closed();
  }
  EXPECT_NE(doorman.refuse_arrival("192.0.2.1"), std::nullopt);
  EXPECT_EQ(doorman.refuse_arrival("192.0.2.2"), std::nullopt);
}

TEST(Doorman, DoesNotCountAgainstASourceThatItWasLetIn) {
  Doorman doorman;
  for (std::size_t i = 0; i < 10 * kMaxRefusalsPerMinute; ++i) {
    ASSERT_EQ(doorman.refuse_arrival("192.0.2.1"), std::nullopt) << i;
    doorman.handshake_done("192.0.2.1", false);
    doorman.connection_closed();
  }
}

TEST(Doorman, LimitsAllConnectionsTogether) {
  Doorman doorman;
  for (std::size_t i = 0; i < kMaxConnections; ++i) {
    const std::string host = "192.0.2." + std::to_string(i);
    ASSERT_EQ(doorman.refuse_arrival(host), std::nullopt);
    doorman.handshake_done(host, false);
  }
  EXPECT_NE(doorman.refuse_arrival("198.51.100.1"), std::nullopt);
  doorman.connection_closed();
  EXPECT_EQ(doorman.refuse_arrival("198.51.100.1"), std::nullopt);
}

TEST(Doorman, LimitsTheLinksOfOnePeer) {
  Doorman doorman;
  for (std::size_t i = 0; i < kMaxLinksPerPeer; ++i) EXPECT_TRUE(doorman.admit_peer("bravo"));
  EXPECT_FALSE(doorman.admit_peer("bravo"));
  EXPECT_TRUE(doorman.admit_peer("charlie"));
  doorman.peer_left("bravo");
  EXPECT_TRUE(doorman.admit_peer("bravo"));
}

}  // namespace
}  // namespace parley::node
