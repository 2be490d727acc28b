// The reveal: what each side opens of its context, and what never leaves.
#include <gmock/gmock.h>

#include "support/member.h"

namespace parley::program {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kHeader = "type,value,first_seen,malware,actor,tlp,pap,source";

// Both have a node, and one session in which everything of either side matched.
class Reveal : public testing::Test {
 protected:
  // Rows of a table with kHeader: the same indicators on both sides, with context of their own.
  void meet(const std::vector<std::string>& of_alpha, const std::vector<std::string>& of_bravo) {
    alpha_.import(table(of_alpha, kHeader));
    bravo_.import(table(of_bravo, kHeader));
    alpha_node_.emplace(alpha_);
    bravo_node_.emplace(bravo_);
    program::meet(alpha_, "bravo", bravo_, bravo_node_->address(), "alpha", alpha_node_->address());
    id_ = bravo_.json({"ask", "alpha", "--yes"})["session"];
    alpha_node_->logged("parley show " + id_.substr(0, 8) + " has it");
  }
  Ended reveal(const Member& member, std::vector<std::string> options) const {
    options.insert(options.begin(), {"reveal", id_, "--yes"});
    return member.run(std::move(options));
  }
  Json shown(const Member& member) const { return member.json({"show", id_}); }
  // What `member` was shown of the other side's context of `value`.
  Json theirs(const Member& member, const std::string& value) const {
    const Json answer = shown(member);
    for (const Json& match : answer["matches"])
      if (match["value"] == value) return match["theirs"];
    ADD_FAILURE() << value << " did not match";
    return {};
  }

