// What sessions have spent of a group's budgets, from their rows (log.md 4.1).
#include "session/spending.h"

#include <gtest/gtest.h>

#include "session/states.h"

namespace parley::session {
namespace {

using indicator::Type;

constexpr UnixSeconds kNow = 1'790'000'000;
constexpr UnixSeconds kDay = 86'400;

vault::SessionRow row_with(std::string peer, std::string_view state, const Outcome& outcome = {}) {
  const Terms terms{.question = {.types = {Type::ipv4}, .label = {}, .since = {}},
                    .ours_by_type = {},
                    .our_padded = 256,
                    .their_padded = 1024,
                    .our_label = {}};
  return {.id = "00",
          .peer = std::move(peer),
          .asked_by_us = true,
          .state = std::string(state),
          .terms = write_terms(terms),
          .outcome = write_outcome(outcome),
          .created = kNow - 60,
          .updated = kNow,
          .group = "g"};
}

Outcome lost_in_the_run() {
  Outcome outcome;
  outcome.may_have_disclosed = true;
  return outcome;
}

Outcome with_count(std::int64_t count) {
  Outcome outcome;
  outcome.count = count;
  return outcome;
}

group::Spent spent(const std::vector<vault::SessionRow>& rows) {
  const auto all = spent_in(rows, "g", "bravo", kNow);
  EXPECT_TRUE(all.has_value());
  const auto found = all->find(Type::ipv4);
  return found == all->end() ? group::Spent{} : found->second;
}

TEST(Spending, CountsASessionFromItsRunStepOnWhateverCameOfIt) {
  for (const std::string_view state : {kRunning, kHasResult, kRevealing, kClosed, kDisputed})
    EXPECT_EQ(spent({row_with("bravo", state)}).probe_in_30d, 1024) << state;
  EXPECT_EQ(spent({row_with("bravo", kAborted, lost_in_the_run())}).probe_in_30d, 1024);
}

TEST(Spending, CountsNothingThatDidNotComeToRun) {
  for (const std::string_view state : {kProposed, kAccepted, kCommitted, kRefused, kExpired, kAborted})
    EXPECT_EQ(spent({row_with("bravo", state)}).probe_in_30d, 0) << state;
}

TEST(Spending, AddsUpWhatAllMembersEnteredForTheGroupAndWhatOneDidForItself) {
  const group::Spent both = spent({row_with("bravo", kHasResult), row_with("charlie", kHasResult)});
  EXPECT_EQ(both.probe_in_group_30d, 2048);
  EXPECT_EQ(both.probe_in_30d, 1024);
  EXPECT_EQ(both.probe_out_30d, 256);
  EXPECT_EQ(both.sessions_day, 1);
  EXPECT_EQ(spent({row_with("charlie", kHasResult)}).probe_in_group_30d, 1024);
}

TEST(Spending, ForgetsAnotherGroupAndWhatIsOlderThanItsWindow) {
  vault::SessionRow other = row_with("bravo", kHasResult);
  other.group = "h";
  EXPECT_EQ(spent({other}).probe_in_group_30d, 0);
  vault::SessionRow yesterday = row_with("bravo", kHasResult);
  yesterday.created = kNow - kDay;
  EXPECT_EQ(spent({yesterday}).sessions_day, 0);
  EXPECT_EQ(spent({yesterday}).probe_in_30d, 1024);
  vault::SessionRow old = row_with("bravo", kHasResult);
  old.created = kNow - 30 * kDay;
  EXPECT_EQ(spent({old}).probe_in_30d, 0);
}

TEST(Spending, TakesAnUnknownCountForAllThatCouldHaveMatched) {
  EXPECT_EQ(spent({row_with("bravo", kAborted, lost_in_the_run())}).matches_in_30d, 256);
  EXPECT_EQ(spent({row_with("bravo", kHasResult, with_count(3))}).matches_in_30d, 3);
}

TEST(Spending, OfARowThatCannotBeReadIsAnErrorAndNoZero) {
  vault::SessionRow row = row_with("bravo", kHasResult);
  row.terms = "{}";
  EXPECT_FALSE(spent_in(std::vector{row}, "g", "bravo", kNow).has_value());
}

}  // namespace
}  // namespace parley::session
