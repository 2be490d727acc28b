#include "sim/world.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "sim/byzantine.h"
#include "sim/node.h"

namespace parley::sim {
namespace {

constexpr Time kBetweenSessions = 16'000;  ///< on average, in the whole group
constexpr Time kBetweenTicks = 32'000;
constexpr Time kIdleLink = 3000;  ///< a link that nobody needs is given up after
constexpr Time kLeastLatency = 2;
constexpr Time kMostLatency = 60;
constexpr Time kNoticed = 8000;  ///< a lost frame ends its link within
constexpr Time kTail = 60'000;   ///< after the last session and fault, before faults end
constexpr int kTries = 6;        ///< to ask, while one of the two is not there
constexpr int kRounds = 5;       ///< log.md 9.3, I8
constexpr std::uint64_t kMostEventsInARound = 400'000;

std::string_view described(const Frame& frame) {
  if (frame.type == FrameType::step) return "step";
  if (frame.type == FrameType::disclosure) return "disclosure";
  if (frame.type == FrameType::opening) return "opening";
  switch (frame.message.type) {
    case mirror::MessageType::push:
      return "push";
    case mirror::MessageType::proof:
      return "proof";
    case mirror::MessageType::cosig:
      return "cosig";
    case mirror::MessageType::heads:
      return "heads";
    case mirror::MessageType::get:
      return "get";
    case mirror::MessageType::body:
      return "body";
  }
  return "?";
}

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
          .duration = duration_of(plan)};
}

