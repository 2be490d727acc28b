#include "admission/epoch.h"

#include <fmt/format.h>

#include <algorithm>

#include "admission/detail/framed_hash.h"
#include "base/random.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "group/group_keys.h"
#include "log/entry_type.h"

namespace parley::admission {
namespace {

constexpr std::string_view kEpochDomain{"parley/admission/epoch/v1\0", 26};
constexpr std::string_view kSeedInfo = "parley/v1/admission/key";

Digest id_of(std::string_view group, const Epoch& epoch) {
  crypto::Sha256 hash;
  hash.update(as_bytes(kEpochDomain));
  detail::take_in(hash, group);
  detail::take_in(hash, epoch.name);
  for (const MemberKey& member : epoch.keys) {
    detail::take_in(hash, member.nick);
    hash.update(ByteArray<1>{static_cast<std::byte>(member.type)});
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

std::vector<indicator::Type> admitted_types(const group::Charter& charter) {
  std::vector<indicator::Type> types;
  for (const group::AdmissionCap& cap : charter.admission.types) types.push_back(cap.type);
  return types;
}

/// The charter from which on members and admitted types are the ones of today.
std::int64_t keys_since(const group::Membership& membership) {
  const auto& versions = membership.versions();
  const group::Charter& today = versions.back().charter;
  std::int64_t since = today.seq;
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    if (begins_epoch(version->charter, today)) break;
    since = version->charter.seq;
  }
  return since;
}

std::int64_t period_seconds(const group::Charter& charter) {
  return charter.admission.epoch_days * group::kSecondsPerDay;
}

std::int64_t period(const group::Membership& membership, UnixSeconds now) {
  const group::Charter& charter = membership.charter();
  const UnixSeconds elapsed = std::max<UnixSeconds>(0, std::max(now, membership.group().latest) - charter.not_before);
  return elapsed / period_seconds(charter);
}

}  // namespace

bool begins_epoch(const group::Charter& before, const group::Charter& after) {
  return before.members != after.members || admitted_types(before) != admitted_types(after);
}

bool Epoch::has(std::string_view nick) const {
  return std::ranges::find(members, nick) != members.end();
}

const crypto::Element* Epoch::key(std::string_view nick, indicator::Type type) const {
  const auto found =
      std::ranges::find_if(keys, [&](const MemberKey& each) { return each.nick == nick && each.type == type; });
  return found == keys.end() ? nullptr : &found->key;
}

std::string epoch_name(const group::Membership& membership, UnixSeconds now) {
  return fmt::format("{}.{}.{}", keys_since(membership),
                     membership.charter().members.size() - membership.current_members().size(),
                     period(membership, now));
}

UnixSeconds period_begin(const group::Membership& membership, UnixSeconds now) {
  const group::Charter& charter = membership.charter();
  return charter.not_before + period(membership, now) * period_seconds(charter);
}

Result<Standing> standing(vault::Vault& vault, const group::Membership& membership, UnixSeconds now) {
  const std::string& group = membership.charter().group;
  TRY_STATUS(read_logs(vault, group));
  Standing standing{.name = epoch_name(membership, now), .epoch = {}, .missing = {}};
  TRY(const auto said, vault.admission_keys(group, standing.name));
  Epoch epoch{.name = standing.name, .id = {}, .members = current_nicks(membership), .keys = {}};
  const std::string members = joined(epoch.members);
  for (const std::string& nick : epoch.members) {
    bool whole = true;
    for (const indicator::Type type : admitted_types(membership.charter())) {
      const auto found = std::ranges::find_if(said, [&](const vault::AdmissionKey& key) {
        return key.nick == nick && key.type == type && key.members == members;
      });
      const auto key = found != said.end() ? crypto::Element::decode(found->key) : std::optional<crypto::Element>();
      whole = whole && key;
      if (key) epoch.keys.push_back({nick, type, *key});
    }
    if (!whole) standing.missing.push_back(nick);
  }
  if (!standing.missing.empty()) return standing;
  epoch.id = id_of(group, epoch);
  standing.epoch = std::move(epoch);
  return standing;
}

Result<psi::oprf::KeyPair> own_key(const group::Desk& desk, const group::Membership& membership,
                                   std::string_view epoch_name, indicator::Type type) {
  const group::Charter& charter = membership.charter();
  TRY(const group::GroupKeys keys,
      group::load_group_keys(desk.folder, desk.vault, charter.domain, charter.group, desk.card.nick));
  const auto seed = crypto::hkdf_sha512<32>(keys.node.expose(), as_bytes(charter.group), as_bytes(kSeedInfo));
  return psi::admission::derive_key(seed, as_bytes(fmt::format("{} {}", epoch_name, indicator::name_of(type))));
}

Result<bool> publish_key(const Party& us, UnixSeconds now) {
  const group::Membership& membership = us.membership;
  if (membership.charter().admission.types.empty() || membership.phase_at(now) != group::Phase::open) return false;
  TRY(const Standing standing, admission::standing(us.desk.vault, membership, now));
  if (std::ranges::find(standing.missing, us.desk.card.nick) == standing.missing.end()) return false;
  KeyRecord record{.epoch = standing.name, .members = current_nicks(membership), .keys = {}};
  for (const indicator::Type type : admitted_types(membership.charter())) {
    TRY(const psi::oprf::KeyPair key, own_key(us.desk, membership, standing.name, type));
    KeyRecord::OfType& of_type = record.keys.emplace_back(KeyRecord::OfType{.type = type, .key = {}, .proof = {}});
    std::ranges::copy(key.public_key.encoding(), of_type.key.begin());
    const auto nonce = crypto::Scalar::from_uniform(random_secret<crypto::kUniformBytes>().expose());
    const Digest claim = claim_of(membership.charter().group, us.desk.card.nick, record, type);
    TRY(of_type.proof, psi::admission::prove_possession(key, claim, nonce));
  }
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
