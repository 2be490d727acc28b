// What both sides of a session signed into their logs, read out of proven entries and checked against the members'
// keys.
#pragma once

#include <optional>

#include "audit/audit_file.h"
#include "log/member_keys.h"
#include "session/run_terms.h"
#include "session/step.h"

namespace parley::audit {

struct LoggedSession {
  std::string nicks[2];  ///< by session::Side
  session::Side audited = session::Side::asker;
  session::Proposal proposal;
  session::Acceptance acceptance;
  session::Commitment commitments[2];             ///< by session::Side
  std::optional<session::ResultStep> results[2];  ///< likewise; that of the audited side is there
  std::string no_peer_result;                     ///< why that of the other side is not: words in a sentence
  session::NamingSteps naming;
  Digest charter{};  ///< hash of the one that both sides had in force as they agreed on the session
  /// The types of its question whose indicators enter as tags by that charter, ascending by name; nothing where the
  /// charter is not known.
  std::optional<std::vector<indicator::Type>> tagged = {};
  std::vector<std::string> held;  ///< of each log, who signed for the tree that the entries stand in: sentences

  const std::string& audited_nick() const { return nicks[static_cast<std::size_t>(audited)]; }
  const std::string& peer_nick() const { return nicks[1 - static_cast<std::size_t>(audited)]; }
};

/// What is `tagged` by the charter in `note`; nothing if it is another than the session's.
/// @error Errc::format, Errc::limit
Result<std::optional<std::vector<indicator::Type>>> tagged_by(std::string_view note, const LoggedSession& session);

/// @error Errc::signature, Errc::protocol, Errc::format: as audit()
Result<LoggedSession> read_logged_session(const Opened& opened, std::span<const log::MemberKeys> members);

}  // namespace parley::audit
