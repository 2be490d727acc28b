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

}  // namespace
}  // namespace parley::session
