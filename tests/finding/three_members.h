// Three members of a group, each with a vault of its own, who make a finding together.
#pragma once

#include "base/encoding.h"
#include "finding/casebook.h"
#include "finding/samples.h"
#include "group/groups.h"
#include "group/groups_of_vaults.h"
#include "support/short_rotation.h"

namespace parley::finding {

using group::Participant;

/// Three members with vaults whose logs are brought together by hand.
class ThreeMembers {
 public:
  explicit ThreeMembers(std::vector<std::string> nicks = {"alpha", "bravo", "charlie"}) : nicks_(std::move(nicks)) {
    group_.found();
    for (const std::string& nick : nicks_)
      groups_.push_back(
          std::make_unique<group::Groups>(group_[nick].desk().folder, group_[nick].vault(), group_[nick].card()));
    exchange();
    for (const std::string& nick : nicks_)
      EXPECT_HOLDS(log(nick).append({.type = std::string(log::kHeads),
                                     .session = {},
                                     .refs = {},
                                     .audience = {std::string(log::kEveryone)},
                                     .body = log::Json::Object{{"v", 1}}}));
    exchange();
  }
  std::size_t index(std::string_view nick) const {
    return static_cast<std::size_t>(std::ranges::find(nicks_, nick) - nicks_.begin());
  }
  std::string id() { return group_["alpha"].row().id; }
  group::JointLog& log(std::string_view nick) {
    logs_.push_back(*groups_[index(nick)]->log(id()));
    return *logs_.back();
  }
  group::Membership membership(std::string_view nick) { return *groups_[index(nick)]->membership(id()); }

  /// Until nobody has anything that another lacks: what two members cosigned, a third hears by the next heads.
  void exchange() { exchange_among(nicks_); }
  void exchange_among(const std::vector<std::string>& nicks) {
    for (int round = 0; round < 3; ++round) exchange_once(nicks);
  }
  void exchange_once(const std::vector<std::string>& nicks) {
    for (const std::string& one : nicks)
      for (const std::string& other : nicks)
        if (one != other) log(one).with([&](mirror::Replica& replica) { replica.connected(other); });
    for (bool spoke = true; spoke;) {
      spoke = false;
      for (const std::string& from : nicks)
        for (const std::string& to : nicks)
          if (from != to) spoke = hand_over(from, to) || spoke;
    }
  }
  bool hand_over(const std::string& from, const std::string& to) {
    const auto messages = log(from).with([&](mirror::Replica& replica) { return *replica.to_send(to); });
    for (const mirror::Message& message : messages) deliver(from, to, message);
    return !messages.empty();
  }
  void deliver(const std::string& from, const std::string& to, const mirror::Message& message) {
    const auto outcome =
        log(to).with([&](mirror::Replica& replica) { return replica.take(from, message, kBegin + 60); });
    EXPECT_HOLDS(outcome);
    if (!outcome) return;
    for (const mirror::Message& reply : outcome->replies) deliver(to, from, reply);
  }

  /// A rotation of this member's cosign key with no cutoffs reaches all others.
  void take_back(const std::string& nick) {
    Participant& owner = group_[nick];
    const group::Charter charter = membership(nick).charter();
    const auto keys = group::load_group_keys(owner.desk().folder, owner.vault(), charter.domain, charter.group, nick);
    ASSERT_HOLDS(keys);
    log::MemberKeys names = keys->keys;
    names.id = owner.id();
    const Secret<32> id = owner.id_seed(), next = random_secret<32>();
    for (const std::string& other : nicks_) {
      if (other == nick) continue;
      mirror::VaultStore store(group_[other].vault(), charter.group, {}, 0);
      const mirror::Message push =
          mirror::short_rotation(store, charter.group, names, {keys->node, keys->log, id}, next);
      log(other).with([&](mirror::Replica& replica) {
        ASSERT_HOLDS(replica.take(nick, push, kBegin + 120));
        ASSERT_HOLDS(replica.flush());
        ASSERT_EQ(replica.keys_of(nick)->rotated.size(), 1u);
      });
    }
  }

  /// A working copy whose evidence rests on entries that are there.
  Finding working_copy() {
    Finding finding = sample_finding(membership("alpha").charter());
    finding.cut.clear();
    finding.evidence[0].refs = {leaf("alpha", 1), leaf("bravo", 1)};
    finding.evidence[1].refs = {leaf("bravo", 0)};
    return finding;
  }
  Digest leaf(const std::string& nick, std::uint64_t seq) {
    return log("alpha").with([&](mirror::Replica& replica) { return replica.entry(nick, seq)->leaf_hash; });
  }

  Result<Digest> draft(std::string_view nick, Finding finding) {
    const group::Membership membership = this->membership(nick);
    return Analyst(group_[nick].vault(), membership, log(nick)).draft(std::move(finding), kNow);
  }
  Status sign(std::string_view nick, const Digest& hash) {
    const group::Membership membership = this->membership(nick);
    const Casebook book = this->book(nick);
    const Participant& participant = group_[nick];
    return Analyst(group_[nick].vault(), membership, log(nick))
        .sign(**book.find(to_hex(hash)), *group::own_id_key(participant.card()), group_[nick].id_seed(), kNow);
  }
  Status dissent(std::string_view nick, const Digest& hash, std::vector<DissentPoint> points) {
    const group::Membership membership = this->membership(nick);
    const Casebook book = this->book(nick);
    return Analyst(group_[nick].vault(), membership, log(nick))
        .dissent(**book.find(to_hex(hash)), std::move(points), *group::own_id_key(group_[nick].card()),
                 group_[nick].id_seed(), kNow);
  }
  Status publish(std::string_view nick, const Digest& hash) {
    const group::Membership membership = this->membership(nick);
    const Casebook book = this->book(nick);
    return Analyst(group_[nick].vault(), membership, log(nick)).publish(**book.find(to_hex(hash)), kNow);
  }
  Status withdraw(std::string_view nick, const Digest& hash, const std::string& reason) {
    const group::Membership membership = this->membership(nick);
    const Casebook book = this->book(nick);
    return Analyst(group_[nick].vault(), membership, log(nick))
        .withdraw(**book.find(to_hex(hash)), reason, *group::own_id_key(group_[nick].card()), group_[nick].id_seed(),
                  kNow);
  }
  Casebook book(std::string_view nick) { return *read_casebook(group_[nick].vault(), membership(nick)); }
  Case only_case(std::string_view nick) {
    const Casebook book = this->book(nick);
    EXPECT_EQ(book.cases.size(), 1u);
    for (const Oddity& oddity : book.oddities) ADD_FAILURE() << oddity.place.nick << ": " << oddity.why;
    return book.cases.empty() ? Case{} : book.cases.front();
  }

  static constexpr UnixSeconds kNow = kBegin + 100'000;
  const std::vector<std::string> nicks_;
  group::Group group_{nicks_};
  std::vector<std::unique_ptr<group::Groups>> groups_;
  std::vector<std::shared_ptr<group::JointLog>> logs_;
};

}  // namespace parley::finding
