// Where the passphrase or key file comes from, and opening a member's vault with it.
#pragma once

#include "cli/command.h"

namespace parley::cli {

/// From PARLEY_KEY_FILE, PARLEY_PASSPHRASE or the terminal, in that order.
/// @error Errc::passphrase, Errc::key_permissions, Errc::not_found
Result<vault::Unlock> unlock_from_surroundings(Console& console);
/// The 32 bytes of a key file, which only its owner may read. @error Errc::key_permissions, Errc::not_found,
/// Errc::format
Result<Secret<32>> read_key_file(const std::filesystem::path& path);
/// The same for a new vault: a passphrase is asked for twice, a key file that does not exist is made.
Result<vault::Unlock> new_unlock(Console& console);

struct OpenMember {
  std::unique_ptr<vault::Vault> vault;
  group::Member member;
  std::unique_ptr<operators::OperatorLog> operator_log;
  std::unique_ptr<group::Groups> groups;
};
/// Opens the vault, loads the keys and closes sessions that an earlier stop left in the middle.
Result<OpenMember> open_member(Console& console, const std::filesystem::path& folder);

}  // namespace parley::cli
