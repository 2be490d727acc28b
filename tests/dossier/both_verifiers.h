// Asking both verifiers about a dossier that a member has made.
#pragma once

#include "dossier/samples.h"
#include "dossier/second_verifier.h"
#include "dossier/verify.h"

namespace parley::dossier {

class BothVerifiers : public SecondVerifier {
 protected:
  /// What the first verifier reads out of a dossier that both take, by the charter that `nick` has.
  Verdict taken_by_both(finding::ThreeMembers& members, const std::string& nick, const Result<std::string>& text) {
    EXPECT_HOLDS(text);
    if (!text) return {};
    const Digest charter = members.membership(nick).anchor();
    Verdict verdict = verify_dossier(*text, {.charter = charter});
    EXPECT_TRUE(verdict.holds) << verdict.steps.back().detail;
    const auto second = run(fmt::format("{} --charter {}", file("d.parley", *text), to_hex(charter)));
    EXPECT_EQ(second.size(), 1u);
    EXPECT_EQ(outcome(second.at(0)), "verified") << second.at(0);
    return verdict;
  }
};

}  // namespace parley::dossier
