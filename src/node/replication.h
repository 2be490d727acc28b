// Keeps the joint logs of all members in step: calls on each member of each group from time to time, and at the end of
// every session (log.md 2.6).
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "admission/owner.h"
#include "group/groups.h"
#include "node/journal.h"
#include "session/under_way.h"

namespace parley::node {

/// Calls on one member, brings both sides' logs up to date with each other, and leaves.
/// @param calling  is told of the link as long as it is in use, and then of none
/// @param then     what else there is to do on the link, once the logs are in step
/// @error as wire::connect and group::LogLink::synchronise; and what `then` says
Status call_on(vault::Vault& vault, const vault::Peer& peer, const group::Member& us, group::JointLog& log,
               Deadline deadline, const std::function<void(wire::Link*)>& calling = {},
               const std::function<Status(group::LogLink&)>& then = {});

/// Calls on other members until enough of them have said what they hold of our log for it to be written (log.md D10).
/// @param progress  cancelling it ends the call that is under way; its wake is not restored
/// @error Errc::policy saying whom it waits for; Errc::cancelled
Status hear_enough(const group::Desk& desk, const group::Member& us, const group::Membership& membership,
                   group::JointLog& log, Progress& progress);

/// The peers of this vault who are members of the group and have not left.
Result<std::vector<vault::Peer>> fellow_members(vault::Vault& vault, const group::Card& ours,
                                                const group::Membership& membership);

class Replication {
 public:
  /// What has to be said is said in `journal`. The references outlive this.
  /// @param sessions  those under way here: a group's are stopped when it ends
  /// @param close_links  ends the links that a peer, by our name for it, has begun
  Replication(group::Groups& groups, const group::Member& member, session::UnderWay& sessions, Journal& journal,
              std::function<void(const std::string&)> close_links);
  ~Replication();
  Replication(const Replication&) = delete;
  Replication& operator=(const Replication&) = delete;

  /// There is something new: does not wait for the time that a round is due.
  void wake();
  /// Pins members by the keys that their logs have brought, and ends the links that they have begun under older ones.
  void note_prepared(const admission::Party& us, const Status& prepared);
  void note_rotations(const std::string& group);

 private:
  void run();
  void round();
  void call_members(const std::string& group);
  /// Calls on one member: logs in step, and its help with what waits for admission.
  Status call(const vault::Peer& peer, const admission::Party& us);
  /// Says once what keeps a member from helping, and how many it helped with.
  void note_help(const std::string& peer, const Result<std::optional<admission::Helped>>& helped);
  void end_what_is_over();
  void note_ending(const group::Ending& ending);
  /// Says once that a key of ours that is in use is not on this disk.
  void note_missing_keys(const group::Membership& membership, group::JointLog& log);
  /// Says once that the clock of a member and ours are further apart than the charter allows, and once that they are
  /// not.
  void note_clock(const std::string& peer, group::JointLog& log, const std::string& nick);
  /// Says once that nothing more of a member's log is taken, and once that it is again.
  void note_room(const std::string& peer, const Status& takes);
  /// Says once that a member cannot be reached, and once that it can again.
  void note_reached(const std::string& peer, const Status& called);

  group::Groups& groups_;
  const group::Member& member_;
  session::UnderWay& sessions_;
  Journal& journal_;
  const std::function<void(const std::string&)> close_links_;
  std::set<std::string> unreached_;
  std::set<std::string> settling_;  // groups that were said to be
  std::set<std::string> without_room_;
  std::set<std::string> skewed_;
  std::set<std::pair<std::string, log::KeyRole>> keyless_;  // groups and which key
  std::map<std::string, std::string> not_ended_;            // groups, and why, as it was said last
  std::map<std::string, std::string> unprepared_;           // groups, and why nothing is admitted, as it was said last
  std::map<std::string, std::string> trouble_;              // with whose help, and what was said of it
  ThreadPool pool_{1};                                      // admission is in no hurry, and sessions come first
  SilentProgress progress_;
  std::mutex noting_;  // of rotations: each is said once
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false, stopping_ = false;
  wire::Link* calling_ = nullptr;  // to be ended when this stops
  std::thread thread_;             // last: it uses all the others
};

}  // namespace parley::node
