// What counts at the moment at which a session is charged, and who is not even asked: caps, a membership that has
// changed meanwhile, a proposal that comes twice, a member that is proven to have cheated.
#include <condition_variable>
#include <thread>

#include "log/checkpoint.h"
#include "support/canaries.h"

namespace parley::session {
namespace {

using testing::HasSubstr;

/// alpha asks bravo under a charter that the test may have changed.
class Charge : public testing::Test {
 protected:
  Charge() : charter_(charter_of(asker, answerer)) {}

  void set_caps(const group::Caps& caps) {
    for (group::AllowedQuestion& question : charter_.charter.questions) question.caps = caps;
    charter_.note = group::charter_text(charter_.charter);
    charter_.hash = group::charter_hash(charter_.charter);
  }

  /// How long the answering side waits for the first step.
  std::chrono::milliseconds first_step_within = kPatience;

  /// One session on a link of its own. May be called by several threads at once.
  /// @param changed  what the answering side's membership is by the time it is charged
  Both<std::string> hold(const Decide& decide, const std::optional<group::Membership>& changed = std::nullopt,
                         const Deviation& asker_deviates = {}) {
    wire::Listener listener;
    auto answered = std::async(std::launch::async, [&]() -> Result<std::string> {
      TRY(const auto link, wire::accept(listener.accept(), answerer.member.identity(), wire::only(asker.pin())));
      group::LogLink log_link(*link, answerer.log(charter_));
      const group::Membership membership = answerer.membership(charter_);
      ThreadPool pool(1);
      SilentProgress progress;
      const Party us = party(answerer, membership, changed ? *changed : membership, pool, progress);
      TRY(const ReceivedStep step, StepLink(log_link).receive_any(deadline_in(first_step_within)));
      return session::answer(us, log_link, step, test_limits(), decide);
    });
    const auto began = [&]() -> Result<std::string> {
      TRY(const auto link, wire::connect(listener.address(), asker.member.identity(), answerer.pin()));
      DeviatingLink deviating(*link, asker_deviates);
      group::LogLink log_link(deviating, asker.log(charter_));
      const group::Membership membership = asker.membership(charter_);
      ThreadPool pool(1);
      SilentProgress progress;
      return ask(party(asker, membership, membership, pool, progress), log_link, which_addresses_and_names(),
                 test_limits(), {});
    }();
    return {began, answered.get()};
  }
  Party party(Opened& side, const group::Membership& membership, const group::Membership& now, ThreadPool& pool,
              Progress& progress) {
    return {.vault = *side.vault,
            .member = side.member,
            .membership = membership,
            .membership_now = [&now] { return Result<group::Membership>(now); },
            .under_way = side.under_way,
            .ledgers = side.ledgers,
            .pool = pool,
            .progress = progress};
  }
  std::size_t count_in(Opened& side, std::string_view state) {
    const std::array states{state};
    return static_cast<std::size_t>(side.vault->count_sessions({.states = states}).value_or(-1));
  }

