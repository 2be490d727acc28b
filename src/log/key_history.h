// Taking a rotation of a key out of its owner's log (log.md 1.6): whoever has read the log so far knows which key signs
// what comes next, and so does an outsider who is shown the entries.
#pragma once

#include "log/entry.h"

namespace parley::log {

/// What a `key.rotate` entry carries. @param statement  as make_rotation() gives it
Json rotation_body(std::string statement);

/// Takes the rotation that `leaf` and its body carry into the history of its owner: the statement is signed by the
/// owner's id key, names the key that is in use, and one that the owner never had before (of a `cosign` key, nor
/// another one of its id); the entry is for everyone, behind all rotations that are known, and signed with the `node`
/// key that is in use from there on.
/// @error Errc::signature, Errc::format, Errc::limit; Errc::policy without an id key. `owner` is then as it was
Status admit_rotation(MemberKeys& owner, std::string_view leaf, const Body& body);

/// What admit_rotation() took, again.
inline Body body_of(const PlacedRotation& placed) {
  return {placed.salt, placed.body};
}

/// Whether a line of a checkpoint would not tell this `cosign` key from one that its owner had before.
bool looks_like_one_before(const MemberKeys& owner, const VerifierKey& cosign);

/// Whether a rotation brings a key that one of `members` has or had. @param role_key  Rotation::next
bool is_key_of(std::span<const MemberKeys> members, const VerifierKey& role_key);

}  // namespace parley::log
