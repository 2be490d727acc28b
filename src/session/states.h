// The states of a session and its row in the vault.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "psi/intersect/protocol.h"
#include "session/input.h"
#include "session/question.h"
#include "session/step.h"

namespace parley::session {

inline constexpr std::string_view kProposed = "proposed";
inline constexpr std::string_view kAccepted = "accepted";
inline constexpr std::string_view kCommitted = "committed";
inline constexpr std::string_view kRunning = "running";
inline constexpr std::string_view kHasResult = "result";
inline constexpr std::string_view kRevealing = "revealing";
inline constexpr std::string_view kClosed = "closed";
inline constexpr std::string_view kDisputed = "disputed";
inline constexpr std::string_view kAborted = "aborted";
inline constexpr std::string_view kRefused = "refused";
inline constexpr std::string_view kExpired = "expired";

/// Those of a session that has neither ended nor rests with a result.
inline constexpr std::array kUnderWayStates{kProposed, kAccepted, kCommitted, kRunning};
bool is_at_rest(std::string_view state);

/// Who learns first by the protocol. Where both learn it is the responder, and the asker learns from its proofs: who
/// asks may be the one who guesses.
psi::Role role_of(Side side, Direction direction);

/// How many indicators the other side can test by `protocol` if its program deviates, when it enters `their_padded`.
std::uint64_t their_tests(const psi::Protocol& protocol, psi::Role ours, std::uint64_t their_padded);

/// What was agreed on, as the vault keeps it in SessionRow::terms.
struct Terms {
  Question question;
  std::map<indicator::Type, std::uint64_t> ours_by_type;
  std::map<indicator::Type, std::uint64_t> without_tag = {};  ///< of ours, that did not enter for want of one
  /// Types that enter by tags, and of which the other side had had none admitted, by the logs that were here.
  std::vector<indicator::Type> none_of_theirs = {};
  std::uint64_t our_padded = 0;
  std::uint64_t their_padded = 0;  ///< 0: not known yet
  std::string our_label;           ///< what narrowed our side
};
std::string write_terms(const Terms& terms);
Result<Terms> read_terms(const std::string& text);

/// How it went, as the vault keeps it in SessionRow::outcome.
struct Outcome {
  std::string protocol;
  std::string protocol_reason;  ///< why this one; empty in vaults from before there were two
  std::string transcript;       ///< hex
  bool learned = false;         ///< this side learned the answer
  bool both_learned = false;
  bool agreed = false;            ///< both signed the same transcript (and, where both learned, the same result)
  std::int64_t count = -1;        ///< without canaries of ours; -1: not learned
  std::int64_t canaries = 0;      ///< of ours that turned out common: no matches, but evidence about the peer
  std::int64_t file_count = -1;   ///< with hashes of one file counted once; -1: not known
  std::int64_t milliseconds = 0;  ///< from acceptance to result
  std::int64_t bytes_sent = 0;
  std::int64_t bytes_received = 0;
  std::string failed_phase;  ///< "" when it did not fail
  std::string failure;       ///< a sentence
  bool may_have_disclosed = false;
};
std::string write_outcome(const Outcome& outcome);
Result<Outcome> read_outcome(const std::string& text);

}  // namespace parley::session
