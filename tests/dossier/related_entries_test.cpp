// Entries about findings that stand elsewhere than one expects: as evidence of another finding, or before what they are
// about. Maker and both verifiers judge them alike.
#include "dossier/both_verifiers.h"

namespace parley::dossier {
namespace {

class RelatedEntries : public BothVerifiers {};

TEST_F(RelatedEntries, AboutAnotherFindingAreEvidenceLikeAnyOther) {
  Published first(true, true);
  const finding::Case other = first.only_case("alpha");
  finding::Finding finding = first.working_copy();
  finding.title = "What became of the finding on the ticketing systems";
  finding.evidence[0].refs = {other.withdrawals.at(0).place.leaf, other.publications.at(0).place.leaf};
  finding.evidence[1].refs.clear();
  std::set<Digest> shown = {other.withdrawals.at(0).place.leaf};
  first.log("alpha").with([&](mirror::Replica& replica) {
    for (const std::string& nick : first.nicks_)
      for (std::uint64_t seq = 0; replica.entry(nick, seq); ++seq)
        if (const auto entry = replica.entry(nick, seq); entry->entry.type == log::kFindingDissent) {
          finding.evidence[1].refs.push_back(entry->leaf_hash);
          shown.insert(entry->leaf_hash);
        }
  });
  ASSERT_EQ(finding.evidence[1].refs.size(), 3u) << "charlie's, and those by which its publishers hand it on";
  const auto hash = first.draft("alpha", finding);
  ASSERT_HOLDS(hash);
  first.exchange();
  for (const char* nick : {"alpha", "bravo"}) EXPECT_HOLDS(first.sign(nick, *hash));
  first.exchange();
  for (const char* nick : {"alpha", "bravo"}) EXPECT_HOLDS(first.publish(nick, *hash));
  first.exchange();
  const finding::Casebook book = first.book("alpha");
  const auto of = book.find(to_hex(*hash));
  ASSERT_HOLDS(of);
  for (const MakeOptions& options : {MakeOptions{}, MakeOptions{.withhold = {}, .with_bodies = shown}}) {
    const Verdict verdict = taken_by_both(first, "alpha", dossier_by(first, "alpha", **of, options));
    ASSERT_TRUE(verdict.holds);
    EXPECT_TRUE(verdict.contents->withdrawals.empty()) << "it is of the other finding";
    EXPECT_EQ(verdict.contents->publishers, (std::vector<std::string>{"alpha", "bravo"}));
  }
}

TEST_F(RelatedEntries, WithdrawWhereverTheSignatureStands) {
  // Bravo's program writes that it withdraws before it signs. All three sign, so that two publish whatever bravo does.
  finding::ThreeMembers members;
  const Digest hash = *members.draft("alpha", members.working_copy());
  members.exchange();
  finding::Participant& bravo = members.group_["bravo"];
  const auto withdrawal = finding::sign_withdrawal(
      {hash, members.membership("bravo").charter().group, "bravo", finding::ThreeMembers::kNow, "Too early to say."},
      *group::own_id_key(bravo.card()), bravo.id_seed());
  ASSERT_HOLDS(withdrawal);
  EXPECT_HOLDS(members.log("bravo").append(
      mirror::draft_for_everyone(log::kFindingWithdraw, finding::NoteBody{hash, withdrawal->note}.to_json())));
  members.exchange();
  EXPECT_TRUE(members.book("alpha").cases.at(0).withdrawals.empty()) << "bravo has not signed";
  for (const std::string& nick : members.nicks_) EXPECT_HOLDS(members.sign(nick, hash));
  members.exchange();
  for (const char* nick : {"alpha", "charlie"}) EXPECT_HOLDS(members.publish(nick, hash));
  EXPECT_REFUSED(members.publish("bravo", hash), Errc::policy, "have withdrawn");
  members.exchange();
  const finding::Case of = members.only_case("alpha");
  ASSERT_EQ(of.withdrawals.size(), 1u);
  EXPECT_EQ(of.publications.at(0).body.withdrawals.size(), 1u);
  const Verdict verdict = taken_by_both(members, "alpha", dossier_by(members, "alpha", of));
  ASSERT_TRUE(verdict.holds);
  EXPECT_EQ(verdict.contents->standing(), (std::vector<std::string>{"alpha", "charlie"}));
}

TEST_F(RelatedEntries, CountThoughAnAmendmentHasTakenTheirAuthorOffTheList) {
  finding::ThreeMembers members;
  const Digest hash = *members.draft("alpha", members.working_copy());
  members.exchange();
  for (const std::string& nick : members.nicks_) EXPECT_HOLDS(members.sign(nick, hash));
  members.exchange();
  for (const std::string& nick : members.nicks_) EXPECT_HOLDS(members.publish(nick, hash));
  members.exchange();
  EXPECT_HOLDS(members.withdraw("charlie", hash, "The sensor was wrong."));
  members.exchange();
  finding::Participant &alpha = members.group_["alpha"], &bravo = members.group_["bravo"];
  group::Charter next = members.membership("alpha").charter();
  std::erase_if(next.members, [](const group::CharterMember& member) { return member.keys.nick == "charlie"; });
  next.log_quorum = 2;
  const UnixSeconds now = finding::ThreeMembers::kNow;
  const auto proposed = alpha.amend(next, now);
  ASSERT_HOLDS(proposed);
  EXPECT_HOLDS(bravo.take(proposed->charter.note, now));
  const auto agreed = bravo.sign("", now);
  ASSERT_HOLDS(agreed);
  EXPECT_HOLDS(alpha.take(agreed->charter.note, now));
  ASSERT_EQ(members.membership("alpha").charter().member("charlie"), nullptr);
  const Verdict verdict = taken_by_both(members, "alpha", dossier_by(members, "alpha", members.only_case("alpha")));
  ASSERT_TRUE(verdict.holds);
  EXPECT_EQ(verdict.contents->withdrawals.size(), 1u);
  EXPECT_EQ(verdict.contents->standing(), (std::vector<std::string>{"alpha", "bravo"}));
  EXPECT_EQ(verdict.contents->publishers, members.nicks_);
}

TEST_F(RelatedEntries, OfWhichNoPublicationKnewAreShownAndTakenByBoth) {
  Published published(false);
  EXPECT_HOLDS(published.dissent("charlie", published.hash(), {{"judgement", {}, "The tools are sold."}}));
  published.exchange();
  const Verdict verdict = taken_by_both(published, "alpha", published.make("alpha"));
  ASSERT_TRUE(verdict.holds);
  EXPECT_EQ(verdict.contents->dissents.size(), 1u);
  EXPECT_TRUE(verdict.contents->silent.empty());
}

}  // namespace
}  // namespace parley::dossier
