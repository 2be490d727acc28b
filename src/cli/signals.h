// Ctrl-C and SIGTERM as a wish to stop.
#pragma once

#include <atomic>
#include <thread>

#include "base/progress.h"

namespace parley::cli {

/// While it lives, SIGINT and SIGTERM cancel `progress`; a second one ends the program at once. Made before other
/// threads are, which then leave these signals to it.
class SignalWatch {
 public:
  explicit SignalWatch(Progress& progress);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  void watch(Progress& progress);

  std::atomic<bool> done_{false};
  std::thread thread_;
};

}  // namespace parley::cli
