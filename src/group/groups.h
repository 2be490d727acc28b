// The groups of one vault at work in this process: of each the charter in force and the joint log. There is one replica
// of a log in a process, whoever uses it.
#pragma once

#include <map>

#include "group/joint_log.h"
#include "group/membership.h"
#include "group/operation.h"
#include "group/rotation.h"

namespace parley::group {

class Groups {
 public:
  /// What is to be done when a log has been opened, before anybody else has it.
  using Opened = std::function<Status(JointLog&)>;

  /// @param vault  outlives this
  Groups(std::filesystem::path folder, vault::Vault& vault, Card card, Opened opened = {})
      : folder_(std::move(folder)), vault_(vault), card_(std::move(card)), opened_(std::move(opened)) {}
  Groups(const Groups&) = delete;
  Groups& operator=(const Groups&) = delete;

  /// What the vault says of the group now. @error as Membership::load(); Errc::not_found
  Result<Membership> membership(std::string_view id);

  /// The joint log of a group with a charter in force. The replica follows the charter: it is opened again when another
  /// one is in force than when it was last asked for. Once the group's keys are destroyed it signs nothing.
  /// @error Errc::not_found without a charter, or without keys; and as open_replica()
  Result<std::shared_ptr<JointLog>> log(std::string_view id);

  /// Takes the leaves with which other members' logs end, and writes into ours that they have left, with the quorum of
  /// those who are still there. One that cannot be taken yet (Membership::admit_leave) is looked at again by the next
  /// call. @return who has left @error as log() and JointLog::append
  Result<std::vector<std::string>> note_leaves(std::string_view id, UnixSeconds now);

  /// Takes the rotations of other members' `tls` keys (group::note_rotations). @return who has another one
  Result<std::vector<std::string>> note_rotations(std::string_view id);

  /// Whose key this is on a link that begins here (group::peer_by_key), by what all open logs say.
  std::optional<wire::PinnedPeer> peer_by_key(const ByteArray<32>& tls_key);

  /// A key of ours that is to be replaced.
  struct Rotating {
    log::KeyRole role{};
    log::RotationReason reason{};
    UnixSeconds since = 0;   ///< as log::Rotation::since
    const Secret<32>& seed;  ///< of the new one
  };
  /// Replaces a key of ours in this group; the seed is durable with the entry that says so. @error as Replica::rotate
  Result<mirror::EntryView> rotate(std::string_view id, const Member& us, const Rotating& what,
                                   const Secret<32>& id_seed);

  /// Ids of all groups whose logs are to be kept in step with the others': those at work, and those that ended here and
  /// whose end somebody has not signed for yet, for a month.
  Result<std::vector<std::string>> in_step(UnixSeconds now);

  /// group::end_what_is_over(), with the last entries in the logs. Of a group whose log is open here, `now` is what the
  /// other members' clocks let it be (PeerClocks::bounded).
  Result<std::vector<Ending>> end_what_is_over(UnixSeconds now);
  /// group::close_group(), likewise.
  Result<Ending> close(const vault::GroupRow& group, UnixSeconds now);
  /// group::withdraw(), likewise.
  Result<Withdrawal> withdraw(const vault::GroupRow& group, std::string_view reason, const Secret<32>& id_seed,
                              UnixSeconds now);

  Desk desk() const { return {folder_, vault_, card_}; }

 private:
  struct Open {
    Digest charter{};
    std::shared_ptr<JointLog> log;
  };
  Result<OpenReplica> open_replica(const Membership& membership, const SignedCharter& charter);
  SealLog sealing();
  /// A log whose keys have been destroyed is opened again without them.
  Status forget_keys(const std::string& id);

  const std::filesystem::path folder_;
  vault::Vault& vault_;
  const Card card_;
  const Opened opened_;
  std::mutex mutex_;
  std::map<std::string, Open, std::less<>> open_;
};

}  // namespace parley::group
