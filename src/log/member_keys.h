// The public keys by which one member's log is checked, as a charter states them (log.md 1.1).
#pragma once

#include <optional>
#include <span>

#include "log/commitment.h"
#include "log/rotation.h"

namespace parley::log {

/// A note carries its log's signature and one cosignature by each other member, and every verifier must take 16
/// (log.md D12).
inline constexpr std::size_t kMaxGroupMembers = 16;

/// A rotation at its place in its owner's log: it holds from that entry on, and the new `node` key signs that entry.
struct PlacedRotation {
  std::uint64_t seq = 0;
  Rotation rotation;
  // What shows it to others: the entry and its body.
  std::string leaf;
  Salt salt{};
  std::string body;
  bool operator==(const PlacedRotation&) const = default;
};

/// The keys of a member, as its charter names them, and what has taken their place since. `node` signs the entries of
/// one log only, the one whose checkpoints `log` signs. Whoever begins another log (log.md 1.6) begins it with another
/// `node` key, or entries of the two logs would look like two entries at one place.
struct MemberKeys {
  std::string nick;
  VerifierKey node;                          ///< the first: entries
  VerifierKey log;                           ///< checkpoints of its own log; the name is the log's origin
  VerifierKey cosign;                        ///< the first: cosignatures on the checkpoints of others
  VerifierKey id = {};                       ///< signs rotations; without a name where none can be checked
  std::vector<PlacedRotation> rotated = {};  ///< ascending by place, as admit_rotation() takes them (key_history.h)

  /// The newest rotation of a role, at most at entry `seq`; nullptr if there is none.
  const PlacedRotation* rotation(KeyRole role, std::uint64_t seq = kMaxInteger) const;
  /// The key that signs entry `seq` of the member's log.
  const VerifierKey& node_at(std::uint64_t seq) const;
  const VerifierKey& newest_node() const { return node_at(kMaxInteger); }
  const VerifierKey& newest_cosign() const;
  /// The `cosign` key, in use or replaced, by which a signature claims to be; nothing if it is none of this member's.
  /// What is kept is judged by it: a cosignature that has counted stays counted, whatever a later rotation says of the
  /// key that made it. What comes is judged by cosign_on().
  std::optional<VerifierKey> ever_cosigned_by(const NoteSignature& signature) const;
  /// The keys whose cosignature counts on a tree of `size` entries of the log of `owner`, the newest first.
  std::vector<VerifierKey> cosign_on(std::string_view owner, std::uint64_t size) const;
  bool operator==(const MemberKeys&) const = default;
};

/// [a-z0-9-]{1,32}
bool is_nick(std::string_view text);

/// Admission of a group's keys: 1 to 16 members, nicks and key names all distinct, the types as the roles ask for, no
/// public key twice and none that is weak. Nothing else in this room admits a key again.
/// @error Errc::key_weak, Errc::format, Errc::limit
Status admit_members(std::span<const MemberKeys> members);

}  // namespace parley::log
