// Random schedules over lost, doubled and reordered messages, partitions, crashes, failing disks and old backups, with
// an observer who sees every message and every disk (log.md 9.3). A failing run prints its seed.
#include "circle.h"

namespace parley::mirror {
namespace {

struct Schedule {
  const char* name = nullptr;
  std::size_t members = 3;
  std::size_t steps = 3000;
  bool rolls_back = false;        ///< disks go back to older states; guards do not
  bool rolls_back_guard = false;  ///< alpha's guard with its disk
};

class Schedules : public testing::TestWithParam<Schedule> {
 protected:
  Schedules() : dice_(seed_), circle_(GetParam().members) {
    // Whose disk and guard may both go back hears everybody before it writes.
    if (GetParam().rolls_back_guard) circle_.answers_needed = count() - 1;
    circle_.tamper = [this](const Sent& sent) {
      observe(sent);
      return true;
    };
    signed_.resize(count());
    backups_.resize(count());
    guards_.resize(count());
  }
  std::size_t count() const { return GetParam().members; }
  MemoryLog& rows(std::size_t at, std::size_t of) { return circle_.disk(at).disk.logs[circle_.keys[of].log.name]; }

  // --- the observer ------------------------------------------------------------------------------------------------

  /// I2: no two checkpoints of one size by an honest member, whoever shows them.
  void observe_checkpoint(std::string_view nick, std::string_view note) {
    for (std::size_t i = 0; i < count(); ++i) {
      if (Circle::nick(i) != nick) continue;
      const auto checkpoint = log::read_checkpoint(note, circle_.keys[i].log);
      ASSERT_OK(checkpoint);
      const auto [seen, is_new] = signed_[i].emplace(checkpoint->size, checkpoint->root);
      ASSERT_EQ(seen->second, checkpoint->root) << nick << " signed two trees of " << checkpoint->size;
    }
  }
  void observe(const Sent& sent) {
    const auto content = parse_message(kGroup, sent.message);
    ASSERT_OK(content);
    if (const auto* push = std::get_if<Push>(&*content)) observe_checkpoint(push->log, push->checkpoint);
    if (const auto* cosig = std::get_if<Cosig>(&*content)) observe_checkpoint(cosig->log, cosig->checkpoint);
    if (const auto* heads = std::get_if<Heads>(&*content))
      for (const Heads::Log& log : heads->logs) observe_checkpoint(log.nick, log.checkpoint);
  }
  /// I3: what somebody is known to hold, it holds. Of a member whose disk was put back, only once it has healed.
  void observe_disks() {
    for (std::size_t owner = 0; owner < count(); ++owner) {
      if (!circle_.replicas[owner]) continue;
      for (std::size_t holder = 0; holder < count(); ++holder) {
        if (rolled_back_.contains(holder)) continue;
        const std::uint64_t held = rows(holder, owner).leaves.size();
        ASSERT_FALSE(circle_[owner].held_by(Circle::nick(holder), Circle::nick(owner), held + 1))
            << Circle::nick(holder) << " is said to hold more of " << Circle::nick(owner) << " than it does";
      }
    }
    // I5: nobody is accused.
    for (const auto& [at, convictions] : circle_.convictions)
      ASSERT_TRUE(convictions.empty()) << Circle::nick(at) << " accuses " << convictions[0].accused << ": "
                                       << convictions[0].reason;
  }

  // --- the schedule ------------------------------------------------------------------------------------------------

