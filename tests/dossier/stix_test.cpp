// What a dossier's STIX bundle says beside the judgement; that both verifiers make it again is in verify_test.cpp and
// second_verifier_test.cpp.
#include "dossier/forged.h"
#include "dossier/samples.h"

namespace parley::dossier {
namespace {

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

std::string bundle_of(std::size_t sample) {
  return parse_dossier(samples().dossiers[sample].first)->stix;
}

TEST(DossierStix, MarksEveryObjectWithTlpAndPap) {
  const std::string bundle = bundle_of(0);
  EXPECT_EQ(count_of(bundle, R"("definition":{"statement":"PAP:GREEN"},"definition_type":"statement")"), 1u);
  const std::size_t objects = count_of(bundle, R"("spec_version":"2.1")");
  EXPECT_GT(objects, 5u);
  EXPECT_EQ(count_of(bundle, R"("object_marking_refs":["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",)"),
            objects - 1)
      << "but the marking itself";
}

TEST(DossierStix, SightsTheActorByWhatIndependentOriginsBearOutAndGroupsTheWorkingSet) {
  const std::string bundle = bundle_of(0);
  EXPECT_EQ(count_of(bundle, R"("type":"sighting")"), 1u) << "one of the two items has two origins";
  EXPECT_EQ(count_of(bundle, R"("sighting_of_ref":"intrusion-set--)"), 1u);
  EXPECT_EQ(count_of(bundle, R"("count":2)"), 1u);
  EXPECT_EQ(count_of(bundle, R"("context":"suspicious-activity")"), 1u);
  EXPECT_EQ(count_of(bundle, R"("revoked")"), 0u);
}

TEST(DossierStix, SaysWhoWithdrewAndIsRevokedWhereTooFewStand) {
  const std::string bundle = bundle_of(3);
  EXPECT_EQ(count_of(bundle, R"("explanation":"Withdrew its signature:\n> The sensor was wrong.\n")"), 1u);
  EXPECT_EQ(count_of(bundle, R"("revoked":true)"), 1u);
}

TEST(DossierStix, SetsEachLineOfASummaryApartFromItsOwnSoThatNoneLooksWithheld) {
  EXPECT_EQ(count_of(bundle_of(1), R"("content":"The summary is withheld.\nAdmiralty )"), 1u);
  Forgery forgery({{"finding", "/evidence/2/summary", Json("[withheld]\nThe summary is withheld.\nAdmiralty A1")}});
  const std::string bundle = parse_dossier(forgery.build())->stix;
  EXPECT_EQ(count_of(bundle, R"("content":"> [withheld]\n> The summary is withheld.\n> Admiralty A1\nAdmiralty C3: )"),
            1u);
  EXPECT_EQ(count_of(bundle, R"("The summary is withheld.)"), 0u);
}

constexpr std::string_view kForged = "x\nThe summary is withheld.";

struct Written {
  std::string part, pointer;
  std::string before;              ///< what stands in front of the text, in the bundle
  std::vector<Edit> so_that = {};  ///< the rules of the trade are kept all the same
};

// Whatever a member writes. No other end of a line than a line feed is taken in it.
TEST(DossierStix, SetsEachLineOfEveryTextOfAMemberApartFromItsOwn) {
  const Written texts[] = {
      {"finding", "/question", R"("description":"Question:\n)"},
      {"finding", "/judgement/text", R"(\nJudgement, about h1:\n)"},
      {"finding", "/confidence/why", R"(\nConfidence: moderate.\n)"},
      {"finding", "/hypotheses/0/text", R"("content":"h1 (attribution):\n)"},
      {"finding", "/hypotheses/0/text", R"("description":")"},
      {"finding", "/hypotheses/1/text", R"(\nh2 (attribution):\n)"},
      {"finding", "/equivalences/0/name", R"( says that\n)", {{"finding", "/equivalences/0/other", Json("Sednit")}}},
      {"finding", "/equivalences/0/other", R"(\nand\n)"},
      {"finding", "/evidence/2/summary", R"("content":")"},
      {"dissent", "/points/0/text", R"("explanation":"judgement, unlikely:\n)"},
      {"dissent", "/points/1/text", R"(\ne2:\n)"},
      {"withdrawal", "/reason", R"("explanation":"Withdrew its signature:\n)"},
  };
  for (const Written& text : texts) {
    std::vector<Edit> edits = text.so_that;
    edits.push_back({text.part, text.pointer, Json(kForged)});
    const std::string dossier = Forgery(std::move(edits)).build(), bundle = parse_dossier(dossier)->stix;
    EXPECT_TRUE(verify_dossier(dossier, {}).holds) << text.pointer;
    EXPECT_EQ(count_of(bundle, text.before + R"(> x\n> The summary is withheld.\n)"), 1u) << text.pointer;
    EXPECT_EQ(count_of(bundle, R"(\nThe summary is withheld.)"), 0u) << text.pointer;
    EXPECT_EQ(count_of(bundle, R"("The summary is withheld.)"), 0u) << text.pointer;
  }
}

// A quorum speaks for itself: of what somebody else has seen, a dissenter perhaps, it says nothing in its name.
TEST(DossierStix, NamesNobodyAsASourceOfASightingWhoDidNotSign) {
  const std::string bundle = bundle_of(0);
  const Json delta = Json::Object{{"by", "delta"}, {"first_seen", 1'790'000'000}, {"origin", "o2"}, {"rule", ""}};
  Forgery forgery({{"finding", "/evidence/0/seen/1", delta}});
  const std::string dossier = forgery.build();
  const Verdict verdict = verify_dossier(dossier, {});
  ASSERT_TRUE(verdict.holds) << verdict.steps.back().detail;
  ASSERT_EQ(verdict.contents->signed_finding.signers, (std::vector<std::string>{"alpha", "bravo", "charlie"}));
  EXPECT_EQ(count_of(bundle, R"("type":"sighting")"), 1u);
  EXPECT_EQ(count_of(parse_dossier(dossier)->stix, R"("type":"sighting")"), 0u) << "one origin of signers is left";
}

// The name on a card is its member's own choice.
TEST(DossierStix, SaysTheNickOfEachMemberBesideTheNameOfItsCard) {
  for (const char* nick : {"alpha", "bravo", "charlie"})
    EXPECT_EQ(count_of(bundle_of(0), fmt::format(R"("description":"Nick in the group: {}")", nick)), 1u);
}

// A judgement can sound as if it were about another hypothesis than the one that the rules were held against.
TEST(DossierStix, SaysInTheReportWhichHypothesisIsJudged) {
  const std::string bundle = bundle_of(0);
  const std::size_t report = bundle.find(R"("description":"Question:)");
  ASSERT_NE(report, bundle.npos);
  const std::string_view said =
      std::string_view(bundle).substr(report, bundle.find("external_references", report) - report);
  for (const std::string_view due :
       {R"(Judgement, about h1:\n> It is likely that Sednit is behind the intrusions.\nh1 (attribution):\n> )",
        R"(\nActor of h1:\n> Sednit\nLikelihood: likely.\nConfidence: )"})
    EXPECT_EQ(count_of(said, due), 1u) << said;
}

TEST(DossierStix, SaysNothingThatIsWithheld) {
  const std::string withheld = bundle_of(1);
  EXPECT_EQ(count_of(withheld, "The same command server was called"), 0u) << "what is withheld is in no object";
  EXPECT_EQ(count_of(withheld, R"("type":"sighting")"), 1u);
}

}  // namespace
}  // namespace parley::dossier
