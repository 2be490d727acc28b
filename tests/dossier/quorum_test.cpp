// How many must have signed and published, for groups of each size and whichever members they are.
#include <cstdlib>

#include "base/encoding.h"
#include "dossier/second_verifier.h"
#include "dossier/synthetic.h"
#include "group/papers.h"

namespace parley::dossier {
namespace {

std::vector<std::string> subset(const std::vector<std::string>& nicks, std::size_t bits) {
  std::vector<std::string> chosen;
  for (std::size_t i = 0; i < nicks.size(); ++i)
    if (bits >> i & 1) chosen.push_back(nicks[i]);
  return chosen;
}

/// The quorums that are tried: all for the smaller groups; for the larger ones a majority, and all with
/// PARLEY_ALL_QUORUMS=1.
std::vector<std::size_t> quorums_of(std::size_t members) {
  constexpr std::size_t kLargestOfAll = 6;
  if (members > kLargestOfAll && std::getenv("PARLEY_ALL_QUORUMS") == nullptr) return {members / 2 + 1};
  std::vector<std::size_t> quorums;
  for (std::size_t quorum = group::kFewestMembers; quorum <= members; ++quorum) quorums.push_back(quorum);
  return quorums;
}

TEST(DossierQuorum, IsThatOfTheCharterForEverySubsetOfUpToTenMembers) {
  std::size_t tried = 0, accepted = 0;
  for (std::size_t members = 2; members <= 10; ++members) {
    for (const std::size_t quorum : quorums_of(members)) {
      group::Charter charter = group::charter_of(members);
      charter.finding_quorum = quorum;
      const SyntheticGroup made(charter, 1);
      for (std::size_t bits = 0; bits < std::size_t{1} << members; ++bits, ++tried) {
        const std::vector<std::string> signers = subset(group::nicks_of(charter), bits);
        const Verdict verdict = verify_dossier(made.dossier(signers, signers), made.anchor());
        ASSERT_EQ(verdict.holds, signers.size() >= quorum)
            << members << " members, quorum " << quorum << ", signers " << fmt::format("{}", fmt::join(signers, ", "))
            << ": " << verdict.steps.back().detail;
        if (!verdict.holds) continue;
        ++accepted;
        EXPECT_EQ(verdict.contents->silent.size(), members - signers.size());
      }
    }
  }
  std::printf("%zu subsets of signers, %zu of them enough\n", tried, accepted);
}

TEST(DossierQuorum, IsDueOfPublicationsAsWellAsOfSignatures) {
  group::Charter charter = group::charter_of(5);
  charter.finding_quorum = 3;
  const SyntheticGroup made(charter, 1);
  const std::vector<std::string> signers = {"alpha", "bravo", "charlie", "delta"};
  for (std::size_t bits = 0; bits < 16; ++bits) {
    const std::vector<std::string> publishers = subset(signers, bits);
    const Verdict verdict = verify_dossier(made.dossier(signers, publishers), made.anchor());
    EXPECT_EQ(verdict.holds, publishers.size() >= 3) << verdict.steps.back().detail;
    if (!verdict.holds) {
      EXPECT_EQ(verdict.steps.back().title, "publication");
    }
  }
}

TEST(DossierQuorum, CountsNoPublicationOfWhoHasNotSigned) {
  const SyntheticGroup made(group::charter_of(3), 1);
  const Verdict verdict =
      verify_dossier(made.dossier({"alpha", "bravo"}, {"alpha", "bravo", "charlie"}), made.anchor());
  EXPECT_FALSE(verdict.holds);
  EXPECT_EQ(verdict.steps.back().title, "entries");
}

/// Five members, three signatures due; those who left are given by how many of the signers they are.
TEST(DossierQuorum, CountsWhoHasLeftTowardsTheFullNumberOnly) {
  struct Row {
    std::vector<std::string> signers, gone;
    bool holds;
  };
  group::Charter charter = group::charter_of(5);
  charter.finding_quorum = 4;
  const SyntheticGroup made(charter, 1);
  const std::vector<Row> rows = {
      {{"alpha", "bravo", "charlie", "delta"}, {}, true},
      {{"alpha", "bravo", "charlie"}, {}, false},
      {{"alpha", "bravo", "charlie"}, {"echo"}, false},
      {{"alpha", "bravo", "charlie"}, {"delta", "echo"}, true},
      {{"alpha", "bravo", "charlie", "delta"}, {"delta", "echo"}, true},
      {{"alpha", "bravo", "delta"}, {"delta", "echo"}, false},
      {{"alpha", "bravo"}, {"charlie", "delta", "echo"}, true},
      {{"alpha", "echo"}, {"charlie", "delta", "echo"}, false},
      {{"alpha"}, {"bravo", "charlie", "delta", "echo"}, false},
  };
  for (const Row& row : rows) {
    std::vector<std::string> leaves;
    for (const std::string& nick : row.gone)
      leaves.push_back(group::make_leave(charter, *charter.member(nick), "", group::kBegin + 90,
                                         group::test_member(nick).card_seeds.id)
                           ->note);
    const Verdict verdict = verify_dossier(made.dossier(row.signers, row.signers, leaves), made.anchor());
    EXPECT_EQ(verdict.holds, row.holds) << row.signers.size() << " signers, " << row.gone.size()
                                        << " gone: " << verdict.steps.back().detail;
  }
}

TEST(DossierQuorum, OfTwoMembersOfWhomOneLeftIsStillTwo) {
  const SyntheticGroup made(group::charter_of(2), 1);
  const std::string leave = group::make_leave(made.charter(), *made.charter().member("bravo"), "", group::kBegin + 90,
                                              group::test_member("bravo").card_seeds.id)
                                ->note;
  EXPECT_FALSE(verify_dossier(made.dossier({"alpha"}, {"alpha"}, {leave}), made.anchor()).holds);
  EXPECT_TRUE(verify_dossier(made.dossier({"alpha", "bravo"}, {"alpha", "bravo"}, {leave}), made.anchor()).holds);
}

class QuorumOfNobody : public SecondVerifier {
 protected:
  /// With the log's own signature alone.
  static std::string held_by_nobody_else(const std::string& checkpoint) {
    log::Note note = *log::parse_note(checkpoint);
    note.signatures.resize(1);
    return log::write_note(note);
  }
};

TEST_F(QuorumOfNobody, HoldsNoTreeWhereAllMembersHaveLeft) {
  const SyntheticGroup made(group::charter_of(3), 1);
  const std::vector<std::string> all = group::nicks_of(made.charter());
  std::vector<std::string> leaves;
  for (const std::string& nick : all)
    leaves.push_back(group::make_leave(made.charter(), *made.charter().member(nick), "", group::kBegin + 90,
                                       group::test_member(nick).card_seeds.id)
                         ->note);
  Dossier dossier = *parse_dossier(made.dossier(all, all, leaves));
  const auto both_take = [&](bool due) {
    const std::string text = write_dossier(dossier);
    const Verdict verdict = verify_dossier(text, made.anchor());
    EXPECT_EQ(verdict.holds, due) << verdict.steps.back().detail;
    const auto second = run(fmt::format("{} --charter {}", file("d.parley", text), to_hex(*made.anchor().charter)));
    ASSERT_EQ(second.size(), 1u);
    EXPECT_EQ(outcome(second[0]), due ? "verified" : "refused") << second[0];
  };
  both_take(true);
  for (std::string& checkpoint : dossier.checkpoints) checkpoint = held_by_nobody_else(checkpoint);
  for (ShownEntry& entry : dossier.entries) {
    log::TlogProof proof = *log::parse_tlog_proof(entry.proof);
    proof.checkpoint = held_by_nobody_else(proof.checkpoint);
    entry.proof = log::write_tlog_proof(proof);
  }
  both_take(false);
}

TEST(DossierQuorum, OfTwoHundredEntriesIsVerifiedWhole) {
  const SyntheticGroup made(group::charter_of(5), 200);
  const std::vector<std::string> signers = {"alpha", "bravo", "charlie"};
  const Verdict verdict = verify_dossier(made.dossier(signers, signers), made.anchor());
  EXPECT_TRUE(verdict.holds) << verdict.steps.back().detail;
}

}  // namespace
}  // namespace parley::dossier
