// What comes of an owner that cheats: a fault that anybody can check, a log that stays as it was, and nobody else
// accused.
#include "circle.h"

namespace parley::mirror {
namespace {

/// Alpha is not there: what it sends is made by hand. The others are replicas.
class Cheat : public testing::Test {
 protected:
  Cheat() {
    circle_.stop(0);
    circle_.link(1, 2);
    circle_.link(1, 3);
    circle_.link(2, 3);
    circle_.run();
    for (const std::size_t i : {1u, 2u, 3u}) circle_.append(i, log::kLogOpen);
    circle_.run();
    branch_.append(log::kLogOpen, {}, {"*"});
    branch_.append(log::kHeads, {}, {"*"});
    branch_.append(log::kSessionCommit, log::session_name('a'), {"*"});
  }
  Status push(const Branch& branch, std::size_t to, std::size_t from = 0) {
    return give(to, branch.push(Circle::nick(to), from, branch.leaves.size()));
  }
  Status give(std::size_t to, const Content& content) { return circle_.deliver({0, to, message_of(content)}); }
  /// Who holds alpha to be convicted, of what.
  void expect_convicted(std::initializer_list<std::size_t> by, log::FaultKind kind) {
    for (const std::size_t i : by) {
      ASSERT_EQ(circle_.convictions[i].size(), 1u) << Circle::nick(i);
      const Conviction& conviction = circle_.convictions[i][0];
      EXPECT_EQ(conviction.accused, "alpha");
      const auto verdict = log::verify_fault(conviction.fault, circle_.keys);
      ASSERT_OK(verdict);
      EXPECT_EQ(log::name_of(verdict->kind), log::name_of(kind));
      EXPECT_FAILS(circle_[i].trusted("alpha"), Errc::policy);
      for (const std::string other : {"bravo", "carol", "dave"}) EXPECT_OK(circle_[i].trusted(other));
    }
  }
  std::uint64_t cosigned(std::size_t by) {
    std::uint64_t size = 0;
    while (circle_[by].held_by(Circle::nick(by), "alpha", size + 1)) ++size;
    return size;
  }

