// parley log accept-fork-risk: what an operator is told before, and what comes of it.
#include "support/member.h"

namespace parley::program {
namespace {

class ForkRisk : public testing::Test {
 protected:
  ForkRisk() { meet(alpha_, "bravo", bravo_, "127.0.0.1:1", "alpha", "127.0.0.1:1"); }
  Ended accept(bool yes) const {
    std::vector<std::string> line{"log", "accept-fork-risk", "joint"};
    if (yes) line.push_back("--yes");
    return alpha_.run(line);
  }
  Member alpha_{"Alpha CERT"}, bravo_{"Bravo CERT"};
};

TEST_F(ForkRisk, IsNotTakenWithoutAWord) {
  const Ended asked = accept(false);
  EXPECT_SAYS(asked, 1, "Not reached: bravo");
  EXPECT_SAYS(asked, 1, "signed two histories");
  EXPECT_SAYS(asked, 1, "Nothing was done");
  EXPECT_EQ(alpha_.json({"log", "list"}).size(), 0u);
}

TEST_F(ForkRisk, IsTakenByAWordAndStaysWrittenDown) {
  const Ended taken = accept(true);
  EXPECT_SAYS(taken, 0, "goes on, with entry 1");
  const Json logs = alpha_.json({"log", "list"});
  ASSERT_EQ(logs.size(), 1u);
  EXPECT_EQ(logs[0].at("entries"), 2);
  const std::string said = logs[0].at("fork_risk_taken");
  EXPECT_NE(said.find("by user"), std::string::npos) << said;
  EXPECT_NE(alpha_.output({"log", "list"}).find("RISK of a second history"), std::string::npos);
  // Bravo gets it as any other log.
  const Node node(bravo_);
  EXPECT_EQ(alpha_.run({"peer", "remove", "bravo"}).code, 0);
  add_peer(alpha_, "bravo", bravo_, node.address());
  EXPECT_SAYS(accept(true), 1, "no risk to be taken");
  EXPECT_EQ(bravo_.json({"log", "list"}).at(0).at("entries"), 2);
}

TEST_F(ForkRisk, IsNotThereWhereTheOthersCanBeAsked) {
  const Node node(bravo_);
  EXPECT_EQ(alpha_.run({"peer", "remove", "bravo"}).code, 0);
  add_peer(alpha_, "bravo", bravo_, node.address());
  EXPECT_SAYS(accept(true), 1, "no risk to be taken: the log of joint is live");
  EXPECT_SAYS(alpha_.run({"log", "accept-fork-risk", "nothing", "--yes"}), 1, "");
}

}  // namespace
}  // namespace parley::program
