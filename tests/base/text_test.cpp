#include "base/text.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "base/hidden.h"

namespace parley {
namespace {

using namespace std::string_view_literals;

TEST(Visible, LeavesWhatAPersonCanReadAsItIs) {
  for (const std::string_view text : {""sv, "plain text, ~`!@#"sv, "Équipe Ωmega"sv, "中文"sv, "خادم"sv, "שלום"sv,
                                      "naïve café"sv, "\U0001f600"sv, "a\u00a0b"sv, "e\u0301"sv, "\\x1b"sv})
    EXPECT_EQ(visible(text), text);
}

TEST(Visible, ShowsWhatDeceivesAsEscapes) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      // what a terminal obeys
      {"\x1b[31mred"sv, "\\x1b[31mred"},
      {"a\0b"sv, "a\\x00b"},
      {"line\nline"sv, "line\\x0aline"},
      {"over\rwritten"sv, "over\\x0dwritten"},
      {"tab\there"sv, "tab\\x09here"},
      {"back\x08"sv, "back\\x08"},
      {"\x7f"sv, "\\x7f"},
      {"\u009b31m"sv, "\\x9b31m"},  // the one-character CSI
      {"\u0085"sv, "\\x85"},
      // bidirectional controls
      {"moc.evil\u202egpj"sv, "moc.evil\\u{202e}gpj"},
      {"\u202a\u202b\u202c\u202d"sv, "\\u{202a}\\u{202b}\\u{202c}\\u{202d}"},
      {"\u2066a\u2067b\u2068c\u2069"sv, "\\u{2066}a\\u{2067}b\\u{2068}c\\u{2069}"},
      {"\u200e\u200f\u061c"sv, "\\u{200e}\\u{200f}\\u{61c}"},
      // what cannot be seen
      {"evil\u200b.com"sv, "evil\\u{200b}.com"},
      {"\u200c\u200d\u2060\ufeff"sv, "\\u{200c}\\u{200d}\\u{2060}\\u{feff}"},
      {"soft\u00adhyphen"sv, "soft\\u{ad}hyphen"},
      {"\u2028\u2029"sv, "\\u{2028}\\u{2029}"},
      {"\u180e"sv, "\\u{180e}"},
      {"\U000e0041\U000e007f"sv, "\\u{e0041}\\u{e007f}"},  // tag characters
      {"\ufff9x\ufffb"sv, "\\u{fff9}x\\u{fffb}"},
      {"\u2764\ufe0f"sv, "\u2764\\u{fe0f}"},  // emoji presentation, and after letters a way to hide bytes
      {"a\U000e0100"sv, "a\\u{e0100}"},       // variation selector of ideographs
      {"\U000e0fff"sv, "\\u{e0fff}"},         // reserved, and shown by nobody
      {"a\u2800b"sv, "a\\u{2800}b"},          // a Braille pattern without dots
      {"\u180b\u180d\u180f"sv, "\\u{180b}\\u{180d}\\u{180f}"},
      {"\U0001d173\U0001bca0"sv, "\\u{1d173}\\u{1bca0}"},
  };
  for (const auto& [text, shown] : cases) EXPECT_EQ(visible(text), shown);
}

std::string utf8_of(std::uint32_t c) {
  const auto byte = [](std::uint32_t value) { return static_cast<char>(value); };
  const auto next = [&](std::uint32_t shift) { return byte(0x80 | ((c >> shift) & 0x3f)); };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xc0 | (c >> 6)), next(0)};
  if (c < 0x10000) return {byte(0xe0 | (c >> 12)), next(6), next(0)};
  return {byte(0xf0 | (c >> 18)), next(12), next(6), next(0)};
}

TEST(Visible, EscapesThoseCodePointsThatTheTableOfUnicodeNamesAndNoOther) {
  std::ifstream table(PARLEY_VECTORS "/unicode/hidden.tsv");
  std::vector<bool> is_hidden(0x110000);
  std::size_t ignorable = 0;
  for (std::string line; std::getline(table, line);) {
    std::uint32_t first = 0, last = 0;
    if (std::sscanf(line.c_str(), "%x\t%x\t", &first, &last) != 2 || line.starts_with('#')) continue;
    if (line.ends_with("\tdefault ignorable")) ignorable += last - first + 1;
    for (std::uint32_t c = first; c <= last; ++c) is_hidden.at(c) = true;
  }
  EXPECT_EQ(ignorable, 4174u) << "as many as Unicode 17.0.0 has";
  for (std::uint32_t c = 0; c < is_hidden.size(); ++c) {
    if (c >= 0xd800 && c <= 0xdfff) continue;  // surrogates are no characters
    const std::string text = utf8_of(c);
    ASSERT_EQ(visible(text) != text, is_hidden[c]) << std::hex << c;
  }
}

