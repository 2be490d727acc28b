// However much every member of the largest group says against a finding, a dossier has room for it.
#include "base/encoding.h"
#include "dossier/second_verifier.h"
#include "dossier/synthetic.h"

namespace parley::dossier {
namespace {

/// As many dissents of the largest size as one member's share has room for. Every character of their texts is one that
/// JSON escapes: nothing takes more room in the file.
std::vector<finding::DissentPoint> largest_dissent(std::size_t number) {
  std::vector<finding::DissentPoint> points;
  for (std::size_t i = 0; i < 16; ++i)
    points.push_back({"e1", {}, fmt::format("{}", number) + std::string(1'990, '"')});
  return points;
}

class DissentOfAll : public SecondVerifier {
 protected:
  DissentOfAll() {
    for (const std::string& nick : group::nicks_of(made_.charter()))
      for (std::size_t i = 0; i < 2; ++i) dissents_.push_back(made_.dissent(nick, largest_dissent(i)));
  }
  std::string dossier() const { return made_.dossier({"alpha", "bravo"}, {"alpha", "bravo"}, {}, dissents_); }
  std::string said_by_second(const std::string& text) {
    const auto lines = run(fmt::format("{} --charter {}", file("d.parley", text), to_hex(*made_.anchor().charter)));
    return lines.size() == 1 ? lines.front() : std::string("nothing");
  }
  static group::Charter largest() {
    group::Charter charter = group::charter_of(log::kMaxGroupMembers);
    charter.finding_quorum = 2;
    return charter;
  }

  const SyntheticGroup made_{largest(), 1};
  std::vector<finding::SignedDissent> dissents_;
};

TEST_F(DissentOfAll, InTheLargestGroupFitsIntoADossierThatBothVerifiersTake) {
  std::size_t bytes = 0;
  for (const finding::SignedDissent& one : dissents_) bytes += one.note.size();
  EXPECT_GT(bytes, log::kMaxGroupMembers * finding::kMaxDissentBytesOfOne * 9 / 10) << "all shares are as good as full";
  const std::string text = dossier();
  EXPECT_LT(parse_dossier(text)->stix.size(), kMaxStixBytes / 2);
  EXPECT_LT(text.size(), kMaxDossierBytes / 2);
  const Verdict verdict = verify_dossier(text, made_.anchor());
  EXPECT_TRUE(verdict.holds) << verdict.steps.back().detail;
  EXPECT_EQ(outcome(said_by_second(text)), "verified") << said_by_second(text);
}

TEST_F(DissentOfAll, OfWhichAMakerShowsMoreThanCountsIsRefusedByBoth) {
  dissents_.push_back(made_.dissent("bravo", largest_dissent(2)));
  const Verdict verdict = verify_dossier(dossier(), made_.anchor());
  ASSERT_FALSE(verdict.holds);
  EXPECT_NE(verdict.steps.back().detail.find("as far as they have 131072 bytes"), std::string::npos)
      << verdict.steps.back().detail;
  EXPECT_NE(said_by_second(dossier()).find("dissents more than counts"), std::string::npos)
      << said_by_second(dossier());
}

}  // namespace
}  // namespace parley::dossier
