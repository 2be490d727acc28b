#include "group/peer_clocks.h"

#include <fmt/format.h>

#include <algorithm>

namespace parley::group {
namespace {

/// "3 days 4 h", "17 min 2 s": the two largest units.
std::string in_words(std::int64_t seconds) {
  if (seconds >= 86'400) return fmt::format("{} days {} h", seconds / 86'400, seconds % 86'400 / 3'600);
  if (seconds >= 3'600) return fmt::format("{} h {} min", seconds / 3'600, seconds % 3'600 / 60);
  return fmt::format("{} min {} s", seconds / 60, seconds % 60);
}

}  // namespace

void PeerClocks::set_skew(std::int64_t seconds) {
  const std::lock_guard lock(mutex_);
  skew_seconds_ = seconds;
}

std::int64_t PeerClocks::skew() const {
  const std::lock_guard lock(mutex_);
  return skew_seconds_;
}

void PeerClocks::heard(const std::string& nick, UnixSeconds shows, Deadline at) {
  const std::lock_guard lock(mutex_);
  heard_[nick] = {shows, at};
}

std::optional<UnixSeconds> PeerClocks::shows(const Heard& heard, Deadline now) const {
  if (now - heard.at > kClockHeardFor) return std::nullopt;
  return heard.shows + std::chrono::duration_cast<std::chrono::seconds>(now - heard.at).count();
}

std::optional<std::int64_t> PeerClocks::ahead(const std::string& nick, UnixSeconds wall, Deadline now) const {
  const std::lock_guard lock(mutex_);
  const auto found = heard_.find(nick);
  if (found == heard_.end()) return std::nullopt;
  const auto shown = shows(found->second, now);
  if (!shown) return std::nullopt;
  return *shown - wall;
}

UnixSeconds PeerClocks::bounded(UnixSeconds wall, Deadline now) {
  const std::lock_guard lock(mutex_);
  std::optional<UnixSeconds> latest;
  for (const auto& [nick, heard] : heard_)
    if (const auto shown = shows(heard, now)) latest = std::max(latest.value_or(*shown), *shown);
  if (!latest || wall <= *latest + skew_seconds_) {
    held_back_since_.reset();
    return wall;
  }
  if (!held_back_since_) held_back_since_ = now;
  return now - *held_back_since_ > kLongestHeldBack ? wall : *latest + skew_seconds_;
}

std::string clock_warning(std::string_view peer, std::int64_t ahead, std::int64_t skew) {
  const std::int64_t apart = ahead < 0 ? -ahead : ahead;
  if (apart <= skew) return {};
  return fmt::format(
      "CLOCK: the clock of {} is {} {} ours, and the charter allows {} s. One of the two is wrong: compare both with "
      "one "
      "that you trust (date -u). Until then times in the two logs do not go together, and what is limited by day or by "
      "month is counted by the stricter of the two.",
      peer, in_words(apart), ahead < 0 ? "behind" : "ahead of", skew);
}

}  // namespace parley::group
