// Sees every disk and every message, and checks after each step what must always hold (log.md 9.3, I1 to I8; I9 is that
// the trace of a seed repeats). It knows nothing that the simulated members know by themselves, and tells them nothing.
#pragma once

#include <map>
#include <set>

#include "log/checkpoint.h"
#include "session/accounting.h"
#include "session/question.h"
#include "sim/participant.h"

namespace parley::sim {

struct Violation {
  std::string invariant;  ///< "I1" to "I8"
  std::string what;       ///< one sentence
  Time at = 0;
};

/// Of one side of a session.
struct Disclosure {
  std::size_t from = 0, to = 0;
  std::size_t asker = 0;
  std::string session;
  Digest proposal{};
  Time began = 0;  ///< when this side took the session up: from then on it counts
};

/// One field of a match.
struct Opening {
  std::size_t from = 0, to = 0;
  std::string session;
  Digest our_offer{}, their_offer{};  ///< entries
  std::uint64_t offered = 0;          ///< fields, by our offer
  std::int64_t counted = 0;           ///< that the other side may have of us by now, by our ledger
};

class Observer {
 public:
  explicit Observer(World& world);

  /// A frame is about to leave an honest member.
  void leaves(std::size_t from, std::size_t to, const Frame& frame);
  void proposed(const std::string& session, std::size_t asker, std::size_t responder);
  /// A run entry is durable, with what it charges.
  void charged(std::size_t node, const std::string& session);
  /// Bytes that can disclose are about to leave.
  void discloses(const Disclosure& disclosure);
  /// A field is about to leave.
  void opens(const Opening& opening);
  /// A member goes on with a session that a crash interrupted.
  void runs_again(std::size_t node, const std::string& session);
  void clock_jumped(std::size_t node, std::int64_t seconds);
  void convicts(std::size_t by, const mirror::Conviction& conviction);
  /// An honest member has done something.
  void stepped(std::size_t node);
  void started(std::size_t node);
  /// A member's disk is an older one than it was: what it had said it holds it may not hold.
  void disk_went_back(std::size_t node);
  /// An operator went on although nobody knew what the disk had lost: its member may sign a second history.
  void risk_accepted(std::size_t node) { seen_[node].risky = true; }
  /// A key that is in use by the member's log is not on its disk.
  void has_lost_a_key(std::size_t node);
  /// Faults have ended, and all have talked to each other for five rounds.
  void at_rest();

  /// The largest tree of its own log that a member has shown anybody.
  std::uint64_t let_out(std::size_t node) const;
  /// Whether so many honest members hold all that `node` has ever let out that it must hear of it from whomever it
  /// asks.
  bool is_protected(std::size_t node) const;
  /// Whether another honest member holds all of the log of `node` that its disk has.
  bool is_held_elsewhere(std::size_t node) const;
  bool went_back(std::size_t node) const { return seen_[node].went_back; }
  const std::map<std::string, std::pair<std::size_t, std::size_t>>& sessions() const { return sessions_; }

 private:
  struct Seen {
    log::MemberKeys keys;                                   ///< with what its own disk had of rotations (keys_of)
    std::map<std::uint64_t, Digest> signed_roots;           ///< checkpoints of its own log that left it
    std::vector<Digest> history;                            ///< leaf hashes of its own log that left it
    std::vector<std::uint64_t> acknowledged;                ///< of each log: the largest tree whose cosignature left
    std::vector<std::map<std::uint64_t, Digest>> cosigned;  ///< of each log: what it cosigned
    std::vector<std::uint64_t> checked;                     ///< of each log: how many leaves were compared
    std::vector<std::pair<Time, std::int64_t>> jumps;       ///< of its clock, forward by a day or more
    std::set<Digest> looked_at;                             ///< messages that say nothing new
    bool went_back = false;
    bool risky = false;
  };
  /// What was disclosed of one type, as the messages and entries of both sides say it.
  struct Spending {
    Disclosure disclosure;
    std::vector<indicator::Type> types;
    session::Function function{};
    std::int64_t ours = 0, theirs = 0;
    bool they_learn = false;
  };
  void violated(std::string_view invariant, std::string what);
  std::optional<Spending> spending_of(const Disclosure& disclosure) const;
  void check_caps(const Spending& now);
  /// The clock of a member has not jumped by a day since.
  bool counts_since(std::size_t node, Time since) const;
  /// The keys of a member, by what its own disk has of its log.
  const log::MemberKeys& keys_of(std::size_t node);
  void sees_own_checkpoint(std::size_t node, std::string_view note);
  void sees_cosignature(std::size_t node, std::size_t owner, std::string_view note);
  void sees_push(std::size_t from, const mirror::Push& push);
  void sees_own_entry(std::size_t node, const log::Entry& claimed, std::string_view leaf);
  void check_histories(std::size_t node);
  void check_acknowledged(std::size_t node);
  void check_final(std::size_t node);
  void rest_of_histories();
  void rest_of_rotations();
  void rest_of_liars();
  void rest_of_own_log(std::size_t node);
  void rest_of_sessions();
  void rest_of_session(const std::string& session, std::size_t node, std::size_t other);
  void rest_of_agreement(const std::string& session, std::size_t node, std::size_t other);
  /// Whether a body is on the disk of any honest member.
  bool anybody_has(const Digest& body) const;
  bool is_charged(const std::string& session, std::size_t node);
  void rest_of_ledger(std::size_t node);

  World& world_;
  std::vector<Seen> seen_;
  std::map<std::string, std::pair<std::size_t, std::size_t>> sessions_;  ///< asker, responder
  std::set<std::pair<std::string, std::size_t>> disclosed_;              ///< session and who
  std::vector<Spending> spent_;
  std::map<std::pair<std::string, std::size_t>, std::uint64_t> opened_in_;  ///< fields, by session and who
  std::map<std::pair<std::size_t, std::size_t>, std::int64_t> opened_;      ///< fields, by who and to whom
  std::map<std::size_t, std::unique_ptr<session::Accounting>> ledgers_;     ///< at the end
  std::map<std::pair<std::size_t, std::uint64_t>, Digest> final_;           ///< log and size
  std::set<std::size_t> exposed_;  ///< liars whose two tongues honest members have heard
};

}  // namespace parley::sim
