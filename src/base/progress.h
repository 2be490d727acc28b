// Progress of long work, reported by whoever does it, shown (or not) by whoever asked for it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string_view>

namespace parley {

/// Receives progress and carries the wish to stop. Thread-safe.
class Progress {
 public:
  virtual ~Progress() = default;

  /// A new phase begins; `total` units of work are expected in it (0: not known).
  virtual void phase(std::string_view name, std::uint64_t total) = 0;
  /// `done` units of the current phase are finished.
  virtual void advance(std::uint64_t done) = 0;

  /// Asks the worker to stop at its next step; it then returns Errc::cancelled.
  void cancel() {
    cancelled_.store(true, std::memory_order_relaxed);
    const std::lock_guard lock(wake_mutex_);
    if (wake_) wake_();
  }
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

  /// `wake` ends the worker's blocking wait when cancel() is called; it is called at once if that has happened already.
  /// An empty function takes it back.
  void set_wake(std::function<void()> wake) {
    const std::lock_guard lock(wake_mutex_);
    wake_ = std::move(wake);
    if (wake_ && cancelled()) wake_();
  }

 private:
  std::atomic<bool> cancelled_{false};
  std::mutex wake_mutex_;
  std::function<void()> wake_;
};

/// Shows nothing.
class SilentProgress final : public Progress {
 public:
  void phase(std::string_view, std::uint64_t) override {}
  void advance(std::uint64_t) override {}
};

}  // namespace parley
