// The sessions of one simulated member, as the session room conducts them (session/session.cpp), step by step and by
// the same rules, with the intersection itself as one message that discloses.
#pragma once

#include <deque>
#include <list>

#include "mirror/replica.h"
#include "sim/disk.h"
#include "sim/fault.h"

namespace parley::sim {

class Node;

/// What a member's disk keeps of a session.
struct SessionRow {
  std::string state;  ///< as session/states.h names them; "agreed" for a result that both signed
  std::size_t peer = 0;
  bool asked_by_us = false;
  bool wrote = false;       ///< a step of it is in our log
  bool says_abort = false;  ///< our abort is in our log
  bool may_have_disclosed = false;

  static std::string key(const std::string& session) { return "session/" + session; }
  std::string text() const;
  static std::optional<SessionRow> parse(const std::optional<std::string>& text);
  bool is_at_rest() const;
};
std::string charge_key(const std::string& session);
std::string salts_key(const std::string& session);
inline constexpr std::string_view kSessionKeys = "session/";

class Sessions {
 public:
  explicit Sessions(Node& node) : node_(node) {}

  void ask(std::size_t peer);
  void take_step(std::size_t peer, const Digest& step);
  void take_disclosure(std::size_t peer, const std::string& session);
  void link_lost(std::size_t peer);
  /// Goes on with whatever can go on.
  void progress();
  /// Ends what a process before this one left open.
  void process_started();
  bool needs(std::size_t peer) const;

 private:
  enum class Phase { greeting, proposed, deciding, committed, running, disclosing, result, closing, over };
  struct Talk {
    std::size_t number = 0;
    std::size_t peer = 0;
    bool asker = false;
    Phase phase = Phase::greeting;
    std::string session;
    SessionRow row;
    Digest proposal{}, acceptance{};
    std::optional<mirror::EntryView> our_commit, our_run, our_result, their_commit, their_run, their_result,
        their_close;
    bool disclosed = false, they_disclosed = false;
    bool agreed = false;
  };
  struct Named {
    Digest step{};
    bool asked = false;  ///< for the entry
  };

  Result<mirror::EntryView> write(Talk& talk, std::string_view type, log::Json body, std::vector<Digest> refs,
                                  std::string_view state, const std::function<void(const std::string&)>& also = {});
  void save(Talk& talk, std::string_view state);
  void name(const Talk& talk, const mirror::EntryView& step);
  bool take_named(std::size_t peer, Named& named);
  void dispatch(std::size_t peer, const mirror::EntryView& step);
  void begin_answer(std::size_t peer, const mirror::EntryView& proposal);
  void decide(Talk& talk);
  void go_on(Talk& talk);
  void took(Talk& talk, const mirror::EntryView& step);
  void propose(Talk& talk);
  void commit(Talk& talk);
  void run(Talk& talk);
  void disclose(Talk& talk);
  void record(Talk& talk);
  void compare(Talk& talk);
  void close(Talk& talk);
  void failed(Talk& talk, std::string_view code, std::string_view state);
  void wait(Talk& talk, Time most);
  void close_interrupted(std::map<std::string, SessionRow>& rows);
  void log_abort(const std::string& session, const SessionRow& row);
  Talk* find(const std::string& session);
  Talk* find(std::size_t number);
  bool flawed(Flaw flaw) const;

  Node& node_;
  std::list<Talk> talks_;
  std::map<std::size_t, std::deque<Named>> named_;  ///< by peer: steps whose turn comes
  std::size_t next_number_ = 0;
};

}  // namespace parley::sim
