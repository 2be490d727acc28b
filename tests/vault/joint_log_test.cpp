// What the vault promises of the joint log: steps whole or not at all, no second history, no entry after a seal.
#include "vault/testing.h"

namespace parley::vault {
namespace {

constexpr std::string_view kOrigin = "parley.example/g/7d1f3c90/m/alpha";

Digest digest_of(std::uint8_t which) {
  return Digest{std::byte{which}, std::byte{1}};
}

LogLeaf leaf(std::uint8_t which) {
  return {digest_of(which), "note " + std::to_string(which)};
}

/// The hashes that leaves from, ..., from + count - 1 complete, as places in the order of LogGrowth::nodes.
std::vector<Digest> nodes_for(std::uint64_t from, std::uint64_t count) {
  std::vector<Digest> nodes;
  for (std::uint64_t n = from + 1; n <= from + count; ++n) {
    // After n leaves, as many subtrees end as n has zeros at its end, and the leaf itself.
    for (std::uint64_t m = n;; m /= 2) {
      nodes.push_back(digest_of(static_cast<std::uint8_t>(nodes.size() + 10 * from)));
      if (m % 2 != 0) break;
    }
  }
  return nodes;
}

LogGrowth growth(std::uint64_t from, std::uint8_t count) {
  LogGrowth grown;
  grown.origin = kOrigin;
  grown.from = from;
  for (std::uint8_t i = 0; i < count; ++i) grown.leaves.push_back(leaf(static_cast<std::uint8_t>(from + i)));
  grown.nodes = nodes_for(from, count);
  return grown;
}

LogCheckpoint checkpoint(std::uint64_t size, std::uint8_t root) {
  return {size, digest_of(root), "checkpoint " + std::to_string(size)};
}

class JointLog : public testing::Test {
 protected:
  JointLog() {
    EXPECT_OK(vault_->begin_log(
        {.origin = std::string(kOrigin), .group = "7d1f3c90", .nick = "alpha", .own = true, .checkpoint = {}}));
  }
  /// What another process would read.
  void reopen() {
    vault_.reset();
    vault_ = test_.open();
  }

