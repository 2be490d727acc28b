// One session as the logs tell it, and what that amounts to. Facts are gathered for each author apart and never
// overwritten by less, so that it does not matter whose log is read first.
#pragma once

#include <functional>
#include <vector>

#include "ledger/ledger.h"

namespace parley::ledger::detail {

using MemberNumber = std::uint32_t;
inline constexpr MemberNumber kNobody = 0xffff'ffff;

/// One reveal by our log: our offer, and how it ended.
struct Reveal {
  std::uint64_t place = 0;
  Digest offer{};
  std::optional<RevealClosed> end = {};
};

/// What another member's log has in answer to one step of ours: of an honest one, an offer to a consent, an offer or a
/// closing to an offer, and each of them once.
struct Answer {
  Digest step{};
  std::uint64_t offers = 0, closings = 0;
  std::optional<RevealClosed> end = {};  ///< the first of its closings
};

/// Answers of one member in one session to steps that are not known here when they come: so many are kept, for an own
/// entry that is read a little late. A member that writes more has our log's step, once it comes, told anew.
inline constexpr std::size_t kMostEarlyAnswers = 16;

/// What one member's log says of a session.
struct Voice {
  MemberNumber author = kNobody;
  bool heard = false;
  UnixSeconds first = 0, last = 0;  ///< times of its entries
  std::optional<Proposed> proposed;
  std::optional<Accepted> accepted;
  std::optional<std::uint64_t> ran;  ///< what it enters
  UnixSeconds ran_at = 0;
  std::optional<Resulted> resulted;
  std::optional<bool> closed;  ///< whether it agreed
  bool aborted = false, other_failed = false;
  std::optional<Settled> settled;
  std::vector<std::int64_t> openings_by_field;  ///< sums over its offers
  FieldSet unknown_fields = 0;                  ///< of offers of which no more is known
  std::int64_t unknown_offers = 0;
  std::int64_t most_offered = 0, most_received = 0, most_received_fields = 0;
  std::int64_t reveals_stopped = 0;                             ///< by the other side, as it says
  std::int64_t offered_fields = 0, kept_back = 0, missing = 0;  ///< sums over its offers, and over its closings
  bool offered_uncounted = false;                               ///< one of its offers does not say how many fields
  std::vector<Answer> answers;                                  ///< of another member, by `step`
  std::size_t early_answers = 0;                                ///< of those, so many came before what they answer
  bool answers_lost = false;                                    ///< more came early than are kept
  UnixSeconds offered_at = 0;
  bool offered = false;

  const Answer* answer_to(const Digest& step) const;

 private:
  friend struct Session;
  void take(const Event& event);
  void take_offer(const RevealOffered& fact, UnixSeconds time);
  void take_reveal_end(const RevealClosed& fact);
};

struct Session {
  SessionId id{};
  MemberNumber peer = kNobody;        ///< by our own entries, whose log nobody else writes
  MemberNumber proposer = kNobody;    ///< among others than us; who it is with where we wrote nothing
  MemberNumber brought_by = kNobody;  ///< who named it first, where that was not our log
  Voice ours;
  std::vector<Voice> others;    ///< one each; whoever is not the peer is not heard
  std::vector<Digest> steps;    ///< our consents and offers of reveals, ascending: what others can answer
  std::vector<Reveal> reveals;  ///< by `place`

  MemberNumber with() const { return peer != kNobody ? peer : proposer; }
  const Voice* theirs() const;

  /// @return whether an answer to it may have been lost before it came
  bool take_ours(const Event& event);
  void take_theirs(MemberNumber author, const Event& event);

 private:
  bool note_step(const Digest& step);
  void note_offer(const RevealOffered& fact);
  void note_end(const RevealClosed& fact);
  Answer* answer_of(Voice& voice, const Digest& step) const;
};

/// What one session adds to the accounts.
struct Amounts {
  bool asked_by_us = false, asked_by_them = false;
  UnixSeconds asked_at = 0;
  bool charged = false;
  bool incomplete = false;  ///< charged, but the other side's half of the agreement is not here
  UnixSeconds charged_at = 0;
  std::optional<TypeSet> types;  ///< nothing: not known, so it may be any
  std::int64_t our_entered = 0, their_entered = 0;
  std::int64_t our_tests = 0, their_tests = 0;
  Range match_in, match_out;
  bool revealed = false;
  UnixSeconds revealed_at = 0;
  bool abort_after_learn = false;
  std::int64_t unopenable = 0;
  std::int64_t denied = 0;  ///< fields that they say to have received beyond those that we say to have opened
  /// Where both closings of a reveal say the same of what one side opened, that is what it opened.
  struct Agreed {
    std::int64_t opened = 0, kept_back = 0;  ///< fields, of those that it had offered; sums over such reveals
  };
  Agreed by_us, by_them;
  std::int64_t reveals_stopped = 0;  ///< reveals that the other side ended in the middle
};

/// Rules::receiver_tests, for two sets that are known.
using Tests = std::function<std::int64_t(std::uint16_t suite, std::uint64_t entered)>;
/// @param theirs_may_lack  not all that the other side wrote could be read
/// @param not_run_yet  this process holds the session, and knows that it has not run
Amounts amounts_of(const Session& session, bool theirs_may_lack, bool not_run_yet, const Tests& tests);

/// What `opener` opened to `taker` of as many matches, by `weight(field)` each.
/// @param kept_back  of what it offered, fields that are known not to have left: not by its word alone, unless it is us
/// @param agreed     fields that both say it opened
Range opened(const Voice& opener, const Voice& taker, std::int64_t matches, std::int64_t kept_back, std::int64_t agreed,
             const std::function<std::int64_t(std::size_t field)>& weight);

std::vector<OpeningsSaid> openings_that_differ(const Session& session);
std::vector<Dispute> disputes_of(const Session& session, const Amounts& amounts);
std::optional<Settled> settlement_of(const Session& session, const Amounts& amounts);

/// Never more than kLargestSum.
std::int64_t sum(std::int64_t a, std::int64_t b);

}  // namespace parley::ledger::detail