  Member alpha_{"Alpha CERT"}, bravo_{"Bravo CERT"};
  std::optional<Node> alpha_node_, bravo_node_;
  std::string id_;
};

const std::string kAlphaRow = "ipv4,198.51.100.7,2015-06-30,Sednit,APT28,TLP:GREEN,PAP:AMBER,alpha-informant";
const std::string kBravoRow = "ipv4,198.51.100.7,2016-12-29,XAgent,Sofacy,TLP:CLEAR,,bravo-sensor";

TEST_F(Reveal, OpensNothingBeforeBothAgreed) {
  meet({kAlphaRow}, {kBravoRow});
  EXPECT_SAYS(reveal(bravo_, {"--fields", "malware"}), 0, "Nothing was opened");
  EXPECT_EQ(theirs(alpha_, "198.51.100.7"), Json::object());
  EXPECT_EQ(theirs(bravo_, "198.51.100.7"), Json::object());
  const Json inbox = alpha_.json({"inbox"})["reveals"];
  ASSERT_EQ(inbox.size(), 1u);
  EXPECT_EQ(inbox[0]["session"], id_);
  EXPECT_FALSE(inbox[0].contains("fields")) << "not before both are bound to what they open";
}

// What the person agrees to: each value as it goes out, its marks, who gets it, and what that does to the ledger.
TEST_F(Reveal, ShowsEachValueWithItsMarksAndTheLedgerBeforeItAsks) {
  meet({kAlphaRow, "domain,red.example,2015-01-01,Hidden,APT28,TLP:RED,,alpha-informant"},
       {kBravoRow, "domain,red.example,2015-01-01,Seen,APT28,TLP:CLEAR,,bravo-sensor"});
  const Ended asked = alpha_.run({"reveal", id_, "--fields", "malware,actor"});
  EXPECT_SAYS(asked, 1, "add --yes");
  EXPECT_THAT(asked.err, HasSubstr("  ipv4\t198.51.100.7\n      actor APT28, malware Sednit, pap amber, tlp green\n"));
  EXPECT_THAT(asked.err, HasSubstr("2 values in all, these and no others"));
  EXPECT_THAT(asked.err, Not(HasSubstr("Hidden"))) << "what does not leave is not in the list";
  EXPECT_THAT(asked.err, Not(HasSubstr("alpha-informant"))) << "nor a field that was not named";
  EXPECT_THAT(asked.err, HasSubstr("By the ledger you have opened 0 field(s) to bravo so far, and it 0 to you. By this "
                                   "you open up to 2 more, and get at least one for each."));
  EXPECT_THAT(alpha_.run({"reveal", id_, "--fields", "malware,actor", "--unreturned", "1"}).err,
              HasSubstr("By this you open up to 2 more, and get at least one for each, but for 1."));
}

TEST_F(Reveal, WithoutAYesAndATerminalToAskOnKeepsNoConsent) {
  meet({kAlphaRow}, {kBravoRow});
  EXPECT_SAYS(bravo_.run({"reveal", id_, "--fields", "malware"}), 1, "add --yes");
  EXPECT_SAYS(reveal(alpha_, {"--fields", "malware"}), 0, "has not agreed yet");
}

// What came after it without a result is not what a person means to open.
TEST_F(Reveal, TakesAsTheLastSessionTheLastThatCameToAResult) {
  meet({kAlphaRow}, {kBravoRow});
  alpha_.output({"group", "policy", "joint", "--pause"});
  EXPECT_EQ(bravo_.run({"ask", "alpha", "--yes"}).code, 1);
  alpha_.output({"group", "policy", "joint", "--resume"});
  EXPECT_EQ(bravo_.json({"show", "last"})["state"], "refused") << "show tells of what happened last";
  EXPECT_SAYS(bravo_.run({"reveal", "last", "--fields", "malware", "--yes"}), 0, "has not agreed yet");
  EXPECT_SAYS(bravo_.run({"consent", "withdraw"}), 0, "Nothing of this session");
  EXPECT_EQ(bravo_.json({"audit", "list"}).size(), 1u);
  EXPECT_SAYS(bravo_.run({"audit", "forget", "last"}), 0, "destroyed");
  EXPECT_SAYS(bravo_.run({"audit", "list"}), 0, "No record is kept");
}

// Either side may agree first; the second one's agreement opens both.
TEST_F(Reveal, OpensWhatEachSideChoseWhenTheAskerAgreesFirst) {
  meet({kAlphaRow}, {kBravoRow});
  ASSERT_EQ(reveal(bravo_, {"--fields", "malware,first_seen", "--unreturned", "1"}).code, 0);
  ASSERT_EQ(reveal(alpha_, {"--fields", "actor"}).code, 0);
  bravo_node_->logged("opened 1, received 1");
  EXPECT_EQ(theirs(alpha_, "198.51.100.7"),
            Json({{"malware", {"XAgent"}}, {"first_seen", "2016-12-29T00:00:00Z"}, {"tlp", "clear"}}));
  EXPECT_EQ(theirs(bravo_, "198.51.100.7"), Json({{"actor", {"APT28"}}, {"tlp", "green"}, {"pap", "amber"}}))
      << "the PAP mark travels along unasked";
}

TEST_F(Reveal, OpensWhatEachSideChoseWhenTheAnswererAgreesFirst) {
  meet({kAlphaRow}, {kBravoRow});
  ASSERT_EQ(reveal(alpha_, {"--fields", "actor"}).code, 0);
  EXPECT_SAYS(reveal(bravo_, {"--fields", "malware"}), 0, "Opened 1 field(s) on 1 match(es), received 1 on 1;");
  alpha_node_->logged("opened 1, received 1");
  EXPECT_EQ(theirs(bravo_, "198.51.100.7")["actor"], Json({"APT28"}));
  EXPECT_EQ(theirs(alpha_, "198.51.100.7")["malware"], Json({"XAgent"}));
  EXPECT_FALSE(theirs(bravo_, "198.51.100.7").contains("source")) << "what was not chosen stays";
  EXPECT_EQ(alpha_.run({"show", id_, "--json"}).out.find("bravo-sensor"), std::string::npos);
  EXPECT_EQ(bravo_.run({"show", id_, "--json"}).out.find("alpha-informant"), std::string::npos);
}

// What one side has more of stays, unless its operator says how much more; both see the numbers.
TEST_F(Reveal, OpensAsManyFieldsAsComeBackUnlessMoreIsNamed) {
  meet({kAlphaRow}, {kBravoRow});
  ASSERT_EQ(reveal(bravo_, {"--fields", "first_seen,malware,actor"}).code, 0);
  EXPECT_SAYS(reveal(alpha_, {"--fields", "actor"}), 0, "You offer 1 field(s) and open 1");
  bravo_node_->logged("1 fields of the 3 that were offered, against 1 of 1");
  EXPECT_FALSE(theirs(alpha_, "198.51.100.7").contains("malware"));
  // What is open pays for nothing again, and is named as such.
  EXPECT_SAYS(reveal(alpha_, {"--fields", "actor,source"}), 0, "1 fields were opened before");
  EXPECT_SAYS(reveal(bravo_, {"--fields", "first_seen,malware,actor", "--unreturned", "1"}), 0, "1 more than you get");
  EXPECT_TRUE(theirs(alpha_, "198.51.100.7").contains("malware"));
  EXPECT_TRUE(theirs(alpha_, "198.51.100.7").contains("actor"));
  EXPECT_EQ(shown(alpha_)["unshown_matches"], 0);
  EXPECT_SAYS(alpha_.run({"session", "fault", id_, "evidence"}), 1, "has left no evidence");
}

TEST_F(Reveal, CannotOpenWhatIsTlpRedForItNeverEnters) {
  meet({kAlphaRow, "domain,red.example,2015-01-01,RedMalware,RedActor,TLP:RED,,red-source",
        "domain,mixed.example,2015-01-01,RedMalware,RedActor,TLP:RED,,red-source"},
       {kBravoRow, "domain,red.example,2016-01-01,X,Y,TLP:CLEAR,,z",
        "domain,mixed.example,2016-01-01,X,Y,TLP:CLEAR,,z"});
  const std::string everything =
      "actor,confidence,first_seen,label,last_seen,malware,sector,sightings,source,technique";
  EXPECT_SAYS(reveal(alpha_, {"--fields", everything, "--tlp-max", "red"}), 1, "TLP:RED never leaves");
  EXPECT_SAYS(reveal(alpha_, {"--fields", everything, "--tlp-max", "amber+strict"}), 0, "1 of 1 matches");
  ASSERT_EQ(reveal(bravo_, {"--fields", everything, "--tlp-max", "amber+strict"}).code, 0);
  alpha_node_->logged("opened 1, received 1");
  EXPECT_EQ(shown(bravo_)["matches"].size(), 1u) << "not even that both hold it";
  std::string all_that_bravo_has = bravo_.run({"show", id_, "--json"}).out + bravo_.run({"show", id_}).out;
  for (const char* red : {"RedMalware", "RedActor", "red-source"})
    EXPECT_EQ(all_that_bravo_has.find(red), std::string::npos) << red;
}

TEST_F(Reveal, HoldsBackWhatIsStricterThanTheChosenLimit) {
  meet({kAlphaRow, "domain,strict.example,2015-01-01,StrictMalware,A,TLP:AMBER+STRICT,,s",
        "domain,amber.example,2015-01-01,AmberMalware,A,TLP:AMBER,,s",
        "domain,unmarked.example,2015-01-01,UnmarkedMalware,A,,,s"},
       {kBravoRow, "domain,strict.example,2016-01-01,X,Y,TLP:CLEAR,,z",
        "domain,amber.example,2016-01-01,X,Y,TLP:CLEAR,,z", "domain,unmarked.example,2016-01-01,X,Y,TLP:CLEAR,,z"});
  EXPECT_SAYS(reveal(alpha_, {"--fields", "malware", "--tlp-max", "green"}), 0, "3 are marked stricter");
  ASSERT_EQ(reveal(bravo_, {"--fields", "malware", "--unreturned", "3"}).code, 0);
  alpha_node_->logged("opened 1, received 4");
  EXPECT_EQ(theirs(bravo_, "198.51.100.7")["malware"], Json({"Sednit"}));
  for (const char* held : {"strict.example", "amber.example", "unmarked.example"})
    EXPECT_EQ(theirs(bravo_, held), Json::object()) << held;
}

TEST_F(Reveal, IsRefusedWhereNothingCouldBeOpened) {
  meet({kAlphaRow}, {kBravoRow});
  EXPECT_SAYS(reveal(alpha_, {"--fields", "technique"}), 1, "Nothing was sent");
  EXPECT_SAYS(reveal(alpha_, {"--fields", "malware", "--tlp-max", "clear"}), 1, "Nothing was sent");
  EXPECT_SAYS(reveal(alpha_, {"--fields", "tlp"}), 2, "names nothing");
  EXPECT_SAYS(reveal(alpha_, {"--fields", "malware", "--tlp-max", "purple"}), 2, "TLP 2.0");
  EXPECT_EQ(alpha_.json({"inbox"})["reveals"], Json::array());
  EXPECT_EQ(bravo_.json({"inbox"})["reveals"], Json::array()) << "the other side was not even told";
}

TEST_F(Reveal, KeepsItsConsentUntilTheOtherSideCanBeReached) {
  meet({kAlphaRow}, {kBravoRow});
  bravo_node_->stop();
  EXPECT_SAYS(reveal(alpha_, {"--fields", "actor"}), 1, "Your consent is kept");
  ASSERT_EQ(reveal(bravo_, {"--fields", "malware"}).code, 0);
  alpha_node_->logged("opened 1, received 1");
  EXPECT_EQ(theirs(bravo_, "198.51.100.7")["actor"], Json({"APT28"}));
}

TEST_F(Reveal, CanBeTakenBackUntilItIsUsed) {
  meet({kAlphaRow}, {kBravoRow});
  ASSERT_EQ(reveal(bravo_, {"--fields", "malware", "--operator", "r. deckard"}).code, 0);
  EXPECT_EQ(alpha_.json({"inbox"})["reveals"][0]["by"], "r. deckard");
  EXPECT_SAYS(bravo_.run({"consent", "withdraw", id_}), 0, "Nothing of this session is opened");
  EXPECT_SAYS(reveal(alpha_, {"--fields", "actor"}), 0, "has not agreed yet");
  EXPECT_EQ(theirs(alpha_, "198.51.100.7"), Json::object());
  EXPECT_SAYS(bravo_.run({"consent", "withdraw", id_}), 1, "No consent");
}

TEST_F(Reveal, OpensByAStandingConsentUntilItIsRemoved) {
  meet({kAlphaRow}, {kBravoRow});
  const std::vector<std::string> rule{"consent",    "add",      "joint",   "--peer",
                                      "alpha-cert", "--fields", "malware", "--yes"};
  const auto until = [&](const std::string& when) {
    std::vector<std::string> line = rule;
    line.insert(line.end(), {"--until", when});
    return bravo_.run(line);
  };
  EXPECT_SAYS(until("2001-01-01"), 2, "that is over");
  EXPECT_SAYS(until(date_in(1)), 0, "It stands");
  ASSERT_EQ(bravo_.json({"consent", "list", "joint"}).size(), 1u);
  EXPECT_SAYS(reveal(alpha_, {"--fields", "actor"}), 0, "Opened 1 field(s) on 1 match(es), received 1 on 1;");
  EXPECT_EQ(theirs(alpha_, "198.51.100.7")["malware"], Json({"XAgent"}));
  EXPECT_SAYS(bravo_.run({"consent", "remove", "joint", "1"}), 0, "It ends now");
  EXPECT_SAYS(reveal(alpha_, {"--fields", "source"}), 0, "has not agreed yet");
}

TEST_F(Reveal, HoldsBackWhatAPapForbids) {
  meet({kAlphaRow}, {"ipv4,198.51.100.7,2016-12-29,XAgent,Sofacy,TLP:CLEAR,PAP:RED,bravo-sensor"});
  EXPECT_SAYS(reveal(bravo_, {"--fields", "malware"}), 1, "stricter than PAP:amber");
  EXPECT_SAYS(reveal(bravo_, {"--fields", "malware", "--pap-max", "red"}), 1, "PAP:RED stays");
  EXPECT_SAYS(reveal(alpha_, {"--fields", "actor", "--pap-max", "green"}), 1, "1 are marked stricter than PAP:green");
  EXPECT_SAYS(reveal(alpha_, {"--fields", "actor", "--only", "192.0.2.9"}), 1, "is no match");
}

TEST_F(Reveal, OfASessionThatOnlyOneSideLearnedFromIsRefused) {
  meet({kAlphaRow}, {kBravoRow});
  for (const char* direction : {"mine", "theirs"}) {
    const std::string id = bravo_.json({"ask", "alpha", "--direction", direction, "--yes"})["session"];
    EXPECT_SAYS(bravo_.run({"reveal", id, "--fields", "malware", "--yes"}), 2, "only one side learned") << direction;
  }
}

}  // namespace
}  // namespace parley::program
