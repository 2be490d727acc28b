// The reveal: after a session in which both learned the matches, each side opens chosen context of them, in turn, and
// only once both have committed to what they open (log.md 5).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "indicator/context.h"
#include "session/session.h"

namespace parley::session {

/// What an operator agreed to open. It stands until it is used or taken back.
struct Consent {
  std::vector<std::string> fields;  ///< paths, ascending, without the marks
  indicator::Tlp tlp_max = indicator::Tlp::amber;
  UnixSeconds given = 0;
};

/// What a consent would send: shown before it is given.
struct RevealPreview {
  std::uint64_t matches = 0;
  std::uint64_t openings = 0;       ///< matched indicators of which something would be opened
  std::uint64_t held_back_red = 0;  ///< TLP:RED: never leave
  std::uint64_t held_back_tlp = 0;  ///< stricter than the consent's limit
};

/// @error Errc::not_found, Errc::usage when the session has nothing that can be revealed, with why
Result<RevealPreview> preview(vault::Vault& vault, const std::string& session, const Consent& consent);

/// Stores the operator's consent. Nothing leaves yet. @error as preview
Status give_consent(vault::Vault& vault, const std::string& session, const Consent& consent);
Result<std::optional<Consent>> consent_given(vault::Vault& vault, const std::string& session);

/// What the other side's node said it would open, when it asked before our consent was there.
Result<std::optional<RevealOffer>> offer_waiting(vault::Vault& vault, const std::string& session);

struct RevealOutcome {
  bool waiting = false;        ///< the other side has not consented yet; our consent stands
  std::uint64_t opened = 0;    ///< of ours
  std::uint64_t received = 0;  ///< of theirs
};

/// Exchanges openings with the other side, which must have consented as well. What has been received stays, even when
/// the exchange breaks off. Precondition: our consent is given.
/// @error Errc::protocol when the other side opens what it had not committed to; Errc::peer_gone; Errc::refused
Result<RevealOutcome> reveal(const Party& us, group::LogLink& link, const std::string& session);

/// The same from the other side, begun by the peer's offer.
Result<RevealOutcome> answer_reveal(const Party& us, group::LogLink& link, const ReceivedStep& offer);

}  // namespace parley::session
