// A member that sends a step twice, skips one, signs with another key, or says later something else than it said first.
#include "support/deviations.h"

namespace parley::session {
namespace {

class WrongStep : public DeviatingPeer {
 protected:
  using Replace = std::function<std::vector<std::string>(const ReceivedStep&)>;
  // The asker deviates in its step `type`; what the honest answerer says of it.
  Result<std::string> from_asker(std::string_view type, const Replace& replace) {
    return hold_session(asker_, answerer_, which_addresses_and_names(),
                        replacing(asker_, answerer_.pin(), type, replace))
        .answered;
  }
  Result<std::string> from_answerer(std::string_view type, const Replace& replace) {
    return hold_session(asker_, answerer_, which_addresses_and_names(), {},
                        replacing(answerer_, asker_.pin(), type, replace))
        .began;
  }
};

const auto kTwice = [](const ReceivedStep& step) { return std::vector{step.note, step.note}; };
const auto kSkipped = [](const ReceivedStep&) { return std::vector<std::string>(); };

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

TEST_F(WrongStep, SignedWithAnotherKeyIsRefused) {
  const TestMember charlie_home("Charlie CERT", {});
  const Opened charlie(charlie_home);
  // Of charlie's key, under bravo's or alpha's name.
  const auto forged = [&](const Opened& author, const Opened& to) {
    return [&](const ReceivedStep& step) {
      group::Member forger = charlie_home.load(*charlie.vault);
      forger.card.nick = author.member.card.nick;
      return std::vector{make_step(forger, to.member.card.nick, step.session, step.type, step.body)};
    };
  };
  for (const std::string_view type : {kPropose, kCommit, kRun})
    expect_refused(answerer_, from_asker(type, forged(asker_, answerer_)), Errc::signature, "");
  for (const std::string_view type : {kAccept, kCommit, kRun})
    expect_refused(asker_, from_answerer(type, forged(answerer_, asker_)), Errc::signature, "");
  expect_next_session_succeeds(asker_, answerer_);
}

TEST_F(WrongStep, WithAFlippedBitIsRefused) {
  const auto flipped = [](const ReceivedStep& step) {
    std::string note = step.note;
    note[note.size() / 2] = static_cast<char>(note[note.size() / 2] ^ 1);
    return std::vector{note};
  };
  for (const std::string_view type : {kPropose, kCommit, kRun}) {
    const auto answered = from_asker(type, flipped);
    ASSERT_FALSE(answered.has_value()) << type;
    EXPECT_THAT(answered.error().code, testing::AnyOf(Errc::signature, Errc::format)) << type;
  }
}

TEST_F(WrongStep, OfAnotherSessionIsRefused) {
  const auto of_another = [&](const ReceivedStep& step) {
    return std::vector{
        make_step(asker_.member, answerer_.member.card.nick, std::string(32, '0'), step.type, step.body)};
  };
  for (const std::string_view type : {kCommit, kRun})
    expect_refused(answerer_, from_asker(type, of_another), Errc::protocol, "another session");
}

TEST_F(WrongStep, WrittenForSomebodyElseIsRefused) {
  const auto to_charlie = [&](const ReceivedStep& step) {
    return std::vector{make_step(asker_.member, "charlie-cert", step.session, step.type, step.body)};
  };
  for (const std::string_view type : {kPropose, kCommit, kRun})
    expect_refused(answerer_, from_asker(type, to_charlie), Errc::protocol, "charlie-cert");
}

TEST_F(WrongStep, AQuestionChangedAfterConsentIsRefused) {
  const auto another_question = [&](const ReceivedStep& step) {
    Proposal proposal{.question = which_addresses_and_names(),
                      .padded = 256,
                      .most_tests = 65'536,
                      .suites = {2},
                      .rules = indicator::rules_id(),
                      .nonce = random_bytes<32>()};
    proposal.question.types = {indicator::kAllTypes.begin(), indicator::kAllTypes.end()};
    std::ranges::sort(proposal.question.types);
    return std::vector{make_step(asker_.member, answerer_.member.card.nick, step.session, kPropose, proposal.to_json()),
                       step.note};
  };
  expect_refused(answerer_, from_asker(kCommit, another_question), Errc::protocol,
                 "\"session.propose\" arrived where \"session.commit\"");
  expect_next_session_succeeds(asker_, answerer_);
}

TEST_F(WrongStep, AProposalMadeBeforeIsRefusedWhenItIsSentAgain) {
  std::string first;
  const auto keep = [&](const ReceivedStep& step) {
    first = step.note;
    return std::vector{step.note};
  };
  ASSERT_OK(
      hold_session(asker_, answerer_, which_addresses_and_names(), replacing(asker_, answerer_.pin(), kPropose, keep))
          .answered);
  const auto replayed = from_asker(kPropose, [&](const ReceivedStep&) { return std::vector{first}; });
  ASSERT_FALSE(replayed.has_value());
  EXPECT_EQ(replayed.error().code, Errc::protocol);
  EXPECT_THAT(replayed.error().text(), testing::HasSubstr("sent again"));
}

TEST_F(WrongStep, ClaimingAnotherNumberOfItemsThanWasAgreedIsRefused) {
  const auto claim = [](log::Json::Object& body) { body.insert_or_assign("probe_items", std::int64_t{1 << 20}); };
  const auto of_asker =
      hold_session(asker_, answerer_, which_addresses_and_names(), changing(asker_, answerer_.pin(), kRun, claim));
  expect_refused(answerer_, of_asker.answered, Errc::protocol, "another number");
  const auto of_answerer =
      hold_session(asker_, answerer_, which_addresses_and_names(), {}, changing(answerer_, asker_.pin(), kRun, claim));
  expect_refused(asker_, of_answerer.began, Errc::protocol, "another number");
  expect_next_session_succeeds(asker_, answerer_);
}

TEST_F(WrongStep, EnteringAnotherNumberOfItemsThanWasAgreedIsRefused) {
  // The answerer says 320 and enters 256.
  const auto grow = [](log::Json::Object& body) { body.insert_or_assign("padded", std::int64_t{320}); };
  const auto met = hold_session(asker_, answerer_, which_addresses_and_names(), {},
                                changing(answerer_, asker_.pin(), kAccept, grow));
  expect_refused(asker_, met.began, Errc::protocol, "");
  for (const std::int64_t size : {std::int64_t{0}, std::int64_t{255}, std::int64_t{257}, std::int64_t{1} << 40}) {
    const auto absurd = [&](log::Json::Object& body) { body.insert_or_assign("padded", size); };
    expect_refused(asker_,
                   hold_session(asker_, answerer_, which_addresses_and_names(), {},
                                changing(answerer_, asker_.pin(), kAccept, absurd))
                       .began,
                   Errc::format, "");
  }
}

TEST_F(WrongStep, OtherCanonicalFormRulesAreRefusedOnBothSides) {
  const auto other_rules = [](log::Json::Object& body) {
    body.insert_or_assign("rules", to_base64(random_bytes<16>()));
  };
  const auto met = hold_session(asker_, answerer_, which_addresses_and_names(),
                                changing(asker_, answerer_.pin(), kPropose, other_rules));
  expect_refused(answerer_, met.answered, Errc::skew, "canonical-form rules");
  EXPECT_EQ(state_of(*answerer_.vault, newest_session(*answerer_.vault)), "refused");
  EXPECT_FALSE(met.began.has_value());

  const auto refuse_for_skew = [&](const ReceivedStep& step) {
    return std::vector{make_step(answerer_.member, asker_.member.card.nick, step.session, kRefuse,
                                 Refusal{.code = std::string(kRefusedForSkew), .text = {}}.to_json())};
  };
  expect_refused(asker_, from_answerer(kAccept, refuse_for_skew), Errc::skew, "same version of parley");
}

TEST_F(WrongStep, ThatNobodyKnowsIsRefused) {
  const auto unknown = [&](const ReceivedStep& step) {
    return std::vector{
        make_step(asker_.member, answerer_.member.card.nick, step.session, "session.shortcut", step.body)};
  };
  expect_refused(answerer_, from_asker(kCommit, unknown), Errc::protocol, "session.shortcut");
}

TEST_F(WrongStep, DisclosesNothingBeforeBothHaveCommitted) {
  // Whatever the asker does up to its commitment, not one PSI frame of the answerer has left.
  std::atomic<int> psi_frames = 0;
  const Deviation count = [&](const wire::Frame& frame) -> std::vector<wire::Frame> {
    if (frame.type == wire::FrameType::psi_data) ++psi_frames;
    return {frame};
  };
  for (const std::string_view type : {kCommit, kRun}) {
    (void)hold_session(asker_, answerer_, which_addresses_and_names(),
                       replacing(asker_, answerer_.pin(), type, kSkipped), count);
    EXPECT_EQ(psi_frames, 0) << type;
    const auto said = outcome_of(*answerer_.vault, newest_session(*answerer_.vault));
    EXPECT_EQ(said.may_have_disclosed, type == kRun) << "from its own run step on, a session counts as a disclosure";
  }
}

}  // namespace
}  // namespace parley::session
