// An alarm: what a member publishes when a peer's set held canaries of its own, such that every other member can check
// it without trusting the accuser (log.md 4.4). It says how likely the hits are, and no verdict.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "group/membership.h"
#include "log/entry.h"
#include "mirror/replica.h"
#include "session/alarm_sources.h"
#include "session/canary_hits.h"
#include "session/step.h"

namespace parley::session {

/// More are never needed: two hits are enough, and each costs its canary.
inline constexpr std::size_t kMaxAlarmHits = 2;

/// Body of an entry canary.alarm, for everyone. Its session is the one in which the canaries were hit.
struct CanaryAlarm {
  std::string accused;  ///< nick
  /// The accuser's session.commit and the accused's session.result, with what opens them to members who were not in
  /// their audience.
  struct Shown {
    Digest entry{};
    log::Body body;
  };
  Shown commit, result;
  /// The accused's session.run. It names the commitment that the accuser showed before anything was computed, so that
  /// nobody can say that another was meant, and nobody who was no party can accuse.
  Digest run{};
  std::vector<CanaryHit> hits;  ///< 1 to kMaxAlarmHits, each with its tag

  log::Json to_json() const;
  /// The form alone. @error Errc::format, Errc::limit
  static Result<CanaryAlarm> from_json(const log::Json& body);
};

/// Whether the alarm in `entry` holds: the canaries stood in one set in the accuser's log, final, 24 hours before the
/// session and no longer than 30 days; the accuser committed to them before the accused ran, and the accused says so
/// itself; and the accused signed a result that names them. That nobody honest holds them is the accuser's word, for
/// each member to judge.
/// @error Errc::protocol with what does not hold; Errc::format; Errc::not_found for an entry that is not here
Status check_alarm(const mirror::EntryView& entry, const AlarmSources& sources);

/// The alarm that the hits of a session allow, with the fewest hits that are enough, the most telling first. It has
/// passed check_alarm(): what would not hold with the others is not handed out, and nobody is accused by it.
/// @param sources  what the others check it against
/// @error Errc::usage where there is nothing to say; Errc::policy where there are hits that remain a suspicion, with
/// why
Result<CanaryAlarm> alarm_of(vault::Vault& vault, group::JointLog& log, const AlarmSources& sources,
                             const std::string& session);

/// The chances of the alarm's canaries, for group::likelihood_ratio().
std::vector<std::int64_t> chances_of(std::span<const CanaryHit> hits);

/// Body of an entry canary.opinion, for everyone: what a member makes of an alarm. Software does nothing with it.
struct CanaryOpinion {
  Digest alarm{};  ///< leaf hash
  bool agree = false;
  std::string why;
  log::Json to_json() const;
  static Result<CanaryOpinion> from_json(const log::Json& body);
};

}  // namespace parley::session
