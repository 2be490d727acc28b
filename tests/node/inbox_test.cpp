// Questions that wait for the operator.
#include "node/inbox.h"

#include <gtest/gtest.h>

#include <future>

namespace parley::node {
namespace {

session::Offer offer(const std::string& session) {
  session::Offer offer;
  offer.session = session;
  offer.peer = "bravo";
  return offer;
}

const session::Decision kAccept{.accept = true, .why = {}, .label = {}};

Errc code_of(const Result<session::Offer>& decided) {
  return decided ? Errc::internal : decided.error().code;
}

TEST(Inbox, ListsWhatWaitsAndForgetsWhatHasLeft) {
  Inbox inbox;
  {
    const Inbox::Entry first(inbox, offer("aaaa0001")), second(inbox, offer("aaaa0002"));
    EXPECT_EQ(inbox.waiting().size(), 2u);
  }
  EXPECT_TRUE(inbox.waiting().empty());
  EXPECT_EQ(code_of(inbox.decide("aaaa0001", kAccept)), Errc::not_found);
}

TEST(Inbox, TakesADecisionOnlyForTheOneQuestionThatIsMeant) {
  Inbox inbox;
  Inbox::Entry first(inbox, offer("aaaa0001")), second(inbox, offer("aaaa0002"));
  EXPECT_EQ(code_of(inbox.decide("aaaa", kAccept)), Errc::usage) << "two begin so";
  EXPECT_EQ(code_of(inbox.decide("", kAccept)), Errc::not_found);
  EXPECT_EQ(code_of(inbox.decide("bbbb", kAccept)), Errc::not_found);
  EXPECT_FALSE(first.wait(Monotonic::now()).has_value());
  ASSERT_TRUE(inbox.decide("aaaa0002", kAccept).has_value());
  EXPECT_FALSE(first.wait(Monotonic::now()).has_value());
  ASSERT_TRUE(second.wait(Monotonic::now()).has_value());
  EXPECT_TRUE(second.wait(Monotonic::now())->accept);
}

TEST(Inbox, TakesOneDecisionOnAQuestionAndNoSecond) {
  Inbox inbox;
  Inbox::Entry entry(inbox, offer("aaaa0001"));
  ASSERT_TRUE(inbox.decide("aaaa0001", {.accept = false, .why = "no", .label = {}}).has_value());
  EXPECT_EQ(code_of(inbox.decide("aaaa0001", kAccept)), Errc::not_found);
  EXPECT_FALSE(entry.wait(Monotonic::now())->accept);
  EXPECT_TRUE(inbox.waiting().empty()) << "what is decided waits no more";
}

TEST(Inbox, WakesTheSessionThatWaits) {
  Inbox inbox;
  Inbox::Entry entry(inbox, offer("aaaa0001"));
  auto waiting = std::async(std::launch::async, [&] { return entry.wait(deadline_in(std::chrono::seconds(60))); });
  ASSERT_TRUE(inbox.decide("aaaa", kAccept).has_value());
  EXPECT_TRUE(waiting.get().has_value());
}

}  // namespace
}  // namespace parley::node
