// Which protocol answers a question, as the members that allow it see it.
#include <gmock/gmock.h>

#include "support/member.h"

namespace parley::program {
namespace {

using testing::HasSubstr;

/// `count` documentation addresses in one column.
std::string addresses(int count) {
  std::string text = "type,value\n";
  for (int i = 0; i < count; ++i) text += fmt::format("ipv4,198.18.{}.{}\n", i / 256, i % 256);
  return text;
}

struct Pair {
  Member alpha{"Alpha"}, bravo{"Bravo"};
  std::unique_ptr<Node> node;

  Pair(int count, const std::vector<std::string>& serve_options, const std::string& accept = "all") {
    for (const Member* member : {&alpha, &bravo}) member->import(addresses(count));
    node = std::make_unique<Node>(alpha, accept == "all" ? accept : alpha.file("rules.toml", accept), serve_options);
    meet(alpha, "bravo", bravo, "127.0.0.1:1", "alpha", node->address());
  }
};

constexpr int kLarge = 10'000;  // padded: 10240
constexpr int kSmall = 10;

TEST(Protocols, AreChosenBySizeWhereNobodyForbidsOne) {
  const Pair pair(kLarge, {});
  const Json answer = pair.bravo.json({"ask", "alpha", "--yes"});
  EXPECT_EQ(answer["protocol"], "fast");
  EXPECT_EQ(answer["count"], kLarge);
  EXPECT_EQ(answer["their_size_at_most"], 10240);
  EXPECT_GT(answer["their_tests_at_most"], 10240);
  EXPECT_LT(answer["their_tests_at_most"], 3 * 10240);
}

TEST(Protocols, CanBeForbiddenByEitherSide) {
  const Pair forbidden_by_answerer(kLarge, {"--protocols", "classic"});
  const Json answer = forbidden_by_answerer.bravo.json({"ask", "alpha", "--yes"});
  EXPECT_EQ(answer["protocol"], "classic");
  EXPECT_EQ(answer["their_tests_at_most"], 10240);
  const Pair free(kLarge, {});
  EXPECT_EQ(free.bravo.json({"ask", "alpha", "--protocols", "classic", "--yes"})["protocol"], "classic");
}

TEST(Protocols, WithNoneInCommonEndInARefusalThatSaysWhy) {
  const Pair pair(kSmall, {"--protocols", "classic"});
  EXPECT_EQ(pair.bravo.run({"ask", "alpha", "--protocols", "fast", "--yes"}).code, 1);
  EXPECT_THAT(pair.node->logged("other protocols"), HasSubstr("--protocols"));
}

TEST(Protocols, ThatAreNoneAreAnErrorOfUse) {
  const Member alpha("Alpha");
  EXPECT_EQ(alpha.run({"ask", "bravo", "--protocols", "quick", "--yes"}).code, 2);
  EXPECT_EQ(alpha.run({"serve", "--protocols", "quick"}).code, 2);
}

TEST(FastProtocol, IsNotRunForSetsThatAreTooSmallForItEvenWhenNothingElseIsAllowed) {
  const Pair pair(kSmall, {"--protocols", "fast"});
  EXPECT_EQ(pair.bravo.run({"ask", "alpha", "--yes"}).code, 1);
  EXPECT_THAT(pair.node->logged("suits these sets"), HasSubstr("1,024"));
}

// What a rule bounds is how much the asker could test, not what it says.
TEST(Rule, WithMaxPaddedLetsNoProtocolRunByWhichTheAskerCouldTestMore) {
  const std::string rule = "[[rule]]\nmax_padded = 10240\nverdict = \"accept\"\n";
  const Pair pair(kLarge, {}, rule);
  // The asker learns alone, and so would be the receiver, which the fast protocol lets test more than it entered.
  const Json mine = pair.bravo.json({"ask", "alpha", "--direction", "mine", "--yes"});
  EXPECT_EQ(mine["protocol"], "classic");
  // Where both learn the asker is the sender, which tests nothing by it.
  EXPECT_EQ(pair.bravo.json({"ask", "alpha", "--yes"})["protocol"], "fast");
}

TEST(Asker, StopsBeforeAnythingIsComparedWhenTheOtherSideCouldTestMoreThanItAllowed) {
  const Pair pair(kLarge, {});
  const Ended stopped = pair.bravo.run({"ask", "alpha", "--max-theirs", "10239", "--yes"});
  EXPECT_EQ(stopped.code, 1);
  EXPECT_THAT(stopped.err, HasSubstr("could test up to 10240"));
}

TEST(Asker, IsAnsweredByTheProtocolThatKeepsToItsLimitWhereThereIsOne) {
  const Pair pair(kLarge, {});
  EXPECT_EQ(pair.bravo.json({"ask", "alpha", "--max-theirs", "10240", "--yes"})["protocol"], "classic");
  const Ended stopped = pair.bravo.run({"ask", "alpha", "--max-theirs", "10240", "--protocols", "fast", "--yes"});
  EXPECT_EQ(stopped.code, 1);
  EXPECT_THAT(stopped.err, HasSubstr("could test up to 2"));
}

// The limit that nobody set must not stop an honest answer that is much larger than the question.
TEST(Asker, OfFewIsAnsweredByAMemberOfManyWithoutAnOption) {
  const Member alpha("Alpha"), bravo("Bravo");
  alpha.import(addresses(33'000));
  bravo.import(addresses(kSmall));
  const Node node(alpha);
  meet(alpha, "bravo", bravo, "127.0.0.1:1", "alpha", node.address());
  const Json answer = bravo.json({"ask", "alpha", "--yes"});
  EXPECT_EQ(answer["count"], kSmall);
  EXPECT_LE(answer["their_tests_at_most"], 65'536);
}

TEST(Operator, SeesHowManyTheAskerCouldTestAndCanBoundIt) {
  const auto ask_and_accept = [](const std::vector<std::string>& options) {
    const Pair pair(kLarge, {}, "[[rule]]\nverdict = \"ask\"\n");
    Process asking(pair.bravo.launch({"ask", "alpha", "--direction", "mine", "--json", "--yes"}));
    pair.node->logged("Decide with");
    const Json waiting = pair.alpha.json({"inbox"})["questions"];
    EXPECT_GT(waiting[0]["their_tests_at_most"], 2 * 10240);
    EXPECT_THAT(pair.alpha.output({"inbox"}), HasSubstr("a changed program could test up to 2"));
    std::vector<std::string> accept{"accept", waiting[0]["session"], "--yes"};
    accept.insert(accept.end(), options.begin(), options.end());
    EXPECT_EQ(pair.alpha.run(accept).code, 0);
    return asking.wait();
  };
  const Ended free = ask_and_accept({});
  ASSERT_EQ(free.code, 0) << free.err;
  EXPECT_EQ(Json::parse(free.out)["protocol"], "fast");
  const Ended bounded = ask_and_accept({"--max-theirs", "10240"});
  ASSERT_EQ(bounded.code, 0) << bounded.err;
  EXPECT_EQ(Json::parse(bounded.out)["protocol"], "classic");
  EXPECT_EQ(ask_and_accept({"--max-theirs", "5120"}).code, 1);
}

}  // namespace
}  // namespace parley::program
