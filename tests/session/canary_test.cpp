// Canaries in a session: what their owner sees of a hit, and what the other side does not.
#include "session/opening.h"
#include "support/canaries.h"
#include "support/deviations.h"

namespace parley::session {
namespace {

constexpr auto kDarker = "192.0.2.78";

std::vector<vault::TestRecord> with(std::vector<vault::TestRecord> records, std::initializer_list<const char*> more) {
  for (const char* value : more) records.push_back(record(indicator::Type::ipv4, value, "guess"));
  return records;
}

// alpha has canaries, bravo may have guessed.
class Canaries : public testing::Test {
 protected:
  explicit Canaries(std::initializer_list<const char*> guesses = {kDark})
      : bravo_home_("bravo", with(material("xagent"), guesses)) {}
  void commit(const std::vector<group::Canary>& canaries, int days = 3) {
    commit_canaries_at(alpha_, bravo_, canaries, days_ago(days));
  }
  Both<std::string> bravo_asks(const Question& question = which_addresses_and_names()) {
    return hold_session(bravo_, alpha_, question);
  }
  std::vector<CanaryHit> hits(const Both<std::string>& held) {
    const auto found = held.began ? hits_of(*alpha_.vault, *held.began) : Result<std::vector<CanaryHit>>{};
    EXPECT_OK(found);
    return *found;
  }

