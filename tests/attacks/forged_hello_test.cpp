// A stolen TLS key without the node key: the Hello is signed by somebody else.
#include "attacks/attacker.h"

namespace parley::wire {
namespace {

class ForgedHello : public Attack {
 protected:
  Error refusal_of_frame(FrameType type, const std::function<std::string(const Digest&)>& payload_of) {
    return refusal_of([&](const std::string& address) {
      RawTls attacker(address, &members_.bravo.tls_seed);
      ASSERT_TRUE(attacker.handshake());
      attacker.write_frame(type, as_bytes(payload_of(attacker.exporter())));
      while (attacker.read_frame()) continue;
    });
  }
};

TEST_F(ForgedHello, SignedByAnotherKeyIsRefused) {
  LocalIdentity impostor = members_.bravo.clone();
  impostor.node_seed = random_secret<32>();
  const Error refusal = refusal_of_frame(FrameType::hello_c, [&](const Digest& exporter) {
    return make_hello(impostor, Side::client, "alpha", exporter, wall_clock_now());
  });
  EXPECT_EQ(refusal.code, Errc::signature);
  EXPECT_THAT(refusal.message, testing::HasSubstr("peer-bravo"));
}

TEST_F(ForgedHello, SignedByTheTlsKeyIsRefused) {
  LocalIdentity impostor = members_.bravo.clone();
  impostor.node_seed = members_.bravo.tls_seed.clone();
  const Error refusal = refusal_of_frame(FrameType::hello_c, [&](const Digest& exporter) {
    return make_hello(impostor, Side::client, "alpha", exporter, wall_clock_now());
  });
  EXPECT_EQ(refusal.code, Errc::signature);
}

TEST_F(ForgedHello, ThatIsNoNoteIsRefused) {
  for (const std::string& text :
       {std::string(), std::string("hello"), std::string("parley/hello/v1\n{}\n\n"), std::string(4000, '\n')}) {
    EXPECT_EQ(refusal_of_frame(FrameType::hello_c, [&](const Digest&) { return text; }).code, Errc::format)
        << text.substr(0, 40);
  }
}

TEST_F(ForgedHello, InAFrameOfAnotherTypeIsRefused) {
  for (const FrameType type :
       {FrameType::hello_s, FrameType::step, FrameType::psi_data, FrameType::ping, FrameType::bye}) {
    EXPECT_EQ(refusal_of_frame(type, [&](const Digest& exporter) { return good_hello(exporter); }).code,
              Errc::protocol);
  }
}

}  // namespace
}  // namespace parley::wire
