// An operator of a member works against it: opens, exports or consents alone, signs as a colleague, and makes the
// record of it go away.
#include <gmock/gmock.h>

#include "base/encoding.h"
#include "operators/testing.h"
#include "support/log_members.h"
#include "support/member.h"

namespace parley::attacks {
namespace {

using operators::OperatorLog;
using ::testing::HasSubstr;

// --- who makes the record go away -----------------------------------------------------------------------------------

/// alpha's node as far as its operators are concerned: its log, tied into the joint log, which bravo and carol hold.
class Office {
 public:
  explicit Office(const LogGroup& group) : log_(group, 0) {
    auto opened = OperatorLog::open(log_.vault());
    EXPECT_OK(opened);
    operators_ = std::move(*opened);
    log_->also_tie([this] {
      return group::JointLog::OwnTree{
          .name = std::string(operators::kHeadName), .size = operators_->size(), .head = operators_->head().to_json()};
    });
  }
  RunningLog& log() { return log_; }
  OperatorLog& operators() { return *operators_; }
  Status act(operators::Signer& person, std::string_view about) {
    TRY(const auto begun,
        operators_->begin(operators::Act::export_, "export", operators_->subjects().of("text", about), person));
    return operators_->end(begun, "done");
  }
  /// Writes a head, and has the others take it.
  void tie(RunningLog& bravo, RunningLog& carol) {
    EXPECT_OK(log_->tie_to_others());
    EXPECT_OK(meet(log_, 1, bravo).first);
    EXPECT_OK(meet(log_, 2, carol).first);
  }
  operators::Verdict verdict() {
    const auto heads = operators::published_heads(log_.vault());
    EXPECT_OK(heads);
    const auto verdict = operators::verify(*operators_, *heads);
    EXPECT_OK(verdict);
    return *verdict;
  }

 private:
  RunningLog log_;
  std::unique_ptr<OperatorLog> operators_;
};

class InsiderWithTheVault : public ::testing::Test {
 protected:
  InsiderWithTheVault() {
    Office alpha(group_);
    EXPECT_OK(meet(alpha.log(), 1, bravo_).first);
    EXPECT_OK(meet(alpha.log(), 2, carol_).first);
    EXPECT_OK(alpha.operators().add("ann", ann_.key(), ann_));
    EXPECT_OK(alpha.operators().add("mallory", mallory_.key(), ann_));
    EXPECT_OK(alpha.act(ann_, "honest work"));
    alpha.tie(bravo_, carol_);
    EXPECT_OK(alpha.act(mallory_, "theft"));
    before_theft_ = 4;
    alpha.tie(bravo_, carol_);
    EXPECT_OK(alpha.act(ann_, "more work"));
    alpha.tie(bravo_, carol_);
    EXPECT_TRUE(alpha.verdict().faults.empty());
    EXPECT_EQ(alpha.verdict().vouched, 8u);
    EXPECT_THAT(alpha.verdict().holders, ::testing::ElementsAre("bravo", "carol"));
  }
  const vault::TestVault& files() const { return group_[0].vault; }

  LogGroup group_{"alpha", "bravo", "carol"};
  RunningLog bravo_{group_, 1}, carol_{group_, 2};
  operators::Person ann_{"ann"}, mallory_{"mallory"};
  std::uint64_t before_theft_ = 0;
};

TEST_F(InsiderWithTheVault, CannotRemoveARecordFromTheTables) {
  vault::execute_in(files(), "DELETE FROM operator_log WHERE seq=4");
  Office alpha(group_);
  const auto verdict = alpha.verdict();
  ASSERT_FALSE(verdict.faults.empty());
  EXPECT_EQ(verdict.faults[0].record, before_theft_);
  EXPECT_THAT(verdict.faults[0].why, HasSubstr("is missing"));
}

TEST_F(InsiderWithTheVault, CannotSayThatItWasSomethingElseOrSomebodyElse) {
  const auto before = vault::contents(group_[0].folder());
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"mallory", "ann"}, {"\"export\"", "\"read\""}}) {
    vault::execute_in(files(), "UPDATE operator_log SET record=replace(record, '" + from + "', '" + to +
                                   "') WHERE seq=" + std::to_string(before_theft_));
    Office alpha(group_);
    const auto verdict = alpha.verdict();
    ASSERT_FALSE(verdict.faults.empty());
    EXPECT_EQ(verdict.faults[0].record, before_theft_);
    vault::restore(group_[0].folder(), before);
  }
}

