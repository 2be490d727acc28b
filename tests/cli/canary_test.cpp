// Canaries from the command line: kept apart from the material, shown with whom they watch, and no alarm without a hit.
// That a set is used a day later only is for tests with a clock of their own (tests/session/canary_test.cpp).
#include <gmock/gmock.h>

#include "support/member.h"

namespace parley::program {
namespace {

class Canary : public testing::Test {
 protected:
  void SetUp() override {
    alpha_.import(table({"ipv4,198.51.100.7"}));
    bravo_.import(table({"ipv4,198.51.100.7", "ipv4,203.0.113.77"}));
    alpha_node_.emplace(alpha_);
    bravo_node_.emplace(bravo_);
    program::meet(alpha_, "bravo", bravo_, bravo_node_->address(), "alpha", alpha_node_->address());
    bravo_.json({"ask", "alpha", "--yes"});  // from now on either log may be written
  }
  Ended add(std::vector<std::string> values, std::vector<std::string> options = {"--eps-ppm", "50"}) const {
    std::vector<std::string> line{"canary", "add", "joint", "--kind", "dark-address", "--why", "never sent a packet"};
    line.insert(line.end(), options.begin(), options.end());
    line.insert(line.end(), values.begin(), values.end());
    return alpha_.run(std::move(line));
  }
  Json status() const { return alpha_.json({"canary", "status", "joint"})[0]; }

  Member alpha_{"Alpha CERT"}, bravo_{"Bravo CERT"};
  std::optional<Node> alpha_node_, bravo_node_;
};

TEST_F(Canary, IsNoMaterial) {
  const std::string before = alpha_.exported();
  EXPECT_SAYS(add({"203.0.113.77", "203.0.113[.]78"}), 0, "2 canaries wait");
  EXPECT_EQ(alpha_.exported(), before);
  const Json answer = bravo_.json({"ask", "alpha", "--yes"});
  EXPECT_EQ(answer["values"], 1) << "what only waits is in no set";
  EXPECT_EQ(answer["our_size_as_seen"], 256);
}

TEST_F(Canary, OfTheOwnMaterialOrTwiceOrOfAnotherKindIsRefused) {
  EXPECT_SAYS(add({"198.51.100.7"}), 1, "stands in your own material");
  EXPECT_SAYS(add({"203.0.113.77", "203.0.113.77"}), 1, "a canary of this group already");
  EXPECT_EQ(status()["waiting"], 0) << "all or none";
  EXPECT_SAYS(add({"quiet.example"}), 1, "no value of which a dark-address can be made");
  EXPECT_SAYS(add({"203.0.113.77"}, {"--eps-ppm", "5000"}), 2, "--eps-ppm");
  EXPECT_SAYS(add({}, {"--eps-ppm", "50"}), 2, "No value is given");
}

TEST_F(Canary, ThatIsImportedAsMaterialIsNamedAtTheImportAndFromThenOn) {
  ASSERT_EQ(add({"203.0.113.77", "203.0.113.78"}).code, 0);
  EXPECT_SAYS(add({"203.0.113.79"}), 0, "Added 1; 3 canaries wait");
  EXPECT_EQ(status()["in_own_material"], Json::array());
  const Ended imported =
      alpha_.run({"import", alpha_.file("late.csv", table({"ipv4,203.0.113.78", "ipv4,203.0.113.90"}))});
  EXPECT_SAYS(imported, 0, "203.0.113.78 is a canary of yours in joint");
  EXPECT_EQ(imported.err.find("203.0.113.90 is"), std::string::npos);
  EXPECT_EQ(status()["in_own_material"], Json({"203.0.113.78"}));
  EXPECT_THAT(alpha_.output({"canary", "status"}), testing::HasSubstr("IN YOUR OWN MATERIAL: 203.0.113.78"));
  alpha_.output({"canary", "remove", "joint", "203.0.113.78"});
  EXPECT_EQ(status()["in_own_material"], Json::array());
}

TEST_F(Canary, StandsInTheLogAsARootThatTellsNeitherValueNorNumber) {
  ASSERT_EQ(add({"203.0.113.77", "203.0.113.78"}).code, 0);
  EXPECT_SAYS(alpha_.run({"canary", "commit", "joint"}), 0, "A set with 2 canaries stands in your log");
  const Json sets = status()["sets"];
  ASSERT_EQ(sets.size(), 1u);
  EXPECT_EQ(sets[0]["in_use"], false);
  EXPECT_EQ(bravo_.json({"ask", "alpha", "--yes"})["values"], 1) << "not before a day has passed";
  const std::string seen = bravo_.output({"log", "show", "alpha-cert", "--count", "1000"});
  EXPECT_THAT(seen, testing::HasSubstr("canary.set"));
  EXPECT_THAT(seen, testing::HasSubstr("\"leaves\":64"));
  EXPECT_THAT(seen, testing::Not(testing::HasSubstr("203.0.113")));
}

TEST_F(Canary, SetIsFollowedByNoOtherThatWouldOnlyBeginToAgeAnew) {
  ASSERT_EQ(add({"203.0.113.77"}).code, 0);
  ASSERT_EQ(alpha_.run({"canary", "commit", "joint"}).code, 0);
  EXPECT_SAYS(alpha_.run({"canary", "commit", "joint"}), 1, "has the same canaries");
  EXPECT_EQ(status()["sets"].size(), 1u);
  ASSERT_EQ(add({"203.0.113.78"}).code, 0);
  EXPECT_SAYS(alpha_.run({"canary", "commit", "joint"}), 0, "A set with 2 canaries");
  alpha_.output({"canary", "remove", "joint", "203.0.113.77"});
  EXPECT_SAYS(alpha_.run({"canary", "commit", "joint"}), 0, "A set with 1 canaries") << "one less is another set";
}

TEST_F(Canary, ScreensSayWhomTheyKeepAnEyeOn) {
  EXPECT_SAYS(alpha_.run({"canary", "status"}), 0, "keep an eye on members that ask you");
  EXPECT_THAT(alpha_.output({"canary", "status"}), testing::HasSubstr("joint: no canaries yet"));
  EXPECT_SAYS(Member("Charlie").run({"canary", "status"}), 0, "in no group yet");
}

TEST_F(Canary, WithoutAHitRaisesNoAlarm) {
  EXPECT_SAYS(bravo_.run({"canary", "alarm", "--yes"}), 2, "No canary of yours was hit");
  EXPECT_SAYS(bravo_.run({"canary", "check", "joint"}), 0, "No member has raised an alarm");
  EXPECT_SAYS(bravo_.run({"canary", "opinion", "joint", "00000000", "--agree"}), 1, "No alarm of this group");
  EXPECT_SAYS(bravo_.run({"canary", "opinion", "joint", "00000000"}), 2, "--agree or --disagree");
}

TEST_F(Canary, IsTakenOutOfUseByItsValue) {
  ASSERT_EQ(add({"203.0.113.77"}).code, 0);
  EXPECT_SAYS(alpha_.run({"canary", "remove", "joint", "203.0.113.77"}), 0, "no session any more");
  EXPECT_EQ(status()["waiting"], 0);
  EXPECT_SAYS(alpha_.run({"canary", "remove", "joint", "203.0.113.77"}), 1, "is no canary");
  EXPECT_SAYS(alpha_.run({"canary", "commit", "joint"}), 2, "no canaries to commit to");
}

}  // namespace
}  // namespace parley::program
