// However much every member of the largest group says against a finding, a dossier has room for it.
#include "base/encoding.h"
#include "dossier/second_verifier.h"
#include "dossier/synthetic.h"

namespace parley::dossier {
namespace {

/// As many dissents of the largest size as one member's share has room for. Every character of their texts is one that
/// JSON escapes, or the end of a line, which STIX quotes: nothing takes more room in the file.
std::vector<finding::DissentPoint> largest_dissent(std::size_t number, char of) {
  std::vector<finding::DissentPoint> points;
  for (std::size_t i = 0; i < 16; ++i) points.push_back({"e1", {}, fmt::format("{}", number) + std::string(1'990, of)});
  return points;
}

class DissentOfAll : public SecondVerifier {
 protected:
  void dissent_of_all(char of) {
    dissents_.clear();
    for (const std::string& nick : group::nicks_of(made_.charter()))
      for (std::size_t i = 0; i < 2; ++i) dissents_.push_back(made_.dissent(nick, largest_dissent(i, of)));
  }
  std::string dossier() const { return made_.dossier({"alpha", "bravo"}, {"alpha", "bravo"}, {}, dissents_); }
  std::string said_by_second(const std::string& text) {
    const auto lines = run(fmt::format("{} --charter {}", file("d.parley", text), to_hex(*made_.anchor().charter)));
    return lines.size() == 1 ? lines.front() : std::string("nothing");
  }

 public:
  static group::Charter largest() {
    group::Charter charter = group::charter_of(log::kMaxGroupMembers);
    charter.finding_quorum = 2;
    return charter;
  }

 protected:
  const SyntheticGroup made_{largest(), 1};
  std::vector<finding::SignedDissent> dissents_;
};

TEST_F(DissentOfAll, InTheLargestGroupFitsIntoADossierThatBothVerifiersTake) {
  for (const char of : {'"', '\n'}) {
    dissent_of_all(of);
    std::size_t bytes = 0;
    for (const finding::SignedDissent& one : dissents_) bytes += one.note.size();
    EXPECT_GT(bytes, log::kMaxGroupMembers * finding::kMaxDissentBytesOfOne * 9 / 10) << "all shares are nearly full";
    const std::string text = dossier();
    EXPECT_LT(parse_dossier(text)->stix.size(), kMaxStixBytes / 2);
    EXPECT_LT(text.size(), kMaxDossierBytes / 2);
    const Verdict verdict = verify_dossier(text, made_.anchor());
    EXPECT_TRUE(verdict.holds) << verdict.steps.back().detail;
    EXPECT_EQ(outcome(said_by_second(text)), "verified") << said_by_second(text);
  }
}

TEST_F(DissentOfAll, OfWhichAMakerShowsMoreThanCountsIsRefusedByBoth) {
  dissent_of_all('"');
  dissents_.push_back(made_.dissent("bravo", largest_dissent(2, '"')));
  const Verdict verdict = verify_dossier(dossier(), made_.anchor());
  ASSERT_FALSE(verdict.holds);
  EXPECT_NE(verdict.steps.back().detail.find("as far as they have 131072 bytes"), std::string::npos)
      << verdict.steps.back().detail;
  EXPECT_NE(said_by_second(dossier()).find("dissents more than counts"), std::string::npos)
      << said_by_second(dossier());
}

/// 16 members, every question, and names as long as keys may have: no charter has more bytes in a dossier.
group::Charter largest_charter() {
  constexpr std::size_t kLongestNick = 32, kLongestDomain = 64, kLongestName = 64, kLongestKeyName = 255;
  group::Charter charter = DissentOfAll::largest();
  charter.domain = std::string(kLongestDomain, 'd');
  charter.name = std::string(kLongestName, '"');
  charter.purpose = std::string(group::kMaxPurposeBytes, '"');
  charter.members.clear();
  for (std::size_t i = 0; i < log::kMaxGroupMembers; ++i) {
    const group::TestMember one(fmt::format("{:x}{}", i, std::string(kLongestNick - 1, 'n')));
    group::CharterMember& member = charter.members.emplace_back(one.in_group(charter.domain));
    const std::string end = fmt::format("/m/{}/id", one.nick);
    member.id.name = std::string(kLongestKeyName - end.size(), 'i') + end;
  }
  group::Caps caps;
  for (const group::NamedCap& cap : group::kNamedCaps) caps.*cap.value = group::kLargestCap;
  charter.questions.clear();
  for (const indicator::Type type : indicator::kAllTypes) {
    for (const group::Function function : group::kAllFunctions) charter.questions.push_back({type, function, caps});
    charter.admission.types.push_back({type, group::kLargestCap});
  }
  std::ranges::sort(charter.questions, {}, [](const group::AllowedQuestion& question) {
    return std::pair(indicator::name_of(question.type), group::name_of(question.function));
  });
  std::ranges::sort(charter.admission.types, {},
                    [](const group::AdmissionCap& cap) { return indicator::name_of(cap.type); });
  charter.seq = group::kMostVersions;
  charter.prev = group::charter_hash("before");
  return charter;
}

TEST(AllVersions, OfTheLargestCharterHaveRoomInADossierBesideAllDissents) {
  const group::Charter charter = largest_charter();
  EXPECT_TRUE(group::holds(group::check_charter(charter)));
  // Signed by all its members and by as many of the version before.
  std::string note = group::charter_text(charter) + "\n";
  for (const group::CharterMember& member : charter.members)
    for (int i = 0; i < 2; ++i) note += fmt::format("\u2014 {} {}\n", member.id.name, to_base64(Bytes(4 + 64)));
  const std::size_t bytes = log::write_pjson(log::Json(note)).size() + 1;
  std::printf("%zu bytes in a dossier, %zu of all versions\n", bytes, bytes * group::kMostVersions);
  EXPECT_LE(bytes * group::kMostVersions, kMaxDossierBytes / 8 * 3);
}

}  // namespace
}  // namespace parley::dossier
