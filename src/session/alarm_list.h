// All alarms of a group with what its members make of them, as far as they are judged: a member may write as many as
// its log's quota lets it, each with a body of nearly a megabyte.
#pragma once

#include <map>

#include "session/canary_alarm.h"

namespace parley::session {

/// Of one member's log the first alarms are judged, as far as their bodies are no more than this together, and the
/// first opinions: far above honest use, and no log fills the memory.
inline constexpr std::size_t kMostAlarmsOfOne = 256, kMostOpinionsOfOne = 1024;
inline constexpr std::size_t kMostAlarmBytesOfOne = std::size_t{16} << 20;

/// A value that another member's alarm shows as its canary, and that stands in a set of our own.
struct OwnCanary {
  indicator::Canonical value;
  std::uint64_t seq = 0;                   ///< of our oldest canary.set with it, of those that we can still open
  UnixSeconds time = 0;                    ///< of that entry
  std::optional<UnixSeconds> theirs = {};  ///< of the set that the alarm names, if it is here
};

struct FoundAlarm {
  mirror::EntryView entry;
  Status holds;
  std::map<std::string, CanaryOpinion> opinions = {};  ///< by nick, the last of each
  std::vector<OwnCanary> ours = {};
};

struct Alarms {
  std::vector<FoundAlarm> found;
  std::map<std::string, std::uint64_t> left_out;  ///< by nick, entries that were not judged
  std::map<std::string, std::string> unreadable;  ///< by nick, why something in its log could not be read
};

/// Reads the logs of everybody who is or was a member. What is damaged in one of them is told and hides no other.
/// @error the vault's
Result<Alarms> read_alarms(vault::Vault& vault, const std::string& group, const AlarmSources& sources);

}  // namespace parley::session
