// parley admit, as the members of a group use it, with their nodes running.
#include <gmock/gmock.h>

#include "support/member.h"

namespace parley::program {
namespace {

using testing::HasSubstr;

std::string addresses(int first, int count) {
  std::vector<std::string> rows;
  for (int i = first; i < first + count; ++i) rows.push_back("ipv4,198.18.0." + std::to_string(i));
  return table(rows);
}

/// alpha and bravo, whose charter has ipv4 enter by tags, 30 in an epoch.
class AdmitCommand : public testing::Test {
 protected:
  AdmitCommand() {
    alpha.import(addresses(0, 20));
    bravo.import(addresses(10, 20));
    alpha_node.emplace(alpha);
    bravo_node.emplace(bravo);
    meet(alpha, "bravo", bravo, bravo_node->address(), "alpha", alpha_node->address(), "joint", "ipv4=30");
  }
  /// Keys of both into both logs, and then everything that waits.
  void admit_all() {
    for (const Member* member : {&alpha, &bravo, &alpha}) member->output({"admit"});
    alpha.output({"admit", "--wait"});
    bravo.output({"admit", "--wait"});
  }
  Json status(const Member& member) { return member.json({"admit", "status"}); }

  const Member alpha{"Alpha"}, bravo{"Bravo"};
  std::optional<Node> alpha_node, bravo_node;
};

TEST_F(AdmitCommand, GivesTagsByWhichASessionFindsWhatBothHold) {
  admit_all();
  for (const Member* member : {&alpha, &bravo}) {
    const Json types = status(*member).at("types");
    EXPECT_EQ(types.at("ipv4").at("admitted"), 20) << member->name();
    EXPECT_EQ(types.at("ipv4").at("waiting"), 0);
  }
  const Json answer = alpha.json({"ask", "bravo", "--types", "ipv4", "--yes"});
  EXPECT_EQ(answer.at("count"), 10);
  EXPECT_EQ(match_lines(answer).front(), "ipv4\t198.18.0.10");
  bravo_node->logged("was helped to admit 20 indicators");
  const Json seen = status(bravo);
  EXPECT_EQ(seen.at("admitted_by_others").at("alpha").at("ipv4"), 20) << "each sees what the other has had admitted";
  EXPECT_EQ(seen.at("helpers").at("alpha").at("counts").at("ipv4"), 20);
  EXPECT_EQ(seen.at("helpers").at("alpha").at("bad_answers").at("times"), 0);
  EXPECT_EQ(seen.at("types").at("ipv4").at("used"), 20);
}

TEST(NewNode, SaysOnceThatAdmissionWaitsUntilOthersHaveSpoken) {
  const Member alpha("Alpha"), bravo("Bravo");
  Node node(alpha);
  meet(alpha, "bravo", bravo, "127.0.0.1:1", "alpha", node.address(), "joint", "ipv4=30");
  EXPECT_THAT(node.logged("admission waits: "), HasSubstr("goes on by itself"));
  for (int i = 0; i < 3; ++i) alpha.import(addresses(i, 1), {}, std::to_string(i) + ".csv");  // each begins a round
  const Ended stopped = node.stop();
  const std::size_t first = stopped.err.find("admission waits: ");
  EXPECT_EQ(stopped.err.find("admission waits: ", first + 1), std::string::npos) << stopped.err;
  EXPECT_THAT(stopped.err, testing::Not(HasSubstr("Nothing can be written")));
}

TEST_F(AdmitCommand, LeavesSessionsThatCanBeAudited) {
  admit_all();
  alpha.json({"ask", "bravo", "--types", "ipv4", "--yes"});
  const Member auditor("Court Expert");
  const std::string charter = alpha.file("charter", alpha.output({"group", "show", "joint", "--note"}));
  const auto opened_to = [&](const Member& who) {
    const std::string file = (alpha.folder() / ("for-" + who.name())).string();
    EXPECT_SAYS(alpha.run({"audit", "export", "last", file, "--for", card_of(who), "--yes"}), 0, "WHOLE SET");
    return file;
  };
  const std::string file = opened_to(auditor);
  const Ended verified = auditor.run({"audit", "verify", file, "--members", charter});
  EXPECT_EQ(verified.code, 0) << verified.err;
  EXPECT_THAT(verified.out, HasSubstr("20 ipv4 entered by tags"));
  EXPECT_THAT(verified.out, HasSubstr("proves not: That a tag is that of the indicator beside it"));
  const std::string keys = alpha.file("keys", alpha.output({"group", "show", "joint", "--members"}));
  EXPECT_SAYS(auditor.run({"audit", "verify", file, "--members", keys}), 0, "rests on the keys");
  EXPECT_THAT(auditor.output({"audit", "verify", file, "--members", keys}),
              HasSubstr("those that enter by tags by the charter"))
      << "the file brings it";
  EXPECT_SAYS(auditor.run({"audit", "verify", file, "--members", charter, "--compare-admissions"}), 1,
              "say nothing of admissions in the epoch");
  const std::string own = opened_to(alpha);
  alpha_node->stop();
  alpha_node.reset();
  const Ended compared = alpha.run({"audit", "verify", own, "--members", charter, "--compare-admissions"});
  EXPECT_EQ(compared.code, 0) << compared.err << compared.out;
  EXPECT_THAT(compared.out, HasSubstr("No more entered by tags than the logs of all other members count"));
}

TEST_F(AdmitCommand, IsNotNeededBeforeAQuestionWhereEverybodyIsThere) {
  const Ended asked = alpha.run({"ask", "bravo", "--types", "ipv4", "--yes"});
  EXPECT_SAYS(asked, 0, "20 (20 ipv4)");
  EXPECT_EQ(alpha.json({"show", "last"}).at("not_compared"), Json::object());
}

TEST_F(AdmitCommand, SaysWhatDoesNotEnterAndThatItWasNotCompared) {
  admit_all();
  bravo.output({"group", "policy", "joint", "--max-admissions", "ipv4=5"});
  alpha.import(addresses(200, 7), {}, "more.csv");
  const Ended asked = alpha.run({"ask", "bravo", "--types", "ipv4", "--yes"});
  EXPECT_SAYS(asked, 0, "7 ipv4 do not enter");
  EXPECT_SAYS(asked, 0, "parley admit status");
  EXPECT_THAT(asked.out, HasSubstr("NOT COMPARED: 7 ipv4 of yours"));
  EXPECT_EQ(alpha.json({"show", "last"}).at("not_compared").at("ipv4"), 7);
}

TEST(AdmitCommandOfOne, SaysOfWhichTypesNothingOfTheOthersCanMatch) {
  const Member alpha{"Alpha"}, bravo{"Bravo"};
  alpha.import(addresses(0, 20));
  bravo.import(table({"domain,a.example"}));
  const Node alpha_node(alpha), bravo_node(bravo);
  meet(alpha, "bravo", bravo, bravo_node.address(), "alpha", alpha_node.address(), "joint", "ipv4=30");
  const Ended asked = alpha.run({"ask", "bravo", "--types", "ipv4", "--yes"});
  EXPECT_SAYS(asked, 1, "NO MATCH IS POSSIBLE among ipv4: bravo");
  EXPECT_SAYS(asked, 1, "Nothing was sent, and no question of the day was used up");
  EXPECT_EQ(bravo.json({"session", "list"}), Json::array());
  const Ended partly = alpha.run({"ask", "bravo", "--types", "ipv4,domain", "--yes"});
  EXPECT_SAYS(partly, 0, "NO MATCH IS POSSIBLE among ipv4");
  EXPECT_THAT(partly.out, HasSubstr("NO MATCH WAS POSSIBLE among ipv4: bravo")) << "the result says it as well";
  EXPECT_EQ(alpha.json({"show", "last"}).at("no_match_possible"), Json({"ipv4"}));
}

TEST_F(AdmitCommand, SaysWhichRestWaitsForTheNextEpochByWhichClause) {
  alpha.import(addresses(100, 25), {}, "more.csv");
  admit_all();
  EXPECT_THAT(alpha.output({"admit", "status"}), HasSubstr("30 admitted, 0 under way, 15 waiting"));
  EXPECT_THAT(alpha.output({"admit", "status"}), HasSubstr("\"admission: ipv4: max_admissions\""));
}

TEST_F(AdmitCommand, NamesWhoIsAwayAndGoesOnWhenItIsBack) {
  admit_all();
  bravo_node->stop();
  bravo_node.reset();
  alpha.import(addresses(200, 5), {}, "more.csv");
  const Ended alone = alpha.run({"admit"});
  EXPECT_SAYS(alone, 0, "bravo cannot be reached");
  EXPECT_THAT(alone.out, HasSubstr("AWAY since"));
  EXPECT_EQ(status(alpha).at("types").at("ipv4").at("under_way"), 5);
  bravo_node.emplace(bravo);
  alpha.output({"peer", "add", "bravo", card_of(bravo), bravo_node->address()});
  alpha.output({"admit", "--wait"});
  EXPECT_EQ(status(alpha).at("types").at("ipv4").at("admitted"), 25);
  EXPECT_EQ(status(alpha).at("helpers").at("bravo").at("away_since"), "");
}

TEST_F(AdmitCommand, HelpsWithNoMoreThanTheMembersOwnStricterRule) {
  EXPECT_SAYS(bravo.run({"group", "policy", "joint", "--max-admissions", "ipv4=31"}), 2, "only be stricter");
  bravo.output({"group", "policy", "joint", "--max-admissions", "ipv4=5"});
  // A node may have been quicker than the rule.
  const Json before = status(alpha).at("types").at("ipv4").at("admitted");
  alpha.import(addresses(50, 6), {}, "more.csv");
  for (const Member* member : {&alpha, &bravo, &alpha}) member->output({"admit"});
  EXPECT_EQ(status(alpha).at("types").at("ipv4").at("admitted"), before);
  EXPECT_THAT(alpha.output({"admit", "status"}), HasSubstr("rules of its own"));
  EXPECT_THAT(bravo.output({"group", "show", "joint"}), HasSubstr("at most 5 of ipv4"));
}

TEST(AdmitCommandAlone, RefusesWhereNoCharterAsksForIt) {
  const Member alpha("Alpha"), bravo("Bravo");
  EXPECT_SAYS(alpha.run({"admit"}), 1, "No group of yours asks for admission");
  meet(alpha, "bravo", bravo, "127.0.0.1:1", "alpha", "127.0.0.1:1");
  EXPECT_SAYS(alpha.run({"admit", "--group", "joint"}), 1, "parley group amend joint --admission");
}

TEST(Draft, AsksForAdmissionOfGuessableTypesUnlessToldOtherwise) {
  const Member alpha("Alpha");
  const auto drafted = [&](const std::string& name, const std::vector<std::string>& more) {
    std::vector<std::string> line{
        "group", "draft", name, "--purpose", "p", "--until", date_in(3), "--allow", "ipv4,domain,asn:count"};
    line.insert(line.end(), more.begin(), more.end());
    return alpha.run(line);
  };
  const Ended by_default = drafted("first", {});
  EXPECT_SAYS(by_default, 0, "asn enters by tags");
  EXPECT_SAYS(by_default, 0, "ipv4 enters by tags that all members help to make: at most 100000 of each member in 90");
  EXPECT_THAT(by_default.err, testing::Not(HasSubstr("domain enters by tags")));
  EXPECT_SAYS(drafted("second", {"--admission", "domain=7", "--epoch-days", "30"}), 0,
              "at most 7 of each member in 30");
  EXPECT_THAT(drafted("third", {"--admission", "none"}).err, testing::Not(HasSubstr("by tags")));
  EXPECT_SAYS(drafted("fourth", {"--admission", "ipv5=7"}), 2, "is no type");
  EXPECT_SAYS(drafted("fifth", {"--admission", "ipv4=0"}), 1, "max_admissions");
}

}  // namespace
}  // namespace parley::program
