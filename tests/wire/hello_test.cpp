#include "wire/hello.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/encoding.h"
#include "wire/two_members.h"

namespace parley::wire {
namespace {

constexpr UnixSeconds kThen = 1790000000;

class Hello : public testing::Test {
 protected:
  const LocalIdentity alpha_ = make_identity("alpha");
  const LocalIdentity bravo_ = make_identity("bravo");
  const Digest exporter_ = random_bytes<32>();
};

TEST_F(Hello, OfEitherSideIsTakenByTheOther) {
  const std::string server = make_hello(alpha_, Side::server, "bravo", exporter_, kThen);
  EXPECT_EQ(check_hello(server, pin(alpha_), Side::server, "bravo", exporter_), kThen) << "what its clock showed";
  const std::string client = make_hello(bravo_, Side::client, "alpha", exporter_, kThen);
  EXPECT_TRUE(check_hello(client, pin(bravo_), Side::client, "alpha", exporter_).has_value());
}

TEST_F(Hello, IsRefusedOutOfItsPlace) {
  const std::string hello = make_hello(alpha_, Side::server, "bravo", exporter_, kThen);
  Digest other_connection = exporter_;
  other_connection[31] ^= std::byte{1};
  PinnedPeer other_nick = pin(alpha_);
  other_nick.nick = "alfa";
  const struct {
    const char* what;
    Result<UnixSeconds> status;
    Errc code;
  } cases[] = {
      {"replayed on another connection", check_hello(hello, pin(alpha_), Side::server, "bravo", other_connection),
       Errc::protocol},
      {"sent back to its maker's side", check_hello(hello, pin(alpha_), Side::client, "bravo", exporter_),
       Errc::protocol},
      {"forwarded to somebody else", check_hello(hello, pin(alpha_), Side::server, "carol", exporter_), Errc::protocol},
      {"from another nick than pinned", check_hello(hello, other_nick, Side::server, "bravo", exporter_),
       Errc::protocol},
      {"signed by another member", check_hello(hello, pin(bravo_), Side::server, "bravo", exporter_), Errc::signature},
  };
  for (const auto& c : cases) {
    ASSERT_FALSE(c.status.has_value()) << c.what;
    EXPECT_EQ(c.status.error().code, c.code) << c.what << ": " << c.status.error().text();
  }
}

TEST_F(Hello, IsRefusedWithAnythingElseInIt) {
  const std::string exporter = to_base64(exporter_);
  const auto signed_hello = [&](log::Json::Object changes) {
    log::Json::Object hello{
        {"charter", ""}, {"exporter", exporter}, {"from", "alpha"}, {"group", ""}, {"ring", log::Json::Array{}},
        {"role", "s"},   {"time", kThen},        {"to", "bravo"},   {"v", 1}};
    for (auto& [key, value] : changes) hello.insert_or_assign(key, value);
    return log::sign_object("parley/hello/v1", hello, alpha_.node_key_name, alpha_.node_seed);
  };
  ASSERT_TRUE(check_hello(signed_hello({}), pin(alpha_), Side::server, "bravo", exporter_).has_value());
  const std::pair<const char*, log::Json> changes[] = {{"charter", "00"},
                                                       {"group", "7d1f3c90"},
                                                       {"ring", log::Json::Array{"x"}},
                                                       {"role", "c"},
                                                       {"role", ""},
                                                       {"time", -1},
                                                       {"time", "now"},
                                                       {"v", 2},
                                                       {"v", 0},
                                                       {"extra", 1},
                                                       {"exporter", "AAAA"},
                                                       {"from", std::string(100, 'a')}};
  for (const auto& [key, value] : changes) {
    EXPECT_FALSE(check_hello(signed_hello({{key, value}}), pin(alpha_), Side::server, "bravo", exporter_).has_value())
        << key;
  }
}

TEST_F(Hello, IsRefusedWithAnyBitFlipped) {
  const std::string hello = make_hello(alpha_, Side::server, "bravo", exporter_, kThen);
  for (std::size_t bit = 0; bit < 8 * hello.size(); ++bit) {
    std::string altered = hello;
    altered[bit / 8] = static_cast<char>(altered[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(check_hello(altered, pin(alpha_), Side::server, "bravo", exporter_).has_value()) << "bit " << bit;
  }
}

TEST_F(Hello, LongerThanItsLimitIsNotLookedAt) {
  const auto checked = check_hello(std::string(kMaxHelloBytes + 1, 'x'), pin(alpha_), Side::server, "bravo", exporter_);
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().code, Errc::limit);
}

// Frozen on the day the format was written down; Ed25519 signatures are deterministic.
TEST(HelloVector, HasTheFrozenBytes) {
  ByteArray<32> seed;
  seed.fill(std::byte{4});
  Digest exporter;
  for (std::size_t i = 0; i < exporter.size(); ++i) exporter[i] = static_cast<std::byte>(i);
  const LocalIdentity alpha{"alpha", "parley.local/m/alpha/node", Secret<32>(seed), Secret<32>(seed)};
  std::ifstream file(std::string(PARLEY_VECTORS) + "/wire/hello.txt", std::ios::binary);
  std::stringstream frozen;
  frozen << file.rdbuf();
  EXPECT_EQ(make_hello(alpha, Side::server, "bravo", exporter, kThen), frozen.str());
  EXPECT_TRUE(check_hello(frozen.str(), pin(alpha), Side::server, "bravo", exporter).has_value());
}

}  // namespace
}  // namespace parley::wire
