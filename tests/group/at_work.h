// Members at work whose logs meet without a network.
#pragma once

#include "base/clock.h"
#include "group/groups.h"
#include "group/groups_of_vaults.h"

namespace parley::group {

/// A member with the logs of its groups open in a process.
class AtWork {
 public:
  explicit AtWork(Participant& member) : member_(member) { restart(); }
  void restart() {
    groups_.reset();
    groups_.emplace(member_.desk().folder, member_.vault(), member_.card());
  }
  Groups* operator->() { return &*groups_; }
  JointLog& log() { return **groups_->log("stadium"); }
  mirror::State state() {
    return log().with([](mirror::Replica& replica) { return replica.state(); });
  }
  std::string last_type_of(const std::string& nick) {
    return log().with([&](mirror::Replica& replica) {
      const auto last = replica.entry(nick, replica.size(nick) - 1);
      return last ? last->entry.type : std::string();
    });
  }
  bool holds_all_of(const std::string& nick) {
    return log().with(
        [&](mirror::Replica& replica) { return replica.held_by(member_.nick(), nick, replica.size(nick)); });
  }
  bool has_keys() {
    return load_group_keys(member_.desk().folder, member_.vault(), "parley.example", member_.row().id, member_.nick())
        .has_value();
  }
  bool calls_for_it(UnixSeconds now) { return !groups_->in_step(now)->empty(); }
  Ending end(UnixSeconds now) {
    const auto endings = groups_->end_what_is_over(now);
    EXPECT_HOLDS(endings);
    EXPECT_EQ(endings->size(), 1u);
    return endings->empty() ? Ending{} : endings->front();
  }
  const std::string& nick() const { return member_.nick(); }

 private:
  Participant& member_;
  std::optional<Groups> groups_;
};

inline void deliver(AtWork& from, AtWork& to, const std::vector<mirror::Message>& messages) {
  for (const mirror::Message& message : messages) {
    const auto outcome =
        to.log().with([&](mirror::Replica& replica) { return replica.take(from.nick(), message, wall_clock_now()); });
    ASSERT_HOLDS(outcome);
    deliver(to, from, outcome->replies);
  }
}

/// Sends what `to` lacks. @return whether there was anything
inline bool send_all(AtWork& from, AtWork& to) {
  const auto messages = from.log().with([&](mirror::Replica& replica) { return replica.to_send(to.nick()); });
  EXPECT_HOLDS(messages);
  deliver(from, to, *messages);
  return !messages->empty();
}

/// Two nodes call on each other, and write what they may write then.
inline void meet(AtWork& a, AtWork& b) {
  for (int call = 0; call < 2; ++call) {
    a.log().with([&](mirror::Replica& replica) { replica.connected(b.nick()); });
    b.log().with([&](mirror::Replica& replica) { replica.connected(a.nick()); });
    while (send_all(a, b) || send_all(b, a)) {
    }
    EXPECT_HOLDS(a.log().flush());
    EXPECT_HOLDS(b.log().flush());
  }
}

}  // namespace parley::group