  Circle circle_{4};
  Branch branch_{circle_.members[0]};
};

TEST_F(Cheat, IsBelievedWhileItIsHonest) {
  for (const std::size_t i : {1u, 2u, 3u}) EXPECT_OK(push(branch_, i));
  circle_.run();
  for (const std::size_t i : {1u, 2u, 3u}) EXPECT_EQ(cosigned(i), 3u);
  EXPECT_TRUE(circle_.convictions.empty());
}

TEST_F(Cheat, WithTwoTreesOfOneSizeIsConvictedWhenTwoMembersMeet) {
  circle_.unlink(1, 2);
  Branch other = branch_;
  branch_.append(log::kHeads);
  other.append(log::kCanarySet);
  ASSERT_OK(push(branch_, 1));
  ASSERT_OK(push(other, 2));
  EXPECT_EQ(cosigned(1), 4u);
  EXPECT_EQ(cosigned(2), 4u);
  circle_.reports_faults = false;
  circle_.unlink(1, 3);
  circle_.unlink(2, 3);
  circle_.link(1, 2);
  circle_.run();
  expect_convicted({1, 2}, log::FaultKind::fork_roots);
  EXPECT_EQ(circle_[1].size("alpha"), 4u) << "each keeps its branch";
}

TEST_F(Cheat, WithALongerOtherBranchIsConvictedByTheProofOfItsBeginning) {
  circle_.unlink(1, 2);
  Branch other = branch_;
  branch_.append(log::kHeads);
  for (int i = 0; i < 9; ++i) other.append(log::kCanarySet);
  ASSERT_OK(push(branch_, 1));
  ASSERT_OK(push(other, 2));
  circle_.reports_faults = false;
  circle_.unlink(1, 3);
  circle_.unlink(2, 3);
  circle_.link(1, 2);
  circle_.run();
  ASSERT_EQ(circle_.convictions[1].size(), 1u);
  ASSERT_EQ(circle_.convictions[2].size(), 1u);
  for (const std::size_t i : {1u, 2u}) EXPECT_OK(log::verify_fault(circle_.convictions[i][0].fault, circle_.keys));
  EXPECT_EQ(circle_[1].size("alpha"), 4u);
  EXPECT_EQ(circle_[2].size("alpha"), 12u);
}

TEST_F(Cheat, IsConvictedByTheProofAloneIfNoEntryOfTheOtherBranchArrives) {
  ASSERT_OK(push(branch_, 1));
  Branch other(circle_.members[0]);
  for (const auto* type : {&log::kLogOpen, &log::kCanarySet, &log::kHeads, &log::kHeads, &log::kHeads})
    other.append(*type);
  // What carol would answer to the question for the beginning.
  log::MerkleTree tree(other.hashes);
  const auto path = log::prefix_proof(tree, 3, 5);
  ASSERT_OK(path);
  ASSERT_OK(circle_.deliver({2, 1, message_of(Proof{"alpha", 3, *path, other.checkpoint(5)})}));
  expect_convicted({1}, log::FaultKind::fork_prefix);
}

TEST_F(Cheat, IsAskedForTheBeginningWhereItsEntriesDoNotGoOn) {
  ASSERT_OK(push(branch_, 1));
  Branch other = branch_;
  other.hashes[1] = log::leaf_hash(as_bytes("another"));
  other.append(log::kHeads);
  auto outcome = circle_[1].take("alpha", message_of(other.push("bravo", 3, 4)), kNow);
  ASSERT_OK(outcome);
  ASSERT_FALSE(outcome->replies.empty());
  EXPECT_EQ(content_of<Get>(outcome->replies.front()), (Get{Get::What::prefix, "alpha", 3, 1}));
  EXPECT_EQ(circle_[1].size("alpha"), 3u);
  EXPECT_EQ(cosigned(1), 3u);
}

TEST_F(Cheat, WhoRewritesAnEntryIsConvictedAtOnce) {
  ASSERT_OK(push(branch_, 1));
  Branch other(circle_.members[0]);
  other.append(log::kLogOpen, {}, {"*"});
  other.append(log::kCanarySet, {}, {"*"});
  ASSERT_OK(push(other, 1));
  circle_.run();
  expect_convicted({1, 2, 3}, log::FaultKind::rewritten_entry);
  EXPECT_EQ(circle_[1].size("alpha"), 3u);
}

TEST_F(Cheat, WhoTakesAStepTwiceIsConvicted) {
  Branch twice = branch_;
  twice.append(log::kHeads);
  twice.append(log::kSessionCommit, log::session_name('a'), {"*"});
  ASSERT_OK(push(branch_, 1));
  ASSERT_OK(push(twice, 1));  // against the store
  ASSERT_OK(push(twice, 2));  // within one push
  expect_convicted({1, 2}, log::FaultKind::double_step);
  EXPECT_EQ(circle_[1].size("alpha"), 3u) << "the entries that convict are not taken into the log";
  EXPECT_EQ(circle_[2].size("alpha"), 0u);
}

TEST_F(Cheat, WhoGoesOnBeyondItsSealIsConvicted) {
  branch_.append(log::kLogSeal);
  ASSERT_OK(push(branch_, 1));
  ASSERT_OK(push(branch_, 2));
  ASSERT_OK(push(branch_, 3));
  Branch beyond = branch_;
  beyond.append(log::kHeads);
  ASSERT_OK(push(beyond, 1, 4));
  expect_convicted({1}, log::FaultKind::sealed_extended);
  ASSERT_OK(give(2, Heads{{{"alpha", beyond.checkpoint(5)}}, false}));  // the larger tree is enough
  expect_convicted({2}, log::FaultKind::sealed_extended);
  EXPECT_EQ(cosigned(1), 4u);
}

TEST_F(Cheat, WhoAntedatesIsConvicted) {
  ASSERT_OK(push(branch_, 1));
  log::Entry early = branch_.next(log::kHeads);
  early.time -= 1000;
  branch_.append(early);
  ASSERT_OK(push(branch_, 1, 3));
  expect_convicted({1}, log::FaultKind::antedated);
}

TEST_F(Cheat, IsConvictedByEverybodyOnceOneReportsIt) {
  for (const std::size_t i : {1u, 2u, 3u}) ASSERT_OK(push(branch_, i));
  Branch other = branch_;
  branch_.append(log::kHeads);
  ASSERT_OK(push(branch_, 1, 3));
  other.append(log::kCanarySet);
  ASSERT_OK(give(1, Cosig{"alpha", other.checkpoint(4)}));
  circle_.run();
  expect_convicted({1, 2, 3}, log::FaultKind::fork_roots);
  EXPECT_EQ(circle_[3].size("bravo"), 2u) << "with the fault in the log of who found it";
}

TEST_F(Cheat, StaysConvictedAfterARestart) {
  ASSERT_OK(push(branch_, 1));
  Branch other(circle_.members[0]);
  other.append(log::kLogOpen, {}, {"*"});
  other.append(log::kCanarySet, {}, {"*"});
  ASSERT_OK(push(other, 1));
  circle_.restart(1);
  EXPECT_FAILS(circle_[1].trusted("alpha"), Errc::policy);
  EXPECT_EQ(circle_[1].convictions().size(), 1u);
  const auto row = circle_.disk(1).fault(circle_.keys[0].log.name);
  ASSERT_TRUE(row->has_value());
  EXPECT_EQ(content_of<Push>({MessageType::push, (*row)->branch}), other.push("bravo")) << "both branches are kept";
}

TEST_F(Cheat, IsNotCosignedNorFollowedAfterItsConviction) {
  ASSERT_OK(push(branch_, 1));
  Branch other(circle_.members[0]);
  other.append(log::kLogOpen, {}, {"*"});
  other.append(log::kCanarySet, {}, {"*"});
  ASSERT_OK(push(other, 1));
  branch_.append(log::kHeads);
  ASSERT_OK(push(branch_, 1, 3));
  EXPECT_EQ(cosigned(1), 3u);
  EXPECT_EQ(circle_[1].size("alpha"), 3u);
}

// --- what is wrong and proves nothing: refused, and nothing changes ------------------------------------------------

class Refused : public Cheat {
 protected:
  Refused() {
    EXPECT_OK(push(branch_, 1));
    commits_ = circle_.disk(1).commits;
  }
  void expect_refused(const Content& content, Errc code, std::size_t from = 0) {
    EXPECT_FAILS(circle_.deliver({from, 1, message_of(content)}), code);
    EXPECT_EQ(circle_.disk(1).commits, commits_);
    EXPECT_TRUE(circle_.convictions.empty());
    EXPECT_OK(circle_[1].trusted("alpha"));
    EXPECT_EQ(circle_[1].size("alpha"), 3u);
  }
  std::uint64_t commits_ = 0;
};

TEST_F(Refused, IsAWrongBody) {
  branch_.append(log::kHeads, {}, {"*"});
  Push bad = branch_.push("bravo", 3, 4);
  bad.bodies[0].body.text = "{}";
  expect_refused(bad, Errc::signature);
  bad = branch_.push("bravo", 3, 4);
  bad.bodies[0].body.salt[5] ^= std::byte{1};
  expect_refused(bad, Errc::signature);
}

TEST_F(Refused, IsABodyThatIsNotForTheReceiver) {
  branch_.append(log::kHeads, {}, {"carol"});
  expect_refused(branch_.push("carol", 3, 4), Errc::protocol);
  ASSERT_OK(give(1, branch_.push("bravo", 3, 4)));
  commits_ = circle_.disk(1).commits;
  EXPECT_FAILS(give(1, EntryBody{"alpha", 3, branch_.bodies[3]}), Errc::protocol);
  EXPECT_EQ(circle_.disk(1).commits, commits_);
}

TEST_F(Refused, IsAForeignLeaf) {
  Branch bravos(circle_.members[2]);
  bravos.append(log::kLogOpen);
  Push bad = branch_.push("bravo");
  bad.leaves[2] = bravos.leaves[0];
  expect_refused(bad, Errc::signature);
  branch_.append(log::kHeads);
  bad = branch_.push("bravo", 3, 4);
  bad.leaves[0] = bravos.leaves[0];
  expect_refused(bad, Errc::signature);
}

TEST_F(Refused, IsACheckpointOfAnotherSizeOrByAnotherKey) {
  branch_.append(log::kHeads);
  Push bad = branch_.push("bravo", 3, 4);
  bad.checkpoint = branch_.checkpoint(3);
  expect_refused(bad, Errc::protocol);
  bad.checkpoint = circle_.members[2].sign(log::Checkpoint{branch_.owner->keys.log.name, 4, Digest{}});
  expect_refused(bad, Errc::signature);
  expect_refused(Heads{{{"alpha", bad.checkpoint}}, false}, Errc::signature);
}

// A line names its key by four bytes. Whoever hands it on may have been shown another key of its cosigner's than we
// were, one with the same id: were the note refused, neither would hear anything of the other any more.
TEST_F(Refused, IsNoNoteForALineThatDoesNotVerify) {
  const auto checkpoint = *log::read_checkpoint(branch_.checkpoint(3), circle_.keys[0].log);
  auto forged = circle_.members[2].cosigned(checkpoint, kNow);
  forged.signature.back() ^= std::byte{1};
  auto note = *log::parse_note(branch_.checkpoint(3));
  note.signatures.push_back(forged);
  ASSERT_OK(circle_.deliver({0, 1, message_of(Cosig{"alpha", log::write_note(note)})}));
  EXPECT_FALSE(circle_[1].held_by("carol", "alpha", 3)) << "it does not count";
  note.signatures.push_back(circle_.members[2].cosigned(checkpoint, kNow));
  ASSERT_OK(circle_.deliver({0, 1, message_of(Heads{{{"alpha", log::write_note(note)}}, false})}));
  EXPECT_TRUE(circle_[1].held_by("carol", "alpha", 3)) << "and the one that verifies does, behind it";
  ASSERT_OK(circle_[1].flush());
  const std::string& kept = circle_.disk(1).disk.logs.at(circle_.keys[0].log.name).cosignatures.at(3).at("carol");
  EXPECT_THAT(log::write_note({note.text, {note.signatures.back()}}), testing::HasSubstr(kept));
}

// It may have been one when that was written.
TEST_F(Refused, IsNoEntryForBeingToSomebodyWhoIsNoMember) {
  branch_.append(log::kHeads, {}, {"zulu"});
  EXPECT_OK(circle_[1].take("alpha", message_of(branch_.push("bravo", 3, 4)), kNow));
  EXPECT_EQ(circle_[1].size("alpha"), 4u);
}

TEST_F(Refused, IsALogOfNobody) {
  expect_refused(Get{Get::What::entries, "zulu", 0, 1}, Errc::not_found);
  expect_refused(Heads{{{"zulu", branch_.checkpoint(3)}}, false}, Errc::not_found);
}

TEST_F(Refused, IsAProofThatDoesNotLeadToItsTree) {
  expect_refused(Proof{"alpha", 2, {branch_.hashes[0]}, branch_.checkpoint(3)}, Errc::format);
  expect_refused(Proof{"alpha", 3, {}, branch_.checkpoint(3)}, Errc::format);
}

TEST_F(Cheat, AccusingOthersFalselyConvictsNobody) {
  Branch honest(circle_.members[1]);
  honest.append(log::kLogOpen);
  honest.append(log::kHeads);
  const log::Fault forged{.kind = log::FaultKind::fork_roots,
                          .accused = "bravo",
                          .checkpoints = {honest.checkpoint(1), honest.checkpoint(2)},
                          .entries = {},
                          .leaves = {},
                          .prefix = {},
                          .bodies = {}};
  for (const std::string& text : {std::string("parley/fault/v1\n{}\n"), log::write_fault(forged), std::string()})
    branch_.append(log::kFault, {}, {"*"}, Replica::fault_draft({"bravo", text, ""}).body);
  branch_.append(log::kFault, {}, {"*"}, Json::Object{{"fault", 7}});
  ASSERT_OK(push(branch_, 2));
  EXPECT_TRUE(circle_.convictions.empty());
  EXPECT_OK(circle_[2].trusted("bravo"));
  EXPECT_EQ(cosigned(2), 7u) << "a false claim is an entry like any other";
}

// --- bodies that are missing ---------------------------------------------------------------------------------------

TEST_F(Cheat, WithholdingABodyGetsNoCosignatureUntilItComes) {
  Push bare = branch_.push("bravo");
  std::erase_if(bare.bodies, [](const auto& body) { return body.seq == 1; });
  circle_.unlink(1, 2);
  circle_.unlink(1, 3);
  ASSERT_OK(give(1, bare));
  EXPECT_EQ(circle_[1].size("alpha"), 3u) << "the entries are kept";
  EXPECT_EQ(cosigned(1), 0u);
  circle_.restart(1);
  circle_.link(1, 2);
  circle_.link(1, 3);
  circle_.run();
  ASSERT_EQ(circle_[1].state(), State::live);
  EXPECT_EQ(cosigned(1), 0u);
  ASSERT_OK(give(1, EntryBody{"alpha", 1, branch_.bodies[1]}));
  EXPECT_EQ(cosigned(1), 3u);
  EXPECT_EQ(circle_.entries[1].back().entry.seq, 1u);
}

TEST_F(Cheat, WithholdingABodyIsMadeGoodByAMirrorThatHasIt) {
  ASSERT_OK(push(branch_, 2));
  circle_.unlink(1, 2);
  Push bare = branch_.push("bravo");
  bare.bodies.clear();
  ASSERT_OK(give(1, bare));
  EXPECT_EQ(cosigned(1), 0u);
  circle_.link(1, 2);
  circle_.run();
  EXPECT_EQ(cosigned(1), 3u);
}

TEST_F(Cheat, SendingDifferentEntriesToDifferentMembersIsFoundAtTheFirstMeeting) {
  const std::uint64_t seed = vault::test_seed();
  SCOPED_TRACE(seed);
  Dice dice(seed);
  for (int round = 0; round < 60; ++round) {
    Circle circle(3);
    circle.stop(0);
    circle.link(1, 2);
    circle.run();
    circle.append(1, log::kLogOpen);
    circle.append(2, log::kLogOpen);
    circle.run();
    circle.unlink(1, 2);
    Branch common(circle.members[0]);
    common.append(log::kLogOpen, {}, {"*"});
    for (std::size_t i = dice.below(6); i > 0; --i) common.append(log::kHeads, {}, {"*"});
    Branch one = common;
    Branch other = common;
    for (std::size_t i = 1 + dice.below(6); i > 0; --i) one.append(log::kHeads);
    for (std::size_t i = 1 + dice.below(6); i > 0; --i) other.append(log::kCanarySet);
    // In one push, or entry by entry.
    for (std::size_t from = 0; from < one.leaves.size();) {
      const std::size_t to = dice.one_in(2) ? one.leaves.size() : from + 1;
      ASSERT_OK(circle.deliver({0, 1, message_of(one.push("bravo", from, to))}));
      from = to;
    }
    ASSERT_OK(circle.deliver({0, 2, message_of(other.push("carol"))}));
    circle.link(1, 2);
    circle.run();
    ASSERT_EQ(circle.convictions[1].size(), 1u) << "seed " << seed << " round " << round;
    ASSERT_EQ(circle.convictions[2].size(), 1u) << "seed " << seed << " round " << round;
    for (const std::size_t i : {1u, 2u}) {
      ASSERT_OK(log::verify_fault(circle.convictions[i][0].fault, circle.keys));
      ASSERT_EQ(circle.convictions[i][0].accused, "alpha");
    }
  }
}

}  // namespace
}  // namespace parley::mirror
