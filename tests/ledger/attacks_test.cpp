// What a member might do so that the ledger of another is too small, and what it then says.
#include "story.h"

namespace parley::ledger {
namespace {

std::vector<Difference> differences(const Ledger& ledger) {
  std::vector<Difference> all;
  for (const Dispute& dispute : ledger.disputes(&kBravo)) all.push_back(dispute.what);
  return all;
}

TEST(Peer, ThatStatesAnotherNumberOfMatchesIsDisputedWithBothVersions) {
  for (const std::int64_t lie : {-1, 0, 6, 8, 1'000'000}) {
    const Ledger ledger = told({Story().run().we(Story::result(7)).they(Story::result(lie))});
    ASSERT_EQ(differences(ledger), std::vector{Difference::results}) << lie;
    EXPECT_EQ(ledger.disputes()[0].ours, "7 matches");
    EXPECT_EQ(ledger.disputes()[0].peer, kBravo);
    const Account account = with_bravo(ledger);
    EXPECT_EQ(account.disputed, 1);
    EXPECT_EQ(account.match_in.worst, 1024) << "what is disputed is unknown, and unknown counts in full";
    EXPECT_LE(account.match_in.known, 7);
  }
}

TEST(Peer, ThatStatesAnotherTranscriptOrRootIsDisputed) {
  for (const bool root : {true, false}) {
    Resulted other = Story::result(7);
    (root ? other.root : other.transcript) = digest_of(9);
    const Ledger ledger = told({Story().run().we(Story::result(7)).they(other)});
    EXPECT_EQ(differences(ledger), std::vector{Difference::results});
  }
}

TEST(Peer, ThatClosesAsIfTheResultsDifferedIsDisputed) {
  Story story = Story().run().we(Story::result(7)).they(Story::result(7)).we(Closed{true});
  EXPECT_TRUE(told({story}).disputes().empty());
  const Ledger ledger = told({story.they(Closed{false})});
  ASSERT_EQ(differences(ledger), std::vector{Difference::closing});
  EXPECT_EQ(ledger.disputes()[0].theirs, "the results differ");
}

TEST(Peer, ThatWritesAnotherSizeIntoItsRunIsChargedWhatItAgreedToAndDisputed) {
  for (const std::uint64_t lie : {std::uint64_t{256}, std::uint64_t{1} << 40}) {
    const Ledger ledger = told({Story().agree().we(Ran{1024}).they(Ran{lie})});
    EXPECT_EQ(differences(ledger), std::vector{Difference::sizes});
    EXPECT_EQ(with_bravo(ledger).probe_in, 2048);
  }
}

TEST(Peer, ThatEndsARunWhenItMayHaveLearnedIsCounted) {
  struct Case {
    const char* what;
    Story story;
    int counted;
  };
  const Story ran = Story().run();
  const Story mine = Story{.responder_learns = false}.run();
  for (const auto& [what, story, counted] : {
           Case{"it aborts after the run", Story(ran).they(Aborted{}), 1},
           Case{"it leaves, and we say so", Story(ran).we(Aborted{.other_failed = true}), 1},
           Case{"it keeps its result back", Story(ran).we(Story::result(3)), 1},
           Case{"it aborts, having said its result", Story(ran).they(Story::result(3)).they(Aborted{}), 0},
           Case{"we stop it", Story(ran).we(Aborted{}), 0},
           Case{"it runs still", Story(ran), 0},
           Case{"it was to learn nothing", Story(mine).they(Aborted{}), 0},
           Case{"it aborts before we had begun", Story().agree().they(Ran{2048}).they(Aborted{}), 0},
       })
    EXPECT_EQ(with_bravo(told({story})).abort_after_learn, counted) << what;
}

// Our log may have lost the run: then the session counts as the largest that there may be, whatever they say.
TEST(Peer, ThatStatesAResultOfASessionThatDidNotRunIsChargedAndDisputed) {
  const Ledger ledger = told({Story().agree().they(Ran{2048}).they(Story::result(4))});
  EXPECT_EQ(differences(ledger), std::vector{Difference::ran});
  EXPECT_EQ(with_bravo(ledger).ran, 1);
  EXPECT_EQ(with_bravo(ledger).incomplete, 1);
  EXPECT_EQ(with_bravo(ledger).probe_in, 0) << "no cap was held against what they say";
}

// Its size was what we refused it for; it must not use up what is left to the others.
TEST(Peer, ThatStatesAResultOfASessionThatWeEndedBeforeItRanChargesNothingAndIsDisputed) {
  Story refused{};
  refused.we(Proposed{.types = types({Type::ipv4}), .entered = 256});
  refused.they(Accepted{.entered = 14'680'064, .suite = 1}).we(Aborted{}).they(Story::result(9));
  const Ledger ledger = told({refused});
  EXPECT_EQ(differences(ledger), std::vector{Difference::ran});
  EXPECT_EQ(with_bravo(ledger).ran, 0);
  EXPECT_EQ(with_bravo(ledger).incomplete, 0);
  EXPECT_EQ(with_bravo(ledger).probe_in, 0);
  EXPECT_EQ(ledger.account(nullptr, {}, Window::month).probe_in, 0);
}

// It could else have us held to the largest session from the moment at which we asked.
TEST(Peer, ThatStatesAResultOfASessionThatGoesOnHereAndHasNotRunChargesNothing) {
  for (const bool we_ask : {true, false}) {
    Ledger ledger = ledger_of();
    ledger.not_run_yet(session_named(1), true);
    Story story{.we_ask = we_ask};
    story.agree().they(Ran{2048}).they(Story::result(4));
    take(ledger, story);
    EXPECT_EQ(with_bravo(ledger).ran, 0);
    EXPECT_EQ(with_bravo(ledger).incomplete, 0);
    EXPECT_EQ(differences(ledger), std::vector{Difference::ran});
    ledger.not_run_yet(session_named(1), false);
    EXPECT_EQ(with_bravo(ledger).incomplete, 1) << "nobody knows any more that it has not";
  }
}

TEST(Peer, IsChargedByOurRunHoweverItGoesOnHere) {
  Ledger ledger = ledger_of();
  ledger.not_run_yet(session_named(1), true);
  take(ledger, Story().run());
  EXPECT_EQ(with_bravo(ledger).ran, 1);
  EXPECT_EQ(with_bravo(ledger).probe_in, 2048);
}

// Else anybody could use up what is left to all others.
TEST(Peer, CannotChargeUsForWhatWeNeverAgreedTo) {
  Story invented{.we_ask = false};
  invented.they(Proposed{.types = types({Type::ipv4}), .entered = 1 << 20}).they(Ran{1 << 20}).they(Story::result(9));
  const Account account = with_bravo(told({invented}));
  EXPECT_EQ(account.ran, 0);
  EXPECT_EQ(account.probe_in, 0);
  EXPECT_EQ(account.asked_by, 1);
}

TEST(Peer, IsNotHeardInASessionBetweenOthers) {
  Ledger honest = told({Story().end(7)});
  Ledger ledger = ledger_of();
  Story intruder{.other = kCarol};
  intruder.they(Ran{1}).they(Story::result(1)).they(Closed{false}).they(Settled{}).they(RevealOffered{1, 1});
  take(ledger, intruder);
  take(ledger, Story().end(7));
  take(ledger, intruder);
  EXPECT_EQ(ledger.disputes(), honest.disputes());
  EXPECT_EQ(ledger.account(nullptr, {}, Window::operation), honest.account(nullptr, {}, Window::operation));
}

// --- how the two sides of a reveal say that it ended ----------------------------------------------------------------

/// A session with 10 matches, and the offers of one reveal: 8 of 20 fields are opened by either side.
Story offers_exchanged() {
  const auto offer = [](std::uint64_t place, Digest entry, Digest answers) {
    return RevealOffered{
        .fields = 0b11, .openings = 10, .values = 20, .place = place, .entry = entry, .answers = answers};
  };
  return Story().end(10).we(offer(5, digest_of(5), {})).they(offer(7, digest_of(7), digest_of(5)));
}

/// Theirs names our offer; what ours names nothing hangs on.
RevealClosed closing(std::int64_t opened, std::int64_t received, bool broken_off = false) {
  return {.received = static_cast<std::uint64_t>(received),
          .received_fields = received,
          .kept_back = static_cast<std::uint64_t>(20 - opened),
          .opened = opened,
          .broken_off = broken_off,
          .place = 9,
          .answers = digest_of(5)};
}

TEST(Peer, ThatSaysItReceivedOrOpenedAnotherNumberOfFieldsIsShownWithBoth) {
  struct Case {
    const char* what;
    RevealClosed ours, theirs;
    std::vector<OpeningsSaid> shown;
    bool disputed;
    std::int64_t field_in, field_out;  // at most
  };
  const OpeningsSaid less{.by_us = true, .opened = 8, .received = 3, .returned = 8};
  const OpeningsSaid more{.by_us = true, .opened = 8, .received = 9, .returned = 8};
  const OpeningsSaid all{.by_us = true, .opened = 8, .received = 99, .returned = 8};
  const OpeningsSaid lost{.by_us = true, .opened = 8, .received = 7, .broken_off = true, .returned = 8};
  const OpeningsSaid grown{.by_us = true, .opened = 8, .received = 9, .broken_off = true, .returned = 8};
  const OpeningsSaid paid{.by_us = true, .opened = 8, .received = 6, .broken_off = true, .returned = 8};
  const OpeningsSaid unpaid{.by_us = true, .opened = 8, .received = 1, .broken_off = true, .returned = 2};
  const OpeningsSaid boasts{.by_us = false, .opened = 9, .received = 8, .returned = 8};
  const OpeningsSaid denies{.by_us = false, .opened = 2, .received = 8, .returned = 8};
  const OpeningsSaid few{.by_us = true, .opened = 8, .received = 3, .returned = 2};
  const OpeningsSaid denies_few{.by_us = false, .opened = 2, .received = 8, .returned = 3};
  const OpeningsSaid silent{.by_us = true, .opened = 8, .received = -1};
  const auto unreadable = [] { return RevealClosed{.unreadable = true, .place = 9, .answers = digest_of(5)}; };
  for (const auto& [what, ours, theirs, shown, disputed, field_in, field_out] : {
           Case{"both say the same", closing(8, 8), closing(8, 8), {}, false, 8, 8},
           Case{"it received less", closing(8, 8), closing(8, 3), {less}, true, 8, 8},
           Case{"it received more", closing(8, 8), closing(8, 9), {more}, true, 9, 8},
           Case{"it received more than was offered", closing(8, 8), closing(8, 99), {all}, true, 20, 8},
           Case{"the last was lost", closing(8, 8, true), closing(8, 7, true), {lost}, false, 8, 8},
           Case{"the last was lost, says it", closing(8, 8), closing(8, 7, true), {lost}, false, 8, 8},
           Case{"more arrived than left", closing(8, 8, true), closing(8, 9, true), {grown}, true, 9, 8},
           Case{"it denies what it paid for", closing(8, 8, true), closing(8, 6, true), {paid}, true, 8, 8},
           Case{"what it paid for was not lost", closing(8, 2, true), closing(2, 1, true), {unpaid}, false, 8, 2},
           Case{"it opened more", closing(8, 8), closing(9, 8), {boasts}, true, 8, 20},
           Case{"it opened less", closing(8, 8), closing(2, 8), {denies}, true, 8, 20},
           Case{"both", closing(8, 8), closing(2, 3), {few, denies_few}, true, 8, 20},
           Case{"it does not say", closing(8, 8), RevealClosed{.place = 9, .answers = digest_of(5)}, {}, false, 8, 20},
           Case{"it cannot be read", closing(8, 8), unreadable(), {silent}, true, 8, 20},
           Case{"it cannot be read, and broke off", closing(8, 8, true), unreadable(), {silent}, true, 8, 20},
       }) {
    for (const bool theirs_first : {false, true}) {
      Story story = offers_exchanged();
      const Ledger ledger = told({theirs_first ? story.they(theirs).we(ours) : story.we(ours).they(theirs)});
      EXPECT_EQ(ledger.openings_that_differ(story.session), shown) << what;
      const std::vector<Difference> expected(disputed ? shown.size() : 0, Difference::openings);
      EXPECT_EQ(differences(ledger), expected) << what;
      EXPECT_EQ(with_bravo(ledger).disputed, disputed ? 1 : 0) << what;
      EXPECT_EQ(with_bravo(ledger).field_in.worst, field_in) << what;
      EXPECT_EQ(with_bravo(ledger).field_out.worst, field_out) << what;
    }
  }
  Story story = offers_exchanged();
  const Ledger ledger = told({story.we(closing(8, 8)).they(closing(2, 3))});
  EXPECT_EQ(ledger.disputes()[0].ours, "8 fields opened");
  EXPECT_EQ(ledger.disputes()[0].theirs, "3 fields received");
  EXPECT_EQ(ledger.disputes()[1].ours, "8 fields received");
  EXPECT_EQ(ledger.disputes()[1].theirs, "2 fields opened");
}

TEST(Peer, ThatSignsABreakOfWhatWasWholeIsCountedAsTheOneWhoStopped) {
  const auto broken = [](RevealClosed end, bool by_the_other) {
    end.broken_off = true;
    end.other_stopped = by_the_other;
    return end;
  };
  struct Case {
    const char* what;
    RevealClosed ours, theirs;
    std::int64_t stopped;
  };
  for (const auto& [what, ours, theirs, stopped] : {
           Case{"both went to the end", closing(8, 8), closing(8, 8), 0},
           Case{"it says that it stopped", closing(8, 8), broken(closing(8, 8), false), 1},
           Case{"it says that it stopped before it had all", closing(8, 8), broken(closing(8, 7), false), 1},
           Case{"it says that we stopped, and has all", closing(8, 8), broken(closing(8, 8), true), 1},
           Case{"the last field was lost", closing(8, 8), broken(closing(8, 7), true), 0},
           Case{"we stopped", broken(closing(8, 8), false), broken(closing(8, 8), true), 0},
           Case{"both say the other", broken(closing(8, 8), true), broken(closing(8, 8), true), 1},
       }) {
    Story story = offers_exchanged();
    EXPECT_EQ(with_bravo(told({story.we(ours).they(theirs)})).reveals_stopped, stopped) << what;
  }
  RevealClosed second = closing(8, 8);
  second.place = 10;
  Story story = offers_exchanged();
  story.we(closing(8, 8)).they(broken(closing(8, 8), false)).they(second);
  EXPECT_EQ(with_bravo(told({story})).reveals_stopped, 1) << "of two words the first holds";
}

// Else whoever leaves one reveal without a word, or writes one offer or closing too many, would make the others of the
// session differ, or keep what differs from being seen.
TEST(Peer, IsHeldToItsClosingOfTheSameRevealOnly) {
  const auto offer = [](std::uint64_t place, std::uint8_t entry, std::uint8_t answers) {
    return RevealOffered{.fields = 0b1,
                         .openings = 10,
                         .values = 10,
                         .place = place,
                         .entry = digest_of(entry),
                         .answers = digest_of(answers)};
  };
  const auto closing_of = [](std::uint8_t answers, std::uint64_t place, std::int64_t opened, std::int64_t received) {
    return RevealClosed{.received = static_cast<std::uint64_t>(received),
                        .received_fields = received,
                        .opened = opened,
                        .place = place,
                        .answers = digest_of(answers)};
  };
  const auto closing_at = [&](std::uint8_t answers, std::uint64_t place, std::int64_t fields) {
    return closing_of(answers, place, fields, fields);
  };
  const auto consent = [](std::uint8_t entry) { return RevealConsented{digest_of(entry)}; };
  const auto behind_junk = [](std::vector<Fact> junk, std::initializer_list<Fact> facts) {
    junk.insert(junk.end(), facts);
    return junk;
  };
  std::vector<Fact> offers, closings;
  for (std::uint64_t i = 0; i < 4096; ++i) {
    Digest nothing = digest_of(99);
    nothing[1] = static_cast<std::byte>(i);
    nothing[2] = static_cast<std::byte>(i >> 8);
    offers.emplace_back(RevealOffered{.place = i, .answers = nothing});
    closings.emplace_back(RevealClosed{.place = i, .answers = nothing});
  }
  struct Case {
    const char* what;
    std::vector<Fact> ours, theirs;
    std::size_t differing;
    std::vector<std::string> twice = {};
    bool agreed = false;  ///< on 3 fields that we opened
  };
  for (const auto& [what, ours, theirs, differing, twice, agreed] : {
           Case{"two that agree",
                {offer(5, 1, 0), closing_at(3, 6, 3), offer(7, 2, 0), closing_at(4, 8, 9)},
                {offer(5, 3, 1), closing_at(1, 6, 3), offer(7, 4, 2), closing_at(2, 8, 9)},
                0},
           Case{"one that agrees",
                {offer(5, 1, 0), closing_at(3, 6, 3)},
                {offer(5, 3, 1), closing_at(1, 6, 3)},
                0,
                {},
                true},
           Case{"it went away from the first",
                {offer(5, 1, 0), closing_at(3, 6, 3), offer(7, 2, 0), closing_at(4, 8, 9)},
                {offer(5, 3, 1), offer(7, 4, 2), closing_at(2, 8, 9)},
                0},
           Case{"we crashed in the first",
                {offer(5, 1, 0), offer(7, 2, 0), closing_at(4, 8, 9)},
                {offer(5, 3, 1), closing_at(1, 6, 3), offer(7, 4, 2), closing_at(2, 8, 9)},
                0},
           Case{"our first offer was not answered",
                {offer(5, 1, 0), offer(7, 2, 0), closing_at(4, 8, 9)},
                {offer(7, 4, 2), closing_at(2, 8, 9)},
                0},
           Case{"we answer", {offer(7, 2, 4), closing_at(4, 8, 9)}, {offer(7, 4, 0), closing_at(2, 8, 8)}, 2},
           Case{"it answers with two offers and goes by the second",
                {offer(5, 1, 0), closing_at(4, 8, 3)},
                {offer(5, 3, 1), offer(6, 4, 1), closing_of(1, 8, 3, 0)},
                1,
                {"2 offers to it"}},
           Case{"it answers with two offers and goes by the first",
                {offer(5, 1, 0), closing_at(3, 8, 3)},
                {offer(5, 3, 1), offer(6, 4, 1), closing_of(1, 8, 3, 0)},
                1,
                {"2 offers to it"}},
           Case{"it calls, and writes another offer before it closes",
                {consent(7), offer(5, 1, 3), closing_at(3, 8, 3)},
                {offer(5, 3, 7), offer(6, 4, 7), closing_of(1, 8, 3, 0)},
                1,
                {"2 offers to it"}},
           Case{"it calls, and writes another offer to nothing before it closes",
                {consent(7), offer(5, 1, 3), closing_at(3, 8, 3)},
                {offer(5, 3, 7), offer(6, 4, 0), closing_of(1, 8, 3, 0)},
                1},
           Case{"it answers a consent of ours that it had not been given an answer to",
                {consent(7), offer(5, 1, 3), closing_at(3, 8, 3), consent(8)},
                {offer(5, 3, 7), closing_at(1, 8, 3), offer(9, 4, 8)},
                0,
                {},
                true},
           Case{"junk offers before all",
                {offer(5, 1, 0), closing_at(3, 6, 3)},
                behind_junk(offers, {offer(5000, 3, 1), closing_of(1, 5001, 3, 0)}),
                1},
           Case{"junk closings before all",
                {offer(5, 1, 0), closing_at(3, 6, 3)},
                behind_junk(closings, {offer(5000, 3, 1), closing_of(1, 5001, 3, 0)}),
                1},
           Case{"it closes twice and agrees first",
                {offer(5, 1, 0), closing_at(3, 6, 3)},
                {offer(5, 3, 1), closing_at(1, 6, 3), closing_at(1, 7, 9)},
                0,
                {"2 closings of it"}},
           Case{"it closes twice and agrees last",
                {offer(5, 1, 0), closing_at(3, 6, 3)},
                {offer(5, 3, 1), closing_at(1, 6, 9), closing_at(1, 7, 3)},
                2,
                {"2 closings of it"}},
           Case{"it closes twice to say the same",
                {offer(5, 1, 0), closing_at(3, 6, 3)},
                {offer(5, 3, 1), closing_at(1, 6, 3), closing_at(1, 7, 3)},
                0,
                {"2 closings of it"}},
           Case{"it closes the first in the second's place",
                {offer(5, 1, 0), closing_at(3, 6, 3), offer(7, 2, 0), closing_at(4, 8, 9)},
                {offer(5, 3, 1), closing_at(2, 6, 3), offer(7, 4, 2), closing_at(1, 8, 9)},
                4},
           Case{"it closes a reveal by an offer that answers nothing",
                {offer(5, 1, 0), closing_at(3, 6, 3)},
                {offer(5, 3, 0), closing_at(1, 6, 9)},
                2},
           Case{"its closing ends nothing",
                {offer(5, 1, 0), closing_at(3, 6, 3)},
                {offer(5, 3, 1), closing_at(0, 6, 9)},
                0},
           Case{"it closes without an offer", {offer(5, 1, 0), closing_at(3, 6, 3)}, {closing_at(1, 6, 9)}, 2},
       }) {
    for (const bool theirs_first : {true, false}) {
      Story own, others;
      for (const Fact& fact : ours) own.we(fact);
      for (const Fact& fact : theirs) others.they(fact);
      const Story session = Story().end(10);
      Ledger ledger = theirs_first ? told({session, others, own}) : told({session, own, others});
      EXPECT_TRUE(theirs_first || ledger.lacking().empty()) << what;
      for (const std::vector<Lacking> lacking = ledger.lacking(); const Lacking& one : lacking) {
        ledger.begin_again(one);
        for (const Told& told : session.told)
          if (told.author == kBravo) ledger.take(told);
        take(ledger, others);
        ledger.told_again(one);
      }
      EXPECT_EQ(ledger.openings_that_differ(session.session).size(), differing) << what;
      std::vector<std::string> found;
      for (const Dispute& dispute : ledger.disputes_of(session.session))
        if (dispute.what == Difference::answers) found.push_back(dispute.theirs);
      EXPECT_EQ(found, twice) << what;
      EXPECT_EQ(with_bravo(ledger).disputed, differing + twice.size() > 0 ? 1 : 0) << what;
      EXPECT_GE(with_bravo(ledger).field_in.worst, 3) << what << ": what we opened counts, whatever it wrote";
      EXPECT_TRUE(!agreed || with_bravo(ledger).field_in.known == 3) << what;
    }
  }
}

TEST(Peer, WhoseOfferWasWithoutItsBodyForAWhileIsHeldToTheSameClosing) {
  RevealOffered late{
      .fields = 0b1, .openings = 9, .unknown = true, .place = 7, .entry = digest_of(7), .answers = digest_of(5)};
  Story story = Story().end(10).we(RevealOffered{.fields = 0b1, .openings = 9, .place = 5, .entry = digest_of(5)});
  story.they(late).we(closing(8, 8)).they(closing(8, 3));
  EXPECT_EQ(told({story}).openings_that_differ(story.session).size(), 1u);
  late.unknown = false;
  late.was_unknown = true;
  EXPECT_EQ(told({story.they(late)}).openings_that_differ(story.session).size(), 1u);
}

TEST(Peer, ThatSettlesOtherNumbersIsDisputedWithBothVersions) {
  const Settled right{
      .asker_entered = 1024, .responder_entered = 2048, .asker_matches = {7, 7}, .responder_matches = {7, 7}};
  struct Case {
    const char* what;
    Settled theirs;
    bool disputed;
  };
  Settled fewer = right, smaller = right, wider = right, more = right;
  fewer.responder_matches = {6, 6};
  smaller.responder_entered = 1024;
  wider.asker_matches = {0, 1024};
  more.asker_matches = {8, 1024};
  for (const auto& [what, theirs, disputed] :
       {Case{"the same", right, false}, Case{"fewer matches", fewer, true}, Case{"a smaller set", smaller, true},
        Case{"it does not know, and ours may be right", wider, false}, Case{"ours cannot be right", more, true}}) {
    const Ledger ledger = told({Story().end(7).we(right).they(theirs)});
    EXPECT_EQ(!ledger.disputes().empty(), disputed) << what;
    // Without our own entry the ledger itself is our version.
    EXPECT_EQ(!told({Story().end(7).they(theirs)}).disputes().empty(), disputed) << what;
  }
}

TEST(Ledger, SettlesTheSameNumbersOnBothSides) {
  for (const bool we_ask : {true, false})
    for (const std::int64_t matches : {std::int64_t{-1}, std::int64_t{0}, std::int64_t{9}}) {
      Story story{.we_ask = we_ask, .suite = kFast};
      matches < 0 ? story.run() : story.end(matches);
      Ledger bravo = ledger_of(kBravo);
      for (Told told : story.told) {
        told.peer = told.author == kBravo ? kAlpha : told.author;
        bravo.take(told);
      }
      const auto ours = told({story}).settlement(story.session);
      ASSERT_TRUE(ours);
      EXPECT_EQ(ours, bravo.settlement(story.session));
    }
  EXPECT_FALSE(told({Story().agree()}).settlement(session_named(1)));
  EXPECT_FALSE(told({}).settlement(session_named(1)));
}

// Each stays under what it may test alone; together they share what they find.
TEST(Peers, WhoActTogetherAreSummedInTheGroup) {
  Ledger ledger = ledger_of();
  for (std::uint64_t i = 0; i < 15; ++i)
    take(ledger,
         Story{.session = session_named(i), .other = "member-" + std::to_string(i), .they_enter = 10'240}.run());
  const std::string one = "member-3";
  EXPECT_EQ(ledger.account(&one, Type::ipv4, Window::month).probe_in, 10'240);
  EXPECT_EQ(ledger.account(nullptr, Type::ipv4, Window::month).probe_in, 153'600);
}

// --- a disk that was put back or lost -------------------------------------------------------------------------------

TEST(Disk, ThatWasPutBackForgetsNothingThatTheLogsStillHave) {
  const Story before = Story().end(5);
  const Story after = Story{.session = session_named(2), .now = kStart + kDay}.end(6);
  Ledger restored = told({before});  // all that the old disk has
  EXPECT_EQ(with_bravo(restored).ran, 1);
  take(restored, after);  // what comes back from the mirrors
  EXPECT_EQ(whole(restored), whole(told({before, after})));
}

TEST(Disk, ThatLostThePeersLogCountsTheSessionsItCannotSize) {
  Story story{.we_ask = false};
  story.end(5);
  Ledger ledger = ledger_of();
  for (const Told& told : story.told)
    if (told.author == kAlpha) ledger.take(told);
  for (const Type type : {Type::ipv4, Type::url}) {  // which types is not known, so it may be any
    EXPECT_EQ(ledger.account(&kBravo, type, Window::day).incomplete, 1);
    EXPECT_EQ(ledger.account(&kBravo, type, Window::day).ran, 1);
    EXPECT_EQ(ledger.account(&kBravo, type, Window::day).probe_in, 0);
  }
  for (const Told& told : story.told)
    if (told.author == kBravo) ledger.take(told);
  EXPECT_EQ(whole(ledger), whole(told({story})));
  EXPECT_EQ(with_bravo(ledger).incomplete, 0);
}

TEST(Disk, ThatLostItsOwnRunIsChargedByWhatItsLogWouldNotHaveWithoutOne) {
  const Ledger ledger = told({Story().agree().we(Story::result(5)).we(RevealOffered{1, 5})});
  EXPECT_EQ(with_bravo(ledger).ran, 1);
  EXPECT_EQ(with_bravo(ledger).probe_in, 2048);
}

TEST(Charge, MayBeTakenBeforeItsEntryIsDurableAndAgainAfterwards) {
  Story story = Story().agree().we(Ran{1024});
  Ledger twice = told({story});
  Told again = story.told.back();
  again.time += 5;  // it was written anew, with others
  twice.take(again);
  EXPECT_EQ(with_bravo(twice).ran, 1);
  EXPECT_EQ(with_bravo(twice).probe_out, 1024);
  EXPECT_EQ(twice.latest(), kStart + 5);
}

}  // namespace
}  // namespace parley::ledger
