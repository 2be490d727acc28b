// The steps of a session: entries of both sides' logs, with what each says in its body (log.md 2.4, 3.2).
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "group/joint_log.h"
#include "log/commitment.h"
#include "log/entry_type.h"
#include "session/input.h"
#include "session/padding.h"
#include "session/question.h"

namespace parley::session {

/// Version of the session protocol between two nodes; other versions are refused, never negotiated.
inline constexpr std::int64_t kSessionVersion = 1;

/// Of the two steps that settle the protocol: 1 knew one suite only, 2 no `most_tests`.
inline constexpr std::int64_t kSettlementVersion = 3;
/// Where indicators enter as tags, both also name the epoch of admission that they are of.
inline constexpr std::int64_t kSettlementVersionWithEpoch = 4;

inline constexpr std::string_view kPropose = log::kSessionPropose;
inline constexpr std::string_view kAccept = log::kSessionAccept;
inline constexpr std::string_view kRefuse = log::kSessionRefuse;
inline constexpr std::string_view kCommit = log::kSessionCommit;
inline constexpr std::string_view kRun = log::kSessionRun;
inline constexpr std::string_view kResult = log::kSessionResult;
inline constexpr std::string_view kClose = log::kSessionClose;
inline constexpr std::string_view kAbort = log::kSessionAbort;
inline constexpr std::string_view kRevealConsent = log::kRevealConsent;
inline constexpr std::string_view kRevealOffer = log::kRevealOffer;
inline constexpr std::string_view kRevealRefuse = log::kRevealRefuse;
inline constexpr std::string_view kRevealClose = log::kRevealClose;

/// The one code that a refusal carries on the wire: which of our rules it was stays with us (log.md 3.7).
inline constexpr std::string_view kRefusedByPolicy = "policy";
inline constexpr std::string_view kRefusedForSkew = "skew";
inline constexpr std::string_view kRefusedForEpoch = "epoch";  ///< another epoch of admission is in force there
inline constexpr std::string_view kRefusedBusy = "busy";
inline constexpr std::string_view kRefusedForCharter = "charter";  ///< another version of it is in force there
inline constexpr std::string_view kRefusedForClock = "clock";  ///< it states a time that is far from the clock there

struct Proposal {
  Question question;
  std::uint64_t padded = 0;           ///< the asker's set size, padding included
  std::uint64_t most_tests = 0;       ///< how many indicators it allows the responder to be able to test
  std::vector<std::uint16_t> suites;  ///< that the asker can run, ascending (psi.md 8.3)
  ByteArray<16> rules{};              ///< canonical-form rules (psi.md 0.2)
  ByteArray<32> nonce{};
  std::optional<Digest> admission = {};  ///< the asker's epoch; nothing where no type of the question needs tags
  log::Json to_json() const;
  static Result<Proposal> from_json(const log::Json& body);
};

struct Acceptance {
  std::uint64_t padded = 0;
  std::uint16_t suite = 0;  ///< one of the proposal's, chosen for both sizes and the line
  ByteArray<32> nonce{};
  std::optional<Digest> admission = {};  ///< as the proposal's, which it must equal
  log::Json to_json() const;
  static Result<Acceptance> from_json(const log::Json& body);
};

struct Refusal {
  std::string code;
  std::string text;  ///< what the operator chose to say; may be empty
  log::Json to_json() const;
  static Result<Refusal> from_json(const log::Json& body);
};

struct Commitment {
  Digest items_root{};
  Digest context_root{};
  Digest result_key_commitment{};  ///< SHA-256("parley/rkc/v1\0" || r), log.md 3.3
  Digest seed_commitment{};  ///< SHA-256("parley/seed/v1\0" || seed) of this side's protocol randomness (psi.md 6.3)
  log::Json to_json() const;
  static Result<Commitment> from_json(const log::Json& body);
};

struct ResultStep {
  bool learned = false;
  std::int64_t count = -1;  ///< what both learn; -1 when the author does not learn or the other side is not to learn
  Digest result_root{};
  Digest transcript{};
  log::Json to_json() const;
  static Result<ResultStep> from_json(const log::Json& body);
};

/// What an error is that ended a session or a reveal by what the other side sent, did not send or refused. Everything
/// else ended here.
inline constexpr std::array kOthersDoing = {Errc::format,    Errc::limit,     Errc::unsupported,
                                            Errc::key_weak,  Errc::signature, Errc::peer_unknown,
                                            Errc::peer_gone, Errc::protocol,  Errc::refused};

struct Abort {
  std::string phase;
  std::string code;
  bool may_have_disclosed = false;
  log::Json to_json() const;
  static Result<Abort> from_json(const log::Json& body);
};

/// The most fields that a reveal can have, and the most that goes out for each that comes in.
inline constexpr std::uint64_t kMostRevealFields = kLargestPadded * kFieldPaths.size();
inline constexpr std::uint64_t kMostRatio = 1000;

/// What one side will open: committed to by both before either opens anything.
struct RevealOffer {
  std::vector<std::string> fields;  ///< paths, ascending, without the marks, which always travel
  std::uint64_t openings = 0;       ///< number of matched indicators that will be opened
  std::uint64_t values = 0;         ///< fields of them in all: one is opened at a time
  std::string first;                ///< who opens first, by its author's ledger: a nick
  /// How much of that goes out at most beyond what the other side returns: for each field of the other's that many,
  /// and `unreturned` more (reveal.h, opened_of()).
  std::uint64_t ratio = 1, unreturned = 0;
  Digest openings_commitment{};  ///< root of log::OfferTree: nothing can be tailored to what the other opens
  log::Json to_json() const;
  static Result<RevealOffer> from_json(const log::Json& body);
};

/// A step as received: an entry of the peer's log, durable here.
struct ReceivedStep {
  std::string session;  ///< that it is of; of a proposal, that it begins
  std::string type;
  log::Json body;
  Digest leaf_hash{};
  Digest charter{};               ///< that its author had in force
  std::vector<Digest> refs = {};  ///< leaf hashes of the steps that it answers
  std::uint64_t seq = 0;          ///< its place in its author's log
  UnixSeconds time = 0;           ///< that its author's log states

