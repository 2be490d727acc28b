// What this machine allows at most, measured in the run that it is compared in: memory, caches, and the instructions
// that the kernels are made of, from registers. One thread's processor time, the best of several tries: a disturbance
// makes a kernel look farther from its limit and never nearer. A rate is 0 where the machine has no such instructions.
#pragma once

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <string>

#include "crypto/block.h"
#include "timing.h"

namespace parley::limits {

/// What is called memory here: more than the caches that a thread has for itself, and as much as the largest tables.
inline constexpr std::size_t kMemoryBytes = std::size_t{64} << 20;

// Bytes a second, one after the other, in pages that are there already. A copied byte is read and written; an updated
// one, too, and in its place; to an added-to one another from elsewhere is added.
double memory_read();
double memory_write();
double memory_copy();
double memory_update();
double memory_add();

/// Bytes a second of the first write to new memory, in huge pages where the kernel has them, as SecretArray asks for.
double fresh_memory();
/// Seconds that the first touch of a new page of 4 KiB costs.
double page_fault();

/// Independent reads of 16 bytes from random places of a table, a second.
double random_reads(std::size_t table_bytes);

// In registers, of the width that kernels use at this level (crypto/cpu.h).
/// AES-128 under a fixed key, blocks a second.
double aes_blocks();
/// Products of two polynomials of 64 bits, a second. Four of them make one of GF(2^128) before it is reduced.
inline constexpr double kProductsOfAField = 4;
double carryless_products();
/// SHA-256, blocks a second: 32 double rounds and 12 steps of the message's schedule each, of independent messages.
double sha256_blocks();

/// What a well-kept library does for one short message (32 bytes) after the other, messages a second.
double short_sha256();

/// The best of several measurements of `body`, in seconds of processor time of this thread.
template <typename Body>
double best_seconds(const Body& body) {
  constexpr int kTries = 5;
  double best = HUGE_VAL;
  for (int tried = 0; tried < kTries; ++tried) {
    const double begin = thread_cpu_seconds();
    body();
    best = std::min(best, thread_cpu_seconds() - begin);
  }
  return best;
}

/// Counter `of_limit`: which part of the limit an iteration reaches, 1 being the limit itself.
/// @param seconds  that each resource would need for an iteration if it were the only one: the slowest is the limit.
///                 Nothing is said where one of them is not known.
inline void set_limit(benchmark::State& state, const std::string& what, std::initializer_list<double> seconds) {
  const double most = std::max(seconds);
  if (!std::isfinite(most)) return;
  state.counters["of_limit"] = benchmark::Counter(most, benchmark::Counter::kIsIterationInvariantRate);
  state.SetLabel("limit: " + what);
}

}  // namespace parley::limits
