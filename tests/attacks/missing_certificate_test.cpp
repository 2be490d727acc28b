// A TLS client that shows no certificate.
#include "attacks/attacker.h"

namespace parley::wire {
namespace {

class MissingCertificate : public Attack {};

TEST_F(MissingCertificate, IsRefused) {
  const Error refusal = refusal_of([](const std::string& address) {
    RawTls attacker(address, nullptr);
    attacker.handshake();
    EXPECT_EQ(attacker.read_frame(), std::nullopt);
  });
  EXPECT_EQ(refusal.code, Errc::peer_unknown);
  EXPECT_THAT(refusal.message, testing::HasSubstr("no certificate"));
}

}  // namespace
}  // namespace parley::wire
