// Whoever hands out a finding that one of its signers does not stand behind any more. Alpha and bravo signed and
// published; bravo withdraws.
#include "dossier/samples.h"

namespace parley::attacks {
namespace {

using dossier::Dossier, dossier::ShownEntry, dossier::Verdict, dossier::verify_dossier;
using finding::fails, finding::holds;

class OmittedWithdrawal : public testing::Test {
 protected:
  void withdraw() {
    EXPECT_HOLDS(members_.withdraw("bravo", members_.hash(), "The sensor was wrong."));
    members_.exchange();
  }
  void publish(std::string_view nick) {
    EXPECT_HOLDS(members_.publish(nick, members_.hash()));
    members_.exchange();
  }
  Dossier made() {
    const auto text = members_.make("alpha");
    EXPECT_HOLDS(text);
    return text ? *dossier::parse_dossier(*text) : Dossier{};
  }
  Verdict verdict_on(const Dossier& dossier) {
    return verify_dossier(dossier::write_dossier(dossier), members_.anchor());
  }
  void expect_refused(const Dossier& dossier, std::string_view step, std::string_view why) {
    const Verdict verdict = verdict_on(dossier);
    EXPECT_FALSE(verdict.holds);
    EXPECT_EQ(verdict.steps.back().title, step) << verdict.steps.back().detail;
    EXPECT_NE(verdict.steps.back().detail.find(why), std::string::npos) << verdict.steps.back().detail;
  }
  static bool is_withdrawal(const ShownEntry& entry) {
    return entry.note.find(log::kFindingWithdraw) != std::string::npos;
  }

  dossier::Published members_{true};
};

TEST_F(OmittedWithdrawal, IsCarriedByEveryDossierThatIsMadeWhereItIsKnown) {
  EXPECT_TRUE(verdict_on(made()).contents->stands());
  withdraw();
  const Verdict verdict = verdict_on(made());
  ASSERT_TRUE(verdict.holds) << verdict.steps.back().detail;
  ASSERT_EQ(verdict.contents->withdrawals.size(), 1u);
  EXPECT_EQ(verdict.contents->withdrawals[0].place.nick, "bravo");
  EXPECT_EQ(verdict.contents->withdrawals[0].signed_withdrawal.withdrawal.reason, "The sensor was wrong.");
  EXPECT_EQ(verdict.contents->standing(), std::vector<std::string>{"alpha"});
  EXPECT_FALSE(verdict.contents->stands()) << "two must sign";
  EXPECT_NE(verdict.contents->dossier.stix.find(R"("revoked":true)"), std::string::npos);
}

TEST_F(OmittedWithdrawal, LeftOutOfTheFileIsMissedWhereAPublisherKnewOfIt) {
  withdraw();
  publish("alpha");
  Dossier dossier = made();
  EXPECT_TRUE(verdict_on(dossier).holds);
  EXPECT_EQ(std::erase_if(dossier.entries, is_withdrawal), 1u);
  expect_refused(dossier, "publication", "left out");
}

TEST_F(OmittedWithdrawal, CannotBeCutOutOfWhatWasPublishedOrEmptied) {
  withdraw();
  publish("alpha");
  const Dossier whole = made();
  Dossier dossier = whole;
  for (ShownEntry& entry : dossier.entries)
    if (is_withdrawal(entry)) entry.body.reset();
  expect_refused(dossier, "publication", "is not shown");
  dossier = whole;
  for (ShownEntry& entry : dossier.entries) {
    const std::string hash = to_hex(members_.only_case("alpha").withdrawals.at(0).signed_withdrawal.hash);
    if (!entry.body || entry.body->text.find(hash) == std::string::npos) continue;
    entry.body->text.erase(entry.body->text.find(hash) - 1, hash.size() + 2);
  }
  expect_refused(dossier, "entries", "");
}

TEST_F(OmittedWithdrawal, KeepsADossierFromBeingMadeUntilAQuorumHoldsIt) {
  EXPECT_HOLDS(members_.withdraw("bravo", members_.hash(), "The sensor was wrong."));
  members_.hand_over("bravo", "alpha");
  const auto made = members_.make("alpha");
  if (members_.only_case("alpha").withdrawals.empty()) return;  // it has not come yet: then nobody can say it
  EXPECT_REFUSED(made, Errc::policy, "no quorum holds that yet");
}

TEST_F(OmittedWithdrawal, WhoseWordsAreLostHereKeepsTheDossierFromBeingMade) {
  withdraw();
  const finding::Place place = members_.only_case("alpha").withdrawals.at(0).place;
  EXPECT_HOLDS(members_.group_["alpha"].vault().erase_entry_body(place.leaf));
  const finding::Casebook book = members_.book("alpha");
  ASSERT_EQ(book.cases.at(0).unread.size(), 1u);
  EXPECT_REFUSED(dossier::make_dossier(members_.group_["alpha"].vault(), members_.membership("alpha"),
                                       members_.log("alpha"), members_.group_["alpha"].card(), book.cases.at(0), {}),
                 Errc::policy, fmt::format("Entry {} of bravo is a withdrawal of a signature", place.seq));
  EXPECT_HOLDS(members_.make("charlie"));
}

TEST_F(OmittedWithdrawal, IsOnlyForWhoHasSignedOnceAndWithAReason) {
  EXPECT_REFUSED(members_.withdraw("charlie", members_.hash(), "I never liked it."), Errc::policy, "have not signed");
  EXPECT_REFUSED(members_.withdraw("bravo", members_.hash(), ""), Errc::format, "no reason");
  withdraw();
  EXPECT_REFUSED(members_.withdraw("bravo", members_.hash(), "Once more."), Errc::exists, "already");
  EXPECT_REFUSED(members_.publish("bravo", members_.hash()), Errc::policy, "have withdrawn");
}

// Charlie's program writes withdrawals that are not its to write.
TEST_F(OmittedWithdrawal, InAnothersNameOrOfAnotherFindingCountsForNothing) {
  const auto write = [&](const finding::Withdrawal& withdrawal) {
    auto& charlie = members_.group_["charlie"];
    const auto note = finding::sign_withdrawal(withdrawal, charlie.id(), charlie.id_seed());
    ASSERT_HOLDS(note);
    EXPECT_HOLDS(members_.log("charlie").append(
        mirror::draft_for_everyone(log::kFindingWithdraw, finding::NoteBody{members_.hash(), note->note}.to_json())));
    members_.exchange();
  };
  const std::string group = members_.membership("charlie").charter().group;
  write({members_.hash(), group, "bravo", 1, "No."});
  write({members_.hash(), group, "charlie", 1, "No."});
  write({finding::digest_of("another"), group, "charlie", 1, "No."});
  const finding::Casebook book = members_.book("alpha");
  EXPECT_TRUE(book.cases.at(0).withdrawals.empty());
  EXPECT_EQ(book.oddities.size(), 3u);
  EXPECT_TRUE(verdict_on(*dossier::parse_dossier(*dossier::make_dossier(
                             members_.group_["alpha"].vault(), members_.membership("alpha"), members_.log("alpha"),
                             members_.group_["alpha"].card(), book.cases.at(0), {})))
                  .holds);
}

}  // namespace
}  // namespace parley::attacks
