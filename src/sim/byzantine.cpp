#include "sim/byzantine.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/random.h"
#include "base/text.h"
#include "log/fault.h"
#include "sim/world.h"

namespace parley::sim {
namespace {

constexpr std::size_t kMostHeard = 200;
constexpr std::size_t kMostNotes = 40;  ///< of one log
constexpr std::size_t kMostEntries = 60;

std::string a_session() {
  return to_hex(random_bytes<16>());
}

}  // namespace

Byzantine::Byzantine(World& world, const Fault& fault)
    : world_(world),
      fault_(fault),
      dice_(world.plan().seed, "liar" + std::to_string(fault.node)),
      favoured_(dice_.next()),
      branch_(world.member(fault.node)),
      other_(branch_) {
  write(log::kLogOpen);
}

bool Byzantine::due() const {
  return world_.now() >= fault_.at;
}

const Branch& Byzantine::branch_for(std::size_t peer) const {
  return is_favoured(peer) ? branch_ : other_;
}

/// The same into both branches, as long as there is one history only.
void Byzantine::write(std::string_view type, std::string session) {
  const std::int64_t now = world_.clock_of(fault_.node);
  branch_.append(branch_.next(type, now, session));
  if (!done_ || fault_.kind != FaultKind::fork_owner) {
    other_ = branch_;
    return;
  }
  // Two that differ in nothing but what they are.
  other_.append(other_.next(type == log::kHeads ? log::kCanarySet : type, now, std::move(session)));
}

// --- links ---------------------------------------------------------------------------------------------------------

void Byzantine::link_up(std::size_t peer) {
  linked_.insert(peer);
  shown_[peer] = 0;
  send_heads(peer, true);
}

void Byzantine::send(std::size_t peer, const mirror::Content& content) {
  auto message = mirror::write_message(kGroup, content);
  if (message)
    world_.send(fault_.node, peer, {.type = FrameType::log, .message = std::move(*message), .step = {}, .session = {}});
}

void Byzantine::send_heads(std::size_t peer, bool answer) {
  mirror::Heads heads{{}, answer};
  const Branch& branch = branch_for(peer);
  if (branch.size() > 0) heads.logs.push_back({world_.nick(fault_.node), branch.checkpoint(branch.size())});
  // Of the others it says what it likes: something that they signed once, or nothing.
  for (const auto& [nick, notes] : notes_)
    if (!notes.empty() && !dice_.one_in(3)) heads.logs.push_back({nick, notes[dice_.below(notes.size())]});
  std::ranges::sort(heads.logs, {}, &mirror::Heads::Log::nick);
  send(peer, heads);
}

void Byzantine::receive(std::size_t peer, const Frame& frame) {
  if (frame.type != FrameType::log) return;
  if (heard_.size() < kMostHeard) heard_.push_back(frame.message);
  const auto content = mirror::parse_message(kGroup, frame.message);
  if (!content) return;
  const auto keep = [&](const std::string& nick, const std::string& note) {
    auto& notes = notes_[nick];
    // What was corrupted on the way is no text that could stand in a fault.
    if (nick != world_.nick(fault_.node) && notes.size() < kMostNotes && is_valid_utf8(note)) notes.push_back(note);
  };
  if (const auto* push = std::get_if<mirror::Push>(&*content)) keep(push->log, push->checkpoint);
  if (const auto* heads = std::get_if<mirror::Heads>(&*content)) {
    shown_[peer] = 0;
    for (const mirror::Heads::Log& log : heads->logs) keep(log.nick, log.checkpoint);
    if (heads->answer) send_heads(peer, false);
  }
  show(peer);
}

/// Sends what a peer has not been shown of the log.
void Byzantine::show(std::size_t peer) {
  if (fault_.kind == FaultKind::selective_sender && due() && !is_favoured(peer)) return;
  const Branch& branch = branch_for(peer);
  std::uint64_t& shown = shown_[peer];
  if (shown >= branch.size()) return;
  mirror::Push push = branch.push(world_.nick(peer), shown, branch.size());
  if (fault_.kind == FaultKind::selective_sender && due() && dice_.one_in(2)) push.bodies.clear();
  if (fault_.kind == FaultKind::bad_body && due() && !push.bodies.empty())
    push.bodies[dice_.below(push.bodies.size())].body.text = "{\"v\":2}";
  shown = branch.size();
  send(peer, push);
}

// --- what it does --------------------------------------------------------------------------------------------------

void Byzantine::tick() {
  if (world_.is_calm()) return;
  if (due() && !done_) misdeed();
  if (branch_.size() < kMostEntries && dice_.one_in(3) &&
      (fault_.kind != FaultKind::sealed_extender || !done_ || dice_.one_in(2)))
    write(log::kHeads);
  const std::vector<std::size_t> peers(linked_.begin(), linked_.end());
  for (const std::size_t peer : peers) {
    show(peer);
    if (fault_.kind == FaultKind::replayer && due()) world_.misdeed(fault_.kind), replay(peer);
    if (fault_.kind == FaultKind::garbler && due()) world_.misdeed(fault_.kind), garble(peer);
  }
  if (fault_.kind == FaultKind::framer && due()) world_.misdeed(fault_.kind), frame_others();
}

void Byzantine::misdeed() {
  const std::int64_t now = world_.clock_of(fault_.node);
  switch (fault_.kind) {
    case FaultKind::rewriter: {
      // Another entry where one was, and on from there.
      Branch again(world_.member(fault_.node));
      again.append(branch_.entry(0));
      for (std::size_t i = 1; i < std::max<std::size_t>(branch_.size(), 2); ++i)
        again.append(again.next(log::kCanarySet, now));
      write(log::kHeads);
      for (const std::size_t peer : linked_) show(peer);
      branch_ = other_ = again;
      for (const std::size_t peer : linked_) shown_[peer] = 0;
      break;
    }
    case FaultKind::double_stepper:
      double_step();
      break;
    case FaultKind::sealed_extender:
      write(log::kLogSeal);
      for (const std::size_t peer : linked_) show(peer);
      write(log::kHeads);
      break;
    case FaultKind::antedater: {
      write(log::kHeads);
      log::Entry early = branch_.next(log::kHeads, now);
      early.time -= 100'000;
      branch_.append(early);
      other_ = branch_;
      break;
    }
    default:
      break;
  }
  done_ = true;
  world_.misdeed(fault_.kind);
  if (fault_.kind == FaultKind::fork_owner) write(log::kHeads);
}

void Byzantine::double_step() {
  const std::string session = a_session();
  write(log::kSessionCommit, session);
  if (dice_.one_in(2)) write(log::kHeads);
  write(log::kSessionCommit, session);
}

/// Fault entries that prove nothing, made of what the accused did sign: for this group, and for another.
void Byzantine::frame_others() {
  if (branch_.size() >= kMostEntries) return;
  const std::size_t victim = (fault_.node + 1 + dice_.below(world_.count() - 1)) % world_.count();
  const Member elsewhere = world_.member(victim).in_group("parley.example/g/0ther000/m/");
  Branch foreign(elsewhere);
  const std::int64_t now = world_.clock_of(fault_.node);
  for (int i = 0; i < 3; ++i) foreign.append(foreign.next(i == 0 ? log::kLogOpen : log::kHeads, now));
  std::vector<std::string> notes = notes_[world_.nick(victim)];
  notes.push_back(foreign.checkpoint(1 + dice_.below(3)));
  const auto any_note = [&] { return notes[dice_.below(notes.size())]; };
  log::Fault fault;
  fault.accused = world_.nick(victim);
  switch (dice_.below(4)) {
    case 0:
      fault.kind = log::FaultKind::fork_roots;
      fault.checkpoints = {any_note(), any_note()};
      break;
    case 1:
      fault.kind = log::FaultKind::fork_prefix;
      fault.checkpoints = {any_note(), any_note()};
      fault.prefix = {random_bytes<32>()};
      break;
    case 2:
      fault.kind = log::FaultKind::rewritten_entry;
      fault.entries = {foreign.leaf(1), foreign.leaf(2)};
      break;
    default:
      fault.kind = log::FaultKind::sealed_extended;
      fault.entries = {foreign.leaf(2), foreign.leaf(1)};
  }
  branch_.append(branch_.next(log::kFault, now),
                 log::Json::Object{{"accused", fault.accused}, {"fault", log::write_fault(fault)}, {"v", 1}});
  other_ = branch_;
  for (const std::size_t peer : linked_) send(peer, mirror::Cosig{fault.accused, any_note()});
}

void Byzantine::replay(std::size_t peer) {
  if (heard_.empty()) return;
  const mirror::Message& message = heard_[dice_.below(heard_.size())];
  world_.send(fault_.node, peer, {.type = FrameType::log, .message = message, .step = {}, .session = {}});
}

void Byzantine::garble(std::size_t peer) {
  mirror::Message message{static_cast<mirror::MessageType>(3 + dice_.below(6)), {}};
  if (!heard_.empty() && dice_.one_in(2)) {
    message = heard_[dice_.below(heard_.size())];
    for (std::size_t i = 1 + dice_.below(8); i > 0 && !message.payload.empty(); --i)
      message.payload[dice_.below(message.payload.size())] = static_cast<std::byte>(dice_.below(256));
  } else {
    message.payload.resize(dice_.below(300));
    for (std::byte& byte : message.payload) byte = static_cast<std::byte>(dice_.below(256));
  }
  world_.send(fault_.node, peer, {.type = FrameType::log, .message = std::move(message), .step = {}, .session = {}});
}

}  // namespace parley::sim
