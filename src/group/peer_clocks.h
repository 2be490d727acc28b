// What the clocks of the other members show, by their Hellos, and how far ours may be trusted. A clock that is set
// forward would end charters, destroy keys and let limits by day and month run out; one clock cannot tell that by
// itself.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"

namespace parley::group {

/// How long our clock is held back by the others' at most: whoever lies about the time, alone with us, must not keep
/// what is over from being destroyed.
inline constexpr std::chrono::days kLongestHeldBack{7};
/// What was heard longer ago than this says nothing any more.
inline constexpr std::chrono::hours kClockHeardFor{24};

/// The clocks that one process has heard of in one group. Thread-safe.
class PeerClocks {
 public:
  explicit PeerClocks(std::int64_t skew_seconds) : skew_seconds_(skew_seconds) {}

  /// How far two clocks may be apart (the charter's clock_skew_s).
  void set_skew(std::int64_t seconds);
  std::int64_t skew() const;
  /// @param shows  what the clock of `nick` shows at `at`
  void heard(const std::string& nick, UnixSeconds shows, Deadline at = Monotonic::now());
  /// Seconds by which the clock of `nick` is ahead of `wall`; nothing if it was not heard lately.
  std::optional<std::int64_t> ahead(const std::string& nick, UnixSeconds wall, Deadline now = Monotonic::now()) const;
  /// `wall`, or where that is ahead of every clock that was heard lately by more than the skew, no more than that.
  /// After kLongestHeldBack of holding back it is `wall` again.
  UnixSeconds bounded(UnixSeconds wall, Deadline now = Monotonic::now());

 private:
  struct Heard {
    UnixSeconds shows = 0;
    Deadline at{};
  };
  std::optional<UnixSeconds> shows(const Heard& heard, Deadline now) const;

  mutable std::mutex mutex_;
  std::int64_t skew_seconds_;
  std::map<std::string, Heard> heard_;
  std::optional<Deadline> held_back_since_;
};

/// What to say of a clock that is `ahead` seconds ahead of ours (behind, if negative) where `skew` are allowed; empty
/// if it is within that.
std::string clock_warning(std::string_view peer, std::int64_t ahead, std::int64_t skew);

}  // namespace parley::group
