// Simulations by seed: one run, the same run again, and the fewest of its faults with which it still fails
// (docs/simulator.md).
#pragma once

#include "sim/world.h"

namespace parley::sim {

inline constexpr std::size_t kFewestNodes = 2;
inline constexpr std::size_t kMostNodes = log::kMaxGroupMembers;

/// Runs `plan` from the beginning. The same plan gives the same report, down to its trace.
/// @error Errc::usage for a plan that cannot be run
Result<Report> simulate(const Plan& plan);

/// `plan`, which fails, with as few of its faults as still make it break the same invariant. Each fault that is left is
/// needed: without it alone the run does not fail so. @param tries  runs that it may take
Result<Plan> shrink(const Plan& plan, const Report& failed, std::size_t tries = 2000);

/// The faults that `plan` lets happen, by position in the drawn list.
std::vector<std::pair<std::size_t, Fault>> faults_of(const Plan& plan);

/// The command that runs `plan`.
std::string command_for(const Plan& plan);

/// A flaw by its name ("guard-stays"). @error Errc::usage
Result<Flaw> flaw_named(std::string_view name);
std::string_view name_of(Flaw flaw);
/// All but Flaw::none.
std::vector<Flaw> all_flaws();

}  // namespace parley::sim
