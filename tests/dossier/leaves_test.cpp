// Who leaves keeps nobody else from making dossiers, whatever version of the charter its leave names.
#include <ranges>

#include "dossier/both_verifiers.h"

namespace parley::dossier {
namespace {

constexpr UnixSeconds kNow = finding::ThreeMembers::kNow;

class DossierAfterALeave : public BothVerifiers {
 protected:
  finding::Participant& at(const std::string& nick) { return members_.group_[nick]; }
  void take(std::initializer_list<const char*> nicks, const std::string& paper) {
    for (const char* nick : nicks) EXPECT_HOLDS(at(nick).take(paper, kNow)) << nick;
  }
  /// The next version, proposed by the first one and signed by the others; in force with whoever signed last.
  std::string amendment(const std::vector<std::string>& signers, const std::function<void(group::Charter&)>& change) {
    group::Charter next = members_.membership(signers.front()).charter();
    change(next);
    const auto proposed = at(signers.front()).amend(next, kNow);
    EXPECT_HOLDS(proposed);
    std::string note = proposed->charter.note;
    for (const std::string& signer : signers | std::views::drop(1)) {
      EXPECT_HOLDS(at(signer).take(note, kNow));
      const auto agreed = at(signer).sign("", kNow);
      EXPECT_HOLDS(agreed);
      note = agreed->charter.note;
    }
    return note;
  }
  static void tighten(group::Charter& next) { next.not_after -= 1; }
  std::string leave_under(const group::Charter& version) {
    return group::make_leave(version, *version.member("charlie"), "", kNow, at("charlie").id_seed())->note;
  }
  group::Charter version(std::size_t number) { return members_.membership("alpha").versions().at(number - 1).charter; }

  void exchange_among_two() { members_.exchange_among({"alpha", "bravo"}); }
  /// A finding that alpha and bravo sign, under the version in force.
  void sign_a_finding() {
    exchange_among_two();
    const auto hash = members_.draft("alpha", members_.working_copy());
    ASSERT_HOLDS(hash);
    hash_ = *hash;
    exchange_among_two();
    for (const char* nick : {"alpha", "bravo"}) EXPECT_HOLDS(members_.sign(nick, hash_));
    exchange_among_two();
  }
  void publish() {
    exchange_among_two();
    for (const char* nick : {"alpha", "bravo"}) EXPECT_HOLDS(members_.publish(nick, hash_));
    exchange_among_two();
  }
  Result<std::string> make() { return dossier_by(members_, "alpha", members_.only_case("alpha")); }
  void expect_verified(std::size_t versions, const std::set<std::string, std::less<>>& left) {
    const Verdict verdict = taken_by_both(members_, "alpha", make());
    ASSERT_TRUE(verdict.holds);
    EXPECT_EQ(verdict.contents->charters.size(), versions);
    EXPECT_EQ(verdict.contents->left, left);
  }

