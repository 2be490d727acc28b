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
  EXPECT_EQ(count_of(bundle, "Withdrew its signature: The sensor was wrong."), 1u);
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

TEST(DossierStix, SaysNothingThatIsWithheld) {
  const std::string withheld = bundle_of(1);
  EXPECT_EQ(count_of(withheld, "The same command server was called"), 0u) << "what is withheld is in no object";
  EXPECT_EQ(count_of(withheld, R"("type":"sighting")"), 1u);
}

}  // namespace
}  // namespace parley::dossier
