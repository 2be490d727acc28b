// canonicalise() against tests/vectors/canonical: one form for each value, and sentences for what has none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "base/encoding.h"
#include "base/text.h"
#include "indicator/indicator.h"
#include "indicator/vector_file.h"

namespace parley::indicator {
namespace {

const std::string kFolder = PARLEY_VECTORS "/canonical/";

struct Case {
  Type declared;
  std::string input;
  Type type;
  std::string value;
};

std::vector<Case> accepted() {
  std::vector<Case> cases;
  for (const char* file : {"ipv4", "ipv6", "cidr", "domain", "url", "email", "hashes", "names", "numbers"}) {
    for (const auto& row : read_table(kFolder + file + ".tsv", 4)) {
      cases.push_back({type_named(row[0]).value(), nlohmann::json::parse(row[1]), type_named(row[2]).value(),
                       nlohmann::json::parse(row[3])});
    }
  }
  return cases;
}

std::vector<std::pair<Type, std::string>> refused() {
  std::vector<std::pair<Type, std::string>> cases;
  for (const auto& row : read_table(kFolder + "refused.tsv", 2)) {
    cases.emplace_back(type_named(row[0]).value(), nlohmann::json::parse(row[1]));
  }
  return cases;
}

TEST(Canonicalise, GivesTheOneFormOfEachCase) {
  const auto cases = accepted();
  ASSERT_GE(cases.size(), 180u);
  for (const Case& example : cases) {
    SCOPED_TRACE(std::string(name_of(example.declared)) + " " + example.input);
    const auto canonical = canonicalise(example.declared, example.input);
    ASSERT_TRUE(canonical.has_value()) << canonical.error().text();
    EXPECT_EQ(name_of(canonical->type()), name_of(example.type));
    EXPECT_EQ(canonical->value(), example.value);
  }
}

TEST(Canonicalise, CoversEveryType) {
  std::set<Type> types;
  for (const Case& example : accepted()) types.insert(example.type);
  for (const Type type : kAllTypes) EXPECT_TRUE(types.contains(type)) << name_of(type);
}

TEST(Canonicalise, LeavesACanonicalValueAsItIs) {
  for (const Case& example : accepted()) {
    const auto again = canonicalise(example.type, example.value);
    ASSERT_TRUE(again.has_value()) << example.value << ": " << again.error().text();
    EXPECT_EQ(again->type(), example.type) << example.value;
    EXPECT_EQ(again->value(), example.value);
  }
}

TEST(Canonicalise, RefusesEveryCaseWithASentence) {
  const auto cases = refused();
  ASSERT_GE(cases.size(), 200u);
  for (const auto& [type, input] : cases) {
    const auto canonical = canonicalise(type, input);
    ASSERT_FALSE(canonical.has_value()) << name_of(type) << " " << input << " became " << name_of(canonical->type())
                                        << " " << canonical->value();
    EXPECT_EQ(canonical.error().code, Errc::format);
    EXPECT_THAT(canonical.error().message, testing::StartsWith("expected ")) << input;
    EXPECT_LT(canonical.error().message.size(), 700u);
    EXPECT_EQ(canonical.error().message, visible(canonical.error().message)) << "control characters reach the terminal";
  }
}

TEST(Canonicalise, RefusesInvalidUtf8WhateverTheType) {
  for (const Type type : kAllTypes) {
    for (const std::string_view bytes :
         {"\xff", "a\xc3", "\xed\xa0\x80", "\xc0\xaf", "\xf5\x80\x80\x80", "evil\x80.example"}) {
      EXPECT_FALSE(canonicalise(type, bytes).has_value()) << name_of(type);
    }
  }
}

TEST(Canonicalise, TakesTheLongestValueAndNoLonger) {
  EXPECT_TRUE(canonicalise(Type::mutex, std::string(kMaxValueBytes, 'm')).has_value());
  EXPECT_FALSE(canonicalise(Type::mutex, std::string(kMaxValueBytes + 1, 'm')).has_value());
  const std::string url = "http://evil.example/" + std::string(kMaxValueBytes - 40, 'a');
  EXPECT_TRUE(canonicalise(Type::url, url).has_value());
  EXPECT_FALSE(canonicalise(Type::url, "http://evil.example/" + std::string(2000, ' ') + "x").has_value())
      << "escapes make it three times as long";
}

TEST(Canonicalise, SettlesOrRefusesNestedDefanging) {
  for (int depth = 1; depth < 40; ++depth) {
    const std::string dot =
        std::string(static_cast<std::size_t>(depth), '[') + "." + std::string(static_cast<std::size_t>(depth), ']');
    const auto canonical = canonicalise(Type::domain, "evil" + dot + "example");
    EXPECT_EQ(canonical.has_value() ? canonical->value() : "evil.example", "evil.example") << depth;
  }
}

TEST(Canonicalise, IsIdempotentOverRandomMixturesOfTellingPieces) {
  const char* seed_text = std::getenv("PARLEY_TEST_SEED");
  const auto seed = seed_text != nullptr ? std::stoul(seed_text) : std::random_device{}();
  SCOPED_TRACE("PARLEY_TEST_SEED=" + std::to_string(seed));
  std::mt19937 random(static_cast<std::uint32_t>(seed));
  const std::vector<std::string> pieces = {"http",
                                           "hxxp",
                                           "://",
                                           ":",
                                           "/",
                                           "//",
                                           "[.]",
                                           "(.)",
                                           ".",
                                           "..",
                                           "/../",
                                           "/./",
                                           "[",
                                           "]",
                                           "(",
                                           ")",
                                           "%2e",
                                           "%28",
                                           "%",
                                           "%25",
                                           "2E",
                                           "evil",
                                           "example",
                                           "com",
                                           "@",
                                           "[at]",
                                           " dot ",
                                           " at ",
                                           "192.0.2.1",
                                           "1",
                                           "255",
                                           "::",
                                           "2001:db8",
                                           "/24",
                                           "/32",
                                           "?",
                                           "#",
                                           "\\",
                                           "HKLM",
                                           "HKCU:",
                                           "ж",
                                           "中",
                                           "\u200b",
                                           "\u200d",
                                           "\u202e",
                                           "\u0661",
                                           "．",
                                           "ﬁ",
                                           "İ",
                                           "xn--",
                                           "xn--bcher-kva",
                                           "\"",
                                           "<",
                                           ">",
                                           "`",
                                           "'",
                                           " ",
                                           "_",
                                           "-",
                                           "AS",
                                           "CVE-2017-0262",
                                           "md5:",
                                           "d41d8cd98f00b204e9800998ecf8427e",
                                           "mailto:",
                                           "*",
                                           "℀",
                                           "[dot]"};
  std::size_t taken = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text;
    for (std::size_t n = 1 + random() % 9; n > 0; --n) text += pieces[random() % pieces.size()];
    const Type type = kAllTypes[random() % kAllTypes.size()];
    const auto once = canonicalise(type, text);
    if (!once) continue;
    ++taken;
    const auto twice = canonicalise(once->type(), once->value());
    ASSERT_TRUE(twice.has_value()) << name_of(type) << " " << text << " -> " << once->value();
    ASSERT_EQ(*twice, *once) << name_of(type) << " " << text;
  }
  EXPECT_GT(taken, 20'000u);
}

TEST(Indicator, HasNamesThatLeadBackToItsTypes) {
  std::set<std::string_view> names;
  for (const Type type : kAllTypes) {
    EXPECT_EQ(type_named(name_of(type)), type);
    names.insert(name_of(type));
  }
  EXPECT_EQ(names.size(), kAllTypes.size());
  for (const std::string_view name : {"", "IPv4", "ipv4 ", "hash", "tlp", "user_agent"})
    EXPECT_FALSE(type_named(name)) << name;
}

TEST(Indicator, IsTypedAsTypeLengthAndValue) {
  const auto canonical = canonicalise(Type::domain, "Evil.example").value();
  EXPECT_EQ(to_hex(canonical.typed()), "04000c" + to_hex(as_bytes("evil.example")));
  EXPECT_NE(canonicalise(Type::ja3, "d41d8cd98f00b204e9800998ecf8427e")->typed(),
            canonicalise(Type::md5, "d41d8cd98f00b204e9800998ecf8427e")->typed());
}

TEST(Rules, HaveAnIdThatTheirNameShows) {
  EXPECT_EQ(rules_name(), "parley-canon/1 " + to_hex(rules_id()));
  EXPECT_EQ(rules_id(), rules_id());
  EXPECT_NE(rules_id(), ByteArray<16>{});
}

}  // namespace
}  // namespace parley::indicator
