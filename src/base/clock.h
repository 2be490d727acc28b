// Time. The wall clock gives claims only (decisions.md 8); deadlines use the monotonic clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace parley {

/// Seconds since 1970-01-01T00:00:00Z.
using UnixSeconds = std::int64_t;

/// The last second of the year 9999: RFC 3339 cannot write a later one, so nothing that others state may be later.
inline constexpr UnixSeconds kLatestTime = 253'402'300'799;

UnixSeconds wall_clock_now();

using Monotonic = std::chrono::steady_clock;
using Deadline = Monotonic::time_point;

inline Deadline deadline_in(std::chrono::milliseconds wait) { return Monotonic::now() + wait; }

/// Milliseconds left, at least 0, as poll(2) takes them.
int milliseconds_until(Deadline deadline);

/// RFC 3339 in UTC, "2018-11-20T00:00:00Z".
std::string to_rfc3339(UnixSeconds time);

/// Reads a date ("2018-11-20", "20181120"), an RFC 3339 time with or without fraction and offset, "2019-11-11 10:17:42"
/// (taken as UTC) or a Unix time in seconds. Years 1970 to 9999; anything else is nothing.
std::optional<UnixSeconds> parse_time(std::string_view text);

}  // namespace parley
