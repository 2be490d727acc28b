// The three keys that a member has in one group only (log.md 1.1): `node` signs entries, `log` checkpoints, `cosign`
// cosignatures. A leak in one group does not touch another, and what is destroyed at a group's end is of that group.
#pragma once

#include <filesystem>

#include "base/secret.h"
#include "log/member_keys.h"
#include "vault/vault.h"

namespace parley::group {

struct GroupKeys {
  log::MemberKeys keys;  ///< the public halves, with the group's names
  Secret<32> node, log, cosign;
};

/// Makes fresh keys: group-<id>.key in the member's folder, sealed under a secret that only the vault has, so that the
/// file is of no use once the vault has forgotten that. @error Errc::exists when there are keys already
Result<GroupKeys> create_group_keys(const std::filesystem::path& folder, vault::Vault& vault, std::string_view domain,
                                    std::string_view group, std::string_view nick);

/// @error Errc::not_found when they were destroyed or never made; Errc::format, Errc::passphrase, Errc::key_permissions
Result<GroupKeys> load_group_keys(const std::filesystem::path& folder, vault::Vault& vault, std::string_view domain,
                                  std::string_view group, std::string_view nick);

/// Forgets the secret, durably, and then removes the file. Nothing brings the keys back, not even a copy of the file.
/// Doing it again does nothing.
Status destroy_group_keys(const std::filesystem::path& folder, vault::Vault& vault, std::string_view group);

}  // namespace parley::group
