// Epochs of admission (psi.md 6.6): which one it is now, whose keys it has, and this member's own keys in it.
//
// An epoch has a name that every member finds by itself from the charters, from who has left, and from the clock:
// nobody can begin one early, so nobody can have others' counts begin anew. It is in force once the log of every member
// has keys for it, one for each type that is admitted, and then it has an id, a hash over all keys: whoever was shown
// other keys has another id.
#pragma once

#include "admission/records.h"
#include "group/founding.h"
#include "group/joint_log.h"

namespace parley::admission {

/// What admission needs of its node.
struct Party {
  group::Desk desk;
  const group::Membership& membership;
  group::JointLog& log;
  ThreadPool& pool;
  Progress& progress;
};

/// A member's key for one type.
struct MemberKey {
  std::string nick;
  indicator::Type type = indicator::Type::ipv4;
  crypto::Element key;
};

struct Epoch {
  std::string name;
  Digest id{};
  std::vector<std::string> members;  ///< nicks, ascending
  std::vector<MemberKey> keys;       ///< of all members and types, ascending by nick and the type's name

  bool has(std::string_view nick) const;
  /// nullptr where there is none.
  const crypto::Element* key(std::string_view nick, indicator::Type type) const;
};

/// Whether the second version of a charter ends the epoch of the first: other members, or other types that are
/// admitted. Other caps change no key.
bool begins_epoch(const group::Charter& before, const group::Charter& after);
/// "<charter since which members and admitted types are these>.<how many of them have left>.<period>".
std::string epoch_name(const group::Membership& membership, UnixSeconds now);
/// When the period began in which an epoch of now lies.
UnixSeconds period_begin(const group::Membership& membership, UnixSeconds now);

/// The epoch that is due.
struct Standing {
  std::string name;
  std::optional<Epoch> epoch;        ///< nothing while keys are missing
  std::vector<std::string> missing;  ///< nicks of those without keys for all types
};
/// Brings the vault's tables up to the logs first. @error the vault's
Result<Standing> standing(vault::Vault& vault, const group::Membership& membership, UnixSeconds now);

/// This member's key for a type in an epoch. It comes from the member's keys of the group, so an older disk that is put
/// back has it again, and with those it is destroyed. @error as group::load_group_keys
Result<psi::oprf::KeyPair> own_key(const group::Desk& desk, const group::Membership& membership,
                                   std::string_view epoch_name, indicator::Type type);

/// Writes our keys of the epoch that is due into our log, unless they are there, or the charter asks for no tags.
/// @return whether it was written now @error as JointLog::append
Result<bool> publish_key(const Party& us, UnixSeconds now);

/// Of `types`, what may enter a session of the group now: nothing is returned where the charter asks for no tags of
/// them. While keys are missing the epoch in it is zeros. @error the vault's
Result<std::optional<vault::TaggedOnly>> tagged_only(vault::Vault& vault, const group::Membership& membership,
                                                     std::span<const indicator::Type> types, UnixSeconds now);

}  // namespace parley::admission