  TestMember alpha_home_{"alpha", material("sednit")}, bravo_home_;
  Opened alpha_{alpha_home_}, bravo_{bravo_home_};
};

TEST_F(Canaries, ThatTheOtherSideEnteredAreHitsAndNoMatches) {
  commit({dark(kDark), dark(kDarker)});
  const auto held = bravo_asks();
  ASSERT_OK(held.began);
  ASSERT_OK(held.answered);
  const Outcome ours = outcome_of(*alpha_.vault, *held.began);
  EXPECT_EQ(matched(*alpha_.vault, *held.began), kShared);
  EXPECT_EQ(ours.count, 3);
  EXPECT_EQ(ours.file_count, 3);
  EXPECT_EQ(ours.canaries, 1);
  ASSERT_EQ(hits(held).size(), 1u);
  EXPECT_EQ(hits(held)[0].canary.canary.indicator.value(), kDark);
}

TEST_F(Canaries, AreMatchesLikeAnyOtherToTheOtherSide) {
  commit({dark(kDark), dark(kDarker)});
  const auto held = bravo_asks();
  ASSERT_OK(held.began);
  ASSERT_OK(held.answered);
  const Outcome theirs = outcome_of(*bravo_.vault, *held.began);
  EXPECT_EQ(theirs.count, 4);
  EXPECT_EQ(theirs.canaries, 0);
  EXPECT_TRUE(theirs.agreed) << "counts and roots of both must agree";
  EXPECT_TRUE(outcome_of(*alpha_.vault, *held.began).agreed);
  EXPECT_TRUE(matched(*bravo_.vault, *held.began).contains(kDark));
}

TEST_F(Canaries, DoNotChangeTheSizeThatTheOtherSideSees) {
  std::vector<group::Canary> many;
  for (int i = 1; i <= 60; ++i) many.push_back(dark("192.0.2." + std::to_string(i)));
  commit(many);
  const auto held = bravo_asks();
  ASSERT_OK(held.began);
  const auto row = bravo_.vault->session(*held.began);
  ASSERT_OK(row);
  EXPECT_EQ(read_terms(row->terms)->their_padded, 256u);
  const auto counted = enters(*alpha_.vault, {}, 0);
  ASSERT_OK(counted);
  EXPECT_EQ(counted->count, 4u) << "they are no material";
}

std::vector<vault::TestRecord> addresses(const char* block, int count, std::optional<UnixSeconds> last_seen = {}) {
  std::vector<vault::TestRecord> records;
  for (int i = 0; i < count; ++i) {
    records.push_back(record(indicator::Type::ipv4, fmt::format("{}.{}", block, i), "sednit"));
    records.back().context.last_seen = last_seen;
  }
  return records;
}

// Or who asks would look for the date by which a size of ours is full to the last place: there it met no canary, and a
// second earlier some.
TEST(CanariesOfAnySet, AllEnterAndDoNotChangeItsSizeHoweverFullItIs) {
  for (const auto& [held, size] : {std::pair{192, 256U}, {193, 320U}, {256, 320U}})
    for (const int canaries : {0, 64}) {
      SCOPED_TRACE(fmt::format("{} indicators, {} canaries", held, canaries));
      const TestMember alpha_home("alpha", addresses("198.18.0", held)), bravo_home("bravo", addresses("192.0.2", 64));
      Opened alpha(alpha_home), bravo(bravo_home);
      std::vector<group::Canary> all;
      for (int i = 0; i < canaries; ++i) all.push_back(dark(fmt::format("192.0.2.{}", i)));
      if (!all.empty()) commit_canaries_at(alpha, bravo, all, days_ago(3));
      const auto session = hold_session(bravo, alpha, which_addresses_and_names());
      ASSERT_OK(session.began);
      ASSERT_OK(session.answered);
      EXPECT_EQ(outcome_of(*alpha.vault, *session.answered).canaries, canaries);
      EXPECT_EQ(read_terms(bravo.vault->session(*session.began)->terms)->their_padded, size);
    }
}

// There is no hit there, so no place has to be kept.
TEST(CanaryPlaces, AreThereWhereBothLearnWhichOnesMatchOnly) {
  Question question = which_addresses_and_names();
  EXPECT_EQ(canary_places(question), 64u);
  question.function = Function::count;
  EXPECT_EQ(canary_places(question), 0u);
  question.function = Function::intersection;
  for (const Direction direction : {Direction::mine, Direction::theirs}) {
    question.direction = direction;
    EXPECT_EQ(canary_places(question), 0u);
  }
}

TEST_F(Canaries, EnterAlsoWhereTheirOwnerAsks) {
  commit({dark(kDark)});
  const auto held = hold_session(alpha_, bravo_, which_addresses_and_names());
  ASSERT_OK(held.began);
  EXPECT_EQ(hits(held).size(), 1u);
  EXPECT_EQ(matched(*alpha_.vault, *held.began), kShared);
}

// A guesser that could ask twice would know what to leave out before anybody raises an alarm.
TEST_F(Canaries, AreThereAgainForWhoAsksAgainSoThatNoMatchIsGone) {
  commit({dark(kDark), dark(kDarker)});
  for (int i = 0; i < 3; ++i) {
    const auto held = bravo_asks();
    ASSERT_OK(held.began);
    EXPECT_EQ(hits(held).size(), 1u);
    EXPECT_TRUE(matched(*bravo_.vault, *held.began).contains(kDark)) << i;
    EXPECT_EQ(outcome_of(*bravo_.vault, *held.began).count, 4);
  }
}

// Nor does it draw other canaries by asking again.
TEST_F(Canaries, AreTheSameOnesInEverySessionWithOneMember) {
  std::vector<group::Canary> many;
  for (int i = 1; i <= 60; ++i) many.push_back(dark("192.0.2." + std::to_string(i)));
  commit(many);
  const auto entering = [&](const std::string& peer) {
    std::vector<std::string> values;
    const group::Membership membership = alpha_.membership(charter_of(alpha_, bravo_));
    const auto canaries = canaries_for(*alpha_.vault, membership, which_addresses_and_names(), membership.admitted(),
                                       peer, wall_clock_now());
    EXPECT_OK(canaries);
    for (const group::CommittedCanary& each : *canaries) values.push_back(each.canary.indicator.value());
    return values;
  };
  const auto first = entering("bravo");
  ASSERT_EQ(first.size(), 60u);
  EXPECT_EQ(entering("bravo"), first);
  EXPECT_FALSE(std::ranges::is_sorted(first));
}

TEST_F(Canaries, ThatWereHitAreNoReasonToLoseAResultHoweverManyWereShown) {
  commit({dark(kDark)});
  const std::string group = charter_of(alpha_, bravo_).charter.group;
  auto book = group::CanaryBook::load(*alpha_.vault, group);
  ASSERT_OK(book);
  // As much as is kept of what was shown to whom.
  for (int i = 0; i < 4096; ++i) book->published(dark(fmt::format("198.18.{}.{}", i / 256, i % 256)).indicator);
  ASSERT_OK(book->save(*alpha_.vault, group));
  const auto held = bravo_asks();
  ASSERT_OK(held.answered);
  EXPECT_EQ(matched(*alpha_.vault, *held.answered), kShared);
  EXPECT_EQ(hits(held).size(), 1u);
}

TEST_F(Canaries, OfATypeThatIsNotAskedForDoNotEnter) {
  commit({dark(kDark)});
  Question question;
  question.types = {indicator::Type::domain};
  EXPECT_EQ(hits(bravo_asks(question)).size(), 0u);
}

TEST_F(Canaries, DoNotEnterWhereOneSideLearnsOrBothOnlyCount) {
  commit({dark(kDark)});
  for (const auto& [function, direction] :
       {std::pair{Function::count, Direction::both}, std::pair{Function::intersection, Direction::mine},
        std::pair{Function::intersection, Direction::theirs}}) {
    Question question = which_addresses_and_names();
    question.function = function;
    question.direction = direction;
    const auto held = bravo_asks(question);
    ASSERT_OK(held.began);
    EXPECT_EQ(hits(held).size(), 0u);
    EXPECT_NE(outcome_of(*bravo_.vault, *held.began).count, 4);
  }
}

TEST_F(Canaries, ThatStoodInTheLogForLessThanADayDoNotEnter) {
  commit_canaries_at(alpha_, bravo_, {dark(kDark)}, wall_clock_now() - 23 * 3600);
  EXPECT_EQ(hits(bravo_asks()).size(), 0u);
}

TEST_F(Canaries, ThatAreTooOldDoNotEnter) {
  commit({dark(kDark)}, 30);
  EXPECT_EQ(hits(bravo_asks()).size(), 0u);
}

// Whoever audits a session, and whoever was its other side, may know them: what is gone then would be known to the
// other side too, and to whom it tells.
TEST_F(Canaries, ThatWereOpenedToAnAuditorEnterAsBeforeAndSayNothingAgainstEitherSide) {
  commit({dark(kDark)});
  const std::string group = charter_of(alpha_, bravo_).charter.group;
  ASSERT_OK(note_canaries_opened(*alpha_.vault, group, std::vector<std::string>{"bravo", "carol"}));
  const auto held = bravo_asks();
  ASSERT_OK(held.began);
  EXPECT_EQ(hits(held).size(), 1u);
  EXPECT_TRUE(matched(*bravo_.vault, *held.began).contains(kDark));
  const auto suspicion = alarm_about(alpha_, bravo_, *held.began);
  ASSERT_FAILS(suspicion, Errc::policy);
  EXPECT_THAT(suspicion.error().text(), testing::HasSubstr("may have known before this session"));
}

TEST_F(Canaries, ThatWereOpenedToAnAuditorLaterGoOnSpeakingOfWhatWasHitBefore) {
  commit({dark(kDark)});
  const auto held = bravo_asks();
  ASSERT_OK(held.began);
  const std::string group = charter_of(alpha_, bravo_).charter.group;
  auto book = group::CanaryBook::load(*alpha_.vault, group);
  ASSERT_OK(book);
  book->opened_to("bravo", alpha_.vault->session(*held.began)->created + 1);
  ASSERT_OK(book->save(*alpha_.vault, group));
  EXPECT_OK(alarm_about(alpha_, bravo_, *held.began));
}

TEST_F(Canaries, ThatNobodyHeldInTimeDoNotEnter) {
  open_logs(alpha_, bravo_, days_ago(4));
  const group::SignedCharter charter = charter_of(alpha_, bravo_);
  auto book = group::CanaryBook::load(*alpha_.vault, charter.charter.group);
  ASSERT_OK(book);
  ASSERT_OK(book->add(dark(kDark)));
  const auto set = book->draw();
  ASSERT_OK(set);
  alpha_.log(charter).with([&](mirror::Replica& replica) {
    ASSERT_OK(replica.append(mirror::draft_for_everyone(log::kCanarySet, group::canary_set_body(set->root())),
                             days_ago(3), [&](const mirror::EntryView& entry) -> Status {
                               book->committed(*set, entry.leaf_hash, entry.entry.seq, entry.entry.time);
                               return book->save(*alpha_.vault, charter.charter.group);
                             }));
  });
  EXPECT_EQ(hits(bravo_asks()).size(), 0u) << "its owner alone says that it is three days old";
}

TEST_F(Canaries, ThatTheirOwnerHasMeanwhileSeenInEarnestAreItems) {
  commit({dark(kDark)});
  ASSERT_OK(vault::import_records(*alpha_.vault, {.source = "new.csv", .format = "csv", .labels = {}, .tlp = {}},
                                  {record(indicator::Type::ipv4, kDark, "sednit")}));
  const auto held = bravo_asks();
  ASSERT_OK(held.began);
  EXPECT_EQ(hits(held).size(), 0u);
  EXPECT_TRUE(matched(*alpha_.vault, *held.began).contains(kDark));
}

// --- questions with a date ------------------------------------------------------------------------------------------

// Half of what alpha holds is old and half is new. It has 60 canaries, and bravo has guessed them all.
class Dated : public testing::Test {
 protected:
  Dated() {
    std::vector<group::Canary> canaries;
    for (int i = 1; i <= 60; ++i) canaries.push_back(dark(fmt::format("192.0.2.{}", i)));
    commit_canaries_at(alpha_, bravo_, canaries, days_ago(3));
  }
  void import(const std::vector<vault::TestRecord>& records) {
    ASSERT_OK(vault::import_records(*alpha_.vault, {.source = "more.csv", .format = "csv", .labels = {}, .tlp = {}},
                                    records));
  }
  static Question since(UnixSeconds date) {
    Question question = which_addresses_and_names();
    question.since = date;
    return question;
  }
  std::set<std::string> entering(const Question& question) {
    const group::Membership membership = alpha_.membership(charter_of(alpha_, bravo_));
    const auto canaries = canaries_for(*alpha_.vault, membership, question,
                                       responder_selection(question, membership.admitted()), "bravo", wall_clock_now());
    EXPECT_OK(canaries);
    std::set<std::string> values;
    for (const group::CommittedCanary& each : *canaries) values.insert(each.canary.indicator.value());
    return values;
  }
  static bool includes(const std::set<std::string>& all, const std::set<std::string>& part) {
    return std::ranges::includes(all, part);
  }

