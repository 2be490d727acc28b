#include "sim/node.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"
#include "sim/session_liar.h"
#include "sim/world.h"

namespace parley::sim {

using mirror::Replica;

namespace {

constexpr std::string_view kRotatedSeeds = "rotated";

Deadline moment(const World& world) {
  return Deadline(std::chrono::milliseconds(world.now()));
}

}  // namespace

Node::Node(World& world, std::size_t self, std::optional<Fault> role)
    : world_(world), self_(self), role_(role), disk_(world.plan().flaw), guard_(disk_, world.plan().flaw) {}

Node::~Node() = default;

Status Node::save(const std::function<void()>& rows) {
  Status saved = disk_.commit({}, [&]() -> Status {
    rows();
    return {};
  });
  if (!saved) must_end_ = true;
  return saved;
}

// --- the process ---------------------------------------------------------------------------------------------------

bool Node::start() {
  guard_.process_starts();
  mirror::GroupView group{.id = std::string(kGroup),
                          .members = world_.keys(),
                          .self = self_,
                          .charter = world_.charter().hash,
                          .answers_needed = world_.answers_needed()};
  if (world_.plan().flaw == Flaw::goes_on_with_replaced_keys && !rotated_seeds().empty())
    group.members[self_].id = {};  // without it no rotation is taken
  std::optional<mirror::OwnSeeds> seeds = world_.member(self_).seeds();
  seeds->rotated = rotated_seeds();
  auto opened = Replica::open(std::move(group), seeds, disk_, guard_);
  refusal_ = opened ? std::string() : opened.error().text();
  if (!opened) return false;
  replica_ = std::move(*opened);
  ++incarnation_;
  clocks_.emplace(world_.charter().charter.clock_skew_seconds);
  must_end_ = dies_before_sending_ = false;
  sessions_ = role_ ? std::make_unique<SessionLiar>(*this, *role_) : std::make_unique<Sessions>(*this);
  world_.observer().started(self_);
  act([&] {
    if (world_.plan().flaw == Flaw::never_asks_peers) (void)replica_->accept_fork_risk();
    // What a person runs when a disk is suspected (parley fsck).
    if (may_have_rotted) may_have_rotted = !is_sound();
    report_what_was_not();
    sessions_->process_started();
  });
  return runs();
}

UnixSeconds Node::time() {
  return clocks_->bounded(world_.clock_of(self_), moment(world_));
}

group::Membership Node::membership() const {
  group::LocalPolicy policy = policy_;
  if (world_.plan().flaw == Flaw::goes_on_while_paused) policy.paused = false;
  return group::Membership({.id = std::string(kGroup),
                            .name = "simulated",
                            .state = std::string(group::kActive),
                            .created = kEpoch,
                            .latest = disk_.latest()},
                           {world_.charter()}, {}, std::move(policy), world_.member(self_).in_charter().id);
}

bool Node::is_sound() {
  const auto defects = replica_->fsck();
  return defects && defects->empty();
}

void Node::crash() {
  sessions_.reset();
  replica_.reset();
  heard_.clear();
  waiting_.clear();
  if (disk_.crash(world_.dice(self_))) world_.observer().disk_went_back(self_);
}

void Node::act(const std::function<void()>& what) {
  if (!runs()) return;
  try {
    what();
    (void)flush();
    if (sessions_) sessions_->progress();
    if (replica_->state() == mirror::State::halted) must_end_ = true;
    if (!must_end_)
      for (std::size_t peer = 0; peer < world_.count(); ++peer)
        if (world_.is_linked(self_, peer)) push(peer);
    if (replica_->state() == mirror::State::halted) must_end_ = true;
    if (is_live()) guard_.is_live_again();
    world_.observer().stepped(self_);
    if (!disk_.lies()) disk_.sync();
  } catch (const ProcessDied&) {
    must_end_ = true;
  }
  if (must_end_) world_.died(self_);
}

void Node::operator_accepts_risk() {
  act([&] {
    if (!replica_->accept_fork_risk()) return;
    world_.observer().risk_accepted(self_);
    ++world_.report().risks_accepted;
  });
}

// --- what a node does with its joint log (group/joint_log.cpp) -----------------------------------------------------

Status Node::flush() {
  if (!is_live()) return {};
  const std::int64_t now = time();
  if (replica_->size(world_.nick(self_)) == 0) {
    TRY([[maybe_unused]] const mirror::EntryView opened,
        replica_->append(mirror::draft_for_everyone(log::kLogOpen, log::Json::Object{{"v", 1}}), now));
  }
  for (; !waiting_.empty(); waiting_.pop_front()) {
    const auto written = write(waiting_.front().draft, waiting_.front().work);
    // A step that was taken before the disk went back is in the log already.
    if (!written && written.error().code != Errc::exists) return std::unexpected(written.error());
  }
  return {};
}

Result<mirror::EntryView> Node::write(const mirror::Draft& draft,
                                      const std::function<Status(const mirror::EntryView&)>& work) {
  return traced(draft.type, draft.session, replica_->append(draft, time(), work));
}

Result<mirror::EntryView> Node::traced(std::string_view type, std::string_view session,
                                       Result<mirror::EntryView> written) {
  world_.trace(fmt::format("{} writes {} {}: {}", self_, type, session.substr(0, 8),
                           written ? fmt::format("entry {}", written->entry.seq) : written.error().text()));
  // A disk that fails ends the process (log.md 2.7).
  if (!written && written.error().code == Errc::io) must_end_ = true;
  return written;
}

Result<mirror::EntryView> Node::append(mirror::Draft draft,
                                       const std::function<Status(const mirror::EntryView&)>& work) {
  TRY_STATUS(flush());
  return write(draft, work);
}

/// Of the faults that are proven here, those of which our log does not tell yet.
void Node::report_what_was_not() {
  const std::string& us = world_.nick(self_);
  for (const mirror::Conviction& conviction : replica_->convictions()) {
    bool told = conviction.accused == us || world_.plan().flaw == Flaw::drops_fault_reports;
    for (std::uint64_t seq = replica_->size(us); seq-- > 0 && !told;) {
      const auto entry = replica_->entry(us, seq);
      told = entry && entry->body && *entry->body == Replica::fault_draft(conviction).body;
    }
    if (!told) append_later(Replica::fault_draft(conviction), {});
  }
}

void Node::append_later(mirror::Draft draft, std::function<Status(const mirror::EntryView&)> work) {
  waiting_.push_back({std::move(draft), std::move(work)});
}

void Node::take(std::size_t peer, const mirror::Message& message) {
  auto outcome = replica_->take(world_.nick(peer), message, time());
  if (!outcome) {
    world_.trace("refused: " + outcome.error().text());
    if (outcome.error().code == Errc::io) {
      must_end_ = true;
    } else {
      world_.disconnect(self_, peer);  // as a link that carries what is wrong is closed
    }
    return;
  }
  if (message.type == mirror::MessageType::heads) heard_.insert(peer);
  for (mirror::Message& reply : outcome->replies)
    send(peer, {.type = FrameType::log, .message = std::move(reply), .step = {}, .session = {}});
  for (const mirror::Conviction& conviction : outcome->convictions) {
    world_.trace(fmt::format("{} convicts {}: {}", self_, conviction.accused, conviction.reason));
    world_.observer().convicts(self_, conviction);
    if (world_.plan().flaw != Flaw::drops_fault_reports) append_later(Replica::fault_draft(conviction), {});
  }
}

void Node::send(std::size_t peer, Frame frame) {
  if (!world_.is_linked(self_, peer)) return;
  if (std::exchange(dies_before_sending_, false)) throw ProcessDied{};
  world_.observer().leaves(self_, peer, frame);
  world_.send(self_, peer, std::move(frame));
}

Status Node::read_logs(session::Accounting& accounting) {
  std::vector<session::MemberLog> logs;
  for (const log::MemberKeys& member : world_.keys()) logs.push_back({member.log.name, member.nick});
  return accounting.update(disk_, logs);
}

void Node::push(std::size_t peer) {
  while (world_.is_linked(self_, peer)) {
    auto messages = replica_->to_send(world_.nick(peer));
    if (!messages) {
      if (messages.error().code == Errc::io) must_end_ = true;
      return;
    }
    if (messages->empty()) return;
    for (mirror::Message& message : *messages)
      send(peer, {.type = FrameType::log, .message = std::move(message), .step = {}, .session = {}});
  }
}

// --- keys that are replaced (group/rotation.cpp, cli/group_rotate.cpp) ---------------------------------------------

std::vector<Secret<32>> Node::rotated_seeds() const {
  const std::string stored = disk_.secret(std::string(kRotatedSeeds));
  std::vector<Secret<32>> seeds;
  for (std::size_t at = 0; at + Secret<32>::kSize <= stored.size(); at += Secret<32>::kSize)
    seeds.emplace_back(as_bytes(stored).subspan(at).first<Secret<32>::kSize>());
  return seeds;
}

/// As JointLog::rotate(): what waits may wait for the very key. The new seed is kept behind the others, in one step
/// with the entry that tells of it.
Result<mirror::EntryView> Node::rotate(const Replacement& replacement) {
  if (Status flushed = flush(); !flushed && flushed.error().code != Errc::policy)
    return std::unexpected(std::move(flushed).error());
  const std::int64_t now = time();
  const Secret<32> seed = random_secret<32>();
  const mirror::Work keep = [&](const mirror::EntryView&) -> Status {
    if (world_.plan().flaw == Flaw::keeps_no_new_seed) return {};
    const std::string name(kRotatedSeeds);
    disk_.put_secret(name, disk_.secret(name) + std::string(as_text(seed.expose())));
    return {};
  };
  const bool stolen = replacement.reason == log::RotationReason::stolen;
  return traced(log::kKeyRotate, {},
                replica_->rotate({.role = replacement.role,
                                  .reason = replacement.reason,
                                  .since = stolen ? now - group::kSecondsPerDay : 0,
                                  .seed = seed.clone()},
                                 world_.member(self_).id, now, keep));
}

bool Node::operator_rotates(const Replacement& replacement) {
  if (!is_live()) return false;
  bool rotated = false;
  act([&] {
    auto written = rotate(replacement);
    // As the refusal says: a key that is not here cannot sign, and counts as lost.
    if (!written && written.error().code == Errc::not_found)
      written = rotate({replacement.role, log::RotationReason::lost});
    rotated = written.has_value();
  });
  return rotated;
}

bool Node::lacks_a_key() const {
  return is_live() && !(replica_->has_key(log::KeyRole::node) && replica_->has_key(log::KeyRole::cosign));
}

void Node::operator_replaces_lost_keys() {
  if (!lacks_a_key()) return;
  act([&] {
    for (const log::KeyRole role : {log::KeyRole::node, log::KeyRole::cosign}) {
      if (replica_->has_key(role)) continue;
      world_.observer().has_lost_a_key(self_);
      if (rotate({role, log::RotationReason::lost})) ++world_.report().lost_keys;
    }
  });
}

// --- Participant ---------------------------------------------------------------------------------------------------

void Node::link_up(std::size_t peer) {
  act([&] {
    heard_.erase(peer);
    clocks_->heard(world_.nick(peer), world_.clock_of(peer), moment(world_));
    if (world_.plan().flaw == Flaw::does_not_reconnect && incarnation_ > 1) return;
    replica_->connected(world_.nick(peer));
  });
}

void Node::link_down(std::size_t peer) {
  heard_.erase(peer);
  act([&] { sessions_->link_lost(peer); });
}

void Node::receive(std::size_t peer, const Frame& frame) {
  act([&] {
    if (frame.type == FrameType::log) take(peer, frame.message);
    if (frame.type == FrameType::step) sessions_->take_step(peer, frame.step);
    if (frame.type == FrameType::disclosure) sessions_->take_disclosure(peer, frame.session);
    if (frame.type == FrameType::opening) sessions_->take_opening(peer, frame.session);
  });
}

void Node::ask(std::size_t peer) {
  act([&] { sessions_->ask(peer); });
}

void Node::tick() {
  act([&] {
    if (may_have_rotted) may_have_rotted = !is_sound();
    if (!replica_->flush()) must_end_ = true;
    // As group::end_what_is_over(): a clock that is set back does not bring a time back that was seen.
    const UnixSeconds now = time();
    if (now > disk_.latest()) (void)save([&] { disk_.save_latest(now); });
    sessions_->tick();
    if (!is_live() || !world_.dice(self_).one_in(4)) return;
    (void)append(mirror::draft_for_everyone(log::kHeads, replica_->heads_body()), {});
  });
  if (lacks_a_key() && world_.dice(self_).one_in(2)) operator_replaces_lost_keys();
}

}  // namespace parley::sim