World::World(const Plan& plan) : plan_(plan), dice_(plan.seed, "world") {
  const std::size_t count = plan.nodes;
  duration_ = duration_of(plan);
  for (std::size_t i = 0; i < count; ++i) members_.emplace_back(fmt::format("m{:02}", i));
  for (const Member& member : members_) keys_.push_back(member.keys);
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

// --- links ---------------------------------------------------------------------------------------------------------

bool World::is_linked(std::size_t a, std::size_t b) const {
  return a != b && link(a, b).up;
}

void World::connect(std::size_t a, std::size_t b) {
  after(frame_dice(a, b).between(1, kMostLatency), [this, a, b] {
    if (link(a, b).up || !participants_[a]->runs() || !participants_[b]->runs()) return;
    if (cut_until(a, b) > now_ || cut_until(b, a) > now_ || paused_until_[a] > now_ || paused_until_[b] > now_) return;
    link(a, b).up = true;
    ++link(a, b).epoch;
    for (const std::size_t one_way : {0u, 1u}) {
      link(a, b).last_arrives[one_way] = 0;
      link(a, b).is_stalled[one_way] = false;
    }
    trace(fmt::format("link {} {}", a, b));
    participants_[a]->link_up(b);
    if (is_linked(a, b)) participants_[b]->link_up(a);
  });
}

void World::disconnect(std::size_t a, std::size_t b) {
  after(1, [this, a, b, epoch = link(a, b).epoch] {
    if (!link(a, b).up || link(a, b).epoch != epoch) return;
    link(a, b).up = false;
    trace(fmt::format("unlink {} {}", a, b));
    participants_[a]->link_down(b);
    participants_[b]->link_down(a);
  });
}

/// As a connection over which nothing comes any more: sooner or later both ends notice.
void World::lost_on(std::size_t a, std::size_t b) {
  after(frame_dice(a, b).between(500, kNoticed), [this, a, b, epoch = link(a, b).epoch] {
    if (link(a, b).epoch == epoch) disconnect(a, b);
  });
}

std::optional<Fault> World::fault_for(std::size_t from, const Frame& frame) {
  auto& faults = on_next_frame_[from];
  // TLS delivers once and in order what it delivers at all. Messages of the log are to bear it otherwise all the same.
  const auto can_strike = [&](const Fault& fault) {
    return frame.type == FrameType::log || (fault.kind != FaultKind::duplicate && fault.kind != FaultKind::delay);
  };
  const auto found = std::find_if(faults.rbegin(), faults.rend(), can_strike);
  if (calm_ || found == faults.rend()) return std::nullopt;
  const Fault fault = *found;
  faults.erase(std::next(found).base());
  count_fault(fault.kind);
  trace(fmt::format("{} {}", name_of(fault.kind), from));
  return fault;
}

void World::send(std::size_t from, std::size_t to, Frame frame) {
  if (!is_linked(from, to)) return;
  ++report_.frames;
  Link& between = link(from, to);
  const bool of_log = frame.type == FrameType::log;
  Time wait = frame_dice(from, to).between(kLeastLatency, kMostLatency);
  bool lost = cut_until(from, to) > now_ || (!of_log && between.is_stalled[way(from, to)]);
  int copies = 1;
  if (const auto fault = fault_for(from, frame)) {
    if (fault->kind == FaultKind::lose || (!of_log && fault->kind == FaultKind::corrupt)) lost = true;
    if (fault->kind == FaultKind::duplicate) copies = 2;
    if (fault->kind == FaultKind::delay) wait += fault->amount;
    if (fault->kind == FaultKind::corrupt && !frame.message.payload.empty())
      frame.message.payload[static_cast<std::size_t>(fault->amount) % frame.message.payload.size()] ^=
          static_cast<std::byte>(1 << (fault->amount % 8));
  }
  if (lost) {
    between.is_stalled[way(from, to)] = true;
    return lost_on(from, to);
  }
  if (!of_log) {
    Time& last = between.last_arrives[way(from, to)];
    last = std::max(last + 1, now_ + wait);
    wait = last - now_;
  }
  for (int i = 0; i < copies; ++i)
    after(wait + i * kMostLatency, [this, from, to, epoch = between.epoch, frame] { deliver(from, to, epoch, frame); });
}

void World::deliver(std::size_t from, std::size_t to, std::uint64_t epoch, const Frame& frame) {
  if (!is_linked(from, to) || link(from, to).epoch != epoch) return;
  if (cut_until(from, to) > now_) {
    link(from, to).is_stalled[way(from, to)] = true;
    return lost_on(from, to);
  }
  if (frame.type != FrameType::log && link(from, to).is_stalled[way(from, to)]) return;
  if (paused_until_[to] > now_)
    return after(paused_until_[to] - now_, [this, from, to, epoch, frame] { deliver(from, to, epoch, frame); });
  trace(fmt::format("{} to {} {}", from, to, described(frame)),
        frame.type == FrameType::log ? ByteView(frame.message.payload) : ByteView(frame.step));
  participants_[to]->receive(from, frame);
}

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

// --- what goes wrong -----------------------------------------------------------------------------------------------

void World::plan_faults() {
  const std::vector<Fault> drawn = draw_faults(source_of(plan_));
  std::vector<Fault> faults;
  if (plan_.only) {
    for (const std::size_t position : *plan_.only)
      if (position < drawn.size()) faults.push_back(drawn[position]);
  } else {
    faults = drawn;
  }
  for (const Fault& fault : faults) {
    if (is_role(fault.kind)) {
      if (lies_in_sessions(fault.kind)) {
        auto liar = std::make_unique<Node>(*this, fault.node, fault);
        processes_[fault.node] = liar.get();
        participants_[fault.node] = std::move(liar);
      } else {
        participants_[fault.node] = std::make_unique<Byzantine>(*this, fault);
      }
    } else {
      after(fault.at, [this, fault] { inject(fault); });
    }
  }
}

void World::misdeed(FaultKind role) {
  count_fault(role);
  trace(name_of(role));
}

void World::inject(const Fault& fault) {
  if (calm_) return;
  trace("fault " + fault.text());
  if (inject_into_network(fault)) return;
  Node* node = nodes_[fault.node];
  if (node == nullptr) return;
  if (inject_into_process(*node, fault) || inject_into_disk(*node, fault) || inject_into_person(*node, fault))
    count_fault(fault.kind);
}

bool World::inject_into_network(const Fault& fault) {
  const auto cut = [&](std::size_t from, std::size_t to) {
    cut_until(from, to) = std::max(cut_until(from, to), now_ + fault.amount);
  };
  switch (fault.kind) {
    case FaultKind::lose:
    case FaultKind::duplicate:
    case FaultKind::delay:
    case FaultKind::corrupt:
      on_next_frame_[fault.node].push_back(fault);
      return true;
    case FaultKind::break_link:
      if (is_linked(fault.node, fault.other)) count_fault(fault.kind), disconnect(fault.node, fault.other);
      return true;
    case FaultKind::cut:
      cut(fault.other, fault.node);
      [[fallthrough]];
    case FaultKind::cut_one_way:
      cut(fault.node, fault.other);
      count_fault(fault.kind);
      return true;
    case FaultKind::isolate:
      for (std::size_t other = 0; other < count(); ++other)
        if (other != fault.node) cut(fault.node, other), cut(other, fault.node);
      count_fault(fault.kind);
      return true;
    case FaultKind::pause:
      paused_until_[fault.node] = now_ + fault.amount;
      count_fault(fault.kind);
      return true;
    case FaultKind::clock_jump:
      clocks_[fault.node].jump_s += fault.amount;
      observer_->clock_jumped(fault.node, fault.amount);
      count_fault(fault.kind);
      return true;
    case FaultKind::clock_drift:
      clocks_[fault.node].since = now_;
      clocks_[fault.node].drift_thousandths = fault.amount;
      count_fault(fault.kind);
      return true;
    default:
      return false;
  }
}

bool World::inject_into_process(Node& node, const Fault& fault) {
  if (!node.runs()) return false;
  switch (fault.kind) {
    case FaultKind::kill:
      died(fault.node);
      return true;
    case FaultKind::kill_before_commit:
      node.disk().set_trap(Disk::Trap::die_before);
      return true;
    case FaultKind::kill_in_commit:
      node.disk().set_trap(Disk::Trap::die_in);
      return true;
    case FaultKind::kill_after_commit:
      node.disk().set_trap(Disk::Trap::die_after);
      return true;
    case FaultKind::kill_before_guard:
      node.guard().set_trap(SimulatedGuard::Trap::die_before);
      return true;
    case FaultKind::kill_after_guard:
      node.guard().set_trap(SimulatedGuard::Trap::die_after);
      return true;
    case FaultKind::guard_error:
      node.guard().set_trap(SimulatedGuard::Trap::error);
      return true;
    case FaultKind::kill_before_send:
      node.arm_kill_before_send();
      return true;
    case FaultKind::commit_error:
      node.disk().set_trap(Disk::Trap::error);
      return true;
    case FaultKind::commit_error_written:
      node.disk().set_trap(Disk::Trap::error_written);
      return true;
    case FaultKind::read_error:
      node.disk().fail_next_read();
      return true;
    case FaultKind::misdirected_read:
      node.disk().misdirect_next_read(static_cast<std::uint64_t>(fault.amount));
      return true;
    default:
      return false;
  }
}

/// Of a row of which nobody has another copy nothing can be asked.
bool World::rot(Node& node) {
  if (!others_are_whole(node.self()) || !observer_->is_held_elsewhere(node.self())) return false;
  return node.disk().rot(node_dice_[node.self()], [&](std::string_view origin, std::uint64_t size) {
    return std::ranges::any_of(nodes_, [&](const Node* other) {
      return other != nullptr && other != &node && other->disk().rows(origin).checkpoints.contains(size);
    });
  });
}

bool World::inject_into_disk(Node& node, const Fault& fault) {
  switch (fault.kind) {
    case FaultKind::commit_error_stays:
    case FaultKind::no_space:
      node.disk().set_failing(true, false);
      after(fault.amount, [this, &node, i = fault.node] {
        if (!lost_disks_.contains(i)) node.disk().set_failing(false, false);
      });
      return true;
    case FaultKind::no_space_for_ever:
    case FaultKind::dead_disk:
      lost_disks_.insert(fault.node);
      node.disk().set_failing(true, fault.kind == FaultKind::dead_disk);
      return true;
    case FaultKind::sync_lie:
      // Another lie would hide when this one ends.
      if (node.disk().lies() || !others_are_whole(fault.node)) return false;
      node.disk().set_lying(true);
      after(fault.amount, [this, &node, i = fault.node] {
        if (!node.disk().lies()) return;
        died(i);  // the power fails
        node.disk().set_lying(false);
      });
      return true;
    case FaultKind::rot:
      if (!rot(node)) return false;
      node.may_have_rotted = true;
      died(fault.node);
      return true;
    case FaultKind::roll_back_store:
    case FaultKind::roll_back_guard:
    case FaultKind::roll_back_both:
      return roll_back(node, fault);
    default:
      return false;
  }
}

bool World::inject_into_person(Node& node, const Fault& fault) {
  switch (fault.kind) {
    case FaultKind::operator_stops:
      return node.operator_stops();
    case FaultKind::operator_pauses:
      if (node.is_paused()) return false;
      node.set_paused(true);
      after(fault.amount, [&node] { node.set_paused(false); });
      return true;
    default:
      return false;
  }
}

/// Two disks that lose something at once may lose the only two copies, and nothing can be asked of the members then.
bool World::others_are_whole(std::size_t i) const {
  for (std::size_t other = 0; other < count(); ++other) {
    const Node* node = nodes_[other];
    if (node == nullptr || other == i) continue;
    if (node->may_have_rotted || node->disk().lies() || (node->guard().has_gone_back() && !node->is_live()))
      return false;
  }
  return true;
}

/// Disk and guard are both behind what was let out only where the design promises that it is noticed (log.md D10):
/// where whoever is asked knows better.
bool World::roll_back(Node& node, const Fault& fault) {
  if (node.may_have_rotted || node.disk().lies() || !others_are_whole(fault.node)) return false;
  const bool store = fault.kind != FaultKind::roll_back_guard;
  const bool guard = fault.kind != FaultKind::roll_back_store;
  const std::uint64_t let_out = observer_->let_out(fault.node);
  const bool store_stays = !store && node.disk().rows(keys_[fault.node].log.name).leaves.size() >= let_out;
  const bool guard_stays = !guard && node.guard().head().size >= let_out;
  if (!store_stays && !guard_stays && !observer_->is_protected(fault.node)) return false;
  died(fault.node);
  const auto commits = node.disk().commits() * static_cast<std::size_t>(fault.amount) / 100;
  if (store) {
    node.disk().roll_back(commits);
    observer_->disk_went_back(fault.node);
  }
  if (guard) node.guard().roll_back(commits);
  return true;
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
  for (Node* node : nodes_)
    if (node != nullptr && node->runs() && !node->is_live()) node->operator_accepts_risk();
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