  TestMember alpha_{"Alpha", material("Sednit")}, bravo_{"Bravo", material("XAgent")};
  Opened asker{alpha_}, answerer{bravo_};
  group::SignedCharter charter_;
};

TEST_F(Charge, LetsNoTwoSessionsAtOncePassACapTogether) {
  group::Caps caps = group::kNoCaps;
  caps.sessions_per_day = 1;
  set_caps(caps);
  (void)asker.log(charter_), (void)answerer.log(charter_);
  std::mutex mutex;
  std::condition_variable both_came;
  int came = 0;
  // Both proposals have been found permitted by the time the first is accepted.
  const Decide when_both_came = [&](const Offer&, Deadline) {
    std::unique_lock lock(mutex);
    if (++came >= 2) both_came.notify_all();
    both_came.wait_for(lock, kPatience, [&] { return came >= 2; });
    return std::optional(Decision{.accept = true, .why = {}, .label = {}});
  };
  auto other = std::async(std::launch::async, [&] { return hold(when_both_came); });
  const auto one = hold(when_both_came);
  const auto second = other.get();
  ASSERT_GE(came, 2) << "they were not under way together";
  // Either side charges; where each takes another of the two first, neither goes on.
  EXPECT_LE((one.answered ? 1 : 0) + (second.answered ? 1 : 0), 1);
  EXPECT_LE(count_in(answerer, kClosed) + count_in(answerer, kHasResult), 1u);
  std::size_t named = 0;
  for (const Result<std::string>* end : {&one.began, &one.answered, &second.began, &second.answered}) {
    if (*end) continue;
    if (end->error().code == Errc::policy && end->error().message.contains("max_sessions_day")) ++named;
  }
  EXPECT_GE(named, 1u) << "whoever refuses says by which cap";
}

TEST_F(Charge, GoesByTheMembershipAsItIsThen) {
  const group::SignedCharter charter = charter_;
  const group::Membership paused({.id = charter.charter.group, .name = "pair", .state = std::string(group::kActive)},
                                 {charter}, {}, {.paused = true}, *log::parse_vkey(answerer.member.card.id_vkey));
  const auto both = hold(accept_everything, paused);
  EXPECT_FAILS(both.answered, Errc::policy);
  EXPECT_FALSE(both.began);
  const std::string id = newest_session(*answerer.vault);
  EXPECT_EQ(state_of(*answerer.vault, id), kAborted);
  const auto steps = answerer.vault->session_steps(id);
  ASSERT_OK(steps);
  for (const vault::SessionStep& step : *steps)
    EXPECT_FALSE(step.type == kRun && step.author == answerer.member.card.nick) << "it was not charged, and never ran";
  EXPECT_TRUE(matched(*asker.vault, newest_session(*asker.vault)).empty());
}

TEST_F(Charge, GoesByWhoHasLeftByThen) {
  const group::SignedCharter charter = charter_;
  const group::Membership left({.id = charter.charter.group, .name = "pair", .state = std::string(group::kActive)},
                               {charter}, {asker.member.card.nick}, {}, *log::parse_vkey(answerer.member.card.id_vkey));
  EXPECT_FAILS(hold(accept_everything, left).answered, Errc::policy);
}

TEST_F(Charge, TakesTheSameProposalOnTwoLinksOnce) {
  int decided = 0;
  const Decide decline = [&](const Offer&, Deadline) {
    ++decided;
    return std::optional(Decision{.accept = false, .why = {}, .label = {}});
  };
  Bytes first;
  const Deviation remember{.resend = [&](const wire::Frame& frame) {
    if (frame.type == wire::FrameType::step && first.empty()) first = frame.payload;
    return std::vector{frame};
  }};
  EXPECT_FAILS(hold(decline, std::nullopt, remember).began, Errc::refused);
  const Deviation again{.resend = [&](const wire::Frame& frame) {
    return std::vector{frame.type == wire::FrameType::step ? wire::Frame{frame.type, first} : frame};
  }};
  const auto repeated = hold(accept_everything, std::nullopt, again);
  ASSERT_FAILS(repeated.answered, Errc::protocol);
  EXPECT_THAT(repeated.answered.error().message, HasSubstr("sent again"));
  EXPECT_EQ(decided, 1);
  EXPECT_EQ(count_in(answerer, kRefused), 1u) << "and it stays as it was decided";
}

/// Shows `to` another beginning of the log of `of`, signed by its keys.
void show_a_second_history(Opened& of, Opened& to, const group::SignedCharter& charter) {
  const group::GroupKeys keys = of.home.keys_of(*of.vault, charter.charter.group);
  const auto body = log::make_body(log::Json::Object{{"v", 2}});
  ASSERT_OK(body);
  const log::Entry entry{.author = of.member.card.nick,
                         .session = {},
                         .refs = {},
                         .audience = {std::string(log::kEveryone)},
                         .body = body->commitment(),
                         .time = 1,
                         .type = std::string(log::kLogOpen)};
  const auto leaf = log::make_entry(entry, keys.keys.node.name, keys.node);
  ASSERT_OK(leaf);
  const Digest hash = log::leaf_hash(as_bytes(*leaf));
  const mirror::Push push{
      .log = of.member.card.nick,
      .from = 0,
      .leaves = {*leaf},
      .bodies = {{0, *body}},
      .checkpoint = log::sign_checkpoint({keys.keys.log.name, 1, log::MerkleTree({hash}).root()}, keys.log)};
  const auto message = mirror::write_message(charter.charter.group, push);
  ASSERT_OK(message);
  const auto taken = to.log(charter).take(of.member.card.nick, *message);
  ASSERT_OK(taken);
  ASSERT_EQ(taken->convictions.size(), 1u);
}

/// A member that answers no question, and afterwards signs results of them.
class ChargeOfAQuestion : public Charge {
 protected:
  std::optional<Decision> decline(const Offer&) { return Decision{.accept = false, .why = {}, .label = {}}; }
  /// What has never been compared: the answering side writes a result of it into its own log, which the asker then has.
  void claim_a_result_of(const std::string& session) {
    const ResultStep claim{.learned = true, .count = 200'000, .result_root = {}, .transcript = {}};
    ASSERT_OK(answerer.log(charter_).append({.type = std::string(kResult),
                                             .session = session,
                                             .refs = {},
                                             .audience = {asker.member.card.nick},
                                             .body = claim.to_json()},
                                            {}));
    carry_between(asker.log(charter_), answerer.log(charter_), wall_clock_now());
  }
  /// What counts of all sessions against the caps of the asker's node. @param ledgers  of the process that asks
  std::int64_t spent(Ledgers& ledgers) {
    const auto accounting = ledgers.up_to_date(*asker.vault, charter_.charter.group, asker.member.card.nick);
    EXPECT_OK(accounting);
    const std::array types{indicator::Type::ipv4};
    const auto all = (*accounting)->spent(wall_clock_now(), answerer.member.card.nick, types, [](indicator::Type) {
      return std::int64_t{262'144};
    });
    const group::Spent& of_type = all.at(indicator::Type::ipv4);
    EXPECT_EQ(of_type.sessions_day, of_type.probe_in_30d == 0 ? 0 : 1);
    EXPECT_EQ(of_type.probe_in_group_30d, of_type.probe_in_30d);
    EXPECT_EQ(of_type.matches_in_30d, of_type.probe_in_30d);
    return of_type.probe_in_30d;
  }
  std::vector<ledger::Dispute> disputes() {
    const auto accounting = asker.ledgers.up_to_date(*asker.vault, charter_.charter.group, asker.member.card.nick);
    EXPECT_OK(accounting);
    return (*accounting)->with([](const ledger::Ledger& ledger) { return ledger.disputes(); });
  }
};

TEST_F(ChargeOfAQuestion, ThatWasDeclinedIsNoneWhateverWhoDeclinedItSignsLater) {
  for (int i = 0; i < 2; ++i) {
    EXPECT_FAILS(hold([&](const Offer& offer, Deadline) { return decline(offer); }).began, Errc::refused);
    const std::string id = newest_session(*asker.vault);
    EXPECT_EQ(state_of(*asker.vault, id), kRefused);
    claim_a_result_of(id);
  }
  EXPECT_EQ(spent(asker.ledgers), 0);
  Ledgers after_a_start;
  EXPECT_EQ(spent(after_a_start), 0) << "our log has an end of it";
  EXPECT_EQ(disputes().size(), 2u) << "that it cannot be is shown all the same";
}

TEST_F(ChargeOfAQuestion, ThatWaitsForItsAnswerIsNoneToTheProcessThatAsks) {
  std::int64_t while_it_waits = -1, to_another_process = -1;
  const auto both = hold([&](const Offer& offer, Deadline) {
    claim_a_result_of(offer.session);
    while_it_waits = spent(asker.ledgers);
    Ledgers of_another;
    to_another_process = spent(of_another);
    return decline(offer);
  });
  EXPECT_FAILS(both.began, Errc::refused);
  EXPECT_EQ(while_it_waits, 0);
  EXPECT_EQ(to_another_process, 262'144) << "who was not there cannot tell: our log may have lost a run";
  EXPECT_EQ(spent(asker.ledgers), 0);
}

TEST_F(ChargeOfAQuestion, ThatEndsWithoutAWordInOurLogCountsAsTheLargest) {
  asker.log(charter_).rewrite = [](mirror::Draft& draft) {
    if (draft.type == kAbort) draft.body = log::Json(std::string(log::kMaxBodyBytes, 'x'));
  };
  EXPECT_FAILS(hold([&](const Offer& offer, Deadline) { return decline(offer); }).began, Errc::refused);
  claim_a_result_of(newest_session(*asker.vault));
  EXPECT_EQ(spent(asker.ledgers), 262'144);
  ASSERT_OK(log_aborts(*asker.vault, asker.log(charter_)));
  EXPECT_EQ(spent(asker.ledgers), 0) << "at the next start it is said";
}

TEST_F(Charge, IsNoneForAMemberThatIsProvenToHaveCheated) {
  ASSERT_OK(hold(accept_everything).answered);
  show_a_second_history(asker, answerer, charter_);
  const std::int64_t before = answerer.vault->count_sessions({}).value_or(-1);
  first_step_within = std::chrono::seconds(3);  // it never comes
  const auto both = hold(accept_everything);
  EXPECT_FALSE(both.began);
  EXPECT_FALSE(both.answered);
  EXPECT_EQ(answerer.vault->count_sessions({}).value_or(-1), before) << "nothing more of its log is taken";
}

}  // namespace
}  // namespace parley::session
