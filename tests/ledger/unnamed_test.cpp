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

/// A digest like no other.
Digest numbered(std::uint64_t number) {
  Digest digest{};
  for (std::size_t i = 0; i < 8; ++i) digest[i + 1] = static_cast<std::byte>(number >> (8 * i));
  digest[31] = std::byte{1};
  return digest;
}

TEST(Reveals, OfAPeerTakeNoMoreRoomThanOurOwnStepsAndAFewThatAreNotReadYet) {
  constexpr std::uint64_t kEntries = 10'000;
  detail::Session session;
  session.peer = 1;
  constexpr std::uint64_t kOurs = 100;
  for (std::uint64_t i = 0; i < kOurs; ++i)
    session.take_ours(Told{kAlpha, kBravo, {}, kStart, RevealOffered{.place = i, .entry = numbered(i)}});
  for (std::uint64_t i = 0; i < kEntries; ++i) {
    session.take_theirs(
        1,
        Told{kBravo, kBravo, {}, kStart, RevealOffered{.fields = 1, .openings = 1, .answers = numbered(kEntries - i)}});
    session.take_theirs(1, Told{kBravo, kBravo, {}, kStart, RevealClosed{.place = i, .answers = numbered(i)}});
    session.take_theirs(1, Told{kBravo, kBravo, {}, kStart, RevealClosed{.place = i}});
  }
  EXPECT_EQ(session.others.at(0).answers.size(), kOurs + detail::kMostEarlyAnswers);
  EXPECT_EQ(session.others.at(0).openings_by_field.at(0), static_cast<std::int64_t>(kEntries)) << "and each counts";
}

TEST(Reveals, OfWhichAPeerAnsweredMoreThanIsKeptBeforeOurStepsCameAreToldAgain) {
  const Story before = Story().end(5);
  Story ours = Story(), theirs = Story();
  for (std::uint64_t i = 0; i < 2 * detail::kMostEarlyAnswers; ++i) {
    ours.we(RevealOffered{.fields = 1, .openings = 5, .values = 5, .place = 2 * i, .entry = numbered(i)});
    ours.we(RevealClosed{.received_fields = 3, .opened = 3, .place = 2 * i + 1});
    theirs.they(RevealOffered{.fields = 1, .openings = 5, .values = 5, .place = 2 * i, .answers = numbered(i)});
    theirs.they(RevealClosed{.received_fields = 2, .opened = 3, .place = 2 * i + 1, .answers = numbered(i)});
  }
  Ledger ledger = told({before, theirs, ours});
  ASSERT_EQ(ledger.lacking(), (std::vector<Lacking>{{before.session, kBravo}}));
  ledger.begin_again(Lacking{before.session, kBravo});
  take_of(ledger, before, kBravo);
  take(ledger, theirs);
  ledger.told_again(Lacking{before.session, kBravo});
  EXPECT_EQ(ledger.openings_that_differ(before.session).size(), 2 * detail::kMostEarlyAnswers);
  EXPECT_EQ(whole(ledger), whole(told({before, ours, theirs})));
  EXPECT_TRUE(ledger.lacking().empty());
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