  TestVault test_;
  std::unique_ptr<Vault> vault_ = test_.open();
};

TEST_F(JointLog, KeepsWhatAStepBroughtAcrossARestart) {
  LogGrowth first = growth(0, 3);
  first.checkpoint = checkpoint(3, 77);
  first.bodies.push_back({digest_of(50), digest_of(51), to_bytes("{}")});
  first.cosignatures.push_back({3, "bravo", "line"});
  ASSERT_OK(vault_->grow_log(first));
  ASSERT_OK(vault_->grow_log(growth(3, 5)));
  reopen();
  const auto head = vault_->log_head(kOrigin);
  ASSERT_OK(head);
  EXPECT_EQ(head->size, 8u);
  EXPECT_TRUE(head->own);
  EXPECT_FALSE(head->sealed);
  ASSERT_TRUE(head->checkpoint.has_value());
  EXPECT_EQ(head->checkpoint->size, 3u);
  EXPECT_EQ(head->checkpoint->root, digest_of(77));
  const auto leaves = vault_->log_leaves(kOrigin, 2, 3);
  ASSERT_OK(leaves);
  ASSERT_EQ(leaves->size(), 3u);
  EXPECT_EQ((*leaves)[0].note, "note 2");
  EXPECT_EQ(vault_->log_leaves(kOrigin, 7, 100)->size(), 1u);
  EXPECT_EQ(vault_->log_leaves(kOrigin, 8, 100)->size(), 0u);
  EXPECT_EQ(**vault_->log_index(kOrigin, digest_of(5)), 5u);
  EXPECT_FALSE(vault_->log_index(kOrigin, digest_of(99))->has_value());
  EXPECT_EQ((**vault_->entry_body(digest_of(50))).content, to_bytes("{}"));
  EXPECT_EQ((*vault_->log_cosignatures(kOrigin, 3))[0].cosigner, "bravo");
  EXPECT_EQ((**vault_->log_checkpoint(kOrigin, 3)).note, "checkpoint 3");
  EXPECT_FALSE(vault_->log_checkpoint(kOrigin, 4)->has_value());
  EXPECT_EQ(vault_->logs()->size(), 1u);
  // 8 leaves: 15 hashes, at places 0 to 14.
  const std::uint64_t last[] = {14}, none[] = {15};
  EXPECT_OK(vault_->log_nodes(kOrigin, last));
  EXPECT_FAILS(vault_->log_nodes(kOrigin, none), Errc::not_found);
}

TEST_F(JointLog, RefusesAStepThatBeginsElsewhereThanTheLogEnds) {
  ASSERT_OK(vault_->grow_log(growth(0, 3)));
  for (const std::uint64_t from : std::initializer_list<std::uint64_t>{0, 2, 4})
    EXPECT_FAILS(vault_->grow_log(growth(from, 1)), Errc::internal) << from;
  EXPECT_EQ(vault_->log_head(kOrigin)->size, 3u);
}

TEST_F(JointLog, RefusesHashesThatAreNotAsManyAsTheLeavesAskFor) {
  for (const int more : {-1, 1}) {
    LogGrowth wrong = growth(0, 4);
    wrong.nodes.resize(wrong.nodes.size() + static_cast<std::size_t>(more));
    EXPECT_FAILS(vault_->grow_log(wrong), Errc::internal);
  }
  EXPECT_EQ(vault_->log_head(kOrigin)->size, 0u);
}

TEST_F(JointLog, RefusesASecondCheckpointOfTheSameSizeWithAnotherRootAndASmallerOne) {
  LogGrowth first = growth(0, 3);
  first.checkpoint = checkpoint(3, 77);
  ASSERT_OK(vault_->grow_log(first));
  LogGrowth fork = growth(3, 0);
  fork.checkpoint = checkpoint(3, 78);
  EXPECT_FAILS(vault_->grow_log(fork), Errc::exists);
  LogGrowth back = growth(3, 0);
  back.checkpoint = checkpoint(2, 70);
  EXPECT_FAILS(vault_->grow_log(back), Errc::exists);
  LogGrowth beyond = growth(3, 0);
  beyond.checkpoint = checkpoint(4, 70);
  EXPECT_FAILS(vault_->grow_log(beyond), Errc::internal);
  LogGrowth same = growth(3, 0);
  same.checkpoint = checkpoint(3, 77);
  EXPECT_OK(vault_->grow_log(same));
  EXPECT_EQ(vault_->log_head(kOrigin)->checkpoint->root, digest_of(77));
}

TEST_F(JointLog, TakesNothingAfterItsSealButCosignatures) {
  LogGrowth last = growth(0, 2);
  last.checkpoint = checkpoint(2, 70);
  last.seals = true;
  ASSERT_OK(vault_->grow_log(last));
  EXPECT_FAILS(vault_->grow_log(growth(2, 1)), Errc::policy);
  LogGrowth late = growth(2, 0);
  late.cosignatures.push_back({2, "bravo", "line"});
  EXPECT_OK(vault_->grow_log(late));
  reopen();
  EXPECT_TRUE(vault_->log_head(kOrigin)->sealed);
  EXPECT_FAILS(vault_->grow_log(growth(2, 1)), Errc::policy);
}

TEST_F(JointLog, IsBegunOnce) {
  EXPECT_FAILS(vault_->begin_log({.origin = std::string(kOrigin), .group = "", .nick = "", .checkpoint = {}}),
               Errc::exists);
  EXPECT_FAILS(vault_->log_head("another"), Errc::not_found);
  LogGrowth other;
  other.origin = "another";
  EXPECT_FAILS(vault_->grow_log(other), Errc::not_found);
}

TEST_F(JointLog, GivesABodyForTheEntryThatItCameWithOnly) {
  LogGrowth grown = growth(0, 2);
  grown.bodies.push_back({leaf(0).hash, digest_of(51), to_bytes("{}")});
  ASSERT_OK(vault_->grow_log(grown));
  ASSERT_TRUE(vault_->entry_body(leaf(0).hash)->has_value());
  EXPECT_EQ((**vault_->entry_body(leaf(0).hash)).salt, digest_of(51));
  EXPECT_FALSE(vault_->entry_body(leaf(1).hash)->has_value());
}

TEST_F(JointLog, ForgetsABodyForGood) {
  LogGrowth first = growth(0, 1);
  const Bytes content = to_bytes("{\"only\":\"here\"}");
  first.bodies.push_back({digest_of(50), digest_of(51), content});
  ASSERT_OK(vault_->grow_log(first));
  ASSERT_OK(vault_->erase_entry_body(digest_of(50)));
  EXPECT_FALSE(vault_->entry_body(digest_of(50))->has_value());
  EXPECT_EQ(vault_->log_leaves(kOrigin, 0, 1)->size(), 1u) << "its entry stays";
}

TEST_F(JointLog, AndWhatIsWrittenTogetherWithItAreThereAsAWholeOrNotAtAll) {
  EXPECT_OK(vault_->together([&]() -> Status {
    TRY_STATUS(vault_->grow_log(growth(0, 1)));
    return vault_->put_setting("step", "one");
  }));
  EXPECT_FAILS(vault_->together([&]() -> Status {
    TRY_STATUS(vault_->put_setting("step", "two"));
    TRY_STATUS(vault_->grow_log(growth(1, 1)));
    return vault_->grow_log(growth(1, 1));
  }),
               Errc::internal);
  // An inner failure that is dealt with undoes itself only.
  EXPECT_OK(vault_->together([&]() -> Status {
    TRY_STATUS(vault_->grow_log(growth(1, 1)));
    EXPECT_FAILS(vault_->grow_log(growth(1, 1)), Errc::internal);
    return {};
  }));
  reopen();
  EXPECT_EQ(**vault_->setting("step"), "one");
  EXPECT_EQ(vault_->log_head(kOrigin)->size, 2u);
}

TEST_F(JointLog, IsWholeAfterADeathAtAnyWrite) {
  vault_.reset();
  const int status = in_child([&] {
    const auto vault = test_.open();
    (void)vault->together([&]() -> Status {
      TRY_STATUS(vault->grow_log(growth(0, 7)));
      TRY_STATUS(vault->put_setting("step", "never"));
      die();
    });
  });
  EXPECT_TRUE(WIFSIGNALED(status));
  reopen();
  EXPECT_EQ(vault_->log_head(kOrigin)->size, 0u);
  EXPECT_FALSE(vault_->setting("step")->has_value());
}

}  // namespace
}  // namespace parley::vault
