// What waits for the joint log: it is written when the log may be, it survives what a restart forgets, and what cannot
// be written any more does not hold up the rest.
#include "group/joint_log.h"

#include "base/encoding.h"
#include "log/checkpoint.h"
#include "mirror/circle.h"

namespace parley::group {
namespace {

using log::Json;
using mirror::Branch, mirror::Circle, mirror::kGroup, mirror::message_of;

/// Alpha's log at work over a copy of its simulated disk, as a process finds it when it starts.
class StartedLog {
 public:
  explicit StartedLog(Circle& circle) {
    auto store = std::make_unique<mirror::MemoryStore>(circle.disk(0));
    store_ = store.get();
    auto guard = std::make_unique<mirror::MemoryGuard>(*store);
    guard->signed_head = circle.guard(0).signed_head;
    auto replica = mirror::Replica::open(circle.view(0), circle.seeds(0), *store, *guard);
    EXPECT_TRUE(replica.has_value());
    EXPECT_TRUE((*replica)->accept_fork_risk().has_value());
    log_.emplace(kGroup, "alpha", Json::Object{{"v", 1}},
                 OpenReplica{std::move(store), std::move(guard), std::move(*replica)});
  }
  JointLog& operator*() { return *log_; }
  JointLog* operator->() { return &*log_; }
  std::uint64_t size() {
    return log_->with([](mirror::Replica& replica) { return replica.size("alpha"); });
  }
  std::string last_type() {
    return log_->with([](mirror::Replica& replica) {
      const auto last = replica.entry("alpha", replica.size("alpha") - 1);
      return last ? last->entry.type : std::string();
    });
  }
  /// The process ends: what is on the disk is there.
  void leave_to(Circle& circle) {
    circle.disk(0).disk = store_->disk;
    circle.guard(0).signed_head = {};
  }

 private:
  mirror::MemoryStore* store_ = nullptr;
  std::optional<JointLog> log_;
};

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
  JointLog log(kGroup, "alpha", Json::Object{{"v", 1}},
               OpenReplica{std::move(store), std::move(guard), std::move(*replica)});
  const auto size = [](mirror::Replica& asked) { return asked.size("alpha"); };
  const std::uint64_t before = log.with(size);
  EXPECT_TRUE(log.tie_to_others().has_value());
  EXPECT_EQ(log.with(size), before);
}

}  // namespace
}  // namespace parley::group
