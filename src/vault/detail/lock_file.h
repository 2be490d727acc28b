// vault.lock: one process owns a vault. An advisory lock of the operating system, so that it ends with the process.
// decisions.md 4 (one connection); log.md D9.
#pragma once

#include <filesystem>

#include "base/file.h"

namespace parley::vault::detail {

/// Holds the lock while it lives. The file stays, empty when nobody owns the vault.
class LockFile {
 public:
  /// @error Errc::vault_locked naming the owner's process, Errc::io
  static Result<LockFile> take(const std::filesystem::path& path);
  LockFile(LockFile&&) = default;
  LockFile& operator=(LockFile&&) = delete;
  ~LockFile();

 private:
  explicit LockFile(FileDescriptor fd) : fd_(std::move(fd)) {}
  FileDescriptor fd_;
};

}  // namespace parley::vault::detail
