// What the subcommands of parley log share.
#pragma once

#include "cli/command.h"
#include "mirror/quota.h"
#include "vault/joint_log.h"

namespace parley::cli {

/// Subcommands of log that make or check proofs, or write files for others.
void add_log_proofs(Command& log, Chosen& chosen);

/// accept-fork-risk.
void add_log_risk(Command& log, Chosen& chosen);
/// The vault's setting that says when, and why, the risk of a second history was taken in a group.
std::string risk_setting(std::string_view group);

/// The log that a person means: the whole origin, or a nick with our name for the group where the nick has a log in
/// several. @param group  may be empty. @error Errc::not_found, Errc::usage
Result<vault::LogHead> log_named(vault::Vault& vault, const std::string& name, const std::string& group);
Option* add_log_group(Command& command, std::string& group);

/// Whether more of a log is kept here, as mirror::room_for_more(); always of our own.
Status takes_more(Workplace& at, const vault::LogHead& head, const mirror::Quota& quota, UnixSeconds now);

}  // namespace parley::cli
