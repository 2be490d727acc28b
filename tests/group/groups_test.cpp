// The end of a group in its joint log: everybody learns of it, also from who has destroyed its keys. And what becomes
// of the log of a member that was expelled.
#include "group/groups.h"

#include "base/encoding.h"
#include "group/at_work.h"
#include "group/paper_kinds.h"
#include "group/rotation.h"
#include "log/checkpoint.h"
#include "log/fault.h"
#include "log/note.h"
#include "mirror/vault_store.h"

namespace parley::group {
namespace {

constexpr UnixSeconds kGraceEnd = kEnd + 30 * kSecondsPerDay;

class EndedGroup : public testing::Test {
 protected:
  EndedGroup() {
    group_.found();
    alpha_.emplace(group_["alpha"]);
    bravo_.emplace(group_["bravo"]);
    meet(*alpha_, *bravo_);
    EXPECT_EQ(alpha_->last_type_of("bravo"), log::kLogOpen);
    EXPECT_EQ(bravo_->last_type_of("alpha"), log::kLogOpen);
  }

  Group group_{{"alpha", "bravo"}};
  std::optional<AtWork> alpha_, bravo_;
};

TEST_F(EndedGroup, KeepsItsKeysUntilEachHasSignedForTheOthersEnd) {
  EXPECT_EQ(alpha_->end(kGraceEnd).what, Ending::What::log);
  EXPECT_EQ(alpha_->state(), mirror::State::sealed);
  EXPECT_TRUE(alpha_->has_keys());
  EXPECT_EQ(bravo_->end(kGraceEnd + 60).what, Ending::What::log);
  meet(*alpha_, *bravo_);
  EXPECT_TRUE(alpha_->holds_all_of("bravo"));
  EXPECT_TRUE(bravo_->holds_all_of("alpha"));
  for (AtWork* member : {&*alpha_, &*bravo_}) {
    EXPECT_EQ(member->end(kGraceEnd + 120).what, Ending::What::group);
    EXPECT_FALSE(member->has_keys());
    EXPECT_EQ(member->state(), mirror::State::retired);
    EXPECT_FALSE(member->calls_for_it(kGraceEnd + 180)) << "everybody knows";
  }
  EXPECT_EQ(alpha_->last_type_of("bravo"), log::kGroupSeal);
  EXPECT_EQ(bravo_->last_type_of("alpha"), log::kGroupSeal);
}

TEST_F(EndedGroup, WritesItsEndOnce) {
  for (int time = 0; time < 3; ++time) EXPECT_EQ(alpha_->end(kGraceEnd + time).what, Ending::What::log);
  alpha_->restart();
  meet(*alpha_, *bravo_);
  EXPECT_EQ(alpha_->log().with([](mirror::Replica& replica) { return replica.size("alpha"); }), 2u);
}

TEST_F(EndedGroup, TellsWhoComesLaterThoughItsKeysAreGone) {
  alpha_->end(kGraceEnd);
  EXPECT_EQ(alpha_->end(kGraceEnd + kSettlingSeconds).what, Ending::What::group) << "bravo did not come";
  EXPECT_FALSE(alpha_->has_keys());
  alpha_->restart();
  EXPECT_TRUE(alpha_->calls_for_it(kGraceEnd + kSettlingSeconds + 60));
  meet(*alpha_, *bravo_);
  EXPECT_EQ(bravo_->last_type_of("alpha"), log::kGroupSeal);
  EXPECT_FALSE(alpha_->calls_for_it(kGraceEnd + kSettlingSeconds + 60));
}

TEST_F(EndedGroup, StopsCallingForWhoDoesNotComeInAMonth) {
  alpha_->end(kGraceEnd);
  alpha_->end(kGraceEnd + kSettlingSeconds);
  EXPECT_TRUE(alpha_->calls_for_it(kGraceEnd + kSettlingSeconds + 30 * kSecondsPerDay));
  EXPECT_FALSE(alpha_->calls_for_it(kGraceEnd + kSettlingSeconds + 30 * kSecondsPerDay + 1));
}

TEST_F(EndedGroup, SignsNothingWithoutItsKeys) {
  alpha_->end(kGraceEnd);
  alpha_->end(kGraceEnd + kSettlingSeconds);
  bravo_->end(kGraceEnd + kSettlingSeconds);
  meet(*alpha_, *bravo_);
  EXPECT_EQ(alpha_->last_type_of("bravo"), log::kGroupSeal) << "taken and kept";
  EXPECT_FALSE(alpha_->holds_all_of("bravo")) << "and not signed for";
  EXPECT_EQ(alpha_->log()
                .append({.type = std::string(log::kHeads),
                         .session = {},
                         .refs = {},
                         .audience = {"*"},
                         .body = log::Json::Object{{"v", 1}}})
                .error()
                .code,
            Errc::policy);
}

TEST_F(EndedGroup, IsToldOfAWithdrawalByTheLogOfWhoLeft) {
  Participant& bravo = group_["bravo"];
  const auto left = (*bravo_)->withdraw(bravo.row(), "budget", bravo.id_seed(), kBegin + 60);
  ASSERT_HOLDS(left);
  EXPECT_FALSE(left->failure);
  EXPECT_FALSE(bravo_->has_keys()) << "at once";
  bravo_->restart();
  EXPECT_TRUE(bravo_->calls_for_it(kBegin + 120));
  meet(*bravo_, *alpha_);
  EXPECT_EQ(alpha_->last_type_of("bravo"), log::kLogSeal);
  EXPECT_TRUE(alpha_->holds_all_of("bravo"));
  EXPECT_FALSE(bravo_->calls_for_it(kBegin + 120));
}

class LeftGroup : public testing::Test {
 protected:
  LeftGroup() {
    group_.found();
    for (const char* nick : {"alpha", "bravo", "charlie"}) members_.emplace(nick, group_[nick]);
    everybody_meets();
  }
  void everybody_meets() {
    for (int round = 0; round < 2; ++round) {
      for (const auto& [a, b] : {std::pair{"alpha", "bravo"}, {"bravo", "charlie"}, {"charlie", "alpha"}})
        meet(members_.at(a), members_.at(b));
    }
  }
  void charlie_leaves() {
    Participant& charlie = group_["charlie"];
    const auto left = members_.at("charlie")->withdraw(charlie.row(), "", charlie.id_seed(), kBegin + 60);
    ASSERT_HOLDS(left);
    EXPECT_FALSE(left->failure) << left->failure->text();
    meet(members_.at("charlie"), members_.at("alpha"));
  }
  std::vector<std::string> noted_by(const std::string& nick) {
    const auto left = members_.at(nick)->note_leaves("stadium", kBegin + 120);
    EXPECT_HOLDS(left);
    return left.value_or(std::vector<std::string>{});
  }

