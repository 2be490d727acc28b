// How much work the members of a group may make us do for nothing. A message of the joint log is verified before
// anything is known of it, so whoever sends old, doubled or wrong ones keeps a processor busy for the price of sending.
// What brings something new is free here: how much a log may grow is bounded elsewhere (mirror/quota.h).
#pragma once

#include <map>
#include <string>

#include "base/clock.h"
#include "mirror/replica.h"

namespace parley::group {

/// Of checks that brought nothing, for each member of each group. An Ed25519 verification takes 50 to 100 microseconds,
/// so this is at most a tenth of one core. An honest member of the largest group wastes at most 256 with its heads (16
/// checkpoints with 16 signatures) if not one of them is known here, and sends heads some four times a minute.
inline constexpr double kWastedChecksPerSecond = 1'000;
/// As many at once: more than a hundred such heads, three seconds of one core.
inline constexpr double kWastedChecksAtOnce = 30'000;

/// A bucket of tokens for each member. Not thread-safe.
class WorkBudget {
 public:
  /// Whether a message of `peer` is looked at. @error Errc::limit, a sentence; the connection is to be closed
  Status admit(std::string_view peer, Deadline now);
  /// What it cost. The last one may overdraw: what a message costs is known when it has been paid.
  void charge(std::string_view peer, const mirror::Effort& effort, Deadline now);

 private:
  struct Bucket {
    double tokens = kWastedChecksAtOnce;
    Deadline filled;
  };
  Bucket& bucket(std::string_view peer, Deadline now);

  std::map<std::string, Bucket, std::less<>> buckets_;  ///< at most one a member: others' messages are not taken
};

}  // namespace parley::group
