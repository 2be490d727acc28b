// What goes wrong in a world, and where it may: faults as they fall due, and the members that lie.
#include <fmt/format.h>

#include <algorithm>

#include "sim/byzantine.h"
#include "sim/node.h"
#include "sim/world.h"

namespace parley::sim {
namespace {

constexpr int kTriesToRotate = 6;
/// Whoever looks after a machine is told that its clock is wrong (group::clock_warning), and sets it right so late.
constexpr Time kClockIsSetRight = 2000;

}  // namespace

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
      jump_clock(fault.node, fault.amount);
      after(kClockIsSetRight, [this, fault] { jump_clock(fault.node, -fault.amount); });
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

void World::jump_clock(std::size_t node, std::int64_t seconds) {
  clocks_[node].jump_s += seconds;
  observer_->clock_jumped(node, seconds);
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
    case FaultKind::rotate_key:
      rotate_key(fault, kTriesToRotate);
      return false;  // it is counted when it is done
    default:
      return false;
  }
}

/// Whoever cannot yet is tried again by its operator.
void World::rotate_key(const Fault& fault, int tries) {
  if (calm_) return;
  if (nodes_[fault.node]->operator_rotates(replacement_of(fault))) return count_fault(fault.kind);
  if (tries > 0)
    after(node_dice_[fault.node].between(1000, 5000), [this, fault, tries] { rotate_key(fault, tries - 1); });
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

}  // namespace parley::sim
