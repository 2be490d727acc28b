// How much of another member's log is kept here. Who writes for ever would else fill our disk, and a disk that is full
// halts every group.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/error.h"

namespace parley::mirror {

/// Of each log that is not our own. The defaults are well above honest use: a member that is away for years and holds a
/// thousand sessions a day, of a dozen entries each, brings some four million a year, and 2 million a day then.
struct Quota {
  std::int64_t entries_per_day = 2'000'000;
  std::int64_t bytes_per_day = std::int64_t{4} << 30;
  std::int64_t entries = 50'000'000;
  std::int64_t bytes = std::int64_t{64} << 30;
  /// What stays free on the disk for our own entries, sessions and imports: while less is free, nothing of others is
  /// taken. Five hundred entries of the largest size.
  std::int64_t reserve_bytes = std::int64_t{512} << 20;
  bool operator==(const Quota&) const = default;
};

struct NamedQuota {
  std::string_view name;
  std::int64_t Quota::* value;
};
inline constexpr std::array kNamedQuotas{
    NamedQuota{"bytes", &Quota::bytes}, NamedQuota{"bytes_day", &Quota::bytes_per_day},
    NamedQuota{"entries", &Quota::entries}, NamedQuota{"entries_day", &Quota::entries_per_day},
    NamedQuota{"reserve", &Quota::reserve_bytes}};

/// What has come of one log.
struct Usage {
  UnixSeconds day_begins = 0;  ///< by our clock, when the first of the entries of this day came
  std::int64_t day_entries = 0;
  std::int64_t day_bytes = 0;
  std::int64_t bytes = 0;  ///< in all: entries, bodies, hashes and checkpoints
  bool operator==(const Usage&) const = default;

  /// The usage at `now`: a day that is over begins again. A clock that was set back begins it anew with what has been
  /// used of it.
  Usage at(UnixSeconds now) const;
  void add(std::int64_t entries, std::int64_t added_bytes);
};

/// A day of a quota: 24 hours from the first entry that came in it.
inline constexpr UnixSeconds kQuotaDaySeconds = 86'400;

/// Whether more of the log of `nick` is taken, of which `size` entries are here. What is taken may go beyond a quota by
/// one message.
/// @error Errc::limit with a sentence: what is used up, and what to do
Status room_for_more(const Quota& quota, const Usage& usage, std::uint64_t size, std::uint64_t free_bytes,
                     std::string_view nick, UnixSeconds now);

/// Bodies of one member's entries that are for us and have not come, of which we wait for so many: an entry without its
/// body costs its author little, and us a question on each link. One push may bring more.
inline constexpr std::size_t kMostMissingBodies = 4096;
/// @error Errc::limit with a sentence where no more of them are waited for
Status room_for_more_without_bodies(std::size_t missing, std::string_view nick);

/// As a store keeps it. @error Errc::vault_damaged
std::string write_usage(const Usage& usage);
Result<Usage> read_usage(std::string_view text);

}  // namespace parley::mirror
