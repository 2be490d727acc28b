// The door of a vault: one thread at a time, and nobody while an import is open.
// A thread that is inside may enter again, so that a callback of for_each can ask the vault.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/error.h"

namespace parley::vault::detail {

class Gate {
 public:
  /// Inside as long as it lives.
  class Hold {
   public:
    Hold(Hold&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Hold& operator=(Hold&&) = delete;
    ~Hold() {
      if (gate_ != nullptr) gate_->leave();
    }

   private:
    friend class Gate;
    explicit Hold(Gate& gate) : gate_(&gate) {}
    Gate* gate_;
  };

  /// Waits until the vault is free.
  /// @error Errc::internal when the calling thread itself holds the open import, since that wait would never end
  Result<Hold> enter();

  /// Waits until the vault is free and keeps it until leave_import(), from whatever thread.
  /// @error Errc::internal when the calling thread is inside already
  Status enter_import();
  void leave_import();
  /// The calling thread is the one that works on the open import.
  void import_works_here();

 private:
  void leave();

  std::mutex mutex_;
  std::condition_variable free_;
  std::thread::id inside_;  ///< while depth_ > 0
  std::size_t depth_ = 0;
  bool importing_ = false;
  std::thread::id importer_;
};

}  // namespace parley::vault::detail
