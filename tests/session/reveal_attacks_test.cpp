// What a member that cheats in a reveal, or in how it asks, gains: nothing.
#include <gtest/gtest.h>

#include "support/other_openings.h"

namespace parley::session {
namespace {

using vault::succeeds;

void consent(vault::Vault& vault, const std::string& session, const std::string& field) {
  ASSERT_OK(give_consent(vault, session,
                         {.fields = {field}, .tlp_max = indicator::Tlp::amber, .given = 1, .unreturned = 99}));
}

class Reveal : public ::testing::Test {
 protected:
  // bravo knows malware of one indicator only.
  TestMember alpha_member{"alpha", material("sednit")};
  TestMember bravo_member{"bravo",
                          {record(indicator::Type::ipv4, "198.51.100.7", "xagent"),
                           {indicator::Type::ipv4, "203.0.113.9", {}, 0},
                           {indicator::Type::domain, "evil.example", {}, 0}}};
  Opened alpha{alpha_member}, bravo{bravo_member};
  std::string session;

  void SetUp() override {
    const auto both = hold_session(alpha, bravo, which_addresses_and_names());
    ASSERT_OK(both.began);
    ASSERT_OK(both.answered);
    session = *both.began;
  }
};

TEST_F(Reveal, WhoHasLittleToOpenOpensItBeforeTheOtherHasOpenedAll) {
  consent(*alpha.vault, session, "malware");
  consent(*bravo.vault, session, "malware");
  const Deviation leave_instead_of_opening{.resend = [](const wire::Frame& frame) {
    return std::vector{is_opening(frame) ? wire::Frame{wire::FrameType::bye, {}} : frame};
  }};
  const auto both = hold_reveal(alpha, bravo, session, {}, leave_instead_of_opening);
  EXPECT_FALSE(both.began);
  EXPECT_LE(opened_matches(*alpha.vault, session), 1u);
}

// What bravo had bound itself to, and is no opening of one field with its marks.
TEST_F(Reveal, AnOpeningThatIsNotOfOneFieldWithItsTlpIsRefused) {
  const auto without = [](Opening opening, std::string_view path, bool keep) {
    std::erase_if(opening.fields, [&](const OpenedField& field) { return (kFieldPaths[field.field] == path) != keep; });
    return opening;
  };
  struct Case {
    std::string_view path;
    bool keep;  // that field alone
    std::string_view says;
  };
  for (const auto& [path, keep, says] :
       {Case{"tlp", true, "nothing but marks"}, Case{"tlp", false, "without its TLP"}}) {
    consent(*alpha.vault, session, "malware");
    consent(*bravo.vault, session, "malware");
    std::vector<Opening> openings = honest_openings(bravo, session);
    openings.front() = without(openings.front(), path, keep);
    const RevealOffer offer = honest_offer(alpha, bravo, session, bravo);
    const auto both =
        hold_reveal(alpha, bravo, session, {}, opening_instead(offer, session, Side::responder, texts_of(openings)));
    ASSERT_FALSE(both.began) << says;
    EXPECT_EQ(both.began.error().code, Errc::protocol);
    EXPECT_THAT(both.began.error().message, ::testing::HasSubstr(std::string(says)));
  }
}

// Else a field that says little, opened again and again, would pay for all that the other side has.
TEST_F(Reveal, DoesNotOpenAgainWhatTheOtherSideHas) {
  for (const int round : {1, 2}) {
    consent(*alpha.vault, session, "malware");
    consent(*bravo.vault, session, "malware");
    const auto both = hold_reveal(alpha, bravo, session);
    EXPECT_EQ(both.began.has_value() && both.answered.has_value(), round == 1) << round;
  }
  // What is left to one side is worth nothing to it while the other has nothing else to return.
  consent(*alpha.vault, session, "malware");
  ASSERT_OK(give_consent(*bravo.vault, session,
                         {.fields = {"malware", "sightings"}, .tlp_max = indicator::Tlp::amber, .given = 1}));
  EXPECT_FALSE(hold_reveal(alpha, bravo, session).began);
  const auto matches = bravo.vault->session_matches(session);
  ASSERT_OK(matches);
  for (const vault::SessionMatch& match : *matches)
    EXPECT_THAT(match.opened, ::testing::Not(::testing::HasSubstr("sightings"))) << match.indicator.value();
}

TEST_F(Reveal, TakesNothingASecondTimeFromAnotherProgram) {
  consent(*alpha.vault, session, "malware");
  consent(*bravo.vault, session, "malware");
  const std::vector<Opening> openings = honest_openings(bravo, session);
  RevealOffer offer = honest_offer(alpha, bravo, session, bravo);
  ASSERT_OK(hold_reveal(alpha, bravo, session).began);
  offer.first = "bravo";  // which has been opened more than it opened
  consent(*alpha.vault, session, "sightings");
  consent(*bravo.vault, session, "sightings");
  const auto again =
      hold_reveal(alpha, bravo, session, {}, opening_instead(offer, session, Side::responder, texts_of(openings)));
  ASSERT_FALSE(again.began);
  EXPECT_EQ(again.began.error().code, Errc::protocol);
  EXPECT_THAT(again.began.error().message, ::testing::HasSubstr("pays for nothing"));
}

TEST_F(Reveal, ASecondOneAddsToWhatIsOnRecordOfTheFirst) {
  for (const std::string field : {"malware", "sightings"}) {
    consent(*alpha.vault, session, field);
    consent(*bravo.vault, session, field);
    const auto both = hold_reveal(alpha, bravo, session);
    ASSERT_OK(both.began);
    ASSERT_OK(both.answered);
  }
  const auto matches = alpha.vault->session_matches(session);
  ASSERT_OK(matches);
  for (const vault::SessionMatch& match : *matches) {
    EXPECT_THAT(match.opened, ::testing::HasSubstr("malware")) << match.indicator.value();
    EXPECT_THAT(match.opened, ::testing::HasSubstr("sightings")) << match.indicator.value();
    if (match.indicator.value() == "198.51.100.7") {
      EXPECT_THAT(match.theirs, ::testing::HasSubstr("xagent"));
      EXPECT_THAT(match.theirs, ::testing::HasSubstr("sightings"));
    }
  }
}

// While one exchange is under way, a second one could put an older record over what the first has written.
TEST_F(Reveal, OnlyOneOfASessionIsUnderWayAtATime) {
  consent(*alpha.vault, session, "malware");
  consent(*bravo.vault, session, "malware");
  std::optional<Both<RevealOutcome>> second;
  const Deviation begin_another{.resend = [&](const wire::Frame& frame) {
    if (frame.type == wire::FrameType::opening && !second) second = hold_reveal(bravo, alpha, session);
    return std::vector{frame};
  }};
  const auto both = hold_reveal(alpha, bravo, session, begin_another);
  ASSERT_OK(both.began);
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->began);
  EXPECT_EQ(opened_matches(*alpha.vault, session), kShared.size());
}

// It has learned the answer, and keeps back what the signed result needs.
TEST_F(Reveal, AResultStaysWithUsWhenTheOtherSideLeavesBeforeItConfirmsIt) {
  const Deviation leave_instead_of_sharing_the_key{.resend = [](const wire::Frame& frame) {
    return std::vector{frame.type == wire::FrameType::opening ? wire::Frame{wire::FrameType::bye, {}} : frame};
  }};
  const auto both = hold_session(alpha, bravo, which_addresses_and_names(), {}, leave_instead_of_sharing_the_key);
  ASSERT_OK(both.began);
  EXPECT_EQ(matched(*alpha.vault, *both.began), kShared);
  EXPECT_EQ(state_of(*alpha.vault, *both.began), "result");
  EXPECT_FALSE(outcome_of(*alpha.vault, *both.began).agreed);
  EXPECT_FALSE(give_consent(*alpha.vault, *both.began, {.fields = {"malware"}, .tlp_max = {}, .given = 1}));
}

// The operator looks at one question and accepts another that was made to begin with the same digits.
TEST_F(Reveal, AProposalWhoseIdBeginsLikeAnotherOneIsRefused) {
  const Deviation plant_another{.resend = [&](const wire::Frame& frame) {
    Digest named{};
    if (frame.type == wire::FrameType::step) std::ranges::copy(frame.payload, named.begin());
    const std::string id = log::session_of_proposal(named);
    auto row = bravo.vault->session(session);
    if (frame.type == wire::FrameType::step && row && !bravo.vault->session(id)) {
      row->id = id.substr(0, 8) + std::string(24, id[8] == '0' ? '1' : '0');
      EXPECT_OK(bravo.vault->save_session(*row, {}));
    }
    return std::vector{frame};
  }};
  const auto both = hold_session(alpha, bravo, which_addresses_and_names(), plant_another);
  EXPECT_FALSE(both.began);
  ASSERT_FALSE(both.answered);
  EXPECT_EQ(both.answered.error().code, Errc::protocol);
}

// --- what group and own rules say by the time of the reveal ---------------------------------------------------------

class RevealUnderRules : public Reveal {
 protected:
  void SetUp() override {
    for (Opened* side : {&alpha, &bravo}) {
      vault::TestRecord seen = record(indicator::Type::ipv4, "198.51.100.7", "xagent");
      seen.context.first_seen = 1'500'000'000;
      ASSERT_OK(vault::import_records(*side->vault, {.source = "seen.csv", .format = "csv", .labels = {}, .tlp = {}},
                                      std::vector{seen}));
    }
    Reveal::SetUp();
    for (Opened* side : {&alpha, &bravo})
      ASSERT_OK(give_consent(*side->vault, session,
                             {.fields = {"first_seen", "malware"}, .tlp_max = indicator::Tlp::amber, .given = 1}));
  }
  group::Membership bravos(const group::SignedCharter& charter, std::set<std::string, std::less<>> left,
                           group::LocalPolicy policy) {
    return {{.id = charter.charter.group, .name = "pair", .state = std::string(group::kActive)},
            {charter},
            std::move(left),
            std::move(policy),
            *log::parse_vkey(bravo.member.card.id_vkey)};
  }
  /// alpha begins, and bravo's group is by then as `now` says.
  Both<RevealOutcome> reveal_when(const group::Membership& now) {
    return meet<RevealOutcome>(
        alpha, bravo, {}, {}, [&](Party us, group::LogLink& link) { return reveal(us, link, session); },
        [&](Party us, group::LogLink& link) -> Result<RevealOutcome> {
          us.membership_now = [&] { return Result<group::Membership>(now); };
          TRY(const ReceivedStep step, first_step(link));
          return answer_reveal(us, link, step);
        });
  }
};

TEST_F(RevealUnderRules, OpensWhatTheyLetOpen) {
  const auto both = reveal_when(bravos(charter_of(alpha, bravo), {}, {}));
  ASSERT_OK(both.answered);
  EXPECT_EQ(both.answered->opened, 1u);
}

TEST_F(RevealUnderRules, IsRefusedToAMemberWhoHasLeftMeanwhile) {
  const auto both = reveal_when(bravos(charter_of(alpha, bravo), {alpha.member.card.nick}, {}));
  EXPECT_FAILS(both.answered, Errc::policy);
  EXPECT_FALSE(both.began);
  EXPECT_EQ(opened_matches(*bravo.vault, session), 0u);
  EXPECT_EQ(opened_matches(*alpha.vault, session), 0u);
}

TEST_F(RevealUnderRules, IsRefusedWhilePaused) {
  EXPECT_FAILS(reveal_when(bravos(charter_of(alpha, bravo), {}, {.paused = true})).answered, Errc::policy);
  EXPECT_EQ(opened_matches(*bravo.vault, session), 0u);
}

TEST_F(RevealUnderRules, OpensNothingThatIsMarkedStricterThanTheyLetOut) {
  const auto both = reveal_when(bravos(charter_of(alpha, bravo), {}, {.max_tlp = indicator::Tlp::clear}));
  EXPECT_FAILS(both.answered, Errc::refused) << "nothing of bravo's is left, so neither opens";
  EXPECT_EQ(opened_matches(*bravo.vault, session), 0u);
}

TEST_F(RevealUnderRules, OpensNoMoreFieldsOfAMatchThanTheirCap) {
  for (const std::int64_t cap : {0, 1, 2}) {
    group::SignedCharter charter = charter_of(alpha, bravo);
    for (group::AllowedQuestion& question : charter.charter.questions) question.caps.fields_per_item = cap;
    const auto both = reveal_when(bravos(charter, {}, {}));
    if (cap == 0) {
      EXPECT_FAILS(both.answered, Errc::refused) << "nothing of bravo's is left, so neither opens";
    }
    const auto matches = bravo.vault->session_matches(session);
    ASSERT_OK(matches);
    std::size_t most = 0;
    for (const vault::SessionMatch& match : *matches) most = std::max(most, fields_of_context(match.opened)->size());
    EXPECT_EQ(most, static_cast<std::size_t>(cap)) << "what is within it goes, the least telling first";
    for (Opened* side : {&alpha, &bravo})
      ASSERT_OK(give_consent(*side->vault, session,
                             {.fields = {"first_seen", "malware"}, .tlp_max = indicator::Tlp::amber, .given = 1}));
  }
}

TEST_F(RevealUnderRules, OpensNoMoreFieldsOfAMatchThanTheirCapInSeveralReveals) {
  group::SignedCharter charter = charter_of(alpha, bravo);
  for (group::AllowedQuestion& question : charter.charter.questions) question.caps.fields_per_item = 1;
  const auto reveal_of = [&](const std::string& field) {
    for (Opened* side : {&alpha, &bravo})
      EXPECT_OK(give_consent(*side->vault, session, {.fields = {field}, .tlp_max = indicator::Tlp::amber, .given = 1}));
    return reveal_when(bravos(charter, {}, {}));
  };
  ASSERT_OK(reveal_of("first_seen").answered);
  EXPECT_FAILS(reveal_of("malware").answered, Errc::refused) << "nothing is left";
  const auto matches = bravo.vault->session_matches(session);
  ASSERT_OK(matches);
  EXPECT_EQ(fields_of_context(matches->front().opened)->size(), 1u);
  const Consent consent{.fields = {"malware"}, .tlp_max = indicator::Tlp::amber, .given = 1};
  const auto shown = preview(*bravo.vault, session, consent, {.fields = [](indicator::Type) { return 1u; }});
  ASSERT_OK(shown);
  EXPECT_EQ(shown->numbers.values, 0u);
  EXPECT_EQ(shown->numbers.held_back_cap, 1u) << "who consents reads that it stays";
}

}  // namespace
}  // namespace parley::session
