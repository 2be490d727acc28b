#include "session/alarm_sources.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "group/amendment.h"
#include "group/rotation.h"
#include "mirror/key_rotation.h"
#include "mirror/stored_entry.h"
#include "mirror/vault_store.h"

namespace parley::session {
namespace {

/// An entry as its log's replica would give it, also where that log is of somebody who is no member any more.
Result<std::optional<mirror::EntryView>> find_entry(vault::Vault& vault, const log::MemberKeys& author,
                                                    const Digest& hash) {
  const auto seq = vault.log_index(author.log.name, hash);
  if (!seq && seq.error().code != Errc::not_found) return std::unexpected(seq.error());
  if (!seq || !*seq) return std::nullopt;
  TRY(const auto rows, vault.log_leaves(author.log.name, **seq, 1));
  const std::string leaf = rows.empty() ? std::string() : rows.front().note;
  mirror::EntryView view{.log = author.nick, .leaf_hash = hash, .entry = {}, .body = {}};
  TRY(view.entry, mirror::stored_entry(leaf, hash, author.nick, **seq));
  mirror::VaultStore store(vault, {}, {}, 0);
  TRY(const auto body, mirror::stored_body(store, leaf));
  if (body) {
    TRY(view.body, log::open_body(view.entry, *body));
  }
  return view;
}

Result<const group::Charter*> charter_of(const group::Membership& membership, const Digest& hash) {
  const auto version = std::ranges::find(membership.versions(), hash, &group::SignedCharter::hash);
  if (version != membership.versions().end()) return &version->charter;
  return fail(Errc::not_found,
              "The session was under a version of the charter that is not known here, so nobody can say yet who had to "
              "hold what. Take the amendments that the others have: parley group take.");
}

Result<bool> is_final(mirror::Holdings& holdings, const group::Membership& membership, const HeldBy& held) {
  TRY(const group::Charter* charter, charter_of(membership, held.charter));
  const group::CharterMember* owner = charter->member(held.nick);
  if (owner == nullptr) return false;
  TRY(const auto all, holdings.of(owner->keys.log.name, held.seq));
  std::vector<std::string> holders = {held.nick};
  for (const mirror::Holding& holding : all)
    if (holding.since <= held.time && holding.nick != held.nick && charter->member(holding.nick) != nullptr)
      holders.push_back(holding.nick);
  // Whoever gave its word has given it, wherever it goes afterwards.
  std::set<std::string, std::less<>> absent = membership.left();
  for (const std::string& holder : holders) absent.erase(holder);
  std::set<std::string, std::less<>> without_accused = absent;
  without_accused.insert(held.accused);
  const auto others = std::ranges::count_if(charter->members, [&](const group::CharterMember& member) {
    return !without_accused.contains(member.keys.nick);
  });
  // Of two, the accuser would be the only witness.
  return group::hold_together(*charter, others < 2 ? absent : without_accused, holders);
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
      TRY(auto found, find_entry(vault, author, hash));
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