// With the vault's key and a program of their own: the whole log made anew, as far as no colleague has to sign. What is
// cut off behind the theft is gone from the vault, with the account of it.
TEST_F(InsiderWithTheVault, CannotMakeTheLogAnewWithoutTheOthersHeadsSayingOtherwise) {
  vault::execute_in(files(), "DELETE FROM operator_log; DELETE FROM settings WHERE name='operator-log'");
  Office alpha(group_);
  ASSERT_OK(alpha.operators().add("mallory", mallory_.key(), mallory_));
  ASSERT_OK(alpha.act(mallory_, "honest work"));
  EXPECT_TRUE(operators::verify(alpha.operators(), {})->faults.empty()) << "by itself it shows nothing";
  const auto verdict = alpha.verdict();
  ASSERT_FALSE(verdict.faults.empty());
  EXPECT_EQ(verdict.heads, 0u);
  EXPECT_THAT(verdict.faults[0].why, HasSubstr("bravo, carol"));
}

TEST_F(InsiderWithTheVault, CannotForgetByPuttingAnOlderVaultBack) {
  const auto older = vault::contents(group_[0].folder());
  {
    Office alpha(group_);
    EXPECT_OK(meet(alpha.log(), 1, bravo_).first);
    EXPECT_OK(meet(alpha.log(), 2, carol_).first);
    EXPECT_OK(alpha.act(mallory_, "another theft"));
    alpha.tie(bravo_, carol_);
  }
  vault::restore(group_[0].folder(), older);  // the guard, too
  Office alpha(group_);
  EXPECT_EQ(alpha.verdict().faults.size(), 0u) << "an older disk by itself knows nothing of it";
  EXPECT_EQ(alpha.log().state(), mirror::State::asking) << "and says that nobody was asked";
  EXPECT_OK(meet(alpha.log(), 1, bravo_).first);
  EXPECT_OK(meet(alpha.log(), 2, carol_).first);
  const auto verdict = alpha.verdict();
  ASSERT_FALSE(verdict.faults.empty());
  EXPECT_EQ(verdict.faults[0].record, 8u) << "the first that is not there any more";
  EXPECT_THAT(verdict.faults[0].why, HasSubstr("were removed"));
}

TEST_F(InsiderWithTheVault, CannotDropTheHeadsFromOurOwnLog) {
  // Our own copy of the bodies, and of an entry.
  vault::execute_in(files(), "DELETE FROM log_bodies");
  {
    Office alpha(group_);
    const auto verdict = alpha.verdict();
    ASSERT_FALSE(verdict.faults.empty());
    EXPECT_THAT(verdict.faults[0].why, HasSubstr("its body is not here"));
  }
  vault::execute_in(files(), "UPDATE log_leaves SET note=replace(note, '\"type\":\"heads\"', '\"type\":\"fault\"')");
  Office alpha(group_);
  EXPECT_FALSE(alpha.log().fsck().empty()) << "parley operator verify checks our log first";
}

// --- who opens, exports or consents alone ----------------------------------------------------------------------------

using namespace program;  // the members of these tests are whole programs

