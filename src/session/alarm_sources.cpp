#include "session/alarm_sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "base/text.h"
#include "group/amendment.h"
#include "group/rotation.h"
#include "mirror/key_rotation.h"
#include "mirror/vault_store.h"

namespace parley::session {
namespace {

/// A stored entry as its log's replica would read it, also where that log is of somebody who is no member any more.
Result<std::optional<mirror::EntryView>> stored_entry(vault::Vault& vault, const log::MemberKeys& author,
                                                      const Digest& hash) {
  const auto seq = vault.log_index(author.log.name, hash);
  if (!seq && seq.error().code != Errc::not_found) return std::unexpected(seq.error());
  if (!seq || !*seq) return std::nullopt;
  TRY(const auto rows, vault.log_leaves(author.log.name, **seq, 1));
  const auto entry = rows.empty() ? Result<log::Entry>(fail(Errc::vault_damaged, "The row is not there."))
                                  : log::read_entry_unverified(rows.front().note);
  if (!entry || entry->seq != **seq || entry->author != author.nick ||
      log::leaf_hash(as_bytes(rows.front().note)) != hash)
    return fail(Errc::vault_damaged,
                fmt::format("Entry {} of the log of {} does not read as it was written: parley log "
                            "fsck says what else is damaged.",
                            **seq, author.nick));
  mirror::EntryView view{.log = author.nick, .leaf_hash = hash, .entry = *entry, .body = {}};
  mirror::VaultStore store(vault, {}, {}, 0);
  TRY(const auto body, mirror::stored_body(store, rows.front().note));
  if (body) {
    TRY(view.body, log::open_body(view.entry, *body));
  }
  return view;
}

/// The newest of the versions that are named, or the one in force.
const group::Charter& charter_of(const group::Membership& membership, std::span<const Digest> named) {
  for (const group::SignedCharter& version : std::views::reverse(membership.versions()))
    if (std::ranges::find(named, version.hash) != named.end()) return version.charter;
  return membership.charter();
}

Result<bool> is_final(mirror::Holdings& holdings, const group::Membership& membership, const HeldBy& held) {
  const group::Charter& charter = charter_of(membership, held.charters);
  const group::CharterMember* owner = charter.member(held.nick);
  if (owner == nullptr) return false;
  TRY(const auto all, holdings.of(owner->keys.log.name, held.seq));
  std::vector<std::string> holders = {held.nick};
  for (const mirror::Holding& holding : all)
    if (holding.since <= held.time && holding.nick != held.nick && charter.member(holding.nick) != nullptr)
      holders.push_back(holding.nick);
  std::set<std::string, std::less<>> absent = membership.left();
  absent.insert(held.accused);
  const auto others = std::ranges::count_if(
      charter.members, [&](const group::CharterMember& member) { return !absent.contains(member.keys.nick); });
  // Of two, the accuser would be the only witness.
  if (others < 2) absent = membership.left();
  return group::hold_together(charter, absent, holders);
}

}  // namespace

Result<AlarmSources> sources_of(vault::Vault& vault, const group::Membership& membership) {
  TRY(std::vector<log::MemberKeys> keys, group::keys_of_all_versions(vault, membership));
  AlarmSources sources;
  sources.holdings = std::make_shared<mirror::Holdings>(vault, keys);
  sources.entry = [&vault, keys = std::move(keys)](const std::string& nick,
                                                   const Digest& hash) -> Result<mirror::EntryView> {
    for (const log::MemberKeys& author : keys) {
      if (author.nick != nick) continue;
      TRY(auto found, stored_entry(vault, author, hash));
      if (found) return *std::move(found);
    }
    return fail(Errc::not_found, fmt::format("The log of {} has no such entry here.", visible(nick)));
  };
  sources.final_by = [membership, holdings = sources.holdings](const HeldBy& held) {
    return is_final(*holdings, membership, held);
  };
  return sources;
}

Result<std::vector<Voter>> voters_on(const AlarmSources& sources, const group::Membership& membership,
                                     std::uint64_t seq) {
  const group::CharterMember* us = membership.ourselves();
  std::vector<Voter> voters;
  if (us == nullptr) return voters;
  TRY(const auto holdings, sources.holdings->of(us->keys.log.name, seq));
  for (const group::CharterMember* member : membership.current_members()) {
    if (member == us) continue;
    const auto found = std::ranges::find(holdings, member->keys.nick, &mirror::Holding::nick);
    voters.push_back({member->keys.nick, found == holdings.end() ? std::nullopt : std::optional(*found)});
  }
  std::ranges::sort(voters, {}, &Voter::nick);
  return voters;
}

}  // namespace parley::session
