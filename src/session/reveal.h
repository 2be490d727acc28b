// The reveal: after a session in which both learned the matches, each side opens chosen context of them, one field at a
// time in turn, and only once both have committed to what they open (log.md 5).
#pragma once

#include <string>

#include "session/consent.h"
#include "session/session.h"

namespace parley::session {

/// That an operator agreed, and hashes of what its author has received already and of its offer to come: neither side
/// sees what the other would open before it has committed to its own (log.md 5.2). Body of reveal.consent.
struct RevealConsent {
  std::string by;       ///< the operator, by a name that the other side may know
  Digest offer{};       ///< offer_commitment() of who answers; zeros of who calls, and shows its offer first
  Digest received{};    ///< ReceivedList::hash()
  bool sealed = false;  ///< its author holds the key of the pair (log.md 5.3)
  log::Json to_json() const;
  static Result<RevealConsent> from_json(const log::Json& body);
};

/// SHA-256("parley/reveal/offer/v1\0" || label || body of the offer). The offer has a salted hash in it, so nobody
/// guesses it.
Digest offer_commitment(const Digest& label, const RevealOffer& offer);

/// How many fields of `offer` are opened against `other`: one for each of the other's, what consents let out beyond
/// that, and never more than it has.
std::uint64_t opened_of(const RevealOffer& offer, const RevealOffer& other);

/// Two offers in numbers of fields.
struct RevealNumbers {
  std::uint64_t we_offer = 0, they_offer = 0;  ///< chosen by either side, in all
  std::uint64_t we_open = 0, they_open = 0;    ///< of that: what opened_of() leaves
};
/// What whoever calls sees before anything is opened; an error from it stops everything.
using BeforeOpening = std::function<Status(const RevealNumbers& numbers)>;
/// Of who answers, at each call that is admitted, and before consents or matches are looked at: what it leaves behind
/// must not tell which there are. Where it ends with an error, that looks like a consent that was not given.
using BeforeAnswer = std::function<Status()>;

/// How a reveal ended for its author: body of reveal.close, also where it broke off.
struct RevealEnd {
  std::uint64_t opened = 0;     ///< fields that it sent
  std::uint64_t kept_back = 0;  ///< fields that it had offered and did not send
  std::uint64_t missing = 0;    ///< fields that were the other side's to open, and did not come
  std::uint64_t unshown = 0;    ///< matches that the other side did not show to be its own
  std::uint64_t received = 0;   ///< matched indicators of which it received all that was offered, or some
  std::uint64_t received_fields = 0;
  std::string stopped = {};  ///< "": nobody; "us", "them": who, by its author
  log::Json to_json() const;
  static Result<RevealEnd> from_json(const log::Json& body);
};

struct RevealOutcome {
  bool waiting = false;        ///< the other side has not consented yet; our consent stands
  std::uint64_t opened = 0;    ///< of ours: matched indicators
  std::uint64_t received = 0;  ///< of theirs
  bool sealed = false;         ///< what was opened was sealed under the key of the pair, too
  RevealNumbers numbers = {};
};

/// Exchanges openings with the other side, which must have consented as well. What has been received stays, even when
/// the exchange breaks off; who broke it off then stands in the log. Before each field consent, marks, membership and
/// trust are looked at again: whatever was taken back meanwhile holds. Precondition: our consent is given.
/// @param before  may be empty
/// @error Errc::protocol when the other side opens what it had not committed to, or does not show a match to be its
/// own; Errc::policy when something of ours forbids the next field; Errc::peer_gone; Errc::refused
Result<RevealOutcome> reveal(const Party& us, group::LogLink& link, const std::string& session,
                             const BeforeOpening& before = {});

/// The same from the other side, begun by the peer's reveal.consent. @param called  may be empty
/// @error also Errc::limit for a peer that came too often (answered_reveals.h): then nothing is answered
Result<RevealOutcome> answer_reveal(const Party& us, group::LogLink& link, const ReceivedStep& consent,
                                    const BeforeAnswer& called = {});

}  // namespace parley::session