/// A member with the operators ann and bob, each with a key file of their own.
class Staff {
 public:
  explicit Staff(const Member& member) : member_(member) {
    register_as("", "ann");
    register_as("ann", "bob");
  }
  Launch launch(const std::string& who, std::vector<std::string> arguments, const std::string& key_of = {}) const {
    Launch launch = member_.launch(std::move(arguments));
    launch.environment["PARLEY_OPERATOR"] = who;
    launch.environment["PARLEY_OPERATOR_KEY_FILE"] =
        (member_.folder() / ((key_of.empty() ? who : key_of) + ".key")).string();
    return launch;
  }
  Ended run(const std::string& who, std::vector<std::string> arguments) const {
    return program::run(launch(who, std::move(arguments)));
  }
  Json json(const std::string& who, std::vector<std::string> arguments) const {
    arguments.push_back("--json");
    const Ended ended = run(who, std::move(arguments));
    EXPECT_EQ(ended.code, 0) << ended.err;
    return Json::parse(ended.out, nullptr, false);
  }
  /// The number of the request that was made last.
  std::string newest_request() const {
    const Json waiting = json("ann", {"operator", "requests"});
    return waiting.empty() ? "none" : std::to_string(waiting.back().at("number").get<int>());
  }

 private:
  void register_as(const std::string& by, const std::string& name) const {
    const Ended key = run(name, {"operator", "key"});
    EXPECT_EQ(key.code, 0) << key.err;
    const Ended added = run(by, {"operator", "add", name, key.out.substr(0, key.out.find('\n')), "--yes"});
    EXPECT_EQ(added.code, 0) << added.err;
  }
  const Member& member_;
};

class InsiderAlone : public ::testing::Test {
 protected:
  InsiderAlone() {
    alpha_.import(table({"ipv4,192.0.2.1,Sednit", "domain,evil.example,Sednit"}, "type,value,malware"));
    bravo_.import(table({"ipv4,192.0.2.1,XAgent", "domain,evil.example,XAgent"}, "type,value,malware"));
    alpha_node_.emplace(alpha_);
    bravo_node_.emplace(bravo_);
    meet(alpha_, "bravo", bravo_, bravo_node_->address(), "alpha", alpha_node_->address());
    id_ = bravo_.json({"ask", "alpha", "--yes"})["session"];
    alpha_node_->logged("parley show " + id_.substr(0, 8) + " has it");
    staff_.emplace(alpha_);
    for (const char* rule : {"reveal", "audit-export"})
      EXPECT_SAYS(staff_->run("ann", {"policy", "two-person", rule, "on"}), 0, "needs two persons");
  }
  Member alpha_{"Alpha CERT"}, bravo_{"Bravo CERT"};
  std::optional<Node> alpha_node_, bravo_node_;
  std::optional<Staff> staff_;
  std::string id_;
};

TEST_F(InsiderAlone, OpensNothingUntilASecondPersonConfirmsIt) {
  const std::vector<std::string> reveal{"reveal", id_, "--fields", "malware", "--yes"};
  EXPECT_SAYS(staff_->run("ann", reveal), 1, "needs a second person");
  EXPECT_EQ(bravo_.json({"inbox"})["reveals"], Json::array()) << "the other side was not even told";
  const std::string request = staff_->newest_request();
  EXPECT_SAYS(staff_->run("ann", {"operator", "confirm", request, "--yes"}), 1, "asked for themselves");
  EXPECT_SAYS(program::run(staff_->launch("bob", {"operator", "confirm", request, "--yes"}, "ann")), 1,
              "not the key file of this operator");
  EXPECT_SAYS(staff_->run("ann", reveal), 1, "needs a second person");
  const Ended confirmed = staff_->run("bob", {"operator", "confirm", request, "--yes"});
  EXPECT_SAYS(confirmed, 0, "the fields malware of all matches");
  EXPECT_SAYS(staff_->run("ann", {"reveal", id_, "--fields", "malware,actor", "--yes"}), 1, "needs a second person");
  EXPECT_SAYS(staff_->run("ann", reveal), 0, "has not agreed yet");
  EXPECT_EQ(bravo_.json({"inbox"})["reveals"][0]["by"], "ann");
  EXPECT_SAYS(bravo_.run(reveal), 0, "on 2 match(es), received 2 on 2;");
  alpha_node_->logged("opened 2, received 2");
  EXPECT_SAYS(staff_->run("bob", {"operator", "verify"}), 0, "bravo-cert");
  const Json by_node = staff_->json("bob", {"operator", "log", "--by", "node", "--about", id_});
  EXPECT_FALSE(by_node.empty()) << "what the node opened by the consent is on record too";
}

