// Which leaves are taken: those that readers of dossiers count, too, whoever has them first.
#include "base/encoding.h"
#include "group/at_work.h"
#include "group/paper_kinds.h"

namespace parley::group {
namespace {

const Digest kMadeUp{std::byte{7}};

class Leaves : public testing::Test {
 protected:
  Leaves() {
    group_.found();
    for (const char* nick : {"alpha", "bravo", "charlie", "delta"}) members_.emplace(nick, group_[nick]);
    everybody_meets();
  }
  void everybody_meets() {
    for (int round = 0; round < 2; ++round)
      for (auto& [one, at_one] : members_)
        for (auto& [other, at_other] : members_)
          if (one < other) meet(at_one, at_other);
  }
  Digest version_of(const std::string& nick) { return group_[nick].membership().signed_charter().hash; }
  /// A leave that names any version, as a changed program may write it.
  std::string leave_of(const std::string& nick, const Digest& charter) {
    Participant& member = group_[nick];
    const log::Json object = log::Json::Object{{"charter", to_hex(charter)},
                                               {"group", member.membership().charter().group},
                                               {"nick", nick},
                                               {"reason", ""},
                                               {"time", kBegin + 60},
                                               {"v", 1}};
    return log::sign_object(kLeaveKind, object, member.id().name, member.id_seed());
  }
  void end_log_with(const std::string& nick, const std::string& leave) {
    for (const std::string_view type : {log::kMemberLeave, log::kLogSeal})
      ASSERT_HOLDS(members_.at(nick).log().append({.type = std::string(type),
                                                   .session = {},
                                                   .refs = {},
                                                   .audience = {"*"},
                                                   .body = log::Json::Object{{"note", leave}, {"v", 1}}}));
    everybody_meets();
  }
  std::vector<std::string> noted_by(const std::string& nick) {
    const auto left = members_.at(nick)->note_leaves("stadium", kBegin + 120);
    EXPECT_HOLDS(left);
    return left.value_or(std::vector<std::string>{});
  }
  /// A tightening, which `proposer` and `signer` put in force at `signer`. @return the note
  std::string tightened(const std::string& proposer, const std::string& signer) {
    Charter next = group_[proposer].next();
    next.not_after -= 1;
    return agreed(proposer, next, {signer});
  }
  std::string agreed(const std::string& proposer, const Charter& next, const std::vector<std::string>& signers) {
    const auto proposed = group_[proposer].amend(next);
    EXPECT_HOLDS(proposed);
    std::string note = proposed->charter.note;
    for (const std::string& signer : signers) {
      EXPECT_HOLDS(group_[signer].take(note));
      const auto signing = group_[signer].sign();
      EXPECT_HOLDS(signing);
      note = signing->charter.note;
    }
    return note;
  }
  void expect_left(const std::string& nick, const std::string& who, std::int64_t version) {
    const Membership membership = group_[nick].membership();
    EXPECT_TRUE(membership.has_left(who)) << nick;
    EXPECT_EQ(membership.charter().seq, version) << nick;
  }

