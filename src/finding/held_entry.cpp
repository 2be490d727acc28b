#include "finding/held_entry.h"

#include <algorithm>
#include <ranges>

#include "group/rotation.h"
#include "log/quorum.h"
#include "mirror/vault_store.h"

namespace parley::finding {
namespace {

/// Checkpoints of a log that have an entry of it, the newest first: of a member the one that a quorum holds; of whom an
/// amendment has taken off the list, all, since that log does not grow any more.
Result<std::vector<std::string>> checkpoints_with(vault::Vault& vault, const group::Membership& membership,
                                                  group::JointLog& log, const Place& place, const std::string& origin) {
  std::vector<std::string> notes;
  if (membership.charter().member(place.nick) != nullptr) {
    const auto note =
        log.with([&](mirror::Replica& replica) { return replica.final_checkpoint(place.nick, place.seq + 1); });
    if (note) notes.push_back(*note);
    return notes;
  }
  mirror::VaultStore store(vault, membership.group().id, {}, 0);
  TRY(const vault::LogHead head, store.head(origin));
  if (head.size <= place.seq) return notes;
  TRY(const auto rows, store.checkpoints(origin, place.seq + 1, head.size - place.seq));
  for (const vault::LogCheckpoint& row : std::views::reverse(rows)) {
    std::string& note = notes.emplace_back(row.note);
    TRY(const auto lines, store.cosignatures(origin, row.size));
    for (const vault::LogCosignature& line : lines) note += line.line + "\n";
  }
  return notes;
}

/// The checkpoint with what counts of it by this version; nothing where no quorum of it holds the tree.
Result<std::optional<std::string>> held_by(vault::Vault& vault, const group::Charter& version, const Left& left,
                                           const std::string& note, const std::string& nick) {
  TRY(const std::vector<log::MemberKeys> keys, group::member_keys(vault, version));
  const auto found = std::ranges::find(keys, nick, &log::MemberKeys::nick);
  if (found == keys.end()) return std::nullopt;
  const auto owner = static_cast<std::size_t>(found - keys.begin());
  const auto counted = log::only_what_counts(note, keys, owner);
  if (!counted) return std::nullopt;
  TRY(const log::Standing standing, log::read_standing(*counted, keys, owner, version.log_quorum));
  std::vector<std::string> holders;
  for (const std::size_t holder : standing.holders) holders.push_back(keys[holder].nick);
  if (!group::hold_together(version, left, holders)) return std::nullopt;
  return *counted;
}

}  // namespace

Result<std::optional<HeldEntry>> held_entry(vault::Vault& vault, const group::Membership& membership,
                                            group::JointLog& log, const Finding& finding, const Place& place) {
  TRY(const group::SignedCharter* of_finding, charter_of(finding, membership));
  HeldEntry entry;
  entry.origin = of_finding->charter.member(place.nick)->keys.log.name;
  TRY(const auto rows, vault.log_leaves(entry.origin, place.seq, 1));
  if (rows.empty()) return fail(Errc::not_found, "An entry that the finding needs is not here.");
  entry.note = rows.front().note;
  TRY(entry.header, log::read_entry_unverified(entry.note));
  const auto& versions = membership.versions();
  const auto first = std::ranges::find(versions, entry.header.charter, &group::SignedCharter::hash);
  TRY(const auto notes, checkpoints_with(vault, membership, log, place, entry.origin));
  for (const std::string& note : notes)
    for (auto version = first; version != versions.end(); ++version) {
      TRY(auto held, held_by(vault, version->charter, membership.left(), note, place.nick));
      if (!held) continue;
      entry.checkpoint = *std::move(held);
      entry.version = &*version;
      return entry;
    }
  return std::nullopt;
}

}  // namespace parley::finding
