// parley sim: a group in one process, with everything going wrong that a seed can think of (docs/simulator.md).
#include <fmt/format.h>

#include <charconv>
#include <chrono>

#include "base/clock.h"
#include "base/encoding.h"
#include "cli/command.h"
#include "cli/json.h"
#include "sim/simulator.h"

namespace parley::cli {
namespace {

constexpr std::size_t kMostFaults = 1'000'000;
constexpr std::size_t kMostSessions = 100'000;
constexpr std::uint64_t kMostSeeds = 1'000'000'000;

struct Asked {
  sim::Plan plan;
  std::uint64_t seeds = 1;
  std::string only, flaw;
  bool as_json = false;
  bool keeps_all = false;  ///< of the faults of a failing run
};

/// Sums over all runs.
struct Totals {
  std::uint64_t runs = 0, events = 0, frames = 0, entries = 0, disclosures = 0, openings = 0, convictions = 0,
                restarts = 0, risks_accepted = 0;
  std::map<sim::FaultKind, std::uint64_t> faults;
  std::map<std::string, std::uint64_t> sessions;

  void add(const sim::Report& report) {
    ++runs;
    events += report.events;
    frames += report.frames;
    entries += report.entries;
    disclosures += report.disclosures;
    openings += report.openings;
    openings += report.openings;
    convictions += report.convictions;
    restarts += report.restarts;
    risks_accepted += report.risks_accepted;
    for (const auto& [kind, count] : report.faults) faults[kind] += count;
    for (const auto& [name, count] : report.sessions) sessions[name] += count;
  }
  template <typename Key>
  static std::uint64_t sum(const std::map<Key, std::uint64_t>& counts) {
    std::uint64_t all = 0;
    for (const auto& [key, count] : counts) all += count;
    return all;
  }
  std::uint64_t severe() const {
    std::uint64_t all = 0;
    for (const auto& [kind, count] : faults) all += sim::is_severe(kind) ? count : 0;
    return all;
  }
  std::map<std::string, std::uint64_t> by_kind() const {
    std::map<std::string, std::uint64_t> named;
    for (const auto& [kind, count] : faults) named[std::string(sim::name_of(kind))] += count;
    return named;
  }
  std::map<std::string, std::uint64_t> by_class() const {
    std::map<std::string, std::uint64_t> named;
    for (const auto& [kind, count] : faults) named[std::string(sim::name_of(sim::class_of(kind)))] += count;
    return named;
  }
  nlohmann::json to_json() const {
    return {{"runs", runs},
            {"sessions", sum(sessions)},
            {"faults", sum(faults)},
            {"events", events},
            {"frames", frames},
            {"entries", entries},
            {"disclosures", disclosures},
            {"openings", openings},
            {"openings", openings},
            {"convictions", convictions},
            {"restarts", restarts},
            {"risks_accepted", risks_accepted},
            {"sessions_by_state", sessions},
            {"severe_faults", severe()},
            {"faults_by_class", by_class()},
            {"faults_by_kind", by_kind()}};
  }
};

Status read_plan(Asked& asked) {
  if (!asked.flaw.empty()) {
    TRY(asked.plan.flaw, sim::flaw_named(asked.flaw));
  }
  if (asked.only.empty()) return {};
  asked.plan.only.emplace();
  if (asked.only == "none") return {};
  for (std::string_view rest = asked.only; !rest.empty();) {
    std::size_t position = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), position);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (error != std::errc() || (!rest.empty() && !rest.starts_with(',')))
      return fail(Errc::usage, "--only takes positions of faults with commas between them, or \"none\".");
    if (!rest.empty()) rest.remove_prefix(1);
    asked.plan.only->push_back(position);
  }
  return {};
}

/// Tells of a run that failed, with the fewest faults that it takes.
Status tell(Surroundings& at, const Asked& asked, const sim::Plan& failing, const sim::Report& report,
            nlohmann::json& json) {
  sim::Plan smallest = failing;
  if (!asked.keeps_all) {
    TRY(smallest, sim::shrink(failing, report));
  }
  TRY(const sim::Report again, sim::simulate(smallest));
  const sim::Violation& violation = again.violation ? *again.violation : *report.violation;
  if (asked.as_json) {
    json["violation"] = {{"invariant", violation.invariant},
                         {"what", violation.what},
                         {"at_ms", violation.at},
                         {"seed", failing.seed},
                         {"command", sim::command_for(smallest)}};
    return {};
  }
  for (const std::string& line : again.lines) at.console.print(line + "\n");
  at.console.print(fmt::format("Seed {} breaks {} after {:.3f} s: {}\n", failing.seed, violation.invariant,
                               static_cast<double>(violation.at) / 1000, violation.what));
  for (const auto& [position, fault] : sim::faults_of(smallest))
    at.console.print(fmt::format("  fault {:>4}: {}\n", position, fault.text()));
  at.console.print("The same again: " + sim::command_for(smallest) + "\n");
  return {};
}

