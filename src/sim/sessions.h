// The sessions of one simulated member, as the session room conducts them (session/session.cpp), step by step and by
// the same rules: its own steps' bodies, its charter's checks and its accounting, with the intersection itself as one
// message that discloses.
#pragma once

#include <deque>
#include <list>

#include "mirror/replica.h"
#include "session/accounting.h"
#include "session/states.h"
#include "session/under_way.h"
#include "sim/disk.h"
#include "sim/fault.h"
#include "sim/reveals.h"

namespace parley::sim {

class Node;

/// What may be told of how a session ended; "agreed" for a result that both signed.
std::string ending_of(const vault::SessionRow& row);
std::string salts_key(const std::string& session);

class Sessions {
 public:
  explicit Sessions(Node& node);
  virtual ~Sessions() = default;
  Sessions(const Sessions&) = delete;
  Sessions& operator=(const Sessions&) = delete;

  void ask(std::size_t peer);
  void take_step(std::size_t peer, const Digest& step);
  void take_disclosure(std::size_t peer, const std::string& session);
  void take_opening(std::size_t peer, const std::string& session) { reveals_.take_opening(peer, session); }
  void link_lost(std::size_t peer);
  /// Goes on with whatever can go on.
  void progress();
  /// Ends what a process before this one left open.
  void process_started();
  /// An operator stops one of those that are under way; false if there is none.
  bool operator_stops();
  bool needs(std::size_t peer) const;
  /// Every now and then.
  virtual void tick() {}

 protected:
  enum class Phase { greeting, proposed, deciding, committed, running, ran, disclosing, result, closing, over };
  struct Talk {
    std::size_t number = 0;
    std::size_t peer = 0;
    session::Side side = session::Side::responder;
    Phase phase = Phase::greeting;
    Time began = 0;
    vault::SessionRow row;
    session::Terms terms;
    session::Outcome outcome;
    Digest proposal{}, acceptance{}, their_commit{};
    UnixSeconds proposed_at = 0, accepted_at = 0, committed_at = 0;  ///< by our clock
    std::optional<mirror::EntryView> our_run, our_result, their_run, their_result;
    std::deque<mirror::EntryView> arrived;  ///< steps of the peer, in the order in which it named them
    bool disclosed = false, they_disclosed = false;
    std::unique_ptr<SilentProgress> progress;
    std::unique_ptr<session::UnderWay::Entry> entry;
    std::unique_ptr<session::Accounting::NotRunYet> not_run_yet;

    bool asks() const { return side == session::Side::asker; }
    const std::string& session() const { return row.id; }
  };

  // Where a member that lies does otherwise (session_liar.h).
  virtual void name(const Talk& talk, const mirror::EntryView& step);
  /// @error as Membership::check_question
  virtual Status check_permitted(const Talk& talk, const Digest& their_charter);
  virtual std::uint64_t padded_for(const Talk& talk);
  virtual session::ResultStep result_of(const Talk& talk);
  virtual std::uint64_t probe_items_of(const Talk& talk) { return talk.terms.our_padded; }
  virtual void commit(Talk& talk);
  virtual void run(Talk& talk);
  virtual void disclose(Talk& talk);
  virtual void record(Talk& talk);
  virtual void compare(Talk& talk);

  using Check = std::function<Status(const mirror::EntryView& step)>;
  Result<mirror::EntryView> write(Talk& talk, std::string_view type, log::Json body, std::vector<Digest> refs,
                                  std::string_view state, const Check& check = {}, std::string_view secret = {});
  void failed(Talk& talk, Errc code, bool timed_out = false);
  UnixSeconds clock() const;
  /// As Session::check_own_clock() and JointLog::time_of_next().
  Status check_own_clock() const;
  /// As Session::check_time().
  Status check_time(const mirror::EntryView& step, UnixSeconds earliest) const;
  void wait(Talk& talk, Time most);
  Node& node() { return node_; }
  std::list<Talk>& talks() { return talks_; }

 private:
  struct Named {
    Digest step{};
    bool asked_for_entry = false, asked_for_body = false;
  };

  Talk& begin(std::size_t peer, session::Side side);
  /// The session has a name now: it can be stopped, and its run is not lost as long as there was none.
  void enter(Talk& talk);
  /// Puts the row as it is to be into the commit that is being written.
  void stage(Talk& talk, std::string_view state, std::vector<vault::SessionStep> steps);
  void save(Talk& talk, std::string_view state, std::vector<vault::SessionStep> steps = {});
  void save_received(Talk& talk, std::string_view state, const mirror::EntryView& step);
  bool take_named(std::size_t peer, Named& named);
  bool is_for_us(const mirror::EntryView& step) const;
  void dispatch(std::size_t peer, const mirror::EntryView& step);
  std::optional<mirror::EntryView> due(Talk& talk, std::string_view type);
  void ended_by_peer(Talk& talk);
  void begin_answer(std::size_t peer, const mirror::EntryView& proposal);
  void refuse(Talk& talk);
  void decide(Talk& talk);
  void go_on(Talk& talk);
  void go_on_running(Talk& talk);
  void propose(Talk& talk);
  void accepted(Talk& talk, const mirror::EntryView& step);
  void close(Talk& talk, const mirror::EntryView& theirs);
  void end_compared(Talk& talk);
  void close_interrupted();
  void log_abort(const StoredSession& session);
  Talk* find(const std::string& session);
  Talk* find(std::size_t number);
  bool flawed(Flaw flaw) const;

  Node& node_;
  session::Accounting accounting_;
  Reveals reveals_;
  session::UnderWay under_way_;
  std::list<Talk> talks_;
  std::map<std::size_t, std::deque<Named>> named_;  ///< by peer: steps whose turn comes
  std::size_t next_number_ = 0;
};

}  // namespace parley::sim
