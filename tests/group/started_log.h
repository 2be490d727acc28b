// A joint log at work, as a process finds it on its disk.
#pragma once

#include "group/joint_log.h"
#include "mirror/circle.h"

namespace parley::group {

/// A member's log at work over a copy of its simulated disk, as a process finds it when it starts.
class StartedLog {
 public:
  explicit StartedLog(mirror::Circle& circle, std::size_t member = 0) {
    auto store = std::make_unique<mirror::MemoryStore>(circle.disk(member));
    store_ = store.get();
    auto guard = std::make_unique<mirror::MemoryGuard>(*store);
    guard->signed_head = circle.guard(member).signed_head;
    auto replica = mirror::Replica::open(circle.view(member), circle.seeds(member), *store, *guard);
    EXPECT_TRUE(replica.has_value());
    EXPECT_TRUE((*replica)->accept_fork_risk().has_value());
    log_.emplace(mirror::kGroup, std::string(mirror::Circle::nick(member)), log::Json::Object{{"v", 1}},
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
  std::uint64_t leaves_read() const { return store_->leaves_read; }
  /// The process ends: what is on the disk is there.
  void leave_to(mirror::Circle& circle) {
    circle.disk(0).disk = store_->disk;
    circle.guard(0).signed_head = {};
  }

 private:
  mirror::MemoryStore* store_ = nullptr;
  std::optional<JointLog> log_;
};

}  // namespace parley::group
