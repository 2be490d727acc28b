// Whatever is changed in the operator log shows: clumsily by itself, cleverly by the heads that others hold.
#include "operators/verify.h"

#include "operators/testing.h"

namespace parley::operators {
namespace {

/// Records 0 and 1 register ann and bob; then each acts in turn, two records an act.
class VerifyTest : public testing::Test, public TwoOperators {
 protected:
  VerifyTest() {
    register_both();
    for (int i = 0; i < 5; ++i) {
      EXPECT_OK(act(i % 2 == 0 ? ann : bob, std::to_string(i)));
      heads.push_back(held(log(), static_cast<std::uint64_t>(i)));
    }
  }
  // The first fault's record, after `statements`.
  std::optional<std::uint64_t> first_wrong(const std::string& statements, bool with_heads) {
    const auto before = vault::contents(files.folder().path());
    tamper(statements);
    const Verdict found =
        verdict(with_heads ? std::span<const PublishedHead>(heads) : std::span<const PublishedHead>());
    close();
    vault::restore(files.folder().path(), before);
    for (const Fault& fault : found.faults) EXPECT_TRUE(fault.why.ends_with('.')) << fault.why;
    return found.faults.empty() ? std::nullopt : std::optional(found.faults.front().record);
  }

  std::vector<PublishedHead> heads;
};

TEST_F(VerifyTest, FindsNothingWhereNothingWasChanged) {
  const Verdict found = verdict(heads);
  EXPECT_TRUE(found.faults.empty());
  EXPECT_EQ(found.records, 12u);
  EXPECT_EQ(found.heads, 5u);
  EXPECT_EQ(found.vouched, 12u);
  EXPECT_EQ(found.holders, std::vector<std::string>{"bravo"});
  EXPECT_TRUE(found.unfinished.empty());
}

TEST_F(VerifyTest, NamesTheRecordThatWasChangedOrRemoved) {
  for (std::uint64_t record = 0; record < 12; ++record) {
    const std::string which = " WHERE seq=" + std::to_string(record);
    EXPECT_EQ(first_wrong("UPDATE operator_log SET record=replace(record, '\"v\":1', '\"v\":2')" + which, false),
              record);
    EXPECT_EQ(first_wrong("UPDATE operator_log SET record=replace(record, '\"time\":1', '\"time\":2')" + which, false),
              record);
    EXPECT_EQ(first_wrong("UPDATE operator_log SET signature=x'" + std::string(128, '0') + "'" + which, false), record);
    EXPECT_EQ(first_wrong("DELETE FROM operator_log" + which, false), record);
  }
}

TEST_F(VerifyTest, TellsOfActsWithoutAnOutcome) {
  ASSERT_OK(log().begin(Act::read, "show", Digest{}, ann));
  EXPECT_EQ(verdict().unfinished, std::vector<std::uint64_t>{12});
}

// Who has the vault's key and a program of their own can write a whole log that holds together, where no other
// operator's signature stands in the way. The heads still say what it was.
class Forger : public VerifyTest {
 protected:
  /// A log of another vault with the same keys: ann has written all of it anew, with one act left out or put in.
  void rewrite(int acts_of_ann) {
    tamper("DELETE FROM operator_log; DELETE FROM settings WHERE name='operator-log'");
    EXPECT_OK(log().add("ann", ann.key(), nobody));
    for (int i = 0; i < acts_of_ann; ++i) EXPECT_OK(act(ann, std::to_string(i)));
  }
};

TEST_F(Forger, IsFoundByTheHeadsThoughTheLogHoldsTogether) {
  for (const int acts : {0, 4, 5, 6, 20}) {
    rewrite(acts);
    EXPECT_TRUE(verdict().faults.empty()) << "by itself it shows nothing";
    const Verdict found = verdict(heads);
    ASSERT_FALSE(found.faults.empty()) << acts;
    EXPECT_EQ(found.faults.front().record, 0u) << "nothing before the first head is vouched for";
    EXPECT_EQ(found.heads, 0u);
  }
}

TEST_F(Forger, CannotTakeBackTheNewestRecordsByAnOlderVault) {
  const auto older = vault::contents(files.folder().path());
  ASSERT_OK(act(ann));
  heads.push_back(held(log(), 5));
  close();
  vault::restore(files.folder().path(), older);
  reopen();
  EXPECT_TRUE(verdict().faults.empty());
  Verdict found = verdict(heads);
  ASSERT_EQ(found.faults.size(), 1u);
  EXPECT_EQ(found.faults[0].record, 12u);
  EXPECT_NE(found.faults[0].why.find("bravo"), std::string::npos) << found.faults[0].why;
  ASSERT_OK(act(bob));
  found = verdict(heads);
  ASSERT_EQ(found.faults.size(), 1u);
  EXPECT_EQ(found.faults[0].record, 12u) << "going on from there does not heal it";
}

TEST_F(Forger, CannotAddARecordThatIsOlderThanAHeadThatDoesNotHaveIt) {
  heads.push_back(held(log(), 5, wall_clock_now() + 3600));
  ASSERT_OK(act(ann));
  const Verdict found = verdict(heads);
  ASSERT_EQ(found.faults.size(), 1u);
  EXPECT_EQ(found.faults[0].record, 12u);
  EXPECT_NE(found.faults[0].why.find("was added later"), std::string::npos);
}

TEST_F(Forger, CannotPassOffAHeadOfItsOwnMaking) {
  TwoOperators other;
  EXPECT_OK(other.act(other.nobody));
  heads.push_back(held(other.log(), 5));
  EXPECT_EQ(verdict(heads).faults.size(), 1u) << "another vault's";
  heads.back().head.reset();
  EXPECT_EQ(verdict(heads).faults.size(), 1u) << "none at all";
  heads.back() = heads[2];
  heads.back().head->commitment[0] ^= std::byte{1};
  EXPECT_EQ(verdict(heads).faults.size(), 1u) << "an altered one";
}

TEST_F(VerifyTest, DoesNotShowOthersWhetherAnythingWasDone) {
  const HiddenHead one = log().head(), same = log().head();
  EXPECT_NE(one.commitment, same.commitment) << "each head has a salt of its own";
  EXPECT_NE(one.opening, same.opening);
  EXPECT_EQ(log().open_head(one)->size, log().open_head(same)->size);
  EXPECT_EQ(HiddenHead::from_json(one.to_json())->opening, one.opening);
  EXPECT_FALSE(HiddenHead::from_json(log::Json::Object{{"head", ""}, {"opening", ""}}));
}

}  // namespace
}  // namespace parley::operators
