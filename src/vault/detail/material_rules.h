// The rules that admit material to a group, as the table group_material keeps them (groups.h).
#pragma once

#include "vault/detail/sqlite.h"
#include "vault/groups.h"

namespace parley::vault::detail {

/// In their order. @error Errc::vault_damaged
Result<std::vector<MaterialRule>> read_material_rules(Connection& connection, std::string_view group);

}  // namespace parley::vault::detail
