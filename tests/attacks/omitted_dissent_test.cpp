// Whoever hands out a finding and would rather that nobody read the dissent. Charlie dissents; alpha and bravo signed
// and publish, and either may run a changed program.
#include "dossier/samples.h"

namespace parley::attacks {
namespace {

using dossier::Dossier, dossier::ShownEntry, dossier::Verdict, dossier::verify_dossier;
using finding::fails, finding::holds;

/// Signed by alpha and bravo, dissented from by charlie; nothing is published yet.
class OmittedDissent : public testing::Test {
 protected:
  OmittedDissent() {
    hash_ = *members_.draft("alpha", members_.working_copy());
    members_.exchange();
    EXPECT_HOLDS(members_.sign("alpha", hash_));
    EXPECT_HOLDS(members_.sign("bravo", hash_));
    members_.exchange();
  }
  void dissent(std::string text = "It was a sinkhole.") {
    EXPECT_HOLDS(members_.dissent("charlie", hash_, {{"e1", {}, std::move(text)}}));
    members_.exchange();
  }
  /// Whatever nobody counts: a changed program writes it all the same.
  void dissent_by_changed_program(const std::string& nick, std::vector<finding::DissentPoint> points) {
    auto& author = members_.group_[nick];
    const auto note = finding::sign_dissent(
        {hash_, members_.membership(nick).charter().group, nick, finding::ThreeMembers::kNow, std::move(points)},
        author.id(), author.id_seed());
    ASSERT_HOLDS(note);
    EXPECT_HOLDS(members_.log(nick).append(
        mirror::draft_for_everyone(log::kFindingDissent, finding::NoteBody{hash_, note->note}.to_json())));
  }
  void publish(std::string_view nick) {
    EXPECT_HOLDS(members_.publish(nick, hash_));
    members_.exchange();
  }
  /// A changed program denies what it got.
  void publish_without_dissent(std::string_view nick) {
    EXPECT_HOLDS(members_.log(nick).append({.type = std::string(log::kFindingPublish),
                                            .session = {},
                                            .refs = {},
                                            .audience = {std::string(log::kEveryone)},
                                            .body = finding::PublishBody{hash_, {"alpha", "bravo"}, {}}.to_json()}));
    members_.exchange();
  }
  Result<std::string> make(const dossier::MakeOptions& options = {}) {
    const finding::Casebook book = members_.book("alpha");
    return make_of(book.cases.at(0), options);
  }
  Result<std::string> make_of(const finding::Case& of, const dossier::MakeOptions& options = {}) {
    const group::Membership membership = members_.membership("alpha");
    return dossier::make_dossier(members_.group_["alpha"].vault(), membership, members_.log("alpha"),
                                 members_.group_["alpha"].card(), of, options);
  }
  /// The newest entry of a type in a log, as alpha has it.
  mirror::EntryView newest(const std::string& nick, std::string_view type) {
    return members_.log("alpha").with([&](mirror::Replica& replica) {
      mirror::EntryView found;
      for (std::uint64_t seq = 0; replica.entry(nick, seq); ++seq)
        if (const auto entry = replica.entry(nick, seq); entry->entry.type == type) found = *entry;
      return found;
    });
  }
  /// Hands what charlie has written to alpha and bravo, without what its entries say.
  void hand_over_headers_of_charlie() {
    const std::string group = members_.id();
    for (const std::string to : {"alpha", "bravo"})
      for (mirror::Message message :
           members_.log("charlie").with([&](mirror::Replica& replica) { return *replica.to_send(to); })) {
        auto content = *mirror::parse_message(group, message);
        if (auto* push = std::get_if<mirror::Push>(&content)) push->bodies.clear();
        message = *mirror::write_message(group, content);
        EXPECT_HOLDS(members_.log(to).with(
            [&](mirror::Replica& replica) { return replica.take("charlie", message, finding::kBegin + 60); }));
      }
  }
  Dossier made() {
    const auto text = make();
    EXPECT_HOLDS(text);
    return text ? *dossier::parse_dossier(*text) : Dossier{};
  }
  Verdict verdict_on(const Dossier& dossier) {
    return verify_dossier(dossier::write_dossier(dossier), {.charter = members_.membership("alpha").anchor()});
  }
  void expect_refused(const Dossier& dossier, std::string_view step) {
    const Verdict verdict = verdict_on(dossier);
    EXPECT_FALSE(verdict.holds);
    EXPECT_EQ(verdict.steps.back().title, step) << verdict.steps.back().detail;
  }
  static bool is_publication(const ShownEntry& entry) { return entry.body.has_value(); }

