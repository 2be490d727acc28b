#include "base/encoding.h"

#include <gtest/gtest.h>

namespace parley {
namespace {

// RFC 4648 section 10.
TEST(Base64, EncodesTheExamplesOfRfc4648) {
  const std::pair<std::string_view, std::string_view> examples[] = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : examples) {
    EXPECT_EQ(to_base64(as_bytes(plain)), encoded);
    ASSERT_TRUE(from_base64(encoded).has_value()) << encoded;
    EXPECT_EQ(as_text(*from_base64(encoded)), plain);
  }
}

TEST(Base64, RefusesEverythingButTheCanonicalForm) {
  for (std::string_view text : {"Zg", "Zg=", "Zh==", "Zg==\n", " Zg==", "Zm9v=", "Zm-v", "Z", "====", "Zg==Zg=="}) {
    EXPECT_FALSE(from_base64(text).has_value()) << text;
  }
}

TEST(Hex, RefusesUpperCaseOddLengthAndOtherCharacters) {
  EXPECT_EQ(to_hex(*from_hex("00ff7f")), "00ff7f");
  for (std::string_view text : {"0", "0G", "FF", " 00", "0x00"}) EXPECT_FALSE(from_hex(text).has_value()) << text;
}

}  // namespace
}  // namespace parley