int sim_command(Surroundings& at, Asked asked) {
  if (Status read = read_plan(asked); !read) return at.console.refuse(read.error());
  Totals totals;
  nlohmann::json json;
  Digest trace{};
  bool failed = false;
  const auto began = Monotonic::now();
  for (std::uint64_t i = 0; i < asked.seeds && !failed; ++i) {
    sim::Plan plan = asked.plan;
    plan.seed += i;
    const auto report = sim::simulate(plan);
    if (!report) return at.console.refuse(report.error());
    totals.add(*report);
    trace = report->trace;
    failed = report->violation.has_value();
    if (!failed && plan.traces)
      for (const std::string& line : report->lines) at.console.print(line + "\n");
    if (!failed) continue;
    if (Status told = tell(at, asked, plan, *report, json); !told) return at.console.refuse(told.error());
  }
  const std::chrono::duration<double> took = Monotonic::now() - began;
  if (asked.as_json) {
    json.update(totals.to_json());
    json["seconds"] = took.count();
    json["trace"] = to_hex(trace);
    at.console.print(to_line(json));
    return failed ? 1 : 0;
  }
  at.console.print(fmt::format(
      "{} run(s): {} sessions, {} faults, {} events, {} restarts, {} entries, {} convictions of members that lied; "
      "{:.1f} s. {}\n",
      totals.runs, Totals::sum(totals.sessions), Totals::sum(totals.faults), totals.events, totals.restarts,
      totals.entries, totals.convictions, took.count(), failed ? "An invariant is broken." : "All invariants held."));
  if (!totals.faults.empty()) {
    at.console.print(
        fmt::format("{} of the faults are severe ({:.0f} %).", totals.severe(),
                    100.0 * static_cast<double>(totals.severe()) / static_cast<double>(Totals::sum(totals.faults))));
    for (const auto& [name, count] : totals.by_class()) at.console.print(fmt::format(" {} {}", name, count));
    at.console.print(".\n");
  }
  if (asked.seeds == 1) at.console.print(fmt::format("Trace {}\n", to_hex(trace)));
  return failed ? 1 : 0;
}

}  // namespace

void add_sim(Command& program, Chosen& chosen) {
  Command* command = program.add_subcommand(
      "sim", "Simulate a group in which messages, disks, clocks and members fail, and check that its promises hold");
  const auto asked = std::make_shared<Asked>();
  command->add_option("--seed", asked->plan.seed, "The same seed fails in the same way")->capture_default_str();
  command->add_option("--seeds", asked->seeds, "Run so many seeds, one after the other")
      ->check(in_range(std::uint64_t{1}, kMostSeeds))
      ->capture_default_str();
  command->add_option("--nodes", asked->plan.nodes, "Members")
      ->check(in_range(sim::kFewestNodes, sim::kMostNodes))
      ->capture_default_str();
  command->add_option("--faults", asked->plan.faults, "Faults to draw")
      ->check(in_range(std::size_t{0}, kMostFaults))
      ->capture_default_str();
  command->add_option("--rotations", asked->plan.rotations, "Keys that are replaced, besides the faults")
      ->check(in_range(std::size_t{0}, kMostFaults))
      ->capture_default_str();
  command->add_option("--sessions", asked->plan.sessions, "Sessions to try")
      ->check(in_range(std::size_t{0}, kMostSessions))
      ->capture_default_str();
  command->add_option("--only", asked->only, "Of the faults drawn, only these: positions with commas, or none");
  command->add_option("--plant", asked->flaw, "Give all members a known flaw, which must be noticed");
  command->add_flag("--keep-all", asked->keeps_all, "Do not look for the fewest faults that make a failing run fail");
  command->add_flag("--trace", asked->plan.traces, "Print every event");
  command->add_flag("--json", asked->as_json, "Print one JSON object");
  command->callback([&chosen, asked] { chosen.alone = [asked](Surroundings& at) { return sim_command(at, *asked); }; });
}

}  // namespace parley::cli
