// parley bench: what an intersection costs on this machine.
#include <fmt/format.h>

#include "cli/bench_psi.h"
#include "cli/command.h"

namespace parley::cli {
namespace {

constexpr std::uint64_t kMaxItems = std::uint64_t{1} << 24;

int bench(Surroundings& at, const BenchPlan& plan, bool as_json) {
  const auto figures = measure_psi(plan);
  if (!figures) return at.console.refuse(figures.error());
  if (as_json) {
    at.console.print(to_line(*figures));
    return 0;
  }
  const double seconds = figures->value("seconds", 0.0);
  const double floor = figures->value("floor_sha256_seconds", 0.0);
  at.console.print(
      fmt::format("{} items a side, protocol {}, {} thread(s) a party: {:.3f} s, {:.1f} times the insecure exchange of "
                  "hashes ({:.3f} s)\n",
                  plan.items, plan.protocol, plan.threads, seconds, seconds / floor, floor));
  at.console.print(fmt::format("  {} bytes in all, {:.0f} an item; CPU {} s; peak memory {} bytes\n",
                               (*figures)["bytes_total"].dump(),
                               figures->value("bytes_total", 0.0) / static_cast<double>(plan.items),
                               (*figures)["cpu_seconds"].dump(), (*figures)["peak_rss_bytes"].dump()));
  return 0;
}

}  // namespace

void add_bench(Command& program, Chosen& chosen) {
  Command* command = program.add_subcommand("bench", "Measure this machine");
  command->require_subcommand(1);
  const auto plan = std::make_shared<BenchPlan>();
  const auto as_json = std::make_shared<bool>(false);
  Command* psi_command =
      command->add_subcommand("psi", "A whole intersection of random items, two processes, over TLS on loopback");
  psi_command->add_option("--n", plan->items, "Items a side")->required()->check(in_range(std::uint64_t{4}, kMaxItems));
  psi_command->add_option("--protocol", plan->protocol, "Protocol")
      ->check(is_member({"classic", "fast"}))
      ->capture_default_str();
  psi_command->add_option("--threads", plan->threads, "Threads a party")
      ->check(in_range(1, 256))
      ->capture_default_str();
  const auto line = std::make_shared<SlowLine>();
  Option* rate =
      psi_command->add_option("--megabits", line->megabits_per_second, "Through a line of so many megabits a second")
          ->check(in_range(0.1, 1e5));
  psi_command->add_option("--round-trip-ms", line->round_trip_ms, "And of this round trip")
      ->check(in_range(0.0, 10e3))
      ->needs(rate);
  psi_command->add_flag("--json", *as_json, "Print one JSON object");
  psi_command->callback([&chosen, plan, line, as_json] {
    if (line->megabits_per_second > 0) plan->line = *line;
    chosen.alone = [plan, as_json](Surroundings& at) { return bench(at, *plan, *as_json); };
  });
}

}  // namespace parley::cli
