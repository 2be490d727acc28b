#include "wire/address.h"

#include <gtest/gtest.h>

#include "wire/two_members.h"

namespace parley::wire {
namespace {

TEST(Address, IsHostAndPort) {
  const struct {
    const char* text;
    const char* host;
    const char* port;
  } cases[] = {{"127.0.0.1:7443", "127.0.0.1", "7443"},
               {"alpha.example:1", "alpha.example", "1"},
               {"[::1]:65535", "::1", "65535"},
               {"[2001:db8::1]:0", "2001:db8::1", "0"},
               {"localhost:07443", "localhost", "7443"}};
  for (const auto& c : cases) {
    const auto address = parse_address(c.text);
    ASSERT_TRUE(address.has_value()) << c.text;
    EXPECT_EQ(address->host, c.host);
    EXPECT_EQ(address->port, c.port);
  }
}

TEST(Address, IsRefusedInAnyOtherForm) {
  for (const std::string& text : {std::string(),
                                  std::string(":"),
                                  std::string("host"),
                                  std::string("host:"),
                                  std::string(":7443"),
                                  std::string("host:x"),
                                  std::string("host:-1"),
                                  std::string("host:+1"),
                                  std::string("host:65536"),
                                  std::string("host:7443x"),
                                  std::string("host: 7443"),
                                  std::string("ho st:7443"),
                                  std::string("ho\nst:7443"),
                                  std::string("::1:7443"),
                                  std::string("[]:7443"),
                                  std::string("[::1]"),
                                  std::string("[::1:7443"),
                                  std::string("::1]:7443"),
                                  std::string("https://host:7443"),
                                  std::string("h\xc3\xb6st:7443"),
                                  std::string(300, 'h') + ":1"}) {
    const auto address = parse_address(text);
    ASSERT_FALSE(address.has_value()) << testing::PrintToString(text);
    EXPECT_EQ(address.error().code, Errc::usage);
  }
}

TEST(Address, ThatOthersAreToCallHasAPort) {
  EXPECT_TRUE(parse_callable_address("127.0.0.1:7443").has_value());
  for (const char* text : {"127.0.0.1:0", "[::1]:00000", "127.0.0.1", "127.0.0.1:65536"}) {
    const auto address = parse_callable_address(text);
    ASSERT_FALSE(address.has_value()) << text;
    EXPECT_EQ(address.error().code, Errc::usage);
  }
}

TEST(Address, WhereNobodyListensIsSaidToBeSilent) {
  std::string address;
  {
    const Listener closed_at_once;
    address = closed_at_once.address();
  }
  const auto socket = connect_tcp(address, soon());
  ASSERT_FALSE(socket.has_value());
  EXPECT_EQ(socket.error().code, Errc::peer_gone);
  EXPECT_EQ(socket.error().where, address);
}

TEST(Address, WhoseNameDoesNotExistIsSaidToBeUnknown) {
  const auto socket = connect_tcp("nobody.invalid:7443", soon());  // RFC 6761 6.4
  ASSERT_FALSE(socket.has_value());
  EXPECT_EQ(socket.error().code, Errc::peer_gone);
}

}  // namespace
}  // namespace parley::wire