  void append(std::size_t i) {
    Replica* replica = circle_.replicas[i].get();
    if (replica == nullptr || replica->state() != State::live) return;
    const std::uint64_t size = replica->size(Circle::nick(i));
    std::vector<std::string> audience;
    if (dice_.one_in(3)) audience = {"*"};
    if (audience.empty() && dice_.one_in(2)) audience = {std::string(Circle::nick((i + 1) % count()))};
    std::string_view type = size == 0 ? log::kLogOpen : log::kHeads;
    std::string session;
    if (size > 0 && dice_.one_in(4)) {
      type = log::kSessionRun;
      session = to_hex(random_bytes<16>());
    }
    const auto written = replica->append({.type = std::string(type),
                                          .session = session,
                                          .refs = {},
                                          .audience = audience,
                                          .body = Json::Object{{"v", 1}}},
                                         clock());
    if (!written) return;  // the disk failed
    ASSERT_EQ(written->entry.seq, size);
    ASSERT_TRUE(GetParam().rolls_back_guard || size >= newest_[i]) << "an older tree is signed again";
    newest_[i] = written->entry.seq;
  }
  /// Jumps back and forth: times are claims.
  std::int64_t clock() { return kNow + static_cast<std::int64_t>(dice_.below(1000)) - 500; }
  std::size_t first_of_its_link(std::size_t which) const {
    const Sent& sent = circle_.queue[which];
    const auto first = std::ranges::find_if(
        circle_.queue, [&](const Sent& other) { return other.from == sent.from && other.to == sent.to; });
    return static_cast<std::size_t>(first - circle_.queue.begin());
  }
  void deliver_one() {
    if (circle_.queue.empty()) return;
    std::size_t which = dice_.one_in(4) ? dice_.below(circle_.queue.size()) : 0;
    // What a member has seen of a log that forgot comes right before its heads, and a link keeps the order and loses
    // nothing but its end.
    if (GetParam().rolls_back_guard) which = first_of_its_link(which);
    const Sent sent = circle_.queue[which];
    if (!dice_.one_in(20)) circle_.queue.erase(circle_.queue.begin() + static_cast<std::ptrdiff_t>(which));
    if (dice_.one_in(20)) {
      if (GetParam().rolls_back_guard) circle_.unlink(sent.from, sent.to);
      return;
    }
    const Status taken = circle_.deliver(sent);
    // What reached only a process whose disk failed at that moment is known to nobody who can tell its author of it.
    if (taken) observe(sent);
    ASSERT_TRUE(taken || taken.error().code == Errc::io) << taken.error().text();
  }
  void restart_if_halted() {
    for (std::size_t i = 0; i < count(); ++i)
      if (!circle_.replicas[i] || circle_[i].state() == State::halted) circle_.restart(i);
  }
  void roll_back(std::size_t i) {
    if (!backups_[i]) return;
    circle_.stop(i);
    circle_.disk(i).disk = *backups_[i];
    if (GetParam().rolls_back_guard) circle_.guard(i).signed_head = guards_[i];
    rolled_back_.insert(i);
    circle_.start(i);
  }
  void step() {
    const std::size_t i = dice_.below(count());
    const std::size_t other = (i + 1 + dice_.below(count() - 1)) % count();
    switch (dice_.below(16)) {
      case 0:
      case 1:
      case 2:
        return append(i);
      case 3:
        if (circle_.replicas[i] && circle_.replicas[other]) circle_.link(i, other);
        return;
      case 4:
        if (dice_.one_in(4)) circle_.unlink(i, other);
        return;
      case 5:
        if (dice_.one_in(8)) circle_.restart(i);
        return;
      case 6:
        if (dice_.one_in(8))
          circle_.disk(i).next_commit = dice_.one_in(2) ? CommitFailure::all_written : CommitFailure::nothing_written;
        return restart_if_halted();
      case 7:
        if (dice_.one_in(20)) {
          backups_[i] = circle_.disk(i).disk;
          guards_[i] = circle_.guard(i).signed_head;
        }
        if (GetParam().rolls_back && dice_.one_in(40)) roll_back(i);
        if (GetParam().rolls_back_guard && dice_.one_in(40)) roll_back(0);
        return;
      case 8:
      case 9:
        circle_.pump();
        return;
      default:
        return deliver_one();
    }
  }
  void run_schedule() {
    newest_.resize(count());
    for (std::size_t i = 0; i < GetParam().steps && !HasFatalFailure(); ++i) {
      step();
      if (i % 50 == 0) observe_disks();
    }
  }
  /// Everybody cosigns the whole log, except who waits for a body that went with its author's disk.
  void expect_cosigned(std::size_t by, std::size_t owner) {
    const std::string_view nick = Circle::nick(owner);
    const std::vector<std::uint64_t> missing = circle_[by].missing_bodies(nick);
    ASSERT_TRUE(missing.empty() || GetParam().rolls_back || GetParam().rolls_back_guard);
    for (const std::uint64_t seq : missing) {
      const Digest leaf = circle_[owner].entry(nick, seq)->leaf_hash;
      for (std::size_t i = 0; i < count(); ++i) ASSERT_FALSE(circle_.disk(i).disk.bodies.contains(leaf));
    }
    // Who waits may have cosigned before its own disk went back.
    ASSERT_TRUE(!missing.empty() || circle_[owner].held_by(Circle::nick(by), nick, circle_[owner].size(nick))) << nick;
  }
  /// I8: with faults stopped, all come to hold the same.
  void come_to_rest() {
    for (std::size_t i = 0; i < count(); ++i) circle_.disk(i).next_commit = CommitFailure::none;
    for (int round = 0; round < 5; ++round) {
      restart_if_halted();
      circle_.link_all();
      circle_.run();
      // What a member had signed and nobody has seen went with its disk. With everybody asked, an operator says so.
      for (std::size_t i = 0; i < count() && round == 2; ++i)
        ASSERT_TRUE(circle_[i].state() != State::amnesia || circle_[i].accept_fork_risk());
    }
    for (std::size_t i = 0; i < count(); ++i) {
      ASSERT_EQ(circle_[i].state(), State::live) << Circle::nick(i) << ": " << circle_[i].reason();
      const auto defects = circle_[i].fsck();
      ASSERT_OK(defects);
      ASSERT_TRUE(defects->empty()) << defects->front().what;
      for (std::size_t owner = 0; owner < count(); ++owner) {
        const std::string_view nick = Circle::nick(owner);
        ASSERT_EQ(circle_[i].size(nick), circle_[owner].size(nick));
        if (circle_[owner].size(nick) == 0) continue;
        ASSERT_EQ(rows(i, owner).leaves.back().hash, rows(owner, owner).leaves.back().hash);
        expect_cosigned(i, owner);
      }
    }
  }