TEST_F(InsiderAlone, NeitherConsentsInAdvanceNorExportsNorEndsTheRule) {
  const std::string file = (alpha_.folder() / "taken").string();
  const Member auditor("Court Expert");
  EXPECT_SAYS(staff_->run("ann", {"audit", "export", id_, file, "--for", card_of(auditor), "--yes"}), 1,
              "needs a second person");
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_SAYS(staff_->run("ann", {"consent", "add", "joint", "--peer", "bravo-cert", "--fields", "malware", "--until",
                                  date_in(1), "--yes"}),
              1, "needs a second person");
  EXPECT_EQ(alpha_.json({"consent", "list", "joint"}), Json::array());
  EXPECT_SAYS(staff_->run("ann", {"policy", "two-person", "reveal", "off"}), 1, "needs a second person");
  EXPECT_SAYS(staff_->run("ann", {"operator", "remove", "bob"}), 1, "two operators stay");
  const Ended key = staff_->run("eve", {"operator", "key"});
  EXPECT_SAYS(staff_->run("ann", {"operator", "add", "eve", key.out.substr(0, key.out.size() - 1)}), 1,
              "needs a second person");
  EXPECT_EQ(alpha_.json({"operator", "list"}).size(), 2u);
  EXPECT_EQ(alpha_.json({"policy", "two-person"})["reveal"], true);

  EXPECT_SAYS(staff_->run("bob", {"operator", "refuse", staff_->newest_request()}), 0, "Refused");
  const Json waiting = staff_->json("ann", {"operator", "requests"});
  ASSERT_EQ(waiting[0]["rule"], "audit-export");
  ASSERT_EQ(staff_->run("bob", {"operator", "confirm", waiting[0]["number"].dump(), "--yes"}).code, 0);
  EXPECT_SAYS(staff_->run("ann", {"audit", "export", id_, file, "--for", card_of(auditor), "--yes"}), 0, "");
  EXPECT_TRUE(std::filesystem::exists(file));
}

TEST_F(InsiderAlone, DoesNothingInAnotherName) {
  EXPECT_SAYS(alpha_.run({"show", id_}), 1, "PARLEY_OPERATOR");
  EXPECT_SAYS(program::run(staff_->launch("bob", {"show", id_}, "ann")), 1, "not the key file of this operator");
  EXPECT_SAYS(program::run(staff_->launch("eve", {"show", id_}, "ann")), 1, "no operator of this vault");
  EXPECT_SAYS(program::run(staff_->launch("node", {"show", id_}, "ann")), 1, "name of the node");
  const Ended shown = staff_->run("ann", {"show", id_});
  EXPECT_EQ(shown.code, 0) << shown.err;
  const Json log = staff_->json("bob", {"operator", "log", "--about", id_, "--by", "ann"});
  ASSERT_EQ(log.size(), 1u) << "what was refused was not done";
  EXPECT_EQ(log[0]["detail"], "show");
}

TEST(InsiderOnAFullDisk, DoesNothingThatCannotBeRecorded) {
  const Member member("Alpha CERT");
  member.import(table({"ipv4,192.0.2.1"}));
  const std::string before = member.exported();
  Launch launch = member.launch({"export", "--canonical"});
  launch.largest_file_bytes = 4096;
  const Ended ended = program::run(launch);
  EXPECT_SAYS(ended, 1, "Nothing was done, since the operator log could not be written");
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(member.exported(), before);
  EXPECT_SAYS(member.run({"operator", "verify"}), 0, "");
}

}  // namespace
}  // namespace parley::attacks
