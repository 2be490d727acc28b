// A member that offers reveals to learn from the refusals which of its matches the other side has context of: all
// refusals of a match are one word.
#include "session/answered_reveals.h"
#include "session/detail/turnstile.h"
#include "session/received_list.h"
#include "support/canaries.h"
#include "support/deviations.h"

namespace parley::session {
namespace {

using indicator::Type;

class RefusedReveal : public testing::Test {
 protected:
  // What bravo reads when it would reveal in a session with alpha, who holds `records`.
  struct Answer {
    std::string type, code, text;
    bool operator==(const Answer&) const = default;
    friend void PrintTo(const Answer& answer, std::ostream* out) {
      *out << answer.type << " \"" << answer.code << "\" \"" << answer.text << "\"";
    }
  };
  // Bravo names a consent of its own, written now unless `named` is one, and reads what comes back.
  Both<RevealOutcome> name_consent(Opened& alpha, const std::string& session, std::optional<mirror::EntryView>& named,
                                   const std::function<void(const ReceivedStep&)>& answered = {}) {
    return meet<RevealOutcome>(
        bravo_, alpha, {}, {},
        [&](Party, group::LogLink& link) -> Result<RevealOutcome> {
          StepLink steps(link);
          steps.set_session(session);
          TRY_STATUS(link.synchronise(deadline_in(kPatience)));
          const auto matches = bravo_.vault->session_matches(session);
          const ReceivedList nothing(matches ? matches->size() : 0);
          if (!named) {
            const RevealConsent consent{.by = "mallory",
                                        .offer = {},
                                        .received = nothing.hash(input_label(session, Side::asker)),
                                        .sealed = false};
            TRY(named, steps.write(kRevealConsent, consent.to_json(), {}));
          }
          TRY_STATUS(steps.send(*named));
          TRY_STATUS(link.send(wire::FrameType::opening, nothing.bytes()));
          TRY(const ReceivedStep step, steps.receive_any(deadline_in(kPatience)));
          if (answered) answered(step);
          return RevealOutcome{};
        },
        [&](Party us, group::LogLink& link) -> Result<RevealOutcome> {
          TRY(const ReceivedStep step, first_step(link));
          return answer_reveal(us, link, step, [&] {
            ++recorded_;
            return record_;
          });
        });
  }
  Answer answer_of(Opened& alpha, const std::string& session) {
    Answer answer;
    std::optional<mirror::EntryView> named;
    const auto met = name_consent(alpha, session, named, [&](const ReceivedStep& step) {
      answer.type = step.type;
      if (const auto refusal = Refusal::from_json(step.body)) {
        answer.code = refusal->code;
        answer.text = refusal->text;
      }
    });
    if (!met.began) answer.text = met.began.error().text();
    return answer;
  }
  Answer answer_beside_another(Opened& alpha, const std::string& session) {
    const auto inside = detail::Turnstile::enter(*alpha.vault, session);
    EXPECT_OK(inside);
    return answer_of(alpha, session);
  }
  std::string session_with(Opened& alpha) {
    const auto held = hold_session(bravo_, alpha, which_addresses_and_names());
    EXPECT_OK(held.began);
    return held.began ? *held.began : std::string();
  }
  static void consent(Opened& side, const std::string& session,
                      Consent consent = {.fields = {"malware"}, .tlp_max = indicator::Tlp::amber, .given = 1}) {
    ASSERT_OK(give_consent(*side.vault, session, consent));
  }

