// How much of others' logs is kept, and that a member who writes for ever fills nobody's disk.
#include "mirror/quota.h"

#include <gmock/gmock.h>

#include <limits>

#include "circle.h"

namespace parley::mirror {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kMuch = std::numeric_limits<std::uint64_t>::max();
constexpr Quota kSmall{
    .entries_per_day = 10, .bytes_per_day = 1'000, .entries = 100, .bytes = 10'000, .reserve_bytes = 50};

struct Case {
  const char* what;
  Usage usage;
  std::uint64_t size = 0;
  std::uint64_t free_bytes = kMuch;
  const char* why;  ///< nothing: there is room
};

class Room : public testing::TestWithParam<Case> {};

TEST_P(Room, IsLeftUntilSomethingIsUsedUp) {
  const Case& given = GetParam();
  const Status room = room_for_more(kSmall, given.usage, given.size, given.free_bytes, "bravo", kNow);
  if (given.why == nullptr) {
    EXPECT_OK(room);
    return;
  }
  ASSERT_FAILS(room, Errc::limit);
  EXPECT_THAT(room.error().message, HasSubstr("Nothing more of the log of bravo is taken"));
  EXPECT_THAT(room.error().message, HasSubstr(given.why));
}

INSTANTIATE_TEST_SUITE_P(
    Each, Room,
    testing::Values(Case{"nothing", {}, 0, kMuch, nullptr}, Case{"entries", {}, 100, kMuch, "it has 100 entries here"},
                    Case{"fewer entries", {}, 99, kMuch, nullptr},
                    Case{"bytes", {kNow, 0, 0, 10'000}, 0, kMuch, "it has 10000 bytes here"},
                    Case{"entries of the day", {kNow - 86'399, 10, 0, 0}, 10, kMuch, "10 entries came within a day"},
                    Case{"bytes of the day", {kNow - 1, 0, 1'000, 1'000}, 10, kMuch, "1000 bytes came within a day"},
                    Case{"a day that is over", {kNow - 86'400, 10, 1'000, 1'000}, 10, kMuch, nullptr},
                    Case{"a clock set back", {kNow + 86'400, 10, 0, 0}, 10, kMuch, "10 entries came within a day"},
                    Case{"a full disk", {}, 0, 49, "Make room"}, Case{"a disk at its reserve", {}, 0, 50, nullptr}));

TEST(Usage, IsReadAsItWasWrittenAndInNoOtherForm) {
  const Usage usage{.day_begins = kNow, .day_entries = 2, .day_bytes = 3, .bytes = 4};
  const std::string text = write_usage(usage);
  ASSERT_OK(read_usage(text));
  EXPECT_EQ(*read_usage(text), usage);
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_FAILS(read_usage(text.substr(0, size)), Errc::vault_damaged);
}

TEST(Usage, OfAClockThatWasSetBackBeginsItsDayAnewOnceOnly) {
  Usage usage{.day_begins = kNow + 1'000'000, .day_entries = 10, .day_bytes = 0, .bytes = 0};
  usage = usage.at(kNow);
  EXPECT_EQ(usage.day_entries, 10) << "nothing is given back";
  EXPECT_EQ(usage.at(kNow + kQuotaDaySeconds).day_entries, 0) << "and it is over after a day";
}

// --- a member that appends for ever --------------------------------------------------------------------------------

class Hoarder : public testing::TestWithParam<Circle::Kind> {
 protected:
  Hoarder() : circle_(3, GetParam()) {
    circle_.open_all();
    for (std::size_t i : {0u, 2u}) circle_[i].set_quota({.entries_per_day = 20});
    while (circle_[1].size("bravo") < 60) {
      circle_.append(1, log::kHeads);
      circle_.run();
    }
  }
  Circle circle_;
};

INSTANTIATE_TEST_SUITE_P(Each, Hoarder, testing::Values(Circle::Kind::memory, Circle::Kind::vault));

TEST_P(Hoarder, IsStoppedAtItsQuotaByEverybody) {
  for (std::size_t i : {0u, 2u}) {
    EXPECT_EQ(circle_[i].size("bravo"), 20u);
    const Status takes = circle_[i].takes_more("bravo", circle_.now);
    ASSERT_FAILS(takes, Errc::limit);
    EXPECT_THAT(takes.error().message, HasSubstr("20 is its quota"));
  }
  EXPECT_TRUE(circle_.refusals.empty()) << "it is no offence by which others would lose their links";
}

TEST_P(Hoarder, HoldsUpNobodyElse) {
  circle_.append(0, log::kHeads);
  circle_.append(2, log::kHeads);
  circle_.run();
  EXPECT_EQ(circle_[2].size("alpha"), circle_[0].size("alpha"));
  EXPECT_EQ(circle_[0].size("carol"), circle_[2].size("carol"));
  EXPECT_TRUE(circle_[0].is_final("alpha", circle_[0].size("alpha"))) << "and still signs for others' entries";
  for (std::size_t i : {0u, 2u}) EXPECT_EQ(circle_[i].state(), State::live);
}

TEST_P(Hoarder, IsStoppedAfterARestartToo) {
  circle_.restart(0);
  circle_[0].set_quota({.entries_per_day = 20});
  const std::uint64_t size = circle_[0].size("bravo");
  circle_.link_all();
  circle_.run();
  EXPECT_EQ(circle_[0].size("bravo"), size);
  EXPECT_FAILS(circle_[0].takes_more("bravo", circle_.now), Errc::limit);
}

TEST_P(Hoarder, IsTakenOnADayLaterAndWithALargerQuota) {
  circle_.now += kQuotaDaySeconds;
  EXPECT_OK(circle_[0].takes_more("bravo", circle_.now));
  circle_[2].set_quota({});
  circle_.link_all();
  circle_.run();
  EXPECT_EQ(circle_[0].size("bravo"), 60u) << "one push of any length goes beyond a quota";
  EXPECT_EQ(circle_[2].size("bravo"), 60u);
}

TEST(Disk, ThatIsLowKeepsItsRoomForOurOwnEntries) {
  Circle circle(2);
  circle.open_all();
  circle.disk(0).free = static_cast<std::uint64_t>(Quota{}.reserve_bytes) - 1;
  circle.append(1, log::kHeads);
  circle.append(0, log::kHeads);
  circle.run();
  EXPECT_EQ(circle[0].size("bravo"), 1u);
  EXPECT_FAILS(circle[0].takes_more("bravo", circle.now), Errc::limit);
  EXPECT_TRUE(circle[0].is_final("alpha", 2)) << "our own entry is written, and bravo's cosignature on it taken";
  circle.disk(0).free = static_cast<std::uint64_t>(Quota{}.reserve_bytes);
  circle.link_all();
  circle.run();
  EXPECT_EQ(circle[0].size("bravo"), 2u);
}

TEST(Hoarders, ForkIsFoundAlthoughNothingMoreOfItsLogIsTaken) {
  Circle circle(2);
  circle.open_all();
  circle[0].set_quota({.entries = 0});
  circle.stop(1);
  Branch other(circle.members[1]);
  other.append(log::kLogOpen, {}, {"*"}, Json::Object{{"v", 2}});
  ASSERT_OK(circle.deliver({1, 0, message_of(other.push("alpha"))}));
  EXPECT_EQ(circle.convictions[0].size(), 1u);
}

TEST(Hoarders, BodiesCountLikeEntries) {
  Circle circle(2);
  circle.open_all();
  Branch bravo(circle.members[1]);
  bravo.append(log::kLogOpen, {}, {"*"});
  circle.disk(0).disk.logs.erase(circle.keys[1].log.name);
  circle.restart(0);
  circle.link_all();
  circle.queue.clear();
  const std::string text(1'000, 'x');
  for (int i = 0; i < 5; ++i) bravo.append(log::kHeads, {}, {"alpha"}, Json::Object{{"v", 1}, {"x", text}});
  Push push = bravo.push("alpha");
  push.bodies.clear();
  ASSERT_OK(circle.deliver({1, 0, message_of(push)}));
  ASSERT_EQ(circle[0].missing_bodies("bravo").size(), 6u);
  circle[0].set_quota({.bytes_per_day = circle.disk(0).disk.logs[circle.keys[1].log.name].usage.day_bytes + 1'500});
  for (std::uint64_t seq = 0; seq < 6; ++seq)
    ASSERT_OK(circle.deliver({1, 0, message_of(EntryBody{"bravo", seq, bravo.bodies[seq]})}));
  EXPECT_EQ(circle[0].missing_bodies("bravo").size(), 3u) << "the one of the first entry, and two long ones are taken";
  ASSERT_OK(circle.deliver({1, 0, message_of(bravo.push("alpha"))}));
  EXPECT_EQ(circle[0].missing_bodies("bravo").size(), 3u) << "in whatever message they come";
}

}  // namespace
}  // namespace parley::mirror
