// Every rule of the trade is broken once, and nothing else is remarked.
#include "finding/lint.h"

#include <functional>
#include <set>

#include "finding/samples.h"

namespace parley::finding {
namespace {

struct Breach {
  std::string_view rule;
  std::function<void(Finding&)> breaks;
  /// Other rules that cannot but be broken with it.
  std::set<std::string_view> also = {};
};

const std::vector<Breach>& breaches() {
  using F = Finding;
  static const std::vector<Breach> table = {
      {"group-is-another", [](F& f) { f.group[0] = 'f'; }},
      {"charter-is-another", [](F& f) { f.charter = digest_of("another"); }},
      {"title-missing", [](F& f) { f.title.clear(); }},
      {"title-has-lines", [](F& f) { f.title += "\nin two lines"; }},
      {"question-missing", [](F& f) { f.question.clear(); }},
      {"question-is-none", [](F& f) { f.question = "Tell me who did it"; }},
      {"period-missing", [](F& f) { f.period_from = 0; }},
      {"period-reversed", [](F& f) { std::swap(f.period_from, f.period_to); }},
      {"period-in-future", [](F& f) { f.period_to = f.created + 1; }},
      {"created-before-charter",
       [](F& f) {
         f.created = kBegin - 601;
         f.period_from = f.period_to = kBegin - 1000;
         f.evidence[0].seen[0].first_seen = f.evidence[0].seen[1].first_seen = 0;
       }},
      {"created-after-charter", [](F& f) { f.created = group::kEnd + 30 * group::kSecondsPerDay + 601; }},
      {"supersedes-missing", [](F& f) { f.revision = 2; }},
      {"supersedes-in-first", [](F& f) { f.supersedes = digest_of("older"); }},
      {"tlp-red", [](F& f) { f.tlp = indicator::Tlp::red; }, {"tlp-beyond-charter"}},
      {"tlp-beyond-charter", [](F& f) { f.tlp = indicator::Tlp::red; }, {"tlp-red"}},
      {"pap-looser-than-tlp",
       [](F& f) {
         f.tlp = indicator::Tlp::amber;
         f.pap = indicator::Pap::clear;
       }},
      {"cut-missing", [](F& f) { f.cut.clear(); }},
      {"cut-not-ascending", [](F& f) { std::swap(f.cut[0], f.cut[1]); }},
      {"cut-of-stranger", [](F& f) { f.cut[1].nick = "zulu"; }},
      {"cut-empty", [](F& f) { f.cut[0].size = 0; }},
      {"origins-missing", [](F& f) { f.origins.clear(); }, {"seen-from-nowhere", "equivalence-origin"}},
      {"origin-id", [](F& f) { f.origins.push_back({"x9", "human", plain("a source")}); }, {"origin-unused"}},
      {"origin-text-missing", [](F& f) { f.origins[1].text.text.clear(); }},
      {"origin-twice", [](F& f) { f.origins[1].text.text = "ALPHA'S sensors at the ticket shop"; }},
      {"origin-unused", [](F& f) { f.origins.push_back({"o4", "human", plain("a source")}); }},
      {"hypotheses-too-few",
       [](F& f) {
         f.hypotheses.resize(1);
         f.hypotheses[0].kind = "other";
         f.hypotheses[0].actor.clear();
         f.equivalences.clear();
         for (Row& row : f.matrix) row.cells.resize(1);
       },
       {"row-not-diagnostic", "matrix-not-diagnostic"}},
      {"hypothesis-id",
       [](F& f) {
         f.hypotheses[1].id = "second";
         for (Row& row : f.matrix) row.cells[1].hypothesis = "second";
       }},
      {"hypothesis-text-missing", [](F& f) { f.hypotheses[1].text.clear(); }},
      {"hypothesis-twice", [](F& f) { f.hypotheses[1].text = "SEDNIT did it with its own tools"; }},
      {"deception-missing", [](F& f) { f.hypotheses[2].kind = "other"; }},
      {"actor-missing", [](F& f) { f.hypotheses[1].actor.clear(); }},
      {"actor-without-attribution", [](F& f) { f.hypotheses[2].actor = "Lazarus"; }},
      {"actor-twice", [](F& f) { f.hypotheses[1].actor = "sednit"; }},
      {"actor-is-several", [](F& f) { f.hypotheses[1].actor = "Turla / Snake"; }},
      {"actor-is-several", [](F& f) { f.hypotheses[1].actor = "Turla\nEvidence e9"; }},
      {"equivalence-of-itself", [](F& f) { f.equivalences[0].other = "SEDNIT"; }},
      {"equivalence-origin", [](F& f) { f.equivalences[0].origin = "o9"; }},
      {"equivalence-unused", [](F& f) { f.equivalences[0].name = "Fancy Bear"; }},
      {"equivalence-twice", [](F& f) { f.equivalences.push_back({"APT28", "Sednit", "o3"}); }},
      {"competitors-said-to-be-one", [](F& f) { f.equivalences[0].other = "Turla"; }},
      {"evidence-missing",
       [](F& f) {
         f.evidence.clear();
         f.matrix.clear();
       },
       {"origin-unused", "judged-without-support", "judged-tied"}},
      {"evidence-id",
       [](F& f) {
         f.evidence[2].id = "e0";
         f.matrix[2].evidence = "e0";
       }},
      {"summary-missing", [](F& f) { f.evidence[1].summary.text.clear(); }},
      {"source-not-graded", [](F& f) { f.evidence[2].grade.source = 0; }},
      {"information-not-graded", [](F& f) { f.evidence[2].grade.information = 0; }},
      {"confirmed-by-one-origin", [](F& f) { f.evidence[0].seen[1].origin = "o1"; }},
      {"seen-by-nobody", [](F& f) { f.evidence[1].seen.clear(); }},
      {"seen-by-stranger", [](F& f) { f.evidence[1].seen[0].by = "zulu"; }},
      {"seen-from-nowhere", [](F& f) { f.evidence[1].seen[0].origin = "o7"; }},
      {"seen-twice", [](F& f) { f.evidence[1].seen.push_back(f.evidence[1].seen[0]); }},
      {"seen-after-finding", [](F& f) { f.evidence[1].seen[0].first_seen = f.created + 1; }},
      {"refs-missing", [](F& f) { f.evidence[1].refs.clear(); }},
      {"ref-twice", [](F& f) { f.evidence[1].refs.push_back(f.evidence[1].refs[0]); }},
      {"commitment-missing", [](F& f) { f.evidence[2].commitment = {}; }},
      {"commitment-twice", [](F& f) { f.evidence[2].commitment = f.evidence[1].commitment; }},
      {"same-origin-by-time", [](F& f) { f.evidence[0].seen[1].first_seen = kBegin + 2'001; }},
      {"same-origin-by-rule",
       [](F& f) { f.evidence[0].seen[0].rule = f.evidence[0].seen[1].rule = std::string(64, 'a'); }},
      {"ref-shared", [](F& f) { f.evidence[2].refs = f.evidence[1].refs; }},
      {"row-missing", [](F& f) { f.matrix.pop_back(); }},
      {"row-of-nothing", [](F& f) { f.matrix.push_back({"e7", f.matrix[0].cells}); }},
      {"row-twice", [](F& f) { f.matrix.push_back(f.matrix[2]); }},
      {"cell-missing", [](F& f) { f.matrix[2].cells.pop_back(); }},
      {"cell-of-nothing", [](F& f) { f.matrix[2].cells.push_back({"h9", Consistency::neutral}); }},
      {"cell-twice", [](F& f) { f.matrix[2].cells.push_back({"h2", Consistency::neutral}); }},
      {"row-not-diagnostic",
       [](F& f) {
         for (Cell& cell : f.matrix[2].cells) cell.value = Consistency::consistent;
       }},
      {"matrix-not-diagnostic",
       [](F& f) {
         for (Row& row : f.matrix)
           for (Cell& cell : row.cells) cell.value = Consistency::consistent;
       },
       {"row-not-diagnostic", "judged-tied"}},
      {"row-not-applicable",
       [](F& f) {
         for (Cell& cell : f.matrix[2].cells) cell.value = Consistency::not_applicable;
       }},
      {"judgement-of-nothing", [](F& f) { f.judgement.hypothesis = "h8"; }},
      {"likelihood-missing", [](F& f) { f.judgement.likelihood.reset(); }},
      {"judgement-text-missing", [](F& f) { f.judgement.text.clear(); }},
      {"judged-without-support",
       [](F& f) {
         for (Row& row : f.matrix) row.cells[0].value = Consistency::neutral;
       }},
      {"judged-most-inconsistent",
       [](F& f) {
         f.judgement.hypothesis = "h3";
         f.hypotheses[2].kind = "deception";
       },
       {"judged-not-least-inconsistent"}},
      {"despite-without-need", [](F& f) { f.judgement.despite = "because"; }},
      {"judged-not-least-inconsistent",
       [](F& f) {
         f.judgement.hypothesis = "h2";
         f.matrix[2].cells[0].value = Consistency::neutral;
         f.matrix[2].cells[1].value = Consistency::consistent;
       }},
      {"judged-tied", [](F& f) { f.matrix[0].cells[1].value = f.matrix[1].cells[1].value = Consistency::neutral; }},
      {"judged-on-one-row", [](F& f) { f.matrix[0].cells[1].value = Consistency::neutral; }},
      {"other-likelihood-in-text",
       [](F& f) { f.judgement.text = "It is very likely that Sednit is behind the intrusions."; }},
      {"other-likelihood-in-text",
       [](F& f) { f.judgement.text = "It is almost\u00a0certain that Sednit is behind it."; }},
      {"other-likelihood-in-text",
       [](F& f) { f.judgement.text = "It is almost \n certain that Sednit is behind it."; }},
      {"other-likelihood-in-text", [](F& f) { f.title = "It was almost certain that it is Sednit"; }},
      {"synonym-in-text", [](F& f) { f.judgement.text = "It is probable that Sednit is behind it."; }},
      {"percentage-in-text", [](F& f) { f.judgement.text = "It is likely (70 %) that Sednit is behind it."; }},
      {"certainty-in-text", [](F& f) { f.judgement.text = "Sednit is undoubtedly behind it."; }},
      {"hedge-in-text", [](F& f) { f.judgement.text = "Sednit could be behind it."; }},
      {"confidence-missing", [](F& f) { f.confidence.reset(); }},
      {"confidence-why-missing", [](F& f) { f.confidence_why.clear(); }},
      {"likelihood-in-confidence", [](F& f) { f.confidence_why = "It is very likely that the sensors were right."; }},
      {"high-on-one-origin",
       [](F& f) {
         f.confidence = Confidence::high;
         f.evidence[0].grade.information = 2;
         for (Evidence& evidence : f.evidence)
           for (Sighting& sighting : evidence.seen) sighting.origin = "o2";
       },
       {"origin-unused"}},
      {"certain-on-low-confidence",
       [](F& f) {
         f.judgement.likelihood = Likelihood::almost_certain;
         f.judgement.text = "It is almost certain that Sednit is behind it.";
         f.confidence = Confidence::low;
       }},
      {"assumptions-missing", [](F& f) { f.assumptions.clear(); }},
      {"assumption-id", [](F& f) { f.assumptions[0].id = "a1"; }},
      {"assumption-text-missing", [](F& f) { f.assumptions[0].text.text.clear(); }},
      {"assumption-twice",
       [](F& f) {
         f.assumptions.push_back(f.assumptions[0]);
         f.assumptions[1].id = "k2";
       }},
      {"likelihood-with-confidence",
       [](F& f) { f.judgement.text = "We judge with moderate confidence that it is likely Sednit."; }},
      {"likelihood-with-confidence",
       [](F& f) { f.judgement.text = "We judge with moderate\nconfidence that it is likely Sednit."; }},
      {"likelihood-in-confidence",
       [](F& f) { f.confidence_why = "It is very\u2009likely that the sensors were right."; }},
      {"hidden-characters", [](F& f) { f.hypotheses[0].text += "\u202e"; }},
      {"hidden-characters", [](F& f) { f.hypotheses[0].text += " \u2764\ufe0f"; }},
      {"blank-edges", [](F& f) { f.title += " "; }},
  };
  return table;
}

TEST(Lint, HasNothingToSayOfAFindingThatKeepsAllRules) {
  const group::Charter charter = group::charter_of(3);
  for (const Remark& remark : remarks_on(sample_finding(charter), charter))
    ADD_FAILURE() << remark.rule << " " << remark.where << ": " << remark.sentence;
}

TEST(Lint, NamesTheRuleThatIsBrokenAndNoOther) {
  const group::Charter charter = group::charter_of(3);
  for (const Breach& breach : breaches()) {
    Finding finding = sample_finding(charter);
    breach.breaks(finding);
    std::set<std::string_view> named;
    for (const Remark& remark : remarks_on(finding, charter)) {
      named.insert(remark.rule);
      EXPECT_TRUE(remark.sentence.ends_with('.') || remark.sentence.ends_with('?')) << remark.sentence;
      EXPECT_TRUE(remark.where.starts_with('/')) << remark.rule;
    }
    std::set<std::string_view> expected = breach.also;
    expected.insert(breach.rule);
    EXPECT_EQ(named, expected) << breach.rule;
  }
}

TEST(Lint, HasARuleBrokenForEachThatThereIs) {
  std::set<std::string_view> broken, all;
  for (const Breach& breach : breaches()) broken.insert(breach.rule);
  for (const Rule& rule : rules()) EXPECT_TRUE(all.insert(rule.name).second) << rule.name << " stands twice";
  EXPECT_EQ(broken, all);
  EXPECT_GE(all.size(), 60u);
}

TEST(Lint, RefusesOrWarnsAsItsTableSays) {
  const group::Charter charter = group::charter_of(3);
  for (const Breach& breach : breaches()) {
    Finding finding = sample_finding(charter);
    breach.breaks(finding);
    const std::vector<Remark> remarks = remarks_on(finding, charter);
    bool due = false;
    for (const Remark& remark : remarks) due |= remark.severity == Severity::refuses;
    EXPECT_EQ(refuses(remarks), due) << breach.rule;
    EXPECT_EQ(check(remarks).has_value(), !due) << breach.rule;
  }
}

TEST(Lint, TakesEachOfTheSevenTermsAndNoneOfTheirSynonyms) {
  const group::Charter charter = group::charter_of(3);
  for (const LikelihoodWord& word : kLikelihoods) {
    Finding finding = sample_finding(charter);
    finding.judgement.likelihood = word.value;
    finding.judgement.text = fmt::format("That Sednit is behind it is {}.", word.phrase);
    EXPECT_FALSE(refuses(remarks_on(finding, charter))) << word.phrase;
  }
  for (const std::string_view synonym : {"remote", "highly improbable", "improbable", "roughly even odds", "probable",
                                         "probably", "highly probable", "nearly certain", "highly likely"}) {
    Finding finding = sample_finding(charter);
    finding.judgement.text = fmt::format("That Sednit is behind it is {}.", synonym);
    EXPECT_TRUE(refuses(remarks_on(finding, charter))) << synonym;
    EXPECT_EQ(likelihood_named(synonym), std::nullopt) << synonym;
  }
}

TEST(Lint, SeesLikelihoodAndConfidenceInOneSentenceAndNotInTwo) {
  const group::Charter charter = group::charter_of(3);
  Finding finding = sample_finding(charter);
  finding.judgement.text = "It is likely that Sednit is behind it. Our reasons stand under moderate confidence.";
  EXPECT_FALSE(refuses(remarks_on(finding, charter)));
  finding.judgement.text = "It is likely that Sednit is behind it, with moderate confidence.";
  EXPECT_TRUE(refuses(remarks_on(finding, charter)));
}

TEST(Lint, TakesAMostInconsistentHypothesisWithAReason) {
  const group::Charter charter = group::charter_of(3);
  Finding finding = sample_finding(charter);
  finding.judgement.hypothesis = "h3";
  finding.judgement.despite = "Both items against it come from whoever would have planted them.";
  EXPECT_FALSE(refuses(remarks_on(finding, charter)));
}

/// As many items as a finding may have, each seen by all members from four origins in the same second, all of them
/// resting on the same entries and fitting every hypothesis.
Finding with_as_much_to_remark_on_as_may_be(const group::Charter& charter) {
  Finding finding = sample_finding(charter);
  Evidence item = finding.evidence[1];
  item.seen.clear();
  finding.origins.push_back({"o4", "human", plain("a source")});
  for (const group::CharterMember& member : charter.members)
    for (const Origin& origin : finding.origins) item.seen.push_back({member.keys.nick, origin.id, kBegin + 2'000, {}});
  item.refs = {digest_of("one entry"), digest_of("another")};
  finding.evidence.clear();
  finding.matrix.clear();
  for (std::size_t i = 1; i <= kMaxEvidence; ++i) {
    item.id = fmt::format("e{}", i);
    item.commitment = digest_of(item.id);
    finding.evidence.push_back(item);
    Row& row = finding.matrix.emplace_back(item.id);
    for (const Hypothesis& hypothesis : finding.hypotheses)
      row.cells.push_back({hypothesis.id, Consistency::consistent});
  }
  return finding;
}

std::string of_rule(std::span<const Remark> remarks, std::string_view rule, std::size_t place) {
  std::vector<const Remark*> of;
  for (const Remark& remark : remarks)
    if (remark.rule == rule) of.push_back(&remark);
  return place < of.size() ? of[place]->where + ": " + of[place]->sentence : std::string("none");
}

TEST(Lint, WarnsOfOneKindUpToALimitAndSaysHowManyMoreThereAre) {
  const group::Charter charter = group::charter_of(16);
  const Finding finding = with_as_much_to_remark_on_as_may_be(charter);
  const std::vector<Remark> remarks = remarks_on(finding, charter);
  for (const std::string_view rule : {"same-origin-by-time", "ref-shared", "row-not-diagnostic"})
    EXPECT_EQ(std::ranges::count(remarks, rule, &Remark::rule), kMaxWarningsOfRule + 1) << rule;
  EXPECT_EQ(of_rule(remarks, "same-origin-by-time", 0),
            "/evidence: e1: o1, o2, o3, o4 are possibly one origin (first seen within a second).");
  EXPECT_EQ(of_rule(remarks, "same-origin-by-time", kMaxWarningsOfRule), "/evidence: And 224 more of this kind.");
  EXPECT_EQ(of_rule(remarks, "ref-shared", kMaxWarningsOfRule), "/evidence/17/refs: And 478 more of this kind.");
  EXPECT_EQ(of_rule(remarks, "row-not-diagnostic", kMaxWarningsOfRule), "/matrix/32: And 224 more of this kind.");
  const std::vector<Remark> again = remarks_on(finding, charter);
  ASSERT_EQ(again.size(), remarks.size());
  for (std::size_t i = 0; i < remarks.size(); ++i) EXPECT_EQ(again[i].sentence, remarks[i].sentence);
}

TEST(Lint, WarnsOfOneMoreThanTheLimitByItsNumberAndOfTheLimitItselfInFull) {
  const group::Charter charter = group::charter_of(16);
  Finding finding = with_as_much_to_remark_on_as_may_be(charter);
  finding.evidence.resize(kMaxWarningsOfRule + 1);
  finding.matrix.resize(kMaxWarningsOfRule + 1);
  EXPECT_EQ(of_rule(remarks_on(finding, charter), "row-not-diagnostic", kMaxWarningsOfRule),
            "/matrix/32: And 1 more of this kind.");
  finding.evidence.pop_back();
  finding.matrix.pop_back();
  const std::vector<Remark> remarks = remarks_on(finding, charter);
  EXPECT_EQ(of_rule(remarks, "row-not-diagnostic", kMaxWarningsOfRule - 1),
            "/matrix/31: e32 fits all hypotheses alike.");
  EXPECT_EQ(of_rule(remarks, "row-not-diagnostic", kMaxWarningsOfRule), "none");
}

TEST(Lint, HidesNothingThatRefusesBehindWarnings) {
  const group::Charter charter = group::charter_of(16);
  Finding finding = with_as_much_to_remark_on_as_may_be(charter);
  for (Evidence& evidence : finding.evidence) evidence.grade.source = 0;
  finding.confidence_why.clear();
  const std::vector<Remark> remarks = remarks_on(finding, charter);
  EXPECT_EQ(std::ranges::count(remarks, "source-not-graded", &Remark::rule), kMaxEvidence) << "each is told";
  EXPECT_EQ(std::ranges::count(remarks, "confidence-why-missing", &Remark::rule), 1);
  EXPECT_REFUSED(check(remarks), Errc::policy, "The source of e1 has no grade");
}

TEST(Lint, DoesNotJudgeWhatIsNotShown) {
  const group::Charter charter = group::charter_of(3);
  const Frozen frozen(sample_finding(charter));
  const auto outsiders = read_finding_text(frozen.text);
  ASSERT_HOLDS(outsiders);
  for (const Remark& remark : remarks_on(*outsiders, charter)) ADD_FAILURE() << remark.rule;
}

}  // namespace
}  // namespace parley::finding
