// A member whose node sends what the frame format forbids, before and after the Hello.
#include "attacks/attacker.h"

namespace parley::wire {
namespace {

class BadFrame : public Attack {
 protected:
  /// What becomes of a link whose other end sends `bytes` after a proper opening.
  Error end_of_link_after(const Bytes& bytes) {
    auto served = members_.serve();
    RawTls attacker(members_.listener.address(), &members_.bravo.tls_seed);
    EXPECT_TRUE(attacker.handshake());
    attacker.write_frame(FrameType::hello_c, as_bytes(good_hello(attacker.exporter())));
    const LinkResult link = served.get();
    if (!link) return link.error();
    attacker.write(bytes);
    const auto frame = (*link)->receive(soon());
    EXPECT_FALSE(frame.has_value());
    return frame ? Error{} : frame.error();
  }
};

TEST_F(BadFrame, AnnouncingFourGigabytesInPlaceOfTheHelloIsRefused) {
  const Error refusal = refusal_of([&](const std::string& address) {
    RawTls attacker(address, &members_.bravo.tls_seed);
    ASSERT_TRUE(attacker.handshake());
    attacker.write(*from_hex("ffffffff02"));
    while (attacker.read_frame()) continue;
  });
  EXPECT_EQ(refusal.code, Errc::protocol);
  EXPECT_THAT(refusal.message, testing::HasSubstr("4294967295 bytes"));
}

TEST_F(BadFrame, LongerThanAHelloMayBeIsRefusedBeforeTheHello) {
  const Error refusal = refusal_of([&](const std::string& address) {
    RawTls attacker(address, &members_.bravo.tls_seed);
    ASSERT_TRUE(attacker.handshake());
    attacker.write(*from_hex("0000100202"));
    while (attacker.read_frame()) continue;
  });
  EXPECT_EQ(refusal.code, Errc::protocol);
}

TEST_F(BadFrame, EndsTheLink) {
  const std::pair<const char*, const char*> heads[] = {
      {"0010000109", "1048577 bytes"},  {"ffffffff09", "4294967295 bytes"}, {"0000000009", "without a type"},
      {"0000000100", "unknown type 0"}, {"0000000110", "unknown type 16"},  {"00000001ff", "unknown type 255"},
      {"0000000101", "second Hello"},   {"0000000102", "second Hello"}};
  for (const auto& [head, said] : heads) {
    const Error end = end_of_link_after(*from_hex(head));
    EXPECT_EQ(end.code, Errc::protocol) << head;
    EXPECT_THAT(end.message, testing::HasSubstr(said)) << head;
    EXPECT_EQ(end.where, "peer-bravo") << head;
  }
}

}  // namespace
}  // namespace parley::wire
