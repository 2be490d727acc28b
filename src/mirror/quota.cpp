#include "mirror/quota.h"

#include <fmt/format.h>

#include "base/text.h"
#include "log/pjson.h"

namespace parley::mirror {
namespace {

constexpr std::size_t kMaxUsageBytes = 256;

std::unexpected<Error> no_room(std::string_view nick, const std::string& why) {
  return fail(Errc::limit, fmt::format("Nothing more of the log of {} is taken: {}", visible(nick), why));
}

}  // namespace

Usage Usage::at(UnixSeconds now) const {
  Usage usage = *this;
  if (now >= day_begins && now - day_begins < kQuotaDaySeconds) return usage;
  const bool is_over = now > day_begins;
  usage.day_begins = now;
  if (is_over) usage.day_entries = usage.day_bytes = 0;
  return usage;
}

void Usage::add(std::int64_t entries, std::int64_t added_bytes) {
  day_entries += entries;
  day_bytes += added_bytes;
  bytes += added_bytes;
}

Status room_for_more(const Quota& quota, const Usage& usage, std::uint64_t size, std::uint64_t free_bytes,
                     std::string_view nick, UnixSeconds now) {
  const Usage today = usage.at(now);
  if (free_bytes < static_cast<std::uint64_t>(quota.reserve_bytes))
    return no_room(nick, fmt::format("{} bytes are free on this disk, and {} are kept for our own entries. Make room.",
                                     free_bytes, quota.reserve_bytes));
  if (size >= static_cast<std::uint64_t>(quota.entries))
    return no_room(nick, fmt::format("it has {} entries here, and {} is its quota (parley group policy --log-quota).",
                                     size, quota.entries));
  if (today.bytes >= quota.bytes)
    return no_room(nick, fmt::format("it has {} bytes here, and {} is its quota (parley group policy --log-quota).",
                                     today.bytes, quota.bytes));
  const std::string again = to_rfc3339(today.day_begins + kQuotaDaySeconds);
  if (today.day_entries >= quota.entries_per_day)
    return no_room(nick,
                   fmt::format("{} entries came within a day, and {} is its quota. The next are taken from {} on.",
                               today.day_entries, quota.entries_per_day, again));
  if (today.day_bytes >= quota.bytes_per_day)
    return no_room(nick, fmt::format("{} bytes came within a day, and {} is its quota. The next are taken from {} on.",
                                     today.day_bytes, quota.bytes_per_day, again));
  return {};
}

Status room_for_more_without_bodies(std::size_t missing, std::string_view nick) {
  if (missing < kMostMissingBodies) return {};
  return no_room(nick, fmt::format("{} of its entries are for us and came without what they say, and no more than {} "
                                   "are waited for. Every member is asked for it; whoever has it is to be online.",
                                   missing, kMostMissingBodies));
}

std::string write_usage(const Usage& usage) {
  return log::write_pjson(log::Json::Object{{"bytes", usage.bytes},
                                            {"day_begins", usage.day_begins},
                                            {"day_bytes", usage.day_bytes},
                                            {"day_entries", usage.day_entries}});
}

Result<Usage> read_usage(std::string_view text) {
  auto json = log::parse_pjson(text, kMaxUsageBytes);
  if (!json) return fail(Errc::vault_damaged, "The record of how much a log has grown is damaged.");
  log::ObjectReader reader(*json, "the record of how much a log has grown");
  const auto number = [&](std::string_view name) { return reader.integer(name, 0, log::kMaxInteger); };
  const Usage usage{.day_begins = number("day_begins"),
                    .day_entries = number("day_entries"),
                    .day_bytes = number("day_bytes"),
                    .bytes = number("bytes")};
  if (Status read = reader.finish(); !read) return fail(Errc::vault_damaged, read.error().message);
  return usage;
}

}  // namespace parley::mirror
