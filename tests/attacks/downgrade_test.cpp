// A client, or somebody between, that offers nothing newer than TLS 1.2.
#include "attacks/attacker.h"

namespace parley::wire {
namespace {

class Downgrade : public Attack {};

TEST_F(Downgrade, IsRefusedEvenWithAPinnedKey) {
  const Error refusal = refusal_of([&](const std::string& address) {
    RawTls attacker(address, &members_.bravo.tls_seed, TLS1_2_VERSION);
    EXPECT_FALSE(attacker.handshake());
  });
  EXPECT_EQ(refusal.code, Errc::protocol);
  EXPECT_THAT(refusal.message, testing::AllOf(testing::HasSubstr("TLS 1.2"), testing::HasSubstr("downgrade")));
}

TEST_F(Downgrade, OfAnOldClientHelloIsRefusedAndNamed) {
  // A minimal TLS 1.0 ClientHello: version 3.1, no session, one suite, no compression, no extensions.
  std::string hello("\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x01", 11);
  hello += std::string(32, 'r') + std::string("\x00\x00\x02\x00\x2f\x01\x00", 7);
  const Error refusal = refusal_of([&](const std::string& address) {
    const FileDescriptor attacker = dial(address);
    say(attacker, hello);
    std::byte answer[64];
    while (::recv(attacker.get(), answer, sizeof answer, 0) > 0) continue;
  });
  EXPECT_EQ(refusal.code, Errc::protocol);
  EXPECT_THAT(refusal.message, testing::HasSubstr("TLS 1.0"));
}

}  // namespace
}  // namespace parley::wire
