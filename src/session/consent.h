// What an operator agrees to open after a session: of one session, or by a standing rule until a date; which values of
// the matches that covers, and in which order they go (log.md 5.2, 5.4).
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "group/membership.h"
#include "indicator/context.h"
#include "session/context_record.h"
#include "session/states.h"

namespace parley::session {

/// The fields of a record from the least telling to the most: in this order they are opened, so that whoever stops has
/// the least. The marks travel with each.
inline constexpr std::array<std::string_view, 10> kFieldsByValue = {
    "first_seen", "last_seen", "sightings", "confidence", "sector", "technique", "label", "malware", "actor", "source"};

inline constexpr std::size_t kMaxOperatorBytes = 64;
inline constexpr std::size_t kMaxRules = 64;  ///< of one group

/// What a named operator agreed to open. For one session it stands until it is used or taken back; as a rule, until its
/// end.
struct Consent {
  std::vector<std::string> fields;  ///< paths, ascending, without the marks
  indicator::Tlp tlp_max = indicator::Tlp::amber;
  UnixSeconds given = 0;
  indicator::Pap pap_max = indicator::Pap::amber;
  std::string by = "operator";                   ///< whose consent it is: the other side is told
  std::vector<indicator::Canonical> items = {};  ///< these matches only; empty: all
  std::vector<indicator::Type> types = {};       ///< of these types only; empty: all
  /// How much may go out beyond what the other side returns: for each field of its own that many, and in all so many
  /// more. Left as they are, nothing leaves that nothing comes back for.
  std::uint64_t ratio = 1, unreturned = 0;
  bool operator==(const Consent&) const = default;
};

/// Consent in advance, to every reveal with one member.
struct StandingConsent {
  std::string peer;  ///< nick
  UnixSeconds until = 0;
  Consent consent;
};

/// What has become of a match since the session: its owner's marks of now, which hold beside those that it was
/// committed with, and whether the other side could show it to be its own.
struct MatchNow {
  indicator::Tlp tlp = indicator::Tlp::clear;
  indicator::Pap pap = indicator::Pap::clear;
  /// By what was imported since the session: a field that goes out carries the mark that was committed to.
  bool stricter = false;
  bool unshown = false;
};
/// Of each of `matches`, which are of `session`. One that is not in our material any more has nobody left who lets it
/// out, and is TLP:RED; so is one whose committed context comes from a source that was marked so when it was imported
/// last. @error the vault's; Errc::format for a stored match
Result<std::vector<MatchNow>> matches_now(vault::Vault& vault, const std::string& session,
                                          std::span<const vault::SessionMatch> matches);

/// What charter and own rules let out of a match, whatever a consent says.
struct LetOut {
  indicator::Tlp tlp_max = indicator::Tlp::red;
  /// Fields of one match, in all reveals of its session together; of the most telling ones the rest stays.
  std::function<std::size_t(indicator::Type type)> fields = [](indicator::Type) { return kFieldPaths.size(); };
};
/// What is returned asks `membership`, which must outlive it.
LetOut let_out_by(const group::Membership& membership);

/// One value that will be opened: a field of a match, and the marks.
struct PlannedValue {
  std::size_t match = 0;
  std::size_t field = 0;  ///< in kFieldPaths
};

/// What a consent would send: shown before it is given.
struct RevealPreview {
  std::uint64_t matches = 0;
  std::uint64_t openings = 0;       ///< matched indicators of which something would be opened
  std::uint64_t values = 0;         ///< fields of them, in all
  std::uint64_t held_back_red = 0;  ///< TLP:RED: never leave
  std::uint64_t held_back_tlp = 0;  ///< stricter than the consents' limit
  std::uint64_t held_back_pap = 0;  ///< likewise
  /// Within the consents' limits, but marked stricter since the session than what would go out says.
  std::uint64_t held_back_since = 0;
  std::uint64_t held_back_cap = 0;  ///< fields beyond as many as may be opened on a match
  std::uint64_t opened_before = 0;  ///< fields of those that were opened in this session before, by our record
};

struct RevealPlan {
  std::vector<PlannedValue> values;  ///< in the order in which they are opened
  RevealPreview preview;
};

/// What the consents open together; nothing that charter or own rules keep back, nothing of a
/// match that the other side did not show. What it has received already is left out when it says so (received_list.h).
/// @param now  of each match, as matches_now() has it. @error Errc::format for a stored match
Result<RevealPlan> plan(std::span<const vault::SessionMatch> matches, std::span<const MatchNow> now,
                        std::span<const Consent> consents, const LetOut& let_out);

/// The context that a stored match was committed with, field by field. @error Errc::format
Result<ContextFields> committed_fields(const vault::SessionMatch& match);
/// A field, and the marks that travel with it as far as there are any; ascending.
std::vector<std::size_t> with_marks(std::size_t field, const ContextFields& fields);
/// The fields of context that was opened, as a match stores it ("" for none), without the marks. @error Errc::format
Result<std::vector<std::size_t>> fields_of_context(const std::string& context);
bool is_mark(std::string_view path);
/// Place in kFieldsByValue. Precondition: a field that is no mark.
std::size_t value_rank(std::size_t field);

/// A session that can be revealed from, with its matches.
struct Revealable {
  vault::SessionRow row;
  std::vector<vault::SessionMatch> matches;
};
/// @error Errc::not_found, Errc::usage with why nothing of it can be revealed
Result<Revealable> revealable(vault::Vault& vault, const std::string& session);

/// A match of which a consent would send something.
struct PreviewedMatch {
  indicator::Canonical indicator;
  std::string context;  ///< the fields that go out and their marks, as a match stores what was opened
};
/// All that a consent would send, to be read before it is given.
struct ConsentPreview {
  RevealPreview numbers;
  std::vector<PreviewedMatch> matches;
};
/// @error as revealable
Result<ConsentPreview> preview(vault::Vault& vault, const std::string& session, const Consent& consent,
                               const LetOut& let_out);

/// Stores the operator's consent. Nothing leaves yet. @error as preview
Status give_consent(vault::Vault& vault, const std::string& session, const Consent& consent);
/// Nothing for one that an earlier version stored in another form: what nobody can read opens nothing.
Result<std::optional<Consent>> consent_given(vault::Vault& vault, const std::string& session);
/// Before it is used: nothing is opened by it any more, nor by standing consents, which hold for the session no longer.
/// @error Errc::not_found without one
Status take_back_consent(vault::Vault& vault, const std::string& session);
/// A reveal of this session ended in a way that would give the other side more with each further one: consent that was
/// given is used up, and standing consents do not hold for the session. Who consents anew consents.
Status end_consents(vault::Vault& vault, const std::string& session);
/// In a reveal that goes on, more goes out than has come back: where this program ends before the reveal does, its
/// consents have ended too.
Status note_ahead(vault::Vault& vault, const std::string& session);
/// The reveal has ended, and its consents stay: no more has gone out than came back.
Status forget_ahead(vault::Vault& vault, const std::string& session);
/// Before another reveal of the session, and before a new consent is stored: one that is under way then goes on no
/// more.
Status end_consents_of_interrupted(vault::Vault& vault, const std::string& session);
/// The reveal by `used` is over. One that was given while it went on stands.
Status use_up_consent(vault::Vault& vault, const std::string& session, std::span<const Consent> used);

/// The consent to this session, or else what standing rules with `peer` (nick) say now, or at the latest time that the
/// group has seen (time_seen()) if that is later.
Result<std::vector<Consent>> consents_in_force(vault::Vault& vault, const vault::SessionRow& row,
                                               const std::string& peer, UnixSeconds now);

struct StandingConsents {
  std::vector<StandingConsent> rules;
  std::size_t unreadable = 0;  ///< stored by an earlier version in another form; they count as none
};
Result<StandingConsents> standing_consents(vault::Vault& vault, const std::string& group);
/// What is unreadable goes, as with each change. @error Errc::limit at kMaxRules
Status add_standing_consent(vault::Vault& vault, const std::string& group, const StandingConsent& rule);
/// @param number  from 1 on, as they stand. @error Errc::not_found
Status remove_standing_consent(vault::Vault& vault, const std::string& group, std::size_t number);

/// Who on the other side called to reveal since the last time that it came to an end; nothing when nobody did. That is
/// noted whatever our consents are, also of a session in which nothing but canaries is common.
Result<std::optional<std::string>> reveal_waiting(vault::Vault& vault, const std::string& session);
Status note_reveal_waiting(vault::Vault& vault, const std::string& session, const std::string& by);

}  // namespace parley::session
