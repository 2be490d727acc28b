#include "finding/detail/records.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace parley::finding::detail {
namespace {

constexpr std::uint64_t kLeavesAtOnce = 4096;
/// Stands in every header of an entry about a finding, and in few others: only those are parsed.
constexpr std::string_view kTypeMark = R"("type":"finding.)";

std::size_t share_of(std::string_view type) {
  return static_cast<std::size_t>(std::ranges::find(kShares, type, &Share::type) - kShares.begin());
}

}  // namespace

bool Oddities::add(const Place& place, std::string why) {
  if (std::size_t& told = told_[place.nick]; told < kMaxOdditiesOfOne) {
    ++told;
    book_.oddities.push_back({place, std::move(why)});
    return true;
  }
  const auto [rest, is_new] = place_of_rest_.try_emplace(place.nick, book_.left_out.size());
  if (is_new) book_.left_out.push_back({place.nick, 0, "they do not count either"});
  ++book_.left_out[rest->second].entries;
  return false;
}

void Oddities::left_out(const std::string& nick, std::uint64_t entries, std::string why) {
  if (entries > 0) book_.left_out.push_back({nick, entries, std::move(why)});
}

Result<Records> Records::of(vault::Vault& vault, const group::CharterMember& member) {
  Records records;
  records.nick_ = member.keys.nick;
  records.origin_ = member.keys.log.name;
  for (std::uint64_t from = 0;; from += kLeavesAtOnce) {
    const auto read = vault.log_leaves(records.origin_, from, kLeavesAtOnce);
    // A log of which nothing has come yet says nothing: its owner has joined, and was not met.
    if (!read && read.error().code == Errc::not_found) return records;
    TRY(const auto rows, read);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i].note.find(kTypeMark) == std::string::npos) continue;
      TRY(const log::Entry entry, log::read_entry_unverified(rows[i].note));
      const std::size_t type = share_of(entry.type);
      if (type == kShares.size()) continue;
      if (records.places_[type].size() < kShares[type].entries)
        records.places_[type].push_back(from + i);
      else
        ++records.beyond_[type];
    }
    if (rows.size() < kLeavesAtOnce) return records;
  }
}

Result<bool> Records::has_room(vault::Vault& vault, std::string_view type, std::size_t entries,
                               std::uint64_t bytes) const {
  const Share& share = kShares[share_of(type)];
  const std::vector<std::uint64_t>& places = places_[share_of(type)];
  if (beyond_[share_of(type)] + places.size() + entries > share.entries) return false;
  for (const std::uint64_t seq : places) {
    TRY(const auto rows, vault.log_leaves(origin_, seq, 1));
    if (rows.empty()) return fail(Errc::vault_damaged, "Entries of a log are not in the vault any more.");
    TRY(const auto body, vault.entry_body(rows.front().hash));
    if (body) bytes += body->content.size();
  }
  return bytes <= share.body_bytes;
}

Status Records::judge_each(vault::Vault& vault, std::string_view type, Oddities& oddities,
                           const std::function<void(const Found&)>& judge) const {
  const Share& share = kShares[share_of(type)];
  const std::vector<std::uint64_t>& places = places_[share_of(type)];
  std::uint64_t bytes = 0, beyond = beyond_[share_of(type)];
  for (std::size_t i = 0; i < places.size(); ++i) {
    TRY(const auto rows, vault.log_leaves(origin_, places[i], 1));
    if (rows.empty()) return fail(Errc::vault_damaged, "Entries of a log are not in the vault any more.");
    TRY(const log::Entry entry, log::read_entry_unverified(rows.front().note));
    const Place place{nick_, places[i], rows.front().hash};
    // Whether an entry counts rests on what its header says.
    if (log::leaf_hash(as_bytes(rows.front().note)) != place.leaf)
      return fail(
          Errc::vault_damaged,
          fmt::format("Entry {} of the log of {} is damaged here. parley log fsck says more.", place.seq, place.nick));
    // What some can read only would be another case to the others.
    if (entry.audience != std::vector{std::string(log::kEveryone)}) {
      oddities.add(place, "it is not for everybody in the group");
      continue;
    }
    TRY(const auto body, vault.entry_body(place.leaf));
    if (body) bytes += body->content.size();
    if (bytes > share.body_bytes) {
      beyond += places.size() - i;
      break;
    }
    const auto opened = body ? log::open_body(entry, {body->salt, std::string(as_text(body->content))})
                             : fail(Errc::not_found, "its body is not here");
    if (!opened) oddities.add(place, opened.error().message);
    // What its author wrote badly is the same to everybody; what is damaged or lost here is not.
    if (opened)
      judge({place, origin_, entry, rows.front().note, *opened});
    else if (opened.error().code == Errc::not_found || opened.error().code == Errc::signature)
      judge({place, origin_, entry, rows.front().note, std::nullopt});
  }
  oddities.left_out(nick_, beyond,
                    fmt::format("of one member's entries {} the first {} count, and no more than {} MiB", share.type,
                                share.entries, share.body_bytes / kMiB));
  return {};
}

}  // namespace parley::finding::detail
