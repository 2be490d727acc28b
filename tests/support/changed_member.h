// A member made by commands, whose program has been changed: it opens the folder that they left, and speaks with the
// other members' running nodes.
#pragma once

#include "group/groups.h"
#include "support/deviations.h"
#include "support/member.h"

namespace parley::session {

class ChangedMember {
 public:
  /// @param member  has no node running, and no command while this lives
  /// @param group   id
  ChangedMember(const program::Member& member, std::string group) : group_(std::move(group)), home_(member.home()) {
    vault_ = must(vault::Vault::open(home_, member.unlock()));
    member_ = must(group::load_member(home_, *vault_));
    groups_.emplace(home_, *vault_, member_.card);
    membership_.emplace(must(groups_->membership(group_)));
    const group::SignedCharter* charter = membership_->newest_naming_us();
    auto keys = must(group::load_group_keys(home_, *vault_, charter->charter.domain, group_, nick()));
    auto replica = must(
        group::open_replica(*vault_, home_, view_by(*charter, nick()),
                            mirror::OwnSeeds{std::move(keys.node), std::move(keys.log), std::move(keys.cosign), {}}));
    log_.emplace(group_, nick(), log::Json::Object{{"v", 1}}, std::move(replica));
  }

  vault::Vault& vault() { return *vault_; }
  RewritingLog& log() { return *log_; }
  const std::string& nick() const { return member_.card.nick; }
  wire::LocalIdentity identity() const { return member_.identity(); }

  /// Calls on the node of `peer` (name here) and lets `story` speak with it, by `deviation`.
  template <typename Story>
  auto call_on(const std::string& peer, const Deviation& deviation, Story&& story) {
    const vault::Peer row = must(vault_->peer(peer));
    const auto link =
        must(wire::connect(row.address, member_.identity(), group::pinned(row.name, must(group::read_card(row.card)))));
    DeviatingLink deviating(*link, deviation);
    log_->rewrite = deviation.rewrite;
    group::LogLink log_link(deviating, *log_);
    return story(party(), log_link);
  }

 private:
  template <typename Value>
  static Value must(Result<Value> result) {
    if (!result) throw std::runtime_error(result.error().text());
    return *std::move(result);
  }
  Party party() {
    return {.vault = *vault_,
            .member = member_,
            .membership = *membership_,
            .membership_now = [this] { return groups_->membership(group_); },
            .under_way = under_way_,
            .ledgers = ledgers_,
            .pool = pool_,
            .progress = progress_};
  }

  std::string group_;
  std::filesystem::path home_;
  std::unique_ptr<vault::Vault> vault_;
  group::Member member_;
  std::optional<group::Groups> groups_;
  std::optional<group::Membership> membership_;
  std::optional<RewritingLog> log_;
  UnderWay under_way_;
  Ledgers ledgers_;
  ThreadPool pool_{1};
  SilentProgress progress_;
};

}  // namespace parley::session
