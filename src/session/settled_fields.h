// Which fields of a session's context pay for nothing any more, since both sides have signed at the end of an exchange
// that they were opened and received (log.md 5.2). What an exchange opened that broke off can be opened again: what was
// sent last may not have arrived, and it brings the same in return.
#pragma once

#include <set>
#include <string>
#include <utility>

#include "group/joint_log.h"
#include "indicator/indicator.h"
#include "vault/vault.h"

namespace parley::session {

/// Of which indicator, and the place in kFieldPaths.
using FieldsOf = std::set<std::pair<indicator::Canonical, std::size_t>>;

struct SettledFields {
  FieldsOf ours, theirs;  ///< by who opened them
};

/// @error Errc::format for what is stored
Result<SettledFields> settled_fields(vault::Vault& vault, const std::string& session);

/// An exchange that this side has closed as one that went to its end. Precondition: in one step with the closing.
/// @param offer       ours: the other side's closing answers it
/// @param their_size  of the other side's log before it closed
Status note_exchange(vault::Vault& vault, const std::string& session, const Digest& offer, std::uint64_t their_size,
                     const SettledFields& opened);

/// Adds what was opened in that exchange to settled_fields(), if the log of `peer` has its closing by now and that says
/// the same. Precondition: the logs are in step.
Status settle_exchange(vault::Vault& vault, group::JointLog& log, const std::string& session, const std::string& peer);

}  // namespace parley::session
