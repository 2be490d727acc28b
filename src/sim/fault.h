// What goes wrong in a simulation: a list that is drawn from the seed before anything runs, so that any part of it can
// be left out and the rest stays as it was.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "log/rotation.h"

namespace parley::sim {

/// Milliseconds of virtual time.
using Time = std::int64_t;

enum class FaultKind : std::uint8_t {
  // The next frame that `node` sends after the fault is due.
  lose,
  duplicate,
  delay,  ///< behind those that are sent after it
  corrupt,
  break_link,  ///< to `other`
  // Between `node` and `other` for `amount` milliseconds.
  cut,
  cut_one_way,
  isolate,  ///< `node` from all others
  pause,
  clock_jump,   ///< by `amount` seconds
  clock_drift,  ///< by `amount` parts in a thousand
  // The process ends: now, or in the middle of its next write.
  kill,
  kill_before_commit,
  kill_in_commit,  ///< a torn write: recovery finds the commit incomplete
  kill_after_commit,
  kill_before_guard,
  kill_after_guard,
  kill_before_send,
  // The disk.
  commit_error,          ///< once, nothing written
  commit_error_written,  ///< once, and all is written
  commit_error_stays,    ///< for `amount` milliseconds, however often the process starts again
  no_space,              ///< until an operator has made some, after `amount` milliseconds
  no_space_for_ever,     ///< as commit_error_stays, until faults end; reads work
  dead_disk,             ///< neither reads nor writes until faults end: the disk is put into another machine
  read_error,            ///< once
  misdirected_read,      ///< once: the bytes of another row
  guard_error,           ///< once
  sync_lie,              ///< for `amount` milliseconds nothing that is said to be durable is; then the power fails
  rot,                   ///< a bit of one row
  roll_back_store,       ///< to what it was after `amount` percent of its commits
  roll_back_guard,
  roll_back_both,  ///< an older snapshot of the whole machine
  // The operator of `node`.
  operator_stops,   ///< a session that is under way
  operator_pauses,  ///< the group, for `amount` milliseconds
  rotate_key,       ///< a key of `node` is replaced: which one and why, says replacement_of()
  // `node` is Byzantine from the start, and does what it is there for at the fault's time.
  fork_owner,        ///< two histories to two halves of the group
  rewriter,          ///< another entry in the place of one that was sent
  double_stepper,    ///< a step of a session twice
  sealed_extender,   ///< goes on beyond its seal
  antedater,         ///< an entry before the time of the last one
  selective_sender,  ///< its log to some only, bodies to one only
  replayer,          ///< sends again what others sent to it
  framer,            ///< makes honest members look guilty
  bad_body,          ///< bodies that are not what was committed to
  garbler,           ///< frames of no meaning
  // Likewise, with a log as it should be: in its sessions.
  aborter,           ///< lets the other side disclose, and leaves
  step_shuffler,     ///< takes steps before their turn
  step_replayer,     ///< names steps again, of any session and to anybody
  enumerator,        ///< asks as much and as often as it can
  size_changer,      ///< enters another number of items than was agreed on
  result_forger,     ///< signs another result, and that both agree
  close_withholder,  ///< keeps the result, and does not close
  staller,           ///< does not take its next step
};
inline constexpr std::size_t kFaultKinds = static_cast<std::size_t>(FaultKind::staller) + 1;

/// What a fault strikes.
enum class FaultClass : std::uint8_t { message, link, partition, clock, process, disk, person, member };
std::string_view name_of(FaultClass one);
FaultClass class_of(FaultKind kind);
/// Whether it can do more than delay: partitions, jumping clocks, deaths, disks and members that lie.
bool is_severe(FaultKind kind);

std::string_view name_of(FaultKind kind);
/// Of a member, not of a moment.
bool is_role(FaultKind kind);
/// Of a member whose log is as it should be.
bool lies_in_sessions(FaultKind kind);
/// What it signed proves it: every honest member comes to hold it convicted.
bool is_provable(FaultKind kind);

struct Fault {
  FaultKind kind{};
  Time at = 0;
  std::size_t node = 0;
  std::size_t other = 0;
  std::int64_t amount = 0;

  std::string text() const;
};

/// What an operator does with a key.
struct Replacement {
  log::KeyRole role{};  ///< node or cosign
  log::RotationReason reason{};
};
/// Precondition: a fault that rotates a key
Replacement replacement_of(const Fault& fault);

struct PlannedSession {
  std::size_t asker = 0, responder = 0;
  Time at = 0;
};

/// What sessions and faults are drawn from.
struct FaultSource {
  std::uint64_t seed = 1;
  std::size_t nodes = 2;
  std::size_t sessions = 0;
  std::size_t count = 0;      ///< of faults, roles included
  std::size_t rotations = 0;  ///< of keys, besides
  Time duration = 0;          ///< sessions and faults are due before
};

std::vector<PlannedSession> draw_sessions(const FaultSource& source);
/// Rotations come last, and from dice of their own: without them a seed has the faults that it has with them.
std::vector<Fault> draw_faults(const FaultSource& source);

}  // namespace parley::sim
