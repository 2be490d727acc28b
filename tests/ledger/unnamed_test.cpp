// Sessions that only a peer names: it may write of as many as its log's quota lets it, and fills no memory by it.
#include "ledger/detail/session_facts.h"
#include "story.h"

namespace parley::ledger {
namespace {

constexpr std::uint64_t kFlood = 3 * kMostUnnamed;

/// Of sessions that nobody else has ever heard of.
void flood(Ledger& ledger, const std::string& author = kBravo, std::uint64_t count = kFlood, Fact fact = Refused{}) {
  static std::uint64_t number = 1'000'000;
  for (std::uint64_t i = 0; i < count; ++i) ledger.take(Told{author, author, session_named(++number), kStart, fact});
}

void take_of(Ledger& ledger, const Story& story, const std::string& author) {
  for (const Told& told : story.told)
    if (told.author == author) ledger.take(told);
}

TEST(Unnamed, AreForgottenBeyondTheNewestOfEachMember) {
  Ledger ledger = ledger_of();
  flood(ledger, kCarol, 10, Proposed{.types = types({Type::ipv4}), .entered = 256});
  flood(ledger, kBravo, kFlood, Proposed{.types = types({Type::ipv4}), .entered = 256});
  EXPECT_EQ(with_bravo(ledger).asked_by, static_cast<std::int64_t>(kMostUnnamed));
  EXPECT_EQ(ledger.forgotten(kBravo), kFlood - kMostUnnamed);
  EXPECT_EQ(ledger.account(&kCarol, Type::ipv4, Window::day).asked_by, 10) << "one member buries its own only";
  EXPECT_EQ(ledger.forgotten(kCarol), 0u);
  EXPECT_EQ(ledger.forgotten("zulu"), 0u);
  EXPECT_TRUE(ledger.lacking().empty());
}

TEST(Unnamed, AreKeptOnceOurLogNamesThem) {
  const Story story = Story().end(5);
  Ledger ledger = ledger_of();
  for (const Told& told : story.told) {
    ledger.take(told);
    flood(ledger);
  }
  EXPECT_TRUE(ledger.lacking().empty());
  EXPECT_EQ(whole(ledger), whole(told({story})));
}

TEST(Unnamed, ThatOurLogNamesLateAreLackingUntilTheyAreToldAgain) {
  // The peer's log was read before entries of our own came home, and what it said of the session has been pushed out.
  for (const bool we_ask : {true, false}) {
    const Story story = Story{.we_ask = we_ask}.end(5);
    Ledger ledger = ledger_of();
    take_of(ledger, story, kBravo);
    flood(ledger);
    take_of(ledger, story, kAlpha);
    const std::vector<Lacking> lacking = ledger.lacking();
    ASSERT_EQ(lacking, (std::vector<Lacking>{{story.session, kBravo}}));
    EXPECT_EQ(with_bravo(ledger).incomplete, 1) << "until then it counts as one whose other half is not here";
    ledger.begin_again(lacking[0]);
    take_of(ledger, story, kBravo);
    ledger.told_again(lacking[0]);
    EXPECT_TRUE(ledger.lacking().empty());
    EXPECT_EQ(whole(ledger), whole(told({story})));
  }
}

TEST(Unnamed, OfWhichOnlyTheBeginningIsForgottenAreLackingToo) {
  // It proposes, buries that, and states a result: which its session, named by our log in the end, is charged by.
  Story story{.we_ask = false};
  story.agree().they(Ran{2048}).they(Story::result(4));
  Ledger ledger = ledger_of();
  ledger.take(story.told[0]);
  flood(ledger);
  ledger.take(story.told[2]);
  flood(ledger);
  ledger.take(story.told[3]);
  ledger.take(story.told[1]);
  ASSERT_EQ(ledger.lacking().size(), 1u);
  const Lacking lacking = ledger.lacking()[0];
  // Whatever is told twice in between is begun again.
  for (int i = 0; i < 2; ++i) {
    ledger.begin_again(lacking);
    take_of(ledger, story, kBravo);
  }
  ledger.told_again(lacking);
  EXPECT_EQ(whole(ledger), whole(told({story})));
  EXPECT_TRUE(ledger.is_charged(story.session));
}

TEST(Unnamed, OfOneMemberMakeNoOthersLacking) {
  const Story story = Story().end(5);
  Ledger ledger = ledger_of();
  take_of(ledger, story, kBravo);
  flood(ledger, kCarol);
  take_of(ledger, story, kAlpha);
  EXPECT_TRUE(ledger.lacking().empty());
  EXPECT_EQ(whole(ledger), whole(told({story})));
}

TEST(Reveals, OfAPeerAreKeptOneByOneUpToANumberAndOursAll) {
  for (const detail::MemberNumber author : {detail::MemberNumber{0}, detail::kNobody}) {
    detail::Voice voice;
    voice.author = author;
    const std::uint64_t offers = detail::kMostReveals + 100;
    for (std::uint64_t i = 0; i < offers; ++i)
      voice.take(Told{kBravo, kBravo, session_named(1), kStart, RevealOffered{.fields = 1, .openings = 1, .place = i}});
    EXPECT_EQ(voice.reveals.size(), author == detail::kNobody ? offers : detail::kMostReveals);
    EXPECT_EQ(voice.openings_by_field.at(0), static_cast<std::int64_t>(offers)) << "and each counts";
  }
}

TEST(Unnamed, MakeFewNewSessionsLookForgotten) {
  Ledger ledger = ledger_of();
  flood(ledger, kBravo, 200'000);
  constexpr std::uint64_t kSessions = 1000;
  for (std::uint64_t i = 0; i < kSessions; ++i) take(ledger, Story{.session = session_named(i)}.run());
  EXPECT_LT(ledger.lacking().size(), kSessions / 100);
}

}  // namespace
}  // namespace parley::ledger
