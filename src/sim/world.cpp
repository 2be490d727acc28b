// The run of a world: its members at their work, their processes that end and start again, and the rounds without
// faults at the end. Links are in world_links.cpp, faults in world_faults.cpp.
#include "sim/world.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "sim/node.h"

namespace parley::sim {
namespace {

constexpr Time kBetweenSessions = 16'000;  ///< on average, in the whole group
constexpr Time kBetweenTicks = 32'000;
constexpr Time kIdleLink = 3000;  ///< a link that nobody needs is given up after
constexpr Time kTail = 60'000;    ///< after the last session and fault, before faults end
constexpr int kTries = 6;         ///< to ask, while one of the two is not there
constexpr int kRounds = 5;        ///< log.md 9.3, I8
constexpr std::uint64_t kMostEventsInARound = 400'000;

}  // namespace

std::uint64_t Report::fault_count() const {
  std::uint64_t sum = 0;
  for (const auto& [kind, count] : faults) sum += count;
  return sum;
}

std::uint64_t Report::severe_count() const {
  std::uint64_t sum = 0;
  for (const auto& [kind, count] : faults) sum += is_severe(kind) ? count : 0;
  return sum;
}

std::uint64_t Report::session_count() const {
  std::uint64_t sum = 0;
  for (const auto& [state, count] : sessions) sum += count;
  return sum;
}

Time duration_of(const Plan& plan) {
  return static_cast<Time>(std::max<std::size_t>(plan.sessions, 1)) * kBetweenSessions;
}

FaultSource source_of(const Plan& plan) {
  return {.seed = plan.seed,
          .nodes = plan.nodes,
          .sessions = plan.sessions,
          .count = plan.faults,
          .rotations = plan.rotations,
          .duration = duration_of(plan)};
}

World::World(const Plan& plan) : plan_(plan), dice_(plan.seed, "world") {
  const std::size_t count = plan.nodes;
  duration_ = duration_of(plan);
  for (std::size_t i = 0; i < count; ++i) members_.emplace_back(fmt::format("m{:02}", i));
  for (const Member& member : members_) {
    keys_.push_back(member.keys);
    keys_.back().id = member.in_charter().id;
  }
  links_.resize(count * count);
  clocks_.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    node_dice_.emplace_back(plan.seed, fmt::format("node {}", i));
    for (std::size_t other = 0; other < count; ++other)
      if (other != i) frame_dice(i, other) = Dice(plan.seed, fmt::format("frames {} {}", i, other));
  }
  paused_until_.resize(count);
  const std::size_t least_answers = count - log::log_quorum(count) + 1;
  answers_needed_ = std::min(count - 1, dice_.one_in(2) ? count - 1 : least_answers);
  charter_ = sign_charter(members_, dice_);
  observer_ = std::make_unique<Observer>(*this);
  participants_.resize(count);
  nodes_.resize(count);
  processes_.resize(count);
}

World::~World() = default;

std::size_t World::position_of(std::string_view nick) const {
  return static_cast<std::size_t>(std::ranges::find(keys_, nick, &log::MemberKeys::nick) - keys_.begin());
}

std::int64_t World::clock_of(std::size_t i) const {
  const Clock& clock = clocks_[i];
  const std::int64_t drift = (now_ - clock.since) * clock.drift_thousandths / 1000;
  return kEpoch + clock.jump_s + (now_ + drift) / 1000;
}

void World::trace(std::string_view what, ByteView bytes) {
  const std::string line = fmt::format("{:>9} {}{}{}", now_, what, bytes.empty() ? "" : " ",
                                       bytes.empty() ? "" : to_hex(crypto::sha256(bytes)).substr(0, 16));
  trace_.update(as_bytes(line));
  if (plan_.traces) report_.lines.push_back(line);
}

void World::after(Time wait, std::function<void()> what) {
  events_.push({now_ + wait, planned_++, std::move(what)});
}

// --- processes ------------------------------------------------------------------------------------------------------

void World::died(std::size_t i) {
  if (!participants_[i]->runs()) return;
  trace(fmt::format("died {}", i));
  processes_[i]->crash();
  for (std::size_t peer = 0; peer < count(); ++peer)
    if (is_linked(i, peer)) disconnect(i, peer);
  restart_later(i);
}

void World::restart_later(std::size_t i) {
  if (!restarting_.insert(i).second) return;
  after(calm_ ? 10 : node_dice_[i].between(200, 10'000), [this, i] {
    restarting_.erase(i);
    restart(i);
  });
}

void World::restart(std::size_t i) {
  if (processes_[i]->runs()) return;
  ++report_.restarts;
  const bool started = processes_[i]->start();
  trace(fmt::format("start {} {}", i, started));
  if (!started && !calm_) restart_later(i);
  // Before it writes, a member hears from others.
  for (std::size_t peer = 0; peer < count() && started && !calm_; ++peer)
    if (peer != i) connect(i, peer);
}

