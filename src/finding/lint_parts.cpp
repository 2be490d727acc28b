// Lint of the frame, the origins, the hypotheses and the evidence.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "finding/detail/remarks.h"
#include "finding/matrix.h"

namespace parley::finding::detail {
namespace {

/// Ids that are not prefix and a number, or that come again.
template <typename Element>
void lint_ids(const std::vector<Element>& elements, char prefix, std::string_view rule, std::string_view where,
              Remarks& remarks) {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const std::string& id = elements[i].id;
    const bool formed = id.size() >= 2 && id[0] == prefix && id[1] >= '1' && id[1] <= '9' &&
                        std::ranges::all_of(id.substr(1), [](char c) { return c >= '0' && c <= '9'; });
    const bool fresh = seen.insert(id).second;
    if (!formed)
      remarks.add(rule, fmt::format("{}/{}/id", where, i),
                  fmt::format("\"{}\" is no id here; it is {} and a number.", visible(id), prefix));
    else if (!fresh)
      remarks.add(rule, fmt::format("{}/{}/id", where, i), fmt::format("{} stands twice.", id));
  }
}

bool is_missing(const RedactableText& text) {
  return text.shown && text.text.empty();
}

void lint_period(const Finding& finding, Remarks& remarks) {
  if (finding.period_from == 0 || finding.period_to == 0)
    return remarks.add("period-missing", "/period", "Say which time the evidence is about: --from and --to.");
  if (finding.period_to < finding.period_from)
    remarks.add("period-reversed", "/period", "The period ends before it begins.");
  if (finding.period_to > finding.created)
    remarks.add("period-in-future", "/period", "The period ends after the finding was made.");
}

void lint_revision(const Finding& finding, Remarks& remarks) {
  if (finding.revision > 1 && finding.supersedes == Digest{})
    remarks.add("supersedes-missing", "/supersedes",
                fmt::format("Revision {} does not say which finding it replaces.", finding.revision));
  if (finding.revision == 1 && finding.supersedes != Digest{})
    remarks.add("supersedes-in-first", "/seq", "A finding that replaces another one is revision 2 or later.");
}

void lint_cut(const Finding& finding, const group::Charter& charter, Remarks& remarks) {
  if (finding.cut.empty())
    remarks.add("cut-missing", "/basis/cut", "No log is named; freezing the finding (parley finding draft) does that.");
  for (std::size_t i = 0; i < finding.cut.size(); ++i) {
    const Cut& cut = finding.cut[i];
    const std::string where = fmt::format("/basis/cut/{}", i);
    if (i > 0 && finding.cut[i - 1].nick >= cut.nick)
      remarks.add("cut-not-ascending", where, "The logs do not ascend by nick.");
    if (charter.member(cut.nick) == nullptr)
      remarks.add("cut-of-stranger", where, fmt::format("{} is no member.", visible(cut.nick)));
    if (cut.size == 0) remarks.add("cut-empty", where, fmt::format("The log of {} is empty.", visible(cut.nick)));
  }
}

bool is_one_actor(std::string_view name) {
  constexpr std::array<std::string_view, 9> kJoins = {"\n", "/", ",", ";", "=", "|", " aka ", " a.k.a. ", " or "};
  const std::string lowered = lower(name);
  return std::ranges::none_of(kJoins, [&](std::string_view join) { return lowered.find(join) != lowered.npos; });
}

void lint_actors(const Finding& finding, Remarks& remarks) {
  std::map<std::string, std::string> actors;
  for (std::size_t i = 0; i < finding.hypotheses.size(); ++i) {
    const Hypothesis& hypothesis = finding.hypotheses[i];
    const std::string where = fmt::format("/hypotheses/{}/actor", i);
    const bool attributes = hypothesis.kind == "attribution";
    if (attributes && hypothesis.actor.empty())
      remarks.add("actor-missing", where, fmt::format("{} attributes, and names nobody.", visible(hypothesis.id)));
    if (!attributes && !hypothesis.actor.empty())
      remarks.add("actor-without-attribution", where,
                  fmt::format("{} names an actor and is no attribution.", visible(hypothesis.id)));
    if (hypothesis.actor.empty()) continue;
    if (!is_one_actor(hypothesis.actor))
      remarks.add("actor-is-several", where,
                  fmt::format("\"{}\" are several names; take the one that the evidence uses, and say who says that "
                              "another means the same: parley finding hypothesis --same-as.",
                              visible(hypothesis.actor)));
    const auto [other, fresh] = actors.emplace(lower(hypothesis.actor), hypothesis.id);
    if (!fresh)
      remarks.add("actor-twice", where,
                  fmt::format("{} and {} are about the same actor.", visible(other->second), visible(hypothesis.id)));
  }
}

void lint_equivalences(const Finding& finding, Remarks& remarks) {
  const auto hypothesis_of = [&](const std::string& name) {
    return std::ranges::find_if(finding.hypotheses, [&](const Hypothesis& hypothesis) {
      return !hypothesis.actor.empty() && lower(hypothesis.actor) == lower(name);
    });
  };
  std::set<std::pair<std::set<std::string>, std::string>> seen;
  for (std::size_t i = 0; i < finding.equivalences.size(); ++i) {
    const Equivalence& claim = finding.equivalences[i];
    const std::string where = fmt::format("/equivalences/{}", i);
    if (claim.name.empty() || claim.other.empty() || lower(claim.name) == lower(claim.other))
      remarks.add("equivalence-of-itself", where, "Two different names are due.");
    if (finding.origin(claim.origin) == nullptr)
      remarks.add("equivalence-origin", where,
                  fmt::format("Who says that {} and {} are one?", visible(claim.name), visible(claim.other)));
    const auto one = hypothesis_of(claim.name), other = hypothesis_of(claim.other);
    if (one == finding.hypotheses.end() && other == finding.hypotheses.end())
      remarks.add("equivalence-unused", where, "No hypothesis uses either name.");
    if (!seen.emplace(std::set{lower(claim.name), lower(claim.other)}, claim.origin).second)
      remarks.add("equivalence-twice", where, "This origin has said so already.");
    if (one != finding.hypotheses.end() && other != finding.hypotheses.end() && one != other)
      remarks.add("competitors-said-to-be-one", where,
                  fmt::format("{} says that {} and {} are one actor; they compete here as two.", visible(claim.origin),
                              visible(claim.name), visible(claim.other)));
  }
}

void lint_sightings(const Finding& finding, const Evidence& evidence, const group::Charter& charter,
                    const std::string& where, Remarks& remarks) {
  if (evidence.seen.empty())
    remarks.add("seen-by-nobody", where + "/seen", fmt::format("Nobody has seen {}.", visible(evidence.id)));
  std::set<std::pair<std::string_view, std::string_view>> pairs;
  for (const Sighting& sighting : evidence.seen) {
    if (charter.member(sighting.by) == nullptr)
      remarks.add("seen-by-stranger", where + "/seen", fmt::format("{} is no member.", visible(sighting.by)));
    if (finding.origin(sighting.origin) == nullptr)
      remarks.add("seen-from-nowhere", where + "/seen",
                  fmt::format("There is no origin {}.", visible(sighting.origin)));
    if (!pairs.emplace(sighting.by, sighting.origin).second)
      remarks.add("seen-twice", where + "/seen",
                  fmt::format("{} has it from {} twice.", visible(sighting.by), visible(sighting.origin)));
    if (sighting.first_seen > finding.created)
      remarks.add("seen-after-finding", where + "/seen",
                  fmt::format("{} has seen it after the finding was made.", visible(sighting.by)));
  }
}

void lint_grade(const Evidence& evidence, const std::string& where, Remarks& remarks) {
  if (evidence.grade.source < 'A' || evidence.grade.source > 'F')
    remarks.add("source-not-graded", where + "/grade",
                fmt::format("The source of {} has no grade from A to F.", visible(evidence.id)));
  if (evidence.grade.information < 1 || evidence.grade.information > 6)
    remarks.add("information-not-graded", where + "/grade",
                fmt::format("The information of {} has no grade from 1 to 6.", visible(evidence.id)));
  if (evidence.grade.information == 1 && corroboration_of(evidence) < 2)
    remarks.add("confirmed-by-one-origin", where + "/grade",
                fmt::format("{} is graded 1, confirmed by other sources, and has one origin.", visible(evidence.id)));
}

void lint_references(const Evidence& evidence, const std::string& where, Remarks& remarks) {
  if (evidence.kind != "report" && evidence.refs.empty())
    remarks.add("refs-missing", where + "/refs",
                fmt::format("{} names no entry of a log: --ref LOG:NUMBER.", visible(evidence.id)));
  const std::set<Digest> distinct(evidence.refs.begin(), evidence.refs.end());
  if (distinct.size() != evidence.refs.size())
    remarks.add("ref-twice", where + "/refs", fmt::format("{} names an entry twice.", visible(evidence.id)));
  if ((evidence.kind == "report" || evidence.kind == "opening") && evidence.commitment == Digest{})
    remarks.add(
        "commitment-missing", where + "/commit",
        fmt::format("{} does not say which {} it is: --commit or --report FILE.", visible(evidence.id), evidence.kind));
}

/// One remark for each item and way, whatever the number of its sightings.
void lint_same_origins(const Finding& finding, Remarks& remarks) {
  const std::vector<SameOriginHint> hints = same_origin_hints(finding);
  for (std::size_t i = 0; i < hints.size();) {
    const SameOriginHint& first = hints[i];
    std::vector<std::string> groups;
    for (; i < hints.size() && hints[i].evidence == first.evidence && hints[i].by_rule == first.by_rule; ++i)
      groups.push_back(visible(fmt::format("{}", fmt::join(hints[i].origins, ", "))));
    remarks.add(
        first.by_rule ? "same-origin-by-rule" : "same-origin-by-time", "/evidence",
        fmt::format("{}: {} are possibly one origin ({}).", visible(first.evidence), fmt::join(groups, "; so are "),
                    first.by_rule ? "the same rule fired" : "first seen within a second"));
  }
}

void lint_doubles(const Finding& finding, Remarks& remarks) {
  std::map<Digest, std::string> refs, commitments;
  for (std::size_t i = 0; i < finding.evidence.size(); ++i) {
    const Evidence& evidence = finding.evidence[i];
    if (evidence.commitment != Digest{}) {
      const auto [other, fresh] = commitments.emplace(evidence.commitment, evidence.id);
      if (!fresh)
        remarks.add("commitment-twice", fmt::format("/evidence/{}/commit", i),
                    fmt::format("{} and {} are the same thing.", visible(other->second), visible(evidence.id)));
    }
    for (const Digest& ref : std::set<Digest>(evidence.refs.begin(), evidence.refs.end())) {
      const auto [other, fresh] = refs.emplace(ref, evidence.id);
      if (!fresh)
        remarks.add("ref-shared", fmt::format("/evidence/{}/refs", i),
                    fmt::format("{} and {} rest on the same entry.", visible(other->second), visible(evidence.id)));
    }
  }
  lint_same_origins(finding, remarks);
}

}  // namespace

