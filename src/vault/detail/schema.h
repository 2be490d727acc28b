// The tables of vault.db, and how an older vault becomes one of today.
// docs/vault-format.md, "vault.db: tables".
#pragma once

#include "vault/detail/sqlite.h"

namespace parley::vault::detail {

/// Stands in PRAGMA user_version.
inline constexpr std::int64_t kSchemaVersion = 10;

/// Brings the database to kSchemaVersion, each step in a transaction of its own; a new database starts at 0.
/// @error Errc::unsupported when the database is of a newer version; nothing is changed then
Status migrate(Connection& connection);

}  // namespace parley::vault::detail
