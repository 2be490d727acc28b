#include "base/encoding.h"

#include <gtest/gtest.h>

namespace parley {
namespace {

Bytes all_bytes() {
  Bytes bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<std::byte>(i));
  return bytes;
}

// RFC 4648 section 10.
TEST(Base64, EncodesTheExamplesOfRfc4648) {
  const std::pair<std::string_view, std::string_view> examples[] = {{"", ""},
                                                                    {"f", "Zg=="},
                                                                    {"fo", "Zm8="},
                                                                    {"foo", "Zm9v"},
                                                                    {"foob", "Zm9vYg=="},
                                                                    {"fooba", "Zm9vYmE="},
                                                                    {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : examples) {
    EXPECT_EQ(to_base64(as_bytes(plain)), encoded);
    ASSERT_TRUE(from_base64(encoded).has_value()) << encoded;
    EXPECT_EQ(as_text(*from_base64(encoded)), plain);
  }
}

TEST(Base64, RefusesEverythingButTheCanonicalForm) {
  for (std::string_view text : {"Zg", "Zg=", "Zh==", "Zm9=", "Zg==\n", " Zg==", "Zm 9v", "Zm9v=", "Zm-v", "Zm_v", "Z",
                                "=", "====", "Zg==Zg==", "Zm9v\xc3\xbc"}) {
    EXPECT_FALSE(from_base64(text).has_value()) << text;
  }
  EXPECT_FALSE(from_base64(std::string_view("Zm9v\0", 5)).has_value());
}

TEST(Base64, HasOneTextForEachValueWhateverByteStandsWhere) {
  for (const std::string_view whole : {"Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"}) {
    for (std::size_t at = 0; at < whole.size(); ++at)
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(whole);
        text[at] = static_cast<char>(byte);
        if (const auto bytes = from_base64(text)) {
          EXPECT_EQ(to_base64(*bytes), text) << byte << " at " << at;
        }
        const std::string url = text.substr(0, text.find('='));
        if (const auto bytes = from_base64url(url)) {
          EXPECT_EQ(to_base64url(*bytes), url) << byte << " at " << at;
        }
      }
  }
}

TEST(Base64Url, HasItsOwnTwoCharactersAndNoPadding) {
  const Bytes bytes{std::byte{0xfb}, std::byte{0xff}};
  EXPECT_EQ(to_base64(bytes), "+/8=");
  EXPECT_EQ(to_base64url(bytes), "-_8");
  EXPECT_EQ(from_base64url("-_8"), bytes);
}

TEST(Base64Url, RefusesEverythingButTheCanonicalForm) {
  for (std::string_view text : {"-_8=", "+/8", "-_9", "-", "-_8\n", " -_8", "Zg=="})
    EXPECT_FALSE(from_base64url(text).has_value()) << text;
}

TEST(Hex, IsLowerCase) {
  EXPECT_EQ(to_hex(*from_hex("00ff7fab")), "00ff7fab");
}

TEST(Hex, RefusesUpperCaseOddLengthAndOtherCharacters) {
  for (std::string_view text : {"0", "0G", "FF", "fF", " 00", "00 ", "0x00", "g0", "0`", "0/", "0:", "-1"})
    EXPECT_FALSE(from_hex(text).has_value()) << text;
  EXPECT_FALSE(from_hex(std::string_view("0\0", 2)).has_value());
}

TEST(Hex, TakesSixteenCharactersAndNoOther) {
  const std::string_view digits = "0123456789abcdef";
  ByteArray<1> byte;
  for (int code = 0; code < 256; ++code) {
    const char c = static_cast<char>(code);
    const auto value = digits.find(c);
    for (const auto& [text, result] :
         {std::pair{std::string{c, '1'}, value << 4 | 1}, std::pair{std::string{'1', c}, 1 << 4 | value}}) {
      ASSERT_EQ(read_hex(text, byte), value != digits.npos) << code;
      EXPECT_TRUE(value == digits.npos || byte[0] == static_cast<std::byte>(result)) << text;
    }
  }
}

TEST(Hex, IsReadIntoNoMoreAndNoLessThanThereIs) {
  ByteArray<2> bytes;
  for (const std::string_view text : {"", "0", "00", "000", "00000", "000000", "0a0b0c0d0"})
    EXPECT_FALSE(read_hex(text, bytes)) << text;
  EXPECT_TRUE(read_hex("0a0b", bytes));
  EXPECT_EQ(to_hex(bytes), "0a0b");
  EXPECT_TRUE(read_hex("", {}));
}

TEST(Encodings, OfEveryByteAtEveryLengthComeBack) {
  const Bytes all = all_bytes();
  for (std::size_t size = 0; size <= all.size(); ++size) {
    const Bytes bytes(all.end() - static_cast<std::ptrdiff_t>(size), all.end());
    EXPECT_EQ(from_hex(to_hex(bytes)), bytes) << size;
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes) << size;
    EXPECT_EQ(from_base64url(to_base64url(bytes)), bytes) << size;
  }
}

// Worked out by hand from the alphabet of crockford.com/base32.html: 5 bits a symbol, no i, l, o, u.
TEST(Base32Crockford, WritesFiveBitsASymbol) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", ""},
      {"0000000000", "00000000"},
      {"ffffffffff", "zzzzzzzz"},
      {"00443214c7", "01234567"},
      {"8a5b89e6b5", "h9drksnn"},
      {"0000000001ffffffffff", "00000001zzzzzzzz"},
  };
  for (const auto& [bytes, text] : cases) {
    EXPECT_EQ(to_base32_crockford(*from_hex(bytes)), text) << bytes;
  }
}

TEST(Base32Crockford, HasNoSymbolThatIsTakenForAnother) {
  std::string text;
  for (int i = 0; i < 32; ++i) {
    Bytes group(5);
    group[4] = static_cast<std::byte>(i);
    text += to_base32_crockford(group).back();
  }
  EXPECT_EQ(text, "0123456789abcdefghjkmnpqrstvwxyz");
}

}  // namespace
}  // namespace parley