  Status record_;             // what comes of putting a call on record
  std::size_t recorded_ = 0;  // calls that were
  TestMember bravo_home_{"bravo", {record(Type::ipv4, "198.51.100.7", "xagent")}};
  Opened bravo_{bravo_home_};
  const Answer kNo{std::string(kRevealRefuse), "no-consent-yet", ""};
  const Answer kBusy{std::string(kRevealRefuse), std::string(kRefusedBusy), ""};
};

TEST_F(RefusedReveal, SaysTheSameWhetherNobodyConsentedOrNothingCouldBeOpened) {
  const TestMember silent_home("alpha", {record(Type::ipv4, "198.51.100.7", "sednit")});
  Opened silent(silent_home);
  const std::string session = session_with(silent);
  EXPECT_EQ(answer_of(silent, session), kNo) << "nobody consented";

  consent(silent, session, {.fields = {"malware"}, .tlp_max = indicator::Tlp::clear, .given = 1});
  EXPECT_EQ(answer_of(silent, session), kNo) << "its TLP forbids it";

  consent(silent, session, {.fields = {"technique"}, .tlp_max = indicator::Tlp::amber, .given = 1});
  EXPECT_EQ(answer_of(silent, session), kNo) << "it holds no such context";

  consent(silent, session,
          {.fields = {"malware"},
           .tlp_max = indicator::Tlp::amber,
           .given = 1,
           .items = {*indicator::canonicalise(Type::ipv4, "203.0.113.9")}});
  EXPECT_EQ(answer_of(silent, session), kNo) << "it consents to other matches only";
}

TEST_F(RefusedReveal, SaysTheSameWhereItsPapForbidsIt) {
  vault::TestRecord passive = record(Type::ipv4, "198.51.100.7", "sednit");
  passive.context.pap = indicator::Pap::red;
  const TestMember home("alpha", {passive});
  Opened alpha(home);
  const std::string session = session_with(alpha);
  consent(alpha, session);
  EXPECT_EQ(answer_of(alpha, session), kNo);
}

TEST_F(RefusedReveal, SaysTheSameOfTlpRed) {
  vault::TestRecord red = record(Type::ipv4, "198.51.100.7", "sednit");
  red.context.tlp = indicator::Tlp::red;
  const TestMember home("alpha", {red});
  Opened alpha(home);
  const std::string session = session_with(alpha);
  consent(alpha, session, {.fields = {"malware"}, .tlp_max = indicator::Tlp::red, .given = 1});
  EXPECT_EQ(answer_of(alpha, session), kNo);
}

TEST_F(RefusedReveal, SaysTheSameOfACanary) {
  const TestMember home("alpha", {record(Type::ipv4, "203.0.113.9", "sednit")});
  Opened alpha(home);
  commit_canaries_at(alpha, bravo_, {dark("198.51.100.7")}, days_ago(2));
  const std::string session = session_with(alpha);
  EXPECT_EQ(outcome_of(*alpha.vault, session).canaries, 1);
  EXPECT_EQ(answer_of(alpha, session), kNo);
}

class RefusedRevealOfADisputedSession : public RefusedReveal {
 protected:
  Answer answer_where_disputed(Opened& alpha) {
    const std::string session = session_with(alpha);
    auto row = alpha.vault->session(session);
    EXPECT_OK(row);
    if (!row) return {};
    Outcome outcome = *read_outcome(row->outcome);
    outcome.agreed = false;
    row->outcome = write_outcome(outcome);
    row->state = kDisputed;
    EXPECT_OK(alpha.vault->save_session(*row, {}));
    return answer_of(alpha, session);
  }
  const Answer never_{std::string(kRevealRefuse), "not-revealable", ""};
};

TEST_F(RefusedRevealOfADisputedSession, SaysNoForEverOfAMatch) {
  const TestMember home("alpha", {record(Type::ipv4, "198.51.100.7", "sednit")});
  Opened alpha(home);
  EXPECT_EQ(answer_where_disputed(alpha), never_);
}

TEST_F(RefusedRevealOfADisputedSession, SaysTheSameOfACanary) {
  const TestMember home("alpha", {record(Type::ipv4, "203.0.113.9", "sednit")});
  Opened alpha(home);
  commit_canaries_at(alpha, bravo_, {dark("198.51.100.7")}, days_ago(2));
  EXPECT_EQ(answer_where_disputed(alpha), never_);
}

// It keeps one exchange waiting and begins another beside it.
TEST_F(RefusedReveal, SaysTheSameWhileAnotherIsUnderWay) {
  const TestMember home("alpha", {record(Type::ipv4, "198.51.100.7", "sednit")});
  Opened alpha(home);
  const std::string session = session_with(alpha);
  EXPECT_EQ(answer_beside_another(alpha, session), kBusy) << "nobody consented";
  consent(alpha, session, {.fields = {"malware"}, .tlp_max = indicator::Tlp::clear, .given = 1});
  EXPECT_EQ(answer_beside_another(alpha, session), kBusy) << "its TLP forbids it";
}

TEST_F(RefusedReveal, SaysTheSameOfACanaryWhileAnotherIsUnderWay) {
  const TestMember home("alpha", {record(Type::ipv4, "203.0.113.9", "sednit")});
  Opened alpha(home);
  commit_canaries_at(alpha, bravo_, {dark("198.51.100.7")}, days_ago(2));
  EXPECT_EQ(answer_beside_another(alpha, session_with(alpha)), kBusy);
}

// The head of our own records stands in our next `heads` entry, hidden; but that there is such an entry when nothing
// else has happened tells that they have grown.
class RefusedRevealLeavesBehind : public RefusedReveal {
 protected:
  struct Left {
    std::size_t records = 0;
    std::uint64_t entries = 0;
    std::string waiting;  // who is noted as waiting
    bool operator==(const Left&) const = default;
    friend void PrintTo(const Left& left, std::ostream* out) {
      *out << left.records << " records, " << left.entries << " entries, waiting: \"" << left.waiting << '"';
    }
  };
  Left left_by_a_call(Opened& alpha) {
    const std::string session = session_with(alpha);
    const auto written = [&] {
      return alpha.log(charter_of(bravo_, alpha)).with([](mirror::Replica& replica) { return replica.size("alpha"); });
    };
    const std::uint64_t before = written();
    const std::size_t recorded = recorded_;
    EXPECT_EQ(answer_of(alpha, session), kNo);
    const auto waiting = reveal_waiting(*alpha.vault, session);
    EXPECT_OK(waiting);
    return {.records = recorded_ - recorded, .entries = written() - before, .waiting = waiting->value_or("")};
  }
  void always_consents(Opened& alpha) {
    const std::string group = charter_of(bravo_, alpha).charter.group;
    ASSERT_OK(add_standing_consent(*alpha.vault, group,
                                   {.peer = "bravo",
                                    .until = wall_clock_now() + 86'400,
                                    .consent = {.fields = {"malware"}, .tlp_max = indicator::Tlp::amber, .given = 1}}));
  }
  static std::vector<vault::TestRecord> marked(indicator::Tlp tlp) {
    vault::TestRecord common = record(Type::ipv4, "198.51.100.7", "sednit");
    common.context.tlp = tlp;
    return {common};
  }
  const Left kAlways{.records = 1, .entries = 1, .waiting = "mallory"};
};

TEST_F(RefusedRevealLeavesBehind, TheSameOfAMatchWithoutConsent) {
  const TestMember home("alpha", marked(indicator::Tlp::amber));
  Opened alpha(home);
  EXPECT_EQ(left_by_a_call(alpha), kAlways);
}

TEST_F(RefusedRevealLeavesBehind, TheSameOfAMatchThatIsTlpRedAndThatAStandingRuleIsAbout) {
  const TestMember home("alpha", marked(indicator::Tlp::red));
  Opened alpha(home);
  always_consents(alpha);
  EXPECT_EQ(left_by_a_call(alpha), kAlways);
}

TEST_F(RefusedRevealLeavesBehind, TheSameOfAMatchThatIsMarkedStricterThanAStandingRuleAllows) {
  const TestMember home("alpha", marked(indicator::Tlp::amber_strict));
  Opened alpha(home);
  always_consents(alpha);
  EXPECT_EQ(left_by_a_call(alpha), kAlways);
}

TEST_F(RefusedRevealLeavesBehind, TheSameOfACanary) {
  const TestMember home("alpha", {record(Type::ipv4, "203.0.113.9", "sednit")});
  Opened alpha(home);
  commit_canaries_at(alpha, bravo_, {dark("198.51.100.7")}, days_ago(2));
  EXPECT_EQ(left_by_a_call(alpha), kAlways);
  always_consents(alpha);
  EXPECT_EQ(left_by_a_call(alpha), kAlways) << "under a standing rule";
}

TEST_F(RefusedRevealLeavesBehind, NothingOpenedWhereACallCannotBePutOnRecord) {
  const TestMember home("alpha", marked(indicator::Tlp::amber));
  Opened alpha(home);
  const std::string session = session_with(alpha);
  record_ = fail(Errc::io, "The disk is full.");
  EXPECT_EQ(answer_of(alpha, session), kNo) << "nobody consented";
  consent(alpha, session);
  EXPECT_EQ(answer_of(alpha, session), kNo) << "somebody did";
  EXPECT_EQ(opened_matches(*alpha.vault, session), 0u);
}

class RefusedRevealOnce : public RefusedReveal {
 protected:
  void SetUp() override { session_ = session_with(*alpha_); }
  void restart() {
    alpha_.reset();
    alpha_.emplace(home_);
  }
  std::uint64_t written() {
    return alpha_->log(charter_of(bravo_, *alpha_)).with([](mirror::Replica& replica) {
      return replica.size("alpha");
    });
  }
  static ReceivedStep consent_in(const std::string& session, std::uint64_t seq) {
    return {.session = session,
            .type = std::string(kRevealConsent),
            .body = log::Json::Object{},
            .leaf_hash = {},
            .charter = {},
            .seq = seq};
  }
  Both<RevealOutcome> name(std::optional<mirror::EntryView>& named) { return name_consent(*alpha_, session_, named); }

