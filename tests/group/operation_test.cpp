// The end of an operation by its clock, and of a membership by withdrawal: the tests move the clock.
#include "group/operation.h"

#include "group/groups_of_vaults.h"
#include "group/invitation.h"

namespace parley::group {
namespace {

constexpr UnixSeconds kSessionsEnd = kEnd - 600;
constexpr UnixSeconds kGraceEnd = kEnd + 30 * kSecondsPerDay;

/// A log that is kept elsewhere.
struct Seals {
  std::vector<SealDue> due;
  bool fails = false;
  Sealed reaches = Sealed::settled;
  SealLog log() {
    return [this](const SealDue& seal) -> Result<Sealed> {
      if (fails) return fail(Errc::peer_gone, "The log cannot be sealed now.");
      due.push_back(seal);
      return reaches;
    };
  }
};

void store_session(Participant& member, const std::string& id, const std::string& group) {
  vault::SessionRow row;
  row.id = id;
  row.peer = "bravo";
  row.group = group;
  EXPECT_HOLDS(member.vault().save_session(row, {}));
  for (const char* secret : {"salts", "seed", "commitments"})
    EXPECT_HOLDS(member.vault().put_secret("session/" + id + "/" + secret, to_bytes("secret")));
}

bool has_secrets(Participant& member, const std::string& id) {
  return member.vault().secret("session/" + id + "/commitments")->has_value();
}

bool has_keys(Participant& member, const std::string& group) {
  return load_group_keys(member.test().folder(), member.vault(), "parley.example", group, member.nick()).has_value();
}

const std::string kOurs(32, 'a'), kOthers(32, 'b'), kPairs(32, 'c');

class OperationTest : public testing::Test {
 protected:
  OperationTest() {
    group_.found();
    id_ = alpha().row().id;
    store_session(alpha(), kOurs, id_);
    store_session(alpha(), kOthers, std::string(32, '9'));
    store_session(alpha(), kPairs, "");
  }
  Participant& alpha() { return group_["alpha"]; }
  std::vector<Ending> tick(UnixSeconds now) {
    auto endings = end_what_is_over(alpha().desk(), now, seals_.log());
    EXPECT_HOLDS(endings);
    return *std::move(endings);
  }

