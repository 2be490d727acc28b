// The groups of one vault at work in this process: of each the charter in force and the joint log. There is one replica
// of a log in a process, whoever uses it.
#pragma once

#include <map>

#include "group/joint_log.h"
#include "group/membership.h"
#include "group/operation.h"

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
  /// one is in force than when it was last asked for.
  /// @error Errc::not_found without a charter, or without keys; Errc::policy once this member is no part of it; and as
  /// open_replica()
  Result<std::shared_ptr<JointLog>> log(std::string_view id);

  /// Ids of all groups with a charter in force of which this member is a part and has keys.
  Result<std::vector<std::string>> active();

  /// Ends what is over by the clock (operation.h), with the last entries in its logs.
  Result<std::vector<Ending>> end_what_is_over(UnixSeconds now);
  /// Appends the entries that end a log, unless they stand there already.
  SealLog sealing();

  Desk desk() const { return {folder_, vault_, card_}; }

 private:
  struct Open {
    Digest charter{};
    std::shared_ptr<JointLog> log;
  };
  Result<OpenReplica> open_replica(const Membership& membership);

  const std::filesystem::path folder_;
  vault::Vault& vault_;
  const Card card_;
  const Opened opened_;
  std::mutex mutex_;
  std::map<std::string, Open, std::less<>> open_;
};

}  // namespace parley::group
