// The core of the specification over real vaults: the same replicas, another disk.
#include "circle.h"
#include "vault/tables.h"

namespace parley::mirror {
namespace {

TEST(VaultReplicas, ReplicateCosignAndKnowItAfterARestart) {
  Circle circle(3, Circle::Kind::vault);
  circle.open_all();
  for (int i = 0; i < 20; ++i) circle.append(0, log::kHeads, {"bravo"});
  circle.append(0, log::kSessionCommit, {"bravo"}, Json::Object{{"v", 1}}, log::session_name('a'));
  circle.run();
  EXPECT_TRUE(circle.refusals.empty());
  EXPECT_TRUE(circle[0].is_final("alpha", 22));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_OK(circle[i].flush());
  for (std::size_t i = 0; i < 3; ++i) circle.restart(i);
  EXPECT_TRUE(circle[0].is_final("alpha", 22));
  EXPECT_TRUE(circle[1].entry("alpha", 7)->body.has_value());
  EXPECT_FALSE(circle[2].entry("alpha", 7)->body.has_value());
  circle.link_all();
  circle.run();
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(circle[i].state(), State::live);
    EXPECT_TRUE(circle[i].fsck()->empty());
  }
  EXPECT_FAILS(circle[0].append({.type = std::string(log::kSessionCommit),
                                 .session = log::session_name('a'),
                                 .refs = {},
                                 .audience = {"bravo"}},
                                kNow),
               Errc::exists);
}

TEST(VaultReplicas, WriteAnEntryAndWhatBelongsToItAsOne) {
  Circle circle(2, Circle::Kind::vault);
  circle.open_all();
  const auto draft = [] {
    return Draft{.type = std::string(log::kHeads), .session = {}, .refs = {}, .audience = {"*"}};
  };
  vault::Vault& vault = circle.vault_home(0).vault();
  const auto also = [&](const EntryView& entry) { return vault.put_setting("state", to_hex(entry.leaf_hash)); };
  const auto written = circle[0].append(draft(), kNow, also);
  ASSERT_OK(written);
  EXPECT_EQ(*vault.setting("state"), to_hex(written->leaf_hash));
  const auto fails_after = [&](const EntryView&) -> Status {
    TRY_STATUS(vault.put_setting("state", "half"));
    return fail(Errc::policy, "The ledger says no.");
  };
  EXPECT_FAILS(circle[0].append(draft(), kNow, fails_after), Errc::policy);
  EXPECT_EQ(*vault.setting("state"), to_hex(written->leaf_hash));
  EXPECT_EQ(circle[0].size("alpha"), 2u);
  EXPECT_EQ(circle[0].state(), State::live);
  ASSERT_OK(circle[0].append(draft(), kNow));
}

TEST(VaultReplicas, BringALateJoinerUpToDate) {
  Circle circle(3, Circle::Kind::vault);
  circle.link(0, 1);
  circle.run();
  circle.append(0, log::kLogOpen);
  for (int i = 0; i < 100; ++i) circle.append(0, log::kHeads);
  circle.run();
  circle.link(1, 2);
  circle.run();
  EXPECT_EQ(circle[2].size("alpha"), 101u);
  circle.link(0, 2);
  circle.run();
  EXPECT_TRUE(circle[0].is_final("alpha", 101));
}

TEST(VaultReplicas, HealAVaultThatWasPutBack) {
  for (const bool guard_too : {false, true}) {
    Circle circle(2, Circle::Kind::vault);
    circle.open_all();
    circle.stop(0);
    VaultHome& home = circle.vault_home(0);
    home.close();
    const auto backup = vault::contents(home.test().folder().path());
    const Bytes guard = vault::read_whole(home.guard_path());
    home.open();
    circle.start(0);
    circle.link(0, 1);
    circle.run();
    for (int i = 0; i < 5; ++i) circle.append(0, log::kHeads);
    circle.run();
    circle.stop(0);
    home.close();
    vault::restore(home.test().folder().path(), backup);
    if (guard_too) vault::write_whole(home.guard_path(), guard);
    home.open();
    circle.start(0);
    EXPECT_EQ(circle[0].state(), guard_too ? State::asking : State::amnesia);
    circle.link(0, 1);
    circle.run();
    EXPECT_EQ(circle[0].state(), State::live);
    EXPECT_EQ(circle[0].size("alpha"), 6u);
    circle.append(0, log::kHeads);
    circle.run();
    EXPECT_TRUE(circle[0].is_final("alpha", 7));
    EXPECT_TRUE(circle.convictions.empty());
    EXPECT_TRUE(circle[0].fsck()->empty());
  }
}

TEST(VaultReplicas, GiveUpWhatNobodyElseEverHad) {
  Circle circle(2, Circle::Kind::vault);
  circle.open_all();
  VaultHome& home = circle.vault_home(0);
  const auto state_of_disk = [&] {
    circle.stop(0);
    home.close();
    std::pair now{vault::contents(home.test().folder().path()), vault::read_whole(home.guard_path())};
    home.open();
    circle.start(0);
    return now;
  };
  const auto put_back = [&](const auto& state) {
    circle.stop(0);
    home.close();
    vault::restore(home.test().folder().path(), state.first);
    vault::write_whole(home.guard_path(), state.second);
    home.open();
    circle.start(0);
    circle.link(0, 1);
    circle.run();
  };
  const auto before = state_of_disk();
  circle.link(0, 1);
  circle.run();
  circle.unlink(0, 1);
  const std::string session(32, 'a');
  const EntryView commit = circle.append(0, log::kSessionCommit, {"bravo"}, Json::Object{{"v", 1}}, session);
  for (int i = 0; i < 6; ++i) circle.append(0, log::kCanarySet);
  const auto copy = state_of_disk();
  put_back(before);
  for (int i = 0; i < 3; ++i) circle.append(0, log::kHeads);
  circle.run();
  put_back(copy);
  EXPECT_TRUE(circle.convictions.empty());
  EXPECT_EQ(circle[0].state(), State::live);
  EXPECT_EQ(circle[0].size("alpha"), 4u);
  EXPECT_TRUE(circle[0].fsck()->empty());
  EXPECT_FALSE(home.store().entry_body(commit.leaf_hash)->has_value());
  EXPECT_FALSE(home.store().step(circle.keys[0].log.name, {"alpha", session, commit.entry.type})->has_value());
  circle.append(0, log::kSessionCommit, {"bravo"}, Json::Object{{"v", 1}}, session);
  circle.run();
  EXPECT_TRUE(circle[0].is_final("alpha", 5));
  EXPECT_EQ(home.guard().head().size, 5u);
}

TEST(VaultReplicas, CutNoLogOfOthersAndNoneBeyondItsEnd) {
  Circle circle(2, Circle::Kind::vault);
  circle.open_all();
  circle.append(1, log::kHeads);
  circle.run();
  vault::Vault& vault = circle.vault_home(0).vault();
  EXPECT_FAILS(vault.cut_log(circle.keys[1].log.name, 1, {}), Errc::internal);
  EXPECT_FAILS(vault.cut_log(circle.keys[0].log.name, 2, {}), Errc::internal);
  EXPECT_EQ(vault.log_head(circle.keys[1].log.name)->size, 2u);
}

TEST(VaultReplicas, ForgetTheGuardWhenAnOperatorTakesTheRisk) {
  Circle circle(2, Circle::Kind::vault);
  circle.open_all();
  circle.stop(0);
  ASSERT_OK(circle.homes[0]->guard().advance({100, Digest{std::byte{1}}}));
  circle.start(0);
  EXPECT_EQ(circle[0].state(), State::amnesia);
  ASSERT_OK(circle[0].accept_fork_risk());
  circle.append(0, log::kHeads);
  EXPECT_EQ(circle.homes[0]->guard().head().size, 2u);
  circle.restart(0);
  EXPECT_EQ(circle.homes[0]->guard().head().size, 2u);
}

TEST(VaultReplicas, ConvictAnOwnerThatForksAndKeepBothBranches) {
  Circle circle(3, Circle::Kind::vault);
  circle.stop(0);
  circle.link(1, 2);
  circle.run();
  circle.append(1, log::kLogOpen);
  circle.append(2, log::kLogOpen);
  circle.run();
  circle.unlink(1, 2);
  Branch one(circle.members[0]);
  one.append(log::kLogOpen, {}, {"*"});
  Branch other = one;
  one.append(log::kHeads);
  other.append(log::kCanarySet);
  ASSERT_OK(circle.deliver({0, 1, message_of(one.push("bravo"))}));
  ASSERT_OK(circle.deliver({0, 2, message_of(other.push("carol"))}));
  circle.link(1, 2);
  circle.run();
  for (const std::size_t i : {1u, 2u}) {
    ASSERT_EQ(circle.convictions[i].size(), 1u);
    circle.restart(i);
    EXPECT_FAILS(circle[i].trusted("alpha"), Errc::policy);
    const auto row = circle.homes[i]->store().fault(circle.keys[0].log.name);
    ASSERT_OK(row);
    ASSERT_TRUE(row->has_value());
    EXPECT_OK(log::verify_fault((*row)->fault, circle.keys));
    EXPECT_FALSE((*row)->branch.empty());
  }
}

TEST(VaultReplicas, PutDamagedRowsRightOutOfAPeersCopy) {
  Circle circle(2, Circle::Kind::vault);
  circle.open_all();
  for (int i = 0; i < 9; ++i) circle.append(0, log::kHeads);
  circle.run();
  // A row that its page's key vouches for and the tree does not: the repair's own path writes it.
  const auto good = circle.homes[1]->store().leaves(circle.keys[0].log.name, 4, 1);
  ASSERT_OK(good);
  vault::LogLeaf bad = good->front();
  bad.note[40] ^= 1;
  const auto node = circle.homes[1]->store().nodes(circle.keys[0].log.name, std::vector<log::TreeNode>{{0, 4}});
  ASSERT_OK(node);
  ASSERT_OK(circle.vault_home(1).vault().repair_log(circle.keys[0].log.name, 4, std::vector{bad}, *node, {}));
  const auto defects = circle[1].fsck();
  ASSERT_OK(defects);
  ASSERT_FALSE(defects->empty());
  EXPECT_EQ(defects->front().seq, 4u);
  EXPECT_TRUE(circle[1].damaged("alpha"));
  circle.link(0, 1);
  circle.run();
  EXPECT_FALSE(circle[1].damaged("alpha"));
  EXPECT_TRUE(circle[1].fsck()->empty());
  EXPECT_FAILS(circle.vault_home(1).vault().repair_log(circle.keys[0].log.name, 9, std::vector{bad, bad}, *node, {}),
               Errc::internal);
}

// As after a page that was put back: the log says how many entries it has, and the last of them are not there.
TEST(VaultReplicas, PutRowsRightThatAreMissingAtTheEnd) {
  Circle circle(2, Circle::Kind::vault);
  circle.open_all();
  for (int i = 0; i < 9; ++i) circle.append(0, log::kHeads);
  circle.run();
  for (const std::size_t i : {0u, 1u}) {
    SCOPED_TRACE(i);
    circle.stop(i);
    circle.vault_home(i).close();
    vault::execute_in(circle.vault_home(i).test(), "DELETE FROM log_leaves WHERE seq>=7");
    circle.vault_home(i).open();
    circle.start(i);
    ASSERT_TRUE(circle[i].damaged("alpha"));
    ASSERT_OK(circle[i].to_send(circle.nick(1 - i)));
    circle.link(0, 1);
    circle.run();
    EXPECT_FALSE(circle[i].damaged("alpha"));
    EXPECT_TRUE(circle[i].fsck()->empty());
    EXPECT_EQ(circle[i].size("alpha"), 10u);
  }
}

TEST(VaultReplicas, FindEveryHashOfATreeAtItsPlace) {
  Circle circle(2, Circle::Kind::vault);
  circle.open_all();
  for (int i = 0; i < 40; ++i) circle.append(0, log::kHeads);
  const std::string origin = circle.keys[0].log.name;
  const auto rows = circle.homes[0]->store().leaves(origin, 0, 100);
  std::vector<Digest> hashes;
  for (const auto& row : *rows) hashes.push_back(row.hash);
  log::MerkleTree tree(hashes);
  StoredTree stored(circle.homes[0]->store(), origin);
  for (std::uint64_t size = 1; size <= hashes.size(); ++size)
    EXPECT_EQ(*log::tree_root(stored, size), *log::tree_root(tree, size)) << size;
}

}  // namespace
}  // namespace parley::mirror
