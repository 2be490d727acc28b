// What the vault's parts share: the connection behind its door, the keys, and the caches that spare work.
// vault.h is the contract; each of its sections has a .cpp beside it.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "vault/detail/gate.h"
#include "vault/detail/lock_file.h"
#include "vault/detail/sqlite.h"
#include "vault/vault.h"

namespace parley::vault {

class Database {
 public:
  /// Makes vault.db in `folder`.
  static Status create(const std::filesystem::path& folder, const Secret<32>& vault_key);
  /// Checks vault.db and opens it.
  static Result<std::unique_ptr<Database>> open(const std::filesystem::path& folder, Secret<32> vault_key,
                                                detail::LockFile lock);

  detail::Gate& gate() { return gate_; }
  detail::Connection& connection() { return *connection_; }
  Secret<32> subkey(Subkey which) const;

  /// Seals a small secret under Subkey::session_secrets, bound to its place: "table column key" (log.md 7.2).
  Bytes seal_cell(std::string_view place, ByteView plain) const;
  /// @error Errc::vault_damaged
  Result<SecretBytes> open_cell(std::string_view place, ByteView sealed) const;

  /// The lists in force, kept until the next change. Precondition: the caller is inside the gate or holds the import.
  Result<const indicator::WarningLists*> warning_lists();
  /// Reads them anew.
  Result<indicator::WarningLists> read_warning_lists();
  void forget_warning_lists() { warning_lists_.reset(); }

 private:
  Database(Secret<32> vault_key, std::unique_ptr<detail::Connection> connection, std::optional<detail::LockFile> lock);

  std::optional<detail::LockFile> lock_;  ///< given back last
  Secret<32> vault_key_;
  std::unique_ptr<detail::Connection> connection_;
  detail::Gate gate_;
  std::optional<indicator::WarningLists> warning_lists_;
};

struct Vault::State {
  std::unique_ptr<Database> database;
  std::filesystem::path folder;
};

namespace detail {

/// Secret subkey `which` of `vault_key` (log.md 7.1).
Secret<32> derive_subkey(const Secret<32>& vault_key, Subkey which);

/// An import on `database`, which it holds (import.cpp).
Result<std::unique_ptr<Import>> begin_import(Database& database);

}  // namespace detail
}  // namespace parley::vault
