// Questions that nobody answers fill neither the vault nor the log.
#include "session/unanswered.h"

#include <fmt/format.h>

#include "support/session_parties.h"

namespace parley::session {
namespace {

using testing::HasSubstr;

class Unanswered : public testing::Test {
 protected:
  Unanswered() : charter_(charter_of(asker, answerer)), now_(wall_clock_now()) {}

  /// Rows of bravo's vault as if alpha had asked.
  void fill(int count, std::string_view state, UnixSeconds created, const Outcome& outcome = {},
            const std::function<void(vault::SessionRow&)>& change = {}) {
    ASSERT_OK(answerer.vault->together([&]() -> Status {
      for (int i = 0; i < count; ++i) {
        vault::SessionRow row;
        row.id = fmt::format("{:08x}{:024x}", ++made_, 0);
        row.peer = asker.member.card.nick;
        row.group = charter_.charter.group;
        row.state = state;
        row.created = row.updated = created;
        row.outcome = write_outcome(outcome);
        if (change) change(row);
        TRY_STATUS(answerer.vault->save_session(row, {}));
      }
      return {};
    }));
  }
  std::int64_t count(std::string_view state) {
    const std::array states{state};
    return answerer.vault->count_sessions({.states = states}).value_or(-1);
  }
  std::uint64_t log_size() {
    return answerer.log(charter_).with(
        [&](mirror::Replica& replica) { return replica.size(answerer.member.card.nick); });
  }
  Both<std::string> ask_again() { return hold_session(asker, answerer, which_addresses_and_names()); }

  TestMember alpha_{"Alpha", material("Sednit")}, bravo_{"Bravo", material("XAgent")};
  Opened asker{alpha_}, answerer{bravo_};
  group::SignedCharter charter_;
  UnixSeconds now_;
  int made_ = 0;
};

TEST_F(Unanswered, QuestionsOfADayEndAtTheirLimitAndLeaveNothing) {
  fill(kMostUnansweredPerDay, kRefused, now_ - 60);
  ASSERT_OK(answerer.log(charter_).flush());
  const std::uint64_t size = log_size();
  const auto both = ask_again();
  ASSERT_FAILS(both.answered, Errc::limit);
  EXPECT_THAT(both.answered.error().message, HasSubstr("1000 questions here that came to nothing within 24 hours"));
  EXPECT_FALSE(both.began);
  EXPECT_EQ(answerer.vault->count_sessions({}).value_or(-1), kMostUnansweredPerDay);
  EXPECT_LE(log_size(), std::max<std::uint64_t>(size, 1)) << "we write no refusal";
}

TEST_F(Unanswered, QuestionsThatWaitAreFew) {
  fill(kMostUndecided, kProposed, now_);
  const auto both = ask_again();
  ASSERT_FAILS(both.answered, Errc::limit);
  EXPECT_THAT(both.answered.error().message, HasSubstr("that wait for an answer"));
}

TEST_F(Unanswered, QuestionsOfOthersAndOursAndThoseOfYesterdayDoNotCount) {
  fill(kMostUnansweredPerDay, kRefused, now_ - 60, {}, [](vault::SessionRow& row) { row.peer = "carol"; });
  fill(kMostUnansweredPerDay, kRefused, now_ - 60, {}, [](vault::SessionRow& row) { row.asked_by_us = true; });
  fill(kMostUnansweredPerDay, kRefused, now_ - 60, {}, [](vault::SessionRow& row) { row.group = "another"; });
  fill(kMostUnansweredPerDay, kRefused, now_ - 86'500);
  session::Terms terms;
  terms.question = which_addresses_and_names();
  fill(kMostUnansweredPerDay, kClosed, now_ - 60, {}, [&](vault::SessionRow& row) { row.terms = write_terms(terms); });
  EXPECT_OK(ask_again().answered);
}

TEST_F(Unanswered, QuestionsAreForgottenByNumberAndAgeButNotWhatMayHaveDisclosed) {
  const Outcome disclosed = [] {
    Outcome outcome;
    outcome.may_have_disclosed = true;
    return outcome;
  }();
  fill(20, kAborted, now_ - 40 * 86'400, disclosed);
  fill(20, kAborted, now_ - 40 * 86'400);
  fill(20, kExpired, now_ - 40 * 86'400);
  fill(20, kClosed, now_ - 40 * 86'400);
  fill(static_cast<int>(kMostUnansweredKept) + 500, kRefused, now_ - 2 * 86'400);
  ASSERT_OK(ask_again().answered);
  EXPECT_EQ(count(kAborted), 20);
  EXPECT_EQ(count(kExpired), 0);
  EXPECT_EQ(count(kClosed) + count(kHasResult), 21);
  EXPECT_LE(count(kRefused), kMostUnansweredKept);
  EXPECT_GT(count(kRefused), kMostUnansweredKept / 2);
}

TEST_F(Unanswered, QuestionsThatWereForgottenDoNotComeBack) {
  Bytes first;
  const Deviation remember{.resend = [&](const wire::Frame& frame) {
    if (frame.type == wire::FrameType::step && first.empty()) first = frame.payload;
    return std::vector{frame};
  }};
  const Decide decline = [](const Offer&, Deadline) {
    return std::optional(Decision{.accept = false, .why = {}, .label = {}});
  };
  EXPECT_FAILS(hold_session(asker, answerer, which_addresses_and_names(), remember, {}, decline).began, Errc::refused);
  vault::SessionRow row = *answerer.vault->session(newest_session(*answerer.vault));
  row.created -= 31 * 86'400;
  ASSERT_OK(answerer.vault->save_session(row, {}));
  ASSERT_OK(ask_again().answered);
  ASSERT_FAILS(answerer.vault->session(row.id), Errc::not_found);

  const Deviation again{.resend = [&](const wire::Frame& frame) {
    return std::vector{frame.type == wire::FrameType::step ? wire::Frame{frame.type, first} : frame};
  }};
  const auto repeated = hold_session(asker, answerer, which_addresses_and_names(), again);
  ASSERT_FAILS(repeated.answered, Errc::protocol);
  EXPECT_THAT(repeated.answered.error().message, HasSubstr("older than others which were forgotten"));
  EXPECT_FAILS(answerer.vault->session(row.id), Errc::not_found);
}

}  // namespace
}  // namespace parley::session
