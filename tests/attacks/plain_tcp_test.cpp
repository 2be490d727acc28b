// Clients that do not speak TLS at all.
#include "attacks/attacker.h"

namespace parley::wire {
namespace {

class PlainTcp : public Attack {};

TEST_F(PlainTcp, IsRefusedAndWhatItSaidIsShownSafely) {
  const struct {
    std::string said;
    const char* protocol;
    const char* shown;
  } visitors[] = {{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP", "GET / HTTP/1.1\\x0d\\x0a"},
                  {"SSH-2.0-OpenSSH_9.2\r\n", "SSH", "SSH-2.0-OpenSSH_9.2"},
                  {std::string("\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08", 14), "RDP", "\\x03\\x00"},
                  {"EHLO scanner.example\r\n", "SMTP", "EHLO scanner.example"},
                  {"\x1b]0;owned\x07\x1b[2J hello there\n", "something else", "\\x1b]0;owned\\x07\\x1b[2J"}};
  for (const auto& visitor : visitors) {
    const Error refusal = refusal_of([&](const std::string& address) {
      const FileDescriptor attacker = dial(address);
      say(attacker, visitor.said);
      std::byte answer[64];
      while (::recv(attacker.get(), answer, sizeof answer, 0) > 0) continue;
    });
    EXPECT_EQ(refusal.code, Errc::protocol) << visitor.said;
    EXPECT_THAT(refusal.message,
                testing::AllOf(testing::HasSubstr(visitor.protocol), testing::HasSubstr(visitor.shown)));
    EXPECT_EQ(refusal.message.find('\x1b'), std::string::npos) << "no control character reaches the log";
    EXPECT_LT(refusal.message.size(), 400u);
  }
}

TEST_F(PlainTcp, FollowedByMegabytesIsCutOff) {
  const Error refusal = refusal_of([](const std::string& address) {
    const FileDescriptor attacker = dial(address);
    const std::string flood(1 << 16, 'A');
    ssize_t sent = 1;
    for (int i = 0; i < 1000 && sent > 0; ++i) sent = ::send(attacker.get(), flood.data(), flood.size(), MSG_NOSIGNAL);
    EXPECT_LT(sent, 0) << "64 MB were taken from a stranger";
  });
  EXPECT_EQ(refusal.code, Errc::protocol);
}

}  // namespace
}  // namespace parley::wire
