// How many must have signed and published, for groups of each size and whichever members they are.
#include <cstdlib>

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
  EXPECT_EQ(verdict.steps.back().title, "publication");
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

TEST(DossierQuorum, OfTwoHundredEntriesIsVerifiedWhole) {
  const SyntheticGroup made(group::charter_of(5), 200);
  const std::vector<std::string> signers = {"alpha", "bravo", "charlie"};
  const Verdict verdict = verify_dossier(made.dossier(signers, signers), made.anchor());
  EXPECT_TRUE(verdict.holds) << verdict.steps.back().detail;
}

}  // namespace
}  // namespace parley::dossier
