#include "admission/epoch.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "group/group_keys.h"
#include "log/entry_type.h"

namespace parley::admission {
namespace {

constexpr std::string_view kEpochDomain{"parley/admission/epoch/v1\0", 26};
constexpr std::string_view kSeedInfo = "parley/v1/admission/key";

void take_in(crypto::Sha256& hash, std::string_view text) {
  Bytes length;
  append_be(length, static_cast<std::uint16_t>(text.size()));
  hash.update(length);
  hash.update(as_bytes(text));
}

Digest id_of(std::string_view group, std::string_view name, std::span<const MemberKey> keys) {
  crypto::Sha256 hash;
  hash.update(as_bytes(kEpochDomain));
  take_in(hash, group);
  take_in(hash, name);
  for (const MemberKey& member : keys) {
    take_in(hash, member.nick);
    hash.update(member.key.encoding());
  }
  return hash.finish();
}

std::vector<std::string> current_nicks(const group::Membership& membership) {
  std::vector<std::string> nicks;
  for (const group::CharterMember* member : membership.current_members()) nicks.push_back(member->keys.nick);
  std::ranges::sort(nicks);
  return nicks;
}

/// The charter from which on the members are the ones of today.
std::int64_t members_since(const group::Membership& membership) {
  const auto& versions = membership.versions();
  std::int64_t since = versions.back().charter.seq;
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    if (version->charter.members != versions.back().charter.members) break;
    since = version->charter.seq;
  }
  return since;
}

}  // namespace

std::string epoch_name(const group::Membership& membership, UnixSeconds now) {
  const group::Charter& charter = membership.charter();
  const UnixSeconds elapsed = std::max<UnixSeconds>(0, std::max(now, membership.group().latest) - charter.not_before);
  const std::int64_t period = elapsed / (charter.admission.epoch_days * group::kSecondsPerDay);
  return fmt::format("{}.{}.{}", members_since(membership),
                     charter.members.size() - membership.current_members().size(), period);
}

Result<Standing> standing(vault::Vault& vault, const group::Membership& membership, UnixSeconds now) {
  const std::string& group = membership.charter().group;
  TRY_STATUS(read_logs(vault, group));
  Standing standing{.name = epoch_name(membership, now), .epoch = {}, .missing = {}};
  TRY(const auto said, vault.admission_keys(group, standing.name));
  const std::vector<std::string> nicks = current_nicks(membership);
  const std::string members = joined(nicks);
  Epoch epoch{.name = standing.name, .id = {}, .keys = {}};
  for (const std::string& nick : nicks) {
    const auto found = std::ranges::find(said, nick, &vault::AdmissionKey::nick);
    const auto key = found != said.end() && found->members == members ? crypto::Element::decode(found->key)
                                                                      : std::optional<crypto::Element>();
    if (key)
      epoch.keys.push_back({nick, *key});
    else
      standing.missing.push_back(nick);
  }
  if (!standing.missing.empty()) return standing;
  epoch.id = id_of(group, epoch.name, epoch.keys);
  standing.epoch = std::move(epoch);
  return standing;
}

Result<psi::oprf::KeyPair> own_key(const group::Desk& desk, const group::Membership& membership,
                                   std::string_view epoch_name) {
  const group::Charter& charter = membership.charter();
  TRY(const group::GroupKeys keys,
      group::load_group_keys(desk.folder, desk.vault, charter.domain, charter.group, desk.card.nick));
  const auto seed = crypto::hkdf_sha512<32>(keys.node.expose(), as_bytes(charter.group), as_bytes(kSeedInfo));
  return psi::admission::derive_key(seed, as_bytes(epoch_name));
}

Result<bool> publish_key(const Party& us, UnixSeconds now) {
  const group::Membership& membership = us.membership;
  if (membership.charter().admission.types.empty() || membership.phase_at(now) != group::Phase::open) return false;
  TRY(const Standing standing, admission::standing(us.desk.vault, membership, now));
  if (std::ranges::find(standing.missing, us.desk.card.nick) == standing.missing.end()) return false;
  TRY(const psi::oprf::KeyPair key, own_key(us.desk, membership, standing.name));
  KeyRecord record{.epoch = standing.name, .members = current_nicks(membership), .key = {}, .proof = {}};
  std::ranges::copy(key.public_key.encoding(), record.key.begin());
  const auto nonce = crypto::Scalar::from_uniform(random_secret<crypto::kUniformBytes>().expose());
  const Digest claim = claim_of(membership.charter().group, us.desk.card.nick, record);
  TRY(record.proof, psi::admission::prove_possession(key, claim, nonce));
  TRY([[maybe_unused]] const mirror::EntryView written,
      us.log.append(mirror::draft_for_everyone(log::kAdmissionEpoch, to_json(record))));
  return true;
}

Result<std::optional<vault::TaggedOnly>> tagged_only(vault::Vault& vault, const group::Membership& membership,
                                                     std::span<const indicator::Type> types, UnixSeconds now) {
  vault::TaggedOnly only;
  for (const indicator::Type type : types)
    if (membership.charter().admission.cap(type) != nullptr) only.types.push_back(type);
  if (only.types.empty()) return std::nullopt;
  TRY(const Standing standing, admission::standing(vault, membership, now));
  if (standing.epoch) only.epoch = standing.epoch->id;
  return only;
}

}  // namespace parley::admission
