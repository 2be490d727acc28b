// The links between members: frames that travel, in the order that TLS keeps or are lost, and connections that end.
#include <fmt/format.h>

#include <algorithm>

#include "sim/node.h"
#include "sim/world.h"

namespace parley::sim {
namespace {

constexpr Time kLeastLatency = 2;
constexpr Time kMostLatency = 60;
constexpr Time kNoticed = 8000;  ///< a lost frame ends its link within

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

}  // namespace parley::sim
