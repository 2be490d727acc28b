// Long loops over elements: in parallel, with progress, stopping when asked to.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/progress.h"
#include "base/thread_pool.h"

namespace parley::psi::detail {

/// Elements that one task takes: some milliseconds of scalar multiplications, and enough to share an inversion.
inline constexpr std::size_t kElementsPerTask = 64;

class Work {
 public:
  Work(ThreadPool& pool, Progress& progress) : pool_(pool), progress_(progress) {}

  /// Begins a phase in which nothing is computed here.
  void wait_for_peer() { progress_.phase("waiting for the other side", 0); }

  /// Begins a phase that is no loop over elements: `total` steps, 0 where that is not known.
  void phase(std::string_view name, std::size_t total = 0) { progress_.phase(name, total); }
  /// `done` steps of it are finished.
  void advance(std::size_t done) { progress_.advance(done); }

  ThreadPool& pool() { return pool_; }

  /// @error Errc::cancelled
  Status check_cancelled() const;

  /// Works [begin, end) and says which element in it, if any, is at fault, the first one.
  using Body = std::function<std::optional<std::size_t>(std::size_t begin, std::size_t end)>;

  /// Runs `body` over [0, count), in tasks of `per_task` that begin at multiples of it.
  /// @return  the first element at fault of all, whatever the number of threads; nothing when there is none.
  /// @error Errc::cancelled
  Result<std::optional<std::size_t>> over(std::string_view phase, std::size_t count, const Body& body,
                                          std::size_t per_task = kElementsPerTask);

 private:
  ThreadPool& pool_;
  Progress& progress_;
};

}  // namespace parley::psi::detail
