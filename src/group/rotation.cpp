#include "group/rotation.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "group/founding.h"
#include "group/group_keys.h"
#include "group/paper_kinds.h"
#include "group/papers.h"
#include "mirror/holdings.h"
#include "mirror/key_rotation.h"

namespace parley::group {
namespace {

constexpr std::string_view kTlsSecret = "member/tls";
constexpr std::size_t kSeedBytes = Secret<32>::kSize;

std::string secret_name(std::string_view group) {
  return fmt::format("group/{}/rotated", group);
}

/// Seeds are kept one behind the other.
Result<std::vector<Secret<32>>> seeds_in(vault::Vault& vault, std::string_view name) {
  std::vector<Secret<32>> seeds;
  TRY(const auto stored, vault.secret(name));
  if (!stored) return seeds;
  if (stored->size() % kSeedBytes != 0)
    return fail(Errc::vault_damaged, "The seeds of rotated keys have a wrong length.");
  for (std::size_t at = 0; at < stored->size(); at += kSeedBytes)
    seeds.emplace_back(stored->expose().subspan(at).first<kSeedBytes>());
  return seeds;
}

Status add_seed(vault::Vault& vault, std::string_view name, const Secret<32>& seed) {
  TRY(const auto stored, vault.secret(name));
  const std::size_t before = stored ? stored->size() : 0;
  SecretBytes all(before + kSeedBytes);
  if (stored) std::ranges::copy(stored->expose(), all.expose_mutable().begin());
  std::ranges::copy(seed.expose(), all.expose_mutable().subspan(before).begin());
  return vault.put_secret(name, all.expose());
}

wire::LocalIdentity with_tls(const Member& us, const Secret<32>& seed) {
  wire::LocalIdentity identity = us.identity();
  identity.tls_seed = seed.clone();
  return identity;
}

/// The statement in an entry that was checked when it was taken.
Result<std::string> statement_of(const log::PlacedRotation& placed) {
  TRY(const log::Json body, log::parse_pjson(placed.body, log::kMaxBodyBytes));
  log::ObjectReader reader(body, "the body of a rotation");
  std::string statement = reader.text("rotation", log::kMaxRotationBytes);
  reader.integer("v", 1, 1);
  TRY_STATUS(reader.finish());
  return statement;
}

/// All statements about `tls` keys that are kept here, of all groups.
Result<std::vector<vault::GroupPaper>> kept_statements(vault::Vault& vault) {
  TRY(const auto groups, vault.groups());
  std::vector<vault::GroupPaper> kept;
  for (const vault::GroupRow& group : groups) {
    TRY(auto papers, papers_of_kind(vault, group.id, kPaperRotation));
    std::ranges::move(papers, std::back_inserter(kept));
  }
  return kept;
}

using Replaced = mirror::Replica::Replaced;

/// @param in_logs  what open logs say, where it has not been noted yet
Result<wire::PinnedPeer> pin_by(const vault::Peer& peer, std::span<const vault::GroupPaper> statements,
                                std::span<const Replaced> in_logs) {
  TRY(const Card card, read_card(peer.card));
  TRY(const log::VerifierKey id, log::parse_vkey(card.id_vkey));
  wire::PinnedPeer pin = pinned(peer.name, card);
  std::vector<log::Rotation> rotations;
  for (const vault::GroupPaper& paper : statements) {
    if (!paper.key.starts_with(card.nick + "/")) continue;
    // Another member of the same nick in another group has another id key.
    auto rotation = log::read_rotation(paper.text, id);
    if (rotation && rotation->role == log::KeyRole::tls) rotations.push_back(*std::move(rotation));
  }
  for (const Replaced& replaced : in_logs)
    if (replaced.id == id) rotations.push_back(replaced.rotation);
  // Each key is replaced once, since none comes back.
  for (std::size_t steps = 0; steps < rotations.size(); ++steps) {
    const auto next = std::ranges::find(rotations, pin.tls_key, [](const log::Rotation& one) { return one.old.key; });
    if (next == rotations.end()) break;
    pin.tls_key = next->next.key;
  }
  return pin;
}

}  // namespace

std::vector<log::MemberKeys> charter_keys(const Charter& charter) {
  std::vector<log::MemberKeys> keys;
  for (const CharterMember& member : charter.members) {
    keys.push_back(member.keys);
    keys.back().id = member.id;
  }
  return keys;
}

Result<std::vector<log::MemberKeys>> member_keys(vault::Vault& vault, const Charter& charter) {
  std::vector<log::MemberKeys> keys = charter_keys(charter);
  TRY_STATUS(mirror::load_rotations(vault, charter.group, keys));
  return keys;
}

Result<std::vector<log::MemberKeys>> keys_of_all_versions(vault::Vault& vault, const Membership& membership) {
  std::vector<log::MemberKeys> all;
  for (const SignedCharter& version : membership.versions())
    for (log::MemberKeys& keys : charter_keys(version.charter))
      if (std::ranges::find(all, keys) == all.end()) all.push_back(std::move(keys));
  for (log::MemberKeys& keys : all) {
    const Status loaded = mirror::load_rotations(vault, membership.charter().group, {&keys, 1});
    if (!loaded && loaded.error().code != Errc::vault_damaged) return std::unexpected(loaded.error());
  }
  return all;
}

std::string ShortCutoff::in_words() const {
  return fmt::format(
      "Entry {} of the log of {} replaces its cosign key and says that the old one has cosigned {} entries of the log "
      "of "
      "{}; more is kept here, signed with it at {}, and counts.",
      seq, nick, stated, log, to_rfc3339(signed_at));
}

Result<std::vector<ShortCutoff>> short_cutoffs(vault::Vault& vault, const Membership& membership) {
  TRY(const std::vector<log::MemberKeys> all, keys_of_all_versions(vault, membership));
  mirror::Holdings holdings(vault, all);
  std::vector<ShortCutoff> found;
  for (const log::MemberKeys& member : all)
    for (const log::PlacedRotation& placed : member.rotated) {
      if (placed.rotation.role != log::KeyRole::cosign) continue;
      for (const log::MemberKeys& owner : all) {
        const auto& cutoffs = placed.rotation.cutoffs;
        const auto cutoff = std::ranges::find(cutoffs, owner.nick, &log::Cutoff::nick);
        const std::uint64_t stated = cutoff == cutoffs.end() ? 0 : cutoff->size;
        TRY(const auto beyond, holdings.of(owner.log.name, stated));
        const auto kept = std::ranges::find(beyond, member.nick, &mirror::Holding::nick);
        if (kept != beyond.end() && kept->key == placed.rotation.old)
          found.push_back({member.nick, placed.seq, owner.nick, stated, kept->since});
      }
    }
  return found;
}

Result<std::vector<Secret<32>>> rotated_seeds(vault::Vault& vault, std::string_view group) {
  return seeds_in(vault, secret_name(group));
}

Result<std::vector<log::KeyRole>> missing_keys(const std::filesystem::path& folder, vault::Vault& vault,
                                               const Charter& charter, std::string_view nick) {
  std::vector<log::KeyRole> missing;
  const auto made = load_group_keys(folder, vault, charter.domain, charter.group, nick);
  if (!made && made.error().code == Errc::not_found) return missing;
  if (!made) return std::unexpected(made.error());
  TRY(const auto rotated, rotated_seeds(vault, charter.group));
  TRY(const auto members, member_keys(vault, charter));
  const auto own = std::ranges::find(members, nick, &log::MemberKeys::nick);
  if (own == members.end()) return missing;
  const auto is_here = [&](const log::VerifierKey& key, const Secret<32>& first) {
    return crypto::public_key_of(first) == key.key ||
           std::ranges::any_of(rotated, [&](const Secret<32>& seed) { return crypto::public_key_of(seed) == key.key; });
  };
  if (!is_here(own->newest_node(), made->node)) missing.push_back(log::KeyRole::node);
  if (!is_here(own->newest_cosign(), made->cosign)) missing.push_back(log::KeyRole::cosign);
  return missing;
}

std::string missing_key_warning(std::string_view group_name, log::KeyRole role) {
  const std::string_view meaning = role == log::KeyRole::node
                                       ? "nothing can be written into your log"
                                       : "nothing that the others write gets your signature, and counts as held by you";
  return fmt::format(
      "Your {0} key in {1} is not on this disk, which is of a time before it took the place of another. Until it is "
      "replaced {2}: parley group rotate {1} --role {0} --reason lost",
      log::name_of(role), visible(group_name), meaning);
}

Status check_key(JointLog& log, std::string_view group_name, log::KeyRole role) {
  const bool missing = log.with([&](mirror::Replica& replica) {
    const mirror::State state = replica.state();
    return (state == mirror::State::live || state == mirror::State::sealed) && !replica.has_key(role);
  });
  if (missing) return fail(Errc::policy, missing_key_warning(group_name, role));
  return {};
}

Status keep_rotated_seed(vault::Vault& vault, std::string_view group, const Secret<32>& seed) {
  return add_seed(vault, secret_name(group), seed);
}

Status forget_rotated_seeds(vault::Vault& vault, std::string_view group) {
  return vault.put_secret(secret_name(group), {});
}

Result<std::vector<Secret<32>>> rotated_tls_seeds(vault::Vault& vault) {
  return seeds_in(vault, kTlsSecret);
}

Status keep_tls_seed(vault::Vault& vault, const Secret<32>& seed) {
  TRY(const auto seeds, rotated_tls_seeds(vault));
  if (!seeds.empty() && seeds.back().equals(seed)) return {};
  return add_seed(vault, kTlsSecret, seed);
}

Result<wire::LocalIdentity> identity_now(vault::Vault& vault, const Member& us) {
  TRY(const auto seeds, rotated_tls_seeds(vault));
  return seeds.empty() ? us.identity() : with_tls(us, seeds.back());
}

Result<wire::LocalIdentity> identity_towards(vault::Vault& vault, const Member& us, JointLog& log,
                                             std::string_view nick) {
  TRY(const auto seeds, rotated_tls_seeds(vault));
  if (seeds.empty()) return us.identity();
  TRY(const ByteArray<32> expected, log.with([&](mirror::Replica& replica) -> Result<ByteArray<32>> {
    TRY(const log::MemberKeys own, replica.keys_of(log.nick()));
    ByteArray<32> key = us.card.tls_key;
    for (const log::PlacedRotation& placed : own.rotated) {
      if (placed.rotation.role != log::KeyRole::tls) continue;
      if (!replica.held_by(nick, log.nick(), placed.seq + 1)) break;
      key = placed.rotation.next.key;
    }
    return key;
  }));
  for (const Secret<32>& seed : seeds)
    if (crypto::public_key_of(seed) == expected) return with_tls(us, seed);
  return us.identity();
}

Result<wire::PinnedPeer> pinned_now(vault::Vault& vault, const vault::Peer& peer, JointLog& log) {
  TRY(const auto statements, kept_statements(vault));
  const auto in_log = log.with([](mirror::Replica& replica) { return replica.replaced(log::KeyRole::tls); });
  return pin_by(peer, statements, in_log);
}

std::optional<wire::PinnedPeer> peer_by_key(vault::Vault& vault, const ByteArray<32>& tls_key,
                                            std::span<const Replaced> in_logs) {
  const auto peers = vault.peers();
  const auto statements = kept_statements(vault);
  if (!peers || !statements) return std::nullopt;
  for (const vault::Peer& peer : *peers) {
    auto pin = pin_by(peer, *statements, in_logs);
    if (pin && constant_time_equal(pin->tls_key, tls_key)) return *std::move(pin);
  }
  return std::nullopt;
}

Result<std::vector<std::string>> note_rotations(vault::Vault& vault, const Charter& charter, JointLog& log) {
  std::vector<std::string> changed;
  TRY(const auto papers, papers_of_kind(vault, charter.group, kPaperRotation));
  for (const CharterMember& member : charter.members) {
    const std::string& nick = member.keys.nick;
    if (nick == log.nick()) continue;
    TRY(const log::MemberKeys keys, log.with([&](mirror::Replica& replica) { return replica.keys_of(nick); }));
    bool is_new = false;
    for (const log::PlacedRotation& placed : keys.rotated) {
      const std::string key = fmt::format("{}/{}", nick, placed.seq);
      if (placed.rotation.role != log::KeyRole::tls ||
          std::ranges::find(papers, key, &vault::GroupPaper::key) != papers.end())
        continue;
      TRY(const std::string statement, statement_of(placed));
      TRY_STATUS(vault.put_group_paper(charter.group, {std::string(kPaperRotation), key, statement}));
      is_new = true;
    }
    if (is_new) changed.push_back(nick);
  }
  return changed;
}

}  // namespace parley::group
