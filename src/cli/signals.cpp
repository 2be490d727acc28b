// Waits for signals in a thread of its own.
#include "cli/signals.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

namespace parley::cli {
namespace {

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

SignalWatch::SignalWatch(Progress& progress) {
  const sigset_t signals = stop_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  thread_ = std::thread([this, &progress] { watch(progress); });
}

SignalWatch::~SignalWatch() {
  done_ = true;
  ::pthread_kill(thread_.native_handle(), SIGTERM);
  thread_.join();
  const sigset_t signals = stop_signals();
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

void SignalWatch::watch(Progress& progress) {
  const sigset_t signals = stop_signals();
  for (int times = 0;; ++times) {
    int signal = 0;
    ::sigwait(&signals, &signal);
    if (done_) return;
    if (times > 0) ::_exit(128 + signal);
    progress.cancel();
  }
}

}  // namespace parley::cli
