#include "base/clock.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace parley {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

/// Reads exactly `width` digits at `position`, or nothing.
std::optional<int> digits(std::string_view text, std::size_t position, std::size_t width) {
  if (position + width > text.size()) return std::nullopt;
  int value = 0;
  for (std::size_t i = position; i < position + width; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

std::optional<UnixSeconds> date(std::optional<int> year, std::optional<int> month, std::optional<int> day) {
  if (!year || !month || !day || *year < 1970) return std::nullopt;
  const std::chrono::year_month_day ymd{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                                        std::chrono::day{static_cast<unsigned>(*day)}};
  if (!ymd.ok()) return std::nullopt;
  return sys_days(ymd).time_since_epoch() / days{1} * 86400;
}

/// Seconds east of UTC from "", "Z", "+02:00", "+0200" or "+02".
std::optional<int> offset(std::string_view text) {
  if (text.empty() || text == "Z" || text == "z" || text == " UTC") return 0;
  if (text[0] != '+' && text[0] != '-') return std::nullopt;
  const auto hours = digits(text, 1, 2);
  const std::size_t minutes_at = text.size() == 6 && text[3] == ':' ? 4 : 3;
  const auto minutes = text.size() == 3 ? std::optional(0) : digits(text, minutes_at, 2);
  if (!hours || !minutes || *hours > 23 || *minutes > 59 || (text.size() != 3 && text.size() != minutes_at + 2)) {
    return std::nullopt;
  }
  return (text[0] == '-' ? -1 : 1) * (*hours * 3600 + *minutes * 60);
}

std::optional<UnixSeconds> time_of_day(std::string_view text) {
  const auto hour = digits(text, 0, 2);
  const auto minute = digits(text, 3, 2);
  if (!hour || !minute || text[2] != ':' || *hour > 23 || *minute > 59) return std::nullopt;
  std::size_t next = 5;
  int second = 0;
  if (text.size() > 5 && text[5] == ':') {
    const auto s = digits(text, 6, 2);
    if (!s || *s > 60) return std::nullopt;
    second = *s;
    next = 8;
    if (text.size() > 8 && (text[8] == '.' || text[8] == ',')) {
      next = 9;
      while (next < text.size() && text[next] >= '0' && text[next] <= '9') ++next;
    }
  }
  const auto east = offset(text.substr(next));
  if (!east) return std::nullopt;
  return *hour * 3600 + *minute * 60 + second - *east;
}

}  // namespace

UnixSeconds wall_clock_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

int milliseconds_until(Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Monotonic::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000'000'000));
}

std::string to_rfc3339(UnixSeconds time) {
  const auto day = std::chrono::floor<days>(std::chrono::sys_seconds(std::chrono::seconds(time)));
  const std::chrono::year_month_day ymd(day);
  const auto second = time - day.time_since_epoch() / days{1} * 86400;
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(ymd.year()),
                     static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day()), second / 3600,
                     second / 60 % 60, second % 60);
}

std::optional<UnixSeconds> parse_time(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (text.size() >= 10 && (text[4] == '-' || text[4] == '/') && text[7] == text[4]) {
    const auto day = date(digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2));
    if (!day || text.size() == 10) return day;
    if (text.size() < 16 || (text[10] != 'T' && text[10] != 't' && text[10] != ' ')) return std::nullopt;
    const auto time = time_of_day(text.substr(11));
    if (!time || *day + *time < 0) return std::nullopt;
    return *day + *time;
  }
  if (text.size() == 8 && text.find_first_not_of("0123456789") == std::string_view::npos) {
    return date(digits(text, 0, 4), digits(text, 4, 2), digits(text, 6, 2));
  }
  UnixSeconds seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || text.size() < 9 || seconds < 0 ||
      seconds > kLatestTime) {
    return std::nullopt;
  }
  return seconds;
}

}  // namespace parley
