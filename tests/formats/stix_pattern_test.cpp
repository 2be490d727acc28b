#include "formats/stix_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/limits.h"

namespace parley::formats {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> terms_of(std::string_view text) {
  const auto pattern = parse_stix_pattern(text);
  if (!pattern) return {"error: " + pattern.error().text()};
  std::vector<std::string> out;
  for (const PatternTerm& term : pattern->terms) out.push_back(term.object + ":" + term.path + "=" + term.value);
  return out;
}

// The shapes of STIX 2.1 section 9 (grammar and examples), with values of our own.
TEST(StixPattern, FindsTheLiteralsThatPathsEqual) {
  const std::pair<std::string_view, std::vector<std::string>> cases[] = {
      {"[ipv4-addr:value = '203.0.113.9']", {"ipv4-addr:value=203.0.113.9"}},
      {"[ ipv4-addr:value='203.0.113.9' ]", {"ipv4-addr:value=203.0.113.9"}},
      {"[file:hashes.'SHA-256' = 'c']", {"file:hashes.SHA-256=c"}},
      {"[file:hashes.MD5 == 'c']", {"file:hashes.MD5=c"}},
      {"[a:v IN ('x','y')]", {"a:v=x", "a:v=y"}},
      {"[a:v = 'it\\'s \\\\ here']", {"a:v=it's \\ here"}},
      {"[a:v = 'x' AND (a:w = 'y' OR NOT a:w = 'z')]", {"a:v=x", "a:w=y"}},
      {"[a:v != 'x' OR a:v NOT = 'y' OR a:v LIKE '%z' OR a:v MATCHES '^q$' OR a:n > 5]", {}},
      {"[a:v NOT IN ('x', 'y') AND a:w = 'z']", {"a:w=z"}},
      {"([a:v='x'] AND [b:v='y']) FOLLOWEDBY [c:v='z'] WITHIN 300 SECONDS", {"a:v=x", "b:v=y", "c:v=z"}},
      {"[a:v='x'] REPEATS 5 TIMES WITHIN 1.5 SECONDS", {"a:v=x"}},
      {"[a:v='x'] START t'2016-06-01T00:00:00Z' STOP t'2016-07-01T00:00:00Z'", {"a:v=x"}},
      {"[a:refs[*].value = 'x' AND a:refs[0].value = 'y']", {"a:refs.value=x", "a:refs.value=y"}},
      {"[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'M']",
       {"network-traffic:extensions.http-request-ext.request_header.User-Agent=M"}},
      {"[autonomous-system:number = 64496]", {"autonomous-system:number=64496"}},
      {"[EXISTS a:v AND b:v = 'x']", {"b:v=x"}},
      {"[ipv4-addr:value ISSUBSET '203.0.113.0/24']", {}},
  };
  for (const auto& [text, terms] : cases) EXPECT_EQ(terms_of(text), terms) << text;
}

TEST(StixPattern, GroupsWhatIsJoinedByAndAndNothingElse) {
  const auto groups = [](std::string_view text) {
    std::vector<std::size_t> out;
    const auto pattern = parse_stix_pattern(text);
    if (pattern) {
      for (const auto& term : pattern->terms) out.push_back(term.group);
    }
    return out;
  };
  const auto together = groups("[a:v='1' AND a:w='2' AND (a:x='3' AND a:y='4')]");
  EXPECT_EQ(together, std::vector<std::size_t>(4, together.at(0)));
  for (std::string_view apart : {"[a:v='1' OR a:w='2']", "[a:v='1'] AND [a:w='2']", "[a:v IN ('1','2')]",
                                 "[(a:v='1' OR a:w='2') AND a:n > 1]"}) {
    const auto found = groups(apart);
    ASSERT_EQ(found.size(), 2U) << apart;
    EXPECT_NE(found[0], found[1]) << apart;
  }
  const auto mixed = groups("[(a:v='1' AND a:w='2') OR (a:v='3' AND a:w='4')]");
  ASSERT_EQ(mixed.size(), 4U);
  EXPECT_EQ(mixed[0], mixed[1]);
  EXPECT_EQ(mixed[2], mixed[3]);
  EXPECT_NE(mixed[0], mixed[2]);
}

TEST(StixPattern, RefusesWhatIsNoPatternAndSaysWhere) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "ends where \"[\" was expected"},
      {"ipv4-addr:value = '1'", "At character 1 of the pattern"},
      {"[ipv4-addr:value = ]", "a literal was expected"},
      {"[ipv4-addr:value = '1'", "ends where \"]\" was expected"},
      {"[ipv4-addr:value = '1]", "closing '"},
      {"[ipv4-addr:value 'x']", "comparison operator"},
      {"[ipv4-addr = 'x']", "\":\" was expected"},
      {"[: = 'x']", "object path"},
      {"[a:v IN ('x' 'y')]", "was expected"},
      {"[a:v = 'x'] AND", "ends where"},
      {"[a:v = 'x'] nonsense", "the end was expected"},
      {"[a:v[ = 'x']", "list index"},
      {"[a:v = '\\", "closing '"},
  };
  for (const auto& [text, expected] : cases) {
    const auto pattern = parse_stix_pattern(text);
    ASSERT_FALSE(pattern) << text;
    EXPECT_EQ(pattern.error().code, Errc::format) << text;
    EXPECT_THAT(pattern.error().message, HasSubstr(expected)) << text;
  }
}

TEST(StixPattern, BoundsNestingAndLength) {
  for (const char bracket : {'(', '['}) {
    const auto deep = parse_stix_pattern(std::string(100'000, bracket));
    ASSERT_FALSE(deep);
    EXPECT_TRUE(deep.error().code == Errc::limit || bracket == '[');
  }
  const auto inner = parse_stix_pattern("[" + std::string(100'000, '(') + "a:v='1'");
  ASSERT_FALSE(inner);
  EXPECT_EQ(inner.error().code, Errc::limit);
  const auto longest = parse_stix_pattern(std::string(kMaxPatternBytes + 1, ' '));
  ASSERT_FALSE(longest);
  EXPECT_EQ(longest.error().code, Errc::limit);
}

}  // namespace
}  // namespace parley::formats
