// A node that dies at any moment of a session or a reveal: what both sides say afterwards is true, nothing is half
// written, and the next session succeeds. Both sides are processes; one of them dies at its Nth event, for every N
// until it lives to the end. Events are durable writes (fdatasync, fsync), messages sent, and messages received.
#include "support/crash_points.h"
#include "support/session_parties.h"

namespace parley::session {
namespace {

using Files = std::map<std::string, Bytes>;

class MortalLink final : public LinkDecorator {
 public:
  using LinkDecorator::LinkDecorator;
  Status send(wire::FrameType type, ByteView payload) override {
    crash::event();
    return inner_.send(type, payload);
  }
  Status send_until(wire::FrameType type, ByteView payload, Deadline deadline) override {
    crash::event();
    return inner_.send_until(type, payload, deadline);
  }
  Result<wire::Frame> receive(Deadline deadline) override {
    auto frame = inner_.receive(deadline);
    crash::event();
    return frame;
  }
};

enum class Dies : std::uint8_t { nobody, beginner, answerer };

// Runs one side in a process of its own.
pid_t in_process(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(0);
  }
  return child;
}

bool was_killed(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/// With which protocol, and with how many indicators besides those of material(): the fast one is not for few.
struct Sets {
  std::unique_ptr<psi::Protocol> (*protocol)();
  int fillers;
};

std::vector<vault::TestRecord> material_with(const std::string& malware, int fillers) {
  std::vector<vault::TestRecord> records = material(malware);
  for (int i = 0; i < fillers; ++i)
    records.push_back(record(indicator::Type::domain, fmt::format("{}-{}.example", malware, i), malware));
  return records;
}

class Crash : public testing::TestWithParam<Sets> {
 protected:
  using Begin = std::function<void(Party, group::LogLink&)>;

  // Holds one conversation between two processes, of which one dies at its event number `at`.
  // @return whether it died
  bool converse(Dies dies, std::size_t at, const Begin& begin, const Begin& answer) {
    wire::Listener listener;
    const wire::PinnedPeer pins[2] = {pin(asker_), pin(answerer_)};
    const pid_t answering = in_process([&] {
      Opened us(answerer_);
      const auto link = wire::accept(listener.accept(), us.member.identity(), wire::only(pins[0]));
      if (!link) return;
      MortalLink mortal(**link);
      crash::die_at(dies == Dies::answerer ? at : 0);
      group::LogLink log_link(mortal, us.log(charter_));
      const group::Membership membership = us.membership(charter_);
      answer(us.party(membership), log_link);
    });
    const pid_t beginning = in_process([&] {
      Opened us(asker_);
      const auto link = wire::connect(listener.address(), us.member.identity(), pins[1]);
      if (!link) return;
      MortalLink mortal(**link);
      crash::die_at(dies == Dies::beginner ? at : 0);
      group::LogLink log_link(mortal, us.log(charter_));
      const group::Membership membership = us.membership(charter_);
      begin(us.party(membership), log_link);
    });
    const bool one = was_killed(beginning), other = was_killed(answering);
    return one || other;
  }
  bool hold_session_in_processes(Dies dies, std::size_t at) {
    Limits limits = test_limits();
    limits.suites = {GetParam().protocol()->suite()};
    return converse(
        dies, at, [&](Party us, group::LogLink& link) { (void)ask(us, link, which_addresses_and_names(), limits, {}); },
        [&](Party us, group::LogLink& link) {
          if (const auto step = first_step(link)) (void)session::answer(us, link, *step, limits, accept_everything);
        });
  }
  static wire::PinnedPeer pin(const TestMember& member) { return Opened(member).pin(); }

  // As a node that starts again finds its vault.
  static std::unique_ptr<vault::Vault> restart(const TestMember& member) {
    auto vault = member.open_vault();
    EXPECT_OK(close_interrupted(*vault));
    return vault;
  }

  TestMember asker_{"Bravo CERT", material_with("Sednit", GetParam().fillers)},
      answerer_{"Alpha CERT", material_with("XAgent", GetParam().fillers)};
  group::SignedCharter charter_;

  void SetUp() override {
    Opened asker(asker_), answerer(answerer_);
    charter_ = charter_of(asker, answerer);
  }
};
INSTANTIATE_TEST_SUITE_P(Classic, Crash, testing::Values(Sets{psi::classic_protocol, 0}));

class CrashOfASession : public Crash {};
INSTANTIATE_TEST_SUITE_P(EachProtocol, CrashOfASession,
                         testing::Values(Sets{psi::classic_protocol, 0}, Sets{psi::fast_protocol, 1000}),
                         [](const auto& about) { return std::string(about.param.protocol()->name()); });

// What one side says after the crash.
struct Said {
  std::string id, state;
  Outcome outcome;
  std::set<std::string> matched;
};

Said said_by(vault::Vault& vault) {
  Said said;
  said.id = newest_session(vault);
  if (said.id.empty()) return said;
  said.state = state_of(vault, said.id);
  said.outcome = outcome_of(vault, said.id);
  said.matched = matched(vault, said.id);
  return said;
}

void expect_true_statements(const Said& one, const Said& other) {
  if (one.id.empty()) return;  // it had not heard of the session
  EXPECT_THAT(one.state, testing::AnyOf("result", "aborted")) << "nothing stays under way";
  if (one.state == "result") {
    EXPECT_EQ(one.matched, kShared) << "a result is there as a whole";
    EXPECT_EQ(one.outcome.count, static_cast<std::int64_t>(kShared.size()));
  } else {
    EXPECT_TRUE(one.matched.empty()) << "no half of a result";
    EXPECT_FALSE(one.outcome.failure.empty()) << "says what happened";
    EXPECT_TRUE(one.outcome.may_have_disclosed || other.state != "result")
        << "the other side has the answer, and this one says that nothing was disclosed";
  }
}

TEST_P(CrashOfASession, AtAnyEventLeavesBothSidesWithTheTruthAndAbleToAskAgain) {
  for (const Dies dies : {Dies::beginner, Dies::answerer}) {
    const Files before[2] = {vault::contents(asker_.folder()), vault::contents(answerer_.folder())};
    std::set<std::pair<std::string, std::string>> seen;
    std::size_t at = 1;
    for (; at < 500; ++at) {
      SCOPED_TRACE(testing::Message() << (dies == Dies::beginner ? "the asker" : "the answerer")
                                      << " dies at its event " << at);
      vault::restore(asker_.folder(), before[0]);
      vault::restore(answerer_.folder(), before[1]);
      const bool died = hold_session_in_processes(dies, at);
      Said asker, answerer;
      {
        const auto asker_vault = restart(asker_), answerer_vault = restart(answerer_);
        asker = said_by(*asker_vault);
        answerer = said_by(*answerer_vault);
      }
      expect_true_statements(asker, answerer);
      expect_true_statements(answerer, asker);
      if (HasFailure()) return;
      if (!died) {
        EXPECT_EQ(asker.state, "result");
        EXPECT_EQ(answerer.state, "result");
        EXPECT_EQ(asker.outcome.protocol, GetParam().protocol()->name());
        break;
      }
      if (!seen.emplace(asker.state, answerer.state).second) continue;
      // Once for each pair of states: a new session finds everything.
      EXPECT_FALSE(hold_session_in_processes(Dies::nobody, 0));
      const auto asker_vault = restart(asker_), answerer_vault = restart(answerer_);
      const std::string again = newest_session(*answerer_vault);
      EXPECT_NE(again, answerer.id);
      EXPECT_EQ(matched(*asker_vault, again), kShared);
      EXPECT_EQ(matched(*answerer_vault, again), kShared);
    }
    EXPECT_GT(at, 20u) << "a session has more events than this";
    EXPECT_LT(at, 500u) << "a session ends";
    EXPECT_GE(seen.size(), 3u) << "early, in the middle and late";
    vault::restore(asker_.folder(), before[0]);
    vault::restore(answerer_.folder(), before[1]);
  }
}

// What each side has opened and been shown, by indicator.
struct Context {
  std::string opened, theirs;
};
std::map<std::string, Context> contexts(vault::Vault& vault, const std::string& session) {
  std::map<std::string, Context> found;
  const auto matches = vault.session_matches(session);
  EXPECT_OK(matches);
  for (const vault::SessionMatch& match : *matches) found[match.indicator.value()] = {match.opened, match.theirs};
  return found;
}

void consent_to_malware(vault::Vault& vault, const std::string& session) {
  EXPECT_OK(give_consent(vault, session, {.fields = {"malware"}, .tlp_max = indicator::Tlp::amber, .given = 1}));
}

TEST_P(Crash, AtAnyEventOfARevealNeverShowsMoreThanIsOnRecordAsOpened) {
  ASSERT_FALSE(hold_session_in_processes(Dies::nobody, 0));
  std::string id;
  {
    const auto asker_vault = restart(asker_), answerer_vault = restart(answerer_);
    id = newest_session(*asker_vault);
    consent_to_malware(*asker_vault, id);
    consent_to_malware(*answerer_vault, id);
  }
  const auto reveal_in_processes = [&](Dies dies, std::size_t at) {
    return converse(
        dies, at, [&](Party us, group::LogLink& link) { (void)reveal(us, link, id); },
        [](Party us, group::LogLink& link) {
          if (const auto step = first_step(link)) (void)answer_reveal(us, link, *step);
        });
  };
  const std::string of_asker = R"({"malware":["Sednit"],"tlp":"green"})";
  const std::string of_answerer = R"({"malware":["XAgent"],"tlp":"green"})";
  const Files before[2] = {vault::contents(asker_.folder()), vault::contents(answerer_.folder())};
  for (const Dies dies : {Dies::beginner, Dies::answerer}) {
    std::set<std::pair<std::string, std::string>> seen;
    std::size_t at = 1;
    for (; at < 500; ++at) {
      SCOPED_TRACE(testing::Message() << (dies == Dies::beginner ? "the beginner" : "the other")
                                      << " dies at its event " << at);
      vault::restore(asker_.folder(), before[0]);
      vault::restore(answerer_.folder(), before[1]);
      const bool died = reveal_in_processes(dies, at);
      std::pair<std::string, std::string> states;
      {
        const auto asker_vault = restart(asker_), answerer_vault = restart(answerer_);
        states = {state_of(*asker_vault, id), state_of(*answerer_vault, id)};
        for (const std::string& state : {states.first, states.second})
          EXPECT_THAT(state, testing::AnyOf("result", "revealing", "closed"));
        const auto asker = contexts(*asker_vault, id), answerer = contexts(*answerer_vault, id);
        for (const std::string& value : kShared) {
          const Context &a = asker.at(value), &b = answerer.at(value);
          EXPECT_THAT(a.theirs, testing::AnyOf("", of_answerer)) << value << ": whole or not there";
          EXPECT_THAT(b.theirs, testing::AnyOf("", of_asker)) << value;
          EXPECT_TRUE(a.theirs.empty() || b.opened == of_answerer) << value << " was shown and is not on record";
          EXPECT_TRUE(b.theirs.empty() || a.opened == of_asker) << value << " was shown and is not on record";
        }
        // Used up or not, consent can be given again.
        consent_to_malware(*asker_vault, id);
        consent_to_malware(*answerer_vault, id);
      }
      if (HasFailure()) return;
      if (!died) {
        EXPECT_EQ(states, std::pair(std::string(kClosed), std::string(kClosed)));
        break;
      }
      if (!seen.insert(states).second) continue;
      EXPECT_FALSE(reveal_in_processes(Dies::nobody, 0));
      const auto asker_vault = restart(asker_), answerer_vault = restart(answerer_);
      for (const auto& [value, context] : contexts(*asker_vault, id)) EXPECT_EQ(context.theirs, of_answerer) << value;
      for (const auto& [value, context] : contexts(*answerer_vault, id)) EXPECT_EQ(context.theirs, of_asker) << value;
    }
    EXPECT_GT(at, 10u);
    EXPECT_LT(at, 500u);
  }
}

}  // namespace
}  // namespace parley::session