  finding::ThreeMembers members_;
  Digest hash_{};
};

TEST_F(OmittedDissent, LeftOutOfTheFileIsMissed) {
  dissent();
  publish("alpha");
  publish("bravo");
  Dossier dossier = made();
  ASSERT_EQ(dossier.dissents.size(), 1u);
  EXPECT_TRUE(verdict_on(dossier).holds);
  dossier.dissents.clear();
  expect_refused(dossier, "publication");
}

TEST_F(OmittedDissent, OfOneOfTwoCannotStandForBoth) {
  dissent("It was a sinkhole.");
  dissent("And its address had been sold by then.");
  publish("alpha");
  publish("bravo");
  Dossier dossier = made();
  ASSERT_EQ(dossier.dissents.size(), 2u);
  dossier.dissents.pop_back();
  expect_refused(dossier, "publication");
}

TEST_F(OmittedDissent, CannotBeReplacedByAMilderOneOfTheSameMember) {
  dissent("It was a sinkhole.");
  publish("alpha");
  publish("bravo");
  Dossier dossier = made();
  auto& charlie = members_.group_["charlie"];
  const auto milder = finding::sign_dissent({hash_,
                                             members_.membership("charlie").charter().group,
                                             "charlie",
                                             finding::ThreeMembers::kNow,
                                             {{"e1", {}, "A detail."}}},
                                            charlie.id(), charlie.id_seed());
  ASSERT_HOLDS(milder);
  dossier.dissents = {milder->note};
  expect_refused(dossier, "publication");
}

TEST_F(OmittedDissent, CannotBeCutOutOfWhatWasPublished) {
  dissent();
  publish("alpha");
  publish("bravo");
  Dossier dossier = made();
  dossier.dissents.clear();
  for (ShownEntry& entry : dossier.entries)
    if (is_publication(entry))
      entry.body->text = log::write_pjson(finding::PublishBody{hash_, {"alpha", "bravo"}, {}}.to_json());
  expect_refused(dossier, "entries");
  for (ShownEntry& entry : dossier.entries) entry.body.reset();
  expect_refused(dossier, "publication");
}

TEST_F(OmittedDissent, IsNamedByThePublisherWhoIsHonestThoughTheOtherDeniesIt) {
  dissent();
  publish_without_dissent("alpha");
  publish("bravo");
  Dossier dossier = made();
  ASSERT_EQ(dossier.dissents.size(), 1u);
  dossier.dissents.clear();
  expect_refused(dossier, "publication");
  std::erase_if(dossier.entries,
                [](const ShownEntry& entry) { return entry.nick == "bravo" && is_publication(entry); });
  expect_refused(dossier, "publication");
}

TEST_F(OmittedDissent, OfWhichAnEarlierPublicationDidNotKnowIsInEveryDossierThatNeedsALaterOne) {
  publish("alpha");
  dissent();
  publish("bravo");
  Dossier dossier = made();
  ASSERT_EQ(dossier.dissents.size(), 1u);
  dossier.dissents.clear();
  expect_refused(dossier, "publication");
}

TEST_F(OmittedDissent, NamedByOnePublisherThoughNobodyHasItKeepsTheOthersFromNothing) {
  EXPECT_HOLDS(members_.sign("charlie", hash_));
  members_.exchange();
  publish("alpha");
  publish("bravo");
  EXPECT_HOLDS(members_.log("charlie").append(
      {.type = std::string(log::kFindingPublish),
       .session = {},
       .refs = {},
       .audience = {std::string(log::kEveryone)},
       .body =
           finding::PublishBody{hash_, {"alpha", "bravo"}, {finding::digest_of("a dissent that is none")}}.to_json()}));
  members_.exchange();
  const Dossier dossier = made();
  EXPECT_TRUE(verdict_on(dossier).holds);
  EXPECT_EQ(std::ranges::count_if(dossier.entries, [](const ShownEntry& entry) { return entry.nick == "charlie"; }), 0);
}

TEST_F(OmittedDissent, WithoutEndKeepsNobodyFromHandingOutTheFinding) {
  for (std::size_t i = 0; i < finding::kMaxDissentsOfOne; ++i)
    EXPECT_HOLDS(members_.dissent("charlie", hash_, {{"e1", {}, fmt::format("Reason {}.", i)}}));
  EXPECT_REFUSED(members_.dissent("charlie", hash_, {{"e1", {}, "One more."}}), Errc::limit,
                 "nobody's node would count it");
  for (const char* more : {"One more.", "And one more."}) dissent_by_changed_program("charlie", {{"e1", {}, more}});
  members_.exchange();
  const finding::Casebook book = members_.book("alpha");
  EXPECT_EQ(book.cases.at(0).dissents.size(), finding::kMaxDissentsOfOne);
  EXPECT_EQ(book.oddities.size(), 2u) << "what does not count is shown";
  EXPECT_HOLDS(members_.publish("alpha", hash_));
  EXPECT_HOLDS(members_.publish("bravo", hash_));
  members_.exchange();
  const group::Membership membership = members_.membership("alpha");
  const auto text = dossier::make_dossier(members_.group_["alpha"].vault(), membership, members_.log("alpha"),
                                          members_.group_["alpha"].card(), members_.book("alpha").cases.at(0), {});
  ASSERT_HOLDS(text);
  EXPECT_EQ(dossier::parse_dossier(*text)->dissents.size(), finding::kMaxDissentsOfOne);
}

// Whatever one member says, the others' words and the finding must still fit into the file beside it.
TEST_F(OmittedDissent, OfWhichThereIsMoreThanAMembersShareOfBytesCountsAsFarAsThatGoes) {
  const auto long_one = [](std::size_t number, std::size_t bytes) {
    std::vector<finding::DissentPoint> points;
    constexpr std::size_t kPoints = 16;
    for (std::size_t i = 0; i < kPoints; ++i)
      points.push_back({"e1", {}, fmt::format("{:02}", number) + std::string(bytes / kPoints, 'x')});
    return points;
  };
  for (std::size_t i = 0; i < 2; ++i) EXPECT_HOLDS(members_.dissent("charlie", hash_, long_one(i, 60'000)));
  EXPECT_REFUSED(members_.dissent("charlie", hash_, long_one(2, 60'000)), Errc::limit, "Shorten it");
  for (std::size_t i = 2; i < 4; ++i) dissent_by_changed_program("charlie", long_one(i, 60'000));
  EXPECT_HOLDS(members_.dissent("charlie", hash_, long_one(9, 1'600)));
  EXPECT_HOLDS(members_.dissent("bravo", hash_, long_one(0, 60'000)));
  members_.exchange();
  const finding::Casebook book = members_.book("alpha");
  const auto of_charlie =
      std::ranges::count(book.cases.at(0).dissents, "charlie", [](const auto& one) { return one.dissent.nick; });
  EXPECT_EQ(of_charlie, 3) << "two long ones, and a short one that fits beside them";
  EXPECT_EQ(book.cases.at(0).dissents.size(), 4u) << "one member's words take nothing from another's";
  ASSERT_EQ(book.oddities.size(), 2u) << "what does not count is shown";
  EXPECT_NE(book.oddities[0].why.find("as far as they have 131072 bytes"), std::string::npos) << book.oddities[0].why;
  for (const char* nick : {"bravo", "charlie"})
    EXPECT_EQ(members_.book(nick).cases.at(0).dissents.size(), 4u) << "all count the same";
  publish("alpha");
  publish("bravo");
  const auto text = make();
  ASSERT_HOLDS(text);
  EXPECT_EQ(dossier::parse_dossier(*text)->dissents.size(), 4u);
}

TEST_F(OmittedDissent, ThatCameAfterAllPublicationsIsInEveryDossierThatIsMadeWhereItIsKnown) {
  publish("alpha");
  publish("bravo");
  EXPECT_TRUE(made().dissents.empty());
  dissent();
  const Dossier dossier = made();
  EXPECT_EQ(dossier.dissents.size(), 1u);
  EXPECT_TRUE(verdict_on(dossier).holds);
}

TEST_F(OmittedDissent, WhoseWordsAreLostHereKeepsTheDossierFromBeingMade) {
  publish("alpha");
  publish("bravo");
  dissent();
  const mirror::EntryView entry = newest("charlie", log::kFindingDissent);
  EXPECT_HOLDS(members_.group_["alpha"].vault().erase_entry_body(entry.leaf_hash));
  EXPECT_REFUSED(make(), Errc::policy, fmt::format("Entry {} of charlie is a dissent", entry.entry.seq));
  EXPECT_REFUSED(make(), Errc::policy, "It is with bravo");
  EXPECT_REFUSED(make({.withhold = {}, .with_bodies = {}, .without = {entry.leaf_hash}}), Errc::policy,
                 "It is with bravo");
}

TEST_F(OmittedDissent, WhoseWordsItsAuthorKeepsBackIsWaitedForUnlessThatIsGivenUp) {
  publish("alpha");
  publish("bravo");
  EXPECT_HOLDS(members_.dissent("charlie", hash_, {{"e1", {}, "You will never read this."}}));
  hand_over_headers_of_charlie();
  const Digest leaf = newest("charlie", log::kFindingDissent).leaf_hash;
  EXPECT_REFUSED(make(), Errc::policy, "Nobody but charlie is known to have it");
  EXPECT_REFUSED(make({.withhold = {}, .with_bodies = {}, .without = {leaf, hash_}}), Errc::not_found,
                 "no dissent or withdrawal");
  const auto text = make({.withhold = {}, .with_bodies = {}, .without = {leaf}});
  ASSERT_HOLDS(text);
  EXPECT_TRUE(verdict_on(*dossier::parse_dossier(*text)).holds);
}

TEST_F(OmittedDissent, FromAnotherFindingIsNotWaitedFor) {
  publish("alpha");
  publish("bravo");
  finding::Finding other = members_.working_copy();
  other.title = "Who broke into the mail systems in October";
  const auto other_hash = members_.draft("bravo", other);
  ASSERT_HOLDS(other_hash);
  members_.exchange();
  EXPECT_HOLDS(members_.dissent("charlie", *other_hash, {{"e1", {}, "It was a sinkhole."}}));
  members_.exchange();
  EXPECT_HOLDS(members_.group_["alpha"].vault().erase_entry_body(newest("charlie", log::kFindingDissent).leaf_hash));
  const finding::Casebook book = members_.book("alpha");
  ASSERT_EQ(book.cases.size(), 2u);
  for (const finding::Case& of : book.cases) EXPECT_EQ(of.unread.size(), of.hash == hash_ ? 0u : 1u);
  const auto published = book.find(to_hex(hash_));
  ASSERT_HOLDS(published);
  EXPECT_HOLDS(make_of(**published));
}

/// The limit, which every verification states: neither the publishers nor whoever makes the file is honest.
TEST_F(OmittedDissent, IsKeptOutOnlyIfAllPublishersDenyItTogetherThoughTheySignedForTheLogThatHasIt) {
  dissent();
  members_.log("charlie").with([&](mirror::Replica& replica) {
    std::uint64_t seq = 0;
    while (replica.entry("charlie", seq)->entry.type != log::kFindingDissent) ++seq;
    for (const std::string_view nick : {"alpha", "bravo"}) EXPECT_TRUE(replica.held_by(nick, "charlie", seq + 1));
  });
  publish_without_dissent("alpha");
  publish_without_dissent("bravo");
  finding::Case denied = members_.only_case("alpha");
  denied.dissents.clear();
  const auto text = make_of(denied);
  ASSERT_HOLDS(text);
  const Verdict verdict = verdict_on(*dossier::parse_dossier(*text));
  EXPECT_TRUE(verdict.holds);
  EXPECT_TRUE(std::ranges::any_of(verdict.proves_not, [](const std::string& sentence) {
    return sentence.starts_with("That no dissent or withdrawal was kept out by all of");
  }));
  EXPECT_EQ(members_.only_case("charlie").dissents.size(), 1u) << "each member sees what was denied";
}

}  // namespace
}  // namespace parley::attacks
