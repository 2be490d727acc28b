// Standing rules: the first that fits decides, and a file that is not quite right decides nothing.
#include "node/rules.h"

#include <gmock/gmock.h>

#include "support/temporary_folder.h"

namespace parley::node {
namespace {

session::Offer offer() {
  session::Offer offer;
  offer.session = std::string(32, 'a');
  offer.peer = "bravo";
  offer.question.function = session::Function::intersection;
  offer.question.direction = session::Direction::both;
  offer.question.types = {indicator::Type::ipv4, indicator::Type::domain};
  offer.their_padded = 512;
  return offer;
}

class Rules : public testing::Test {
 protected:
  Result<AcceptRules> load(std::string_view text) const {
    program::write_text(folder_ / "rules.toml", text);
    return AcceptRules::load((folder_ / "rules.toml").string());
  }
  Verdict verdict(std::string_view text, const session::Offer& asked = offer()) const {
    const auto rules = load(text);
    EXPECT_TRUE(rules) << rules.error().text();
    return rules ? rules->judge(asked).verdict : Verdict::decline;
  }
  program::TemporaryFolder folder_;
};

TEST_F(Rules, AllAcceptsAndAskAsks) {
  EXPECT_EQ(AcceptRules::load("all")->judge(offer()).verdict, Verdict::accept);
  EXPECT_EQ(AcceptRules::load("ask")->judge(offer()).verdict, Verdict::ask);
}

TEST_F(Rules, WhereNoneFitsTheOperatorIsAsked) {
  EXPECT_EQ(verdict(""), Verdict::ask);
  EXPECT_EQ(verdict("[[rule]]\npeer = \"charlie\"\nverdict = \"accept\"\n"), Verdict::ask);
}

TEST_F(Rules, EveryConditionOfARuleMustHold) {
  struct Case {
    const char* condition;
    bool fits;
  };
  for (const auto& [condition, fits] : {Case{"peer = \"bravo\"", true},
                                        {"peer = \"Bravo\"", false},
                                        {"question = \"intersection\"", true},
                                        {"question = \"count\"", false},
                                        {"direction = \"both\"", true},
                                        {"direction = \"mine\"", false},
                                        {"types = [\"ipv4\", \"domain\", \"url\"]", true},
                                        {"types = [\"ipv4\"]", false},
                                        {"max_padded = 512", true},
                                        {"max_padded = 511", false},
                                        {"peer = \"bravo\"\nmax_padded = 511", false}})
    EXPECT_EQ(verdict(std::string("[[rule]]\nverdict = \"accept\"\n") + condition + "\n"),
              fits ? Verdict::accept : Verdict::ask)
        << condition;
}

TEST_F(Rules, TheFirstThatFitsDecidesAndIsNamed) {
  const auto rules = load(
      "[[rule]]\npeer = \"charlie\"\nverdict = \"accept\"\n"
      "[[rule]]\npeer = \"bravo\"\nverdict = \"decline\"\n"
      "[[rule]]\nverdict = \"accept\"\nlabel = \"shareable\"\n");
  ASSERT_TRUE(rules);
  const AcceptRules::Judgement judged = rules->judge(offer());
  EXPECT_EQ(judged.verdict, Verdict::decline);
  EXPECT_THAT(judged.by, testing::StartsWith("rule 2 of "));
  session::Offer of_delta = offer();
  of_delta.peer = "delta";
  EXPECT_EQ(rules->judge(of_delta).label, "shareable");
}

TEST_F(Rules, ThatAreNotWhatARuleFileHoldsAreRefusedWithTheLine) {
  struct Case {
    const char* text;
    const char* where;
  };
  for (const auto& [text, where] : {
           Case{"[[rule]]\npeer = \"bravo\"\n", "line 1"},  // no verdict
           {"[[rule]]\nverdict = \"perhaps\"\n", "line 2"},
           {"[[rule]]\nverdict = true\n", "line 2"},
           {"[[rule]]\nverdict = \"accept\"\nquestion = \"everything\"\n", "line 3"},
           {"[[rule]]\nverdict = \"accept\"\ndirection = \"ours\"\n", "line 3"},
           {"[[rule]]\nverdict = \"accept\"\ntypes = [\"telephone\"]\n", "line 3"},
           {"[[rule]]\nverdict = \"accept\"\ntypes = \"ipv4\"\n", "line 3"},
           {"[[rule]]\nverdict = \"accept\"\nmax_padded = 0\n", "line 3"},
           {"[[rule]]\nverdict = \"accept\"\nmax_padded = -1\n", "line 3"},
           {"[[rule]]\nverdict = \"accept\"\nmax_padded = \"many\"\n", "line 3"},
           {"[[rule]]\nverdict = \"accept\"\npeers = \"bravo\"\n", "line 3"},  // a key misspelt must not open the door
           {"[rule]\nverdict = \"accept\"\n", "line 1"},
           {"[[rules]]\nverdict = \"accept\"\n", "line 1"},
           {"verdict = \"accept\"\n", "line 1"},
           {"rule = [1]\n", "line 1"},
           {"[[rule]\n", "line 1"},
           {"\xff\xfe", "line 1"},
       }) {
    const auto rules = load(text);
    ASSERT_FALSE(rules.has_value()) << text;
    EXPECT_EQ(rules.error().code, Errc::format) << text;
    EXPECT_THAT(rules.error().text(), testing::HasSubstr(where)) << text;
    EXPECT_THAT(rules.error().text(), testing::HasSubstr("rules.toml")) << text;
  }
}

TEST_F(Rules, InAFileThatIsNotThereAreRefused) {
  const auto rules = AcceptRules::load((folder_ / "absent.toml").string());
  ASSERT_FALSE(rules.has_value());
  EXPECT_EQ(rules.error().code, Errc::not_found);
}

}  // namespace
}  // namespace parley::node