  Group group_{{"alpha", "bravo", "charlie", "delta"}};  // finding quorum: 2
  std::map<std::string, AtWork> members_;
};

TEST_F(Leaves, UnderAVersionThatNobodyKnowsAreNotTakenAndConvictNobody) {
  const std::string leave = leave_of("charlie", kMadeUp);
  EXPECT_REFUSED(group_["alpha"].take(leave), Errc::not_found, "Take the amendments");
  end_log_with("charlie", leave);
  for (const char* nick : {"alpha", "bravo"}) {
    EXPECT_TRUE(noted_by(nick).empty());
    EXPECT_FALSE(group_[nick].membership().has_left("charlie"));
    EXPECT_NE(members_.at(nick).last_type_of(nick), log::kMemberLeft);
    EXPECT_HOLDS(members_.at(nick).log().with([](mirror::Replica& replica) { return replica.trusted("charlie"); }));
  }
}

TEST_F(Leaves, ThatAreNoneKeepNobodyElsesFromBeingNoted) {
  end_log_with("bravo", leave_of("bravo", kMadeUp));
  std::string forged = leave_of("charlie", version_of("charlie"));
  forged.replace(forged.find("\"reason\":\"\""), 11, "\"reason\":\"x\"");
  end_log_with("charlie", forged);
  end_log_with("delta", leave_of("delta", version_of("delta")));
  EXPECT_EQ(noted_by("alpha"), std::vector<std::string>{"delta"});
}

TEST_F(Leaves, UnderAnAmendmentThatIsOnItsWayAreTakenOnceItIsHere) {
  const std::string amendment = tightened("alpha", "charlie");
  everybody_meets();  // a log that goes on under another version asks first
  Participant& charlie = group_["charlie"];
  const auto left = members_.at("charlie")->withdraw(charlie.row(), "", charlie.id_seed(), kBegin + 60);
  ASSERT_HOLDS(left);
  EXPECT_FALSE(left->failure) << "who leaves waits for nobody";
  everybody_meets();
  EXPECT_TRUE(noted_by("bravo").empty());
  EXPECT_REFUSED(group_["bravo"].take(left->leave->note), Errc::not_found, "Take the amendments");
  ASSERT_HOLDS(group_["bravo"].take(amendment));
  everybody_meets();
  EXPECT_EQ(noted_by("bravo"), std::vector<std::string>{"charlie"});
  expect_left("bravo", "charlie", 2);
}

TEST_F(Leaves, UnderTheVersionBeforeTheOneThatTheirAuthorSignedAreTakenInWhicheverOrderTheTwoCome) {
  const std::string amendment = tightened("charlie", "alpha");
  Participant& charlie = group_["charlie"];  // which has not got it back
  ASSERT_EQ(charlie.membership().charter().seq, 1);
  const auto left = members_.at("charlie")->withdraw(charlie.row(), "", charlie.id_seed(), kBegin + 60);
  ASSERT_HOLDS(left);
  EXPECT_FALSE(left->failure) << "who leaves waits for nobody";
  ASSERT_HOLDS(group_["alpha"].take(left->leave->note));
  expect_left("alpha", "charlie", 2);
  ASSERT_HOLDS(group_["bravo"].take(left->leave->note));
  ASSERT_HOLDS(group_["bravo"].take(amendment));
  expect_left("bravo", "charlie", 1);  // which cannot know that the signature was given before
  const auto signing = group_["bravo"].sign();
  ASSERT_HOLDS(signing);
  expect_left("bravo", "charlie", 2);
  ASSERT_HOLDS(group_["delta"].take(left->leave->note));
  ASSERT_HOLDS(group_["delta"].take(signing->charter.note));
  expect_left("delta", "charlie", 2);
  EXPECT_EQ(version_of("alpha"), version_of("delta"));
}

TEST_F(Leaves, ComeOnceAndTheFirstOneStays) {
  const std::string first = leave_of("charlie", version_of("charlie"));
  ASSERT_HOLDS(group_["alpha"].take(first));
  Charter looser = group_["alpha"].next();
  looser.not_after += 1;
  const std::string by_alpha = group_["alpha"].amend(looser)->charter.note;
  for (const char* nick : {"bravo", "delta"}) ASSERT_HOLDS(group_[nick].take(first));
  ASSERT_HOLDS(group_["bravo"].take(by_alpha));
  const std::string by_two = group_["bravo"].sign()->charter.note;
  ASSERT_HOLDS(group_["delta"].take(by_two));
  const auto by_three = group_["delta"].sign();
  ASSERT_HOLDS(by_three);
  ASSERT_TRUE(by_three->in_force) << "charlie's leave was needed for it";
  ASSERT_HOLDS(group_["delta"].take(leave_of("charlie", by_three->charter.hash)));
  const auto papers = papers_of_kind(group_["delta"].vault(), group_["delta"].row().id, kPaperLeave);
  ASSERT_HOLDS(papers);
  ASSERT_EQ(papers->size(), 1u);
  EXPECT_EQ(papers->front().text, first);
}

TEST_F(Leaves, OfWhoWasExpelledAndLetInAgainCountFromThereOnOnly) {
  const Digest founded = version_of("charlie");
  Charter without = group_["alpha"].next();
  std::erase_if(without.members, [](const CharterMember& member) { return member.keys.nick == "charlie"; });
  without.log_quorum = 3;
  const std::string expulsion = agreed("alpha", without, {"bravo", "delta"});
  for (const char* nick : {"alpha", "bravo", "charlie"}) ASSERT_HOLDS(group_[nick].take(expulsion));
  EXPECT_REFUSED(group_["alpha"].take(leave_of("charlie", founded)), Errc::signature, "taken off the list");
  Charter with = group_["alpha"].next();
  with.members = group_["alpha"].membership().versions().front().charter.members;
  const std::string back = agreed("alpha", with, {"bravo", "delta", "charlie"});
  ASSERT_HOLDS(group_["alpha"].take(back));
  ASSERT_EQ(group_["alpha"].membership().charter().seq, 3);
  EXPECT_REFUSED(group_["alpha"].take(leave_of("charlie", founded)), Errc::signature, "taken off the list");
  EXPECT_FALSE(group_["alpha"].membership().has_left("charlie"));
  ASSERT_HOLDS(group_["alpha"].take(leave_of("charlie", version_of("alpha"))));
  expect_left("alpha", "charlie", 3);
}

TEST_F(Leaves, ThatWereTakenWithoutTheirVersionDoNotCountAndDamageNoVault) {
  Participant& alpha = group_["alpha"];
  ASSERT_HOLDS(alpha.vault().put_group_paper(alpha.row().id,
                                             {std::string(kPaperLeave), "charlie", leave_of("charlie", kMadeUp)}));
  EXPECT_FALSE(alpha.membership().has_left("charlie"));
  ASSERT_HOLDS(alpha.take(leave_of("charlie", version_of("charlie")))) << "and stand in the way of none that does";
  EXPECT_TRUE(alpha.membership().has_left("charlie"));
}

}  // namespace
}  // namespace parley::group