  Group group_{{"alpha", "bravo", "charlie"}};
  std::map<std::string, AtWork> members_;
};

TEST_F(LeftGroup, LearnsOfALeaveFromTheLogWithoutAFile) {
  charlie_leaves();
  EXPECT_EQ(noted_by("alpha"), std::vector<std::string>{"charlie"});
  EXPECT_TRUE(group_["alpha"].membership().has_left("charlie"));
  EXPECT_EQ(members_.at("alpha").last_type_of("alpha"), log::kMemberLeft);
  EXPECT_TRUE(noted_by("alpha").empty()) << "once";
  meet(members_.at("alpha"), members_.at("bravo"));
  EXPECT_EQ(noted_by("bravo"), std::vector<std::string>{"charlie"}) << "also who did not hear it from charlie";
}

TEST_F(LeftGroup, IsHeldTogetherByThoseWhoAreStillThere) {
  const auto is_final = [&] {
    return members_.at("alpha").log().with(
        [](mirror::Replica& replica) { return replica.is_final("alpha", replica.size("alpha")); });
  };
  EXPECT_TRUE(is_final()) << "all three";
  charlie_leaves();
  noted_by("alpha");
  EXPECT_FALSE(is_final()) << "nobody holds the new entry yet";
  meet(members_.at("alpha"), members_.at("bravo"));
  EXPECT_TRUE(is_final()) << "both who are left do";
}

TEST_F(LeftGroup, TakesALogThatEndsWithAnothersLeaveForNoLeave) {
  Participant& charlie = group_["charlie"];
  const auto left = (members_.at("charlie"))->withdraw(charlie.row(), "", charlie.id_seed(), kBegin + 60);
  ASSERT_HOLDS(left);
  JointLog& bravo = members_.at("bravo").log();
  for (const std::string_view type : {log::kMemberLeave, log::kLogSeal}) {
    ASSERT_HOLDS(bravo.append({.type = std::string(type),
                               .session = {},
                               .refs = {},
                               .audience = {"*"},
                               .body = log::Json::Object{{"note", left->leave->note}, {"v", 1}}}));
  }
  meet(members_.at("bravo"), members_.at("alpha"));
  EXPECT_TRUE(noted_by("alpha").empty());
  EXPECT_FALSE(group_["alpha"].membership().has_left("bravo"));
  EXPECT_FALSE(group_["alpha"].membership().has_left("charlie")) << "charlie's own log has not said so";
}

/// alpha and bravo, who have expelled charlie for a fork of its log, whose proof both have kept.
class Expelled : public testing::Test {
 protected:
  Expelled() {
    group_.found();
    Charter without = group_["alpha"].next();
    std::erase_if(without.members, [](const CharterMember& member) { return member.keys.nick == "charlie"; });
    without.log_quorum = without.finding_quorum = 2;
    for (const char* nick : {"alpha", "bravo"}) keep_fault(group_[nick]);
    const auto proposed = group_["alpha"].amend(without);
    EXPECT_HOLDS(proposed);
    EXPECT_HOLDS(group_["bravo"].take(proposed->charter.note));
    EXPECT_HOLDS(group_["alpha"].take(group_["bravo"].sign()->charter.note));
    EXPECT_EQ(group_["alpha"].membership().charter().seq, 2);
  }
  void keep_fault(Participant& member) {
    const Charter charter = member.membership().charter();
    Participant& charlie = group_["charlie"];
    const auto keys =
        load_group_keys(charlie.desk().folder, charlie.vault(), charter.domain, charter.group, charlie.nick());
    ASSERT_HOLDS(keys);
    const auto checkpoint = [&](std::byte root) {
      return log::sign_checkpoint({keys->keys.log.name, 3, Digest{root}}, keys->log);
    };
    const auto fault = log::fault_of_checkpoints(checkpoint(std::byte{1}), checkpoint(std::byte{2}), keys->keys);
    ASSERT_TRUE(fault.has_value());
    const std::vector<log::MemberKeys> members = charter_keys(charter);
    mirror::VaultStore store(member.vault(), charter.group, members, 0);
    ASSERT_HOLDS(store.commit(
        {.growth = {}, .steps = {}, .faults = {{keys->keys.log.name, log::write_fault(*fault), {}}}, .repairs = {}},
        {}));
  }
  /// Somebody with the same short name and keys of its own, who has joined by the first charter.
  Result<KeyPackage> another_charlie() {
    for (const char* nick : {"alpha", "bravo"}) another_.know(group_[nick]);
    return join_group(another_.desk(), "stadium", group_["alpha"].membership().versions().front().note,
                      another_.id_seed(), kBegin);
  }
  Charter with(const CharterMember& newcomer) {
    Charter next = group_["alpha"].next();
    next.members.push_back(newcomer);
    next.log_quorum = 3;
    return next;
  }