void lint_frame(const Finding& finding, const group::Charter& charter, const Digest& charter_hash, Remarks& remarks) {
  if (finding.group != charter.group) remarks.add("group-is-another", "/group", "It is of another group.");
  if (finding.charter != charter_hash)
    remarks.add("charter-is-another", "/basis/charter", "It was frozen under another version of the charter.");
  if (finding.title.empty()) remarks.add("title-missing", "/title", "It has no title.");
  if (finding.title.find('\n') != std::string::npos)
    remarks.add("title-has-lines", "/title", "Its title has more than one line.");
  if (finding.question.empty()) remarks.add("question-missing", "/question", "It answers no question.");
  if (!finding.question.empty() && !finding.question.ends_with('?') && !finding.question.ends_with("؟"))
    remarks.add("question-is-none", "/question", "Its question has no question mark.");
  lint_period(finding, remarks);
  if (finding.created < charter.not_before - charter.clock_skew_seconds)
    remarks.add("created-before-charter", "/created", "It was made before the charter came into force.");
  if (finding.created > charter.grace_ends() + charter.clock_skew_seconds)
    remarks.add("created-after-charter", "/created", "It was made after the charter's days of grace.");
  lint_revision(finding, remarks);
  if (finding.tlp == indicator::Tlp::red)
    remarks.add("tlp-red", "/marks/tlp", "A finding marked TLP:RED cannot go to a group.");
  if (finding.tlp > charter.max_tlp)
    remarks.add("tlp-beyond-charter", "/marks/tlp",
                fmt::format("The charter's strictest mark is TLP:{}.", indicator::name_of(charter.max_tlp)));
  if (finding.tlp >= indicator::Tlp::amber && finding.pap == indicator::Pap::clear)
    remarks.add("pap-looser-than-tlp", "/marks/pap",
                fmt::format("PAP:CLEAR beside TLP:{}.", indicator::name_of(finding.tlp)));
  lint_cut(finding, charter, remarks);
}

