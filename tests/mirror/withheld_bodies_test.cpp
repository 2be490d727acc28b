// Entries that come without their bodies, by the thousand: whoever writes them holds up neither us nor what we have to
// say to others, and whoever lacks its own gets them back.
#include <gmock/gmock.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "circle.h"

namespace {

std::atomic<std::uint64_t> allocations = 0;

}  // namespace

// Not inlined: the compiler would see that what was allocated here is freed.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(std::max<std::size_t>(size, 1))) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(std::max<std::size_t>(size, 1));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace parley::mirror {
namespace {

using testing::HasSubstr;

/// Carol writes entries for everybody, and gives nobody what they say.
class WithheldBodies : public testing::TestWithParam<Circle::Kind> {
 protected:
  static constexpr std::size_t kAlpha = 0, kBravo = 1, kCarol = 2;

  explicit WithheldBodies(Circle::Kind kind = GetParam()) : circle_(3, kind) {
    circle_.link(kAlpha, kBravo);
    circle_.run();
    for (const std::size_t i : {kAlpha, kBravo}) circle_.append(i, log::kLogOpen);
    circle_.run();
    of_carol_.append(log::kLogOpen, {}, {"*"});
  }
  void carol_writes(std::size_t count, const std::string& reader = "*") {
    for (std::size_t i = 0; i < count; ++i) of_carol_.append(log::kHeads, {}, {reader});
  }
  Push bare_push(std::size_t from, std::size_t to) const {
    Push push = of_carol_.push("nobody", from, to);
    push.bodies.clear();
    return push;
  }
  /// As many as there are entries from where the member's copy ends.
  void carol_gives(std::size_t to) {
    for (std::size_t from = circle_[to].size("carol"); from < of_carol_.leaves.size(); from += kMaxPushLeaves) {
      const std::size_t end = std::min<std::size_t>(from + kMaxPushLeaves, of_carol_.leaves.size());
      ASSERT_OK(circle_.deliver({kCarol, to, message_of(bare_push(from, end))}));
    }
  }
  /// All that a member says to another until it has nothing more to say, without an answer.
  std::vector<Message> all_to_send(std::size_t from, std::size_t to) {
    std::vector<Message> all;
    while (true) {
      auto some = circle_[from].to_send(Circle::nick(to));
      EXPECT_OK(some);
      if (!some || some->empty()) return all;
      std::ranges::move(*some, std::back_inserter(all));
    }
  }
  /// Bravo gets what the entries that it has say, and alpha all of that from bravo.
  void expect_handed_on_by_bravo() {
    const std::size_t size = of_carol_.leaves.size();
    for (std::uint64_t seq = 0; seq < size; ++seq)
      ASSERT_OK(circle_.deliver({kCarol, kBravo, message_of(EntryBody{"carol", seq, of_carol_.bodies[seq]})}));
    ASSERT_TRUE(circle_[kBravo].held_by("bravo", "carol", size));
    circle_.link(kAlpha, kBravo);
    circle_.run();
    EXPECT_EQ(circle_[kAlpha].size("carol"), size);
    EXPECT_TRUE(circle_[kAlpha].missing_bodies("carol").empty());
    EXPECT_TRUE(circle_[kAlpha].held_by("alpha", "carol", size));
    EXPECT_TRUE(circle_.refusals.empty());
  }
  /// The entries of carol whose bodies these messages ask for.
  static std::vector<std::uint64_t> asked_in(const std::vector<Message>& messages) {
    std::vector<std::uint64_t> asked;
    for (const Message& message : messages)
      if (message.type == MessageType::get) asked.push_back(content_of<Get>(message).from);
    return asked;
  }
  /// A new link of alpha's to bravo, or another round on it: bravo has said what it holds.
  void link_again(bool is_new = true) {
    circle_.unlink(kAlpha, kBravo);
    const auto heads = circle_[kBravo].ask_for_heads("alpha");
    ASSERT_OK(heads);
    if (is_new) circle_[kAlpha].connected("bravo");
    if (!is_new) circle_[kAlpha].begin_round("bravo");
    Heads said = content_of<Heads>(heads->back());
    said.answer = false;
    answered_ = circle_[kAlpha].take("bravo", message_of(said), circle_.now);
    ASSERT_OK(answered_);
  }
  std::vector<std::uint64_t> asked_on_a_new_link() { return asked_in_a_round(true); }
  std::vector<std::uint64_t> asked_in_a_round(bool is_new_link) {
    link_again(is_new_link);
    std::vector<Message> all = std::move(answered_->replies);
    std::ranges::move(all_to_send(kAlpha, kBravo), std::back_inserter(all));
    return asked_in(all);
  }

