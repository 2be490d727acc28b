// Connections that say nothing.
#include "attacks/attacker.h"

namespace parley::wire {
namespace {

class PortScanner : public Attack {};

TEST_F(PortScanner, ThatClosesAtOnceIsNoted) {
  const Error refusal = refusal_of([](const std::string& address) { dial(address); });
  EXPECT_EQ(refusal.code, Errc::peer_gone);
  EXPECT_THAT(refusal.message, testing::HasSubstr("without a word"));
}

TEST_F(PortScanner, ThatResetsTheConnectionIsNoted) {
  const Error refusal = refusal_of([](const std::string& address) {
    const FileDescriptor attacker = dial(address);
    const linger at_once{1, 0};
    ::setsockopt(attacker.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  });
  EXPECT_EQ(refusal.code, Errc::peer_gone);
  EXPECT_THAT(refusal.message, testing::HasSubstr("without a word"));
}

TEST_F(PortScanner, ThatBreaksOffInTheMiddleIsNoted) {
  const Error refusal = refusal_of([](const std::string& address) {
    const FileDescriptor attacker = dial(address);
    say(attacker, std::string_view("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11));
  });
  EXPECT_EQ(refusal.code, Errc::peer_gone);
  EXPECT_THAT(refusal.message, testing::HasSubstr("in the middle"));
}

}  // namespace
}  // namespace parley::wire
