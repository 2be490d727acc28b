// What waits for the joint log: it is written when the log may be, it survives what a restart forgets, and what cannot
// be written any more does not hold up the rest.
#include "group/joint_log.h"

#include "group/started_log.h"

namespace parley::group {
namespace {

using log::Json;
using mirror::Branch, mirror::Circle, mirror::message_of;

mirror::Draft abort_of(const std::string& session) {
  return {.type = std::string(log::kSessionAbort),
          .session = session,
          .refs = {},
          .audience = {"bravo"},
          .body = Json::Object{{"v", 1}}};
}

TEST(JointLog, TellsAfterARestartOfAFaultThatNobodyWasToldOf) {
  Circle circle(2);
  circle.open_all();
  circle.reports_faults = false;
  circle.stop(1);
  Branch other(circle.members[1]);
  other.append(log::kLogOpen, {}, {"*"}, Json::Object{{"v", 2}});
  ASSERT_TRUE(circle.deliver({1, 0, message_of(other.push("alpha"))}).has_value());
  ASSERT_EQ(circle.convictions[0].size(), 1u);
  ASSERT_EQ(circle[0].size("alpha"), 1u) << "the process ends before it tells";
  {
    StartedLog log(circle);
    ASSERT_TRUE(log->flush().has_value());
    EXPECT_EQ(log.size(), 2u);
    EXPECT_EQ(log.last_type(), log::kFault);
    log.leave_to(circle);
  }
  StartedLog again(circle);
  ASSERT_TRUE(again->flush().has_value());
  EXPECT_EQ(again.size(), 2u) << "and it tells once";
}

TEST(JointLog, KnowsWhomItHasReportedWithoutReadingItsLog) {
  Circle circle(2);
  circle.open_all();
  circle.stop(1);
  Branch other(circle.members[1]);
  other.append(log::kLogOpen, {}, {"*"}, Json::Object{{"v", 2}});
  ASSERT_TRUE(circle.deliver({1, 0, message_of(other.push("alpha"))}).has_value());
  ASSERT_EQ(circle[0].size("alpha"), 2u) << "it has told of the fault";
  for (int i = 0; i < 1'000; ++i) circle.append(0, log::kHeads);
  circle.disk(0).leaves_read = 0;
  StartedLog log(circle);
  EXPECT_LT(log.leaves_read(), 20u);
  ASSERT_TRUE(log->flush().has_value());
  EXPECT_EQ(log.size(), 1'002u) << "and tells once";
}

TEST(JointLog, KnowsWhomItHasReportedWhenItsEntriesCameBackFromAMember) {
  Circle circle(3);
  circle.open_all();
  circle.stop(1);
  const auto before = circle.disk(0).disk;
  const auto guard = circle.guard(0).signed_head;
  Branch other(circle.members[1]);
  other.append(log::kLogOpen, {}, {"*"}, Json::Object{{"v", 2}});
  ASSERT_TRUE(circle.deliver({1, 0, message_of(other.push("alpha"))}).has_value());
  circle.run();
  ASSERT_EQ(circle[2].size("alpha"), 2u);
  circle.stop(0);
  circle.disk(0).disk = before;
  circle.guard(0).signed_head = guard;
  circle.start(0);
  circle.link(0, 2);
  circle.run();
  ASSERT_EQ(circle[0].size("alpha"), 2u);
  EXPECT_TRUE(circle[0].has_reported("bravo").value_or(false));
  EXPECT_FALSE(circle[0].has_reported("carol").value_or(true));
}

TEST(JointLog, GoesOnPastAStepThatItHasAlready) {
  Circle circle(2);
  circle.open_all();
  StartedLog log(circle);
  const std::string session = log::session_name('a');
  ASSERT_TRUE(log->append(abort_of(session)).has_value());
  log->append_later(abort_of(session));
  log->append_later(abort_of(log::session_name('b')));
  ASSERT_TRUE(log->flush().has_value());
  EXPECT_EQ(log.size(), 3u) << "that of the other session";
  EXPECT_TRUE(log->append({.type = std::string(log::kHeads),
                           .session = {},
                           .refs = {},
                           .audience = {"*"},
                           .body = Json::Object{{"v", 1}}})
                  .has_value());
}

}  // namespace
}  // namespace parley::group
