// What a member opens of one of its sessions to an auditor: its entries and the other side's, out of the vault.
#pragma once

#include "audit/audit_file.h"
#include "vault/vault.h"

namespace parley::audit {

/// The entries of `session` that a second run is held against, each with its proof. The other side's result is left out
/// where its body is not here.
/// @param our_nick  of the member whose vault it is
/// @error Errc::not_found if one of those that are needed is not there, or the charter where tags were compared;
/// Errc::usage if the session ended without a result, for then nothing was signed that a second run could be compared
/// with
Result<Opened> open_session(vault::Vault& vault, const std::string& session, std::string_view our_nick);

}  // namespace parley::audit
