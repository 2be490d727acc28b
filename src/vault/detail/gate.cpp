// The door of a vault (gate.h).
// One mutex for the door itself; who is inside is kept as a value, since an import may end on another thread.
#include "vault/detail/gate.h"

namespace parley::vault::detail {

Result<Gate::Hold> Gate::enter() {
  const std::thread::id self = std::this_thread::get_id();
  std::unique_lock lock(mutex_);
  if (depth_ > 0 && inside_ == self) {
    ++depth_;
    return Hold(*this);
  }
  if (importing_ && importer_ == self) {
    return fail(Errc::internal, "The vault was asked by the thread that holds its open import.");
  }
  free_.wait(lock, [this] { return depth_ == 0 && !importing_; });
  inside_ = self;
  depth_ = 1;
  return Hold(*this);
}

void Gate::leave() {
  const std::lock_guard lock(mutex_);
  if (--depth_ == 0) free_.notify_all();
}

Status Gate::enter_import() {
  const std::thread::id self = std::this_thread::get_id();
  std::unique_lock lock(mutex_);
  if ((depth_ > 0 && inside_ == self) || (importing_ && importer_ == self)) {
    return fail(Errc::internal, "An import was begun by a thread that is inside the vault already.");
  }
  free_.wait(lock, [this] { return depth_ == 0 && !importing_; });
  importing_ = true;
  importer_ = self;
  return {};
}

void Gate::leave_import() {
  const std::lock_guard lock(mutex_);
  importing_ = false;
  free_.notify_all();
}

void Gate::import_works_here() {
  const std::lock_guard lock(mutex_);
  importer_ = std::this_thread::get_id();
}

}  // namespace parley::vault::detail
