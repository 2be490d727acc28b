// A member that writes an entry with the commitment of an entry that is not for it, so that whoever has the body of
// that one sends it.
#include <gtest/gtest.h>

#include "mirror/circle.h"

namespace parley::attacks {
namespace {

using mirror::Branch, mirror::Circle, mirror::message_of;
using vault::succeeds;  // of ASSERT_OK and its like

constexpr std::string_view kSecret = "what alpha asked bravo";

class RepeatedCommitment : public testing::TestWithParam<Circle::Kind> {
 protected:
  static constexpr std::size_t kAlpha = 0, kBravo = 1, kCarol = 2, kDave = 3;

  RepeatedCommitment() {
    circle_.open_all();
    circle_.tamper = [this](const mirror::Sent& sent) {
      const bool is_told = as_text(sent.message.payload).find(kSecret) != std::string_view::npos;
      if (is_told && sent.to != kAlpha && sent.to != kBravo) told_.insert(sent.to);
      return true;
    };
    circle_.stop(kDave);
    const auto opening = circle_.homes[kAlpha]->store().leaves(circle_.keys[kDave].log.name, 0, 1);
    EXPECT_OK(opening);
    of_dave_.follow(opening->front().note);
  }
  void alpha_writes_to_bravo() {
    secret_ =
        circle_.append(kAlpha, log::kHeads, {"bravo"}, log::Json::Object{{"text", std::string(kSecret)}, {"v", 1}});
  }
  /// Dave's node writes it for `audience` and gives it to alpha and bravo.
  void dave_repeats(std::vector<std::string> audience, const Digest& commitment) {
    log::Entry entry = of_dave_.next(log::kHeads, {}, std::move(audience));
    entry.body = commitment;
    of_dave_.append(entry);
    mirror::Push push = of_dave_.push("nobody", kPlace, kPlace + 1);
    push.bodies.clear();
    for (const std::size_t to : {kAlpha, kBravo}) {
      EXPECT_OK(circle_.deliver({kDave, to, message_of(push)}));
      EXPECT_EQ(circle_[to].size("dave"), kPlace + 1);
    }
  }
  /// All say what they hold, dave excepted, and give what the others lack.
  void meet() {
    circle_.link_all();
    circle_.run();
  }
  void expect_nothing_for_dave() {
    for (const std::size_t asked : {kAlpha, kBravo}) {
      const auto outcome =
          circle_[asked].take("dave", message_of(mirror::Get{mirror::Get::What::body, "dave", kPlace, 1}), circle_.now);
      ASSERT_OK(outcome);
      EXPECT_TRUE(outcome->replies.empty()) << Circle::nick(asked);
    }
  }

  static constexpr std::uint64_t kPlace = 1;
  Circle circle_{4, GetParam()};
  Branch of_dave_{circle_.members[kDave]};
  mirror::EntryView secret_;
  std::set<std::size_t> told_;  ///< members that the body went to, beside the two
};

INSTANTIATE_TEST_SUITE_P(Each, RepeatedCommitment, testing::Values(Circle::Kind::memory, Circle::Kind::vault));

TEST_P(RepeatedCommitment, BringsItsAuthorNothingOfWhatTheOtherEntrySays) {
  alpha_writes_to_bravo();
  circle_.run();
  dave_repeats({}, secret_.entry.body);
  meet();
  EXPECT_TRUE(circle_[kAlpha].held_by("bravo", "dave", kPlace + 1)) << "it is an entry as any other";
  expect_nothing_for_dave();
  for (const std::size_t i : {kAlpha, kBravo}) circle_.restart(i);
  expect_nothing_for_dave();
}

TEST_P(RepeatedCommitment, HasNobodySendWhatTheOtherEntrySaysToTheReadersThatItNames) {
  alpha_writes_to_bravo();
  circle_.run();
  dave_repeats({"carol"}, secret_.entry.body);
  meet();
  EXPECT_EQ(circle_[kCarol].size("dave"), kPlace + 1) << "alpha and bravo have handed it on";
  EXPECT_EQ(circle_[kCarol].missing_bodies("dave"), std::vector<std::uint64_t>{kPlace});
  for (const std::size_t i : {kAlpha, kBravo}) circle_.restart(i);
  meet();
  EXPECT_TRUE(told_.empty());
}

TEST_P(RepeatedCommitment, IsNoWordOfItsAuthorToWhomItIsFor) {
  alpha_writes_to_bravo();
  circle_.run();
  dave_repeats({"bravo"}, secret_.entry.body);
  meet();
  for (const bool again : {false, true}) {
    if (again) circle_.restart(kBravo);
    EXPECT_FALSE(circle_[kBravo].entry("dave", kPlace)->body.has_value());
    EXPECT_EQ(circle_[kBravo].missing_bodies("dave"), std::vector<std::uint64_t>{kPlace}) << "it never came";
    EXPECT_EQ(circle_[kBravo].entry("alpha", secret_.entry.seq)->body, secret_.body);
  }
}

TEST_P(RepeatedCommitment, ThatComesBeforeTheOtherEntryKeepsThatFromNobody) {
  circle_.unlink(kAlpha, kBravo);
  circle_.unlink(kAlpha, kCarol);
  alpha_writes_to_bravo();
  dave_repeats({}, secret_.entry.body);
  circle_.link(kAlpha, kBravo);
  circle_.link(kAlpha, kCarol);
  circle_.run();
  EXPECT_TRUE(circle_.refusals.empty());
  EXPECT_EQ(circle_[kBravo].entry("alpha", secret_.entry.seq)->body, secret_.body);
  EXPECT_TRUE(circle_[kAlpha].held_by("bravo", "alpha", secret_.entry.seq + 1));
  expect_nothing_for_dave();
  EXPECT_TRUE(told_.empty());
}

}  // namespace
}  // namespace parley::attacks
