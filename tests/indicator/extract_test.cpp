// extract() against tests/vectors/extraction/cases.tsv: what is expected is found, and nothing but what is allowed.
#include "indicator/extract.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>
#include <set>

#include "indicator/indicator.h"
#include "indicator/vector_file.h"

namespace parley::indicator {
namespace {

using Pairs = std::set<std::pair<std::string, std::string>>;

struct Case {
  std::string id;
  std::string input;
  Pairs expected;
  Pairs allowed;
};

Pairs pairs_of(const std::string& json) {
  Pairs out;
  for (const auto& pair : nlohmann::json::parse(json)) out.emplace(pair.at(0), pair.at(1));
  return out;
}

/// Columns: id, level, source, input, expected, allowed extra (the last three as JSON), note.
std::vector<Case> read_cases(const std::string& path) {
  std::vector<Case> cases;
  for (const auto& row : read_table(path, 6)) {
    cases.push_back({row[0], nlohmann::json::parse(row[3]), pairs_of(row[4]), pairs_of(row[5])});
  }
  return cases;
}

Pairs found_in(std::string_view text, const ExtractOptions& options = {}) {
  Pairs out;
  for (const Found& found : extract(text, options)) out.emplace(found.type, found.value);
  return out;
}

std::string text_of(const Pairs& pairs) {
  std::string out;
  for (const auto& [type, value] : pairs) out += type + ":" + value + " ";
  return out;
}

void expect_cases_hold(const std::vector<Case>& cases) {
  for (const Case& example : cases) {
    SCOPED_TRACE(example.id + " " + example.input);
    const Pairs found = found_in(example.input);
    for (const auto& pair : example.expected) {
      EXPECT_TRUE(found.contains(pair)) << "missing " << pair.first << ":" << pair.second << "; found "
                                        << text_of(found);
    }
    for (const auto& pair : found) {
      EXPECT_TRUE(example.expected.contains(pair) || example.allowed.contains(pair))
          << "not expected: " << pair.first << ":" << pair.second;
    }
  }
}

TEST(Extract, FindsWhatEveryCaseExpectsAndNothingElse) {
  const auto cases = read_cases(PARLEY_VECTORS "/extraction/cases.tsv");
  ASSERT_GE(cases.size(), 120u);
  expect_cases_hold(cases);
}

TEST(Extract, HoldsOnTheForeignListOfCases) {
  const char* folder = std::getenv("PARLEY_FOREIGN_DATA");
  if (folder == nullptr) GTEST_SKIP() << "PARLEY_FOREIGN_DATA names no folder";
  const auto cases = read_cases(std::string(folder) + "/extraction.tsv");
  ASSERT_GE(cases.size(), 70u);
  expect_cases_hold(cases);
}

TEST(Extract, CanonicalisesEverythingThatItFinds) {
  for (const Case& example : read_cases(PARLEY_VECTORS "/extraction/cases.tsv")) {
    for (const Found& found : extract(example.input)) {
      if (found.type == "tlp") continue;
      const auto type = type_named(found.type);
      ASSERT_TRUE(type.has_value()) << found.type;
      EXPECT_TRUE(canonicalise(*type, found.value).has_value()) << example.id << " " << found.value;
    }
  }
}

TEST(Extract, TellsWhereInTheTextAnIndicatorFirstStands) {
  const std::string text = "قال: evil[.]example ثم\n hxxp://192.0.2[.]1/x evil.example";
  const auto found = extract(text);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].value, "evil.example");
  EXPECT_EQ(found[0].offset, text.find("evil"));
  EXPECT_EQ(found[1].value, "http://192.0.2.1/x");
  EXPECT_EQ(found[1].offset, text.find("hxxp"));
  EXPECT_EQ(found[2].value, "192.0.2.1");
  EXPECT_EQ(found[2].offset, text.find("192"));
}

