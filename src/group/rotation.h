// Keys of members that are replaced while a group goes on (log.md 1.6): where the new seeds lie, which `tls` key a peer
// is pinned by now, and which one of ours a peer expects. `node` and `cosign` are of one group; the `tls` key of a
// member is one for all its groups, and its replacement is told in each of them.
#pragma once

#include "group/joint_log.h"
#include "group/member.h"
#include "group/membership.h"

namespace parley::group {

/// The members as a charter names them, with their id keys.
std::vector<log::MemberKeys> charter_keys(const Charter& charter);
/// The same with what has taken the place of those keys in the logs that `vault` holds.
/// @error Errc::vault_damaged
Result<std::vector<log::MemberKeys>> member_keys(vault::Vault& vault, const Charter& charter);

/// The keys of everybody who is or was a member, by each version of the charter that names other keys of it. Of a log
/// in which a rotation is damaged here only those before it are known. @error the vault's
Result<std::vector<log::MemberKeys>> keys_of_all_versions(vault::Vault& vault, const Membership& membership);

/// A rotation of a `cosign` key that says of the old one that it has cosigned less of a log than is kept here, signed
/// with it: of an older disk, or somebody's try to take its word back, which counts all the same.
struct ShortCutoff {
  std::string nick;
  std::uint64_t seq = 0;       ///< of the rotation, in its owner's log
  std::string log;             ///< whose
  std::uint64_t stated = 0;    ///< how much of it the rotation admits
  std::int64_t signed_at = 0;  ///< when the old key signed more
  std::string in_words() const;
};
/// @error the vault's
Result<std::vector<ShortCutoff>> short_cutoffs(vault::Vault& vault, const Membership& membership);

/// Seeds of this member in one group that took the place of those in its key file.
Result<std::vector<Secret<32>>> rotated_seeds(vault::Vault& vault, std::string_view group);
/// Which keys of ours in the group are in use by what our log says, and are not on this disk: it was put back to before
/// they took the place of others. None once the group's keys are destroyed. @error as load_group_keys
Result<std::vector<log::KeyRole>> missing_keys(const std::filesystem::path& folder, vault::Vault& vault,
                                               const Charter& charter, std::string_view nick);
/// What it means that such a key is missing, and what to do. @param group_name  as the member calls it
std::string missing_key_warning(std::string_view group_name, log::KeyRole role);
/// Whether the key in use is here, for a log that is written or sealed. @error Errc::policy with missing_key_warning()
Status check_key(JointLog& log, std::string_view group_name, log::KeyRole role);
/// Keeps another one. Precondition: in one step with the entry that tells of it.
Status keep_rotated_seed(vault::Vault& vault, std::string_view group, const Secret<32>& seed);
/// Durably; at the end of the group.
Status forget_rotated_seeds(vault::Vault& vault, std::string_view group);

/// The seeds that took the place of the one in node.key, the one in use last. Empty where none did.
Result<std::vector<Secret<32>>> rotated_tls_seeds(vault::Vault& vault);
/// Keeps another one, unless it is the one in use already.
Status keep_tls_seed(vault::Vault& vault, const Secret<32>& seed);

/// Who we are on a link that a peer has begun: by the `tls` key in use.
Result<wire::LocalIdentity> identity_now(vault::Vault& vault, const Member& us);
/// Who we are on a link to a member of the group whose log this is: by the newest `tls` key that it has signed for in
/// our log. Until it has, it expects the one before.
Result<wire::LocalIdentity> identity_towards(vault::Vault& vault, const Member& us, JointLog& log,
                                             std::string_view nick);

/// What a peer has to show on a link in the group of `log`: the `tls` key of its card, or what took its place by the
/// peer's own word, in this log, in another one (note_rotations), or told by hand.
Result<wire::PinnedPeer> pinned_now(vault::Vault& vault, const vault::Peer& peer, JointLog& log);

/// The peer that this key is pinned to now. @param in_logs  what open logs say
std::optional<wire::PinnedPeer> peer_by_key(vault::Vault& vault, const ByteArray<32>& tls_key,
                                            std::span<const mirror::Replica::Replaced> in_logs);

/// Takes the rotations of `tls` keys that have come in the logs of the other members.
/// @return the nicks of those who have another key than before
Result<std::vector<std::string>> note_rotations(vault::Vault& vault, const Charter& charter, JointLog& log);

}  // namespace parley::group