  Circle circle_;
  Branch of_carol_{circle_.members[kCarol]};
  Result<Outcome> answered_ = Outcome{};
};

INSTANTIATE_TEST_SUITE_P(Each, WithheldBodies, testing::Values(Circle::Kind::memory, Circle::Kind::vault));

TEST_P(WithheldBodies, HoldUpNoEntryOfOurs) {
  carol_writes(300);
  carol_gives(kAlpha);
  link_again();
  circle_.append(kAlpha, log::kHeads);
  const auto first = circle_[kAlpha].to_send("bravo");
  ASSERT_OK(first);
  ASSERT_FALSE(first->empty());
  ASSERT_EQ(first->front().type, MessageType::push);
  EXPECT_EQ(content_of<Push>(first->front()).log, "alpha");
}

TEST_P(WithheldBodies, AreAskedForInTurnSoManyOnEachLink) {
  carol_writes(2 * kMostAsked + 20);
  carol_gives(kAlpha);
  const std::size_t missing = circle_[kAlpha].missing_bodies("carol").size();
  ASSERT_EQ(missing, 2 * kMostAsked + 21);
  std::set<std::uint64_t> asked;
  for (int links = 0; links < 3; ++links) {
    const auto now = asked_on_a_new_link();
    EXPECT_EQ(now.size(), kMostAsked);
    asked.insert(now.begin(), now.end());
  }
  EXPECT_EQ(asked.size(), missing) << "each has had its turn";
}

TEST_P(WithheldBodies, AreNotAskedForAgainInTheNextRoundOnALink) {
  carol_writes(10);
  carol_gives(kAlpha);
  EXPECT_EQ(asked_on_a_new_link().size(), 11u);
  EXPECT_TRUE(asked_in_a_round(false).empty());
  EXPECT_EQ(asked_on_a_new_link().size(), 11u) << "but on the next one they are";
}

TEST_P(WithheldBodies, AreNotAskedForWhileTheyWouldNotBeKept) {
  carol_writes(10);
  carol_gives(kAlpha);
  circle_[kAlpha].set_quota({.bytes = 1});
  EXPECT_TRUE(asked_on_a_new_link().empty());
  circle_[kAlpha].set_quota({});
  EXPECT_EQ(asked_on_a_new_link().size(), 11u);
}

// --- what came later ------------------------------------------------------------------------------------------------

TEST_P(WithheldBodies, ThatComeOneByOneAreHandedOnWhereNoPushHasRoomForAll) {
  for (int i = 0; i < 2; ++i)
    of_carol_.append(log::kHeads, {}, {"*"}, Json::Object{{"text", std::string(600'000, 'x')}, {"v", 1}});
  carol_gives(kBravo);
  expect_handed_on_by_bravo();
}

TEST_P(WithheldBodies, OfEntriesThatFillAMessageAreHandedOn) {
  std::vector<Digest> refs(log::kMaxRefs);
  for (std::size_t i = 0; i < refs.size(); ++i) refs[i][0] = static_cast<std::byte>(i);
  for (std::size_t bytes = 0; bytes + 20'000 < kMaxMessageBytes;) {
    log::Entry entry = of_carol_.next(log::kHeads, {}, {"*"});
    const log::Body body = *log::make_body(Json::Object{{"v", 1}});
    entry.refs = refs;
    entry.body = body.commitment();
    of_carol_.append(entry);
    of_carol_.bodies.back() = body;
    bytes += sizeof(std::uint32_t) + of_carol_.leaves.back().size();
  }
  carol_gives(kBravo);
  expect_handed_on_by_bravo();
}

class WithheldBodiesOnADisk : public WithheldBodies {
 protected:
  WithheldBodiesOnADisk() : WithheldBodies(Circle::Kind::vault) {}
};

TEST_F(WithheldBodiesOnADisk, OfMoreThanSoManyEntriesKeepTheRestOfTheirLogOut) {
  carol_writes(kMostMissingBodies + 2 * kMaxPushLeaves);
  carol_gives(kAlpha);
  const std::uint64_t held = circle_[kAlpha].size("carol");
  EXPECT_GE(held, kMostMissingBodies);
  EXPECT_LT(held, kMostMissingBodies + kMaxPushLeaves) << "what one push brings is taken as a whole";
  const Status takes = circle_[kAlpha].takes_more("carol", circle_.now);
  ASSERT_FAILS(takes, Errc::limit);
  EXPECT_THAT(takes.error().message, HasSubstr("Nothing more of the log of carol is taken"));
  EXPECT_EQ(circle_[kAlpha].state(), State::live);
  // What they say is taken, and the log with it.
  for (std::uint64_t seq = 0; seq < held; ++seq)
    ASSERT_OK(circle_.deliver({kCarol, kAlpha, message_of(EntryBody{"carol", seq, of_carol_.bodies[seq]})}));
  EXPECT_TRUE(circle_[kAlpha].missing_bodies("carol").empty());
  EXPECT_TRUE(circle_[kAlpha].held_by("alpha", "carol", held));
  EXPECT_OK(circle_[kAlpha].takes_more("carol", circle_.now));
  carol_gives(kAlpha);
  EXPECT_EQ(circle_[kAlpha].size("carol"), of_carol_.leaves.size());
}

// They are for bravo alone: alpha takes them all, and bravo has no room for the rest.
TEST_F(WithheldBodiesOnADisk, AreNotSentForEverToAMemberThatTakesNoMoreOfThem) {
  carol_writes(kMostMissingBodies + 4 * kMaxPushLeaves, "bravo");
  carol_gives(kAlpha);
  carol_gives(kBravo);
  const std::uint64_t held = circle_[kBravo].size("carol"), written = of_carol_.leaves.size();
  ASSERT_EQ(circle_[kAlpha].size("carol"), written);
  ASSERT_LT(held, kMostMissingBodies + kMaxPushLeaves + 1);
  const auto pushed_in_a_round = [&](bool is_new_link) {
    link_again(is_new_link);
    std::vector<Message> all = std::move(answered_->replies);
    std::ranges::move(all_to_send(kAlpha, kBravo), std::back_inserter(all));
    std::erase_if(all, [](const Message& message) {
      return message.type != MessageType::push || content_of<Push>(message).log != "carol";
    });
    return all;
  };
  EXPECT_GE(pushed_in_a_round(true).size(), 3u) << "it may have room";
  EXPECT_EQ(pushed_in_a_round(true).size(), 1u) << "it had none";
  EXPECT_EQ(pushed_in_a_round(false).size(), 0u);
  const auto tried = pushed_in_a_round(true);
  ASSERT_EQ(tried.size(), 1u) << "and once on each link";
  for (std::uint64_t seq = 0; seq < held; ++seq)
    ASSERT_OK(circle_.deliver({kCarol, kBravo, message_of(EntryBody{"carol", seq, of_carol_.bodies[seq]})}));
  ASSERT_OK(circle_.deliver({kAlpha, kBravo, tried.front()}));
  ASSERT_GT(circle_[kBravo].size("carol"), held) << "now it has";
  EXPECT_GE(pushed_in_a_round(false).size(), 2u);
}

TEST_F(WithheldBodiesOnADisk, MakeNoPushDearerHoweverManyTheyAre) {
  const auto cost_of_one_more = [&] {
    carol_writes(1);
    const std::size_t size = of_carol_.leaves.size();
    const Message message = message_of(bare_push(size - 1, size));
    const std::uint64_t before = allocations;
    EXPECT_OK(circle_[kAlpha].take("carol", message, circle_.now));
    return allocations - before;
  };
  carol_writes(100);
  carol_gives(kAlpha);
  const std::uint64_t among_few = cost_of_one_more();
  carol_writes(3'000);
  carol_gives(kAlpha);
  EXPECT_LT(cost_of_one_more(), among_few + 300);
}

// --- a member's own -------------------------------------------------------------------------------------------------

// More of them than are asked for at a time: each that comes makes room for another question.
TEST(OwnBodies, AllComeBackOnOneLinkToWhoHasThem) {
  Circle circle(3);
  circle.open_all();
  const MemoryDisk backup = circle.disk(0).disk;
  const std::size_t count = 3 * kMostAsked;
  for (std::size_t i = 0; i < count; ++i) circle.append(0, log::kHeads, {"bravo"});
  circle.run();
  circle.stop(0);
  circle.disk(0).disk = backup;
  circle.start(0);
  circle.link(0, 2);
  circle.run();
  ASSERT_EQ(circle[0].missing_bodies("alpha").size(), count) << "carol may not read them";
  circle.link(0, 1);
  circle.run();
  EXPECT_TRUE(circle[0].missing_bodies("alpha").empty());
  EXPECT_EQ(circle[0].state(), State::live);
}

TEST(OwnBodies, ComeBackHoweverManyAreMissing) {
  Circle circle(2);
  circle.open_all();
  Branch own(circle.members[0]);
  own.append(log::kLogOpen, {}, {"bravo"});
  for (std::size_t i = 0; i < kMostMissingBodies + 10; ++i) own.append(log::kHeads, {}, {"bravo"});
  circle.stop(0);
  circle.disk(0).disk = {};
  circle.guard(0).signed_head = {};
  circle.start(0);
  for (std::size_t from = 0; from < own.leaves.size(); from += kMaxPushLeaves) {
    Push push = own.push("nobody", from, std::min<std::size_t>(from + kMaxPushLeaves, own.leaves.size()));
    push.bodies.clear();
    ASSERT_OK(circle.deliver({1, 0, message_of(push)}));
  }
  EXPECT_EQ(circle[0].size("alpha"), own.leaves.size()) << "the entries count without them";
  EXPECT_EQ(circle[0].missing_bodies("alpha").size(), own.leaves.size());
}

}  // namespace
}  // namespace parley::mirror
