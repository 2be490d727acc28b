#include "log/key_history.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace parley::log {
namespace {

std::unexpected<Error> not_taken(const MemberKeys& owner, std::uint64_t seq, std::string_view why) {
  return fail(Errc::format,
              fmt::format("Entry {} of the log of {} does not rotate a key as it says: {}.", seq, owner.nick, why));
}

Result<Rotation> statement_of(const Json& body, const VerifierKey& id) {
  ObjectReader reader(body, "the body of a key.rotate entry");
  const std::string statement = reader.text("rotation", kMaxRotationBytes);
  reader.integer("v", 1, 1);
  TRY_STATUS(reader.finish());
  return read_rotation(statement, id);
}

/// The first thing that keeps it from following what is known; empty if nothing does.
std::string broken_order(const MemberKeys& owner, std::uint64_t seq, const Rotation& rotation) {
  if (rotation.origin != owner.log.name || rotation.nick != owner.nick) return "its statement is of another log";
  if (!owner.rotated.empty() && seq <= owner.rotated.back().seq) return "a later rotation is known";
  if (owner.rotated.size() >= kMaxRotations) return "the log has as many rotations as there may be";
  const PlacedRotation* before = owner.rotation(rotation.role);
  const VerifierKey* in_use = before != nullptr                  ? &before->rotation.next
                              : rotation.role == KeyRole::node   ? &owner.node
                              : rotation.role == KeyRole::cosign ? &owner.cosign
                                                                 : nullptr;  // the first `tls` key is on the card only
  if (in_use != nullptr && *in_use != rotation.old) return "the old key is not the one in use";
  if (is_key_of({&owner, 1}, rotation.next)) return "the new key is one that this member had before";
  if (rotation.role == KeyRole::cosign && looks_like_one_before(owner, rotation.next))
    return "the new key looks like one that this member had before: they have one id";
  return {};
}

}  // namespace

Json rotation_body(std::string statement) {
  return Json::Object{{"rotation", std::move(statement)}, {"v", 1}};
}

Status admit_rotation(MemberKeys& owner, std::string_view leaf, const Body& body) {
  if (owner.id.name.empty())
    return fail(
        Errc::policy,
        fmt::format("Whether {} has rotated a key cannot be checked: its id key is not known here.", owner.nick));
  TRY(const Entry claimed, read_entry_unverified(leaf));
  if (claimed.type != kKeyRotate) return not_taken(owner, claimed.seq, "it is an entry of another type");
  if (claimed.audience != std::vector<std::string>{std::string(kEveryone)})
    return not_taken(owner, claimed.seq, "it is not for everyone");
  TRY(const Json object, open_body(claimed, body));
  TRY(Rotation rotation, statement_of(object, owner.id));
  if (const std::string why = broken_order(owner, claimed.seq, rotation); !why.empty())
    return not_taken(owner, claimed.seq, why);
  owner.rotated.push_back({claimed.seq, std::move(rotation), std::string(leaf), body.salt, body.text});
  if (auto read = read_entry(leaf, owner); !read) {
    owner.rotated.pop_back();
    return std::unexpected(std::move(read).error());
  }
  return {};
}

// A line of a checkpoint names its key by four bytes, which are soon the same for two keys: with two such cosign keys
// a member's lines by the old one would pass for forged lines by the new one, and nobody would take a note with them.
bool looks_like_one_before(const MemberKeys& owner, const VerifierKey& cosign) {
  return owner.cosign.id() == cosign.id() || std::ranges::any_of(owner.rotated, [&](const PlacedRotation& placed) {
           return placed.rotation.role == KeyRole::cosign && placed.rotation.next.id() == cosign.id();
         });
}

bool is_key_of(std::span<const MemberKeys> members, const VerifierKey& key) {
  return std::ranges::any_of(members, [&](const MemberKeys& member) {
    return member.node.key == key.key || member.log.key == key.key || member.cosign.key == key.key ||
           member.id.key == key.key || std::ranges::any_of(member.rotated, [&](const PlacedRotation& placed) {
             return placed.rotation.old.key == key.key || placed.rotation.next.key == key.key;
           });
  });
}

}  // namespace parley::log
