#include "sim/fault.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "log/quorum.h"
#include "sim/dice.h"

namespace parley::sim {
namespace {

struct Described {
  std::string_view name;
  FaultClass its_class{};
  unsigned weight = 0;  ///< how often it is drawn, against the others
};

// In the order of FaultKind. Roles are drawn apart.
using enum FaultClass;
constexpr std::array<Described, kFaultKinds> kKinds = {{
    {"lose", message, 10},
    {"duplicate", message, 36},
    {"delay", message, 36},
    {"corrupt", message, 8},
    {"break-link", link, 10},
    {"cut", partition, 10},
    {"cut-one-way", partition, 10},
    {"isolate", partition, 6},
    {"pause", link, 6},
    {"clock-jump", clock, 26},
    {"clock-drift", clock, 6},
    {"kill", process, 18},
    {"kill-before-commit", process, 8},
    {"kill-in-commit", process, 10},
    {"kill-after-commit", process, 8},
    {"kill-before-guard", process, 8},
    {"kill-after-guard", process, 8},
    {"kill-before-send", process, 8},
    {"commit-error", disk, 4},
    {"commit-error-written", disk, 4},
    {"commit-error-stays", disk, 2},
    {"no-space", disk, 3},
    {"no-space-for-ever", disk, 0},
    {"dead-disk", disk, 0},
    {"read-error", disk, 6},
    {"misdirected-read", disk, 8},
    {"guard-error", disk, 4},
    {"sync-lie", disk, 2},
    {"rot", disk, 8},
    {"roll-back-store", disk, 1},
    {"roll-back-guard", disk, 3},
    {"roll-back-both", disk, 1},
    {"operator-stops", person, 3},
    {"operator-pauses", person, 3},
    {"rotate-key", person, 0},  // drawn apart
    {"fork-owner", member},
    {"rewriter", member},
    {"double-stepper", member},
    {"sealed-extender", member},
    {"antedater", member},
    {"selective-sender", member},
    {"replayer", member},
    {"framer", member},
    {"bad-body", member},
    {"garbler", member},
    {"aborter", member},
    {"step-shuffler", member},
    {"step-replayer", member},
    {"enumerator", member},
    {"size-changer", member},
    {"result-forger", member},
    {"close-withholder", member},
    {"staller", member},
}};

constexpr FaultKind kFirstRole = FaultKind::fork_owner;
constexpr FaultKind kFirstSessionRole = FaultKind::aborter;
constexpr std::int64_t kDay = 24 * 3600;
constexpr std::int64_t kTenYears = 10 * 365 * kDay;  // log.md 9.3
constexpr std::size_t kDiskDies = 6;                 ///< in one of so many runs a disk fails for good
constexpr Time kSessionTakes = 2500;
constexpr std::array kRotatedRoles = {log::KeyRole::node, log::KeyRole::cosign};
constexpr std::array kReasons = {log::RotationReason::lost, log::RotationReason::stolen, log::RotationReason::staff,
                                 log::RotationReason::routine};

/// As often in the log as in sessions.
FaultKind draw_role(Dice& dice) {
  const auto first = static_cast<std::size_t>(kFirstRole), session = static_cast<std::size_t>(kFirstSessionRole);
  return static_cast<FaultKind>(dice.one_in(2) ? first + dice.below(session - first)
                                               : session + dice.below(kFaultKinds - session));
}

std::int64_t draw_jump(Dice& dice) {
  // One that ends the operation for a member is worth few of the sessions that it prevents.
  if (dice.one_in(30)) return dice.between(-kTenYears, kTenYears);
  return dice.one_in(2) ? dice.between(-7200, 7200) : dice.between(-40 * kDay, 40 * kDay);
}

FaultKind draw_kind(Dice& dice) {
  static constexpr unsigned kAll = [] {
    unsigned sum = 0;
    for (const Described& kind : kKinds) sum += kind.weight;
    return sum;
  }();
  auto ticket = static_cast<unsigned>(dice.below(kAll));
  std::size_t kind = 0;
  for (; ticket >= kKinds[kind].weight; ++kind) ticket -= kKinds[kind].weight;
  return static_cast<FaultKind>(kind);
}

std::int64_t draw_amount(FaultKind kind, Dice& dice) {
  switch (kind) {
    case FaultKind::delay:
      return dice.between(1, 4000);
    case FaultKind::clock_jump:
      return draw_jump(dice);
    case FaultKind::clock_drift:
      return dice.between(-500, 500);
    case FaultKind::roll_back_store:
    case FaultKind::roll_back_guard:
    case FaultKind::roll_back_both:
      return dice.between(0, 99);
    case FaultKind::rotate_key:
      return dice.between(0, static_cast<std::int64_t>(kRotatedRoles.size() * kReasons.size()) - 1);
    default:
      return dice.between(100, 12'000);
  }
}

/// A third of them where it hurts: at the ends of a session, while it is held.
Fault draw_fault(FaultKind kind, const FaultSource& source, std::span<const PlannedSession> sessions, Dice& dice) {
  Fault fault{.kind = kind};
  fault.at = dice.between(0, source.duration);
  fault.node = dice.below(source.nodes);
  fault.other = (fault.node + 1 + dice.below(source.nodes - 1)) % source.nodes;
  fault.amount = draw_amount(fault.kind, dice);
  if (sessions.empty() || !dice.one_in(3)) return fault;
  const PlannedSession& hurt = sessions[dice.below(sessions.size())];
  fault.at = hurt.at + dice.between(0, kSessionTakes);
  fault.node = hurt.asker;
  fault.other = hurt.responder;
  if (dice.one_in(2)) std::swap(fault.node, fault.other);
  return fault;
}

}  // namespace

std::string_view name_of(FaultKind kind) {
  return kKinds[static_cast<std::size_t>(kind)].name;
}

std::string_view name_of(FaultClass one) {
  constexpr std::array<std::string_view, 8> kNames = {"message", "link", "partition", "clock",
                                                      "process", "disk", "person",    "member"};
  return kNames[static_cast<std::size_t>(one)];
}

FaultClass class_of(FaultKind kind) {
  return kKinds[static_cast<std::size_t>(kind)].its_class;
}

bool is_severe(FaultKind kind) {
  const FaultClass its_class = class_of(kind);
  return its_class != message && its_class != FaultClass::link && its_class != person && kind != FaultKind::clock_drift;
}

bool lies_in_sessions(FaultKind kind) {
  return kind >= kFirstSessionRole;
}

bool is_role(FaultKind kind) {
  return kind >= kFirstRole;
}

bool is_provable(FaultKind kind) {
  return kind >= FaultKind::fork_owner && kind <= FaultKind::antedater;
}

Replacement replacement_of(const Fault& fault) {
  const auto drawn = static_cast<std::size_t>(fault.amount);
  return {kRotatedRoles[drawn % kRotatedRoles.size()], kReasons[drawn / kRotatedRoles.size() % kReasons.size()]};
}

std::string Fault::text() const {
  if (kind == FaultKind::rotate_key)
    return fmt::format("{:>8.3f} s  {} of {} ({}, {})", static_cast<double>(at) / 1000, name_of(kind), node,
                       log::name_of(replacement_of(*this).role), log::name_of(replacement_of(*this).reason));
  return fmt::format("{:>8.3f} s  {} of {} (towards {}, {})", static_cast<double>(at) / 1000, name_of(kind), node,
                     other, amount);
}

std::vector<PlannedSession> draw_sessions(const FaultSource& source) {
  Dice dice(source.seed, "sessions");
  std::vector<PlannedSession> sessions(source.sessions);
  for (PlannedSession& one : sessions) {
    one.asker = dice.below(source.nodes);
    one.responder = (one.asker + 1 + dice.below(source.nodes - 1)) % source.nodes;
    one.at = dice.between(2000, 2000 + source.duration);
  }
  return sessions;
}

std::vector<Fault> draw_faults(const FaultSource& source) {
  Dice dice(source.seed, "faults");
  const std::vector<PlannedSession> sessions = draw_sessions(source);
  const std::size_t nodes = source.nodes;
  std::vector<Fault> faults;
  // So many may lie that the group still holds its logs together (log.md 2.6); of three one, though nothing is final.
  const std::size_t most = nodes < 3 ? 0 : std::max<std::size_t>(1, nodes - log::log_quorum(nodes));
  const std::size_t liars = source.count == 0 || most == 0 || dice.one_in(3) ? 0 : 1 + dice.below(most);
  for (std::size_t i = 0; i < std::min(liars, source.count); ++i) {
    faults.push_back(
        {draw_role(dice), dice.between(0, source.duration / 3), nodes - 1 - i, 0, dice.between(0, 1'000'000)});
  }
  if (faults.size() < source.count && source.count > 1 && dice.one_in(kDiskDies))
    faults.push_back({dice.one_in(2) ? FaultKind::dead_disk : FaultKind::no_space_for_ever,
                      dice.between(source.duration / 2, source.duration), dice.below(nodes), 0, 0});
  while (faults.size() < source.count) faults.push_back(draw_fault(draw_kind(dice), source, sessions, dice));
  Dice keys(source.seed, "rotations");
  for (std::size_t i = 0; i < source.rotations; ++i)
    faults.push_back(draw_fault(FaultKind::rotate_key, source, sessions, keys));
  return faults;
}

}  // namespace parley::sim
