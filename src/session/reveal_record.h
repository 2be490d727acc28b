// What a reveal leaves behind about the other side: matches that it signed and did not show to be its own, and the
// evidence of an opening that it had not committed to (log.md 5.2).
#pragma once

#include <optional>
#include <set>
#include <string>

#include "indicator/indicator.h"
#include "vault/vault.h"

namespace parley::session {

/// What the other side's signed result claims and it did not open under what it had committed to before the session:
/// matches, which count as none, and canaries of ours that it takes for matches.
Result<std::set<indicator::Canonical>> unshown_matches(vault::Vault& vault, const std::string& session);
Status note_unshown_matches(vault::Vault& vault, const std::string& session,
                            const std::set<indicator::Canonical>& unshown);

/// Keeps a fault (log::write_fault()) of `nick` in a reveal of `session`. It names the indicator and what was opened of
/// it, so it is not told to anybody by itself.
Status keep_bad_opening(vault::Vault& vault, const std::string& group, const std::string& nick,
                        const std::string& session, const std::string& fault);
/// The fault that is kept of a session.
Result<std::optional<std::string>> bad_opening_in(vault::Vault& vault, const std::string& session);
/// Whether no such fault of `nick` is kept in the group. @error Errc::policy with the session it is of
Status check_no_bad_opening(vault::Vault& vault, const std::string& group, const std::string& nick);

}  // namespace parley::session
