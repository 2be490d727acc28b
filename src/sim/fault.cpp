#include "sim/fault.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "log/quorum.h"
#include "sim/dice.h"

namespace parley::sim {
namespace {

struct Described {
  std::string_view name;
  unsigned weight = 0;  ///< how often it is drawn, against the others
};

// In the order of FaultKind. Roles are drawn apart.
constexpr std::array<Described, kFaultKinds> kKinds = {{
    {"lose", 14},
    {"duplicate", 110},
    {"delay", 110},
    {"corrupt", 8},
    {"break-link", 8},
    {"cut", 3},
    {"cut-one-way", 3},
    {"isolate", 1},
    {"pause", 4},
    {"clock-jump", 8},
    {"clock-drift", 8},
    {"kill", 3},
    {"kill-before-commit", 2},
    {"kill-in-commit", 2},
    {"kill-after-commit", 2},
    {"kill-before-guard", 2},
    {"kill-after-guard", 2},
    {"kill-before-send", 2},
    {"commit-error", 2},
    {"commit-error-written", 2},
    {"commit-error-stays", 1},
    {"read-error", 3},
    {"guard-error", 2},
    {"sync-lie", 1},
    {"rot", 2},
    {"roll-back-store", 1},
    {"roll-back-guard", 1},
    {"roll-back-both", 1},
    {"fork-owner"},
    {"rewriter"},
    {"double-stepper"},
    {"sealed-extender"},
    {"antedater"},
    {"selective-sender"},
    {"replayer"},
    {"framer"},
    {"bad-body"},
    {"garbler"},
}};

constexpr FaultKind kFirstRole = FaultKind::fork_owner;
constexpr std::int64_t kTenYears = std::int64_t{10} * 365 * 24 * 3600;  // log.md 9.3

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
      return dice.one_in(2) ? dice.between(-7200, 7200) : dice.between(-kTenYears, kTenYears);
    case FaultKind::clock_drift:
      return dice.between(-500, 500);
    case FaultKind::roll_back_store:
    case FaultKind::roll_back_guard:
    case FaultKind::roll_back_both:
      return dice.between(0, 99);
    default:
      return dice.between(100, 12'000);
  }
}

}  // namespace

std::string_view name_of(FaultKind kind) {
  return kKinds[static_cast<std::size_t>(kind)].name;
}

bool is_role(FaultKind kind) {
  return kind >= kFirstRole;
}

bool is_provable(FaultKind kind) {
  return kind >= FaultKind::fork_owner && kind <= FaultKind::antedater;
}

std::string Fault::text() const {
  return fmt::format("{:>8.3f} s  {} of {} (towards {}, {})", static_cast<double>(at) / 1000, name_of(kind), node,
                     other, amount);
}

std::vector<Fault> draw_faults(std::uint64_t seed, std::size_t nodes, std::size_t count, Time duration) {
  Dice dice(seed, "faults");
  std::vector<Fault> faults;
  // So many may lie that the group still holds its logs together (log.md 2.6); of three one, though nothing is final.
  const std::size_t most = nodes < 3 ? 0 : std::max<std::size_t>(1, nodes - log::log_quorum(nodes));
  const std::size_t liars = count == 0 || most == 0 || dice.one_in(2) ? 0 : 1 + dice.below(most);
  for (std::size_t i = 0; i < std::min(liars, count); ++i) {
    const auto role = static_cast<FaultKind>(static_cast<std::size_t>(kFirstRole) +
                                             dice.below(kFaultKinds - static_cast<std::size_t>(kFirstRole)));
    faults.push_back({role, dice.between(0, duration * 3 / 4), nodes - 1 - i, 0, dice.between(0, 1'000'000)});
  }
  while (faults.size() < count) {
    Fault fault;
    fault.kind = draw_kind(dice);
    fault.at = dice.between(0, duration);
    fault.node = dice.below(nodes);
    fault.other = (fault.node + 1 + dice.below(nodes - 1)) % nodes;
    fault.amount = draw_amount(fault.kind, dice);
    faults.push_back(fault);
  }
  return faults;
}

}  // namespace parley::sim
