// One small thread pool through which all parallel loops go (style.md).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace parley {

/// `threads` workers, the calling thread being one of them. Results never depend on the number of threads.
class ThreadPool {
 public:
  /// @param threads  1 to 256; 1 means that everything runs in the calling thread.
  explicit ThreadPool(std::size_t threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  std::size_t size() const;

  /// Runs `body(begin, end)` over [0, count) in chunks of at most `chunk`; returns when all are done. Must not be called
  /// from inside a body. A body must not throw.
  void parallel_for(std::size_t count, std::size_t chunk, const std::function<void(std::size_t, std::size_t)>& body);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The machine's hardware threads, at least 1.
std::size_t hardware_threads();

}  // namespace parley
