// Numbers among the settings of a vault.
#pragma once

#include "vault/vault.h"

namespace parley::vault {

/// What is kept under `name`, where anything is. @param of  "a session's step": what it is, for the error
/// @error Errc::vault_damaged for what is no number; the vault's
Result<std::optional<std::uint64_t>> number_setting(Vault& vault, std::string_view name, std::string_view of);

}  // namespace parley::vault
