// Sessions of a group whose charter asks for tags: what enters, what does not, and that it can be opened all the same.
#include "session/canary_hits.h"
#include "support/admission_circle.h"
#include "support/canaries.h"

namespace parley::session {
namespace {

using admission::addresses, admission::at_most, admission::Circle;
using testing::HasSubstr;

Question question_about(std::vector<indicator::Type> types) {
  Question question;
  question.types = std::move(types);
  return question;
}

Question addresses_only() {
  return question_about({indicator::Type::ipv4});
}

std::set<std::string> values(unsigned first, unsigned count) {
  std::set<std::string> values;
  for (const vault::TestRecord& record : addresses(first, count)) values.insert(record.value);
  return values;
}

TEST(TaggedSession, FindsWhatBothHaveAdmitted) {
  for (const std::uint16_t suite : psi::known_suites()) {
    Circle circle{{addresses(0, 40), addresses(25, 40)}, at_most(1000)};
    circle.begin_epoch();
    circle.admit(0);
    circle.admit(1);
    const auto both = circle.hold_session(0, 1, addresses_only());
    ASSERT_OK(both.began) << suite;
    ASSERT_OK(both.answered);
    EXPECT_EQ(matched(*circle[0].vault, *both.began), values(25, 15));
    EXPECT_EQ(matched(*circle[1].vault, *both.began), values(25, 15));
  }
}

TEST(TaggedSession, LeavesOutWhatIsNotAdmittedAndSaysHowMany) {
  Circle circle{{addresses(0, 10), addresses(0, 10)}, at_most(6)};
  circle.begin_epoch();
  circle.admit(0);
  circle.admit(1);
  vault::Selection selection = circle.membership(0).admitted();
  selection.types = {indicator::Type::ipv4};
  selection.admission = vault::TaggedOnly{.epoch = circle.epoch(0).id, .types = {indicator::Type::ipv4}};
  const auto entering = enters(*circle[0].vault, selection, 0);
  ASSERT_OK(entering);
  EXPECT_EQ(entering->count, 6u);
  EXPECT_EQ(entering->without_tag, (std::map<indicator::Type, std::uint64_t>{{indicator::Type::ipv4, 4}}));
  const auto both = circle.hold_session(0, 1, addresses_only());
  ASSERT_OK(both.began);
  // Which six of ten each side has admitted is drawn at random: two at least are the same.
  const std::set<std::string> found = matched(*circle[0].vault, *both.began);
  EXPECT_GE(found.size(), 2u);
  EXPECT_LE(found.size(), 6u);
  EXPECT_EQ(matched(*circle[1].vault, *both.began), found);
}

TEST(TaggedSession, FindsNothingOfASideThatHasAdmittedNothing) {
  Circle circle{{addresses(0, 10), addresses(0, 10)}, at_most(1000)};
  circle.begin_epoch();
  circle.admit(0);
  const auto both = circle.hold_session(0, 1, addresses_only());
  ASSERT_OK(both.began);
  EXPECT_TRUE(matched(*circle[0].vault, *both.began).empty());
}

TEST(TaggedSession, LetsOtherTypesEnterAsTheyAre) {
  Circle circle{{material("Sednit"), material("XAgent")}, at_most(1000)};
  circle.begin_epoch();
  const auto both = circle.hold_session(0, 1, which_addresses_and_names());
  ASSERT_OK(both.began);
  EXPECT_EQ(matched(*circle[0].vault, *both.began), std::set<std::string>{"evil.example"});
  circle.admit(0);
  circle.admit(1);
  const auto after = circle.hold_session(0, 1, which_addresses_and_names());
  ASSERT_OK(after.began);
  EXPECT_EQ(matched(*circle[0].vault, *after.began), kShared);
}

TEST(TaggedSession, IsRefusedByASideThatIsInAnotherEpoch) {
  Circle circle{{addresses(0, 10), addresses(0, 10)}, at_most(1000)};
  circle.begin_epoch();
  circle.admit(0);
  circle.admit(1);
  for (const bool names_none : {false, true}) {
    const Deviation elsewhere{.rewrite =
                                  [&](mirror::Draft& draft) {
                                    if (draft.type != kPropose) return;
                                    Proposal proposal = *Proposal::from_json(draft.body);
                                    if (names_none)
                                      proposal.admission.reset();
                                    else
                                      (*proposal.admission)[0] ^= std::byte{1};
                                    draft.body = proposal.to_json();
                                  },
                              .resend = {}};
    circle[0].log(circle.charter()).rewrite = elsewhere.rewrite;
    const auto both = circle.hold_session(0, 1, addresses_only());
    circle[0].log(circle.charter()).rewrite = {};
    ASSERT_FAILS(both.answered, Errc::skew);
    ASSERT_FAILS(both.began, Errc::skew);
    EXPECT_THAT(both.began.error().message, HasSubstr("another epoch of admission"));
    EXPECT_TRUE(matched(*circle[1].vault, newest_session(*circle[1].vault)).empty());
  }
}

TEST(TaggedSession, IsNoneWhereTheCharterAsksForNoTags) {
  Circle circle{{addresses(0, 10), addresses(5, 10)}, {}};
  circle.synchronise();
  const auto both = circle.hold_session(0, 1, addresses_only());
  ASSERT_OK(both.began);
  EXPECT_EQ(matched(*circle[0].vault, *both.began), values(5, 5));
  const auto steps = circle[0].vault->session_steps(*both.began);
  ASSERT_OK(steps);
  const auto proposal = find_step(circle[0].log(circle.charter()), steps->front());
  ASSERT_OK(proposal);
  EXPECT_FALSE(proposal->body->object()->contains("admission")) << "it is written as it was before there were tags";
}

// Commitments are to the indicators themselves: what matched by a tag is opened and checked as ever.
TEST(TaggedSession, IsOpenedByTheIndicatorsThatMatched) {
  Circle circle{{addresses(0, 4), addresses(2, 4)}, at_most(1000)};
  circle.begin_epoch();
  circle.admit(0);
  circle.admit(1);
  const auto both = circle.hold_session(0, 1, addresses_only());
  ASSERT_OK(both.began);
  const group::Membership first = circle.membership(0), second = circle.membership(1);
  const auto round = [&] {
    return circle.connect<RevealOutcome, RevealOutcome>(
        0, 1, [&](group::LogLink& link) { return reveal(circle[0].party(first), link, *both.began); },
        [&](group::LogLink& link) -> Result<RevealOutcome> {
          TRY(const ReceivedStep step, first_step(link));
          return answer_reveal(circle[1].party(second), link, step);
        });
  };
  for (const std::size_t i : {0u, 1u})
    ASSERT_OK(give_consent(*circle[i].vault, *both.began,
                           {.fields = {"malware"}, .tlp_max = indicator::Tlp::amber, .given = 1}));
  const auto revealed = round();
  ASSERT_OK(revealed.first);
  ASSERT_OK(revealed.second);
  EXPECT_EQ(revealed.first->opened, 2u);
  EXPECT_EQ(revealed.first->received, 2u);
}

constexpr auto kAdmittedDark = "203.0.113.77";

/// alpha has a canary among addresses, which enter by tags; bravo has guessed it; charlie looks on.
class TaggedCanaries : public testing::Test {
 protected:
  static std::vector<vault::TestRecord> with_a_guess() {
    std::vector<vault::TestRecord> records = addresses(25, 40);
    records.push_back(record(indicator::Type::ipv4, kAdmittedDark, "guess"));
    return records;
  }
  TaggedCanaries() {
    const UnixSeconds then = days_ago(3);
    commit_canaries_at(circle[0], circle[1], circle.charter(), {dark(kAdmittedDark), dark("203.0.113.78")}, then);
    open_logs(circle[0], circle[2], circle.charter(), then);  // of three members all make it final
    circle.begin_epoch();
    circle.admit(1);
  }
  std::vector<CanaryHit> hits(const Both<std::string>& held) {
    const auto found = held.began ? hits_of(*circle[0].vault, *held.began) : Result<std::vector<CanaryHit>>{};
    EXPECT_OK(found);
    return *found;
  }