void lint_origins(const Finding& finding, Remarks& remarks) {
  if (finding.origins.empty()) remarks.add("origins-missing", "/origins", "It names no origin: parley finding origin.");
  lint_ids(finding.origins, 'o', "origin-id", "/origins", remarks);
  std::map<std::string, std::string> texts;
  for (std::size_t i = 0; i < finding.origins.size(); ++i) {
    const Origin& origin = finding.origins[i];
    const std::string where = fmt::format("/origins/{}", i);
    if (is_missing(origin.text))
      remarks.add("origin-text-missing", where, fmt::format("{} does not say what it is.", visible(origin.id)));
    else if (origin.text.shown && !texts.emplace(lower(origin.text.text), origin.id).second)
      remarks.add("origin-twice", where, fmt::format("{} is described like another origin.", visible(origin.id)));
    const bool used =
        std::ranges::any_of(finding.evidence,
                            [&](const Evidence& evidence) {
                              return std::ranges::find(evidence.seen, origin.id, &Sighting::origin) !=
                                     evidence.seen.end();
                            }) ||
        std::ranges::find(finding.equivalences, origin.id, &Equivalence::origin) != finding.equivalences.end();
    if (!used) remarks.add("origin-unused", where, fmt::format("Nothing comes from {}.", visible(origin.id)));
  }
}

