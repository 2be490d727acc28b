// Alpha dissents with two faces: its log goes two ways, and each of the others sees other dissents. Once that is found
// nobody follows alpha's log any more. What publishers name they hand on in their own logs, so that every member makes
// a dossier that has it.
#include "dossier/both_verifiers.h"
#include "finding/two_faced.h"

namespace parley::dossier {
namespace {

constexpr std::size_t kLong = 60'000;  // two of them fill a member's share

class TwoFacedDissent : public BothVerifiers {
 protected:
  TwoFacedDissent() {
    hash_ = *members_.draft("bravo", members_.working_copy());
    members_.exchange();
    for (const std::string& nick : members_.nicks_) EXPECT_HOLDS(members_.sign(nick, hash_));
    members_.exchange();
  }
  finding::SignedDissent says(const std::string& what, std::size_t bytes = 0) {
    constexpr std::size_t kPoints = 16;
    std::vector<finding::DissentPoint> points(kPoints, {"e1", {}, what + std::string(bytes / kPoints, 'x')});
    finding::Participant& alpha = members_.group_["alpha"];
    return *finding::sign_dissent(
        {hash_, members_.membership("alpha").charter().group, "alpha", finding::ThreeMembers::kNow, std::move(points)},
        alpha.id(), alpha.id_seed());
  }
  void show(const std::string& to, const finding::SignedDissent& dissent) {
    finding::show_only_to(members_, "alpha", to, log::kFindingDissent,
                          finding::NoteBody{hash_, dissent.note}.to_json());
  }
  void show_share(const std::string& to, const std::string& one, const std::string& other) {
    show(to, says(one, kLong));
    show(to, says(other, kLong));
  }
  /// Alpha's own publication, after what it has shown to `to`.
  void show_publication(const std::string& to, std::vector<Digest> dissents) {
    std::ranges::sort(dissents);
    finding::show_only_to(members_, "alpha", to, log::kFindingPublish,
                          finding::PublishBody{hash_, {"alpha", "bravo"}, std::move(dissents)}.to_json());
  }
  void exchange() { members_.exchange_among(kHonest); }
  void write(const std::string& nick, std::string_view type, log::Json body) {
    EXPECT_HOLDS(members_.log(nick).append({.type = std::string(type),
                                            .session = {},
                                            .refs = {},
                                            .audience = {std::string(log::kEveryone)},
                                            .body = std::move(body)}));
  }
  /// Bravo, who is with alpha in this, hands on what it alone was given, and names it.
  void put_forward(const std::vector<finding::SignedDissent>& dissents) {
    std::vector<Digest> hashes;
    for (const finding::SignedDissent& one : dissents) {
      write("bravo", log::kFindingDissent, finding::NoteBody{hash_, one.note}.to_json());
      hashes.push_back(one.hash);
    }
    std::ranges::sort(hashes);
    write("bravo", log::kFindingPublish, finding::PublishBody{hash_, {"alpha", "bravo"}, hashes}.to_json());
  }
  void publish(std::initializer_list<const char*> nicks) {
    for (const char* nick : nicks) EXPECT_HOLDS(members_.publish(nick, hash_)) << nick;
  }
  finding::Case of(const std::string& nick) { return members_.book(nick).cases.at(0); }
  std::set<Digest> counted_by(const std::string& nick) {
    std::set<Digest> hashes;
    for (const finding::SignedDissent& one : of(nick).dissents) hashes.insert(one.hash);
    return hashes;
  }
  /// Every honest member makes a dossier that both verifiers take, with these dissents.
  void expect_dossiers_with(const std::set<Digest>& dissents) {
    for (const std::string& nick : kHonest) {
      const Verdict verdict = taken_by_both(members_, nick, dossier_by(members_, nick, of(nick)));
      ASSERT_TRUE(verdict.holds) << nick;
      std::set<Digest> shown;
      for (const finding::SignedDissent& one : verdict.contents->dissents) shown.insert(one.hash);
      EXPECT_EQ(shown, dissents) << nick;
    }
  }