TEST(Extract, MarksWhatAPersonShouldLookAt) {
  const std::pair<std::string_view, bool> examples[] = {
      {"version 1.2.3.4 of the firmware", true},
      {"Version: 1.2.3.4", true},
      {"версия 1.2.3.4", true},
      {"الإصدار 1.2.3.4", true},
      {"Opera/9.80.1.2", true},
      {"main.rs", true},
      {"evil[.]nosuchtld", true},
      {"name at evil[dot]com", true},
      {"the address 1.2.3.4", false},
      {"version 1[.]2[.]3[.]4", false},
      {"mfa.gov.rs", false},
      {"evil.example", false},
  };
  for (const auto& [text, ambiguous] : examples) {
    const auto found = extract(text);
    ASSERT_FALSE(found.empty()) << text;
    EXPECT_EQ(found.front().ambiguous, ambiguous) << text;
  }
}

TEST(Extract, FindsReferenceSitesWhenAskedTo) {
  const std::string_view text = "https://www.virustotal.com/gui/home";
  EXPECT_TRUE(found_in(text).empty());
  EXPECT_EQ(found_in(text, {.skip_reference_sites = false}).size(), 2u);
}

TEST(Extract, FindsNothingInNothing) {
  for (const std::string_view text :
       {"", " ", "\n\n", ".", "..", "://", "@", "[.]", "::", "\\", "HKLM\\", "CVE-", "TLP:", "AS"}) {
    EXPECT_TRUE(extract(text).empty()) << text;
  }
}

TEST(Extract, ReadsOnBehindInvalidUtf8AndNulBytes) {
  const std::string text = std::string("\xff\xc3(evil.com\xed\xa0\x80 192.0.2.1\0\xf8 ", 28) + "name@example.org\xc3";
  const Pairs found = found_in(text);
  EXPECT_EQ(found, (Pairs{{"domain", "evil.com"}, {"ipv4", "192.0.2.1"}, {"email", "name@example.org"}}))
      << text_of(found);
}

TEST(Extract, FindsAnIndicatorInAnEndlessLine) {
  std::string text;
  while (text.size() < 3'000'000) text += "word,word;word|word ";
  text += "evil[.]example";
  EXPECT_EQ(found_in(text), (Pairs{{"domain", "evil.example"}}));
}

/// Seconds of processor time that extract() takes over at least `bytes` of `pattern`.
double seconds_over(std::string_view pattern, std::size_t bytes) {
  std::string text;
  text.reserve(bytes + pattern.size());
  while (text.size() < bytes) text += pattern;
  const std::clock_t start = std::clock();
  extract(text);
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

TEST(Extract, TakesLinearTimeOverHostileText) {
  const std::string_view patterns[] = {".",
                                       ":",
                                       "[",
                                       "[.]",
                                       "a@",
                                       "\\",
                                       "(",
                                       "]",
                                       "@",
                                       "://",
                                       "a://",
                                       "http://a.b",
                                       "a[.",
                                       "1.",
                                       "::",
                                       "a",
                                       "a.",
                                       "HKLM\\",
                                       "HKLM\\a ",
                                       " at ",
                                       "a@b.c",
                                       "[at]",
                                       "\u0661",
                                       "\u200c",
                                       "\u202e",
                                       "a\u4e2d",
                                       "\u0661\u066b",
                                       "tlp:",
                                       "cve-1",
                                       "f",
                                       "1.2.3.4/",
                                       "xn--",
                                       "User-Agent:",
                                       "http://a@",
                                       "-",
                                       "a b[dot]c at ",
                                       "http:\\\\",
                                       "\xff",
                                       "http://[",
                                       "a.b.c.d/e",
                                       "\u0627a.",
                                       "http://a.bc/(",
                                       "xn--a.",
                                       "[at] ",
                                       " dot ",
                                       "http://a.bc/,",
                                       "\u4e2d.com",
                                       "1-",
                                       "_",
                                       "a\u0627.com "};
  for (const std::string_view pattern : patterns) {
    // Eight times the text takes 64 times as long where it is quadratic; another process may slow down either reading.
    EXPECT_LT(seconds_over(pattern, 400'000), 24 * seconds_over(pattern, 50'000) + 0.05) << pattern;
  }
}

}  // namespace
}  // namespace parley::indicator