  std::uint64_t seed_ = vault::test_seed();
  testing::ScopedTrace trace_{__FILE__, __LINE__, "PARLEY_TEST_SEED=" + std::to_string(seed_)};
  Dice dice_;
  Circle circle_;
  std::vector<std::map<std::uint64_t, Digest>> signed_;
  std::vector<std::uint64_t> newest_;
  std::vector<std::optional<MemoryDisk>> backups_;
  std::vector<vault::SignedHead> guards_;
  std::set<std::size_t> rolled_back_;
};

void PrintTo(const Schedule& schedule, std::ostream* out) {
  *out << schedule.name;
}

TEST_P(Schedules, KeepTheInvariants) {
  run_schedule();
  if (HasFatalFailure()) return;
  rolled_back_.clear();
  come_to_rest();
  if (HasFatalFailure()) return;
  observe_disks();
}

INSTANTIATE_TEST_SUITE_P(Random, Schedules,
                         testing::Values(Schedule{.name = "two", .members = 2}, Schedule{.name = "three", .members = 3},
                                         Schedule{.name = "five", .members = 5, .steps = 5000},
                                         Schedule{.name = "backups", .members = 3, .rolls_back = true},
                                         Schedule{.name = "backups_of_two", .members = 2, .rolls_back = true},
                                         Schedule{.name = "alpha_forgets_all", .members = 4, .rolls_back_guard = true}),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace parley::mirror