  const UnixSeconds old_ = days_ago(400), new_ = days_ago(10), to_come_ = days_ago(-20'000);
  std::vector<vault::TestRecord> held_ = [&] {
    std::vector<vault::TestRecord> records = addresses("198.18.0", 20, old_);
    for (const vault::TestRecord& each : addresses("198.18.1", 20, new_)) records.push_back(each);
    return records;
  }();
  TestMember alpha_home_{"alpha", held_}, bravo_home_{"bravo", addresses("192.0.2", 61, to_come_)};
  Opened alpha_{alpha_home_}, bravo_{bravo_home_};
};

// Or whoever asks with a date to come would meet canaries alone, and leave them out of its guesses from then on.
TEST_F(Dated, QuestionMeetsNoCanaryWhereItMeetsNoIndicator) {
  for (const auto& [question, met] : {std::pair{since(to_come_ - 1), 0}, std::pair{since(old_), 60}}) {
    const auto held = hold_session(bravo_, alpha_, question);
    ASSERT_OK(held.began);
    ASSERT_OK(held.answered);
    EXPECT_EQ(outcome_of(*alpha_.vault, *held.answered).canaries, met);
    EXPECT_EQ(outcome_of(*bravo_.vault, *held.began).count, met) << "which it holds, and says are new";
  }
}

TEST_F(Dated, QuestionMeetsAsLargeAPartOfTheCanariesAsOfTheIndicators) {
  const std::size_t half = entering(since(new_)).size();
  EXPECT_GT(half, 8u) << "30 are to be expected, and so few once in a thousand million runs";
  EXPECT_LT(half, 52u);
  EXPECT_EQ(entering(since(old_)).size(), 60u);
}

TEST_F(Dated, QuestionMeetsAgainWhatItHasMetWhateverIsImportedMeanwhile) {
  const auto met = entering(since(new_));
  import(addresses("198.19.0", 250, old_));
  EXPECT_EQ(entering(since(new_)), met);
  EXPECT_TRUE(includes(entering(since(old_ + 1)), met)) << "what is as new as that is as new as any older date";
  EXPECT_TRUE(includes(entering(since(old_)), met));
  import(addresses("198.19.1", 250, new_));
  EXPECT_TRUE(includes(entering(since(new_)), met));
}

// The log shows when the next set comes into use: what then changed would be canaries.
TEST_F(Dated, QuestionMeetsTheSameCanariesOfTheNextSet) {
  const auto half = entering(since(new_));
  const std::string group = charter_of(alpha_, bravo_).charter.group;
  auto book = group::CanaryBook::load(*alpha_.vault, group);
  ASSERT_OK(book);
  const auto set = book->draw();
  ASSERT_OK(set);
  book->committed(*set, Digest{std::byte{7}}, 99, days_ago(2));
  const auto those = [&](double share) {
    std::set<std::string> values;
    for (const group::CanarySet::Leaf& leaf : book->sets().back().set.canaries())
      if (book->passes(leaf.canary.indicator, new_ + 1, share)) values.insert(leaf.canary.indicator.value());
    return values;
  };
  EXPECT_EQ(those(0.5), half);
  EXPECT_TRUE(includes(those(0.6), those(0.5)));
  EXPECT_TRUE(those(0).empty());
  EXPECT_EQ(those(1).size(), 60u);
}

TEST_F(Dated, QuestionAboutATypeThatIsNotHeldMeetsCanariesLikeOneAboutAll) {
  const std::string group = charter_of(alpha_, bravo_).charter.group;
  auto book = group::CanaryBook::load(*alpha_.vault, group);
  ASSERT_OK(book);
  ASSERT_OK(book->add(canary(indicator::Type::domain, "quiet.example")));
  const auto set = book->draw();
  ASSERT_OK(set);
  book->committed(*set, book->sets().back().entry, book->sets().back().seq, days_ago(2));
  ASSERT_OK(book->save(*alpha_.vault, group));
  Question about_names = since(old_);
  about_names.types = {indicator::Type::domain};
  EXPECT_EQ(entering(about_names).size(), 1u);
  about_names.since = to_come_;
  EXPECT_EQ(entering(about_names).size(), 0u);
}

// --- in a reveal ----------------------------------------------------------------------------------------------------

void consent(Opened& side, const std::string& session) {
  ASSERT_OK(give_consent(*side.vault, session,
                         {.fields = {"malware"}, .tlp_max = indicator::Tlp::amber, .given = 1, .unreturned = 9}));
}

TEST_F(Canaries, AreNeverRevealedAndWhatTheOtherSideOpensForThemIsKeptAsEvidence) {
  commit({dark(kDark)});
  const auto held = bravo_asks();
  ASSERT_OK(held.began);
  consent(alpha_, *held.began);
  consent(bravo_, *held.began);
  const auto revealed = hold_reveal(bravo_, alpha_, *held.began);
  ASSERT_OK(revealed.began);
  ASSERT_OK(revealed.answered);
  EXPECT_EQ(revealed.answered->opened, 3u);
  EXPECT_EQ(revealed.answered->received, 4u);
  EXPECT_THAT(hits(held)[0].theirs, testing::HasSubstr("guess"));
  EXPECT_EQ(matched(*alpha_.vault, *held.began), kShared);
}

// Or whoever holds back what it suspects would see which of its matches are canaries, and no alarm would come of it.
TEST_F(Canaries, ThatAreNotShownEndARevealLikeMatchesThatAreNotShown) {
  commit({dark(kDark)});
  const auto held = bravo_asks();
  ASSERT_OK(held.began);
  ASSERT_EQ(hits(held).size(), 1u);
  for (std::size_t place = 0; place < kShared.size() + 1; ++place) {
    SCOPED_TRACE(place);
    consent(alpha_, *held.began);
    consent(bravo_, *held.began);
    const auto revealed = hold_reveal(bravo_, alpha_, *held.began, showing(place, nothing));
    EXPECT_FAILS(revealed.answered, Errc::protocol);
    const RevealEnd end = last_end_of_reveal(alpha_, charter_of(alpha_, bravo_));
    EXPECT_EQ(end.unshown, 1u);
    EXPECT_EQ(end.opened, 0u);
    EXPECT_EQ(end.stopped, "them");
    EXPECT_EQ(*consent_given(*alpha_.vault, *held.began), std::nullopt);
  }
}

class OnlyCanaries : public Canaries {
 protected:
  TestMember carol_home_{"carol", {record(indicator::Type::ipv4, kDark, "guess")}};
  Opened carol_{carol_home_};
};

TEST_F(OnlyCanaries, InCommonLookLikeAConsentThatIsNotGiven) {
  commit_canaries_at(alpha_, carol_, {dark(kDark)}, days_ago(3));
  const auto held = hold_session(carol_, alpha_, which_addresses_and_names());
  ASSERT_OK(held.began);
  EXPECT_EQ(outcome_of(*carol_.vault, *held.began).count, 1);
  EXPECT_EQ(outcome_of(*alpha_.vault, *held.began).count, 0);
  consent(carol_, *held.began);
  const auto revealed = hold_reveal(carol_, alpha_, *held.began);
  ASSERT_OK(revealed.began);
  EXPECT_TRUE(revealed.began->waiting) << "as with any match that its holder does not want to open";
}

// --- alarms ---------------------------------------------------------------------------------------------------------

class Alarm : public Canaries {
 protected:
  Alarm() : Canaries({kDark, kDarker}) {}
  Result<CanaryAlarm> alarm(const Both<std::string>& held) { return alarm_about(alpha_, bravo_, *held.began); }
};

TEST_F(Alarm, IsCheckedByEveryMemberAgainstItsOwnLogs) {
  commit({dark(kDark), dark("192.0.2.90")});
  const auto held = bravo_asks();
  ASSERT_OK(held.began);
  const auto made = alarm(held);
  ASSERT_OK(made);
  const auto entry = published_alarm(alpha_, bravo_, *made, *held.began);
  ASSERT_OK(entry);
  EXPECT_OK(check_as_bystander(alpha_, bravo_, *entry));
  EXPECT_OK(check_as_bystander(bravo_, alpha_, *entry));
}

TEST_F(Alarm, IsRaisedOnceForEachHit) {
  commit({dark(kDark, 10), dark(kDarker, 50)});
  const auto held = bravo_asks();
  for (const char* expected : {kDark, kDarker}) {
    const auto made = alarm(held);
    ASSERT_OK(made);
    ASSERT_EQ(made->hits.size(), 1u);
    EXPECT_EQ(made->hits[0].canary.canary.indicator.value(), expected);
    const std::string group = charter_of(alpha_, bravo_).charter.group;
    auto book = group::CanaryBook::load(*alpha_.vault, group);
    ASSERT_OK(book);
    book->published(made->hits[0].canary.canary.indicator);
    ASSERT_OK(book->save(*alpha_.vault, group));
  }
  EXPECT_FAILS(alarm(held), Errc::usage);
}

// Or the accused would see within the day, until the next set is old enough, which of its matches are gone with the one
// that was published.
TEST_F(Alarm, LeavesTheOtherCanariesInUseAgainstTheAccused) {
  commit({dark(kDark, 10), dark(kDarker, 50)});
  const auto first = alarm(bravo_asks());
  ASSERT_OK(first);
  const std::string group = charter_of(alpha_, bravo_).charter.group;
  auto book = group::CanaryBook::load(*alpha_.vault, group);
  ASSERT_OK(book);
  book->published(first->hits[0].canary.canary.indicator);
  auto next = book->draw();
  ASSERT_OK(next);
  book->committed(*std::move(next), Digest{std::byte{7}}, 99, wall_clock_now());
  ASSERT_OK(book->save(*alpha_.vault, group));
  const auto again = bravo_asks();
  ASSERT_OK(again.began);
  EXPECT_FALSE(matched(*bravo_.vault, *again.began).contains(kDark));
  EXPECT_TRUE(matched(*bravo_.vault, *again.began).contains(kDarker));
  const auto second = alarm(again);
  ASSERT_OK(second);
  EXPECT_EQ(second->hits[0].canary.canary.indicator.value(), kDarker);
}

TEST_F(Alarm, BurnsNoMoreCanariesThanItNeeds) {
  commit({dark(kDark, 10), dark(kDarker, 500)});
  const auto made = alarm(bravo_asks());
  ASSERT_OK(made);
  ASSERT_EQ(made->hits.size(), 1u);
  EXPECT_EQ(made->hits[0].canary.canary.indicator.value(), kDark);
}

TEST_F(Alarm, NeedsTwoHitsOnCanariesThatAnHonestMemberMayHold) {
  commit({dark(kDark, 500), dark(kDarker, 500)});
  const auto held = bravo_asks();
  const auto made = alarm(held);
  ASSERT_OK(made);
  EXPECT_EQ(made->hits.size(), 2u);
  const auto entry = published_alarm(alpha_, bravo_, *made, *held.began);
  ASSERT_OK(entry);
  EXPECT_OK(check_as_bystander(bravo_, alpha_, *entry));
}

TEST_F(Alarm, IsNotRaisedByOneHitOnACanaryThatAnHonestMemberMayHold) {
  commit({dark(kDark, 101)});
  EXPECT_FAILS(alarm(bravo_asks()), Errc::policy);
}

// Whoever asks again meets again what it holds: by accident, or because it guessed. It says no more than the first
// time.
TEST_F(Alarm, GainsNothingByBeingAskedAgain) {
  commit({dark(kDark, 500), dark(kDarker, 500)});
  const auto first = alarm(bravo_asks()), again = alarm(bravo_asks());
  ASSERT_OK(first);
  ASSERT_OK(again);
  EXPECT_EQ(group::likelihood_ratio(chances_of(first->hits)), group::likelihood_ratio(chances_of(again->hits)));
}

// An honest member comes by one canary, and much later by another: in each of many sessions both are met.
TEST_F(Alarm, IsNotRaisedByHitsThatCameFirstInDifferentSessions) {
  commit({dark(kDark, 500), dark("192.0.2.90", 500)});
  EXPECT_FAILS(alarm(bravo_asks()), Errc::policy);
  ASSERT_OK(vault::import_records(*bravo_.vault, {.source = "new.csv", .format = "csv", .labels = {}, .tlp = {}},
                                  {record(indicator::Type::ipv4, "192.0.2.90", "later")}));
  for (int i = 0; i < 2; ++i) {
    const auto held = bravo_asks();
    EXPECT_EQ(hits(held).size(), 2u);
    EXPECT_FAILS(alarm(held), Errc::policy);
  }
}

// It leaves before it signs, and believes that it has spent the canaries by that.
TEST_F(Alarm, IsRaisedByASessionWhoseHitsCouldNotBeShownBefore) {
  commit({dark(kDark, 500), dark(kDarker, 500)});
  const Deviation leave{.resend = [](const wire::Frame& frame) {
    return std::vector{frame.type == wire::FrameType::opening ? wire::Frame{wire::FrameType::bye, {}} : frame};
  }};
  const auto left = hold_session(bravo_, alpha_, which_addresses_and_names(), leave);
  ASSERT_OK(left.answered);
  EXPECT_FAILS(alarm_about(alpha_, bravo_, *left.answered), Errc::policy);
  const auto made = alarm(bravo_asks());
  ASSERT_OK(made);
  EXPECT_EQ(made->hits.size(), 2u);
}

TEST_F(Alarm, IsNotRaisedWhereTheOtherSideLeftBeforeItSigned) {
  commit({dark(kDark)});
  const Deviation leave{.resend = [](const wire::Frame& frame) {
    return std::vector{frame.type == wire::FrameType::opening ? wire::Frame{wire::FrameType::bye, {}} : frame};
  }};
  const auto held = hold_session(bravo_, alpha_, which_addresses_and_names(), leave);
  ASSERT_OK(held.answered);
  EXPECT_EQ(outcome_of(*alpha_.vault, *held.answered).canaries, 1) << "the owner still sees the hit";
  EXPECT_FAILS(alarm_about(alpha_, bravo_, *held.answered), Errc::policy);
}

// The other side signs another result than the one that both found: with the canary in it nothing of that is signed.
TEST_F(Alarm, IsASuspicionWhereTheOtherSideSignedAnotherResult) {
  commit({dark(kDark)});
  const auto held =
      hold_session(bravo_, alpha_, which_addresses_and_names(), changing(kResult, [](log::Json::Object& body) {
                     body.insert_or_assign("result_root", to_hex(Digest{std::byte{1}}));
                   }));
  const std::string session = newest_session(*alpha_.vault);
  ASSERT_EQ(state_of(*alpha_.vault, session), kDisputed);
  const auto made = alarm_about(alpha_, bravo_, session);
  EXPECT_FAILS(made, Errc::policy);
  EXPECT_THAT(made.error().text(), testing::HasSubstr("does not name the canary"));
}

// Its owner's program has lost sight of how old the set is; the log has not.
TEST_F(Alarm, IsASuspicionWhereTheSetWasOlderThanThirtyDays) {
  commit_canaries_at(alpha_, bravo_, {dark(kDark)}, days_ago(31), days_ago(3));
  const auto held = bravo_asks();
  ASSERT_OK(held.began);
  ASSERT_EQ(hits(held).size(), 1u);
  const auto made = alarm(held);
  EXPECT_FAILS(made, Errc::policy);
  EXPECT_THAT(made.error().text(), testing::HasSubstr("older than 30 days"));
}

TEST_F(Alarm, TellsNothingOfTheOtherCanaries) {
  commit({dark(kDark, 1), dark(kDarker), dark("192.0.2.90"), canary(indicator::Type::domain, "quiet.example")});
  const auto made = alarm(bravo_asks());
  ASSERT_OK(made);
  const std::string published = log::write_pjson(made->to_json());
  for (const char* hidden : {kDarker, "192.0.2.90", "quiet.example"})
    EXPECT_EQ(published.find(hidden), std::string::npos) << hidden;
  // Nor does trying every canary under every hash that is published find one: leaves are salted.
  for (const Digest& digest : made->hits[0].canary.path)
    for (const char* hidden : {kDarker, "192.0.2.90"})
      for (const log::Salt& salt : {made->hits[0].canary.salt, made->hits[0].item_salt, log::Salt{}})
        EXPECT_NE(log::leaf_hash(group::canary_commitment(salt, dark(hidden))), digest);
}

}  // namespace
}  // namespace parley::session
