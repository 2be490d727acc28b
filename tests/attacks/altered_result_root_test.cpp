// A member that signs another result than the one that was computed, or opens another result key than it committed to.
#include "support/deviations.h"

namespace parley::session {
namespace {

class AlteredResult : public DeviatingPeer {};

TEST_F(AlteredResult, IsDisputedByWhoeverReceivesIt) {
  const std::map<std::string, std::function<void(log::Json::Object&)>> changes = {
      {"another root", [](auto& body) { body.insert_or_assign("result_root", std::string(64, '0')); }},
      {"another transcript", [](auto& body) { body.insert_or_assign("transcript", std::string(64, 'f')); }},
      {"one more match", [](auto& body) { body.insert_or_assign("count", std::int64_t{4}); }},
      {"no matches", [](auto& body) { body.insert_or_assign("count", std::int64_t{0}); }},
  };
  for (const auto& [what, change] : changes) {
    SCOPED_TRACE(what);
    const auto by_asker = hold_session(asker_, answerer_, which_addresses_and_names(), changing(kResult, change));
    ASSERT_OK(by_asker.answered);
    EXPECT_EQ(state_of(*answerer_.vault, *by_asker.answered), "disputed");
    EXPECT_FALSE(outcome_of(*answerer_.vault, *by_asker.answered).agreed);
    EXPECT_EQ(matched(*answerer_.vault, *by_asker.answered), kShared)
        << "what was computed here stays as it was computed";

    const auto by_answerer =
        hold_session(asker_, answerer_, which_addresses_and_names(), {}, changing(kResult, change));
    ASSERT_OK(by_answerer.began);
    EXPECT_EQ(state_of(*asker_.vault, *by_answerer.began), "disputed");
  }
  expect_next_session_succeeds(asker_, answerer_);
}

TEST_F(AlteredResult, StaysDisputedWhenTheOtherSideLeavesInsteadOfClosing) {
  // After its lie the asker hangs up: no close comes.
  Deviation deviation = changing(kResult, [](auto& body) { body.insert_or_assign("count", std::int64_t{4}); });
  deviation.resend = [naming = naming(log_of(asker_), kClose, [](const auto&) { return std::vector<Digest>(); })](
                         const wire::Frame& frame) {
    std::vector<wire::Frame> frames = naming.resend(frame);
    if (frames.empty()) frames.push_back({wire::FrameType::bye, {}});
    return frames;
  };
  const auto met = hold_session(asker_, answerer_, which_addresses_and_names(), deviation);
  ASSERT_OK(met.answered);
  EXPECT_EQ(state_of(*answerer_.vault, *met.answered), "disputed");
}

TEST_F(AlteredResult, OfADisputedSessionNothingIsRevealed) {
  const auto met =
      hold_session(asker_, answerer_, which_addresses_and_names(),
                   changing(kResult, [](auto& body) { body.insert_or_assign("result_root", std::string(64, '0')); }));
  ASSERT_OK(met.answered);
  const Consent consent{.fields = {"malware"}, .tlp_max = indicator::Tlp::amber, .given = 1};
  EXPECT_FAILS(preview(*answerer_.vault, *met.answered, consent, LetOut{}), Errc::usage);
  EXPECT_FAILS(give_consent(*answerer_.vault, *met.answered, consent), Errc::usage);
}

// Both results are the same and both have signed them; one side says all the same that they are not.
TEST_F(AlteredResult, IsDisputedToWhenTheOtherSideSaysThatTheEqualDiffers) {
  const auto met = hold_session(asker_, answerer_, which_addresses_and_names(),
                                changing(kClose, [](auto& body) { body.insert_or_assign("agree", false); }));
  ASSERT_OK(met.answered);
  EXPECT_EQ(state_of(*answerer_.vault, *met.answered), "disputed");
  EXPECT_FALSE(outcome_of(*answerer_.vault, *met.answered).agreed);
}

// What was found here stays found; it is not signed for, and nothing of it can be opened.
TEST_F(AlteredResult, StaysUnconfirmedUnderAnotherResultKeyThanCommittedTo) {
  const auto flip = [](Bytes share) {
    share[0] ^= std::byte{1};
    return std::vector<Bytes>{share};
  };
  const auto expect_unconfirmed = [](Opened& victim, const Result<std::string>& session) {
    ASSERT_OK(session);
    EXPECT_EQ(state_of(*victim.vault, *session), "result");
    EXPECT_EQ(matched(*victim.vault, *session), kShared);
    const Outcome outcome = outcome_of(*victim.vault, *session);
    EXPECT_FALSE(outcome.agreed);
    EXPECT_EQ(outcome.failed_phase, "compare");
    EXPECT_THAT(outcome.failure, testing::HasSubstr("another result key"));
    const Consent consent{.fields = {"malware"}, .tlp_max = indicator::Tlp::amber, .given = 1};
    EXPECT_FAILS(give_consent(*victim.vault, *session, consent), Errc::usage);
  };
  const auto by_asker = hold_session(asker_, answerer_, which_addresses_and_names(), changing_opening(0, flip));
  expect_unconfirmed(answerer_, by_asker.answered);
  const auto by_answerer = hold_session(asker_, answerer_, which_addresses_and_names(), {}, changing_opening(0, flip));
  expect_unconfirmed(asker_, by_answerer.began);
  expect_next_session_succeeds(asker_, answerer_);
}

}  // namespace
}  // namespace parley::session
