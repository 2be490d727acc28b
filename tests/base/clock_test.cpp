#include "base/clock.h"

#include <gtest/gtest.h>

namespace parley {
namespace {

// Computed with GNU date, `date -u -d ... +%s`.
TEST(Time, IsWrittenAsRfc3339InUtc) {
  const std::pair<UnixSeconds, const char*> cases[] = {{0, "1970-01-01T00:00:00Z"},
                                                       {951'782'400, "2000-02-29T00:00:00Z"},
                                                       {1'542'672'000, "2018-11-20T00:00:00Z"},
                                                       {1'542'758'399, "2018-11-20T23:59:59Z"},
                                                       {4'102'444'800, "2100-01-01T00:00:00Z"},
                                                       {253'402'300'799, "9999-12-31T23:59:59Z"},
                                                       {-1, "1969-12-31T23:59:59Z"}};
  for (const auto& [time, text] : cases) {
    EXPECT_EQ(to_rfc3339(time), text);
    if (time >= 0) {
      EXPECT_EQ(parse_time(text), time) << text;
    }
  }
}

TEST(Time, IsReadInTheFormsThatFilesUse) {
  constexpr UnixSeconds kDay = 1'542'672'000;  // 2018-11-20
  const std::pair<const char*, UnixSeconds> cases[] = {
      {"2018-11-20", kDay},
      {"2018/11/20", kDay},
      {"20181120", kDay},
      {"  2018-11-20 ", kDay},
      {"2018-11-20T10:17:42Z", kDay + 37'062},
      {"2018-11-20t10:17:42z", kDay + 37'062},
      {"2018-11-20 10:17:42", kDay + 37'062},
      {"2018-11-20 10:17:42 UTC", kDay + 37'062},
      {"2018-11-20T10:17", kDay + 37'020},
      {"2018-11-20T10:17:42.999999Z", kDay + 37'062},
      {"2018-11-20T10:17:42,5Z", kDay + 37'062},
      {"2018-11-20T10:17:42+02:00", kDay + 29'862},
      {"2018-11-20T10:17:42-0530", kDay + 56'862},
      {"2018-11-20T10:17:42+02", kDay + 29'862},
      {"2018-11-20T00:00:00.000000+00:00", kDay},
      {"2016-12-31T23:59:60Z", 1'483'228'800},  // a leap second is the second after it
      {"1542672000", kDay},
      {"253402300799", 253'402'300'799},
      {"1970-01-01", 0},
  };
  for (const auto& [text, time] : cases) EXPECT_EQ(parse_time(text), time) << text;
}

TEST(Time, IsNothingWhereItIsNotPlainlyOne) {
  const char* cases[] = {"",
                         " ",
                         "yesterday",
                         "2018",
                         "2018-11",
                         "2018-13-01",
                         "2018-00-10",
                         "2018-02-30",
                         "1900-02-29",
                         "2019-02-29",
                         "1969-12-31",
                         "0000-01-01",
                         "10000-01-01",
                         "2018-11/20",
                         "20-11-2018",
                         "11/20/2018",
                         "20181340",
                         "2018-11-20X10:17:42",
                         "2018-11-20T",
                         "2018-11-20T10",
                         "2018-11-20T24:00:00Z",
                         "2018-11-20T10:60:00Z",
                         "2018-11-20T10:17:61Z",
                         "2018-11-20T10:17:42+24:00",
                         "2018-11-20T10:17:42+2",
                         "2018-11-20T10:17:42 CET",
                         "2018-11-20T10:17:42Zx",
                         "2018-11-20T10-17-42",
                         "1970-01-01T00:00:00+01:00",  // before 1970
                         "12345678",                   // a date that does not exist, and too short for a Unix time
                         "-1542672000",
                         "+1542672000",
                         "1542672000.5",
                         "0x5bf34d80",
                         "253402300800",  // the year 10000
                         "99999999999999999999",
                         "\xd9\xa2\xd9\xa0\xd9\xa1\xd9\xa8-11-20"};
  for (const char* text : cases) EXPECT_EQ(parse_time(text), std::nullopt) << text;
  EXPECT_EQ(parse_time(std::string_view("2018-11-20\0", 11)), std::nullopt);
}

TEST(Time, ComesBackForEachDayOfFourCenturies) {
  for (UnixSeconds time = 0; time < 146'097LL * 86'400; time += 86'400 + 1) {
    ASSERT_EQ(parse_time(to_rfc3339(time)), time) << to_rfc3339(time);
  }
}

TEST(WallClock, IsLaterThanThisTestAndBeforeTheYear10000) {
  EXPECT_GT(wall_clock_now(), 1'700'000'000);
  EXPECT_LT(wall_clock_now(), 253'402'300'800);
}

TEST(Deadline, GivesPollNoNegativeAndNoOverflowingWait) {
  EXPECT_EQ(milliseconds_until(Monotonic::now() - std::chrono::hours(1)), 0);
  EXPECT_EQ(milliseconds_until(Deadline::min() + std::chrono::hours(24 * 365)), 0);
  EXPECT_EQ(milliseconds_until(Monotonic::now() + std::chrono::hours(24 * 365)), 1'000'000'000);
  const int left = milliseconds_until(deadline_in(std::chrono::hours(1)));
  EXPECT_GT(left, 0);
  EXPECT_LE(left, 3'600'000);
}

// A wait that is rounded down would end before its deadline, and the waiter would spin through the last millisecond.
TEST(Deadline, IsNotRoundedDown) {
  for (int i = 0; i < 1000; ++i) {
    const Deadline deadline = Monotonic::now() + std::chrono::minutes(1) + std::chrono::microseconds(i);
    const int left = milliseconds_until(deadline);
    EXPECT_GE(std::chrono::milliseconds(left), deadline - Monotonic::now());
  }
}

}  // namespace
}  // namespace parley
