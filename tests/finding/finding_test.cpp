// The form of findings: one text for each, nothing else is taken; and what may be withheld.
#include "finding/finding.h"

#include <random>

#include "finding/samples.h"

namespace parley::finding {
namespace {

TEST(FindingText, IsTakenBackAsItWasWritten) {
  const Frozen frozen(sample_finding(group::charter_of(3)));
  auto read = read_finding_text(frozen.text);
  ASSERT_HOLDS(read);
  EXPECT_EQ(finding_text(*read), frozen.text);
  ASSERT_HOLDS(open(*read, frozen.openings));
  Finding expected = frozen.finding;
  EXPECT_EQ(*read, expected);
}

TEST(FindingText, OfAWorkingCopyKeepsWhatMayBeWithheld) {
  const Finding finding = sample_finding(group::charter_of(3));
  const auto read = read_working_text(working_text(finding));
  ASSERT_HOLDS(read);
  EXPECT_EQ(*read, finding);
  EXPECT_REFUSED(read_finding_text(working_text(finding)), Errc::format, "first line");
}

TEST(FindingText, OfAFindingThatIsNotCompleteIsReadAndLeftToLint) {
  const auto read = read_working_text(working_text(Finding{}));
  ASSERT_HOLDS(read);
  EXPECT_EQ(*read, Finding{});
}

TEST(FindingText, IsRefusedWithAnyOtherBytes) {
  const Frozen frozen(sample_finding(group::charter_of(3)));
  const auto replaced = [&](std::string_view from, std::string_view to) {
    std::string text = frozen.text;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, text.npos) << from;
    return text.replace(at, from.size(), to);
  };
  const std::vector<std::pair<std::string, Errc>> cases = {
      {"", Errc::format},
      {"parley/finding/v1", Errc::format},
      {"parley/finding/v1\n", Errc::format},
      {"parley/finding/v2" + frozen.text.substr(17), Errc::format},
      {frozen.text + "\n", Errc::format},
      {frozen.text.substr(0, frozen.text.size() - 1), Errc::format},
      {replaced("\"v\":1", "\"v\":2"), Errc::format},
      {replaced("\"seq\":1", "\"seq\":0"), Errc::format},
      {replaced("\"tlp\":\"green\"", "\"tlp\":\"GREEN\""), Errc::format},
      {replaced("\"tlp\":\"green\"", "\"tlp\":\"white\""), Errc::format},
      {replaced("\"likelihood\":\"likely\"", "\"likelihood\":\"probable\""), Errc::format},
      {replaced("\"level\":\"moderate\"", "\"level\":\"medium\""), Errc::format},
      {replaced("\"source\":\"B\"", "\"source\":\"G\""), Errc::format},
      {replaced("\"info\":1", "\"info\":7"), Errc::format},
      {replaced("\"kind\":\"match\"", "\"kind\":\"rumour\""), Errc::format},
      {replaced("\"v\":\"CC\"", "\"v\":\"CCC\""), Errc::format},
      {replaced("\"title\":", "\"tittle\":"), Errc::format},
      {replaced("\"sd\":\"", "\"sd\":\"0"), Errc::format},
      {replaced("\"supersedes\":\"\"", "\"supersedes\":\"" + std::string(64, '0') + "\""), Errc::format},
      {replaced("\"period\":[", "\"period\":[1,"), Errc::format},
      {std::string(kMaxFindingBytes + 1, 'x'), Errc::limit},
  };
  for (const auto& [text, code] : cases) {
    const auto read = read_finding_text(text);
    ASSERT_FALSE(read.has_value()) << text.substr(0, 80);
    EXPECT_EQ(read.error().code, code) << read.error().text();
  }
}

TEST(Redaction, HidesATextAndItsLengthOfWhoeverHasNoOpening) {
  Finding one = sample_finding(group::charter_of(3)), other = one;
  other.evidence[0].summary.text = "x";
  const Frozen frozen(one), shorter(other);
  EXPECT_EQ(frozen.text.find("command server"), frozen.text.npos);
  EXPECT_EQ(frozen.text.size(), shorter.text.size());
  EXPECT_NE(frozen.text, Frozen(one).text) << "the salt is fresh each time";
}

TEST(Redaction, ShowsOneTextWithoutTheOthers) {
  const Frozen frozen(sample_finding(group::charter_of(3)));
  for (const Opening& opening : frozen.openings) {
    auto read = *read_finding_text(frozen.text);
    ASSERT_HOLDS(open(read, std::span(&opening, 1)));
    for (const Placed& placed : redactable_texts(read))
      EXPECT_EQ(placed.text->shown, !placed.text->redactable || placed.path == opening.path) << placed.path;
  }
}

TEST(Redaction, RefusesMoreThanAThousandAlteredOpenings) {
  const Frozen frozen(sample_finding(group::charter_of(3)));
  std::mt19937_64 dice(20261128);
  std::size_t refused = 0;
  for (int i = 0; i < 2'000; ++i) {
    Opening opening = frozen.openings[dice() % frozen.openings.size()];
    const Opening before = opening;
    switch (dice() % 4) {
      case 0:
        opening.salt[dice() % opening.salt.size()] ^= static_cast<std::byte>(1 << dice() % 8);
        break;
      case 1:
        opening.text[dice() % opening.text.size()] = static_cast<char>('a' + dice() % 26);
        break;
      case 2:
        opening.text.resize(dice() % opening.text.size());
        break;
      default:  // that of another place
        opening.path = frozen.openings[dice() % frozen.openings.size()].path;
    }
    auto read = *read_finding_text(frozen.text);
    const Status opened = open(read, std::span(&opening, 1));
    ASSERT_EQ(opened.has_value(), opening == before) << opening.path << " " << opening.text;
    if (!opened) {
      EXPECT_EQ(opened.error().code, Errc::signature);
      ++refused;
    }
  }
  EXPECT_GT(refused, 1'000u);
}

TEST(Redaction, RefusesAnOpeningWhereNothingWasWithheld) {
  const Frozen frozen(sample_finding(group::charter_of(3)));
  for (const std::string_view path : {"/evidence/1/summary", "/title", "/judgement/text", "/evidence/9/summary", ""}) {
    auto read = *read_finding_text(frozen.text);
    const Opening opening{std::string(path), {}, "text"};
    EXPECT_REFUSED(open(read, std::span(&opening, 1)), Errc::format, "nothing was withheld");
  }
}

TEST(Openings, AreTakenInOneOrderOnly) {
  const Frozen frozen(sample_finding(group::charter_of(3)));
  ASSERT_GE(frozen.openings.size(), 2u);
  const log::Json json = to_json(frozen.openings);
  EXPECT_EQ(*read_openings(*json.array()), frozen.openings);
  log::Json::Array swapped = *json.array();
  std::swap(swapped[0], swapped[1]);
  EXPECT_REFUSED(read_openings(swapped), Errc::format, "do not ascend");
  log::Json::Array twice = *json.array();
  twice.insert(twice.begin(), twice.front());
  EXPECT_REFUSED(read_openings(twice), Errc::format, "do not ascend");
}

}  // namespace
}  // namespace parley::finding