  /// Whether it answers that one step. Alarms and audits go by it later: a step that answers nothing must not be gone
  /// on from. @error Errc::protocol
  Status check_answers(const Digest& step, const std::string& peer) const;
};

/// How long a proposal may be on its way; whatever answers a step of ours was written after that.
inline constexpr std::int64_t kLongestOnTheWaySeconds = 300;

/// When a step was written, by the clock here.
struct WrittenBetween {
  UnixSeconds earliest = 0, now = 0;
  std::int64_t skew_seconds = 0;  ///< that the charter lets clocks be apart
};
/// Whether a step of `peer` was written when it says. What is held against a member later goes by what its log states
/// (canary_alarm.h), and its Hello says whatever it likes: who dates its steps back or ahead must not get as far as
/// learning anything. @error Errc::skew
Status check_time(std::string_view type, UnixSeconds stated, const WrittenBetween& written, const std::string& peer);

/// Whether what our own log states now and the clock here go together. What counts by day and by month, how old our
/// canaries are and what is held against a member go by the one; whether a step is timely and a charter in force, by
/// the other. Somebody who sets the clock, or lies to us about its own, must not part the two.
/// @param of_log  what an entry of ours states that is written now (JointLog::time_of_next())
/// @error Errc::skew with both times and what to do
Status check_clock(UnixSeconds of_log, UnixSeconds clock, std::int64_t skew_seconds);

/// The name that the steps of a session have in common: the hash of its proposal (log.md 3.2).
std::string session_of(const mirror::EntryView& step);

/// What the vault keeps of a step beside the log: which entry it is.
vault::SessionStep stored_step(const mirror::EntryView& step);
vault::SessionStep stored_step(std::string_view author, const ReceivedStep& step);
/// The leaf hash of that entry. @error Errc::not_found
Result<Digest> leaf_hash_of(const vault::SessionStep& step);
/// That entry. @error Errc::not_found
Result<mirror::EntryView> find_step(group::JointLog& log, const vault::SessionStep& step);

/// Writes and receives the steps of one session over one link. A refusal or an abort by the peer comes back as an
/// error.
class StepLink {
 public:
  explicit StepLink(group::LogLink& link) : link_(link) {}

  void set_session(std::string session) { session_ = std::move(session); }
  group::LogLink& link() const { return link_; }
  const wire::PinnedPeer& peer() const { return link_.peer(); }
  const std::string& our_nick() const { return link_.log().nick(); }

  /// Writes a step of ours, in one commit with what `work` writes to the vault. Nothing has left when it returns.
  /// @param refs  steps of the peer that it answers
  /// @error Errc::policy if our log may not be written; as Replica::append
  Result<mirror::EntryView> write(std::string_view type, log::Json body, std::vector<Digest> refs,
                                  const std::function<Status(const mirror::EntryView&)>& work = {});
  Status send(const mirror::EntryView& step) { return link_.send_step(step); }
  /// Waits for the step `type`. @error Errc::refused with the peer's words; Errc::peer_gone; Errc::protocol
  Result<ReceivedStep> receive(std::string_view type, Deadline deadline);
  /// The next step on the link, of whatever type and session.
  Result<ReceivedStep> receive_any(Deadline deadline);

 private:
  group::LogLink& link_;
  std::string session_;
};

}  // namespace parley::session
