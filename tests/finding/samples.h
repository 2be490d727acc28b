// A finding that keeps all rules, of a group of test members; tests break one thing of it.
#pragma once

#include "crypto/hash.h"
#include "finding/lint.h"
#include "finding/matrix.h"
#include "finding/signing.h"
#include "group/charters.h"

namespace parley::finding {

using group::fails, group::holds, group::kBegin;  // of EXPECT_HOLDS and its like

inline Digest digest_of(std::string_view what) {
  return crypto::sha256(as_bytes(what));
}

inline RedactableText plain(std::string text) {
  return {.text = std::move(text)};
}
inline RedactableText redactable(std::string text) {
  return {.text = std::move(text), .redactable = true};
}

/// Three hypotheses, three items: h1 has nothing against it, h2 and h3 have e1 and e2, so that no single item decides
/// which comes first.
inline Finding sample_finding(const group::Charter& charter) {
  Finding finding;
  finding.group = charter.group;
  finding.charter = group::charter_hash(charter);
  finding.cut = {{"alpha", 40, digest_of("root of alpha")}, {"bravo", 31, digest_of("root of bravo")}};
  finding.title = "Who broke into the ticketing systems in October";
  finding.question = "Which actor is behind the intrusions into the ticketing systems?";
  finding.period_from = kBegin + 1'000;
  finding.period_to = kBegin + 50'000;
  finding.created = kBegin + 100'000;
  finding.origins = {{"o1", "own-sensor", redactable("alpha's sensors at the ticket shop")},
                     {"o2", "incident", plain("bravo's incident 17")},
                     {"o3", "public-report", plain("a public report on the actor's tools")}};
  finding.evidence = {{.id = "e1",
                       .kind = "match",
                       .summary = redactable("The same command server was called from both networks"),
                       .grade = {'B', 1},
                       .seen = {{"alpha", "o1", kBegin + 2'000, {}}, {"bravo", "o2", kBegin + 9'000, {}}},
                       .refs = {digest_of("entry of alpha"), digest_of("entry of bravo")},
                       .commitment = digest_of("item")},
                      {.id = "e2",
                       .kind = "opening",
                       .summary = plain("The loader was built before the server was rented"),
                       .grade = {'A', 2},
                       .seen = {{"bravo", "o2", 0, {}}},
                       .refs = {digest_of("opening of bravo")},
                       .commitment = digest_of("field")},
                      {.id = "e3",
                       .kind = "report",
                       .summary = plain("The report describes the loader's key schedule"),
                       .grade = {'C', 3},
                       .seen = {{"alpha", "o3", 0, {}}},
                       .refs = {},
                       .commitment = digest_of("report")}};
  finding.hypotheses = {{"h1", "attribution", "Sednit", "Sednit did it with its own tools"},
                        {"h2", "attribution", "Turla", "Turla did it with borrowed tools"},
                        {"h3", "deception", "", "Somebody planted the traces of another"}};
  finding.equivalences = {{"Sednit", "APT28", "o3"}};
  const auto cells = [](Consistency h1, Consistency h2, Consistency h3) {
    return std::vector<Cell>{{"h1", h1}, {"h2", h2}, {"h3", h3}};
  };
  using enum Consistency;
  finding.matrix = {{"e1", cells(very_consistent, inconsistent, inconsistent)},
                    {"e2", cells(consistent, inconsistent, very_inconsistent)},
                    {"e3", cells(consistent, neutral, consistent)}};
  finding.assumptions = {{"k1", redactable("The clocks of both networks were right")}};
  finding.judgement = {"h1", Likelihood::likely, "It is likely that Sednit is behind the intrusions.", ""};
  finding.confidence = Confidence::moderate;
  finding.confidence_why = "Two independent origins, and one of them has a single sensor.";
  return finding;
}

/// The same as its signers have it.
struct Frozen {
  explicit Frozen(Finding from) : finding(std::move(from)), openings(freeze(finding)), text(finding_text(finding)) {}
  Finding finding;
  std::vector<Opening> openings;
  std::string text;
};

inline std::vector<Remark> remarks_on(const Finding& finding, const group::Charter& charter) {
  return lint(finding, charter, group::charter_hash(charter));
}

}  // namespace parley::finding
