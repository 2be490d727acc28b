// The guard against signing two histories (log.md 2.7): the newest checkpoint that this member signed for a log of its
// own, kept in a small file beside the database, or better on another device. A database that was rolled back is behind
// it, and must not sign before its peers have told it what it had signed.
#pragma once

#include <filesystem>

#include "base/bytes.h"
#include "base/error.h"

namespace parley::vault {

/// A log's newest signed size and root.
struct SignedHead {
  std::uint64_t size = 0;
  Digest root{};
  bool operator==(const SignedHead&) const = default;
};

class HeadGuard {
 public:
  /// Reads the guard at `path`; where there is none, nothing was signed yet.
  /// @error Errc::io; Errc::vault_damaged if the file is there and neither of its two slots is whole
  static Result<HeadGuard> open(std::filesystem::path path);

  /// What was signed last; size 0 if nothing was.
  const SignedHead& head() const { return head_; }

  /// Moves on to `next`, durably, before a checkpoint of it is signed. The same head again is no change.
  /// @error Errc::exists if `next` is smaller, or as large with another root: a second history; nothing is changed
  /// then. Errc::io: nothing may be signed, and the process must end (log.md 2.7: a failed fsync is not tried again)
  Status advance(const SignedHead& next);

 private:
  HeadGuard(std::filesystem::path path, const SignedHead& head, std::size_t next_slot)
      : path_(std::move(path)), head_(head), next_slot_(next_slot) {}

  std::filesystem::path path_;
  SignedHead head_;
  std::size_t next_slot_;  // the older of the two
};

}  // namespace parley::vault
