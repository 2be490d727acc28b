// A question that nobody decides on ends by itself, on both sides, and tells nothing.
#include <thread>

#include "support/session_parties.h"

namespace parley::session {
namespace {

TEST(Question, ThatNobodyDecidesOnExpiresOnBothSides) {
  const TestMember alpha("Alpha", material("Sednit")), bravo("Bravo", material("XAgent"));
  Opened asker(alpha), answerer(bravo);
  Limits impatient = test_limits();
  impatient.decision = std::chrono::milliseconds(300);
  // One side waits much longer than the other, so it is always the same one that lets the question expire.
  for (const bool asker_is_impatient : {false, true}) {
    SCOPED_TRACE(asker_is_impatient ? "the asker lets it expire" : "the answering side lets it expire");
    const auto met = meet<std::string>(
        asker, answerer, {}, {},
        [&](Party us, group::LogLink& link) {
          return ask(us, link, which_addresses_and_names(), asker_is_impatient ? impatient : test_limits(), {});
        },
        [&](Party us, group::LogLink& link) -> Result<std::string> {
          TRY(const ReceivedStep step, first_step(link));
          return session::answer(us, link, step, asker_is_impatient ? test_limits() : impatient,
                                 [](const Offer&, Deadline deadline) {
                                   std::this_thread::sleep_until(deadline);
                                   return std::optional<Decision>();
                                 });
        });
    EXPECT_FALSE(met.began);
    EXPECT_FALSE(met.answered);
    Opened& impatient_side = asker_is_impatient ? asker : answerer;
    const std::string id = newest_session(*impatient_side.vault);
    EXPECT_EQ(state_of(*impatient_side.vault, id), "expired");
    EXPECT_FALSE(outcome_of(*impatient_side.vault, id).may_have_disclosed);
    EXPECT_TRUE(matched(*impatient_side.vault, id).empty());
  }
}

}  // namespace
}  // namespace parley::session
