// A Hello recorded on one connection and used on another.
#include "attacks/attacker.h"

namespace parley::wire {
namespace {

class ReplayedHello : public Attack {
 protected:
  /// What alpha says of a client with bravo's TLS key that sends `hello_of(exporter, alpha's Hello)`.
  template <typename HelloOf>
  Error refusal_of_hello(HelloOf hello_of) {
    return refusal_of([&](const std::string& address) {
      RawTls attacker(address, &members_.bravo.tls_seed);
      ASSERT_TRUE(attacker.handshake());
      const auto hello_s = attacker.read_frame();
      ASSERT_TRUE(hello_s.has_value());
      attacker.write_frame(FrameType::hello_c,
                           as_bytes(hello_of(attacker.exporter(), std::string(as_text(hello_s->payload)))));
      const auto answer = attacker.read_frame();
      EXPECT_TRUE(!answer || answer->type == FrameType::err);
    });
  }
};

TEST_F(ReplayedHello, FromAnotherConnectionIsRefused) {
  std::string recorded;
  {
    auto served = members_.serve();
    RawTls honest(members_.listener.address(), &members_.bravo.tls_seed);
    ASSERT_TRUE(honest.handshake());
    recorded = good_hello(honest.exporter());
    honest.write_frame(FrameType::hello_c, as_bytes(recorded));
    const LinkResult link = served.get();
    ASSERT_TRUE(link.has_value()) << "on its own connection it is good";
    (*link)->shut_down();
  }
  const Error refusal = refusal_of_hello([&](const Digest&, const std::string&) { return recorded; });
  EXPECT_EQ(refusal.code, Errc::protocol);
  EXPECT_THAT(refusal.message, testing::HasSubstr("another connection"));
}

TEST_F(ReplayedHello, OfTheServerSentBackToItIsRefused) {
  const Error refusal = refusal_of_hello([](const Digest&, const std::string& hello_s) { return hello_s; });
  EXPECT_EQ(refusal.code, Errc::signature) << "it is signed by alpha, not by bravo";
}

TEST_F(ReplayedHello, MadeForAnotherMemberIsRefused) {
  const Error refusal = refusal_of_hello([&](const Digest& exporter, const std::string&) {
    return make_hello(members_.bravo, Side::client, "carol", exporter, wall_clock_now());
  });
  EXPECT_EQ(refusal.code, Errc::protocol);
  EXPECT_THAT(refusal.message, testing::HasSubstr("carol"));
}

TEST_F(ReplayedHello, OfTheOtherRoleIsRefused) {
  const Error refusal = refusal_of_hello([&](const Digest& exporter, const std::string&) {
    return make_hello(members_.bravo, Side::server, "alpha", exporter, wall_clock_now());
  });
  EXPECT_EQ(refusal.code, Errc::protocol);
}

}  // namespace
}  // namespace parley::wire
