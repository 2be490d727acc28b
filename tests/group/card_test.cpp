#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/encoding.h"
#include "base/random.h"
#include "crypto/ed25519.h"
#include "group/card_rules.h"
#include "log/note.h"

namespace parley::group {
namespace {

using testing::HasSubstr;

MemberSeeds random_seeds() {
  return {random_secret<32>(), random_secret<32>(), random_secret<32>(), random_secret<32>(), random_secret<32>()};
}

class CardTest : public testing::Test {
 protected:
  /// The card's object, for tests that change one thing and sign again.
  log::Json::Object object() const {
    return *log::read_object_unverified(*log::parse_note(note_), "parley/card/v1", kMaxCardBytes)->object();
  }
  std::string signed_again(const log::Json::Object& object) const {
    return log::sign_object("parley/card/v1", object, "parley.local/m/alpha-cert/id", seeds_.id);
  }
  std::string with(const char* key, log::Json value) const {
    log::Json::Object changed = object();
    changed.insert_or_assign(key, std::move(value));
    return signed_again(changed);
  }
  static std::string vkey(const char* name, log::KeyType type, const Secret<32>& seed) {
    return log::vkey_of(name, type, seed).text();
  }

  const MemberSeeds seeds_ = random_seeds();
  const std::string note_ = make_card("Alpha CERT", "alpha-cert", seeds_, 1790000000);
};

TEST_F(CardTest, IsReadFromItsNoteAndFromItsLine) {
  const auto from_note = read_card(note_);
  ASSERT_TRUE(from_note.has_value()) << from_note.error().text();
  EXPECT_EQ(from_note->name, "Alpha CERT");
  EXPECT_EQ(from_note->nick, "alpha-cert");
  EXPECT_EQ(from_note->created, 1790000000);
  EXPECT_EQ(from_note->tls_key, crypto::public_key_of(seeds_.tls));
  EXPECT_EQ(from_note->note, note_);
  EXPECT_THAT(from_note->line(), testing::StartsWith("parley-card1:"));
  for (const std::string& line : {from_note->line(), from_note->line() + "\n", "  " + from_note->line() + "\r\n"}) {
    const auto from_line = read_card(line);
    ASSERT_TRUE(from_line.has_value()) << from_line.error().text();
    EXPECT_EQ(from_line->note, note_);
  }
}

TEST_F(CardTest, TellsWireWhatToPin) {
  const auto card = read_card(note_);
  const wire::PinnedPeer peer = pinned("friends", *card);
  EXPECT_EQ(peer.name, "friends");
  EXPECT_EQ(peer.nick, "alpha-cert");
  EXPECT_EQ(peer.node_vkey, vkey("parley.local/m/alpha-cert/node", log::KeyType::ed25519, seeds_.node));
  EXPECT_EQ(peer.tls_key, crypto::public_key_of(seeds_.tls));
}

TEST(Fingerprint, IsThatOfTheVectors) {
  Card card;
  card.note = "parley";  // tests/vectors/log/vectors.json, fingerprint_of_bytes_parley
  EXPECT_EQ(card.fingerprint(), "tt4x-zkd2-9scs-254d-2szd-6k5c-y3c3-wb04");
}

TEST_F(CardTest, WithAnyBitFlippedIsRefused) {
  for (std::size_t bit = 0; bit < 8 * note_.size(); ++bit) {
    std::string altered = note_;
    altered[bit / 8] = static_cast<char>(altered[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(read_card(altered).has_value()) << "bit " << bit;
  }
}

TEST_F(CardTest, WhoseLineIsDamagedIsRefused) {
  const std::string line = read_card(note_)->line();
  for (const std::string& damaged :
       {line.substr(0, line.size() - 1), line.substr(0, line.size() / 2), line + "A", line + "=",
        "parley-card2:" + line.substr(13), line.substr(13), "x" + line, line.substr(0, 100) + "\n" + line.substr(100),
        line.substr(0, 100) + " " + line.substr(100), std::string("parley-card1:"), std::string(),
        std::string("parley-card1:") + std::string(100'000, 'A'), std::string(100'000, 'A')}) {
    EXPECT_FALSE(read_card(damaged).has_value()) << damaged.substr(0, 120);
  }
}

TEST_F(CardTest, OfAnotherShapeIsRefusedThoughSigned) {
  using log::Json;
  using log::KeyType;
  ASSERT_TRUE(read_card(with("contact", "soc@alpha.example")).has_value());
  ASSERT_TRUE(read_card(with("endpoint", Json::Array{"alpha.example:7443", "[2001:db8::1]:7443"})).has_value());
  Json::Array too_many;
  for (int i = 0; i < 9; ++i) too_many.emplace_back("alpha.example:7443");
  const std::pair<const char*, Json> changes[] = {
      {"v", 2},
      {"v", "1"},
      {"extra", 1},
      {"name", ""},
      {"name", std::string(65, 'x')},
      {"name", " padded"},
      {"name", "a\nb"},
      {"name",
       "a\xe2\x80\xae"
       "b"},
      {"name", 5},
      {"nick", ""},
      {"nick", "Alpha"},
      {"nick", "alpha_cert"},
      {"nick", std::string(33, 'a')},
      {"nick", "bravo"},
      {"nick", "a/b"},
      {"created", -1},
      {"created", "now"},
      {"contact", std::string(257, 'x')},
      {"contact", "a\x1b[2Jb"},
      {"endpoint", "alpha.example:7443"},
      {"endpoint", Json::Array{"no port"}},
      {"endpoint", Json::Array{5}},
      {"endpoint", too_many},
      {"tls", to_base64(Bytes(31))},
      {"tls", to_base64(Bytes(32))},
      // one key for two uses
      {"tls", to_base64(crypto::public_key_of(seeds_.node))},
      {"node", vkey("parley.local/m/alpha-cert/node", KeyType::ed25519, seeds_.log)},
      {"cosign", vkey("parley.local/m/alpha-cert/mirror", KeyType::cosignature, seeds_.log)},
      // names and kinds that are not theirs
      {"node", vkey("parley.local/m/bravo/node", KeyType::ed25519, seeds_.node)},
      {"node", vkey("other.example/m/alpha-cert/node", KeyType::ed25519, seeds_.node)},
      {"log", vkey("parley.local/m/alpha-cert/log", KeyType::ed25519, seeds_.log)},
      {"node", vkey("parley.local/m/alpha-cert/node", KeyType::cosignature, seeds_.node)},
      {"cosign", vkey("parley.local/m/alpha-cert/mirror", KeyType::ed25519, seeds_.cosign)},
      {"node", "not a key"},
      // a member that claims another's identity
      {"id", vkey("parley.local/m/alpha-cert/id", KeyType::ed25519, random_secret<32>())},
  };
  for (const auto& [key, value] : changes)
    EXPECT_FALSE(read_card(with(key, value)).has_value()) << key << " " << testing::PrintToString(value.text());
}

TEST_F(CardTest, WithoutOneOfItsFieldsIsRefused) {
  for (const auto& [key, value] : object()) {
    log::Json::Object changed = object();
    changed.erase(key);
    EXPECT_FALSE(read_card(signed_again(changed)).has_value()) << key;
  }
}

TEST_F(CardTest, NamingAWeakKeyIsRefusedAsSuch) {
  ByteArray<32> weak{};
  weak[0] = std::byte{1};
  const auto tls = read_card(with("tls", to_base64(weak)));
  ASSERT_FALSE(tls.has_value());
  EXPECT_EQ(tls.error().code, Errc::key_weak);
  const log::VerifierKey node{"parley.local/m/alpha-cert/node", log::KeyType::ed25519, weak};
  const auto vkeys = read_card(with("node", node.text()));
  ASSERT_FALSE(vkeys.has_value());
  EXPECT_EQ(vkeys.error().code, Errc::key_weak);
}

TEST_F(CardTest, SignedByAnotherKeyIsRefusedAsForged) {
  const auto forged =
      read_card(log::sign_object("parley/card/v1", object(), "parley.local/m/alpha-cert/id", random_secret<32>()));
  ASSERT_FALSE(forged.has_value());
  EXPECT_EQ(forged.error().code, Errc::signature);
  const auto by_node =
      read_card(log::sign_object("parley/card/v1", object(), "parley.local/m/alpha-cert/node", seeds_.node));
  ASSERT_FALSE(by_node.has_value());
  EXPECT_EQ(by_node.error().code, Errc::signature);
}

TEST_F(CardTest, WithTwoSignaturesIsRefused) {
  const std::string other = log::sign_object("parley/card/v1", object(), "parley.local/m/alpha-cert/node", seeds_.node);
  EXPECT_FALSE(read_card(note_ + other.substr(other.find("— "))).has_value());
}

TEST(Nick, IsMadeFromTheName) {
  const std::pair<const char*, const char*> cases[] = {
      {"Alpha CERT", "alpha-cert"},
      {"alpha", "alpha"},
      {"  A  B  ", "a-b"},
      {"CERT.br / São Paulo", "cert-br-s-o-paulo"},
      {"--x--", "x"},
      {"24/7 SOC!", "24-7-soc"},
      {"abcdefghijklmnopqrstuvwxyz 0123456789", "abcdefghijklmnopqrstuvwxyz-01234"},
      {"abcdefghijklmnopqrstuvwxyz01234 x", "abcdefghijklmnopqrstuvwxyz01234"}};
  for (const auto& [name, nick] : cases) {
    const auto made = nick_for(name);
    ASSERT_TRUE(made.has_value()) << name;
    EXPECT_EQ(*made, nick) << name;
    EXPECT_TRUE(is_nick(*made)) << name;
  }
}

TEST(Nick, CannotBeMadeFromNothing) {
  for (const char* name : {"", " ", "---", "\xe4\xb8\xad\xe6\x96\x87", "!?"}) {
    const auto made = nick_for(name);
    ASSERT_FALSE(made.has_value()) << name;
    EXPECT_EQ(made.error().code, Errc::usage);
  }
}

TEST(MemberName, IsRefusedWhenItWouldDeceive) {
  EXPECT_TRUE(check_name("Équipe Ωmega 24/7").has_value());
  for (const std::string& name :
       {std::string(), std::string(65, 'a'), std::string("a\tb"), std::string("a\x1b[31m"), std::string("a\0b", 3),
        std::string("a\xff"), std::string("a\xe2\x80\x8b"), std::string(" a"), std::string("a ")}) {
    EXPECT_FALSE(check_name(name).has_value()) << testing::PrintToString(name);
  }
}

}  // namespace
}  // namespace parley::group