  finding::ThreeMembers members_;  // finding quorum: 2
  Digest hash_{};
};

TEST_F(DossierAfterALeave, UnderAVersionThatNobodyKnowsIsMadeOnceItsAuthorIsExpelled) {
  group::Charter made_up = version(1);
  made_up.purpose = "None that anybody agreed on";
  for (const char* nick : {"alpha", "bravo"})
    EXPECT_REFUSED(at(nick).take(leave_under(made_up), kNow), Errc::not_found, "Take the amendments");
  const std::string expulsion = amendment({"alpha", "bravo"}, [](group::Charter& next) {
    std::erase_if(next.members, [](const group::CharterMember& member) { return member.keys.nick == "charlie"; });
    next.log_quorum = 2;
  });
  take({"alpha"}, expulsion);
  take({"alpha"}, amendment({"alpha", "bravo"}, [](group::Charter& next) { next.not_after += 1; }));
  sign_a_finding();
  publish();
  expect_verified(3, {});
}

TEST_F(DossierAfterALeave, UnderTheVersionBeforeTheOneThatItsAuthorSignedIsMade) {
  const std::string signed_by_charlie = amendment({"alpha", "charlie"}, tighten);
  take({"alpha", "bravo"}, signed_by_charlie);
  take({"alpha", "bravo"}, leave_under(version(1)));
  sign_a_finding();
  publish();
  expect_verified(2, {"charlie"});
}

TEST_F(DossierAfterALeave, ThatCameBeforeTheVersionThatItsAuthorSignedIsMade) {
  const std::string signed_by_charlie = amendment({"charlie", "alpha"}, tighten);
  const std::string leave = leave_under(members_.membership("charlie").charter());
  for (const char* nick : {"bravo", "alpha"}) {
    take({nick}, leave);
    EXPECT_TRUE(members_.membership(nick).has_left("charlie"));
  }
  take({"bravo"}, signed_by_charlie);
  ASSERT_EQ(members_.membership("bravo").charter().seq, 1) << "bravo cannot know which came first";
  EXPECT_HOLDS(at("bravo").sign("", kNow));
  ASSERT_EQ(members_.membership("bravo").charter().seq, 2);
  sign_a_finding();
  publish();
  expect_verified(2, {"charlie"});
}

TEST_F(DossierAfterALeave, ThatWasNeededForALooseningIsMadeOfWhatCameAfterIt) {
  take({"alpha", "bravo"}, leave_under(version(1)));
  take({"alpha"}, amendment({"alpha", "bravo"}, [](group::Charter& next) { next.not_after += 1; }));
  sign_a_finding();
  publish();
  expect_verified(2, {"charlie"});
}

// The trees with the publications are final by the rest alone, and nothing else names the version of the leave.
TEST_F(DossierAfterALeave, UnderALaterVersionIsMadeOfWhatWasPublishedUnderAnEarlierOne) {
  sign_a_finding();
  publish();
  EXPECT_REFUSED(make(), Errc::policy, "0 of 2 signers have published it so that a quorum holds it");
  const std::string next = amendment({"alpha", "bravo"}, tighten);
  take({"alpha"}, next);
  take({"alpha", "bravo"}, leave_under(version(2)));
  exchange_among_two();
  expect_verified(2, {"charlie"});
}

TEST_F(DossierAfterALeave, UnderALaterVersionIsMadeOfWhatTheRestAreEnoughFor) {
  const auto all_sign = [](group::Charter& next) { next.finding_quorum = 3; };
  take({"alpha", "charlie"}, amendment({"alpha", "bravo"}, all_sign));
  members_.exchange();
  sign_a_finding();
  members_.exchange();
  EXPECT_REFUSED(members_.publish("alpha", hash_), Errc::policy, "2 of 3 signatures are here");
  take({"alpha", "bravo"}, amendment({"alpha", "bravo", "charlie"}, tighten));
  take({"alpha", "bravo"}, leave_under(version(3)));
  publish();
  expect_verified(3, {"charlie"});
}

TEST_F(DossierAfterALeave, IsRefusedByBothVerifiersWithTheLeaveThatAVersionNeededLeftOut) {
  take({"alpha", "bravo"}, leave_under(version(1)));
  take({"alpha"}, amendment({"alpha", "bravo"}, [](group::Charter& next) { next.not_after += 1; }));
  sign_a_finding();
  publish();
  const auto text = make();
  ASSERT_HOLDS(text);
  Dossier dossier = *parse_dossier(*text);
  dossier.leaves.clear();
  const std::string cut = write_dossier(dossier);
  const Digest anchor = members_.membership("alpha").anchor();
  EXPECT_FALSE(verify_dossier(cut, {.charter = anchor}).holds);
  const auto second = run(fmt::format("{} --charter {}", file("cut.parley", cut), to_hex(anchor)));
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(outcome(second[0]), "refused") << second[0];
}

}  // namespace
}  // namespace parley::dossier
