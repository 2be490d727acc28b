// A withdrawal that everybody can read and no quorum holds, since its author keeps from the others what stands beside
// it in its log: it is waited for, and can be gone on without.
#include "dossier/both_verifiers.h"

namespace parley::dossier {
namespace {

class UnshownWithdrawal : public BothVerifiers {
 protected:
  void SetUp() override {
    const auto hash = members_.draft("alpha", members_.working_copy());
    ASSERT_HOLDS(hash);
    hash_ = *hash;
    members_.exchange();
    for (const std::string& nick : members_.nicks_) EXPECT_HOLDS(members_.sign(nick, hash_));
    members_.exchange();
    EXPECT_HOLDS(members_.publish("alpha", hash_));
    members_.exchange();
    withdraw_beside_what_nobody_gets();
  }
  void withdraw_beside_what_nobody_gets() {
    const auto beside =
        members_.log("charlie").append(mirror::draft_for_everyone(log::kHeads, log::Json::Object{{"v", 1}}));
    ASSERT_HOLDS(beside);
    EXPECT_HOLDS(members_.withdraw("charlie", hash_, "To keep it from being handed out."));
    const std::string group = members_.id();
    for (const std::string to : {"alpha", "bravo"})
      for (mirror::Message message :
           members_.log("charlie").with([&](mirror::Replica& replica) { return *replica.to_send(to); })) {
        auto content = *mirror::parse_message(group, message);
        if (auto* push = std::get_if<mirror::Push>(&content); push != nullptr && push->log == "charlie")
          std::erase_if(push->bodies,
                        [&](const mirror::Push::EntryBody& body) { return body.seq == beside->entry.seq; });
        message = *mirror::write_message(group, content);
        EXPECT_HOLDS(members_.log(to).with(
            [&](mirror::Replica& replica) { return replica.take("charlie", message, finding::kBegin + 60); }));
      }
    exchange_among_two();
    const finding::Case seen = of();
    ASSERT_EQ(seen.withdrawals.size(), 1u) << "its words are here";
    ASSERT_TRUE(seen.unread.empty());
    withdrawal_ = seen.withdrawals[0];
  }
  void exchange_among_two() { members_.exchange_among({"alpha", "bravo"}); }
  /// What bravo's newest publication says of withdrawals.
  std::vector<Digest> named_by_bravo() {
    std::vector<Digest> named;
    for (const finding::Publication& one : of().publications)
      if (one.place.nick == "bravo") named = one.body.withdrawals;
    return named;
  }
  finding::Case of() { return members_.only_case("alpha"); }
  Result<std::string> make(const std::set<Digest>& without = {}) {
    return dossier_by(members_, "alpha", of(), {.withhold = {}, .with_bodies = {}, .without = without});
  }
  Verdict taken(const Result<std::string>& text) { return taken_by_both(members_, "alpha", text); }

  finding::ThreeMembers members_;
  Digest hash_{};
  finding::Withdrawn withdrawal_;
};

/// Of three members all must hold a tree, so that nothing goes on before they are two.
class UnshownWithdrawalOfWhoIsExpelled : public UnshownWithdrawal {
 protected:
  void SetUp() override {
    UnshownWithdrawal::SetUp();
    group::Charter next = members_.membership("alpha").charter();
    std::erase_if(next.members, [](const group::CharterMember& member) { return member.keys.nick == "charlie"; });
    next.log_quorum = 2;
    constexpr UnixSeconds kNow = finding::ThreeMembers::kNow;
    const auto proposed = members_.group_["alpha"].amend(next, kNow);
    ASSERT_HOLDS(proposed);
    ASSERT_HOLDS(members_.group_["bravo"].take(proposed->charter.note, kNow));
    const auto agreed = members_.group_["bravo"].sign("", kNow);
    ASSERT_HOLDS(agreed);
    ASSERT_HOLDS(members_.group_["alpha"].take(agreed->charter.note, kNow));
    exchange_among_two();
  }
};

TEST_F(UnshownWithdrawal, IsWaitedForAndNamedWithTheWayOut) {
  EXPECT_REFUSED(make(), Errc::policy, fmt::format("--without charlie:{}", withdrawal_.place.seq));
}

TEST_F(UnshownWithdrawal, IsNamedByNoPublicationThatItWouldSpoil) {
  EXPECT_HOLDS(members_.publish("bravo", hash_));
  exchange_among_two();
  EXPECT_TRUE(named_by_bravo().empty());
}

TEST_F(UnshownWithdrawalOfWhoIsExpelled, KeepsNobodyFromMakingADossierWhoSaysToGoOnWithoutIt) {
  EXPECT_HOLDS(members_.publish("bravo", hash_));
  exchange_among_two();
  EXPECT_REFUSED(make(), Errc::policy, fmt::format("--without charlie:{}", withdrawal_.place.seq));
  const Verdict verdict = taken(make({withdrawal_.place.leaf}));
  ASSERT_TRUE(verdict.holds);
  EXPECT_TRUE(verdict.contents->withdrawals.empty());
  EXPECT_EQ(verdict.contents->standing(), members_.nicks_);
  EXPECT_EQ(verdict.contents->publishers, (std::vector<std::string>{"alpha", "bravo"}));
}

TEST_F(UnshownWithdrawalOfWhoIsExpelled, SpoilsThePublicationsThatNameItAndNoOther) {
  const finding::PublishBody spoilt{hash_, {"alpha", "bravo"}, {}, {withdrawal_.signed_withdrawal.hash}};
  EXPECT_HOLDS(members_.log("bravo").append(mirror::draft_for_everyone(log::kFindingPublish, spoilt.to_json())));
  exchange_among_two();
  EXPECT_REFUSED(make({withdrawal_.place.leaf}), Errc::policy, "What bravo wrote names what is not here");
  EXPECT_HOLDS(members_.publish("bravo", hash_)) << "and who publishes again mends that";
  exchange_among_two();
  EXPECT_TRUE(taken(make({withdrawal_.place.leaf})).holds);
}

TEST_F(UnshownWithdrawalOfWhoIsExpelled, IsAllThatCanBeGoneOnWithout) {
  EXPECT_HOLDS(members_.publish("bravo", hash_));
  exchange_among_two();
  EXPECT_REFUSED(make({withdrawal_.place.leaf, hash_}), Errc::not_found, "no withdrawal that no quorum holds");
}

TEST_F(UnshownWithdrawal, CountsOnceAQuorumHoldsItThoughNoPublicationNamedIt) {
  EXPECT_HOLDS(members_.publish("bravo", hash_));
  members_.exchange();
  const Verdict verdict = taken(make());
  ASSERT_TRUE(verdict.holds);
  EXPECT_EQ(verdict.contents->withdrawals.size(), 1u);
  EXPECT_EQ(verdict.contents->standing(), (std::vector<std::string>{"alpha", "bravo"}));
  EXPECT_REFUSED(make({withdrawal_.place.leaf}), Errc::not_found, "no withdrawal that no quorum holds");
}

TEST_F(UnshownWithdrawal, IsNamedByWhoPublishesAgainOnceAQuorumHoldsIt) {
  EXPECT_HOLDS(members_.publish("bravo", hash_));
  EXPECT_REFUSED(members_.publish("bravo", hash_), Errc::exists, "nothing has come in since");
  members_.exchange();
  EXPECT_HOLDS(members_.publish("bravo", hash_));
  members_.exchange();
  EXPECT_EQ(named_by_bravo(), std::vector{withdrawal_.signed_withdrawal.hash});
  EXPECT_TRUE(taken(make()).holds);
}

}  // namespace
}  // namespace parley::dossier
