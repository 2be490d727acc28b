// A file system for SQLite in which everything that reaches the disk is sealed: database, WAL and temporary files.
// A shim over SQLite's own "unix" file system. docs/vault-format.md, "vault.db"; decisions.md 4.
#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <memory>
#include <string>

#include "base/error.h"
#include "vault/detail/layout.h"

namespace parley::vault::detail {

/// The sealed files of one vault, registered with SQLite under a name of their own as long as this lives.
/// Used by one connection at a time.
class SealedVfs {
 public:
  /// @param folder    where temporary files go; they are unlinked as soon as they are open.
  /// @param page_key  Subkey::pages.
  static Result<std::unique_ptr<SealedVfs>> make(const std::filesystem::path& folder, Secret<32> page_key);
  ~SealedVfs();
  SealedVfs(const SealedVfs&) = delete;
  SealedVfs& operator=(const SealedVfs&) = delete;

  /// What sqlite3_open_v2 takes.
  const char* name() const { return name_.c_str(); }
  PageCipher& cipher() { return cipher_; }

  /// What did not open, as a sentence; empty as long as everything did.
  const std::string& damage() const { return damage_; }

 private:
  friend struct SealedVfsAccess;
  SealedVfs(std::filesystem::path folder, Secret<32> page_key);

  std::filesystem::path folder_;
  std::string name_;
  PageCipher cipher_;
  PageCipher temporary_cipher_;  ///< its key ends with this process
  std::string damage_;
  sqlite3_vfs vfs_{};
  sqlite3_vfs* inner_ = nullptr;
  sqlite3_file* database_ = nullptr;  ///< the inner file of vault.db while it is open: the mark is written through it
  Mark mark_;                         ///< as it stands in vault.db
};

}  // namespace parley::vault::detail
