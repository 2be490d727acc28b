#include "session/alarm_list.h"

#include <algorithm>

namespace parley::session {
namespace {

constexpr std::uint64_t kLeavesAtOnce = 1024;

/// Where one member's alarms and opinions stand.
struct CanaryEntries {
  std::string nick;
  std::vector<Digest> alarms, opinions;
};

class Reading {
 public:
  Reading(vault::Vault& vault, const AlarmSources& sources) : vault_(vault), sources_(sources) {}

  Status find_in(const vault::LogHead& head) {
    CanaryEntries found{.nick = head.nick, .alarms = {}, .opinions = {}};
    for (std::uint64_t from = 0; from < head.size; from += kLeavesAtOnce) {
      TRY(const auto leaves, vault_.log_leaves(head.origin, from, kLeavesAtOnce));
      for (const vault::LogLeaf& leaf : leaves) take_place(leaf, found);
    }
    entries_.push_back(std::move(found));
    return {};
  }

  Alarms judge() {
    for (const CanaryEntries& entries : entries_) take_alarms(entries);
    for (const CanaryEntries& entries : entries_) take_opinions(entries);
    return std::move(alarms_);
  }

 private:
  void take_place(const vault::LogLeaf& leaf, CanaryEntries& found) {
    if (leaf.note.find("\"canary.") == std::string::npos) return;  // few are; the others need not be read
    const auto entry = log::read_entry_unverified(leaf.note);
    if (!entry) {
      alarms_.unreadable.emplace(found.nick, entry.error().message);
      return;
    }
    const bool alarm = entry->type == log::kCanaryAlarm;
    if (!alarm && entry->type != log::kCanaryOpinion) return;
    std::vector<Digest>& places = alarm ? found.alarms : found.opinions;
    if (places.size() < (alarm ? kMostAlarmsOfOne : kMostOpinionsOfOne))
      places.push_back(leaf.hash);
    else
      ++alarms_.left_out[found.nick];
  }

  std::optional<mirror::EntryView> read(const std::string& nick, const Digest& hash) {
    auto entry = sources_.entry(nick, hash);
    if (entry) return *std::move(entry);
    alarms_.unreadable.emplace(nick, entry.error().message);
    return std::nullopt;
  }

  void take_alarms(const CanaryEntries& entries) {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < entries.alarms.size(); ++i) {
      auto entry = read(entries.nick, entries.alarms[i]);
      if (!entry) continue;
      if (entry->body) bytes += log::write_pjson(*entry->body).size();
      if (bytes > kMostAlarmBytesOfOne) {
        alarms_.left_out[entries.nick] += entries.alarms.size() - i;
        return;
      }
      Status holds = check_alarm(*entry, sources_);
      alarms_.found.push_back({.entry = *std::move(entry), .holds = std::move(holds), .opinions = {}});
    }
  }

  void take_opinions(const CanaryEntries& entries) {
    for (const Digest& place : entries.opinions) {
      const auto entry = read(entries.nick, place);
      if (!entry || !entry->body) continue;
      const auto opinion = CanaryOpinion::from_json(*entry->body);
      if (!opinion) continue;
      for (FoundAlarm& alarm : alarms_.found)
        if (alarm.entry.leaf_hash == opinion->alarm) alarm.opinions.insert_or_assign(entries.nick, *opinion);
    }
  }

  vault::Vault& vault_;
  const AlarmSources& sources_;
  std::vector<CanaryEntries> entries_;
  Alarms alarms_;
};

}  // namespace

Result<Alarms> read_alarms(vault::Vault& vault, const std::string& group, const AlarmSources& sources) {
  Reading reading(vault, sources);
  TRY(const std::vector<vault::LogHead> heads, vault.logs());
  for (const vault::LogHead& head : heads)
    if (head.group == group) TRY_STATUS(reading.find_in(head));
  return reading.judge();
}

}  // namespace parley::session
