#include "group/key_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace parley::group {
namespace {

using testing::HasSubstr;

class KeyFileTest : public testing::Test {
 protected:
  static KeyDerivation by_key_file() { return {KeyDerivation::Kind::key_file, {}, random_bytes<16>()}; }

  const Secret<32> key_ = random_secret<32>();
  const std::array<Secret<32>, 4> seeds_ = {random_secret<32>(), random_secret<32>(), random_secret<32>(),
                                            random_secret<32>()};
  const std::string text_ = seal_key_file("alpha", KeyRing::online, by_key_file(), key_, seeds_).text();

  std::string replaced(const std::string& what, const std::string& by) const {
    std::string text = text_;
    return text.replace(text.find(what), what.size(), by);
  }
};

TEST_F(KeyFileTest, IsReadWrittenBackAndOpened) {
  const auto file = parse_key_file(text_);
  ASSERT_TRUE(file.has_value()) << file.error().text();
  EXPECT_EQ(file->text(), text_);
  EXPECT_THAT(text_, testing::StartsWith(
                         "parley-secret-key/v1\nnick alpha\ngroup -\nroles node,log,cosign,tls\nkdf keyfile blake2b "));
  const auto seeds = open_key_file(*file, key_);
  ASSERT_TRUE(seeds.has_value()) << seeds.error().text();
  ASSERT_EQ(seeds->size(), seeds_.size());
  for (std::size_t i = 0; i < seeds_.size(); ++i) EXPECT_TRUE((*seeds)[i].equals(seeds_[i])) << i;
}

TEST_F(KeyFileTest, DoesNotOpenWithAnotherKey) {
  const auto seeds = open_key_file(*parse_key_file(text_), random_secret<32>());
  ASSERT_FALSE(seeds.has_value());
  EXPECT_EQ(seeds.error().code, Errc::passphrase);
}

TEST_F(KeyFileTest, DoesNotOpenWithAnyBitFlipped) {
  for (std::size_t bit = 0; bit < 8 * text_.size(); ++bit) {
    std::string altered = text_;
    altered[bit / 8] = static_cast<char>(altered[bit / 8] ^ (1 << (bit % 8)));
    const auto file = parse_key_file(altered);
    EXPECT_FALSE(file && open_key_file(*file, key_)) << "bit " << bit;
  }
}

TEST_F(KeyFileTest, IsRefusedWhenCutAnywhere) {
  for (std::size_t size = 0; size < text_.size(); ++size)
    EXPECT_FALSE(parse_key_file(text_.substr(0, size)).has_value()) << size;
}

TEST_F(KeyFileTest, IsTakenInItsExactFormOnly) {
  const std::string kdf = text_.substr(text_.find("kdf "), text_.find("\nbox ") - text_.find("kdf "));
  for (const std::string& text : {
           std::string(),
           std::string("\n"),
           "x" + text_,
           text_ + "\n",
           text_ + "x",
           text_ + "box AA==\n",
           replaced("v1", "v2"),
           replaced("\nnick", "\r\nnick"),
           replaced("nick alpha", "nick Alpha"),
           replaced("nick alpha", "nick"),
           replaced("nick alpha", "nick "),
           replaced("nick alpha", "nick  alpha"),
           replaced("nick alpha", "nick " + std::string(33, 'a')),
           replaced("nick alpha\n", ""),
           replaced("group -", "group 7d1f3c90"),
           replaced("group -", "group"),
           replaced("roles node,log,cosign,tls", "roles id"),
           replaced("roles node,log,cosign,tls", "roles node"),
           replaced("roles node,log,cosign,tls", "roles cosign,log,node,tls"),
           replaced("roles node,log,cosign,tls", "roles id,node,log,cosign,tls"),
           replaced("kdf keyfile", "kdf passphrase"),
           replaced("blake2b", "blake3"),
           replaced(kdf, "kdf"),
           replaced(kdf, "kdf keyfile blake2b"),
           replaced(kdf, "kdf keyfile blake2b AAAA"),
           replaced(kdf, kdf + " "),
           replaced(kdf, kdf + " x"),
           replaced("\nbox ", "\nbox  "),
           replaced("\nbox ", "\nbux "),
           replaced("\nbox ", "\nbox A"),
       }) {
    const auto file = parse_key_file(text);
    ASSERT_FALSE(file.has_value()) << text;
    EXPECT_EQ(file.error().code, Errc::format) << text;
  }
}

TEST_F(KeyFileTest, OfAGroupSaysWhichAndHoldsItsThreeKeys) {
  const std::string text =
      seal_key_file("alpha", KeyRing::group, by_key_file(), key_, std::span(seeds_).first(3), "7d1f3c90").text();
  const auto file = parse_key_file(text);
  ASSERT_TRUE(file.has_value()) << file.error().text();
  EXPECT_EQ(file->text(), text);
  EXPECT_EQ(file->group, "7d1f3c90");
  EXPECT_THAT(text, HasSubstr("\ngroup 7d1f3c90\nroles node,log,cosign\n"));
  EXPECT_EQ(open_key_file(*file, key_)->size(), 3u);
  for (const std::string wrong : {"-", "7d1f3c9", "7d1f3c900", "7D1F3C90", "7d1f3c9g", ""}) {
    std::string altered = text;
    altered.replace(altered.find("7d1f3c90"), 8, wrong);
    EXPECT_FALSE(parse_key_file(altered).has_value()) << wrong;
  }
}

TEST_F(KeyFileTest, CannotAskForMoreThanTheMachineShouldGive) {
  const std::string kdf = text_.substr(text_.find("kdf "), text_.find("\nbox ") - text_.find("kdf "));
  const auto with = [&](const std::string& cost) {
    return parse_key_file(replaced(kdf, "kdf argon2id13 " + cost + " AAAAAAAAAAAAAAAAAAAAAA=="));
  };
  for (const char* cost : {"3 268435456 1", "1 8388608 1", "10 4294967296 1"})
    EXPECT_TRUE(with(cost).has_value()) << cost;
  for (const char* cost : {"0 268435456 1", "11 268435456 1", "3 8388607 1", "3 4294967297 1", "3 0 1",
                           "18446744073709551615 268435456 1", "3 18446744073709551615 1"}) {
    const auto file = with(cost);
    ASSERT_FALSE(file.has_value()) << cost;
    EXPECT_EQ(file.error().code, Errc::limit) << cost;
  }
  for (const char* cost :
       {"3 268435456 2", "3 268435456 0", "-3 268435456 1", "+3 268435456 1", "03 268435456 1", "3 268435456.0 1",
        "3 0x10000000 1", "3 99999999999999999999999 1", "3 268435456", "3  1", "x 268435456 1"}) {
    const auto file = with(cost);
    ASSERT_FALSE(file.has_value()) << cost;
    EXPECT_EQ(file.error().code, Errc::format) << cost;
  }
}

TEST_F(KeyFileTest, LongerThanItsLimitIsNotLookedAt) {
  const auto file = parse_key_file(text_ + std::string(kMaxKeyFileBytes, '\n'));
  ASSERT_FALSE(file.has_value());
  EXPECT_EQ(file.error().code, Errc::limit);
}

TEST_F(KeyFileTest, OpensOnlyWithTheKindOfSecretItWasSealedUnder) {
  const vault::Unlock passphrase{SecretBytes(as_bytes("correct horse")), std::nullopt};
  const vault::Unlock key_file{{}, random_secret<32>()};
  EXPECT_FALSE(box_key(by_key_file(), passphrase).has_value());
  EXPECT_TRUE(box_key(by_key_file(), key_file).has_value());
  const KeyDerivation argon2{KeyDerivation::Kind::argon2id, crypto::kLeastArgon2Cost, random_bytes<16>()};
  EXPECT_FALSE(box_key(argon2, key_file).has_value());
  EXPECT_TRUE(box_key(argon2, passphrase).has_value());
}

TEST_F(KeyFileTest, DerivesAnotherKeyForEverySalt) {
  const Secret<32> first = box_key(by_key_file(), key_);
  const Secret<32> second = box_key(by_key_file(), key_);
  EXPECT_FALSE(first.equals(second));
}

}  // namespace
}  // namespace parley::group