  Circle circle{{addresses(0, 40), with_a_guess(), {}}, at_most(admission::kLeastCapForCanaries)};
};

TEST_F(TaggedCanaries, EnterOnceTheyAreAdmittedAndAreHitsAndNoMatches) {
  EXPECT_EQ(circle.admit(0), 40u) << "a canary is no indicator of ours";
  const auto held = circle.hold_session(0, 1, addresses_only());
  ASSERT_OK(held.began);
  ASSERT_OK(held.answered);
  EXPECT_EQ(matched(*circle[0].vault, *held.began), values(25, 15));
  ASSERT_EQ(hits(held).size(), 1u);
  EXPECT_EQ(hits(held)[0].canary.canary.indicator.value(), kAdmittedDark);
  const auto row = circle[0].vault->session(*held.began);
  ASSERT_OK(row);
  EXPECT_TRUE(read_outcome(row->outcome)->agreed);
  EXPECT_TRUE(matched(*circle[1].vault, *held.began).contains(kAdmittedDark))
      << "to the other side a match like any other";
}

TEST_F(TaggedCanaries, AreAskedForAndCountedLikeIndicatorsInSoManyPlacesAsASetHas) {
  circle.admit(0);
  EXPECT_EQ(circle.counted(1, 1, 0), 40 + static_cast<std::int64_t>(group::kCanaryLeaves));
  EXPECT_EQ(circle.overview(0).types.front().waiting, 0u);
  EXPECT_EQ(circle.admit(0), 40u);
  EXPECT_EQ(circle.counted(1, 1, 0), 40 + static_cast<std::int64_t>(group::kCanaryLeaves)) << "once in an epoch";
}

TEST_F(TaggedCanaries, WithoutATagStayOut) {
  const auto held = circle.hold_session(0, 1, addresses_only());
  ASSERT_OK(held.began);
  EXPECT_TRUE(hits(held).empty()) << "nobody could match them, and the place of padding is not theirs";
}

TEST_F(TaggedCanaries, TakeNothingOfALowCap) {
  Circle low{{addresses(0, 40), {}}, at_most(admission::kLeastCapForCanaries - 1)};
  commit_canaries_at(low[0], low[1], low.charter(), {dark(kAdmittedDark)}, days_ago(3));
  low.begin_epoch();
  EXPECT_EQ(low.admit(0), 40u);
  EXPECT_EQ(low.counted(1, 1, 0), 40);
}

// The result that the accused signed is over indicators, not over tags: every member can check it, without the
// accuser's word and without a tag of its own.
TEST_F(TaggedCanaries, GiveAnAlarmThatAMemberChecksThatHasNoTagOfIt) {
  circle.admit(0);
  const auto held = circle.hold_session(1, 0, addresses_only());
  ASSERT_OK(held.began);
  ASSERT_EQ(hits(held).size(), 1u);
  RewritingLog& log = circle[0].log(circle.charter());
  const auto alarm = alarm_of(*circle[0].vault, log, *sources_of(*circle[0].vault, circle.membership(0)), *held.began);
  ASSERT_OK(alarm);
  mirror::Draft draft = mirror::draft_for_everyone(log::kCanaryAlarm, alarm->to_json());
  draft.session = *held.began;
  const auto entry = log.append(std::move(draft), {});
  ASSERT_OK(entry);
  circle.synchronise();
  for (const std::size_t member : {1u, 2u}) {
    const AlarmSources sources = *sources_of(*circle[member].vault, circle.membership(member));
    EXPECT_OK(check_alarm(*entry, sources)) << circle.nick(member);
  }
  // An accuser that puts another value under its tag names nothing that the accused signed.
  CanaryAlarm other = *alarm;
  other.hits.front().canary.canary.indicator = *indicator::canonicalise(indicator::Type::ipv4, "203.0.113.78");
  mirror::EntryView forged = *entry;
  forged.body = other.to_json();
  EXPECT_FALSE(check_alarm(forged, *sources_of(*circle[2].vault, circle.membership(2))));
}

}  // namespace
}  // namespace parley::session
