// An owner that shows its log to some and not to others, that keeps a body back, or that denies later what it signed.
#include "cheating_owner.h"

namespace parley::attacks {
namespace {

class WithheldLog : public CheatingOwner {
 protected:
  WithheldLog() {
    branch_.append(log::kLogOpen, {}, {"*"});
    for (int i = 0; i < 5; ++i) branch_.append(log::kHeads, {}, {"*"});
  }
  void show_carol_through_bravo() { EXPECT_OK(meet(*bravo_, kCarol, *carol_).first); }
  Branch branch_{group_[kAlpha].keys};
};

TEST_F(WithheldLog, ComesFromAnotherMember) {
  say(kBravo, pushes(branch_, kBravo, 0, false));
  EXPECT_EQ(carol_->size("alpha"), 0u);
  show_carol_through_bravo();
  EXPECT_EQ(carol_->leaves("alpha"), bravo_->leaves("alpha"));
  EXPECT_EQ(carol_->size("alpha"), 6u);
  EXPECT_EQ(signed_for(kCarol), 6u) << "with the bodies that are for carol";
  EXPECT_TRUE(carol_->convictions().empty()) << "keeping a log back is no proof of anything";
}

TEST_F(WithheldLog, IsNotSignedForWithoutTheBodyThatIsOurs) {
  mirror::Push bare = branch_.push("bravo");
  std::erase_if(bare.bodies, [](const auto& body) { return body.seq == 3; });
  say(kBravo, {message_of(bare)});
  EXPECT_EQ(bravo_->size("alpha"), 6u);
  EXPECT_EQ(signed_for(kBravo), 0u);
  // Carol has it all: from her it comes, and only then bravo signs.
  say(kCarol, pushes(branch_, kCarol, 0, false));
  show_carol_through_bravo();
  EXPECT_EQ(signed_for(kBravo), 6u);
}

TEST_F(WithheldLog, OfWhichOnePushHasNoRoomForAllThatIsSaidComesFromAnotherMember) {
  for (int i = 0; i < 2; ++i)
    branch_.append(log::kHeads, {}, {"*"}, log::Json::Object{{"text", std::string(600'000, 'x')}, {"v", 1}});
  mirror::Push bare = branch_.push("bravo");
  std::erase_if(bare.bodies, [](const auto& body) { return body.seq >= 6; });
  std::vector<mirror::Message> said = {message_of(bare)};
  for (const std::uint64_t seq : {6u, 7u})
    said.push_back(message_of(mirror::EntryBody{"alpha", seq, branch_.bodies[seq]}));
  say(kBravo, said);
  ASSERT_EQ(signed_for(kBravo), 8u);
  show_carol_through_bravo();
  EXPECT_EQ(carol_->size("alpha"), 8u);
  EXPECT_EQ(signed_for(kCarol), 8u) << "with all that it says";
}

TEST_F(WithheldLog, OfThousandsOfEntriesWithoutWhatTheySayPartsNoOthers) {
  while (branch_.leaves.size() < mirror::kMostMissingBodies + 2'000) branch_.append(log::kHeads, {}, {"*"});
  for (const std::size_t to : {kBravo, kCarol}) {
    std::vector<mirror::Message> bare;
    for (std::size_t from = 0; from < branch_.leaves.size(); from += mirror::kMaxPushLeaves) {
      const std::size_t end = std::min<std::size_t>(from + mirror::kMaxPushLeaves, branch_.leaves.size());
      mirror::Push push = branch_.push("nobody", from, end);
      push.bodies.clear();
      bare.push_back(message_of(push));
    }
    say(to, bare);
    EXPECT_GE(peer(to).size("alpha"), mirror::kMostMissingBodies);
    EXPECT_LT(peer(to).size("alpha"), branch_.leaves.size()) << "the rest is not taken";
  }
  for (int call = 0; call < 5; ++call) {
    const auto written = bravo_->append("between bravo and carol");
    ASSERT_OK(written);
    const auto [called, served] = meet(*bravo_, kCarol, *carol_);
    EXPECT_OK(called);
    EXPECT_OK(served);
    EXPECT_TRUE(bravo_->with(
        [&](mirror::Replica& replica) { return replica.held_by("carol", "bravo", written->entry.seq + 1); }));
  }
}

TEST_F(WithheldLog, CannotBeDeniedByBeginningItAgain) {
  say(kBravo, pushes(branch_, kBravo, 0, true));
  EXPECT_EQ(signed_for(kBravo), 6u);
  Branch again(group_[kAlpha].keys);
  again.append(log::kLogOpen, {}, {"*"}, log::Json::Object{{"label", "we never met"}, {"v", 1}});
  say(kCarol, pushes(again, kCarol, 0, false));
  show_carol_through_bravo();
  expect_convicted();
}

TEST_F(WithheldLog, CannotBeDeniedByAShorterOne) {
  say(kBravo, pushes(branch_, kBravo, 0, true));
  say(kBravo, {message_of(mirror::Heads{{{"alpha", branch_.checkpoint(3)}}, true})});
  EXPECT_EQ(bravo_->size("alpha"), 6u) << "nothing that was shown is taken back";
  EXPECT_TRUE(bravo_->convictions().empty()) << "an older checkpoint is no lie";
  show_carol_through_bravo();
  EXPECT_EQ(carol_->size("alpha"), 6u);
  EXPECT_TRUE(carol_->with([](mirror::Replica& replica) { return replica.held_by("bravo", "alpha", 6); }));
}

}  // namespace
}  // namespace parley::attacks