  const TestMember home_{"alpha", {record(Type::ipv4, "198.51.100.7", "sednit")}};
  std::optional<Opened> alpha_{std::in_place, home_};
  std::string session_;
};

// Else one entry of its own would have us write as many as it likes, or open once more under a standing consent.
TEST_F(RefusedRevealOnce, IsGivenOnceToEachConsentWhateverWasRestarted) {
  std::optional<mirror::EntryView> first, second;
  EXPECT_OK(name(first).began);
  restart();
  EXPECT_OK(name(second).began);
  restart();
  const std::uint64_t before = written();
  for (int i = 0; i < 2; ++i)
    for (std::optional<mirror::EntryView>* named : {&first, &second}) {
      const auto again = name(*named);
      EXPECT_FALSE(again.began.has_value());
      EXPECT_FAILS(again.answered, Errc::protocol);
    }
  EXPECT_EQ(written(), before) << "nothing is written into our log for it";
}

TEST_F(RefusedRevealOnce, IsGivenToAConsentThatAnotherMembersManyComeBefore) {
  const TestMember carol_home("carol", material("turla"));
  Opened carol(carol_home);
  std::optional<mirror::EntryView> named;
  EXPECT_OK(name(named).began);
  const auto row = alpha_->vault->session(session_);
  ASSERT_OK(row);
  for (std::uint64_t i = 0; i < 500; ++i) {
    const ReceivedStep of_carol = consent_in(std::string(32, 'c'), i);
    ASSERT_OK(admit_reveal(*alpha_->vault, row->group, {.peer = "carol", .nick = "carol"}, of_carol, 1'000));
  }
  EXPECT_FAILS(name(named).answered, Errc::protocol) << "what was answered is known still";
}

TEST_F(RefusedRevealOnce, IsNotGivenAnyMoreToAMemberThatCameTooOftenInADay) {
  const Asker asker{.peer = "bravo", .nick = "bravo"};
  const auto row = alpha_->vault->session(session_);
  ASSERT_OK(row);
  const UnixSeconds now = wall_clock_now();
  ReceivedStep consent = consent_in(std::string(32, '1'), 0);
  for (std::int64_t i = 0; i < kMostAnsweredRevealsPerDay; ++i) {
    consent.seq = static_cast<std::uint64_t>(i);
    ASSERT_OK(admit_reveal(*alpha_->vault, row->group, asker, consent, now - 3600));
  }
  const std::uint64_t before = written();
  std::optional<mirror::EntryView> named;
  EXPECT_FAILS(name(named).answered, Errc::limit);
  EXPECT_EQ(written(), before);
  ++consent.seq;
  EXPECT_FAILS(admit_reveal(*alpha_->vault, row->group, asker, consent, now - 9 * 86'400), Errc::limit)
      << "nor after a clock was set back";
  EXPECT_OK(admit_reveal(*alpha_->vault, row->group, {.peer = "carol", .nick = "carol"}, consent, now));
  ++consent.seq;
  EXPECT_OK(admit_reveal(*alpha_->vault, row->group, asker, consent, now + 86'400)) << "the next day";
}

TEST_F(RefusedReveal, SaysTheSameOfASessionWithSomebodyElseAndOfNone) {
  const TestMember home("alpha", material("sednit")), carol_home("carol", material("turla"));
  Opened alpha(home), carol(carol_home);
  const auto others = hold_session(carol, alpha, which_addresses_and_names());
  ASSERT_OK(others.began);
  consent(alpha, *others.began);
  (void)session_with(alpha);
  const auto written = [&] {
    return alpha.log(charter_of(bravo_, alpha)).with([](mirror::Replica& replica) { return replica.size("alpha"); });
  };
  const std::uint64_t before = written();
  const std::string none(32, '7');
  const Answer of_others = answer_of(alpha, *others.began);
  EXPECT_EQ(of_others, answer_of(alpha, none));
  EXPECT_THAT(of_others.text, testing::HasSubstr("no such session"));
  EXPECT_EQ(written(), before) << "our log has nothing to say of a session that is not here";
}

// A list that is withheld is waited for, and a wrong one answered by nothing, whether or not there are consents.
TEST_F(RefusedReveal, SaysNothingToAWrongListWhetherOrNotAnybodyConsented) {
  const TestMember home("alpha", {record(Type::ipv4, "198.51.100.7", "sednit")});
  Opened alpha(home);
  const std::string session = session_with(alpha);
  const auto answered = [&] {
    std::optional<mirror::EntryView> named;
    return meet<RevealOutcome>(
        bravo_, alpha, {}, {},
        [&](Party, group::LogLink& link) -> Result<RevealOutcome> {
          StepLink steps(link);
          steps.set_session(session);
          TRY_STATUS(link.synchronise(deadline_in(kPatience)));
          const RevealConsent consent{.by = "mallory", .offer = {}, .received = {}, .sealed = false};
          TRY(named, steps.write(kRevealConsent, consent.to_json(), {}));
          TRY_STATUS(steps.send(*named));
          TRY_STATUS(link.send(wire::FrameType::opening, ReceivedList(1).bytes()));
          TRY_STATUS(steps.receive_any(deadline_in(kPatience)));
          return RevealOutcome{};
        },
        [](Party us, group::LogLink& link) -> Result<RevealOutcome> {
          TRY(const ReceivedStep step, first_step(link));
          return answer_reveal(us, link, step);
        });
  };
  const auto without = answered();
  consent(alpha, session);
  const auto with = answered();
  EXPECT_FAILS(without.answered, Errc::protocol);
  EXPECT_FAILS(with.answered, Errc::protocol);
  EXPECT_FAILS(without.began, Errc::peer_gone);
  EXPECT_EQ(with.began.error().text(), without.began.error().text());
}

}  // namespace
}  // namespace parley::session
