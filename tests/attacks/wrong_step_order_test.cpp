// A member that sends a step twice, skips one, signs with another key, or says later something else than it said first.
#include "support/deviations.h"

namespace parley::session {
namespace {

class WrongStep : public DeviatingPeer {
 protected:
  using Named = std::function<std::vector<Digest>(const mirror::EntryView&)>;
  using Rewritten = std::function<void(mirror::Draft&)>;
  // The asker names other entries than its step `type`; what the honest answerer says of it.
  Result<std::string> from_asker(std::string_view type, const Named& instead) {
    return hold_session(asker_, answerer_, which_addresses_and_names(), naming(log_of(asker_), type, instead)).answered;
  }
  Result<std::string> from_answerer(std::string_view type, const Named& instead) {
    return hold_session(asker_, answerer_, which_addresses_and_names(), {}, naming(log_of(answerer_), type, instead))
        .began;
  }
  // It writes something else.
  Result<std::string> written_by_asker(std::string_view type, const Rewritten& change) {
    return hold_session(asker_, answerer_, which_addresses_and_names(), writing(type, change)).answered;
  }
  Result<std::string> written_by_answerer(std::string_view type, const Rewritten& change) {
    return hold_session(asker_, answerer_, which_addresses_and_names(), {}, writing(type, change)).began;
  }
};

const auto kTwice = [](const mirror::EntryView& step) { return std::vector{step.leaf_hash, step.leaf_hash}; };
const auto kSkipped = [](const mirror::EntryView&) { return std::vector<Digest>(); };

TEST_F(WrongStep, SentTwiceIsRefusedByName) {
  expect_refused(asker_, from_answerer(kAccept, kTwice), Errc::protocol,
                 "\"session.accept\" arrived where \"session.commit\"");
  expect_refused(answerer_, from_asker(kCommit, kTwice), Errc::protocol,
                 "\"session.commit\" arrived where \"session.run\"");
  expect_refused(asker_, from_answerer(kCommit, kTwice), Errc::protocol,
                 "\"session.commit\" arrived where \"session.run\"");
  expect_next_session_succeeds(asker_, answerer_);
}

TEST_F(WrongStep, SkippedIsRefusedByName) {
  expect_refused(answerer_, from_asker(kCommit, kSkipped), Errc::protocol,
                 "\"session.run\" arrived where \"session.commit\"");
  expect_refused(asker_, from_answerer(kAccept, kSkipped), Errc::protocol,
                 "\"session.commit\" arrived where \"session.accept\"");
  expect_refused(asker_, from_answerer(kCommit, kSkipped), Errc::protocol,
                 "\"session.run\" arrived where \"session.commit\"");
  expect_refused(answerer_, from_asker(kRun, kSkipped), Errc::protocol, "no step of a session");
  expect_next_session_succeeds(asker_, answerer_);
}

TEST_F(WrongStep, WithAFlippedBitIsRefused) {
  // Somewhere in the entry, its body, or the checkpoint over it.
  for (const std::size_t divisor : std::initializer_list<std::size_t>{5, 3, 2}) {
    std::size_t pushes = 0;
    const Deviation flip{.resend = [&](const wire::Frame& frame) {
      wire::Frame changed = frame;
      if (frame.type == wire::FrameType::push_leaves && ++pushes == 2)
        changed.payload[changed.payload.size() / divisor] ^= std::byte{1};
      return std::vector{changed};
    }};
    const auto met = hold_session(asker_, answerer_, which_addresses_and_names(), flip);
    ASSERT_FALSE(met.answered.has_value()) << divisor;
    EXPECT_THAT(met.answered.error().code, testing::AnyOf(Errc::signature, Errc::format, Errc::protocol, Errc::limit))
        << met.answered.error().text();
    EXPECT_GE(pushes, 2u);
  }
  expect_next_session_succeeds(asker_, answerer_);
}

TEST_F(WrongStep, ThatIsNoEntryOfItsLogIsNotTaken) {
  const Deviation invents = naming(log_of(asker_), kCommit, [](const auto&) { return std::vector{Digest{}}; });
  Limits impatient = test_limits();
  impatient.step = std::chrono::seconds(2);
  const auto met =
      meet<std::string>(
          asker_, answerer_, invents, {},
          [&](Party us, group::LogLink& link) { return ask(us, link, which_addresses_and_names(), impatient, {}); },
          [&](Party us, group::LogLink& link) -> Result<std::string> {
            TRY(const ReceivedStep step, first_step(link));
            return session::answer(us, link, step, impatient, accept_everything);
          })
          .answered;
  ASSERT_FALSE(met.has_value());
  EXPECT_EQ(matched(*answerer_.vault, newest_session(*answerer_.vault)).size(), 0u);
}

TEST_F(WrongStep, OfAnotherSessionIsRefused) {
  const auto of_another = [&](mirror::Draft& draft) { draft.session = std::string(32, '0'); };
  expect_refused(answerer_, written_by_asker(kCommit, of_another), Errc::protocol, "another session");
  const auto of_a_third = [&](mirror::Draft& draft) { draft.session = std::string(32, '1'); };
  expect_refused(answerer_, written_by_asker(kRun, of_a_third), Errc::protocol, "another session");
}

// An alarm about a guesser, and an audit, show by what each step answers that both were bound before they ran: whoever
// leaves that out of one of its own steps could keep them from holding.
TEST_F(WrongStep, ThatDoesNotSayWhatItAnswersIsRefused) {
  const std::vector<std::pair<const char*, Rewritten>> changes = {
      {"nothing", [](mirror::Draft& draft) { draft.refs.clear(); }},
      {"something else", [](mirror::Draft& draft) { draft.refs = {Digest{std::byte{1}}}; }},
      {"more than that", [](mirror::Draft& draft) { draft.refs.push_back(Digest{std::byte{1}}); }},
  };
  for (const auto& [what, change] : changes) {
    SCOPED_TRACE(what);
    for (const std::string_view type : {kCommit, kRun})
      expect_refused(answerer_, written_by_asker(type, change), Errc::protocol, "does not answer ours");
    for (const std::string_view type : {kAccept, kCommit, kRun})
      expect_refused(asker_, written_by_answerer(type, change), Errc::protocol, "does not answer ours");
  }
  expect_next_session_succeeds(asker_, answerer_);
}

// Bound only after it has said that it runs, a guesser could choose its set by what it has seen by then.
TEST_F(WrongStep, ThatRunsAndWasWrittenBeforeItsCommitmentIsRefused) {
  RewritingLog& asker_log = log_of(asker_);
  const auto answerers_commitment = [&] {
    Digest commitment{};
    const auto steps = answerer_.vault->session_steps(newest_session(*answerer_.vault));
    for (const vault::SessionStep& step : steps ? *steps : std::vector<vault::SessionStep>{})
      if (step.type == kCommit && step.author == answerer_.member.card.nick)
        std::ranges::copy(*from_hex(step.entry), commitment.begin());
    return commitment;
  };
  Digest early{};
  Deviation early_run = naming(asker_log, kCommit, [&](const mirror::EntryView& commitment) {
    return std::vector{commitment.leaf_hash, early};
  });
  const auto wait_until = [](const std::function<bool()>& is_so) {
    const Deadline enough = deadline_in(kPatience);
    while (!is_so() && Monotonic::now() < enough) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  };
  early_run.rewrite = [&](mirror::Draft& commitment) {
    // Its log has its run already, so it goes no further; until then it stays on the line.
    if (commitment.type == kRun)
      wait_until([&] { return is_at_rest(state_of(*answerer_.vault, newest_session(*answerer_.vault))); });
    if (commitment.type != kCommit) return;
    mirror::Draft run = commitment;
    run.type = kRun;
    run.body = log::Json::Object{{"probe_items", 256}, {"v", kSessionVersion}};
    wait_until([&] { return answerers_commitment() != Digest{}; });
    run.refs = {answerers_commitment()};
    const auto written = asker_log.JointLog::append(std::move(run), {});
    ASSERT_OK(written);
    early = written->leaf_hash;
  };
  const auto met = hold_session(asker_, answerer_, which_addresses_and_names(), early_run);
  expect_refused(answerer_, met.answered, Errc::protocol, "before it had committed to its set");
}

TEST_F(WrongStep, WrittenForNobodyIsRefused) {
  const auto for_nobody = [&](mirror::Draft& draft) { draft.audience.clear(); };
  for (const std::string_view type : {kPropose, kCommit, kRun})
    expect_refused(answerer_, written_by_asker(type, for_nobody), Errc::protocol, "not for us");
}

TEST_F(WrongStep, WrittenForOthersTooIsRefused) {
  const auto for_all = [&](mirror::Draft& draft) { draft.audience = {std::string(log::kEveryone)}; };
  for (const std::string_view type : {kPropose, kCommit, kRun})
    expect_refused(answerer_, written_by_asker(type, for_all), Errc::protocol, "not for this member alone");
}

TEST_F(WrongStep, AQuestionChangedAfterConsentIsRefused) {
  const auto another_question = [&](mirror::Draft& draft) {
    Proposal proposal{.question = which_addresses_and_names(),
                      .padded = 256,
                      .most_tests = 65'536,
                      .suites = {2},
                      .rules = indicator::rules_id(),
                      .nonce = random_bytes<32>()};
    proposal.question.types = {indicator::kAllTypes.begin(), indicator::kAllTypes.end()};
    std::ranges::sort(proposal.question.types);
    draft.type = kPropose;
    draft.session.clear();
    draft.body = proposal.to_json();
  };
  expect_refused(answerer_, written_by_asker(kCommit, another_question), Errc::protocol, "another session");
  expect_next_session_succeeds(asker_, answerer_);
}

TEST_F(WrongStep, AProposalMadeBeforeIsRefusedWhenItIsSentAgain) {
  Digest first{};
  const auto keep = [&](const mirror::EntryView& step) {
    first = step.leaf_hash;
    return std::vector{first};
  };
  ASSERT_OK(from_asker(kPropose, keep));
  const auto replayed = from_asker(kPropose, [&](const mirror::EntryView&) { return std::vector{first}; });
  ASSERT_FALSE(replayed.has_value());
  EXPECT_EQ(replayed.error().code, Errc::protocol);
  EXPECT_THAT(replayed.error().text(), testing::HasSubstr("sent again"));
}

// An amendment that still gathers signatures: it would be checked by that version what is held against its author
// later.
TEST_F(WrongStep, UnderAnotherVersionOfTheCharterIsRefused) {
  const auto naming_another = [&](Opened& side, std::string_view type) {
    return writing(type, [&log = log_of(side)](mirror::Draft&) {
      log.with([](mirror::Replica& replica) { replica.set_charter(Digest{std::byte{7}}); });
    });
  };
  const auto name_the_agreed_one = [&](Opened& side) {
    log_of(side).with([&](mirror::Replica& replica) { replica.set_charter(charter_of(asker_, answerer_).hash); });
  };
  for (const std::string_view type : {kCommit, kRun}) {
    const std::string text = fmt::format("\"{}\" is under another version of the charter", type);
    const Question question = which_addresses_and_names();
    expect_refused(answerer_, hold_session(asker_, answerer_, question, naming_another(asker_, type)).answered,
                   Errc::skew, text);
    name_the_agreed_one(asker_);
    expect_refused(asker_, hold_session(asker_, answerer_, question, {}, naming_another(answerer_, type)).began,
                   Errc::skew, text);
    name_the_agreed_one(answerer_);
  }
  expect_next_session_succeeds(asker_, answerer_);
}

TEST_F(WrongStep, ClaimingAnotherNumberOfItemsThanWasAgreedIsRefused) {
  const auto claim = [](log::Json::Object& body) { body.insert_or_assign("probe_items", std::int64_t{1 << 20}); };
  const auto of_asker = hold_session(asker_, answerer_, which_addresses_and_names(), changing(kRun, claim));
  expect_refused(answerer_, of_asker.answered, Errc::protocol, "another number");
  EXPECT_TRUE(outcome_of(*answerer_.vault, newest_session(*answerer_.vault)).may_have_disclosed)
      << "who has charged a session counts it, wherever it ends";
  const auto of_answerer = hold_session(asker_, answerer_, which_addresses_and_names(), {}, changing(kRun, claim));
  expect_refused(asker_, of_answerer.began, Errc::protocol, "another number");
  expect_next_session_succeeds(asker_, answerer_);
}

TEST_F(WrongStep, EnteringAnotherNumberOfItemsThanWasAgreedIsRefused) {
  // The answerer says 320 and enters 256.
  const auto grow = [](log::Json::Object& body) { body.insert_or_assign("padded", std::int64_t{320}); };
  const auto met = hold_session(asker_, answerer_, which_addresses_and_names(), {}, changing(kAccept, grow));
  expect_refused(asker_, met.began, Errc::protocol, "");
  for (const std::int64_t size : {std::int64_t{0}, std::int64_t{255}, std::int64_t{257}, std::int64_t{1} << 40}) {
    const auto absurd = [&](log::Json::Object& body) { body.insert_or_assign("padded", size); };
    expect_refused(asker_,
                   hold_session(asker_, answerer_, which_addresses_and_names(), {}, changing(kAccept, absurd)).began,
                   Errc::format, "");
  }
}

TEST_F(WrongStep, OtherCanonicalFormRulesAreRefusedOnBothSides) {
  const auto other_rules = [](log::Json::Object& body) {
    body.insert_or_assign("rules", to_base64(random_bytes<16>()));
  };
  const auto met = hold_session(asker_, answerer_, which_addresses_and_names(), changing(kPropose, other_rules));
  expect_refused(answerer_, met.answered, Errc::skew, "canonical-form rules");
  EXPECT_EQ(state_of(*answerer_.vault, newest_session(*answerer_.vault)), "refused");
  EXPECT_FALSE(met.began.has_value());

  const auto refuse_for_skew = [](mirror::Draft& draft) {
    draft.type = kRefuse;
    draft.body = Refusal{.code = std::string(kRefusedForSkew), .text = {}}.to_json();
  };
  expect_refused(
      asker_, hold_session(asker_, answerer_, which_addresses_and_names(), {}, writing(kAccept, refuse_for_skew)).began,
      Errc::skew, "same version of parley");
}

TEST_F(WrongStep, DisclosesNothingBeforeBothHaveCommitted) {
  // Whatever the asker does up to its commitment, not one PSI frame of the answerer has left.
  std::atomic<int> psi_frames = 0;
  const Deviation count{.resend = [&](const wire::Frame& frame) -> std::vector<wire::Frame> {
    if (frame.type == wire::FrameType::psi_data) ++psi_frames;
    return {frame};
  }};
  for (const std::string_view type : {kCommit, kRun}) {
    (void)hold_session(asker_, answerer_, which_addresses_and_names(), naming(log_of(asker_), type, kSkipped), count);
    EXPECT_EQ(psi_frames, 0) << type;
    const auto said = outcome_of(*answerer_.vault, newest_session(*answerer_.vault));
    EXPECT_EQ(said.may_have_disclosed, type == kRun) << "from its own run step on, a session counts as a disclosure";
  }
}

TEST_F(WrongStep, HeldByNobodyElseIsFollowedByNothingThatDiscloses) {
  // The answerer takes all steps and never says that it holds them: it could deny later what it was let know.
  const Deviation holds_nothing{.resend = [](const wire::Frame& frame) {
    return frame.type == wire::FrameType::cosig ? std::vector<wire::Frame>() : std::vector{frame};
  }};
  std::size_t disclosing = 0;
  const Deviation counts{.resend = [&](const wire::Frame& frame) {
    disclosing += frame.type == wire::FrameType::psi_data ? 1 : 0;
    return std::vector{frame};
  }};
  Limits impatient = test_limits();
  impatient.step = std::chrono::seconds(3);
  const auto met = meet<std::string>(
      asker_, answerer_, counts, holds_nothing,
      [&](Party us, group::LogLink& link) { return ask(us, link, which_addresses_and_names(), impatient, {}); },
      [&](Party us, group::LogLink& link) -> Result<std::string> {
        TRY(const ReceivedStep step, first_step(link));
        return session::answer(us, link, step, impatient, accept_everything);
      });
  EXPECT_FALSE(met.began.has_value());
  EXPECT_EQ(disclosing, 0u);
  const auto steps = asker_.vault->session_steps(newest_session(*asker_.vault));
  ASSERT_OK(steps);
  EXPECT_TRUE(std::ranges::any_of(*steps, [](const vault::SessionStep& step) { return step.type == kRun; }))
      << "it came as far as that";
}

}  // namespace
}  // namespace parley::session
