// Words about a finding under a version of the charter that nobody knows: an amendment that has not come yet, or a hash
// that its author made up. Alpha, bravo and charlie have signed; then alpha is expelled, so that nobody can show a tree
// by the version under which the finding was frozen any more.
#include "dossier/both_verifiers.h"

namespace parley::dossier {
namespace {

class UnknownCharter : public BothVerifiers {
 protected:
  void SetUp() override {
    const auto hash = members_.draft("alpha", members_.working_copy());
    ASSERT_HOLDS(hash);
    hash_ = *hash;
    members_.exchange();
    for (const std::string& nick : members_.nicks_) EXPECT_HOLDS(members_.sign(nick, hash_));
    members_.exchange();
    for (const char* nick : {"bravo", "charlie"}) EXPECT_HOLDS(members_.publish(nick, hash_));
    members_.exchange();
    expel_alpha();
  }
  /// The next version, which bravo and charlie sign; it comes into force with whoever takes it.
  std::string amendment(const std::function<void(group::Charter&)>& change) {
    group::Charter next = members_.membership("bravo").charter();
    change(next);
    const auto proposed = members_.group_["bravo"].amend(next, finding::ThreeMembers::kNow);
    EXPECT_HOLDS(proposed);
    EXPECT_HOLDS(members_.group_["charlie"].take(proposed->charter.note, finding::ThreeMembers::kNow));
    const auto agreed = members_.group_["charlie"].sign("", finding::ThreeMembers::kNow);
    EXPECT_HOLDS(agreed);
    return agreed->charter.note;
  }
  void expel_alpha() {
    const std::string note = amendment([](group::Charter& next) {
      std::erase_if(next.members, [](const group::CharterMember& member) { return member.keys.nick == "alpha"; });
      next.log_quorum = 2;
    });
    EXPECT_HOLDS(members_.group_["bravo"].take(note, finding::ThreeMembers::kNow));
  }
  void exchange_among_two() { members_.exchange_among({"bravo", "charlie"}); }
  /// Charlie's changed program names any version.
  template <typename Write>
  void by_charlie_under(const Digest& charter, const Write& write) {
    exchange_among_two();  // a log that goes on under another version asks first
    group::JointLog& log = members_.log("charlie");
    log.with([&](mirror::Replica& replica) { replica.set_charter(charter); });
    write();
    log.with(
        [&](mirror::Replica& replica) { replica.set_charter(members_.membership("charlie").signed_charter().hash); });
    exchange_among_two();
  }
  void charlie_withdraws_under(const Digest& charter) {
    by_charlie_under(charter,
                     [&] { EXPECT_HOLDS(members_.withdraw("charlie", hash_, "To keep it from being handed out.")); });
  }
  finding::Case of() {
    const finding::Casebook book = members_.book("bravo");
    EXPECT_EQ(book.cases.size(), 1u);
    return book.cases.empty() ? finding::Case{} : book.cases.front();
  }
  Result<std::string> make(const MakeOptions& options = {}) { return dossier_by(members_, "bravo", of(), options); }
  Verdict taken(const Result<std::string>& text) { return taken_by_both(members_, "bravo", text); }

  finding::ThreeMembers members_;
  Digest hash_{};
};

TEST_F(UnknownCharter, OfAWithdrawalKeepsNobodyFromMakingADossierWhoSaysToGoOnWithoutIt) {
  charlie_withdraws_under(Digest{std::byte{7}});
  const finding::Case seen = of();
  EXPECT_TRUE(seen.withdrawals.empty());
  ASSERT_EQ(seen.unread.size(), 1u);
  EXPECT_EQ(seen.unread[0].lacking, finding::Unread::Lacking::charter);
  EXPECT_REFUSED(make(), Errc::policy, fmt::format("--without charlie:{}", seen.unread[0].place.seq));
  const Verdict verdict = taken(make({.withhold = {}, .with_bodies = {}, .without = {seen.unread[0].place.leaf}}));
  ASSERT_TRUE(verdict.holds);
  EXPECT_TRUE(verdict.contents->withdrawals.empty());
  ASSERT_EQ(seen.set_aside.size(), 1u) << "and it is said that it was left aside";
  EXPECT_NE(seen.set_aside[0].why.find("a version of the charter that is not known here"), std::string::npos);
}

TEST_F(UnknownCharter, OfSeveralWithdrawalsIsToldInOneRefusal) {
  charlie_withdraws_under(Digest{std::byte{7}});
  charlie_withdraws_under(Digest{std::byte{8}});
  const finding::Case seen = of();
  ASSERT_EQ(seen.unread.size(), 2u);
  EXPECT_REFUSED(make(), Errc::policy, fmt::format("So it is with charlie:{}.", seen.unread[1].place.seq));
  EXPECT_TRUE(
      taken(
          make({.withhold = {}, .with_bodies = {}, .without = {seen.unread[0].place.leaf, seen.unread[1].place.leaf}}))
          .holds);
}

TEST_F(UnknownCharter, OfAWithdrawalThatComesLaterMakesItCount) {
  const std::string note = amendment([](group::Charter& next) { next.not_after -= 1; });
  const Digest next = group::charter_hash(log::parse_note(note)->text);
  charlie_withdraws_under(next);
  EXPECT_REFUSED(make(), Errc::policy, "Take the amendments that the others have");
  EXPECT_HOLDS(members_.group_["bravo"].take(note, finding::ThreeMembers::kNow));
  EXPECT_TRUE(of().unread.empty());
  exchange_among_two();
  const Verdict verdict = taken(make());
  ASSERT_TRUE(verdict.holds);
  EXPECT_EQ(verdict.contents->withdrawals.size(), 1u);
}

TEST_F(UnknownCharter, OfAWithdrawalThatIsGivenTwiceIsNotWaitedForAfterOneThatCounts) {
  charlie_withdraws_under(Digest{std::byte{7}});
  charlie_withdraws_under(members_.membership("charlie").signed_charter().hash);
  EXPECT_TRUE(of().unread.empty());
  const Verdict verdict = taken(make());
  ASSERT_TRUE(verdict.holds);
  EXPECT_EQ(verdict.contents->withdrawals.size(), 1u);
}

TEST_F(UnknownCharter, OfAWithdrawalWhoseWordsAreLostIsStillWaitedFor) {
  charlie_withdraws_under(Digest{std::byte{7}});
  const finding::Place place = of().unread.at(0).place;
  EXPECT_HOLDS(members_.group_["bravo"].vault().erase_entry_body(place.leaf));
  ASSERT_EQ(of().unread.size(), 1u);
  EXPECT_EQ(of().unread[0].lacking, finding::Unread::Lacking::words);
  EXPECT_REFUSED(make(), Errc::policy, "what it says is not here");
}

TEST_F(UnknownCharter, OfAPublicationMakesItCountForNothing) {
  const std::size_t before = of().publications.size();
  by_charlie_under(Digest{std::byte{7}}, [&] {
    EXPECT_HOLDS(members_.log("charlie").append(mirror::draft_for_everyone(
        log::kFindingPublish, finding::PublishBody{hash_, {"bravo", "charlie"}, {}}.to_json())));
  });
  const finding::Case seen = of();
  EXPECT_EQ(seen.publications.size(), before);
  ASSERT_EQ(seen.set_aside.size(), 1u);
  EXPECT_TRUE(taken(make()).holds) << "what charlie published before still counts";
}

}  // namespace
}  // namespace parley::dossier
