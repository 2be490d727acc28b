// On which terms context is opened: how much against how much, only of what the other side shows to be its own, and
// only as long as consent, marks and membership let it out.
#include <atomic>
#include <mutex>

#include "session/audit_keeping.h"
#include "session/opening.h"
#include "session/reveal_record.h"
#include "support/deviations.h"

namespace parley::session {
namespace {

using indicator::Tlp;

std::size_t fields_in(const std::string& context) {
  if (context.empty()) return 0;
  const auto json = log::parse_pjson(context, 1 << 20);
  EXPECT_OK(json);
  return static_cast<std::size_t>(
      std::ranges::count_if(*json->object(), [](const auto& member) { return !is_mark(member.first); }));
}

// alpha knows three things of each of three matches, bravo one of one.
std::vector<vault::TestRecord> rich() {
  std::vector<vault::TestRecord> records = material("sednit");
  for (vault::TestRecord& each : records) {
    each.context.first_seen = 1'500'000'000;
    each.context.labels.push_back({indicator::LabelKind::actor, "group"});
  }
  return records;
}

class Terms : public testing::Test {
 protected:
  void SetUp() override {
    session_ = session_between(alpha_, bravo_);
    ASSERT_FALSE(session_.empty());
    row_ = *alpha_.vault->session(session_);
  }
  void consent(Opened& side, std::uint64_t unreturned = 0) {
    ASSERT_OK(give_consent(
        *side.vault, session_,
        {.fields = {"actor", "first_seen", "malware"}, .tlp_max = Tlp::amber, .given = 1, .unreturned = unreturned}));
  }
  void standing(Opened& side, std::uint64_t ratio, UnixSeconds until = wall_clock_now() + 3600) {
    const Opened& peer = &side == &alpha_ ? bravo_ : alpha_;
    Consent consent{.fields = {"actor", "first_seen", "malware"}, .tlp_max = Tlp::amber, .given = 1};
    consent.ratio = ratio;
    ASSERT_OK(add_standing_consent(*side.vault, row_.group,
                                   {.peer = peer.member.card.nick, .until = until, .consent = consent}));
  }
  std::size_t opened(Opened& side) {
    std::size_t count = 0;
    const auto matches = side.vault->session_matches(session_);
    EXPECT_OK(matches);
    for (const vault::SessionMatch& match : *matches) count += fields_in(match.opened);
    return count;
  }
  /// alpha imports the same material once more, with another context.
  void import_again(const std::string& source, const std::function<void(indicator::Context&)>& change) {
    std::vector<vault::TestRecord> records = rich();
    for (vault::TestRecord& each : records) change(each.context);
    ASSERT_OK(
        vault::import_records(*alpha_.vault, {.source = source, .format = "csv", .labels = {}, .tlp = {}}, records));
  }
  /// What alpha's consent to everything up to TLP:AMBER and PAP:AMBER would open.
  RevealPreview would_open() {
    const auto shown = preview(*alpha_.vault, session_, kAll, LetOut{});
    EXPECT_OK(shown);
    return shown ? shown->numbers : RevealPreview{};
  }
  const Consent kAll{.fields = {"actor", "first_seen", "malware"}, .tlp_max = Tlp::amber, .given = 1};
  RevealEnd end(Opened& side) { return last_end_of_reveal(side, charter_of(alpha_, bravo_)); }
  /// Does something when `side` is about to send its `which`th opening of a field.
  static Deviation at_opening(std::size_t which, std::function<void()> act) {
    return {.resend = [which, act = std::move(act), sent = std::make_shared<std::size_t>(0)](const wire::Frame& frame) {
      if (is_opening(frame) && (*sent)++ == which) act();
      return std::vector{frame};
    }};
  }

