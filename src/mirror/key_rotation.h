// Rotations of keys in logs that are stored (log.md 1.6): whoever checks what is stored has to know them first.
#pragma once

#include "log/key_history.h"
#include "mirror/store.h"
#include "vault/vault.h"

namespace parley::mirror {

/// The n-th rotation of a log is kept like a step of a session, so that it is found without reading the log.
log::StepKey rotation_key(std::string_view nick, std::size_t number);

/// mirror::stored_body() of the entry that `leaf` is. @error Errc::format for what is no entry; what the store says
Result<std::optional<log::Body>> stored_body(Store& store, std::string_view leaf);

/// Sets MemberKeys::rotated to what the stored log of `member` has. @error what the store says; Errc::vault_damaged
Status load_rotations(Store& store, log::MemberKeys& member);

/// The same for all of `members`, out of a vault. Members without an id key are left as they are.
Status load_rotations(vault::Vault& vault, std::string_view group, std::span<log::MemberKeys> members);

}  // namespace parley::mirror
