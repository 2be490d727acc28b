// Labels by id, and their comparison without regard to case.
#include "vault/detail/labels.h"

#include <limits>

#include "testing.h"

namespace parley::vault::detail {
namespace {

TEST(FoldCase, MakesCapitalsSmallInTheAlphabetsThatItKnowsAndLeavesTheRest) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", ""},
      {"Sednit", "sednit"},
      {"APT28 / X-Agent_[1]", "apt28 / x-agent_[1]"},
      {"ÄÖÜ ÀÞ × ß ÷", "äöü àþ × ß ÷"},
      {"ŁÓDŹ ŽIŽKA ĽŇ Ő Ş", "łódź žižka ľň ő ş"},
      {"ΑΘΗΝΑ", "αθηνα"},
      {"ВЕДМІДЬ ЁЖ Ґ", "ведмідь ёж ґ"},
      {"حاتم 雪 ☃ \xf0\x9f\x90\xbb", "حاتم 雪 ☃ \xf0\x9f\x90\xbb"},
      {"\xc3", "\xc3"},
      {"\xc3(", "\xc3("},
      {"\xff\xfe", "\xff\xfe"},
  };
  for (const auto& [text, folded] : cases) EXPECT_EQ(fold_case(text), folded) << text;
}

TEST(FoldCase, OfFoldedTextChangesNothing) {
  for (std::uint32_t c = 0x80; c < 0x800; ++c) {
    const std::string text = {static_cast<char>(0xc0 | c >> 6), static_cast<char>(0x80 | (c & 0x3f))};
    const std::string folded = fold_case(text);
    EXPECT_EQ(fold_case(folded), folded) << c;
    EXPECT_EQ(folded.size(), 2U) << c;
  }
}

TEST(LabelIds, ComeBackAsTheyWereEncoded) {
  const std::vector<std::int64_t> ids = {1, 127, 128, 300, 1 << 21, std::numeric_limits<std::int64_t>::max()};
  EXPECT_EQ(decode_label_ids(encode_label_ids(ids)), ids);
  EXPECT_TRUE(decode_label_ids({}).empty());
}

TEST(LabelIds, EndAtWhatIsNoNumber) {
  const Bytes endless(1000, std::byte{0xff});
  EXPECT_TRUE(decode_label_ids(endless).empty());
}

}  // namespace
}  // namespace parley::vault::detail
