// What waits for the joint log: it is written when the log may be, it survives what a restart forgets, and what cannot
// be written any more does not hold up the rest.
#include "group/joint_log.h"

#include <mutex>
#include <set>
#include <thread>

#include "base/encoding.h"
#include "group/started_log.h"
#include "log/checkpoint.h"
#include "mirror/circle.h"

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

/// What the last entry of alpha's log says of bravo's.
std::optional<Json> said_of_bravo(JointLog& log) {
  return log.with([](mirror::Replica& replica) -> std::optional<Json> {
    const auto last = replica.entry("alpha", replica.size("alpha") - 1);
    if (!last || last->entry.type != log::kHeads || !last->body) return std::nullopt;
    for (const Json& one : *last->body->object()->at("logs").array())
      if (one.object()->at("nick") == Json("bravo")) return one;
    return std::nullopt;
  });
}

TEST(JointLog, IsTiedToWhatTheOthersHadWrittenByThen) {
  Circle circle(2);
  circle.open_all();
  circle.append(1, log::kCanarySet);
  circle.run();
  const std::uint64_t bravo = circle[0].size("bravo");
  StartedLog log(circle);
  const std::uint64_t before = log.size();
  ASSERT_TRUE(log->tie_to_others().has_value());
  EXPECT_EQ(log.size(), before + 1);
  const auto said = said_of_bravo(*log);
  ASSERT_TRUE(said.has_value());
  EXPECT_EQ(said->object()->at("size"), Json(static_cast<std::int64_t>(bravo)));
  const auto checkpoint = log->with([](mirror::Replica& replica) { return replica.checkpoint("bravo"); });
  ASSERT_TRUE(checkpoint.has_value());
  const auto note = log::parse_note(*checkpoint);
  ASSERT_TRUE(note.has_value());
  EXPECT_EQ(said->object()->at("root"), Json(to_hex(log::parse_checkpoint(note->text)->root)))
      << "the tree that bravo signed: its entries are older than this one";
}

TEST(JointLog, IsNotTiedAgainToWhatHasNotGrown) {
  Circle circle(2);
  circle.open_all();
  StartedLog log(circle);
  const std::uint64_t before = log.size();
  ASSERT_TRUE(log->tie_to_others().has_value());
  ASSERT_TRUE(log->tie_to_others().has_value());
  ASSERT_TRUE(log->append(abort_of(log::session_name('a'))).has_value());
  ASSERT_TRUE(log->tie_to_others().has_value());
  EXPECT_EQ(log.size(), before + 2) << "one tie, and one entry of our own, which is none of theirs";
}

TEST(JointLog, IsNotTiedWhileItMayNotBeWritten) {
  Circle circle(2);
  circle.open_all();
  auto store = std::make_unique<mirror::MemoryStore>(circle.disk(0));
  auto guard = std::make_unique<mirror::MemoryGuard>(*store);
  guard->signed_head = circle.guard(0).signed_head;
  auto replica = mirror::Replica::open(circle.view(0), circle.seeds(0), *store, *guard);
  ASSERT_TRUE(replica.has_value());
  ASSERT_EQ((*replica)->state(), mirror::State::asking);
  JointLog log(mirror::kGroup, "alpha", Json::Object{{"v", 1}},
               OpenReplica{std::move(store), std::move(guard), std::move(*replica)});
  const auto size = [](mirror::Replica& asked) { return asked.size("alpha"); };
  const std::uint64_t before = log.with(size);
  EXPECT_TRUE(log.tie_to_others().has_value());
  EXPECT_EQ(log.with(size), before);
}

TEST(JointLog, WritesWhatSeveralThreadsWantAndTellsEachOfItsOwn) {
  Circle circle(2);
  circle.open_all();
  StartedLog log(circle);
  constexpr int kThreads = 8, kEach = 20;
  const std::uint64_t before = log.size();
  std::mutex mutex;
  std::set<std::uint64_t> seqs;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < kEach; ++j) {
        const std::string text = std::to_string(i) + "/" + std::to_string(j);
        std::optional<Digest> seen;
        const bool refused = j % 5 == 4;
        const auto written = log->append({.type = std::string(log::kHeads),
                                          .session = {},
                                          .refs = {},
                                          .audience = {"*"},
                                          .body = Json::Object{{"text", text}, {"v", 1}}},
                                         [&](const mirror::EntryView& entry) -> Status {
                                           seen = entry.leaf_hash;
                                           if (refused) return fail(Errc::policy, "The ledger says no.");
                                           return {};
                                         });
        const std::lock_guard lock(mutex);
        ASSERT_EQ(written.has_value(), !refused);
        if (refused) {
          EXPECT_EQ(written.error().code, Errc::policy);
          continue;
        }
        EXPECT_EQ(seen, written->leaf_hash) << "its work was done with the entry that was written";
        EXPECT_EQ(written->body->object()->at("text"), Json(text));
        EXPECT_TRUE(seqs.insert(written->entry.seq).second);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(seqs.size(), kThreads * kEach * 4 / 5u);
  EXPECT_EQ(log.size(), before + seqs.size());
}

}  // namespace
}  // namespace parley::group
