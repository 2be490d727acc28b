// What the benchmarks share.
#pragma once

#include <benchmark/benchmark.h>

#include <ctime>

#include "base/error.h"
#include "base/random.h"

namespace parley {

/// Seconds of processor time that this thread has used.
inline double thread_cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

inline void set_items(benchmark::State& state, std::size_t items_per_iteration) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(items_per_iteration));
}

inline void set_bytes(benchmark::State& state, std::size_t bytes_per_iteration) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes_per_iteration));
}

/// Ends the benchmark with the error's words when `outcome` is one. @return whether it is
template <typename Outcome>
bool failed(benchmark::State& state, const Outcome& outcome) {
  if (outcome.has_value()) return false;
  state.SkipWithError(outcome.error().text().c_str());
  return true;
}

/// Runs what was registered; the main() of every benchmark.
inline int run_benchmarks(int argc, char** argv) {
  start_random();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace parley
