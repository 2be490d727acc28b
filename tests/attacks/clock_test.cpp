// A member's wall clock jumps by a day or by ten years, forward, back, and to and fro: nothing that is limited by time
// is given back, nothing is ended or destroyed early, the log's times never go back, and both sides are told.
#include "group/groups_of_vaults.h"
#include "group/operation.h"
#include "group/peer_clocks.h"
#include "mirror/circle.h"
#include "session/accounting.h"
#include "support/log_members.h"

namespace parley::attacks {
namespace {

constexpr std::int64_t kSkew = 600, kDay = 86'400, kTenYears = 3'653 * kDay;
constexpr UnixSeconds kNow = 1'790'000'000;
const std::vector<std::int64_t> kJumps{kDay, -kDay, kTenYears, -kTenYears, 20 * kDay};

// --- whose clock is believed ----------------------------------------------------------------------------------------

class Clocks : public testing::Test {
 protected:
  group::PeerClocks clocks_{kSkew};
  const Deadline start_ = Monotonic::now();
};

TEST_F(Clocks, ThatNobodyContradictsAreBelieved) {
  for (const std::int64_t jump : kJumps) EXPECT_EQ(clocks_.bounded(kNow + jump, start_), kNow + jump);
}

TEST_F(Clocks, ThatJumpForwardAreHeldToWhatTheOthersShow) {
  clocks_.heard("bravo", kNow, start_);
  EXPECT_EQ(clocks_.bounded(kNow + kTenYears, start_), kNow + kSkew);
  EXPECT_EQ(clocks_.bounded(kNow + kDay, start_ + std::chrono::hours(1)), kNow + 3'600 + kSkew) << "time goes on";
  EXPECT_EQ(clocks_.bounded(kNow + kSkew, start_), kNow + kSkew);
  EXPECT_EQ(clocks_.bounded(kNow - kTenYears, start_), kNow - kTenYears) << "what has been seen is kept elsewhere";
}

TEST_F(Clocks, AreNotHeldBackByOneWhoLiesWhereAnotherAgrees) {
  clocks_.heard("liar", kNow - kTenYears, start_);
  clocks_.heard("carol", kNow + 3, start_);
  EXPECT_EQ(clocks_.bounded(kNow, start_), kNow);
}

TEST_F(Clocks, AreNotHeldBackForEver) {
  clocks_.heard("liar", kNow - kTenYears, start_);
  EXPECT_LT(clocks_.bounded(kNow, start_), kNow);
  Deadline now = start_;
  for (int day = 1; day <= 7; ++day) {
    now = start_ + std::chrono::days(day);
    clocks_.heard("liar", kNow - kTenYears, now);
    EXPECT_LT(clocks_.bounded(kNow + day * kDay, now), kNow + day * kDay) << day;
  }
  now += std::chrono::seconds(1);
  EXPECT_EQ(clocks_.bounded(kNow + 7 * kDay + 1, now), kNow + 7 * kDay + 1);
}

TEST_F(Clocks, OfPeersThatWereHeardLongAgoSayNothing) {
  clocks_.heard("bravo", kNow, start_);
  EXPECT_EQ(clocks_.bounded(kNow + kTenYears, start_ + std::chrono::hours(25)), kNow + kTenYears);
  EXPECT_FALSE(clocks_.ahead("bravo", kNow, start_ + std::chrono::hours(25)).has_value());
}

TEST_F(Clocks, ThatAreApartAreToldOfWithWhoAndHowMuch) {
  clocks_.heard("bravo", kNow + 3 * kDay + 4 * 3'600, start_);
  EXPECT_EQ(clocks_.ahead("bravo", kNow, start_), 3 * kDay + 4 * 3'600);
  EXPECT_FALSE(clocks_.ahead("carol", kNow, start_).has_value());
  const std::string ahead = group::clock_warning("bravo", 3 * kDay + 4 * 3'600, kSkew);
  EXPECT_NE(ahead.find("bravo is 3 days 4 h ahead of ours"), std::string::npos) << ahead;
  EXPECT_NE(ahead.find("600 s"), std::string::npos) << ahead;
  EXPECT_NE(group::clock_warning("bravo", -601, kSkew).find("10 min 1 s behind ours"), std::string::npos);
  for (const std::int64_t within : {0L, 1L, -600L, 600L}) EXPECT_EQ(group::clock_warning("bravo", within, kSkew), "");
}

// --- what is heard over a link ---------------------------------------------------------------------------------------

TEST(ClockOfAPeer, IsHeardOnEachLink) {
  LogGroup group{"alpha", "bravo"};
  RunningLog alpha(group, 0), bravo(group, 1);
  EXPECT_FALSE(alpha->clocks().ahead("bravo", wall_clock_now()).has_value());
  ASSERT_OK(meet(alpha, 1, bravo).first);
  for (auto* side : {&alpha, &bravo}) {
    const auto ahead = (*side)->clocks().ahead(side == &alpha ? "bravo" : "alpha", wall_clock_now());
    ASSERT_TRUE(ahead.has_value());
    EXPECT_LE(std::abs(*ahead), 2);
  }
}

TEST(Log, OfAMemberWhoseClockJumpsHasTimesThatNeverGoBack) {
  mirror::Circle circle(2);
  circle.open_all();
  UnixSeconds newest = circle[0].entry("alpha", 0)->entry.time;
  for (const std::int64_t jump : {kDay, -kDay, kTenYears, -kTenYears, kDay, std::int64_t{0}}) {
    const auto written =
        circle[0].append(mirror::draft_for_everyone(log::kHeads, log::Json::Object{{"v", 1}}), kNow + jump);
    ASSERT_OK(written);
    EXPECT_GE(written->entry.time, newest);
    newest = written->entry.time;
  }
  circle.run();
  EXPECT_EQ(circle[1].size("alpha"), circle[0].size("alpha")) << "times are claims: the others take it";
  EXPECT_TRUE(circle.convictions.empty());
}

// --- the end of a charter -------------------------------------------------------------------------------------------

class EndOfCharter : public testing::Test {
 protected:
  EndOfCharter() { group_.found(); }
  group::Participant& alpha() { return group_["alpha"]; }
  std::vector<group::Ending> end(UnixSeconds wall, group::PeerClocks& clocks) {
    auto endings = group::end_what_is_over(
        alpha().desk(), wall, [](const group::SealDue&) -> Result<group::Sealed> { return group::Sealed::settled; },
        [&](const std::string&) { return clocks.bounded(wall); });
    EXPECT_TRUE(endings.has_value());
    return endings ? *endings : std::vector<group::Ending>{};
  }
  group::Group group_{{"alpha", "bravo"}};
};

TEST_F(EndOfCharter, DoesNotComeByAClockThatJumpedAndNothingIsLost) {
  const UnixSeconds now = group::kBegin + 120;
  ASSERT_TRUE(alpha().vault().put_secret("session/x/salts", as_bytes("secret")).has_value());
  group::PeerClocks clocks(kSkew);
  clocks.heard("bravo", now);
  const UnixSeconds latest = alpha().row().latest;
  for (const std::int64_t jump : {kDay, kTenYears, -kTenYears, kTenYears, -kDay, 400 * kDay}) {
    EXPECT_TRUE(end(now + jump, clocks).empty()) << jump;
    EXPECT_EQ(alpha().row().state, group::kActive);
    EXPECT_LE(alpha().row().latest, now + kSkew) << "the jump is not remembered as time that was";
    EXPECT_GE(alpha().row().latest, latest);
    EXPECT_EQ(alpha().membership().phase_at(now), group::Phase::open);
  }
  EXPECT_TRUE(group::load_group_keys(alpha().desk().folder, alpha().vault(), alpha().membership().charter().domain,
                                     alpha().row().id, "alpha")
                  .has_value());
}

TEST_F(EndOfCharter, ComesWhereTheOthersClocksSayIt) {
  const UnixSeconds over = alpha().membership().charter().grace_ends() + 1;
  group::PeerClocks clocks(kSkew);
  clocks.heard("bravo", over);
  EXPECT_EQ(end(over, clocks).size(), 1u);
  EXPECT_EQ(alpha().row().state, group::kClosed);
}

TEST_F(EndOfCharter, DoesNotGoAwayByAClockThatIsSetBack) {
  const UnixSeconds over = alpha().membership().charter().grace_ends() + 1;
  group::PeerClocks clocks(kSkew);
  EXPECT_EQ(end(over, clocks).size(), 1u);
  for (const std::int64_t jump : kJumps) {
    EXPECT_TRUE(end(group::kBegin - std::abs(jump), clocks).empty());
    EXPECT_NE(alpha().membership().phase_at(group::kBegin), group::Phase::open);
  }
}

TEST_F(EndOfCharter, IsNotPutOffForQuestionsByAPeerWhoseClockIsBehind) {
  // The liar's clock holds back what we destroy, never what we refuse.
  const group::Membership membership = alpha().membership();
  EXPECT_FALSE(membership.check(group::Act::question, membership.charter().not_after + 1).has_value());
}

}  // namespace
}  // namespace parley::attacks
