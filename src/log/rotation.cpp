#include "log/rotation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <functional>

#include "base/clock.h"
#include "base/text.h"
#include "log/member_keys.h"
#include "log/merkle.h"

namespace parley::log {
namespace {

constexpr std::int64_t kRotationVersion = 1;
constexpr std::size_t kMaxNickBytes = 32;
constexpr std::size_t kMaxWordBytes = 16;
constexpr std::size_t kMaxKeyTextBytes = 512;  // a name of 255 bytes and 64 of the key
constexpr std::array kRoles{KeyRole::node, KeyRole::cosign, KeyRole::tls};
constexpr std::array kReasons{RotationReason::lost, RotationReason::stolen, RotationReason::staff,
                              RotationReason::routine};

template <typename Value, std::size_t kCount>
std::optional<Value> named(const std::array<Value, kCount>& values, std::string_view name) {
  const auto found = std::ranges::find(values, name, [](Value value) { return name_of(value); });
  return found == values.end() ? std::nullopt : std::optional(*found);
}

std::string key_name(std::string_view origin, KeyRole role) {
  switch (role) {
    case KeyRole::node:
      return std::string(origin) + "/node";
    case KeyRole::cosign:
      return std::string(origin) + "/mirror";
    case KeyRole::tls:
      return tls_key_name(origin);
  }
  return {};
}

/// A key as it signs a statement. What a `cosign` key signs otherwise begins with "cosignature/v1", and what a `tls`
/// key signs with 64 blanks (RFC 8446 4.4.3): no statement can be taken for either.
VerifierKey as_signer(const VerifierKey& key) {
  return {key.name, KeyType::ed25519, key.key};
}

/// The first rule that it breaks, as a sentence without its end; empty if it breaks none.
std::string broken_rule(const Rotation& rotation) {
  const KeyType type = rotation.role == KeyRole::cosign ? KeyType::cosignature : KeyType::ed25519;
  const std::string name = key_name(rotation.origin, rotation.role);
  if (!is_nick(rotation.nick)) return "its owner must be a nick";
  for (const VerifierKey* key : {&rotation.old, &rotation.next})
    if (key->name != name || key->type != type)
      return fmt::format("its keys are not for the role {}", name_of(rotation.role));
  if (rotation.old.key == rotation.next.key) return "the new key is the old one";
  if (rotation.role != KeyRole::cosign && !rotation.cutoffs.empty()) return "only a cosign key has cutoffs";
  if (std::ranges::adjacent_find(rotation.cutoffs, std::greater_equal<>(), &Cutoff::nick) != rotation.cutoffs.end())
    return "its cutoffs must ascend, each nick once";
  const auto is_proper = [&](const Cutoff& cutoff) {
    return is_nick(cutoff.nick) && cutoff.nick != rotation.nick && cutoff.size > 0 && cutoff.size <= kMaxTreeSize;
  };
  if (!std::ranges::all_of(rotation.cutoffs, is_proper)) return "a cutoff is a size of another member's log";
  return {};
}

Json to_json(const Rotation& rotation) {
  Json::Array cutoffs;
  for (const Cutoff& cutoff : rotation.cutoffs)
    cutoffs.emplace_back(Json::Object{{"nick", cutoff.nick}, {"size", static_cast<std::int64_t>(cutoff.size)}});
  return Json::Object{
      {"cutoffs", std::move(cutoffs)},  {"log", rotation.origin},     {"new", rotation.next.text()},
      {"nick", rotation.nick},          {"old", rotation.old.text()}, {"reason", name_of(rotation.reason)},
      {"role", name_of(rotation.role)}, {"since", rotation.since},    {"v", kRotationVersion}};
}

Result<Cutoff> cutoff_from_json(const Json& object) {
  ObjectReader reader(object, "a cutoff of the rotation");
  Cutoff cutoff;
  cutoff.nick = reader.text("nick", kMaxNickBytes);
  cutoff.size = static_cast<std::uint64_t>(reader.integer("size", 1, kMaxInteger));
  TRY_STATUS(reader.finish());
  return cutoff;
}

Result<Rotation> from_json(const Json& object) {
  ObjectReader reader(object, "the rotation");
  Rotation rotation;
  const Json::Array& cutoffs = reader.array("cutoffs", kMaxGroupMembers);
  rotation.origin = reader.text("log", kMaxKeyTextBytes);
  const std::string next = reader.text("new", kMaxKeyTextBytes);
  rotation.nick = reader.text("nick", kMaxNickBytes);
  const std::string old = reader.text("old", kMaxKeyTextBytes);
  const auto reason = named(kReasons, reader.text("reason", kMaxWordBytes));
  const auto role = named(kRoles, reader.text("role", kMaxWordBytes));
  rotation.since = reader.integer("since", 0, kLatestTime);
  reader.integer("v", kRotationVersion, kRotationVersion);
  TRY_STATUS(reader.finish());
  if (!reason || !role) return fail(Errc::format, "Not a rotation of a key: its role or reason is not known.");
  rotation.reason = *reason;
  rotation.role = *role;
  for (const Json& cutoff : cutoffs) {
    TRY(rotation.cutoffs.emplace_back(), cutoff_from_json(cutoff));
  }
  TRY(rotation.next, parse_vkey(next));
  TRY(rotation.old, parse_vkey(old));
  if (const std::string why = broken_rule(rotation); !why.empty())
    return fail(Errc::format, fmt::format("Not a rotation of a key: {}.", why));
  return rotation;
}

}  // namespace

std::string_view name_of(KeyRole role) {
  switch (role) {
    case KeyRole::node:
      return "node";
    case KeyRole::cosign:
      return "cosign";
    case KeyRole::tls:
      return "tls";
  }
  return {};
}

std::string_view name_of(RotationReason reason) {
  switch (reason) {
    case RotationReason::lost:
      return "lost";
    case RotationReason::stolen:
      return "stolen";
    case RotationReason::staff:
      return "staff";
    case RotationReason::routine:
      return "routine";
  }
  return {};
}

std::string tls_key_name(std::string_view origin) {
  return std::string(origin) + "/tls";
}

std::string make_rotation(const Rotation& rotation, std::string_view id_name, const crypto::SigningKey& id,
                          const crypto::SigningKey& next, const crypto::SigningKey* old) {
  assert(broken_rule(rotation).empty() && (old != nullptr || !old_key_signs(rotation.reason)));
  Note note{fmt::format("{}\n{}\n", kRotationKind, write_pjson(to_json(rotation))), {}};
  note.signatures.push_back(make_signature(note.text, id_name, id));
  note.signatures.push_back(make_signature(note.text, rotation.next.name, next));
  if (old_key_signs(rotation.reason)) note.signatures.push_back(make_signature(note.text, rotation.old.name, *old));
  return write_note(note);
}

Result<Rotation> read_rotation(std::string_view text, const VerifierKey& id) {
  if (text.size() > kMaxRotationBytes)
    return fail(Errc::limit, fmt::format("A rotation of a key of {} bytes is longer than its limit of {}.", text.size(),
                                         kMaxRotationBytes));
  TRY(const Note note, parse_note(text));
  TRY(const Json object, read_object_unverified(note, kRotationKind, kMaxRotationBytes));
  TRY(Rotation rotation, from_json(object));
  std::vector<VerifierKey> due{id, as_signer(rotation.next)};
  if (old_key_signs(rotation.reason)) due.push_back(as_signer(rotation.old));
  if (note.signatures.size() != due.size())
    return fail(Errc::signature, fmt::format("A rotation with the reason {} bears {} signatures; {} are due.",
                                             name_of(rotation.reason), note.signatures.size(), due.size()));
  for (const VerifierKey& key : due) TRY_STATUS(verify_note(note, key));
  return rotation;
}

}  // namespace parley::log
