// The public keys by which one member's log is checked, as a charter states them (log.md 1.1).
#pragma once

#include <span>

#include "log/note.h"

namespace parley::log {

/// A note carries its log's signature and one cosignature by each other member, and every verifier must take 16
/// (log.md D12).
inline constexpr std::size_t kMaxGroupMembers = 16;

/// One generation of a member's keys: `node` signs the entries of one log only, the one whose checkpoints `log` signs.
/// Whoever begins another log (log.md 1.6) begins it with another `node` key, or entries of the two logs would look
/// like two entries at one place.
struct MemberKeys {
  std::string nick;
  VerifierKey node;    ///< entries, Hello
  VerifierKey log;     ///< checkpoints of its own log; the name is the log's origin
  VerifierKey cosign;  ///< cosignatures on the checkpoints of others
  bool operator==(const MemberKeys&) const = default;
};

/// [a-z0-9-]{1,32}
bool is_nick(std::string_view text);

/// Admission of a group's keys: 1 to 16 members, nicks and key names all distinct, the types as the roles ask for, no
/// public key twice and none that is weak. Nothing else in this room admits a key again.
/// @error Errc::key_weak, Errc::format, Errc::limit
Status admit_members(std::span<const MemberKeys> members);

}  // namespace parley::log
