// Whether a step of a session was written when its author's log says.
#include <gtest/gtest.h>

#include "session/step.h"
#include "support/session_parties.h"

namespace parley::session {
namespace {

constexpr UnixSeconds kWritten = 1'790'000'000, kArrived = kWritten + 3'600;
constexpr std::int64_t kSkew = 600;

Status check(UnixSeconds stated) {
  return check_time(kRun, stated, {.earliest = kWritten, .now = kArrived, .skew_seconds = kSkew}, "Bravo CERT");
}

TEST(StepTime, IsWithinTheSkewOfClocksOfWhenItCanHaveBeenWritten) {
  for (const UnixSeconds stated : {kWritten - kSkew, kWritten, kArrived, kArrived + kSkew}) EXPECT_OK(check(stated));
}

TEST(StepTime, FromBeforeWhatItAnswersOrFromTheFutureIsRefused) {
  for (const UnixSeconds stated :
       {UnixSeconds{0}, kWritten - 30 * 86'400, kWritten - kSkew - 1, kArrived + kSkew + 1, log::kMaxInteger}) {
    const Status checked = check(stated);
    ASSERT_FALSE(checked) << stated;
    EXPECT_EQ(checked.error().code, Errc::skew);
  }
}

TEST(StepTime, ThatIsRefusedIsNamedBesideOursWithWhoseClockToLookAt) {
  const std::string behind = check(kWritten - 86'400).error().message;
  EXPECT_NE(behind.find("Bravo CERT states 2026-09-20T14:13:20Z as the time of its step \"session.run\""),
            std::string::npos)
      << behind;
  EXPECT_NE(behind.find("By the clock here it is 2026-09-21T15:13:20Z"), std::string::npos) << behind;
  EXPECT_NE(behind.find("Look at the clock of Bravo CERT, which is behind ours, and at ours"), std::string::npos);
  const std::string ahead = check(kArrived + 86'400).error().message;
  EXPECT_NE(ahead.find("which is ahead of ours"), std::string::npos) << ahead;
  EXPECT_NE(ahead.find("goes on when that time has come"), std::string::npos) << ahead;
}

TEST(OwnClock, IsOneToJudgeByWhileItAndOurLogAreWithinTheSkew) {
  for (const std::int64_t apart : {-kSkew, std::int64_t{0}, kSkew})
    EXPECT_OK(check_clock(kWritten + apart, kWritten, kSkew));
}

TEST(OwnClock, ThatIsFurtherFromOurLogIsNamedBesideItWithWhatToDo) {
  const Status set_back = check_clock(kWritten, kWritten - kSkew - 1, kSkew);
  ASSERT_FAILS(set_back, Errc::skew);
  EXPECT_THAT(set_back.error().message,
              testing::AllOf(testing::HasSubstr("By the clock here it is 2026-09-21T14:03:19Z"),
                             testing::HasSubstr("our own log has come to 2026-09-21T14:13:20Z"),
                             testing::HasSubstr("when that time has come")));
  const Status held_back = check_clock(kWritten - kSkew - 1, kWritten, kSkew);
  ASSERT_FAILS(held_back, Errc::skew);
  EXPECT_THAT(held_back.error().message,
              testing::AllOf(testing::HasSubstr("By the clock here it is 2026-09-21T14:13:20Z"),
                             testing::HasSubstr("state more than 2026-09-21T14:03:19Z"),
                             testing::HasSubstr("a member whose clock is right")));
}

}  // namespace
}  // namespace parley::session
