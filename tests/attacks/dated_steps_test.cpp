// A member that dates its steps back, so that the hits of a canary look older than the canary is, or ahead. Its Hello
// says the right time, so nobody is warned.
#include "support/deviations.h"

namespace parley::session {
namespace {

constexpr std::int64_t kSkew = 600, kDay = 86'400;

struct Case {
  const char* name;
  bool asker;              ///< deviates; else who is asked
  std::string_view since;  ///< from this step on
  std::int64_t ahead;
  const char* refused_step = nullptr;  ///< by the honest side; nothing: the session is held
};

class DatedSteps : public DeviatingPeer, public testing::WithParamInterface<Case> {
 protected:
  auto hold() {
    RewritingLog& log = log_of(GetParam().asker ? asker_ : answerer_);
    const Deviation dated{.rewrite =
                              [&log](mirror::Draft& draft) {
                                if (draft.type == GetParam().since) log.ahead = GetParam().ahead;
                              },
                          .resend = {}};
    // A log never goes back: whose steps are behind has always been.
    if (GetParam().ahead < 0) log.ahead = GetParam().ahead;
    return GetParam().asker ? hold_session(asker_, answerer_, which_addresses_and_names(), dated)
                            : hold_session(asker_, answerer_, which_addresses_and_names(), {}, dated);
  }
};

TEST_P(DatedSteps, AreNotGoneOnFromWhereTheyAreFurtherOffThanClocksMayBe) {
  const auto [began, answered] = hold();
  if (GetParam().refused_step == nullptr) {
    EXPECT_OK(began);
    EXPECT_OK(answered);
    return;
  }
  const std::string step = fmt::format("as the time of its step \"{}\"", GetParam().refused_step);
  const char* direction = GetParam().ahead < 0 ? "which is behind ours" : "which is ahead of ours";
  for (const std::string& text : {step, std::string(direction), std::string("Nothing was compared")}) {
    if (GetParam().asker)
      expect_refused(answerer_, answered, Errc::skew, text);
    else
      expect_refused(asker_, began, Errc::skew, text);
  }
  if (GetParam().refused_step == kPropose)
    expect_refused(asker_, began, Errc::skew, "finds the time that our proposal states too far from its own clock");
  for (Opened* side : {&asker_, &answerer_}) EXPECT_EQ(matched(*side->vault, newest_session(*side->vault)).size(), 0u);
}

INSTANTIATE_TEST_SUITE_P(
    Each, DatedSteps,
    testing::Values(Case{"asker_a_month_behind", true, kPropose, -30 * kDay, "session.propose"},
                    Case{"asker_a_day_behind", true, kPropose, -kDay, "session.propose"},
                    Case{"asker_a_day_ahead", true, kPropose, kDay, "session.propose"},
                    Case{"asker_ahead_from_its_commitment_on", true, kCommit, kDay, "session.commit"},
                    Case{"asker_ahead_from_its_run_on", true, kRun, kDay, "session.run"},
                    Case{"asker_behind_within_the_skew", true, kPropose, -kSkew + 60, nullptr},
                    Case{"asker_ahead_within_the_skew", true, kPropose, kSkew - 60, nullptr},
                    Case{"asked_a_month_behind", false, kAccept, -30 * kDay, "session.accept"},
                    Case{"asked_just_beyond_the_skew_behind", false, kAccept, -kSkew - 60, "session.accept"},
                    Case{"asked_just_beyond_the_skew_ahead", false, kAccept, kSkew + 60, "session.accept"},
                    Case{"asked_ahead_from_its_commitment_on", false, kCommit, kDay, "session.commit"},
                    Case{"asked_ahead_from_its_run_on", false, kRun, kDay, "session.run"},
                    Case{"asked_behind_within_the_skew", false, kAccept, -kSkew + 60, nullptr},
                    Case{"asked_ahead_within_the_skew", false, kAccept, kSkew - 60, nullptr}),
    [](const auto& named) { return std::string(named.param.name); });

}  // namespace
}  // namespace parley::session
