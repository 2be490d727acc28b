// The check of a vault's files before SQLite sees them: every page and every durable WAL frame is there and opens.
// Only reads. docs/vault-format.md, "vault.db"; decisions.md 4.
#pragma once

#include <filesystem>

#include "base/error.h"
#include "vault/detail/layout.h"

namespace parley::vault::detail {

/// What a crash may leave is no damage: WAL frames behind the last durable commit, and pages that a checkpoint tore
/// while the WAL still holds them.
/// @error Errc::vault_damaged naming what is wrong where; Errc::io
Status check_files(const PageCipher& cipher, const std::filesystem::path& database, const std::filesystem::path& wal);

}  // namespace parley::vault::detail
