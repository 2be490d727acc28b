// Clients that hold a connection by being slow: the time limit counts from the first byte to the last Hello.
#include <thread>

#include "attacks/attacker.h"

namespace parley::wire {
namespace {

constexpr Limits kShort{.handshake = std::chrono::milliseconds(400)};
constexpr std::chrono::milliseconds kPatience = std::chrono::seconds(5);

class SlowLoris : public Attack {
 protected:
  /// How long alpha bore with the attacker.
  template <typename Act>
  std::chrono::milliseconds time_of(Act act, Error& refusal) {
    const auto start = Monotonic::now();
    refusal = refusal_of(act, kShort);
    return std::chrono::duration_cast<std::chrono::milliseconds>(Monotonic::now() - start);
  }
};

TEST(TimeLimit, OfTheHandshakeIsTenSecondsUnlessATestSaysOtherwise) {
  EXPECT_EQ(Limits{}.handshake, std::chrono::seconds(10));
}

TEST_F(SlowLoris, ThatSaysNothingIsCutOff) {
  Error refusal;
  const auto time = time_of(
      [](const std::string& address) {
        const FileDescriptor attacker = dial(address);
        std::byte answer;
        EXPECT_EQ(::recv(attacker.get(), &answer, 1, 0), 0);
      },
      refusal);
  EXPECT_EQ(refusal.code, Errc::peer_gone);
  EXPECT_THAT(refusal.message, testing::HasSubstr("Too slow"));
  EXPECT_LT(time, kPatience);
}

TEST_F(SlowLoris, ThatSendsAByteNowAndThenIsCutOff) {
  Error refusal;
  const auto time = time_of(
      [](const std::string& address) {
        const FileDescriptor attacker = dial(address);
        // The head of a TLS record of 512 bytes, then one byte every 20 ms.
        say(attacker, std::string_view("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11));
        while (::send(attacker.get(), "x", 1, MSG_NOSIGNAL) == 1) {
          pollfd closed{attacker.get(), POLLIN, 0};
          if (::poll(&closed, 1, 20) > 0) break;
        }
      },
      refusal);
  EXPECT_EQ(refusal.code, Errc::peer_gone);
  EXPECT_THAT(refusal.message, testing::HasSubstr("Too slow"));
  EXPECT_LT(time, kPatience);
}

TEST_F(SlowLoris, WithAPinnedKeyThatNeverSendsItsHelloIsCutOff) {
  Error refusal;
  const auto time = time_of(
      [&](const std::string& address) {
        RawTls attacker(address, &members_.bravo.tls_seed);
        ASSERT_TRUE(attacker.handshake());
        EXPECT_EQ(attacker.read_frame()->type, FrameType::hello_s);
        EXPECT_EQ(attacker.read_frame(), std::nullopt);
      },
      refusal);
  EXPECT_EQ(refusal.code, Errc::peer_gone);
  EXPECT_THAT(refusal.message, testing::HasSubstr("Hello"));
  EXPECT_THAT(refusal.message, testing::HasSubstr("peer-bravo"));
  EXPECT_LT(time, kPatience);
}

TEST_F(SlowLoris, WithAPinnedKeyThatSendsItsHelloByteByByteIsCutOff) {
  Error refusal;
  const auto time = time_of(
      [&](const std::string& address) {
        RawTls attacker(address, &members_.bravo.tls_seed);
        ASSERT_TRUE(attacker.handshake());
        const std::string hello = good_hello(attacker.exporter());
        attacker.write(frame_head(FrameType::hello_c, hello.size()));
        for (const std::byte byte : as_bytes(hello)) {
          if (!attacker.write({&byte, 1})) break;
          std::this_thread::sleep_for(std::chrono::milliseconds(20));  // its slowness is the attack
        }
      },
      refusal);
  EXPECT_EQ(refusal.code, Errc::peer_gone);
  EXPECT_LT(time, kPatience + std::chrono::seconds(10));
}

}  // namespace
}  // namespace parley::wire
