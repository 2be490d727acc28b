// What each entry of the two logs does to the accounts.
#include "story.h"

namespace parley::ledger {
namespace {

TEST(Ledger, OfNothingSaysNothing) {
  const Ledger ledger = ledger_of();
  EXPECT_TRUE(ledger.peers().empty());
  EXPECT_TRUE(ledger.disputes().empty());
  EXPECT_EQ(ledger.account(nullptr, {}, Window::operation), Account{});
  EXPECT_EQ(with_bravo(ledger), Account{});
}

TEST(Ledger, CountsWhatEachSideEnteredAndLearnedOfASessionThatBothEnded) {
  const Account account = with_bravo(told({Story().end(7)}));
  EXPECT_EQ(account, (Account{.asked_of = 1,
                              .ran = 1,
                              .probe_in = 2048,
                              .probe_out = 1024,
                              .tests_in = 2048,
                              .tests_out = 1024,
                              .match_in = {7, 7},
                              .match_out = {7, 7}}));
}

TEST(Ledger, CountsAProposalThatNobodyAnsweredAsAskedOnly) {
  for (const bool we_ask : {true, false}) {
    Story story{.we_ask = we_ask};
    const Proposed question{.types = types({Type::ipv4}), .entered = 4096};
    we_ask ? story.we(question) : story.they(question);
    const Account account = with_bravo(told({story}));
    EXPECT_EQ(account, (Account{.asked_by = we_ask ? 0 : 1, .asked_of = we_ask ? 1 : 0})) << we_ask;
  }
}

TEST(Ledger, DoesNotChargeASessionBeforeItsOwnRunEntry) {
  EXPECT_EQ(with_bravo(told({Story().agree()})).ran, 0);
  EXPECT_EQ(with_bravo(told({Story().agree().they(Ran{2048})})).ran, 0);
  EXPECT_EQ(with_bravo(told({Story().agree().they(Ran{2048}).they(Aborted{})})).ran, 0);
  EXPECT_EQ(with_bravo(told({Story().agree().we(Aborted{})})).ran, 0);
  EXPECT_EQ(with_bravo(told({Story{.we_ask = false}.agree().we(Refused{})})).ran, 0);
}

// A crash between the charge and the first byte: nothing left, and it counts as if all had.
TEST(Ledger, ChargesItsOwnRunEntryInFullWhateverCameAfter) {
  const Story stopped = Story().agree().we(Ran{1024});
  for (const Story& story : {stopped, Story(stopped).we(Aborted{}), Story(stopped).they(Ran{2048}),
                             Story(stopped).they(Aborted{.other_failed = true})}) {
    const Account account = with_bravo(told({story}));
    EXPECT_EQ(account.ran, 1);
    EXPECT_EQ(account.probe_in, 2048);
    EXPECT_EQ(account.probe_out, 1024);
    EXPECT_EQ(account.match_in, (Range{0, 1024}));
    EXPECT_EQ(account.match_out, (Range{0, 1024}));
  }
}

TEST(Ledger, SaysOfEachSessionWhetherItIsCharged) {
  const Ledger ledger = told({Story().agree().we(Ran{1024}), Story{.session = session_named(2)}.agree()});
  EXPECT_TRUE(ledger.is_charged(session_named(1)));
  EXPECT_FALSE(ledger.is_charged(session_named(2)));
  EXPECT_FALSE(ledger.is_charged(session_named(3)));
}

TEST(Ledger, TakesAnUnknownNumberOfMatchesForAllThatCouldMatch) {
  struct Case {
    const char* what;
    Story story;
    Range in, out;
  };
  const Story mine{.responder_learns = false}, theirs{.asker_learns = false};
  for (const auto& [what, story, in, out] : {
           Case{"only we learn, and the log does not say how many", Story(mine).end(-1), {}, {0, 1024}},
           Case{"only they learn", Story(theirs).end(-1), {0, 1024}, {}},
           Case{"they have more than we", Story{.we_enter = 256, .they_enter = 4096}.run(), {0, 256}, {0, 256}},
           Case{"only our result is there: they learned no more", Story().run().we(Story::result(9)), {0, 9}, {9, 9}},
           Case{"only theirs is there: what they claim is known",
                Story().run().they(Story::result(9)),
                {9, 1024},
                {0, 1024}},
           Case{"they claim more than can be", Story().run().they(Story::result(5000)), {1024, 1024}, {0, 1024}},
           Case{"they claim to have learned nothing", Story().run().they(Resulted{}), {0, 1024}, {0, 1024}},
       }) {
    const Account account = with_bravo(told({story}));
    EXPECT_EQ(account.match_in, in) << what;
    EXPECT_EQ(account.match_out, out) << what;
  }
}

TEST(Ledger, ShowsBesideWhatAChangedReceiverCouldTest) {
  // Where both learn, the responder receives; else whoever learns.
  struct Case {
    Story story;
    std::int64_t in, out;
  };
  const std::uint16_t fast = kFast;
  for (const auto& [story, in, out] : {
           Case{Story{.suite = fast}.run(), 4096, 1024},
           Case{Story{.we_ask = false, .suite = fast}.run(), 2048, 2048},
           Case{Story{.responder_learns = false, .suite = fast}.run(), 2048, 2048},
           Case{Story{.we_ask = false, .responder_learns = false, .suite = fast}.run(), 4096, 1024},
           Case{Story{.suite = kClassic}.run(), 2048, 1024},
       }) {
    const Account account = with_bravo(told({story}));
    EXPECT_EQ(account.tests_in, in);
    EXPECT_EQ(account.tests_out, out);
    EXPECT_EQ(account.probe_in, 2048);
    EXPECT_EQ(account.probe_out, 1024);
  }
  // What it could test bounds what it may have learned, too.
  EXPECT_EQ(with_bravo(told({Story{.we_enter = 4096, .suite = fast}.run()})).match_in, (Range{0, 4096}));
}

TEST(Ledger, ChargesEachTypeOfAQuestionInFullAndAllTogetherOnce) {
  const Ledger ledger = told({Story{.about = types({Type::ipv4, Type::domain})}.end(3)});
  for (const Type type : {Type::ipv4, Type::domain})
    EXPECT_EQ(ledger.account(&kBravo, type, Window::month).probe_in, 2048);
  EXPECT_EQ(ledger.account(&kBravo, Type::url, Window::month), Account{});
  EXPECT_EQ(ledger.account(&kBravo, {}, Window::month).probe_in, 2048);
  const auto all = ledger.accounts_by_type(&kBravo, Window::operation);
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(all[i], ledger.account(&kBravo, indicator::kAllTypes[i], Window::operation));
}

TEST(Ledger, KeepsMembersApartAndAddsThemUp) {
  const Ledger ledger = told({Story().end(1), Story{.session = session_named(2), .other = kCarol}.end(2)});
  EXPECT_EQ(ledger.peers(), (std::vector{kBravo, kCarol}));
  EXPECT_EQ(with_bravo(ledger).match_in, (Range{1, 1}));
  EXPECT_EQ(ledger.account(&kCarol, Type::ipv4, Window::day).match_in, (Range{2, 2}));
  EXPECT_EQ(ledger.account(nullptr, Type::ipv4, Window::day).probe_in, 2 * 2048);
}

TEST(Ledger, CountsTheSameQuestionAskedAgainAsNew) {
  Ledger ledger = ledger_of();
  for (std::uint64_t i = 1; i <= 5; ++i) take(ledger, Story{.session = session_named(i)}.end(4));
  EXPECT_EQ(with_bravo(ledger).ran, 5);
  EXPECT_EQ(with_bravo(ledger).probe_in, 5 * 2048);
  EXPECT_EQ(with_bravo(ledger).match_in, (Range{20, 20}));
}

TEST(Ledger, CountsManySmallSessionsAsTheyAdd) {
  Ledger ledger = ledger_of();
  for (std::uint64_t i = 0; i < 1000; ++i)
    take(ledger,
         Story{.session = session_named(i), .they_enter = 256, .now = kStart + static_cast<UnixSeconds>(i)}.run());
  EXPECT_EQ(with_bravo(ledger, Window::day).probe_in, 256'000);
  EXPECT_EQ(with_bravo(ledger, Window::day).ran, 1000);
}

// --- windows --------------------------------------------------------------------------------------------------------

TEST(Ledger, LetsAWindowEndAtTheLatestTime) {
  Ledger ledger = told({Story().end(1)});
  struct Case {
    UnixSeconds later;
    std::int64_t day, month;
  };
  for (const auto& [later, day, month] : {Case{kDay - 1, 1, 1}, Case{kDay, 0, 1}, Case{30 * kDay - 1, 0, 1},
                                          Case{30 * kDay, 0, 0}, Case{10 * kYear, 0, 0}}) {
    ledger.see(kStart + later);
    EXPECT_EQ(with_bravo(ledger, Window::day).ran, day) << later;
    EXPECT_EQ(with_bravo(ledger, Window::month).ran, month) << later;
    EXPECT_EQ(with_bravo(ledger, Window::operation).ran, 1) << later;
  }
}

TEST(Ledger, DoesNotGoBackWhereAnOlderEntryOfOurOwnIsReadAgain) {
  Ledger ledger = told({});
  ledger.logged(kStart);
  ledger.logged(kStart - 1'000'000);  // whose body came late, for example
  EXPECT_EQ(ledger.latest(), kStart);
}

TEST(Ledger, DoesNotRefillWhenTheClockIsSetBack) {
  Ledger ledger = told({Story{.now = kStart + 40 * kDay}.end(1)});
  for (const UnixSeconds back : {kStart, kStart - 10 * kYear, UnixSeconds{0}}) {
    ledger.see(back);
    EXPECT_EQ(with_bravo(ledger, Window::day).ran, 1);
    EXPECT_EQ(ledger.latest(), kStart + 40 * kDay);
  }
}

// The log never goes back, so neither does what is charged after a jump: it stays in the window until the true time
// has come there.
TEST(Ledger, KeepsWhatIsChargedAfterAJumpOfTheClockInTheWindow) {
  Ledger ledger = told({Story().end(1)});
  ledger.see(kStart + 10 * kYear);
  EXPECT_EQ(with_bravo(ledger, Window::month).ran, 0);
  for (std::uint64_t i = 2; i < 12; ++i)  // the clock is right again; the log states the time of the jump
    take(ledger, Story{.session = session_named(i), .now = kStart + 10 * kYear}.end(1));
  ledger.see(kStart + 60 * kDay);
  EXPECT_EQ(with_bravo(ledger, Window::day).ran, 10);
}

// A clock that was ahead while nothing was written left windows behind into which nothing fell any more.
TEST(Ledger, CountsWhatIsChargedAfterTheClockWasAheadForAMoment) {
  Ledger ledger = told({Story().end(1)});
  ledger.see(kStart + 25 * kDay);
  ledger.see(kStart + 5);
  for (std::uint64_t i = 2; i < 12; ++i) take(ledger, Story{.session = session_named(i), .now = kStart + 5}.end(1));
  EXPECT_EQ(with_bravo(ledger, Window::day).ran, 11);
  EXPECT_EQ(ledger.latest(), kStart + 5);
}

TEST(Ledger, TakesTheTimeOfAnyEntryOfItsOwnLog) {
  Ledger ledger = told({Story().end(1)});
  ledger.logged(kStart + 2 * kDay);
  ledger.see(kStart);
  EXPECT_EQ(ledger.latest(), kStart + 2 * kDay);
  EXPECT_EQ(with_bravo(ledger, Window::day).ran, 0);
}

TEST(Ledger, GoesByItsOwnLogsTimeAndNotByThePeers) {
  for (const UnixSeconds claim : {UnixSeconds{0}, kStart - 10 * kYear, kStart + 10 * kYear}) {
    Story story{.we_ask = false};
    story.agree().we(Ran{1024}).they(Ran{2048}).they(Story::result(1));
    for (Told& told : story.told)
      if (told.author == kBravo) told.time = claim;
    const Ledger ledger = told({story});
    EXPECT_EQ(ledger.latest(), kStart);
    EXPECT_EQ(with_bravo(ledger, Window::day).ran, 1);
    EXPECT_EQ(with_bravo(ledger, Window::day).asked_by, 1);
  }
}

// --- reveals --------------------------------------------------------------------------------------------------------

TEST(Ledger, CountsFieldsThatWereOfferedOnceBothHaveOffered) {
  Story story = Story().end(10);
  EXPECT_EQ(with_bravo(told({Story(story).we(RevealOffered{0b11, 8})})).field_in, Range{});
  EXPECT_EQ(with_bravo(told({Story(story).they(RevealOffered{0b11, 8})})).field_out, Range{});
  story.we(RevealOffered{0b11, 8}).they(RevealOffered{0b111, 4});
  EXPECT_EQ(with_bravo(told({story})).field_in, (Range{0, 16}));
  EXPECT_EQ(with_bravo(told({story})).field_out, (Range{0, 12}));
  EXPECT_EQ(with_bravo(told({story})).unopenable, 0) << "nobody has said yet that something did not come";
  story.we(RevealClosed{4}).they(RevealClosed{8});
  EXPECT_EQ(with_bravo(told({story})).field_in, (Range{8, 16}));
  EXPECT_EQ(with_bravo(told({story})).field_out, (Range{4, 12}));
  EXPECT_EQ(with_bravo(told({story})).unopenable, 0);
}

TEST(Ledger, CountsAFieldOfAMatchOnceHoweverOftenItIsOpened) {
  Story story = Story().end(10);
  story.they(RevealOffered{0b1, 10});
  for (int i = 0; i < 5; ++i) story.we(RevealOffered{0b101, 10});
  EXPECT_EQ(with_bravo(told({story})).field_in.worst, 20);
  story.we(RevealOffered{0b10, 3});
  EXPECT_EQ(with_bravo(told({story})).field_in.worst, 23);
}

TEST(Ledger, CountsAnOfferWhoseBodyIsNotHereAsAllThatItMayHaveBeen) {
  Story story = Story().end(10);
  story.they(RevealOffered{0b1, 1}).we(RevealOffered{.fields = 0b111, .unknown = true});
  EXPECT_EQ(with_bravo(told({story})).field_in, (Range{0, 30})) << "three fields of ten matches";
  EXPECT_EQ(
      with_bravo(told({Story(story).we(RevealOffered{.fields = 0b1, .openings = 2, .was_unknown = true})})).field_in,
      (Range{0, 2}))
      << "the body came";
  story.we(RevealOffered{0b1, 2}).we(RevealOffered{.fields = 0b1, .openings = 2, .was_unknown = true});
  EXPECT_EQ(with_bravo(told({story})).field_in, (Range{0, 4}));
  story.we(RevealOffered{.fields = 0b111, .unknown = true});
  EXPECT_EQ(with_bravo(told({story})).field_in, (Range{0, 30})) << "of two one is unknown";
}

TEST(Ledger, CountsWhatWasOfferedToAMemberWhoseLogCannotBeRead) {
  const Story story = Story().end(10).we(RevealOffered{0b11, 8});
  Ledger ledger = told({story});
  EXPECT_EQ(with_bravo(ledger).field_in, Range{});
  ledger.unreadable("carol");
  EXPECT_EQ(with_bravo(ledger).field_in, Range{});
  ledger.unreadable(kBravo);
  EXPECT_EQ(with_bravo(ledger).field_in, (Range{0, 16}));
  EXPECT_EQ(with_bravo(ledger).unopenable, 0);
}

// A member that lost its disk, and whose operator took the risk of a second history, has no offer in its log any more.
TEST(Ledger, CountsWhatItsOwnLogSaysWasOpenedThoughTheirOfferIsGone) {
  const RevealOffered offer{.fields = 0b11, .openings = 4, .values = 8};
  struct Case {
    const char* what;
    Story story;
    std::int64_t worst;
  };
  for (const auto& [what, story, worst] :
       {Case{"nobody answered", Story().end(10).we(offer), 0},
        Case{"we opened", Story().end(10).we(offer).we(RevealClosed{.received_fields = 0, .opened = 3, .place = 1}), 8},
        Case{"we received", Story().end(10).we(offer).we(RevealClosed{.received_fields = 2, .opened = 0, .place = 1}),
             8},
        Case{"we closed with nothing", Story().end(10).we(offer).we(RevealClosed{.opened = 0, .place = 1}), 0},
        Case{"their acceptance is gone too",
             Story().we(Proposed{.types = types({Type::ipv4}), .entered = 1024}).we(Ran{1024}).we(offer), 8}}) {
    EXPECT_EQ(with_bravo(told({story})).field_in.worst, worst) << what;
  }
}

// What we kept back ourselves is no less of what they owed; and a later exchange does not make good for one before.
TEST(Ledger, CallsUnopenableWhatWasDueAndDidNotComeByOurOwnLog) {
  Story story = Story().end(10);
  story.they(RevealOffered{0b1, 10}).we(RevealOffered{0b1, 10});
  EXPECT_EQ(with_bravo(told({story})).unopenable, 0);
  story.they(RevealClosed{.received = 0, .missing = 9});
  EXPECT_EQ(with_bravo(told({story})).unopenable, 0) << "by their word";
  story.we(RevealClosed{.received = 3, .received_fields = 3, .other_stopped = true, .missing = 7});
  EXPECT_EQ(with_bravo(told({story})).unopenable, 7);
  story.they(RevealOffered{0b1, 10}).we(RevealOffered{0b1, 10}).we(RevealClosed{10});
  EXPECT_EQ(with_bravo(told({story})).unopenable, 7);
}

TEST(Ledger, CountsNotAsOpenedWhatWasOfferedAndKeptBack) {
  Story story = Story().end(10);
  story.they(RevealOffered{0b1, 1, 1}).we(RevealOffered{0b11, 10, 20});
  EXPECT_EQ(with_bravo(told({story})).field_in.worst, 20) << "until our log says otherwise, all may have left";
  story.we(RevealClosed{.received = 1, .received_fields = 1, .kept_back = 19});
  EXPECT_EQ(with_bravo(told({story})).field_in, (Range{0, 1}));
  EXPECT_EQ(with_bravo(told({story})).field_out.worst, 1);
  EXPECT_EQ(with_bravo(told({Story(story).they(RevealClosed{.kept_back = 1})})).field_out.worst, 1)
      << "that they kept back what they offered is their word only";
  story.we(RevealOffered{0b11, 10});
  EXPECT_EQ(with_bravo(told({story})).field_in.worst, 20) << "an offer that does not count its fields may be of all";
}

TEST(Ledger, WeighsWhatWasOpened) {
  Ledger ledger(kAlpha, {.receiver_tests = tests_by, .weight = [](Type type, std::size_t field) {
                           return std::int64_t{type == Type::domain ? 5 : 1} * (field == 0 ? 3 : 1);
                         }});
  Story story{.about = types({Type::ipv4, Type::domain})};
  take(ledger, story.end(4).we(RevealOffered{0b11, 2}).they(RevealOffered{0b10, 2}));
  EXPECT_EQ(ledger.account(&kBravo, Type::ipv4, Window::day).weight_in, (Range{0, 8}));
  EXPECT_EQ(ledger.account(&kBravo, Type::domain, Window::day).weight_in, (Range{0, 40}));
  EXPECT_EQ(ledger.account(&kBravo, {}, Window::day).weight_in, (Range{0, 40}));  // of which type is not known
  EXPECT_EQ(ledger.account(&kBravo, Type::ipv4, Window::day).weight_out, (Range{0, 2}));
  EXPECT_EQ(ledger.account(&kBravo, Type::ipv4, Window::day).field_in, (Range{0, 4}));
}

TEST(Balance, SaysWhoLearnedMoreWithBothNumbers) {
  struct Case {
    std::int64_t in, out;
    std::optional<int> percent;
  };
  for (const auto& [in, out, percent] : {Case{0, 0, std::nullopt}, Case{10, 0, -100}, Case{0, 10, 100}, Case{5, 5, 0},
                                         Case{10, 30, 50}, Case{30, 10, -50}, Case{kLargestSum, kLargestSum, 0}}) {
    const Balance balance = balance_of({.weight_in = {0, in}, .weight_out = {0, out}});
    EXPECT_EQ(balance.percent, percent) << in << " " << out;
    EXPECT_EQ(balance.in, in);
    EXPECT_EQ(balance.out, out);
  }
}

TEST(Balance, IsTheOppositeForTheOtherSide) {
  Story story = Story().end(10).we(RevealOffered{0b11, 8}).they(RevealOffered{0b111, 4});
  Ledger bravo = ledger_of(kBravo);
  for (Told told : story.told) {
    told.peer = told.author == kBravo ? kAlpha : told.author;
    bravo.take(told);
  }
  const Balance ours = balance_of(with_bravo(told({story})));
  const Balance theirs = balance_of(bravo.account(&kAlpha, Type::ipv4, Window::operation));
  EXPECT_EQ(ours.percent, -*theirs.percent);
  EXPECT_EQ(ours.in, theirs.out);
}

TEST(Exposure, IsHowManyTimesOverTheyCouldHaveEnumeratedUs) {
  const Account account = with_bravo(told({Story().end(1)}));
  EXPECT_EQ(exposure_hundredths(account, 1024), 200);
  EXPECT_EQ(exposure_hundredths(account, 50'000), 4);
  EXPECT_EQ(exposure_hundredths(account, 0), std::nullopt);
}

// --- limits ---------------------------------------------------------------------------------------------------------

TEST(Ledger, StaysAtTheLargestSumWhenAPeerWritesMore) {
  Ledger ledger = ledger_of();
  for (std::uint64_t i = 0; i < 2000; ++i)
    take(ledger, Story{.session = session_named(i), .they_enter = ~std::uint64_t{0}, .suite = kFast}
                     .run()
                     .we(RevealOffered{~FieldSet{0}, ~std::uint64_t{0}})
                     .they(RevealOffered{~FieldSet{0}, ~std::uint64_t{0}})
                     .we(RevealClosed{~std::uint64_t{0}}));
  const Account account = with_bravo(ledger);
  EXPECT_EQ(account.probe_in, kLargestSum);
  EXPECT_EQ(account.tests_in, kLargestSum);
  EXPECT_EQ(account.match_in, (Range{0, 2000 * 1024}));
  EXPECT_LE(account.field_out.known, account.field_out.worst);
}

}  // namespace
}  // namespace parley::ledger