  const std::vector<std::string> kHonest = {"bravo", "charlie", "delta"};
  finding::ThreeMembers members_{{"alpha", "bravo", "charlie", "delta"}};
  Digest hash_{};
};

TEST_F(TwoFacedDissent, IsInEveryMembersDossierWhomeverItWasShownTo) {
  const finding::SignedDissent one = says("It was a sinkhole."), other = says("The tools are sold.");
  show("bravo", one);
  show("charlie", other);
  exchange();
  EXPECT_FALSE(members_.log("delta").with([](mirror::Replica& replica) { return replica.trusted("alpha"); }))
      << "alpha is convicted";
  EXPECT_NE(counted_by("bravo"), counted_by("charlie"));
  publish({"bravo", "charlie", "delta"});
  exchange();
  expect_dossiers_with({one.hash, other.hash});
}

TEST_F(TwoFacedDissent, BeyondItsShareIsWhatThePublicationsNameFirst) {
  const std::set<Digest> first = {says("1", kLong).hash, says("2", kLong).hash};
  show_share("bravo", "1", "2");
  show_share("charlie", "3", "4");
  exchange();
  publish({"bravo", "charlie"});
  exchange();
  for (const std::string& nick : kHonest) EXPECT_EQ(counted_by(nick), first) << nick;
  EXPECT_REFUSED(dossier_by(members_, "delta", of("delta")), Errc::policy, "have charlie publish again");
  EXPECT_REFUSED(members_.publish("bravo", hash_), Errc::exists, "nothing has come in since");
  publish({"charlie", "delta"});
  exchange();
  expect_dossiers_with(first);
}

TEST_F(TwoFacedDissent, BeyondItsShareIsWhatWasPublishedBeforeThoughAnotherWasShownMore) {
  const std::set<Digest> first = {says("3", kLong).hash, says("4", kLong).hash};
  show_share("bravo", "1", "2");
  show_share("charlie", "3", "4");
  exchange();
  publish({"charlie"});
  exchange();
  publish({"bravo", "delta"});
  exchange();
  expect_dossiers_with(first);
}

// As alpha's log differs from one member to the other, so do its publications.
TEST_F(TwoFacedDissent, IsNotPutFirstByPublicationsOfItsAuthor) {
  const std::set<Digest> first = {says("1", kLong).hash, says("2", kLong).hash};
  show_share("bravo", "1", "2");
  show_publication("bravo", {says("1", kLong).hash, says("2", kLong).hash});
  show_share("charlie", "3", "4");
  show_publication("charlie", {says("3", kLong).hash, says("4", kLong).hash});
  exchange();
  publish({"bravo", "charlie"});
  exchange();
  for (const std::string& nick : kHonest) EXPECT_EQ(counted_by(nick), first) << nick;
  publish({"charlie", "delta"});
  exchange();
  expect_dossiers_with(first);
}

// Each time that somebody put other dissents of alpha forward, the others would have to publish again.
TEST_F(TwoFacedDissent, IsNotPutBehindWhatOneSignerNamesWhereTwoNameIt) {
  const std::set<Digest> first = {says("1", kLong).hash, says("2", kLong).hash};
  show_share("charlie", "1", "2");
  show("delta", says("3", kLong));
  exchange();
  publish({"charlie"});
  exchange();
  publish({"delta"});
  exchange();
  for (const char* more : {"4", "5"}) {
    put_forward({says(more, kLong), says(std::string(more) + "0", kLong)});
    exchange();
    for (const std::string& nick : kHonest) EXPECT_EQ(counted_by(nick), first) << nick << " " << more;
    expect_dossiers_with(first);
  }
}

// Beyond that nobody would read it, and what names it would count for nobody.
TEST_F(TwoFacedDissent, IsHandedOnUpToFourShares) {
  for (const char* what : {"1", "2"})
    write("alpha", log::kFindingDissent, finding::NoteBody{hash_, says(what, kLong).note}.to_json());
  for (std::size_t i = 0; i < 2 * finding::kMostSharesHandedOn; ++i)
    write("charlie", log::kFindingDissent,
          finding::NoteBody{hash_, says("handed on " + std::to_string(i), kLong).note}.to_json());
  members_.exchange();
  const std::uint64_t before = members_.log("charlie").with([](mirror::Replica& own) { return own.size("charlie"); });
  EXPECT_REFUSED(members_.publish("charlie", hash_), Errc::limit, "Let another signer publish it");
  EXPECT_EQ(members_.log("charlie").with([](mirror::Replica& own) { return own.size("charlie"); }), before)
      << "nothing is written that nobody would read";
  publish({"bravo", "delta"});
  members_.exchange();
  expect_dossiers_with({says("1", kLong).hash, says("2", kLong).hash});
}

// Alpha's log goes one way here, so nothing proves that it is with bravo in this.
TEST_F(TwoFacedDissent, ThatSomebodyHandsOnPutsNothingBackThatStandsInItsAuthorsLog) {
  const std::set<Digest> first = {says("1", kLong).hash, says("2", kLong).hash};
  for (const char* what : {"1", "2"})
    write("alpha", log::kFindingDissent, finding::NoteBody{hash_, says(what, kLong).note}.to_json());
  members_.exchange();
  put_forward({says("3", kLong), says("4", kLong)});
  members_.exchange();
  publish({"charlie", "delta"});
  members_.exchange();
  for (const std::string& nick : kHonest) EXPECT_EQ(counted_by(nick), first) << nick;
  expect_dossiers_with(first);
}

}  // namespace
}  // namespace parley::dossier