  TestMember alpha_home_{"alpha", rich()}, bravo_home_{"bravo",
                                                       {record(indicator::Type::ipv4, "198.51.100.7", "xagent"),
                                                        {indicator::Type::ipv4, "203.0.113.9", {}, 0},
                                                        {indicator::Type::domain, "evil.example", {}, 0}}};
  Opened alpha_{alpha_home_}, bravo_{bravo_home_};
  std::string session_;
  vault::SessionRow row_;
};

// --- how much against how much --------------------------------------------------------------------------------------

TEST(OpenedOf, IsWhatComesBackAndWhatTheOperatorGaveBeyondThat) {
  struct Case {
    std::uint64_t values, theirs, ratio, unreturned, opened;
  };
  for (const Case& is :
       {Case{3000, 1, 1, 0, 1}, Case{3000, 1, 2, 0, 2}, Case{3000, 1, 1, 2999, 3000}, Case{3000, 1, 1, 100, 101},
        Case{1, 3000, 1, 0, 1}, Case{5, 5, 1, 0, 5}, Case{5, 0, 2, 0, 0},
        Case{kMostRevealFields, kMostRevealFields, kMostRatio, kMostRevealFields, kMostRevealFields}}) {
    RevealOffer ours, other;
    ours.values = is.values;
    ours.ratio = is.ratio;
    ours.unreturned = is.unreturned;
    other.values = is.theirs;
    EXPECT_EQ(opened_of(ours, other), is.opened) << is.values << " against " << is.theirs;
  }
}

TEST_F(Terms, OpenNoMoreThanComesBackUnlessTheOperatorSaysHowMuchMore) {
  for (const auto& [unreturned, expected] : {std::pair{0U, 1U}, std::pair{3U, 4U}, std::pair{100U, 9U}}) {
    const auto next = hold_session(alpha_, bravo_, which_addresses_and_names());
    ASSERT_OK(next.began);
    session_ = *next.began;
    consent(alpha_, unreturned);
    consent(bravo_);
    const auto held = hold_reveal(alpha_, bravo_, session_);
    ASSERT_OK(held.began);
    ASSERT_OK(held.answered);
    EXPECT_EQ(opened(alpha_), expected);
    EXPECT_EQ(held.began->numbers.we_offer, 9u);
    EXPECT_EQ(held.began->numbers.we_open, expected);
    EXPECT_EQ(held.began->numbers.they_open, 1u);
    EXPECT_EQ(held.answered->numbers.they_open, expected) << "both know it beforehand";
    EXPECT_EQ(end(alpha_).kept_back, 9 - expected);
    EXPECT_EQ(end(bravo_).missing, 0u) << "what was kept back by agreement was not due";
  }
}

TEST_F(Terms, OfAStandingConsentAreItsRatio) {
  standing(alpha_, 2);
  consent(bravo_, 100);
  const auto held = hold_reveal(bravo_, alpha_, session_);
  ASSERT_OK(held.began);
  EXPECT_EQ(opened(alpha_), 2u);
}

TEST_F(Terms, OfSeveralStandingConsentsAreThoseOfTheStrictest) {
  standing(alpha_, 9);
  standing(alpha_, 1);
  consent(bravo_);
  ASSERT_OK(hold_reveal(bravo_, alpha_, session_).began);
  EXPECT_EQ(opened(alpha_), 1u);
}

// The more telling side is opened to only against openings: whoever holds little cannot be ahead by more than a field.
TEST_F(Terms, LetNobodyBeAheadByMoreThanAFieldWhileBothHaveFieldsLeft) {
  consent(alpha_, 100);
  consent(bravo_);
  std::atomic<std::size_t> most_ahead = 0, alphas = 0, bravos = 0;
  const auto counting = [&](std::atomic<std::size_t>& own) {
    return Deviation{.resend = [&](const wire::Frame& frame) {
      if (is_opening(frame)) ++own;
      if (bravos < 1) most_ahead = std::max(most_ahead.load(), alphas.load());
      return std::vector{frame};
    }};
  };
  ASSERT_OK(hold_reveal(alpha_, bravo_, session_, counting(alphas), counting(bravos)).began);
  EXPECT_LE(most_ahead, 1u);
  EXPECT_EQ(alphas, 9u);
}

TEST_F(Terms, AreShownInNumbersBeforeAnythingIsOpenedAndCanBeDeclined) {
  consent(alpha_, 100);
  consent(bravo_);
  std::optional<RevealNumbers> seen;
  const auto held = meet<RevealOutcome>(
      alpha_, bravo_, {}, {},
      [&](Party us, group::LogLink& link) {
        return reveal(us, link, session_, [&](const RevealNumbers& numbers) -> Status {
          seen = numbers;
          return fail(Errc::cancelled, "Not on these terms.");
        });
      },
      [&](Party us, group::LogLink& link) -> Result<RevealOutcome> {
        TRY(const ReceivedStep step, first_step(link));
        return answer_reveal(us, link, step);
      });
  EXPECT_FAILS(held.began, Errc::cancelled);
  EXPECT_FAILS(held.answered, Errc::refused);
  EXPECT_THAT(held.answered.error().text(), testing::HasSubstr("in numbers"));
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->we_open, 9u);
  EXPECT_EQ(seen->they_open, 1u);
  EXPECT_EQ(opened(alpha_) + opened(bravo_), 0u);
  for (Opened* side : {&alpha_, &bravo_}) EXPECT_TRUE(end(*side).stopped.empty()) << "nobody broke anything off";
}

// --- what is read again before each field ---------------------------------------------------------------------------

TEST_F(Terms, EndWhenTheConsentIsTakenBackInTheMiddle) {
  consent(alpha_, 100);
  consent(bravo_);
  const auto held = hold_reveal(alpha_, bravo_, session_,
                                at_opening(3, [&] { ASSERT_OK(take_back_consent(*alpha_.vault, session_)); }));
  EXPECT_FAILS(held.began, Errc::policy);
  EXPECT_EQ(opened(alpha_), 4u) << "the one that was on its way, and no other";
  EXPECT_EQ(end(alpha_).stopped, "us");
  EXPECT_EQ(end(bravo_).missing, 5u);
}

TEST_F(Terms, EndWhenAStandingConsentDoes) {
  standing(alpha_, 100);
  consent(bravo_);
  const auto held = hold_reveal(bravo_, alpha_, session_, {}, at_opening(3, [&] {
                                  ASSERT_OK(remove_standing_consent(*alpha_.vault, row_.group, 1));
                                  standing(alpha_, 100, wall_clock_now() - 1);
                                }));
  EXPECT_FAILS(held.answered, Errc::policy);
  EXPECT_EQ(opened(alpha_), 4u);
}

TEST_F(Terms, EndWhenTheConsentIsGivenAnewWithOtherNumbersInTheMiddle) {
  consent(alpha_, 100);
  consent(bravo_);
  const auto held = hold_reveal(alpha_, bravo_, session_, at_opening(3, [&] { consent(alpha_, 0); }));
  EXPECT_FAILS(held.began, Errc::policy);
  EXPECT_EQ(opened(alpha_), 4u) << "nothing goes out by numbers that stand no more";
  EXPECT_EQ(end(alpha_).stopped, "us");
}

TEST_F(Terms, EndWhenTheMarksAreMadeStricter) {
  consent(alpha_, 100);
  consent(bravo_);
  const auto held =
      hold_reveal(alpha_, bravo_, session_, at_opening(3, [&] {
                    std::vector<vault::TestRecord> strict = rich();
                    for (vault::TestRecord& each : strict) each.context.tlp = Tlp::amber_strict;
                    ASSERT_OK(vault::import_records(
                        *alpha_.vault, {.source = "again.csv", .format = "csv", .labels = {}, .tlp = {}}, strict));
                  }));
  EXPECT_FAILS(held.began, Errc::policy);
  EXPECT_EQ(opened(alpha_), 4u);
  consent(alpha_, 100);
  EXPECT_EQ(
      preview(*alpha_.vault, session_, *consent_given(*alpha_.vault, session_).value(), LetOut{})->numbers.openings,
      0u);
}

// What was imported first stands beside what is imported again.
TEST_F(Terms, EndWhenTheirSourceIsMarkedTlpRed) {
  consent(alpha_, 100);
  consent(bravo_);
  const auto held =
      hold_reveal(alpha_, bravo_, session_,
                  at_opening(3, [&] { import_again("alpha.csv", [](auto& each) { each.tlp = Tlp::red; }); }));
  EXPECT_FAILS(held.began, Errc::policy);
  EXPECT_EQ(opened(alpha_), 4u);
  EXPECT_EQ(would_open().openings, 0u);
  EXPECT_EQ(would_open().held_back_red, 3u);
  session_ = session_between(alpha_, bravo_);
  EXPECT_EQ(would_open().held_back_red, 3u) << "nor after asking again: what the source said is not told";
}

TEST_F(Terms, AreNotChangedByWhatAnotherSourceMarksTlpRed) {
  import_again("elsewhere.csv", [](auto& each) { each.tlp = Tlp::red; });
  EXPECT_EQ(would_open().openings, 3u) << "its own word alone never leaves";
}

TEST_F(Terms, AreNotChangedByASourceThatIsNotTlpRedAnyMore) {
  import_again("alpha.csv", [](auto& each) { each.tlp = Tlp::red; });
  import_again("alpha.csv", [](auto& each) {
    each.tlp = Tlp::green;
    each.sightings = 7;
  });
  EXPECT_EQ(would_open().openings, 3u);
}

// What goes out carries the marks that were committed to; the other side would take them for those that hold.
TEST_F(Terms, OpenNothingUnderAMarkThatHasBecomeStricterThoughTheConsentAllowsIt) {
  const std::function<void(indicator::Context&)> stricter[] = {
      [](indicator::Context& each) { each.tlp = Tlp::amber; },
      [](indicator::Context& each) { each.pap = indicator::Pap::green; }};
  for (const auto& mark : stricter) {
    session_ = session_between(alpha_, bravo_);
    ASSERT_EQ(would_open().openings, 3u);
    import_again("again.csv", mark);
    EXPECT_EQ(would_open().openings, 0u);
    EXPECT_EQ(would_open().held_back_since, 3u);
    consent(alpha_, 100);
    consent(bravo_);
    EXPECT_FAILS(hold_reveal(alpha_, bravo_, session_).began, Errc::refused);
    EXPECT_EQ(opened(alpha_), 0u);
  }
}

TEST_F(Terms, OpenUnderTheMarksOfNowAfterAskingAgain) {
  import_again("again.csv", [](indicator::Context& each) { each.tlp = Tlp::amber; });
  session_ = session_between(alpha_, bravo_);
  const auto shown = preview(*alpha_.vault, session_, kAll, LetOut{});
  ASSERT_OK(shown);
  ASSERT_EQ(shown->matches.size(), 3u);
  for (const PreviewedMatch& match : shown->matches) EXPECT_THAT(match.context, testing::HasSubstr("\"amber\""));
}

// Else a group that is to have the less strict sources only would never be opened anything.
TEST_F(Terms, AreNotChangedByAStricterSourceThatWasThereBeforeTheSession) {
  import_again("before.csv", [](indicator::Context& each) { each.tlp = Tlp::amber; });
  row_.created = wall_clock_now() + 1;
  ASSERT_OK(alpha_.vault->save_session(row_, {}));
  EXPECT_EQ(would_open().openings, 3u);
}

// --- who goes with more than it gave --------------------------------------------------------------------------------

/// Something happens where bravo is to open its first field. Whoever is ahead then could come again and again, and have
/// a field more each time.
class Ahead : public Terms {
 protected:
  struct Way {
    const char* what;
    const char* stopped;  // by alpha's closing
    std::function<std::vector<wire::Frame>(Party& alpha, group::LogLink& alphas)> instead;
  };
  /// @return whether alpha was ahead
  bool happens(const Way& way) {
    standing(alpha_, 1);
    consent(bravo_);
    std::optional<Party> party;
    SilentProgress progress;  // of this reveal alone: once it is stopped it stays so
    std::mutex link_lives;    // until alpha has ended, which may be while bravo still does what ends it
    group::LogLink* alphas = nullptr;
    const Deviation deviation{.resend = [&](const wire::Frame& frame) {
      if (!is_opening(frame)) return std::vector{frame};
      const std::lock_guard lock(link_lives);
      return alphas == nullptr ? std::vector<wire::Frame>{} : way.instead(*party, *alphas);
    }};
    const auto held = meet<RevealOutcome>(
        alpha_, bravo_, {}, deviation,
        [&](Party us, group::LogLink& link) {
          party.emplace(Party{.vault = us.vault,
                              .member = us.member,
                              .membership = us.membership,
                              .membership_now = us.membership_now,
                              .under_way = us.under_way,
                              .ledgers = us.ledgers,
                              .pool = us.pool,
                              .progress = progress});
          alphas = &link;
          auto outcome = reveal(*party, link, session_);
          const std::lock_guard lock(link_lives);
          alphas = nullptr;
          return outcome;
        },
        [&](Party us, group::LogLink& link) -> Result<RevealOutcome> {
          TRY(const ReceivedStep step, first_step(link));
          return answer_reveal(us, link, step);
        });
    EXPECT_FALSE(held.began);
    const bool ahead = opened(alpha_) > 0;
    EXPECT_EQ(held.began.error().text().find("before somebody here consents anew") != std::string::npos, ahead);
    EXPECT_EQ(end(alpha_).stopped, way.stopped);
    return ahead;
  }
  std::size_t in_force() {
    const auto consents = consents_in_force(*alpha_.vault, row_, "bravo", wall_clock_now());
    EXPECT_OK(consents);
    return consents->size();
  }
  wire::Frame of_log(const mirror::Content& content) {
    const auto message = mirror::write_message(row_.group, content);
    EXPECT_OK(message);
    return {static_cast<wire::FrameType>(message->type), message->payload};
  }
};

// A new consent says nothing of what went out before it.
TEST_F(Ahead, IsNotForgottenByAConsentThatIsGivenMeanwhile) {
  standing(alpha_, 1);
  ASSERT_OK(note_ahead(*alpha_.vault, session_));
  consent(alpha_);
  EXPECT_EQ(in_force(), 1u) << "who consents anew consents";
  ASSERT_OK(use_up_consent(*alpha_.vault, session_, std::vector{*consent_given(*alpha_.vault, session_).value()}));
  EXPECT_EQ(in_force(), 0u) << "and no rule does so in its place";
}

TEST_F(Ahead, EndsNoConsentThatAnotherRevealDidNotUse) {
  consent(alpha_, 1);
  Consent used = *consent_given(*alpha_.vault, session_).value();
  used.unreturned = 0;
  ASSERT_OK(use_up_consent(*alpha_.vault, session_, std::span(&used, 1)));
  EXPECT_EQ(in_force(), 1u);
}

TEST_F(Ahead, NobodyGetsByARuleFromWhomConsentToTheSessionWasTakenBack) {
  standing(alpha_, 1);
  EXPECT_EQ(in_force(), 1u);
  consent(alpha_);
  ASSERT_OK(take_back_consent(*alpha_.vault, session_));
  EXPECT_EQ(in_force(), 0u);
}

TEST_F(Ahead, NobodyGetsByARuleThatIsOverForAClockThatIsSetBack) {
  const auto seen = time_seen(*alpha_.vault, row_.group);
  ASSERT_OK(seen);
  standing(alpha_, 1, *seen);
  const auto set_back = consents_in_force(*alpha_.vault, row_, "bravo", *seen - 3600);
  ASSERT_OK(set_back);
  EXPECT_TRUE(set_back->empty());
  standing(alpha_, 1, *seen + 1);
  EXPECT_EQ(consents_in_force(*alpha_.vault, row_, "bravo", *seen - 3600)->size(), 1u);
}

/// Each with members of its own: by the ledger nobody begins twice who was ahead once.
class AheadWhen : public Ahead, public testing::WithParamInterface<std::size_t> {
 protected:
  static constexpr std::size_t kWays = 7;
  std::array<Way, kWays> ways() {
    const wire::Frame bye{wire::FrameType::bye, {}};
    const auto sends = [&](wire::Frame frame) {
      return [=](Party&, group::LogLink&) { return std::vector{frame, bye}; };
    };
    return {{
        {"it leaves", "them", sends(bye)},
        {"it sends another frame", "them", sends({wire::FrameType::psi_data, {}})},
        {"it signs for a log that is nobody's", "them", sends(of_log(mirror::Cosig{"nobody", "x"}))},
        {"it has heads that nobody signed", "them", sends(of_log(mirror::Heads{{{"bravo", "x"}}, false}))},
        {"it asks for what does not exist", "them",
         sends(of_log(mirror::Get{mirror::Get::What::prefix, "zulu", 1, 1}))},
        {"it has replaced its key", "them",
         [=](Party&, group::LogLink& alphas) {
           alphas.close({Errc::peer_gone, "It has replaced its key.", {}});
           return std::vector{bye};
         }},
        {"alpha is stopped", "us",
         [=](Party& alpha, group::LogLink&) {
           alpha.progress.cancel();
           return std::vector{bye};
         }},
    }};
  }
};

TEST_P(AheadWhen, ItEndsIsNobodyASecondTimeByTheSameConsent) {
  bool ahead = false;
  for (int i = 0; i < 40 && !ahead; ++i) {
    SetUp();
    if (HasFatalFailure()) return;
    const Way way = ways()[GetParam()];
    SCOPED_TRACE(way.what);
    ahead = happens(way);
    EXPECT_EQ(in_force() == 0, ahead);
    if (ahead) {
      consent(alpha_);
      EXPECT_EQ(in_force(), 1u) << "who consents anew consents";
    }
    ASSERT_OK(remove_standing_consent(*alpha_.vault, row_.group, 1));
  }
  EXPECT_TRUE(ahead) << "alpha opened the first field, and got none";
}

INSTANTIATE_TEST_SUITE_P(Ways, AheadWhen, testing::Range(std::size_t{0}, std::size_t{7}));

TEST_F(Ahead, IsNobodyASecondTimeAfterThisNodeDiedInTheMiddle) {
  consent(alpha_, 100);
  standing(alpha_, 1);
  consent(bravo_);
  std::optional<std::size_t> left;
  (void)hold_reveal(alpha_, bravo_, session_, at_opening(3, [&] {
                      ASSERT_OK(close_interrupted(*alpha_.vault));  // as whoever opens the vault after that does
                      left = in_force();
                    }));
  EXPECT_EQ(left, 0u);
}

TEST_F(Ahead, IsNobodyAfterTheEndOfAReveal) {
  standing(alpha_, 100);
  consent(bravo_);
  ASSERT_OK(hold_reveal(bravo_, alpha_, session_).began);
  ASSERT_OK(close_interrupted(*alpha_.vault));
  EXPECT_EQ(in_force(), 1u) << "a standing consent that was gone by to the end stands";
}

// --- what the group says in the middle ------------------------------------------------------------------------------

class TermsOfAGroup : public Terms {
 protected:
  /// alpha begins, with its group from its third opening on as `later` says.
  Both<RevealOutcome> reveal_when(const group::Membership& later) {
    consent(alpha_, 100);
    consent(bravo_);
    bool changed = false;
    return meet<RevealOutcome>(
        alpha_, bravo_, at_opening(2, [&] { changed = true; }), {},
        [&](Party us, group::LogLink& link) {
          const auto& before = us.membership;
          us.membership_now = [&] { return Result<group::Membership>(changed ? later : before); };
          return reveal(us, link, session_);
        },
        [&](Party us, group::LogLink& link) -> Result<RevealOutcome> {
          TRY(const ReceivedStep step, first_step(link));
          return answer_reveal(us, link, step);
        });
  }
  group::Membership alphas(const group::SignedCharter& charter, std::set<std::string, std::less<>> left,
                           group::LocalPolicy policy) {
    return {{.id = charter.charter.group, .name = "pair", .state = std::string(group::kActive)},
            {charter},
            std::move(left),
            std::move(policy),
            *log::parse_vkey(alpha_.member.card.id_vkey)};
  }
};

TEST_F(TermsOfAGroup, EndWithAPauseALeaveAStricterPolicyAndTheEndOfTheCharter) {
  group::SignedCharter over = charter_of(alpha_, bravo_);
  over.charter.not_after = wall_clock_now() - 1;
  const std::vector<std::pair<const char*, group::Membership>> cases = {
      {"paused", alphas(charter_of(alpha_, bravo_), {}, {.paused = true})},
      {"bravo has left", alphas(charter_of(alpha_, bravo_), {"bravo"}, {})},
      {"a stricter policy", alphas(charter_of(alpha_, bravo_), {}, {.max_tlp = Tlp::clear})},
      {"over", alphas(over, {}, {})},
  };
  for (const auto& [what, later] : cases) {
    SetUp();
    EXPECT_FAILS(reveal_when(later).began, Errc::policy) << what;
    EXPECT_EQ(opened(alpha_), 3u) << what;
    EXPECT_EQ(end(alpha_).stopped, std::string_view(what) == "bravo has left" ? "them" : "us") << what;
  }
}

// --- matches that the other side does not show ----------------------------------------------------------------------

class Unshown : public Terms {
 protected:
  ledger::Account account() {
    const auto accounting = alpha_.ledgers.up_to_date(*alpha_.vault, row_.group, "alpha");
    EXPECT_OK(accounting);
    const std::string peer = "bravo";
    return (*accounting)->with([&](const ledger::Ledger& ledger) {
      return ledger.account(&peer, std::nullopt, ledger::Window::operation);
    });
  }
};

TEST_F(Unshown, MatchesOpenNothingAndCountAsNone) {
  const std::vector<std::pair<const char*, std::function<Bytes(Bytes)>>> ways = {
      {"nothing", nothing},
      {"another salt",
       [](Bytes payload) {
         auto opening = read_opening(as_text(payload));
         opening->salt[0] ^= std::byte{1};
         return to_bytes(write_opening(*opening));
       }},
      {"another indicator",
       [](Bytes payload) {
         auto opening = read_opening(as_text(payload));
         opening->indicator = indicator::Canonical::from_storage(indicator::Type::ipv4, "192.0.2.1");
         return to_bytes(write_opening(*opening));
       }},
      {"junk", [](Bytes) { return to_bytes(std::string_view("{")); }},
  };
  for (const auto& [what, change] : ways) {
    SCOPED_TRACE(what);
    SetUp();
    consent(alpha_, 100);
    consent(bravo_);
    const auto held = hold_reveal(alpha_, bravo_, session_, {}, showing(1, change));
    EXPECT_FAILS(held.began, Errc::protocol);
    EXPECT_THAT(held.began.error().text(), testing::HasSubstr("does not show 1 of the matches"));
    EXPECT_EQ(opened(alpha_), 0u);
    const auto unshown = unshown_matches(*alpha_.vault, session_);
    ASSERT_OK(unshown);
    EXPECT_EQ(unshown->size(), 1u);
    EXPECT_EQ(end(alpha_).unshown, 1u);
    EXPECT_EQ(end(alpha_).stopped, "them");
    EXPECT_EQ(*consent_given(*alpha_.vault, session_), std::nullopt) << "who goes on says so anew";
    consent(alpha_, 100);
    const auto rest = preview(*alpha_.vault, session_, **consent_given(*alpha_.vault, session_), LetOut{});
    ASSERT_OK(rest);
    EXPECT_EQ(rest->numbers.values, 6u) << "of the two others";
    EXPECT_EQ(rest->matches.size(), 2u);
  }
  EXPECT_EQ(account().unopenable, static_cast<std::int64_t>(ways.size()));
}

TEST_F(Unshown, MatchesDoNotKeepTheOthersFromBeingOpened) {
  consent(alpha_, 100);
  consent(bravo_);
  EXPECT_FALSE(hold_reveal(alpha_, bravo_, session_, {}, showing(1, nothing)).began);
  consent(alpha_, 100);
  consent(bravo_);  // which may have opened a field by then
  const auto again = hold_reveal(alpha_, bravo_, session_, {}, showing(1, nothing));
  ASSERT_OK(again.began);
  EXPECT_EQ(opened(alpha_), 6u);
  EXPECT_EQ(unshown_matches(*alpha_.vault, session_)->size(), 1u);
  EXPECT_EQ(end(alpha_).unshown, 0u) << "it is counted once";
}

TEST_F(Unshown, MatchesThatAreShownLaterCountAgain) {
  consent(alpha_);
  consent(bravo_);
  EXPECT_FALSE(hold_reveal(alpha_, bravo_, session_, {}, showing(0, nothing)).began);
  consent(alpha_);
  consent(bravo_);
  ASSERT_OK(hold_reveal(alpha_, bravo_, session_).began);
  EXPECT_TRUE(unshown_matches(*alpha_.vault, session_)->empty());
}

TEST_F(Unshown, IsNoMatchOfAMemberThatIsOnlyGone) {
  consent(alpha_);
  consent(bravo_);
  const Deviation leave{.resend = [](const wire::Frame& frame) {
    return std::vector{shows_match(frame) ? wire::Frame{wire::FrameType::bye, {}} : frame};
  }};
  EXPECT_FALSE(hold_reveal(alpha_, bravo_, session_, {}, leave).began);
  EXPECT_TRUE(unshown_matches(*alpha_.vault, session_)->empty());
  EXPECT_EQ(opened(alpha_), 0u);
}

}  // namespace
}  // namespace parley::session