void lint_hypotheses(const Finding& finding, Remarks& remarks) {
  if (finding.hypotheses.size() < 2)
    remarks.add("hypotheses-too-few", "/hypotheses", "At least two hypotheses have to compete.");
  lint_ids(finding.hypotheses, 'h', "hypothesis-id", "/hypotheses", remarks);
  std::set<std::string> texts;
  for (std::size_t i = 0; i < finding.hypotheses.size(); ++i) {
    const Hypothesis& hypothesis = finding.hypotheses[i];
    const std::string where = fmt::format("/hypotheses/{}/text", i);
    if (hypothesis.text.empty())
      remarks.add("hypothesis-text-missing", where, fmt::format("{} claims nothing.", visible(hypothesis.id)));
    else if (!texts.insert(lower(hypothesis.text)).second)
      remarks.add("hypothesis-twice", where, fmt::format("{} is said twice.", visible(hypothesis.id)));
  }
  const Hypothesis* judged = finding.hypothesis(finding.judgement.hypothesis);
  const bool has_deception =
      std::ranges::find(finding.hypotheses, "deception", &Hypothesis::kind) != finding.hypotheses.end();
  if (judged != nullptr && judged->kind == "attribution" && !has_deception)
    remarks.add("deception-missing", "/hypotheses",
                "It judges who did it, and no hypothesis says that it was planted to look so.");
  lint_actors(finding, remarks);
  lint_equivalences(finding, remarks);
}

void lint_evidence(const Finding& finding, const group::Charter& charter, Remarks& remarks) {
  if (finding.evidence.empty()) remarks.add("evidence-missing", "/evidence", "It rests on nothing.");
  lint_ids(finding.evidence, 'e', "evidence-id", "/evidence", remarks);
  for (std::size_t i = 0; i < finding.evidence.size(); ++i) {
    const Evidence& evidence = finding.evidence[i];
    const std::string where = fmt::format("/evidence/{}", i);
    if (is_missing(evidence.summary))
      remarks.add("summary-missing", where, fmt::format("{} does not say what it is.", visible(evidence.id)));
    lint_grade(evidence, where, remarks);
    lint_sightings(finding, evidence, charter, where, remarks);
    lint_references(evidence, where, remarks);
  }
  lint_doubles(finding, remarks);
}

void lint_matrix(const Finding& finding, Remarks& remarks) {
  for (const Evidence& evidence : finding.evidence) {
    const auto rows = std::ranges::count(finding.matrix, evidence.id, &Row::evidence);
    if (rows == 0)
      remarks.add(
          "row-missing", "/matrix",
          fmt::format("{} is not held against the hypotheses: parley finding matrix --row.", visible(evidence.id)));
    if (rows > 1) remarks.add("row-twice", "/matrix", fmt::format("{} has two rows.", visible(evidence.id)));
  }
  bool any_diagnostic = false;
  for (std::size_t i = 0; i < finding.matrix.size(); ++i) {
    const Row& row = finding.matrix[i];
    const std::string where = fmt::format("/matrix/{}", i);
    if (finding.evidence_of(row.evidence) == nullptr)
      remarks.add("row-of-nothing", where, fmt::format("There is no evidence {}.", visible(row.evidence)));
    for (const Hypothesis& hypothesis : finding.hypotheses) {
      const auto cells = std::ranges::count(row.cells, hypothesis.id, &Cell::hypothesis);
      if (cells == 0)
        remarks.add("cell-missing", where,
                    fmt::format("{} is not held against {}.", visible(row.evidence), visible(hypothesis.id)));
      if (cells > 1)
        remarks.add("cell-twice", where,
                    fmt::format("{} says two things of {}.", visible(row.evidence), visible(hypothesis.id)));
    }
    for (const Cell& cell : row.cells)
      if (finding.hypothesis(cell.hypothesis) == nullptr)
        remarks.add("cell-of-nothing", where, fmt::format("There is no hypothesis {}.", visible(cell.hypothesis)));
    const bool diagnostic = is_diagnostic(finding, row.evidence);
    any_diagnostic = any_diagnostic || diagnostic;
    const bool all_inapplicable = !row.cells.empty() && std::ranges::all_of(row.cells, [](const Cell& cell) {
      return cell.value == Consistency::not_applicable;
    });
    if (all_inapplicable)
      remarks.add("row-not-applicable", where, fmt::format("{} bears on no hypothesis.", visible(row.evidence)));
    else if (!diagnostic)
      remarks.add("row-not-diagnostic", where, fmt::format("{} fits all hypotheses alike.", visible(row.evidence)));
  }
  if (!finding.matrix.empty() && !any_diagnostic)
    remarks.add("matrix-not-diagnostic", "/matrix", "No evidence tells the hypotheses apart.");
}

}  // namespace parley::finding::detail
