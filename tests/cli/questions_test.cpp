// Two members ask each other over real sockets; what they learn is compared with a plain set intersection.
#include <gmock/gmock.h>

#include <random>
#include <set>

#include "support/member.h"

namespace parley::program {
namespace {

std::uint64_t test_seed() {
  const char* given = std::getenv("PARLEY_TEST_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "PARLEY_TEST_SEED=" << seed << std::endl;
  return seed;
}

// One indicator of a generated set, with what the questions select by.
struct Row {
  std::string type, value;
  int year = 2018;
  bool sednit = false;
  std::string line() const { return type + "\t" + value; }
};

// Sets that share about a third of their indicators; labels and years are each side's own.
class RandomSets {
 public:
  explicit RandomSets(std::uint64_t seed) : random_(seed) {
    for (int i = 0; i < 400; ++i) {
      const int where = draw(3);
      if (where != 1) alpha_.push_back(row(i));
      if (where != 0) bravo_.push_back(row(i));
    }
  }
  const std::vector<Row>& alpha() const { return alpha_; }
  const std::vector<Row>& bravo() const { return bravo_; }

 private:
  int draw(int below) { return std::uniform_int_distribution(0, below - 1)(random_); }
  Row row(int i) {
    Row row;
    switch (i % 4) {
      case 0:
        row = {"ipv4", "203.0." + std::to_string(i / 256) + "." + std::to_string(i % 256)};
        break;
      case 1:
        row = {"domain", "host" + std::to_string(i) + ".example"};
        break;
      case 2:
        row = {"url", "http://host" + std::to_string(i) + ".example/path"};
        break;
      default:
        row = {"email", "user" + std::to_string(i) + "@mail.example"};
    }
    row.year = 2015 + draw(6);
    row.sednit = draw(2) == 0;
    return row;
  }

  std::mt19937_64 random_;
  std::vector<Row> alpha_, bravo_;
};

std::string as_table(const std::vector<Row>& rows) {
  std::string text = "type,value,first_seen,label\n";
  for (const Row& row : rows)
    text += row.type + "," + row.value + "," + std::to_string(row.year) + "-06-01," +
            (row.sednit ? "sednit" : "other") + "\n";
  return text;
}

using Fits = std::function<bool(const Row&)>;

std::vector<std::string> plain_intersection(const RandomSets& sets, const Fits& ours, const Fits& theirs) {
  std::set<std::string> of_alpha, both;
  for (const Row& row : sets.alpha())
    if (theirs(row)) of_alpha.insert(row.line());
  for (const Row& row : sets.bravo())
    if (ours(row) && of_alpha.contains(row.line())) both.insert(row.line());
  return {both.begin(), both.end()};
}

const Fits kAll = [](const Row&) { return true; };

TEST(Question, OfAnyKindFindsWhatAPlainIntersectionFinds) {
  const RandomSets sets(test_seed());
  TwoMembers members;
  members.alpha().import(as_table(sets.alpha()));
  members.bravo().import(as_table(sets.bravo()));
  const Fits kSednit = [](const Row& row) { return row.sednit; };
  const Fits kSince = [](const Row& row) { return row.year >= 2018; };
  const Fits kNames = [](const Row& row) { return row.type == "ipv4" || row.type == "domain"; };
  struct Case {
    std::vector<std::string> options;
    Fits ours, theirs;
  };
  const std::vector<Case> cases = {
      {{}, kAll, kAll},
      {{"--types", "ipv4,domain"}, kNames, kNames},
      {{"--label", "sednit"}, kSednit, kAll},  // the asker's own words: they select on its side only
      {{"--since", "2018-01-01"}, kSince, kSince},
      {{"--types", "ipv4,domain", "--label", "sednit", "--since", "2018-01-01"},
       [&](const Row& row) { return kSednit(row) && kSince(row) && kNames(row); },
       [&](const Row& row) { return kSince(row) && kNames(row); }},
      {{"--types", "cve"}, [](const Row&) { return false; }, kAll},
      {{"--label", "no such label"}, [](const Row&) { return false; }, kAll},
  };
  for (const Case& asked : cases) {
    const std::vector<std::string> expected = plain_intersection(sets, asked.ours, asked.theirs);
    for (const char* direction : {"both", "mine", "theirs"}) {
      std::vector<std::string> options = asked.options;
      options.insert(options.end(), {"--direction", direction});
      SCOPED_TRACE(testing::PrintToString(options));
      const Json ours = members.answer(options);
      const std::string id = ours["session"];
      const Json theirs = members.alpha().json({"show", id});
      const bool we_learn = direction != std::string("theirs"), they_learn = direction != std::string("mine");
      EXPECT_EQ(ours["state"], "result");
      EXPECT_EQ(ours["agreed"], true);
      EXPECT_EQ(match_lines(ours), we_learn ? expected : std::vector<std::string>());
      EXPECT_EQ(ours["count"], we_learn ? Json(expected.size()) : Json());
      members.node().logged("parley show " + id.substr(0, 8) + " has it");
      EXPECT_EQ(match_lines(members.alpha().json({"show", id})), they_learn ? expected : std::vector<std::string>());
    }
  }
}

TEST(Question, OfHowManyCountsAndNamesNothing) {
  const RandomSets sets(test_seed());
  TwoMembers members;
  members.alpha().import(as_table(sets.alpha()));
  members.bravo().import(as_table(sets.bravo()));
  const std::size_t expected = plain_intersection(sets, kAll, kAll).size();
  for (const char* direction : {"both", "mine", "theirs"}) {
    SCOPED_TRACE(direction);
    const Ended asked = members.ask({"--question", "count", "--direction", direction, "--json"});
    ASSERT_EQ(asked.code, 0) << asked.err;
    EXPECT_THAT(asked.err, testing::HasSubstr("count by good faith"));
    const Json ours = Json::parse(asked.out);
    const std::string id = ours["session"];
    members.node().logged("parley show " + id.substr(0, 8) + " has it");
    const Json theirs = members.alpha().json({"show", id});
    EXPECT_EQ(ours["count"], direction == std::string("theirs") ? Json() : Json(expected));
    EXPECT_EQ(theirs["count"], direction == std::string("mine") ? Json() : Json(expected));
    EXPECT_EQ(ours["matches"], Json::array());
    EXPECT_EQ(theirs["matches"], Json::array());
    EXPECT_SAYS(members.bravo().run({"reveal", id, "--yes"}), 2, "counted only");
  }
}

TEST(Question, MarksWhatStandsOnAWarningList) {
  const TwoMembers members;
  const std::string shared = table({"ipv4,198.51.100.7", "ipv4,9.9.9.9", "domain,relay.example"});
  members.alpha().import(shared);
  members.bravo().import(shared);
  ASSERT_EQ(
      members.bravo()
          .run(
              {"warninglist", "add",
               members.bravo().file(
                   "relays.json",
                   R"({"name":"Relays","version":1,"description":"d","type":"hostname","matching_attributes":["domain"],"list":["relay.example"]})")})
          .code,
      0);
  const Json answer = members.answer({});
  ASSERT_EQ(answer["matches"].size(), 3u);
  for (const Json& match : answer["matches"]) {
    const std::string value = match["value"];
    const auto warnings = match["warnings"].get<std::vector<std::string>>();
    EXPECT_FALSE(warnings.empty()) << value << " is of a reserved range or name, or a public resolver";
    EXPECT_EQ(std::ranges::count(warnings, "Relays"), value == "relay.example" ? 1 : 0) << value;
  }
}

TEST(Question, TellsBothSidesBeforehandHowManyOfTheirsWouldEnterByType) {
  TwoMembers members("ask");
  members.alpha().import(table({"ipv4,198.51.100.7", "ipv4,198.51.100.8", "domain,evil.example"}));
  members.bravo().import(table({"ipv4,198.51.100.7"}));
  Process asking(members.bravo().launch({"ask", "alpha", "--types", "ipv4", "--yes"}));
  EXPECT_THAT(asking.line_of_err("Of yours would enter"), testing::HasSubstr("1 (1 ipv4)"));
  EXPECT_NE(asking.line_of_err("waits for the decision until"), "") << "there is no terminal that would show it";
  members.node().logged("Decide with");
  const Json waiting = members.alpha().json({"inbox"})["questions"];
  ASSERT_EQ(waiting.size(), 1u);
  EXPECT_EQ(waiting[0]["ours"], Json({{"ipv4", 2}}));
  EXPECT_EQ(waiting[0]["their_size_at_most"], 256) << "not the true size";
  const std::string id = waiting[0]["session"];
  EXPECT_THAT(members.alpha().output({"inbox"}), testing::HasSubstr("2 (2 ipv4)"));
  EXPECT_THAT(members.alpha().output({"inbox"}), testing::HasSubstr("bravo could enter guesses of what you hold"));
  const Ended accepted = members.alpha().run({"accept", id.substr(0, 8), "--yes"});
  EXPECT_SAYS(accepted, 0, "Accepted.");
  EXPECT_THAT(accepted.out, testing::HasSubstr("Canaries that you committed to would notice"));
  const Ended asked = asking.wait();
  EXPECT_EQ(asked.code, 0) << asked.err;
  EXPECT_THAT(asked.out, testing::HasSubstr("198.51.100.7"));
  EXPECT_EQ(members.alpha().run({"accept", id, "--yes"}).code, 1) << "nothing waits any more";
}

TEST(Question, IsNotAcceptedBeforeThePersonHasReadWhatThatWouldTell) {
  TwoMembers members("ask");
  members.alpha().import(table({"ipv4,198.51.100.7"}));
  members.bravo().import(table({"ipv4,198.51.100.7"}));
  Process asking(members.bravo().launch({"ask", "alpha", "--types", "ipv4", "--yes"}));
  members.node().logged("Decide with");
  const std::string id = members.alpha().json({"inbox"})["questions"][0]["session"];
  const Ended asked_back = members.alpha().run({"accept", id});
  EXPECT_SAYS(asked_back, 1, "Read the above and add --yes");
  EXPECT_THAT(asked_back.out, testing::HasSubstr("of yours would enter: 1 (1 ipv4)"));
  EXPECT_THAT(asked_back.out, testing::HasSubstr("ipv4: after this bravo could have tested 256 of"));
  EXPECT_THAT(asked_back.out, testing::HasSubstr("Matches learned within 30 days: it up to 256, you up to 256, of "));
  EXPECT_EQ(members.alpha().json({"inbox"})["questions"].size(), 1u) << "it waits still";
  EXPECT_SAYS(members.alpha().run({"accept", id, "--yes"}), 0, "Accepted. 1 of yours enter.");
  EXPECT_EQ(asking.wait().code, 0);
}

TEST(Question, ByWhichOneSideLearnsSaysThatCanariesDoNotWork) {
  TwoMembers members("ask");
  members.alpha().import(table({"ipv4,198.51.100.7"}));
  Process asking(members.bravo().launch({"ask", "alpha", "--types", "ipv4", "--direction", "mine", "--yes"}));
  EXPECT_THAT(asking.line_of_err("could enter guesses"), testing::HasSubstr("Canaries do not work here"));
  members.node().logged("Decide with");
  EXPECT_THAT(members.alpha().output({"inbox"}), testing::HasSubstr("Canaries do not work here"));
  const std::string id = members.alpha().json({"inbox"})["questions"][0]["session"];
  EXPECT_THAT(members.alpha().output({"accept", id, "--yes"}), testing::HasSubstr("Canaries do not work here"));
  EXPECT_EQ(asking.wait().code, 0);
}

TEST(Question, IsAcceptedByHandWithALabelThatNarrowsTheAnsweringSide) {
  TwoMembers members("ask");
  members.alpha().import(table({"ipv4,198.51.100.7"}), {"--label", "shareable"});
  members.alpha().import(table({"ipv4,198.51.100.8"}), {}, "rest.csv");
  members.bravo().import(table({"ipv4,198.51.100.7", "ipv4,198.51.100.8"}));
  Process asking(members.bravo().launch({"ask", "alpha", "--json", "--yes"}));
  members.node().logged("Decide with");
  const std::string id = members.alpha().json({"inbox"})["questions"][0]["session"];
  EXPECT_EQ(members.alpha().run({"accept", id, "--label", "shareable", "--yes"}).code, 0);
  const Ended asked = asking.wait();
  ASSERT_EQ(asked.code, 0) << asked.err;
  EXPECT_EQ(match_lines(Json::parse(asked.out)), std::vector<std::string>{"ipv4\t198.51.100.7"});
}

TEST(Question, WithoutAYesAndATerminalToAskOnIsShownAndNotSent) {
  const TwoMembers members;
  members.bravo().import(table({"ipv4,198.51.100.7"}));
  const Ended asked = members.bravo().run({"ask", "alpha"});
  EXPECT_SAYS(asked, 1, "Of yours would enter: 1");
  EXPECT_SAYS(asked, 1, "add --yes");
  EXPECT_EQ(members.bravo().json({"session", "list"}), Json::array());
  EXPECT_EQ(members.alpha().json({"session", "list"}), Json::array()) << "no question of the day is used up";
}

TEST(Question, IsDeclinedByHandInTheOperatorsWords) {
  TwoMembers members("ask");
  members.alpha().import(table({"ipv4,198.51.100.7"}));
  Process asking(members.bravo().launch({"ask", "alpha", "--yes"}));
  members.node().logged("Decide with");
  const std::string id = members.alpha().json({"inbox"})["questions"][0]["session"];
  EXPECT_EQ(members.alpha().run({"decline", id, "--why", "Not before\x1b[31m the hearing"}).code, 0);
  const Ended asked = asking.wait();
  EXPECT_SAYS(asked, 1, "Not before");
  EXPECT_EQ(asked.err.find('\x1b'), std::string::npos) << "no control character of theirs reaches our terminal";
  EXPECT_EQ(asked.out, "");
  EXPECT_EQ(members.bravo().json({"show", id})["state"], "refused");
  EXPECT_EQ(members.alpha().json({"show", id})["state"], "refused");
  EXPECT_EQ(members.bravo().json({"show", id})["may_have_disclosed"], false);
}

TEST(Question, StoppedByTheAnsweringSideEndsOnBothWithNothingDisclosed) {
  TwoMembers members("ask");
  members.alpha().import(table({"ipv4,198.51.100.7"}));
  Process asking(members.bravo().launch({"ask", "alpha", "--yes"}));
  members.node().logged("Decide with");
  const std::string id = members.alpha().json({"inbox"})["questions"][0]["session"];
  EXPECT_SAYS(members.alpha().run({"session", "abort", id.substr(0, 8)}), 0, "Stopping session");
  EXPECT_EQ(asking.wait().code, 1);
  members.node().logged("stopped on this side");
  for (const Member* member : {&members.alpha(), &members.bravo()}) {
    EXPECT_EQ(member->json({"show", id})["state"], "aborted");
    EXPECT_EQ(member->json({"show", id})["may_have_disclosed"], false);
  }
  EXPECT_SAYS(members.alpha().run({"session", "abort", id}), 1, "under way");
  EXPECT_SAYS(members.bravo().run({"session", "abort", id}), 1, "No node of this member");
}

TEST(Question, ThatNobodyDecidesOnExpiresForTheAsker) {
  TwoMembers members("ask");
  EXPECT_EQ(members.ask({"--wait", "1"}).code, 1);
  const Json sessions = members.bravo().json({"session", "list"});
  ASSERT_EQ(sessions.size(), 1u);
  EXPECT_THAT(sessions[0]["state"].get<std::string>(), testing::AnyOf("aborted", "expired"));
}

TEST(Question, WithdrawnByItsAskerLeavesTheInbox) {
  TwoMembers members("ask");
  {
    Process asking(members.bravo().launch({"ask", "alpha", "--yes"}));
    members.node().logged("Decide with");
    asking.signal(SIGKILL);
    asking.wait();
  }
  members.node().logged("bravo:");
  EXPECT_EQ(members.alpha().json({"inbox"})["questions"], Json::array());
}

// What the asker is told and what stays with it, without what differs between any two sessions.
std::string refusal_as_seen(bool decliner_holds_material) {
  TwoMembers members("ask");
  if (decliner_holds_material) members.alpha().import(table({"ipv4,198.51.100.7", "domain,evil.example"}));
  members.bravo().import(table({"ipv4,198.51.100.7"}));
  Process asking(members.bravo().launch({"ask", "alpha", "--yes"}));
  members.node().logged("Decide with");
  const std::string id = members.alpha().json({"inbox"})["questions"][0]["session"];
  EXPECT_EQ(members.alpha().run({"decline", id}).code, 0);
  std::string told = asking.wait().err;
  const std::size_t clock = told.find("until 20");
  if (clock != told.npos) told.erase(clock, std::string_view("until 2026-11-30T14:36:14Z").size());
  Json kept = members.bravo().json({"show", id});
  // Byte counts are with or without the 24 bytes of TLS's own goodbye, as the hanging up comes before or after the
  // count.
  for (const char* own : {"session", "asked", "bytes_sent", "bytes_received"}) kept.erase(own);
  return told + kept.dump();
}

TEST(Question, DeclinedTellsTheSameWhateverTheDeclinerHolds) {
  EXPECT_EQ(refusal_as_seen(true), refusal_as_seen(false));
}

TEST(Question, ToAMemberThatHoldsNothingIsAnsweredLikeAnyOther) {
  const TwoMembers members;
  members.bravo().import(table({"ipv4,198.51.100.7"}));
  // The first brings both logs up to date with each other, and sizes of trees have as many digits from the second on.
  for (int i = 0; i < 2; ++i) members.answer({});
  const Json of_nothing = members.answer({});
  members.alpha().import(table({"ipv4,203.0.113.5"}));
  const Json of_something = members.answer({});
  EXPECT_EQ(of_nothing["count"], 0);
  EXPECT_EQ(of_nothing["their_size_at_most"], of_something["their_size_at_most"]);
  EXPECT_EQ(of_nothing["bytes_received"], of_something["bytes_received"]);
  EXPECT_EQ(of_nothing["bytes_sent"], of_something["bytes_sent"]);
}

class ByRule : public testing::Test {
 protected:
  static constexpr std::string_view kRules = R"([[rule]]
peer = "bravo"
question = "intersection"
types = ["ipv4", "domain"]
max_padded = 256
label = "shareable"
verdict = "accept"

[[rule]]
question = "count"
direction = "mine"
verdict = "decline"
)";
};

TEST_F(ByRule, TheFirstThatFitsDecides) {
  Member alpha("Alpha"), bravo("Bravo");
  alpha.import(table({"ipv4,198.51.100.7"}), {"--label", "shareable"});
  alpha.import(table({"ipv4,198.51.100.8"}), {}, "rest.csv");
  bravo.import(table({"ipv4,198.51.100.7", "ipv4,198.51.100.8"}));
  Node node(alpha, alpha.file("rules.toml", kRules));
  meet(alpha, "bravo", bravo, "127.0.0.1:1", "alpha", node.address());
  EXPECT_EQ(match_lines(bravo.json({"ask", "alpha", "--types", "ipv4", "--yes"})),
            std::vector<std::string>{"ipv4\t198.51.100.7"});
  node.logged("accepted by rule 1 of");
  EXPECT_SAYS(bravo.run({"ask", "alpha", "--question", "count", "--direction", "mine", "--yes"}), 1, "declined");
  node.logged("declined by rule 2 of");
  // No rule fits: the operator is asked.
  Process asking(bravo.launch({"ask", "alpha", "--types", "url", "--yes"}));
  node.logged("Decide with");
  EXPECT_EQ(alpha.json({"inbox"})["questions"].size(), 1u);
}

TEST(UnknownPeer, IsRefusedWithALogLineThatSaysWhoAndWhy) {
  Member alpha("Alpha"), stranger("Stranger"), bravo("Bravo");
  alpha.import(table({"ipv4,198.51.100.7"}));
  Node node(alpha);
  meet(alpha, "stranger", stranger, "127.0.0.1:1", "alpha", node.address(), "former");
  EXPECT_EQ(alpha.run({"peer", "remove", "stranger"}).code, 0);
  const Ended asked = stranger.run({"ask", "alpha", "--yes"});
  EXPECT_EQ(asked.code, 1);
  EXPECT_EQ(asked.out, "");
  const std::string line = node.logged("refused 127.0.0.1:");
  EXPECT_THAT(line, testing::HasSubstr("key")) << "why";
  meet(alpha, "bravo", bravo, "127.0.0.1:1", "alpha", node.address());
  EXPECT_EQ(bravo.run({"ask", "alpha", "--yes"}).code, 0) << "the node serves on";
  EXPECT_EQ(alpha.run({"peer", "remove", "bravo"}).code, 0);
  EXPECT_EQ(bravo.run({"ask", "alpha", "--yes"}).code, 1) << "who was removed is a stranger again";
}

TEST(UnknownPeer, AtTheAddressOfAPinnedOneLearnsNothing) {
  Member alpha("Alpha"), impostor("Alpha"), bravo("Bravo");
  bravo.import(table({"ipv4,198.51.100.7"}));
  const Node node(impostor);
  meet(alpha, "bravo", bravo, "127.0.0.1:1", "alpha", node.address());
  add_peer(impostor, "bravo", bravo, "127.0.0.1:1");
  const Ended asked = bravo.run({"ask", "alpha", "--yes"});
  EXPECT_EQ(asked.code, 1);
  EXPECT_EQ(bravo.json({"session", "list"}), Json::array()) << "no question was put";
  EXPECT_EQ(impostor.json({"session", "list"}), Json::array());
}

TEST(AskedPeer, ThatIsNotThereIsNamed) {
  Member alpha("Alpha"), bravo("Bravo");
  std::string address;
  {
    const Node node(alpha);
    address = node.address();
  }
  meet(alpha, "bravo", bravo, "127.0.0.1:1", "alpha", address);
  EXPECT_SAYS(bravo.run({"ask", "alpha", "--yes"}), 1, "alpha");
}

TEST(AskedPeer, WithWhomThereIsNoGroupIsAskedNothing) {
  Member alpha("Alpha"), bravo("Bravo");
  const Node node(alpha);
  add_peer(alpha, "bravo", bravo, "127.0.0.1:1");
  add_peer(bravo, "alpha", alpha, node.address());
  EXPECT_SAYS(bravo.run({"ask", "alpha", "--yes"}), 1, "no group together");
  EXPECT_EQ(bravo.json({"session", "list"}), Json::array());
}

}  // namespace
}  // namespace parley::program
