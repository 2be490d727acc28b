// Changing a vault's tables past the vault's own code.
#pragma once

#include "vault/detail/database.h"
#include "vault/detail/key_slots.h"
#include "vault/testing.h"

namespace parley::vault {

inline void execute_in(const std::filesystem::path& folder, const Unlock& unlock, const std::string& statements) {
  const auto header = detail::parse_header(read_whole(folder / "vault.hdr"));
  ASSERT_OK(header);
  const auto vault_key = detail::unlock_header(*header, unlock);
  ASSERT_OK(vault_key);
  auto vfs = detail::SealedVfs::make(folder, detail::derive_subkey(*vault_key, Subkey::pages));
  ASSERT_OK(vfs);
  auto connection = detail::Connection::open(std::move(*vfs), folder / "vault.db", false);
  ASSERT_OK(connection);
  ASSERT_OK((*connection)->execute(statements.c_str()));
}

inline void execute_in(const TestVault& test, const std::string& statements) {
  execute_in(test.folder().path(), test.unlock(), statements);
}

}  // namespace parley::vault
