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
  Reading(vault::Vault& vault, const AlarmSources& sources, group::CanaryBook book)
      : vault_(vault), sources_(sources), book_(std::move(book)) {}

  Status find_in(const vault::LogHead& head) {
    if (head.own) self_ = head.nick;
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
      std::vector<OwnCanary> ours = own_canaries(*entry);
      alarms_.found.push_back(
          {.entry = *std::move(entry), .holds = std::move(holds), .opinions = {}, .ours = std::move(ours)});
    }
  }

  // Whoever comes to know a canary of ours can commit to it as well, and then meets it with us.
  std::vector<OwnCanary> own_canaries(const mirror::EntryView& entry) {
    std::vector<OwnCanary> ours;
    if (!entry.body || entry.entry.author == self_) return ours;
    const auto alarm = CanaryAlarm::from_json(*entry.body);
    if (!alarm) return ours;
    for (const CanaryHit& hit : alarm->hits) {
      const indicator::Canonical& value = hit.canary.canary.indicator;
      const group::CanaryBook::Committed* set = book_.oldest_with(value);
      if (set == nullptr) continue;
      OwnCanary& own = ours.emplace_back(OwnCanary{.value = value, .seq = set->seq, .time = set->time});
      if (const auto theirs = sources_.entry(entry.entry.author, hit.canary.set_entry)) own.theirs = theirs->entry.time;
    }
    return ours;
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
  const group::CanaryBook book_;
  std::string self_;  // whose own alarms show its own canaries
  std::vector<CanaryEntries> entries_;
  Alarms alarms_;
};

}  // namespace

Result<Alarms> read_alarms(vault::Vault& vault, const std::string& group, const AlarmSources& sources) {
  TRY(group::CanaryBook book, group::CanaryBook::load(vault, group));
  Reading reading(vault, sources, std::move(book));
  TRY(const std::vector<vault::LogHead> heads, vault.logs());
  for (const vault::LogHead& head : heads)
    if (head.group == group) TRY_STATUS(reading.find_in(head));
  return reading.judge();
}

}  // namespace parley::session
