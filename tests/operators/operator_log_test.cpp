// No record, no act; nobody's name without their key; and what needs two persons is not for one.
#include "operators/operator_log.h"

#include <thread>

#include "operators/testing.h"

namespace parley::operators {
namespace {

class OperatorLogTest : public testing::Test, public TwoOperators {};

std::vector<Record> records(vault::Vault& vault) {
  std::vector<Record> all;
  const auto rows = vault.operator_records(0, 1000);
  for (const vault::OperatorRow& row : *rows) all.push_back(*read_record(row.record));
  return all;
}

TEST_F(OperatorLogTest, HasAnActBeforeItIsDoneAndThenHowItEnded) {
  register_both();
  const auto begun = log().begin(Act::export_, "export", Digest{}, ann);
  ASSERT_OK(begun);
  EXPECT_EQ(vault().operator_records(begun->seq, 1)->size(), 1u) << "before anything is done";
  ASSERT_OK(log().end(*begun, "done"));
  reopen();
  const auto all = records(vault());
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[2].by, "ann");
  EXPECT_EQ(all[2].act, Act::export_);
  EXPECT_EQ(all[3].by, kNodeName);
  EXPECT_EQ(all[3].of, 2u);
  EXPECT_EQ(log().size(), 4u);
  EXPECT_TRUE(verdict().faults.empty());
}

TEST_F(OperatorLogTest, RecordsWhatIsDoneWhereOperatorsAreNotToldApart) {
  ASSERT_OK(act(nobody));
  ASSERT_OK(act(ann)) << "a name that nobody vouches for is not written down";
  for (const Record& record : records(vault())) EXPECT_NE(record.by, "ann");
  EXPECT_EQ(ann.asked, 0);
}

TEST_F(OperatorLogTest, RefusesWhoIsNoOperatorOnceThereAreSome) {
  register_both();
  Person eve("eve"), node{std::string(kNodeName)}, false_ann("ann");
  EXPECT_FAILS(act(nobody), Errc::policy);
  EXPECT_FAILS(act(eve), Errc::policy);
  EXPECT_FAILS(act(node), Errc::policy);
  EXPECT_FAILS(act(false_ann), Errc::passphrase);
  EXPECT_FAILS(log().add("eve", eve.key(), nobody), Errc::policy);
  EXPECT_FAILS(log().add("eve", eve.key(), false_ann), Errc::passphrase);
  EXPECT_EQ(records(vault()).size(), 2u) << "nothing of it is on record, since nothing of it was done";
}

TEST_F(OperatorLogTest, NeverHasTwoOperatorsOfOneKeyOrName) {
  register_both();
  Person eve("eve");
  EXPECT_FAILS(log().add("ann", eve.key(), bob), Errc::exists);
  EXPECT_FAILS(log().add("ann again", ann.key(), bob), Errc::exists);
  EXPECT_FAILS(log().add(std::string(kNodeName), eve.key(), bob), Errc::usage);
  EXPECT_FAILS(log().add("", eve.key(), bob), Errc::usage);
  EXPECT_FAILS(log().add("e\u202eve", eve.key(), bob), Errc::usage);
  EXPECT_FAILS(log().add(std::string(kMaxNameBytes + 1, 'e'), eve.key(), bob), Errc::usage);
}

TEST_F(OperatorLogTest, KeepsTheLastOperator) {
  register_both();
  ASSERT_OK(log().remove("bob", ann));
  EXPECT_FAILS(log().remove("ann", ann), Errc::policy);
  EXPECT_FAILS(log().remove("bob", ann), Errc::not_found);
  EXPECT_FAILS(act(bob), Errc::policy);
}

TEST_F(OperatorLogTest, GivesSubjectsThatTellNothingWithoutTheVault) {
  const Digest one = log().subjects().of("session", "aa"), same = log().subjects().of("session", "aa");
  EXPECT_EQ(one, same);
  EXPECT_NE(one, log().subjects().of("group", "aa"));
  EXPECT_NE(log().subjects().of("a", "bc"), log().subjects().of("ab", "c"));
  TwoOperators other;
  EXPECT_NE(one, other.log().subjects().of("session", "aa")) << "another vault, another key";
}

TEST_F(OperatorLogTest, SignsAnewWhatWasOvertakenWhileItsOperatorTyped) {
  register_both();
  class Slow final : public Signer {
   public:
    Slow(Person& person, OperatorLog& log) : person_(person), log_(log) {}
    Result<std::string> name() override { return person_.name(); }
    Result<crypto::Signature> sign(const OperatorKey& key, std::string_view record) override {
      if (++asked == 1) {
        EXPECT_OK(log_.begin_by_node(Act::session, "accept by rule 1", Digest{}));
      }
      return person_.sign(key, record);
    }
    int asked = 0;

   private:
    Person& person_;
    OperatorLog& log_;
  } slow(ann, log());
  const auto begun = log().begin(Act::read, "show", Digest{}, slow);
  ASSERT_OK(begun);
  EXPECT_EQ(slow.asked, 2);
  EXPECT_EQ(begun->seq, 3u);
  EXPECT_TRUE(verdict().faults.empty());
}

TEST_F(OperatorLogTest, TakesRecordsOfSeveralThreads) {
  register_both();
  std::vector<std::thread> threads;
  for (Person* person : {&ann, &bob})
    threads.emplace_back([&, person] {
      for (int i = 0; i < 10; ++i) EXPECT_OK(act(*person));
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(log().size(), 42u);
  EXPECT_TRUE(verdict().faults.empty());
}

TEST_F(OperatorLogTest, RefusesEveryActOnceItsRecordsAreNotThoseThatWereCounted) {
  register_both();
  ASSERT_OK(act(ann));
  for (const char* change :
       {"DELETE FROM operator_log WHERE seq=3",
        "UPDATE operator_log SET record=replace(record, 'done', 'gone') WHERE "
        "seq=3",
        "UPDATE operator_log SET signature=x'00' WHERE seq=3", "DELETE FROM settings WHERE name='operator-log'",
        "UPDATE settings SET value='{}' WHERE name='operator-log'",
        "INSERT INTO operator_log SELECT 4, record, signature FROM operator_log WHERE seq=3"}) {
    SCOPED_TRACE(change);
    close();
    const auto before = vault::contents(files.folder().path());
    tamper(change);
    EXPECT_FALSE(act(ann));
    EXPECT_FALSE(log().begin_by_node(Act::session, "accept", Digest{}));
    EXPECT_FALSE(verdict().faults.empty());
    tamper("SELECT 1");
    EXPECT_FALSE(act(ann)) << "and it stays so";
    close();
    vault::restore(files.folder().path(), before);
    reopen();
    ASSERT_OK(log().begin_by_node(Act::session, "accept", Digest{}));
    close();
    vault::restore(files.folder().path(), before);
  }
}

// --- two persons ----------------------------------------------------------------------------------------------------

class TwoPersons : public OperatorLogTest {
 protected:
  TwoPersons() {
    register_both();
    EXPECT_OK(log().set_rule(Rule::reveal, true, ann));
  }
  std::optional<OperatorLog::Waiting> waiting() {
    const auto all = log().waiting();
    EXPECT_OK(all);
    return all && !all->empty() ? std::optional(all->back()) : std::nullopt;
  }
  Person eve{"eve"};
};

TEST_F(TwoPersons, DoWhatOneAsksForAndTheOtherConfirmsOnce) {
  EXPECT_FAILS(log().ask_second(Rule::reveal, "Open it", ann), Errc::policy);
  const auto asked = waiting();
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->words, "Open it");
  EXPECT_FAILS(log().ask_second(Rule::reveal, "Open it", ann), Errc::policy) << "asking again is not enough";
  EXPECT_EQ(log().waiting()->size(), 1u) << "and not another request";
  EXPECT_FAILS(log().confirm(*asked, ann), Errc::policy) << "nobody is two persons";
  EXPECT_FAILS(log().confirm(*asked, eve), Errc::policy);
  ASSERT_OK(log().confirm(*asked, bob));
  EXPECT_FAILS(log().confirm(*asked, bob), Errc::exists);
  EXPECT_FAILS(log().ask_second(Rule::reveal, "Open more", ann), Errc::policy) << "not what was confirmed";
  EXPECT_FAILS(log().ask_second(Rule::reveal, "Open it", bob), Errc::policy) << "not who asked";
  reopen();
  ASSERT_OK(log().ask_second(Rule::reveal, "Open it", ann));
  EXPECT_FAILS(log().ask_second(Rule::reveal, "Open it", ann), Errc::policy) << "once";
  EXPECT_TRUE(verdict().faults.empty());
}

TEST_F(TwoPersons, AreNeededForRevealsInAdvanceTooAndNotForOtherActs) {
  EXPECT_FAILS(log().ask_second(Rule::standing_rule, "Open always", ann), Errc::policy);
  EXPECT_OK(log().ask_second(Rule::audit_export, "Open to an auditor", ann));
  EXPECT_OK(act(ann));
}

TEST_F(TwoPersons, AreNeededToEndTheRule) {
  EXPECT_FAILS(log().set_rule(Rule::reveal, false, ann), Errc::policy);
  EXPECT_TRUE(log().roster().needs_two(Rule::reveal));
  ASSERT_OK(log().confirm(*waiting(), bob));
  EXPECT_FAILS(log().set_rule(Rule::reveal, false, bob), Errc::policy) << "not who asked";
  ASSERT_OK(log().set_rule(Rule::reveal, false, ann));
  EXPECT_FALSE(log().roster().needs_two(Rule::reveal));
}

TEST_F(TwoPersons, AreNeededToMakeAThirdOrToBeOneLess) {
  EXPECT_FAILS(log().add("eve", eve.key(), ann), Errc::policy);
  EXPECT_FALSE(log().roster().is_known("eve"));
  const auto asked = waiting();
  ASSERT_TRUE(asked);
  EXPECT_NE(asked->words.find("eve"), std::string::npos);
  ASSERT_OK(log().confirm(*asked, bob));
  Person mallory("eve");
  EXPECT_FAILS(log().add("eve", mallory.key(), ann), Errc::policy) << "another key than was confirmed";
  ASSERT_OK(log().add("eve", eve.key(), ann));
  EXPECT_FAILS(log().remove("bob", ann), Errc::policy);
  const auto both = log().waiting();
  ASSERT_OK(both);
  ASSERT_TRUE(both->back().words.starts_with("Remove"));
  ASSERT_OK(log().confirm(both->back(), bob));
  ASSERT_OK(log().remove("bob", ann));
  EXPECT_FAILS(log().remove("eve", ann), Errc::policy) << "two stay";
  EXPECT_TRUE(verdict().faults.empty());
}

TEST_F(TwoPersons, CannotBeMadeOfOneByARefusalOrByOthersWords) {
  EXPECT_FAILS(log().ask_second(Rule::reveal, "Open it", ann), Errc::policy);
  ASSERT_OK(log().refuse(*waiting(), bob));
  EXPECT_TRUE(log().waiting()->empty());
  EXPECT_FAILS(log().ask_second(Rule::reveal, "Open it", ann), Errc::policy) << "a new request";
  const std::uint64_t number = waiting()->request.seq;
  tamper("UPDATE settings SET value='Open nothing' WHERE name='operator-request " + std::to_string(number) + "'");
  EXPECT_FAILS(log().waiting(), Errc::vault_damaged) << "nobody confirms what was not asked for";
}

TEST_F(TwoPersons, LeaveNoWordsBehindOfWhatExpired) {
  EXPECT_FAILS(log().ask_second(Rule::reveal, "Open it", ann), Errc::policy);
  const std::string name = "operator-request " + std::to_string(waiting()->request.seq);
  ASSERT_TRUE(vault().setting(name)->has_value());
  // The log goes by the later one of its own time and the clock's.
  tamper("UPDATE settings SET value=json_set(value, '$.time', json_extract(value, '$.time') + " +
         std::to_string(kRequestLifeSeconds) + ") WHERE name='operator-log'");
  ASSERT_OK(act(ann));
  EXPECT_FALSE(vault().setting(name)->has_value());
  EXPECT_FAILS(log().ask_second(Rule::reveal, "Open it", ann), Errc::policy) << "a new request";
}

TEST_F(TwoPersons, NeedTwoOperatorsFirst) {
  TwoOperators alone;
  EXPECT_FAILS(alone.log().set_rule(Rule::reveal, true, alone.nobody), Errc::policy);
  ASSERT_OK(alone.log().add("ann", alone.ann.key(), alone.nobody));
  EXPECT_FAILS(alone.log().set_rule(Rule::reveal, true, alone.ann), Errc::policy);
}

}  // namespace
}  // namespace parley::operators
