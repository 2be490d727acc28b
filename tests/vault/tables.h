// Changing a vault's tables past the vault's own code.
#pragma once

#include "vault/detail/database.h"
#include "vault/detail/key_slots.h"
#include "vault/testing.h"

namespace parley::vault {

inline void execute_in(const TestVault& test, const std::string& statements) {
  const auto header = detail::parse_header(read_whole(test.folder() / "vault.hdr"));
  ASSERT_OK(header);
  const auto vault_key = detail::unlock_header(*header, test.unlock());
  ASSERT_OK(vault_key);
  auto vfs = detail::SealedVfs::make(test.folder().path(), detail::derive_subkey(*vault_key, Subkey::pages));
  ASSERT_OK(vfs);
  auto connection = detail::Connection::open(std::move(*vfs), test.folder() / "vault.db", false);
  ASSERT_OK(connection);
  ASSERT_OK((*connection)->execute(statements.c_str()));
}

}  // namespace parley::vault
