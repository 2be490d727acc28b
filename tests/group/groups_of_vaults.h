// Groups of members with vaults of their own, who hand each other papers as texts.
#pragma once

#include "group/charters.h"
#include "group/founding.h"
#include "group/vaults.h"

namespace parley::group {

/// A member whose vault, folder and card a test works with.
class Participant {
 public:
  explicit Participant(const std::string& nick) : test_(nick), card_(test_.card()), folder_(test_.folder()) {}

  TestVault& test() { return test_; }
  vault::Vault& vault() { return test_.vault(); }
  const Card& card() const { return card_; }
  const std::string& nick() const { return card_.nick; }
  Desk desk() { return {folder_, test_.vault(), card_}; }
  Secret<32> id_seed() { return test_.id_seed(); }
  log::VerifierKey id() const { return *own_id_key(card_); }

  /// Pins the card of another, compared by voice.
  void know(const Participant& other) {
    EXPECT_HOLDS(
        vault().add_peer({.name = other.nick(), .card = other.card().note, .address = "a:1", .added = kBegin}));
    EXPECT_HOLDS(vault().confirm_peer(other.nick(), kBegin));
  }

  vault::GroupRow row() { return *vault().group("stadium"); }
  Membership membership() { return *Membership::load(vault(), row(), id()); }
  Result<Taken> take(std::string_view text, UnixSeconds now = kBegin + 60) { return group::take(desk(), text, now); }
  Result<Signing> sign(std::string_view amendment = "", UnixSeconds now = kBegin + 60) {
    return group::sign(desk(), row(), amendment, id_seed(), now);
  }
  Charter next() { return membership().charter(); }
  Result<Signing> amend(Charter next, UnixSeconds now = kBegin + 60) {
    return group::amend(desk(), row(), std::move(next), id_seed(), now);
  }

 private:
  TestVault test_;
  Card card_;
  std::filesystem::path folder_;
};

inline Charter terms_of_draft() {
  Charter terms = charter_of(2);
  terms.finding_quorum = 2;
  return terms;
}

/// Alpha drafts; the others join, and all sign.
class Group {
 public:
  explicit Group(const std::vector<std::string>& nicks) {
    for (const std::string& nick : nicks) members_.push_back(std::make_unique<Participant>(nick));
    for (auto& a : members_) {
      for (auto& b : members_) {
        if (a != b) a->know(*b);
      }
    }
    Participant& alpha = *members_.front();
    draft_ = *begin_group(alpha.desk(), "stadium", terms_of_draft(), alpha.id_seed(), kBegin);
    for (auto& member : members_) {
      if (member->nick() == "alpha") continue;
      const auto package = join_group(member->desk(), "stadium", draft_.note, member->id_seed(), kBegin);
      EXPECT_HOLDS(package);
      EXPECT_HOLDS(alpha.take(package->note));
    }
  }
  /// The first charter in force with everybody.
  void found() {
    std::string note;
    for (auto& member : members_) {
      if (!note.empty()) {
        EXPECT_HOLDS(member->take(note));
      }
      const auto signing = member->sign();
      ASSERT_HOLDS(signing);
      note = signing->charter.note;
    }
    for (auto& member : members_) (void)member->take(note);
    for (auto& member : members_) ASSERT_EQ(member->row().state, kActive) << member->nick();
  }

  Participant& operator[](std::string_view nick) {
    return **std::ranges::find_if(members_, [&](const auto& member) { return member->nick() == nick; });
  }
  const Draft& draft() const { return draft_; }

 private:
  std::vector<std::unique_ptr<Participant>> members_;
  Draft draft_;
};

}  // namespace parley::group