TEST(Hidden, IsNothingInWhatAPersonCanRead) {
  for (const std::string_view text : {""sv, "plain"sv, "Équipe Ωmega"sv, "\U0001f600"sv, "خادم"sv, "e\u0301"sv})
    EXPECT_EQ(hidden_in(text), "");
  EXPECT_EQ(hidden_in("two\nlines", true), "");
}

TEST(Hidden, IsNamedWithItsPlaceAmongTheCharacters) {
  const auto sentence = [](std::string_view place) {
    return fmt::format(" Character {}, cannot be seen or changes how its neighbours look: leave it out.", place);
  };
  const std::tuple<std::string_view, bool, std::string_view> cases[] = {
      {"I \u2764\ufe0f it\u200b"sv, false, "4 of it, \\u{fe0f}"},
      {"\u0645\u06cc\u200c\u062e"sv, false, "3 of it, \\u{200c}"},
      {"two\nlines"sv, false, "4 of it, \\x0a"},
      {"two\nlines\u2028"sv, true, "10 of it, \\u{2028}"},
      {"caf\xc3"sv, true, "4 of it, \\xc3"},
      {"\xff\xfe"sv, true, "1 of it, \\xff\\xfe"},
      {"\0"sv, true, "1 of it, \\x00"},
  };
  for (const auto& [text, may_have_lines, place] : cases) EXPECT_EQ(hidden_in(text, may_have_lines), sentence(place));
}

TEST(Visible, ShowsBytesThatAreNoUtf8) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"a\xff"
       "b"sv,
       "a\\xffb"},
      {"\x80"sv, "\\x80"},
      {"\xc3"sv, "\\xc3"},                             // cut off
      {"\xe2\x80"sv, "\\xe2\\x80"},                    // cut off
      {"\xc0\x80"sv, "\\xc0\\x80"},                    // overlong
      {"\xed\xa0\x80"sv, "\\xed\\xa0\\x80"},           // surrogate
      {"\xf4\x90\x80\x80"sv, "\\xf4\\x90\\x80\\x80"},  // past U+10FFFF
      {"\xc3\x28"sv, "\\xc3("},                        // what follows is shown
  };
  for (const auto& [text, shown] : cases) EXPECT_EQ(visible(text), shown);
}

TEST(Visible, SaysNothingThatDeceivesWhateverItIsGiven) {
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      const std::string shown = visible(std::string{static_cast<char>(first), static_cast<char>(second), '\x80'});
      ASSERT_TRUE(is_valid_utf8(shown)) << first << " " << second;
      ASSERT_EQ(visible(shown), shown) << first << " " << second;
    }
  }
}

TEST(Utf8, IsTakenFromTheFirstToTheLastCodePointOfEachLength) {
  for (const std::string_view text :
       {""sv, "\0"sv, "\x7f"sv, "\xc2\x80"sv, "\xdf\xbf"sv, "\xe0\xa0\x80"sv, "\xed\x9f\xbf"sv, "\xee\x80\x80"sv,
        "\xef\xbf\xbf"sv, "\xf0\x90\x80\x80"sv, "\xf4\x8f\xbf\xbf"sv})
    EXPECT_TRUE(is_valid_utf8(text)) << visible(text);
}

TEST(Utf8, IsRefusedWhenOverlongASurrogateOutOfRangeOrCutOff) {
  for (const std::string_view text : {"\x80"sv,
                                      "\xbf"sv,
                                      "\xc0\x80"sv,
                                      "\xc1\xbf"sv,
                                      "\xe0\x80\x80"sv,
                                      "\xe0\x9f\xbf"sv,
                                      "\xf0\x80\x80\x80"sv,
                                      "\xf0\x8f\xbf\xbf"sv,
                                      "\xed\xa0\x80"sv,
                                      "\xed\xbf\xbf"sv,
                                      "\xf4\x90\x80\x80"sv,
                                      "\xf5\x80\x80\x80"sv,
                                      "\xfe"sv,
                                      "\xff"sv,
                                      "\xc2"sv,
                                      "\xe1\x80"sv,
                                      "\xf1\x80\x80"sv,
                                      "\xc2\x41"sv,
                                      "\xe1\x80\x41"sv,
                                      "ok\xc2"sv})
    EXPECT_FALSE(is_valid_utf8(text)) << visible(text);
}

}  // namespace
}  // namespace parley
