#include "finding/lint.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>

#include "finding/detail/remarks.h"

namespace parley::finding {
namespace {

constexpr Severity kRefuses = Severity::refuses;
constexpr Severity kWarns = Severity::warns;

constexpr std::array kRules = {
    // The frame.
    Rule{"group-is-another", kRefuses, "A finding is of the group whose charter it names."},
    Rule{"charter-is-another", kRefuses, "A finding names the version of the charter under which it is judged."},
    Rule{"title-missing", kRefuses, "A reader has to know what it is about."},
    Rule{"title-has-lines", kRefuses, "A title is one line."},
    Rule{"question-missing", kRefuses, "A judgement answers a question that was put."},
    Rule{"question-is-none", kWarns, "A question ends with a question mark."},
    Rule{"period-missing", kRefuses, "The evidence is about a time."},
    Rule{"period-reversed", kRefuses, "A period begins before it ends."},
    Rule{"period-in-future", kRefuses, "Nobody has evidence of what comes after the finding was made."},
    Rule{"created-before-charter", kRefuses, "A group finds nothing before it begins."},
    Rule{"created-after-charter", kRefuses, "A group finds nothing after its days of grace."},
    Rule{"supersedes-missing", kRefuses, "A later revision names the finding that it replaces."},
    Rule{"supersedes-in-first", kRefuses, "A first revision replaces nothing."},
    Rule{"tlp-red", kRefuses, "TLP:RED is for named people; what a group signs goes further."},
    Rule{"tlp-beyond-charter", kWarns, "The group's charter lets nothing stricter marked in."},
    Rule{"pap-looser-than-tlp", kWarns, "What may be told to few is seldom free to be acted on by all."},
    Rule{"cut-missing", kRefuses, "A finding says how far the logs went that it rests on."},
    Rule{"cut-not-ascending", kRefuses, "Each member's log stands in the cut once, by nick."},
    Rule{"cut-of-stranger", kRefuses, "A cut is of members' logs."},
    Rule{"cut-empty", kRefuses, "A log without entries is no basis."},
    // Origins.
    Rule{"origins-missing", kRefuses, "Corroboration is counted by origins; there must be one."},
    Rule{"origin-id", kRefuses, "Origins are named o1, o2, …, each once."},
    Rule{"origin-text-missing", kRefuses, "An origin says what it is."},
    Rule{"origin-twice", kRefuses, "One origin under two names would count twice."},
    Rule{"origin-unused", kWarns, "An origin that nothing comes from."},
    // Hypotheses.
    Rule{"hypotheses-too-few", kRefuses, "One hypothesis competes with nothing."},
    Rule{"hypothesis-id", kRefuses, "Hypotheses are named h1, h2, …, each once."},
    Rule{"hypothesis-text-missing", kRefuses, "A hypothesis says what it claims."},
    Rule{"hypothesis-twice", kRefuses, "The same hypothesis twice splits what speaks for it."},
    Rule{"deception-missing", kRefuses, "Whoever judges who did it also asks who wants it to look so."},
    Rule{"actor-missing", kRefuses, "An attribution names an actor."},
    Rule{"actor-without-attribution", kRefuses, "Only an attribution names an actor."},
    Rule{"actor-twice", kRefuses, "Two hypotheses about one actor are one hypothesis."},
    Rule{"actor-is-several", kRefuses,
         "Two names in one field merge two actors silently; say who says that they are one."},
    Rule{"equivalence-of-itself", kRefuses, "A name is the same as itself."},
    Rule{"equivalence-origin", kRefuses, "That two names are one is somebody's claim; it has an origin."},
    Rule{"equivalence-unused", kRefuses, "A claim about names that no hypothesis uses."},
    Rule{"equivalence-twice", kRefuses, "The same claim of the same origin counts once."},
    Rule{"competitors-said-to-be-one", kWarns, "Somebody says that two competing attributions are of one actor."},
    // Evidence.
    Rule{"evidence-missing", kRefuses, "A finding rests on evidence."},
    Rule{"evidence-id", kRefuses, "Evidence is named e1, e2, …, each once."},
    Rule{"summary-missing", kRefuses, "Evidence says what it is."},
    Rule{"source-not-graded", kRefuses, "Each item's source is graded from A to F."},
    Rule{"information-not-graded", kRefuses, "Each item's information is graded from 1 to 6."},
    Rule{"confirmed-by-one-origin", kRefuses, "\"Confirmed\" (1) needs two independent origins."},
    Rule{"seen-by-nobody", kRefuses, "Some member has it from some origin."},
    Rule{"seen-by-stranger", kRefuses, "Whoever brings evidence is a member."},
    Rule{"seen-from-nowhere", kRefuses, "A sighting names one of the finding's origins."},
    Rule{"seen-twice", kRefuses, "A member has an item from an origin once."},
    Rule{"seen-after-finding", kRefuses, "Nothing is first seen after the finding was made."},
    Rule{"refs-missing", kRefuses, "A match, an opening or an entry stands in a log."},
    Rule{"ref-twice", kRefuses, "An item names an entry once."},
    Rule{"commitment-missing", kRefuses, "A report is named by its SHA-256, an opening by what it opened."},
    Rule{"commitment-twice", kRefuses, "The same item or report twice counts twice."},
    Rule{"same-origin-by-time", kWarns, "Two origins that saw it in the same second may be one."},
    Rule{"same-origin-by-rule", kWarns, "Two origins whose alarm came from one rule may be one."},
    Rule{"ref-shared", kWarns, "Two items that rest on one entry may be one."},
    // The matrix.
    Rule{"row-missing", kRefuses, "Each item is held against each hypothesis."},
    Rule{"row-of-nothing", kRefuses, "A row is about an item of the finding."},
    Rule{"row-twice", kRefuses, "An item has one row."},
    Rule{"cell-missing", kRefuses, "A row is complete."},
    Rule{"cell-of-nothing", kRefuses, "A cell is about a hypothesis of the finding."},
    Rule{"cell-twice", kRefuses, "An item says one thing of a hypothesis."},
    Rule{"row-not-diagnostic", kWarns, "Evidence that fits all hypotheses alike does not help to choose."},
    Rule{"matrix-not-diagnostic", kRefuses, "Nothing in it tells the hypotheses apart."},
    Rule{"row-not-applicable", kWarns, "Evidence that bears on no hypothesis is none here."},
    // The judgement.
    Rule{"judgement-of-nothing", kRefuses, "A judgement is about one of the hypotheses."},
    Rule{"likelihood-missing", kRefuses, "A judgement has one of the seven terms of ICD 203."},
    Rule{"judgement-text-missing", kRefuses, "A judgement is said in a sentence."},
    Rule{"judged-without-support", kRefuses, "No evidence fits the hypothesis that is judged."},
    Rule{"judged-most-inconsistent", kRefuses,
         "Most speaks against the hypothesis that is judged; that needs a reason."},
    Rule{"despite-without-need", kWarns, "A reason is given for what needs none."},
    Rule{"judged-not-least-inconsistent", kWarns, "Less speaks against another hypothesis."},
    Rule{"judged-tied", kWarns, "As little speaks against another hypothesis as against the one that is judged."},
    Rule{"judged-on-one-row", kWarns, "Without one row another hypothesis would come first."},
    Rule{"other-likelihood-in-text", kRefuses, "Title or sentence has another term than the field."},
    Rule{"synonym-in-text", kRefuses, "One row of ICD 203's terms is used, and not the other."},
    Rule{"percentage-in-text", kRefuses, "A number beside the word is a second, finer likelihood."},
    Rule{"certainty-in-text", kRefuses, "No finding proves; the strongest term is \"almost certain\"."},
    Rule{"hedge-in-text", kWarns, "\"May\" and \"could\" say nothing that a likelihood does not say better."},
    Rule{"confidence-missing", kRefuses, "A judgement says how well it is founded."},
    Rule{"confidence-why-missing", kRefuses, "Confidence has reasons."},
    Rule{"likelihood-in-confidence", kRefuses, "Confidence is about the basis, not about how likely it is."},
    Rule{"high-on-one-origin", kRefuses, "High confidence needs two independent origins."},
    Rule{"certain-on-low-confidence", kWarns, "A judgement near certainty on a thin basis."},
    Rule{"assumptions-missing", kWarns, "Every judgement assumes something."},
    Rule{"assumption-id", kRefuses, "Assumptions are named k1, k2, …, each once."},
    Rule{"assumption-text-missing", kRefuses, "An assumption says what is assumed."},
    Rule{"assumption-twice", kRefuses, "The same assumption twice."},
    // All texts.
    Rule{"likelihood-with-confidence", kRefuses, "Likelihood and confidence do not share a sentence (ICD 203)."},
    Rule{"hidden-characters", kRefuses, "Characters that cannot be seen or that turn the text around."},
    Rule{"blank-edges", kWarns, "A text begins or ends with a blank."},
};

}  // namespace

std::span<const Rule> rules() {
  return kRules;
}

void detail::Remarks::add(std::string_view rule, std::string where, std::string sentence) {
  const auto found = std::ranges::find(kRules, rule, &Rule::name);
  assert(found != kRules.end());
  if (found->severity == Severity::warns) {
    Warnings& warnings = warnings_[found->name];
    if (++warnings.count > kMaxWarningsOfRule + 1) return;
    warnings.last = remarks_.size();
  }
  remarks_.push_back({found->name, found->severity, std::move(where), std::move(sentence)});
}

std::vector<Remark> detail::Remarks::take() {
  for (const auto& [rule, warnings] : warnings_)
    if (warnings.count > kMaxWarningsOfRule)
      remarks_[warnings.last].sentence = fmt::format("And {} more of this kind.", warnings.count - kMaxWarningsOfRule);
  return std::move(remarks_);
}

std::vector<Remark> lint(const Finding& finding, const group::Charter& charter, const Digest& charter_hash) {
  detail::Remarks remarks;
  detail::lint_frame(finding, charter, charter_hash, remarks);
  detail::lint_origins(finding, remarks);
  detail::lint_hypotheses(finding, remarks);
  detail::lint_evidence(finding, charter, remarks);
  detail::lint_matrix(finding, remarks);
  detail::lint_judgement(finding, remarks);
  detail::lint_texts(finding, remarks);
  return remarks.take();
}

bool refuses(std::span<const Remark> remarks) {
  return std::ranges::any_of(remarks, [](const Remark& remark) { return remark.severity == Severity::refuses; });
}

Status check(std::span<const Remark> remarks) {
  for (const Remark& remark : remarks)
    if (remark.severity == Severity::refuses)
      return fail(Errc::policy, remark.sentence, fmt::format("{} ({})", remark.where, remark.rule));
  return {};
}

}  // namespace parley::finding