  Group group_{{"alpha", "bravo", "charlie"}};
  Participant another_{"charlie"};
};

TEST_F(Expelled, DoesNotLeaveItsNickAndWithItItsLogToAnother) {
  const auto package = another_charlie();
  ASSERT_HOLDS(package);
  const Charter next = with(package->member);
  EXPECT_REFUSED(group_["alpha"].amend(next), Errc::format, "needs another short name");
  // A changed program at alpha proposes it all the same.
  Charter proposed = next;
  proposed.seq = 3;
  proposed.prev = group_["alpha"].membership().signed_charter().hash;
  const std::string note = log::sign_note(charter_text(proposed), group_["alpha"].id().name, group_["alpha"].id_seed());
  EXPECT_REFUSED(group_["bravo"].take(note), Errc::format, "needs another short name");
  for (const char* nick : {"alpha", "bravo"}) {
    AtWork at(group_[nick]);
    EXPECT_HOLDS(at->log("stadium")) << "the log opens, with the kept fault of who bore the nick";
  }
}

// Kept by a program that took any: what gathers signatures here comes into force no more.
TEST_F(Expelled, DoesNotLeaveItsNickByAnAmendmentThatWaitsHereAlready) {
  const auto package = another_charlie();
  ASSERT_HOLDS(package);
  Charter next = with(package->member);
  next.seq = 3;
  next.prev = group_["alpha"].membership().signed_charter().hash;
  std::string note = log::sign_note(charter_text(next), group_["alpha"].id().name, group_["alpha"].id_seed());
  for (Participant* signer : {&group_["bravo"], &another_})
    note = *log::add_signature(note, signer->id().name, signer->id_seed());
  ASSERT_HOLDS(group_["alpha"].vault().put_group_paper(
      next.group, {std::string(kPaperAmendment), to_hex(charter_hash(next)), note}));
  ASSERT_HOLDS(settle_amendments(group_["alpha"].desk(), group_["alpha"].row(), kBegin + 60));
  EXPECT_EQ(group_["alpha"].membership().charter().seq, 2);
}

}  // namespace
}  // namespace parley::group
