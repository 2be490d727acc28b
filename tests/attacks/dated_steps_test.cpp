// A member that dates its steps back, so that the hits of a canary look older than the canary is, or ahead. Its Hello
// says the right time, so nobody is warned.
#include "support/canaries.h"
#include "support/deviations.h"

namespace parley::session {
namespace {

constexpr std::int64_t kSkew = 600;

struct DatedBy {
  const char* name;
  bool asker;              ///< deviates; else who is asked
  std::string_view since;  ///< from this step on
  std::int64_t ahead;
  const char* refused_step = nullptr;  ///< by the honest side; nothing: the session is held
};

class DatedSteps : public DeviatingPeer, public testing::WithParamInterface<DatedBy> {
 protected:
  auto hold() {
    Opened& liar = GetParam().asker ? asker_ : answerer_;
    liar.minds_no_clock = true;
    RewritingLog& log = log_of(liar);
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
    testing::Values(
        DatedBy{"asker_a_month_behind", true, kPropose, -30 * group::kSecondsPerDay, "session.propose"},
        DatedBy{"asker_a_day_behind", true, kPropose, -group::kSecondsPerDay, "session.propose"},
        DatedBy{"asker_a_day_ahead", true, kPropose, group::kSecondsPerDay, "session.propose"},
        DatedBy{"asker_ahead_from_its_commitment_on", true, kCommit, group::kSecondsPerDay, "session.commit"},
        DatedBy{"asker_ahead_from_its_run_on", true, kRun, group::kSecondsPerDay, "session.run"},
        DatedBy{"asker_behind_within_the_skew", true, kPropose, -kSkew + 60, nullptr},
        DatedBy{"asker_ahead_within_the_skew", true, kPropose, kSkew - 60, nullptr},
        DatedBy{"asked_a_month_behind", false, kAccept, -30 * group::kSecondsPerDay, "session.accept"},
        DatedBy{"asked_just_beyond_the_skew_behind", false, kAccept, -kSkew - 60, "session.accept"},
        DatedBy{"asked_just_beyond_the_skew_ahead", false, kAccept, kSkew + 60, "session.accept"},
        DatedBy{"asked_ahead_from_its_commitment_on", false, kCommit, group::kSecondsPerDay, "session.commit"},
        DatedBy{"asked_ahead_from_its_run_on", false, kRun, group::kSecondsPerDay, "session.run"},
        DatedBy{"asked_behind_within_the_skew", false, kAccept, -kSkew + 60, nullptr},
        DatedBy{"asked_ahead_within_the_skew", false, kAccept, kSkew - 60, nullptr}),
    [](const auto& named) { return std::string(named.param.name); });

// --- our own clock and our own log ----------------------------------------------------------------------------------

/// A link on which the other side's Hello says that it is ten days earlier than it is.
class LateHello final : public LinkDecorator {
 public:
  using LinkDecorator::LinkDecorator;
  UnixSeconds peer_time() const override { return inner_.peer_time() - 10 * group::kSecondsPerDay; }
};

class OwnClock : public DeviatingPeer {
 protected:
  /// By a clock that has been set to another time since.
  void write_into(Opened& side, UnixSeconds time) {
    open_logs(asker_, answerer_, wall_clock_now() - group::kSecondsPerDay);
    ASSERT_OK(log_of(side).with([&](mirror::Replica& replica) {
      return replica.append(mirror::draft_for_everyone(log::kHeads, replica.heads_body()), time);
    }));
  }
  /// @param deceived  hears of the other side's clock only what its Hello says
  Both<std::string> hold_with_late_hello(const Opened& deceived) {
    const group::SignedCharter charter = charter_of(asker_, answerer_);
    wire::Listener listener;
    const auto decorated = [&](const Opened& side, wire::Link& link, LateHello& late) -> wire::Link& {
      return &side == &deceived ? static_cast<wire::Link&>(late) : link;
    };
    auto answered = std::async(std::launch::async, [&]() -> Result<std::string> {
      TRY(const auto link, wire::accept(listener.accept(), answerer_.member.identity(), wire::only(asker_.pin())));
      LateHello late(*link);
      group::LogLink log_link(decorated(answerer_, *link, late), answerer_.log(charter));
      const group::Membership membership = answerer_.membership(charter);
      TRY(const ReceivedStep step, first_step(log_link));
      return session::answer(answerer_.party(membership), log_link, step, test_limits(), accept_everything);
    });
    const auto began = [&]() -> Result<std::string> {
      TRY(const auto link, wire::connect(listener.address(), asker_.member.identity(), answerer_.pin()));
      LateHello late(*link);
      group::LogLink log_link(decorated(asker_, *link, late), asker_.log(charter));
      const group::Membership membership = asker_.membership(charter);
      return ask(asker_.party(membership), log_link, which_addresses_and_names(), test_limits(), {});
    }();
    return {began, answered.get()};
  }
  void expect_no_run(Opened& side) {
    const std::string id = newest_session(*side.vault);
    if (id.empty()) return;
    EXPECT_TRUE(matched(*side.vault, id).empty());
    EXPECT_THAT(state_of(*side.vault, id), testing::AnyOf("aborted", "refused"));
    const auto steps = side.vault->session_steps(id);
    ASSERT_OK(steps);
    for (const vault::SessionStep& step : *steps)
      EXPECT_FALSE(step.author == side.member.card.nick && step.type == kRun) << "it was charged";
  }
  static constexpr const char* kLogIsLater = "but our own log has come to";
};

// The other side's steps are timely by such a clock, if its log has always been as far behind; and no canary is old
// enough by it.
TEST_F(OwnClock, ThatIsSetBackBehindOurOwnLogHoldsNoSessionThatWeAskFor) {
  write_into(asker_, wall_clock_now() + 2 * group::kSecondsPerDay);
  answerer_.minds_no_clock = true;
  expect_refused(asker_, hold_session(asker_, answerer_, which_addresses_and_names()).began, Errc::skew, kLogIsLater);
  EXPECT_EQ(newest_session(*answerer_.vault), "") << "not even the question has left";
}

TEST_F(OwnClock, ThatIsSetBackBehindOurOwnLogHoldsNoSessionThatWeAreAskedFor) {
  write_into(answerer_, wall_clock_now() + 2 * group::kSecondsPerDay);
  asker_.minds_no_clock = true;
  const auto both = hold_session(asker_, answerer_, which_addresses_and_names());
  expect_refused(answerer_, both.answered, Errc::skew, kLogIsLater);
  expect_refused(asker_, both.began, Errc::skew, "too far from its own clock");
  expect_no_run(answerer_);
}

TEST_F(OwnClock, ThatIsBehindOurOwnLogWithinTheSkewHoldsSessions) {
  write_into(asker_, wall_clock_now() + kSkew - 60);
  const auto both = hold_session(asker_, answerer_, which_addresses_and_names());
  EXPECT_OK(both.began);
  EXPECT_OK(both.answered);
}

// Else what runs meanwhile would be dated ten days back, and the day after it would all be out of the windows.
TEST_F(OwnClock, ThatOneLiarHoldsBackHoldsNoSessionWithIt) {
  expect_refused(asker_, hold_with_late_hello(asker_).began, Errc::skew, "none of the other members' clocks");
  expect_refused(answerer_, hold_with_late_hello(answerer_).answered, Errc::skew, "none of the other members' clocks");
  expect_no_run(answerer_);
  log_of(asker_).clocks().heard("carol", wall_clock_now());
  log_of(answerer_).clocks().heard("carol", wall_clock_now());
  for (const Opened* deceived : {&asker_, &answerer_}) {
    const auto both = hold_with_late_hello(*deceived);
    EXPECT_OK(both.began) << "another member shows what time it is";
    EXPECT_OK(both.answered);
  }
}

TEST_F(OwnClock, ThatJumpsInTheMiddleChargesNothingAtItsTime) {
  for (Opened* jumps : {&asker_, &answerer_}) {
    RewritingLog& log = log_of(*jumps);
    const Deviation jump{.rewrite =
                             [&log](mirror::Draft& draft) {
                               if (draft.type == kRun) log.ahead = 2 * group::kSecondsPerDay;
                               if (draft.type == kAbort) log.ahead = 0;
                             },
                         .resend = {}};
    const bool asks = jumps == &asker_;
    const auto both = hold_session(asker_, answerer_, which_addresses_and_names(), asks ? jump : Deviation{},
                                   asks ? Deviation{} : jump);
    expect_refused(*jumps, asks ? both.began : both.answered, Errc::skew, kLogIsLater);
    expect_no_run(*jumps);
  }
  expect_next_session_succeeds(asker_, answerer_);
}

}  // namespace
}  // namespace parley::session