  Group group_{{"alpha", "bravo", "charlie"}};
  std::string id_;
  Seals seals_;
};

TEST_F(OperationTest, GoesOnUntilItsEndLessTheSkew) {
  EXPECT_TRUE(tick(kSessionsEnd - 1).empty());
  EXPECT_TRUE(has_secrets(alpha(), kOurs));
  EXPECT_HOLDS(alpha().membership().check(Act::question, kSessionsEnd - 1));
}

TEST_F(OperationTest, EndsByItselfAndDestroysTheSecretsOfItsSessionsOnly) {
  const auto endings = tick(kSessionsEnd);
  ASSERT_EQ(endings.size(), 1u);
  EXPECT_EQ(endings[0].what, Ending::What::sessions);
  EXPECT_EQ(endings[0].group, "stadium");
  EXPECT_EQ(endings[0].secrets, 3);
  EXPECT_FALSE(has_secrets(alpha(), kOurs));
  EXPECT_TRUE(has_secrets(alpha(), kOthers)) << "another group's";
  EXPECT_TRUE(has_secrets(alpha(), kPairs)) << "those of a pair without a charter";
  EXPECT_TRUE(has_keys(alpha(), id_)) << "findings and the seal are still to be signed";
  EXPECT_TRUE(seals_.due.empty());
  EXPECT_REFUSED(alpha().membership().check(Act::question, kSessionsEnd), Errc::policy, "not_after");
  EXPECT_HOLDS(alpha().membership().check(Act::finding, kSessionsEnd));
  EXPECT_TRUE(tick(kSessionsEnd + 1).empty()) << "it ends once";
}

TEST_F(OperationTest, StaysOverWhenTheClockIsSetBack) {
  tick(kSessionsEnd);
  alpha().test().reopen();
  EXPECT_REFUSED(alpha().membership().check(Act::question, kBegin + 60), Errc::policy, "not_after");
  EXPECT_TRUE(tick(kBegin + 60).empty());
}

TEST_F(OperationTest, RemembersTheLatestTimeThatItSaw) {
  EXPECT_TRUE(tick(kSessionsEnd - 1).empty());
  EXPECT_EQ(alpha().row().latest, kSessionsEnd - 1);
  EXPECT_TRUE(tick(kBegin).empty());
  EXPECT_EQ(alpha().row().latest, kSessionsEnd - 1);
}

TEST_F(OperationTest, SealsItsLogAndDestroysItsKeysAfterTheGrace) {
  tick(kSessionsEnd);
  EXPECT_TRUE(tick(kGraceEnd - 1).empty());
  EXPECT_TRUE(has_keys(alpha(), id_));
  const auto endings = tick(kGraceEnd);
  ASSERT_EQ(endings.size(), 1u);
  EXPECT_EQ(endings[0].what, Ending::What::group);
  EXPECT_FALSE(endings[0].failure);
  ASSERT_EQ(seals_.due.size(), 1u);
  EXPECT_EQ(seals_.due[0].group, id_);
  EXPECT_EQ(seals_.due[0].origin, "parley.example/g/" + id_.substr(0, 8) + "/m/alpha");
  EXPECT_EQ(seals_.due[0].charter, alpha().membership().signed_charter().hash);
  ASSERT_EQ(seals_.due[0].entries.size(), 1u);
  EXPECT_EQ(seals_.due[0].entries[0].first, "group.seal");
  EXPECT_FALSE(has_keys(alpha(), id_));
  EXPECT_EQ(alpha().row().state, kClosed);
  EXPECT_TRUE(tick(kGraceEnd + 1).empty());
  EXPECT_HOLDS(alpha().test().vault().secret("group/none"));
}

TEST_F(OperationTest, AfterALongSleepEndsWholeInOneGo) {
  EXPECT_EQ(tick(kGraceEnd + kSecondsPerDay).size(), 1u);
  EXPECT_FALSE(has_secrets(alpha(), kOurs));
  EXPECT_FALSE(has_keys(alpha(), id_));
}

TEST_F(OperationTest, KeepsItsKeysForAWeekWhereOthersHaveNotEndedTheirLogs) {
  seals_.reaches = Sealed::here;
  for (const UnixSeconds now : {kGraceEnd, kGraceEnd + 60, kGraceEnd + kSettlingSeconds - 1}) {
    const auto endings = tick(now);
    ASSERT_EQ(endings.size(), 1u);
    EXPECT_EQ(endings[0].what, Ending::What::log);
    EXPECT_TRUE(has_keys(alpha(), id_)) << "to sign that we hold their ends";
    EXPECT_FALSE(has_secrets(alpha(), kOurs));
    EXPECT_EQ(alpha().row().state, kEnded);
  }
  const auto endings = tick(kGraceEnd + kSettlingSeconds);
  ASSERT_EQ(endings.size(), 1u);
  EXPECT_EQ(endings[0].what, Ending::What::group);
  EXPECT_FALSE(has_keys(alpha(), id_));
  EXPECT_EQ(alpha().row().state, kClosed);
}

TEST_F(OperationTest, DestroysItsKeysAsSoonAsAllHaveEnded) {
  seals_.reaches = Sealed::here;
  tick(kGraceEnd);
  seals_.reaches = Sealed::settled;
  EXPECT_EQ(tick(kGraceEnd + 60).front().what, Ending::What::group);
  EXPECT_FALSE(has_keys(alpha(), id_));
}

TEST_F(OperationTest, WaitsForNobodyWhenItIsClosedByHand) {
  seals_.reaches = Sealed::here;
  ASSERT_HOLDS(close_group(alpha().desk(), alpha().row(), kEnd, seals_.log()));
  EXPECT_FALSE(has_keys(alpha(), id_));
}

TEST_F(OperationTest, KeepsItsKeysUntilItsLogIsSealed) {
  seals_.fails = true;
  auto endings = tick(kGraceEnd);
  ASSERT_EQ(endings.size(), 1u);
  ASSERT_TRUE(endings[0].failure.has_value());
  EXPECT_TRUE(has_keys(alpha(), id_));
  EXPECT_FALSE(has_secrets(alpha(), kOurs)) << "what needs no log is destroyed";
  seals_.fails = false;
  endings = tick(kGraceEnd + 60);
  ASSERT_EQ(endings.size(), 1u);
  EXPECT_FALSE(endings[0].failure);
  EXPECT_FALSE(has_keys(alpha(), id_));
}

TEST_F(OperationTest, OfOneGroupDoesNotEndAnother) {
  Charter longer = terms_of_draft();
  longer.not_after += 200 * kSecondsPerDay;
  const Draft second = *begin_group(alpha().desk(), "arena", longer, alpha().id_seed(), kBegin);
  tick(kGraceEnd);
  EXPECT_FALSE(has_keys(alpha(), id_));
  EXPECT_TRUE(has_keys(alpha(), second.terms.group));
}

TEST_F(OperationTest, IsClosedByHandOnlyWhenItIsOver) {
  EXPECT_REFUSED(close_group(alpha().desk(), alpha().row(), kBegin + 60, seals_.log()), Errc::policy, "has ended");
  const auto ending = close_group(alpha().desk(), alpha().row(), kEnd, seals_.log());
  ASSERT_HOLDS(ending);
  EXPECT_FALSE(has_keys(alpha(), id_));
  EXPECT_EQ(alpha().row().state, kClosed);
  EXPECT_REFUSED(close_group(alpha().desk(), alpha().row(), kEnd, seals_.log()), Errc::policy, "closed already");
}

TEST_F(OperationTest, EndsForWhoWasExpelled) {
  Charter without = group_["bravo"].next();
  std::erase_if(without.members, [](const CharterMember& member) { return member.keys.nick == "alpha"; });
  without.log_quorum = 2;
  ASSERT_HOLDS(group_["charlie"].take(group_["bravo"].amend(without)->charter.note));
  const auto expulsion = group_["charlie"].sign();
  ASSERT_HOLDS(expulsion);
  ASSERT_TRUE(expulsion->in_force);
  ASSERT_HOLDS(alpha().take(expulsion->charter.note));
  EXPECT_REFUSED(alpha().membership().check(Act::question, kBegin + 60), Errc::policy, "no longer a member");
  ASSERT_EQ(tick(kBegin + 120).size(), 1u);
  EXPECT_FALSE(has_keys(alpha(), id_));
  EXPECT_FALSE(has_secrets(alpha(), kOurs));
}

TEST_F(OperationTest, EndsForWhoIsLeftAlone) {
  std::size_t endings = 0;
  for (const char* nick : {"bravo", "charlie"}) {
    EXPECT_EQ(endings, 0u) << "two are a group";
    const Membership theirs = group_[nick].membership();
    ASSERT_HOLDS(
        alpha().take(make_leave(theirs.charter(), *theirs.ourselves(), "", kBegin + 60, group_[nick].id_seed())->note));
    endings = tick(kBegin + 90).size();
  }
  EXPECT_EQ(endings, 1u);
  EXPECT_FALSE(has_keys(alpha(), id_));
  EXPECT_EQ(alpha().row().state, kClosed);
  EXPECT_EQ(seals_.due.size(), 1u);
}

class WithdrawalTest : public OperationTest {
 protected:
  Result<Withdrawal> leave(UnixSeconds now = kBegin + 120) {
    return withdraw(alpha().desk(), alpha().row(), "budget", alpha().id_seed(), now, seals_.log());
  }
};

TEST_F(WithdrawalTest, NeedsNobodyElseAndHoldsAtOnce) {
  const auto done = leave();
  ASSERT_HOLDS(done);
  EXPECT_EQ(done->secrets, 3);
  EXPECT_EQ(alpha().row().state, kWithdrawn);
  EXPECT_FALSE(has_keys(alpha(), id_));
  EXPECT_FALSE(has_secrets(alpha(), kOurs));
  EXPECT_TRUE(has_secrets(alpha(), kPairs));
  for (const Act act : {Act::question, Act::reveal, Act::amend, Act::finding, Act::leave})
    EXPECT_REFUSED(alpha().membership().check(act, kBegin + 120), Errc::policy, "withdrawn") << name_of(act);
  ASSERT_EQ(seals_.due.size(), 1u);
  ASSERT_EQ(seals_.due[0].entries.size(), 2u);
  EXPECT_EQ(seals_.due[0].entries[0].first, "member.leave");
  EXPECT_EQ(seals_.due[0].entries[1].first, "log.seal");
  EXPECT_REFUSED(leave(), Errc::policy, "nothing to withdraw from");
}

TEST_F(WithdrawalTest, IsBelievedByTheOthersByItsSignature) {
  const auto done = leave();
  ASSERT_HOLDS(done);
  Participant& bravo = group_["bravo"];
  const auto taken = bravo.take(done->leave->note);
  ASSERT_HOLDS(taken);
  EXPECT_EQ(taken->kind, Taken::Kind::leave);
  EXPECT_EQ(taken->who, "alpha");
  EXPECT_TRUE(bravo.membership().has_left("alpha"));
  EXPECT_EQ(bravo.membership().log_quorum(), 2u);
  QuestionFacts facts{.peer_id = alpha().id(),
                      .peer_card = bravo.membership().charter().member("alpha")->card,
                      .peer_confirmed = true,
                      .charter = bravo.membership().signed_charter().hash,
                      .types = {indicator::Type::ipv4}};
  EXPECT_REFUSED(bravo.membership().check_question(facts, kBegin + 180), Errc::policy, "has left");
  std::string forged = done->leave->note;
  forged.replace(forged.find("\"nick\":\"alpha\""), 14, "\"nick\":\"bravo\"");
  EXPECT_FALSE(group_["charlie"].take(forged).has_value());
}

TEST_F(WithdrawalTest, LeavesNoPairThatAsksWithoutACharter) {
  ASSERT_HOLDS(leave());
  const auto standing = standing_of_pair(alpha().vault(), alpha().id(), group_["bravo"].id(), kBegin + 180);
  ASSERT_HOLDS(standing);
  EXPECT_FALSE(standing->without_charter());
  EXPECT_EQ(standing->closed, std::vector<std::string>{"stadium"});
  Participant stranger("stranger");
  EXPECT_TRUE(standing_of_pair(alpha().vault(), alpha().id(), stranger.id(), kBegin)->without_charter());
  EXPECT_EQ(standing_of_pair(group_["bravo"].vault(), group_["bravo"].id(), group_["charlie"].id(), kBegin + 180)
                ->open.size(),
            1u);
}

TEST_F(WithdrawalTest, IsFinishedLaterWhenTheLogCannotBeSealedNow) {
  seals_.fails = true;
  const auto done = leave();
  ASSERT_HOLDS(done);
  EXPECT_TRUE(done->failure.has_value());
  EXPECT_EQ(alpha().row().state, kWithdrawn) << "the membership ends whatever the log does";
  EXPECT_TRUE(has_keys(alpha(), id_));
  seals_.fails = false;
  ASSERT_EQ(tick(kBegin + 180).size(), 1u);
  EXPECT_FALSE(has_keys(alpha(), id_));
  ASSERT_EQ(seals_.due.size(), 1u);
  EXPECT_EQ(seals_.due[0].entries[0].first, "member.leave");
  EXPECT_TRUE(tick(kBegin + 240).empty());
}

TEST_F(WithdrawalTest, IsFinishedAfterTheMachineStoppedInTheMiddleOfIt) {
  alpha().test().in_process_that_dies([&] {
    (void)withdraw(alpha().desk(), alpha().row(), "", alpha().id_seed(), kBegin + 120,
                   [](const SealDue&) -> Result<Sealed> {
                     ::kill(::getpid(), SIGKILL);
                     return Sealed::here;
                   });
  });
  EXPECT_EQ(alpha().row().state, kWithdrawn);
  EXPECT_FALSE(has_secrets(alpha(), kOurs));
  EXPECT_TRUE(has_keys(alpha(), id_)) << "the log is not sealed yet";
  EXPECT_EQ(tick(kBegin + 180).size(), 1u);
  EXPECT_FALSE(has_keys(alpha(), id_));
  EXPECT_EQ(seals_.due.size(), 1u);
}

TEST_F(OperationTest, IsEndedAfterTheMachineStoppedInTheMiddleOfIt) {
  alpha().test().in_process_that_dies([&] {
    (void)end_what_is_over(alpha().desk(), kGraceEnd, [](const SealDue&) -> Result<Sealed> {
      ::kill(::getpid(), SIGKILL);
      return Sealed::here;
    });
  });
  EXPECT_FALSE(has_secrets(alpha(), kOurs));
  EXPECT_EQ(tick(kGraceEnd + 60).size(), 1u);
  EXPECT_FALSE(has_keys(alpha(), id_));
  EXPECT_EQ(alpha().row().state, kClosed);
}

TEST_F(WithdrawalTest, KeepsTheKeysOfPairsThatShareAnotherGroup) {
  Participant& bravo = group_["bravo"];
  const Draft arena = *begin_group(alpha().desk(), "arena", terms_of_draft(), alpha().id_seed(), kBegin);
  const auto package = join_group(bravo.desk(), "arena", arena.note, bravo.id_seed(), kBegin);
  ASSERT_HOLDS(package);
  ASSERT_HOLDS(alpha().take(package->note));
  const auto by_alpha = sign(alpha().desk(), *alpha().vault().group("arena"), "", alpha().id_seed(), kBegin);
  ASSERT_HOLDS(by_alpha);
  ASSERT_HOLDS(bravo.take(by_alpha->charter.note));
  const auto by_both = sign(bravo.desk(), *bravo.vault().group("arena"), "", bravo.id_seed(), kBegin);
  ASSERT_HOLDS(by_both);
  ASSERT_HOLDS(alpha().take(by_both->charter.note));
  for (const char* nick : {"bravo", "charlie"})
    ASSERT_HOLDS(alpha().vault().put_secret(pair_key_name(group_[nick].card()), to_bytes("key")));
  ASSERT_HOLDS(leave());
  EXPECT_TRUE(alpha().vault().secret(pair_key_name(bravo.card()))->has_value());
  EXPECT_FALSE(alpha().vault().secret(pair_key_name(group_["charlie"].card()))->has_value());
  const auto standing = standing_of_pair(alpha().vault(), alpha().id(), bravo.id(), kBegin + 180);
  ASSERT_HOLDS(standing);
  ASSERT_EQ(standing->open.size(), 1u);
  EXPECT_EQ(standing->open[0].group().name, "arena");
  EXPECT_EQ(standing->closed, std::vector<std::string>{"stadium"});
}

TEST_F(WithdrawalTest, ForgetsTheKeysOfPairsThatShareNothingElse) {
  const auto put = [&](Participant& member) {
    EXPECT_HOLDS(alpha().vault().put_secret(pair_key_name(member.card()), to_bytes("key")));
  };
  Participant stranger("stranger");
  alpha().know(stranger);
  put(group_["bravo"]);
  put(stranger);
  ASSERT_HOLDS(leave());
  EXPECT_FALSE(alpha().vault().secret(pair_key_name(group_["bravo"].card()))->has_value());
  EXPECT_TRUE(alpha().vault().secret(pair_key_name(stranger.card()))->has_value());
}

TEST(Withdrawal, BeforeAnythingWasSignedLeavesNothingBehind) {
  Group group({"alpha", "bravo"});
  Seals seals;
  Participant& bravo = group["bravo"];
  const auto done = withdraw(bravo.desk(), bravo.row(), "", bravo.id_seed(), kBegin + 60, seals.log());
  ASSERT_HOLDS(done);
  EXPECT_FALSE(done->leave.has_value());
  EXPECT_TRUE(seals.due.empty());
  EXPECT_FALSE(has_keys(bravo, bravo.row().id));
}

TEST(Withdrawal, AfterSigningAndBeforeTheOthersDidIsSignedToo) {
  Group group({"alpha", "bravo"});
  Seals seals;
  ASSERT_HOLDS(group["alpha"].sign());
  const auto done =
      withdraw(group["alpha"].desk(), group["alpha"].row(), "", group["alpha"].id_seed(), kBegin + 60, seals.log());
  ASSERT_HOLDS(done);
  EXPECT_TRUE(done->leave.has_value());
}

TEST_F(WithdrawalTest, SaysWhatItMeansBefore) {
  const Membership membership = alpha().membership();
  std::string all;
  for (const std::string& sentence : meaning_of_withdrawal(alpha().row(), &membership)) {
    EXPECT_TRUE(sentence.ends_with('.'));
    all += sentence + "\n";
  }
  for (const char* part :
       {"cannot be undone", "learned stays with them", "destroyed here", "stays signed", "are told by a leave"})
    EXPECT_THAT(all, testing::HasSubstr(part));
  EXPECT_THAT(all, testing::Not(testing::HasSubstr("ends for them as well")));
}

}  // namespace
}  // namespace parley::group
