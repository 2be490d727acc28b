#include "sim/simulator.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "sim/node.h"
#include "sim/seeded_random.h"

namespace parley::sim {
namespace {

constexpr std::array kFlawNames = {
    std::string_view("none"),
    std::string_view("syncs-after-sending"),
    std::string_view("loses-what-goes-with-an-entry"),
    std::string_view("guard-stays"),
    std::string_view("guard-begins-anew"),
    std::string_view("never-asks-peers"),
    std::string_view("discloses-before-held"),
    std::string_view("discloses-before-theirs-is-held"),
    std::string_view("discloses-before-the-run-entry"),
    std::string_view("charges-after-disclosing"),
    std::string_view("never-charges"),
    std::string_view("runs-again-after-a-crash"),
    std::string_view("hides-that-it-disclosed"),
    std::string_view("leaves-a-session-open"),
    std::string_view("forgets-salts"),
    std::string_view("drops-fault-reports"),
    std::string_view("does-not-reconnect"),
    std::string_view("takes-steps-in-any-order"),
    std::string_view("believes-another-result"),
    std::string_view("does-not-compare-sizes"),
    std::string_view("checks-no-caps"),
    std::string_view("checks-caps-only-when-asked"),
    std::string_view("goes-on-while-paused"),
    std::string_view("opens-before-its-offer-is-held"),
    std::string_view("opens-more-than-it-offered"),
    std::string_view("keeps-no-new-seed"),
    std::string_view("goes-on-with-replaced-keys"),
};

std::vector<std::size_t> positions_of(const Plan& plan) {
  if (plan.only) return *plan.only;
  std::vector<std::size_t> all(plan.faults + plan.rotations);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  return all;
}

}  // namespace

Result<Report> simulate(const Plan& plan) {
  if (plan.nodes < kFewestNodes || plan.nodes > kMostNodes)
    return fail(Errc::usage, fmt::format("A group has {} to {} members.", kFewestNodes, kMostNodes));
  const SeededRandom random(plan.seed);
  return World(plan).run();
}

/// Zeller and Hildebrandt 2002 ("ddmin"): parts of the list are left out, from halves down to single faults.
Result<Plan> shrink(const Plan& plan, const Report& failed, std::size_t tries) {
  if (!failed.violation) return fail(Errc::usage, "A run that does not fail cannot be made smaller.");
  std::vector<std::size_t> kept = positions_of(plan);
  const auto still_fails = [&](const std::vector<std::size_t>& some) -> Result<bool> {
    Plan smaller = plan;
    smaller.only = some;
    TRY(const Report report, simulate(smaller));
    --tries;
    return report.violation && report.violation->invariant == failed.violation->invariant;
  };
  for (std::size_t part = std::max<std::size_t>(1, kept.size() / 2); tries > 0;) {
    bool smaller = false;
    for (std::size_t from = 0; from < kept.size() && tries > 0;) {
      std::vector<std::size_t> rest = kept;
      const auto begin = rest.begin() + static_cast<std::ptrdiff_t>(from);
      rest.erase(begin, begin + static_cast<std::ptrdiff_t>(std::min(part, kept.size() - from)));
      TRY(const bool fails, still_fails(rest));
      if (fails) {
        kept = std::move(rest);
        smaller = true;
      } else {
        from += part;
      }
    }
    if (part == 1 && !smaller) break;
    part = std::max<std::size_t>(1, part / 2);
  }
  Plan smallest = plan;
  smallest.only = std::move(kept);
  return smallest;
}

std::vector<std::pair<std::size_t, Fault>> faults_of(const Plan& plan) {
  const std::vector<Fault> drawn = draw_faults(source_of(plan));
  std::vector<std::pair<std::size_t, Fault>> faults;
  for (const std::size_t position : positions_of(plan))
    if (position < drawn.size()) faults.emplace_back(position, drawn[position]);
  return faults;
}

std::string command_for(const Plan& plan) {
  std::string command = fmt::format("parley sim --seed {} --nodes {} --faults {} --rotations {} --sessions {}",
                                    plan.seed, plan.nodes, plan.faults, plan.rotations, plan.sessions);
  if (plan.only)
    command += fmt::format(" --only {}", plan.only->empty() ? "none" : fmt::format("{}", fmt::join(*plan.only, ",")));
  if (plan.flaw != Flaw::none) command += fmt::format(" --plant {}", name_of(plan.flaw));
  return command;
}

std::string_view name_of(Flaw flaw) {
  return kFlawNames[static_cast<std::size_t>(flaw)];
}

Result<Flaw> flaw_named(std::string_view name) {
  const auto found = std::ranges::find(kFlawNames, name);
  if (found == kFlawNames.end())
    return fail(Errc::usage, fmt::format("\"{}\" is no flaw that can be planted.", visible(name)));
  return static_cast<Flaw>(found - kFlawNames.begin());
}

std::vector<Flaw> all_flaws() {
  std::vector<Flaw> all;
  for (std::size_t i = 1; i < kFlawNames.size(); ++i) all.push_back(static_cast<Flaw>(i));
  return all;
}

}  // namespace parley::sim
