// The disclosure ledger of one member in one group (log.md 4): who could have tested how much of ours, who learned
// what, as a pure fold over the logs. What it says depends on what stands in the logs and on nothing else: not on a
// disk that was put back, not on the order in which two logs are read, not on a clock that is set back.
//
//  - Our own run entry is the charge: it is durable before a byte that can disclose leaves us.
//  - An unknown outcome counts in full. What both logs state alike is known.
//  - The time is that of our own log. Windows end at the latest time that was ever seen.
//  - Every session counts as new, whatever was asked before.
//  - A session that our log never names charges nothing. Of those that a member brings up so the newest kMostUnnamed
//  are
//    kept: it could else fill our memory with them. What can be charged is never forgotten: see lacking().
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ledger/account.h"

namespace parley::ledger {

/// What the ledger has to be told of protocols and of the charter.
struct Rules {
  /// How many elements a changed receiver can test by the protocol `suite` when it enters `entered`.
  std::uint64_t (*receiver_tests)(std::uint16_t suite, std::uint64_t entered) = nullptr;
  /// What an opened field of an indicator of this type weighs; nullptr: 1 each.
  std::int64_t (*weight)(indicator::Type type, std::size_t field) = nullptr;
};

enum class Difference : std::uint8_t {
  sizes,       ///< it states in its run another size than was agreed on
  ran,         ///< it states a result of a session that did not run here
  results,     ///< the two results differ
  closing,     ///< one of the two closed the session as one with different results
  settlement,  ///< the numbers of the session at its end cannot both be right
  openings,    ///< the closing entries of a reveal's two sides cannot both be right about what was opened
  answers,     ///< it answered one step of a reveal of ours with two offers, or two closings
};
std::string_view name_of(Difference difference);

/// Both versions of what the two logs say differently, in words for the reader.
struct Dispute {
  SessionId session{};
  std::string peer;
  Difference what = Difference::results;
  std::string ours, theirs;
  bool operator==(const Dispute&) const = default;
};

/// What the closing entries of a reveal's two sides say of the fields that one of them opened, where that is not the
/// same. The larger number counts.
struct OpeningsSaid {
  bool by_us = false;         ///< we opened them
  std::int64_t opened = 0;    ///< by who opened them
  std::int64_t received = 0;  ///< by the other; -1: its closing cannot be read
  bool broken_off = false;    ///< by the word of one of the two: then what was sent last need not have arrived
  std::int64_t returned = 0;  ///< that came back for it, by the words of both
  bool is_readable() const { return received >= 0; }
  /// Whether no honest two could say that: more was received than was opened, or less where both went to the end; or,
  /// where they did not, less than had to be there before the other side went on with its own.
  bool cannot_both_be() const {
    return !is_readable() || received > opened || !broken_off || received + 1 < std::min(opened, returned);
  }
  bool operator==(const OpeningsSaid&) const = default;
};

/// Sessions of one member that our own log does not name, as far as they are kept.
inline constexpr std::size_t kMostUnnamed = 4096;

/// A session that our log came to name, or a step of one, after facts about it had been forgotten.
struct Lacking {
  SessionId session{};
  std::string peer;  ///< whose log tells them
  bool operator==(const Lacking&) const = default;
};

class Ledger {
 public:
  /// @param self  our nick in the group
  Ledger(std::string self, Rules rules);
  ~Ledger();
  Ledger(Ledger&&) noexcept;
  Ledger& operator=(Ledger&&) noexcept;

  /// Takes one entry, each once; those of one log in the order of the log, those of several in any. Only a run may be
  /// taken again: a charge is made before its entry is durable.
  void take(const Event& event);
  /// Sessions of which facts may have been forgotten before our own log named them, or the step that they answer. Where
  /// the own log is taken before the others there are none; there are where our log names a session late, as when a
  /// disk was put back and lost entries come home, or when a proposal is answered that its author has buried, and where
  /// we go on in one in which its author has answered much that we never wrote. Until then such a session counts by
  /// what is left.
  const std::vector<Lacking>& lacking() const;
  /// Forgets what its peer says of a session that lacks something, so that its entries about it are taken once more,
  /// from the beginning of its log.
  void begin_again(const Lacking& session);
  /// All of them have been taken since begin_again().
  void told_again(const Lacking& session);
  /// How many sessions that only `peer` names are not kept any more.
  std::uint64_t forgotten(std::string_view peer) const;

  /// Of what we learned in `session`, so many are canaries of ours. Only this member knows; nothing that is held
  /// against a cap or settled depends on it.
  void note_canaries(const SessionId& session, std::int64_t count);
  /// An entry of a member's log cannot be read here, so that something it said may be unknown: what we offered to it in
  /// a reveal counts whether or not it is known to have offered anything.
  void unreadable(std::string_view author);
  /// Whether this process holds `session` and has not run it. As long as it does, a result that the other side states
  /// is no sign that our log has lost a run, and charges nothing.
  void not_run_yet(const SessionId& session, bool held);
  /// Our own log has an entry of this time: windows never go back behind it.
  void logged(UnixSeconds time);
  /// What our clock says now. A later word takes the place of an earlier one: a clock that was ahead for a moment must
  /// not leave windows behind that nothing which our log writes from now on falls into.
  void see(UnixSeconds time);
  /// Where windows end: what our own log said last or our clock says now, whichever is later.
  UnixSeconds latest() const;

  /// With whom there was, or was to be, a session: nicks, ascending.
  std::vector<std::string> peers() const;
  /// @param peer  nullptr: all members together
  /// @param type  nothing: all types together, each session once
  Account account(const std::string* peer, std::optional<indicator::Type> type, Window window) const;
  /// Of every type, in the order of indicator::kAllTypes, from one pass.
  std::array<Account, indicator::kAllTypes.size()> accounts_by_type(const std::string* peer, Window window) const;

  /// Of all sessions with `peer`, or with all.
  std::vector<Dispute> disputes(const std::string* peer = nullptr) const;
  std::vector<Dispute> disputes_of(const SessionId& session) const;
  /// Where the two sides' closings of the reveals of `session` differ, reveal by reveal.
  std::vector<OpeningsSaid> openings_that_differ(const SessionId& session) const;
  /// Whether `session` counts as one that may have disclosed.
  bool is_charged(const SessionId& session) const;
  /// What `session` amounts to as of now; nothing where it was not charged or its sizes are not known.
  std::optional<Settled> settlement(const SessionId& session) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace parley::ledger
