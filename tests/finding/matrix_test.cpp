#include "finding/matrix.h"

#include "finding/samples.h"

namespace parley::finding {
namespace {

using enum Consistency;

TEST(Matrix, AddsWhatSpeaksAgainstEachHypothesisByTheGradeOfTheEvidence) {
  const Finding finding = sample_finding(group::charter_of(3));
  // e1 is B1 and e2 A2 (weight 4 quarters), e3 is C3 (weight 2).
  EXPECT_EQ(scores_of(finding), (std::vector<Score>{{"h1", 0}, {"h2", 8}, {"h3", 12}}));
  EXPECT_EQ(quarters(8), "2");
  EXPECT_EQ(quarters(10), "2.5");
  EXPECT_EQ(quarters(1), "0.25");
}

TEST(Matrix, WeighsByTheWorseHalfOfTheGrade) {
  for (const auto& [grade, weight] : std::vector<std::pair<std::string_view, int>>{
           {"A1", 4}, {"B2", 4}, {"A3", 2}, {"C1", 2}, {"C3", 2}, {"B4", 1}, {"D1", 1}, {"F6", 1}, {"E5", 1}})
    EXPECT_EQ(weight_of(*grade_named(grade)), weight) << grade;
  for (const std::string_view no_grade : {"", "A", "G1", "A7", "A0", "b2", "B22", "2B"})
    EXPECT_FALSE(grade_named(no_grade)) << no_grade;
}

TEST(Matrix, CountsNothingForEvidenceThatFits) {
  Finding finding = sample_finding(group::charter_of(3));
  const auto before = scores_of(finding);
  for (Row& row : finding.matrix)
    for (Cell& cell : row.cells)
      if (cell.value == consistent || cell.value == very_consistent) cell.value = neutral;
  EXPECT_EQ(scores_of(finding), before);
}

TEST(Matrix, NamesEachRowWithoutWhichTheOrderWouldBeAnother) {
  Finding finding = sample_finding(group::charter_of(3));
  // Without e1, h2 has 4 and h3 8; without e2 both have 4; without e3 nothing changes.
  EXPECT_EQ(critical_rows(finding), (std::vector<CriticalRow>{{"e2", false}}));
  finding.matrix[0].cells[1].value = neutral;
  // h2 now has only e2 against it: without that it stands beside h1.
  const auto critical = critical_rows(finding);
  ASSERT_FALSE(critical.empty());
  EXPECT_EQ(critical[0], (CriticalRow{"e2", true}));
}

TEST(Matrix, AgreesWithASlowCountOfWhatARemovedRowChanges) {
  // Every matrix of two rows over two hypotheses, against removing the row and sorting again.
  for (int code = 0; code < 6 * 6 * 6 * 6; ++code) {
    Finding finding = sample_finding(group::charter_of(2));
    finding.hypotheses.resize(2);
    finding.evidence.resize(2);
    finding.matrix.clear();
    int rest = code;
    for (const std::string_view evidence : {"e1", "e2"}) {
      Row row{std::string(evidence), {}};
      for (const std::string_view hypothesis : {"h1", "h2"}) {
        row.cells.push_back({std::string(hypothesis), static_cast<Consistency>(rest % 6)});
        rest /= 6;
      }
      finding.matrix.push_back(row);
    }
    const auto difference = [](const Finding& of) {
      const auto scores = scores_of(of);
      const auto score = [&](std::string_view id) {
        return std::ranges::find(scores, id, &Score::hypothesis)->inconsistency;
      };
      return (score("h1") > score("h2")) - (score("h1") < score("h2"));
    };
    std::vector<std::string> expected;
    for (std::size_t i = 0; i < 2; ++i) {
      Finding without = finding;
      without.evidence.erase(without.evidence.begin() + static_cast<std::ptrdiff_t>(i));
      if (difference(without) != difference(finding)) expected.push_back(finding.evidence[i].id);
    }
    std::vector<std::string> named;
    for (const CriticalRow& row : critical_rows(finding)) named.push_back(row.evidence);
    ASSERT_EQ(named, expected) << code;
  }
}

TEST(Corroboration, IsCountedByOriginsAndNotByMembers) {
  Finding finding = sample_finding(group::charter_of(16));
  Evidence& evidence = finding.evidence[0];
  EXPECT_EQ(corroboration_of(evidence), 2u);
  evidence.seen.clear();
  for (const std::string& nick : group::kNicks) evidence.seen.push_back({nick, "o1", 0, {}});
  EXPECT_EQ(corroboration_of(evidence), 1u) << "sixteen members, one feed";
  evidence.seen[3].origin = "o2";
  EXPECT_EQ(corroboration_of(evidence), 2u);
}

TEST(Corroboration, OfAHypothesisCountsOnlyWhatFitsIt) {
  Finding finding = sample_finding(group::charter_of(3));
  EXPECT_EQ(corroboration_of(finding, "h1"), 3u);
  EXPECT_EQ(corroboration_of(finding, "h2"), 0u);
  EXPECT_EQ(corroboration_of(finding, "h3"), 1u);
}

/// "o1 o2 by rule, o3 o4" of what is possibly one origin.
std::string hints_on(std::vector<Sighting> seen) {
  Finding finding = sample_finding(group::charter_of(3));
  for (Evidence& evidence : finding.evidence) evidence.seen.clear();
  finding.evidence[1].seen = std::move(seen);
  std::string words;
  for (const SameOriginHint& hint : same_origin_hints(finding)) {
    EXPECT_EQ(hint.evidence, "e2");
    words +=
        fmt::format("{}{}{}", words.empty() ? "" : ", ", fmt::join(hint.origins, " "), hint.by_rule ? " by rule" : "");
  }
  return words;
}

TEST(Corroboration, IsDoubtedOncePerGroupOfOriginsThatLookLikeOne) {
  const std::string rule(64, 'a'), other(64, 'b');
  struct Row {
    std::vector<Sighting> seen;
    std::string hints;
  };
  for (const Row& row : std::vector<Row>{
           {{{"alpha", "o1", 100, {}}, {"bravo", "o2", 101, {}}}, "o1 o2"},
           {{{"alpha", "o1", 100, {}}, {"bravo", "o2", 102, {}}}, ""},
           {{{"alpha", "o1", 0, {}}, {"bravo", "o2", 0, {}}}, ""},
           {{{"alpha", "o1", 100, {}}, {"bravo", "o1", 100, {}}}, ""},
           {{{"alpha", "o3", 102, {}}, {"bravo", "o2", 101, {}}, {"charlie", "o1", 100, {}}}, "o1 o2 o3"},
           {{{"alpha", "o1", 0, rule}, {"bravo", "o2", 0, rule}, {"charlie", "o3", 0, rule}}, "o1 o2 o3 by rule"},
           {{{"alpha", "o1", 0, rule}, {"bravo", "o2", 0, other}}, ""},
           {{{"alpha", "o1", 100, rule}, {"bravo", "o2", 100, rule}}, "o1 o2 by rule"},
           {{{"alpha", "o1", 100, rule}, {"bravo", "o2", 100, rule}, {"charlie", "o3", 100, {}}},
            "o1 o2 by rule, o1 o2 o3"},
           {{{"alpha", "o1", 100, {}}, {"bravo", "o2", 100, {}}, {"charlie", "o3", 200, {}}, {"alpha", "o4", 200, {}}},
            "o1 o2, o3 o4"}})
    EXPECT_EQ(hints_on(row.seen), row.hints);
}

TEST(Matrix, SaysWhichEvidenceTellsNothingApart) {
  Finding finding = sample_finding(group::charter_of(3));
  EXPECT_TRUE(is_diagnostic(finding, "e1"));
  for (Cell& cell : finding.matrix[0].cells) cell.value = inconsistent;
  EXPECT_FALSE(is_diagnostic(finding, "e1"));
}

}  // namespace
}  // namespace parley::finding