/// Who has nothing to say to a peer closes the link; now and then everybody looks up somebody.
void World::gossip(std::size_t i) {
  if (participants_[i]->runs() && paused_until_[i] <= now_) {
    const std::size_t peer = (i + 1 + node_dice_[i].below(count() - 1)) % count();
    if (!is_linked(i, peer)) connect(i, peer);
    for (std::size_t other = 0; other < count(); ++other)
      if (other != peer && is_linked(i, other) && !participants_[i]->needs(other) && !participants_[other]->needs(i))
        after(kIdleLink, [this, i, other, epoch = link(i, other).epoch] {
          if (link(i, other).epoch == epoch && !participants_[i]->needs(other) && !participants_[other]->needs(i))
            disconnect(i, other);
        });
    participants_[i]->tick();
  }
  if (!calm_) after(node_dice_[i].between(kBetweenTicks / 2, kBetweenTicks * 3 / 2), [this, i] { gossip(i); });
}

// --- the run -------------------------------------------------------------------------------------------------------

void World::plan_workload() {
  for (const PlannedSession& one : draw_sessions(source_of(plan_)))
    after(one.at, [this, one] { ask(one.asker, one.responder, kTries); });
  for (std::size_t i = 0; i < count(); ++i) after(dice_.between(0, kBetweenTicks), [this, i] { gossip(i); });
}

void World::ask(std::size_t asker, std::size_t responder, int tries) {
  const bool can = paused_until_[asker] <= now_ && paused_until_[responder] <= now_ && participants_[asker]->runs() &&
                   participants_[responder]->runs();
  if (can || tries == 0) return participants_[asker]->ask(responder);
  after(node_dice_[asker].between(1000, 5000), [this, asker, responder, tries] { ask(asker, responder, tries - 1); });
}

void World::run_until(Time end) {
  while (!events_.empty() && events_.top().at <= end && !failed()) {
    Event event = events_.top();
    events_.pop();
    now_ = event.at;
    ++report_.events;
    event.what();
  }
  now_ = std::max(now_, end);
}

/// Until nothing is on the way any more.
void World::run_dry() {
  for (std::uint64_t i = 0; !events_.empty() && !failed(); ++i) {
    if (i > kMostEventsInARound) {
      report_.violation = Violation{"I8", "The members never come to rest.", now_};
      return;
    }
    run_until(events_.top().at);
  }
}

void World::become_calm() {
  calm_ = true;
  on_next_frame_.clear();
  for (Link& link : links_) link.cut_until[0] = link.cut_until[1] = 0;
  std::ranges::fill(paused_until_, 0);
  for (std::size_t i = 0; i < count(); ++i) {
    if (nodes_[i] == nullptr) continue;
    nodes_[i]->disk().heal();
    nodes_[i]->guard().heal();
    nodes_[i]->set_paused(false);
  }
  lost_disks_.clear();
  run_dry();
}

/// Everybody talks to everybody until nothing is left to say.
void World::round(int number) {
  for (std::size_t i = 0; i < count(); ++i)
    if (nodes_[i] != nullptr && !nodes_[i]->runs()) restart(i);
  for (std::size_t a = 0; a < count(); ++a)
    for (std::size_t b = a + 1; b < count(); ++b) disconnect(a, b);
  run_dry();
  for (std::size_t a = 0; a < count(); ++a)
    for (std::size_t b = a + 1; b < count(); ++b) connect(a, b);
  run_dry();
  // A row that was read wrongly once is no row that is wrong: who waits for a copy that nobody has looks again.
  for (Node* node : nodes_)
    if (number == 1 && node != nullptr && node->runs() && node->replica().damaged(nick(node->self())))
      died(node->self());
  run_dry();
  // What a member had signed and nobody has seen went with its disk. With everybody asked, an operator says so.
  if (number != 2) return;
  for (Node* node : nodes_) {
    if (node != nullptr && node->runs() && !node->is_live()) node->operator_accepts_risk();
    if (node != nullptr) node->operator_replaces_lost_keys();
  }
  run_dry();
}

void World::come_to_rest() {
  become_calm();
  for (int number = 0; number < kRounds && !failed(); ++number) round(number);
  if (!failed()) observer_->at_rest();
}

Report World::run() {
  plan_faults();
  for (std::size_t i = 0; i < count(); ++i) {
    if (participants_[i]) continue;
    auto node = std::make_unique<Node>(*this, i);
    nodes_[i] = processes_[i] = node.get();
    participants_[i] = std::move(node);
  }
  for (Node* process : processes_)
    if (process != nullptr) (void)process->start();
  for (std::size_t a = 0; a < count(); ++a)
    for (std::size_t b = a + 1; b < count(); ++b) connect(a, b);
  plan_workload();
  run_until(2000 + duration_ + kTail);
  if (!failed()) come_to_rest();
  report_.duration = now_;
  if (report_.violation) trace(fmt::format("violated {}: {}", report_.violation->invariant, report_.violation->what));
  report_.trace = trace_.finish();
  return std::move(report_);
}

}  // namespace parley::sim
