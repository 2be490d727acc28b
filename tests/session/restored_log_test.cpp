// A disk that was put back has older rows of its sessions than the log that comes back to it from other members: what
// it then writes about them goes by the log.
#include "support/session_parties.h"

namespace parley::session {
namespace {

class RestoredLog : public testing::Test {
 protected:
  TestMember alpha_member_{"alpha", material("sednit")}, bravo_member_{"bravo", material("xagent")};
  Opened alpha_{alpha_member_}, bravo_{bravo_member_};

  std::string group() { return alpha_.vault->groups()->at(0).id; }
  std::uint64_t size_of_log(group::JointLog& log) {
    return log.with([&](mirror::Replica& replica) { return replica.size(log.nick()); });
  }
  /// The row as a disk has it that was put back to when the session had been accepted, and was interrupted there.
  vault::SessionRow interrupted(const std::string& id) {
    vault::SessionRow row = *alpha_.vault->session(id);
    Outcome outcome;
    outcome.failed_phase = kAccepted;
    outcome.failure = "This node stopped.";
    row.state = kAborted;
    row.outcome = write_outcome(outcome);
    EXPECT_OK(alpha_.vault->save_session(row, {}));
    return row;
  }
};

TEST_F(RestoredLog, HasNoAbortAfterTheResultThatCameBackWithIt) {
  ASSERT_OK(hold_session(alpha_, bravo_, which_addresses_and_names()).began);
  const std::string id = alpha_.vault->sessions()->at(0).id;
  group::JointLog& log = alpha_.log(charter_of(alpha_, bravo_));
  const std::uint64_t before = size_of_log(log);
  interrupted(id);
  ASSERT_OK(log_aborts(*alpha_.vault, log));
  EXPECT_EQ(size_of_log(log), before);
  const auto outcome = read_outcome(alpha_.vault->session(id)->outcome);
  ASSERT_OK(outcome);
  EXPECT_TRUE(outcome->may_have_disclosed) << "the log says that it ran";
  EXPECT_NE(outcome->failure.find("older one"), std::string::npos) << outcome->failure;
}

TEST_F(RestoredLog, SaysOfARunWithoutAnEndThatItMayHaveDisclosed) {
  group::JointLog& log = alpha_.log(charter_of(alpha_, bravo_));
  ASSERT_OK(log.with([](mirror::Replica& replica) { return replica.accept_fork_risk(); }));
  const auto write = [&](std::string_view type, const std::string& session) {
    return log.append({.type = std::string(type),
                       .session = session,
                       .refs = {},
                       .audience = {"bravo"},
                       .body = log::Json::Object{{"v", 1}}});
  };
  const auto proposal = write(kPropose, "");
  ASSERT_OK(proposal);
  vault::SessionRow row;
  row.id = session_of(*proposal);
  row.peer = "bravo";
  row.group = log.group();
  row.asked_by_us = true;
  row.state = kProposed;
  row.terms = write_terms({});
  row.outcome = write_outcome({});
  ASSERT_OK(alpha_.vault->save_session(row, std::vector{stored_step(*proposal)}));
  ASSERT_OK(write(kCommit, row.id));
  ASSERT_OK(write(kRun, row.id));
  interrupted(row.id);
  const std::uint64_t before = size_of_log(log);
  ASSERT_OK(log_aborts(*alpha_.vault, log));
  ASSERT_EQ(size_of_log(log), before + 1);
  const auto last = log.with([&](mirror::Replica& replica) { return replica.entry("alpha", before); });
  ASSERT_OK(last);
  EXPECT_EQ(last->entry.type, kAbort);
  const auto abort = Abort::from_json(*last->body);
  ASSERT_OK(abort);
  EXPECT_TRUE(abort->may_have_disclosed);
  ASSERT_OK(log_aborts(*alpha_.vault, log));
  EXPECT_EQ(size_of_log(log), before + 1) << "once";
}

// Builds before wrote none: as long as the log has no end of it, its run counts as one that may have been lost.
TEST_F(RestoredLog, SaysOfAQuestionThatTheOtherSideRefusedThatItCameToNothing) {
  group::JointLog& log = alpha_.log(charter_of(alpha_, bravo_));
  ASSERT_OK(log.with([](mirror::Replica& replica) { return replica.accept_fork_risk(); }));
  Outcome outcome;
  outcome.failed_phase = "propose";
  const auto refused = [&](std::string_view our_step, std::string session) {
    const auto written = log.append({.type = std::string(our_step),
                                     .session = std::move(session),
                                     .refs = {},
                                     .audience = {"bravo"},
                                     .body = log::Json::Object{{"v", 1}}},
                                    {});
    ASSERT_OK(written);
    vault::SessionRow row;
    row.id = session_of(*written);
    row.peer = "bravo";
    row.group = log.group();
    row.asked_by_us = our_step == kPropose;
    row.state = kRefused;
    row.terms = write_terms({});
    row.outcome = write_outcome(outcome);
    ASSERT_OK(alpha_.vault->save_session(row, std::vector{stored_step(*written)}));
  };
  refused(kRefuse, std::string(32, 'c'));
  refused(kPropose, "");
  const std::uint64_t before = size_of_log(log);
  for (int start = 0; start < 2; ++start) {
    ASSERT_OK(log_aborts(*alpha_.vault, log));
    ASSERT_EQ(size_of_log(log), before + 1) << "of the one that we asked, once; who refused has said so";
  }
  const auto last = log.with([&](mirror::Replica& replica) { return replica.entry("alpha", before); });
  ASSERT_OK(last);
  EXPECT_EQ(last->entry.type, kAbort);
  const auto abort = Abort::from_json(*last->body);
  ASSERT_OK(abort);
  EXPECT_EQ(abort->code, name_of(Errc::refused));
  EXPECT_FALSE(abort->may_have_disclosed);
}

TEST_F(RestoredLog, HasNoAbortOfASessionWhoseStepsWereGivenUp) {
  group::JointLog& log = alpha_.log(charter_of(alpha_, bravo_));
  ASSERT_OK(log.with([](mirror::Replica& replica) { return replica.accept_fork_risk(); }));
  vault::SessionRow row;
  row.id = std::string(32, 'a');
  row.peer = "bravo";
  row.group = log.group();
  row.asked_by_us = true;
  row.state = kProposed;
  row.terms = write_terms({});
  row.outcome = write_outcome({});
  ASSERT_OK(alpha_.vault->save_session(
      row, std::vector{vault::SessionStep{"alpha", std::string(kPropose), std::string(64, 'b')}}));
  interrupted(row.id);
  ASSERT_OK(log_aborts(*alpha_.vault, log));
  EXPECT_LE(size_of_log(log), 1u) << "its opening, at most";
}

}  // namespace
}  // namespace parley::session
