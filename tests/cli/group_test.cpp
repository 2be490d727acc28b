// A group's whole life between two members, as their operators type it.
#include <gmock/gmock.h>

#include <algorithm>

#include "base/clock.h"
#include "support/member.h"

namespace parley::program {
namespace {

using testing::HasSubstr;
using testing::Not;

class GroupLife : public testing::Test {
 protected:
  std::string draft(std::vector<std::string> more = {}) {
    std::vector<std::string> line{"group",
                                  "draft",
                                  "stadium",
                                  "--purpose",
                                  "Ticketing intrusions",
                                  "--until",
                                  date_in(30),
                                  "--from",
                                  date_in(-1),
                                  "--allow",
                                  "ipv4,domain:intersection",
                                  "--allow",
                                  "ipv4:count:max_sessions_day=2",
                                  "--title",
                                  "Operation Stadium"};
    line.insert(line.end(), more.begin(), more.end());
    return file_of(alpha_.output(line));
  }
  void meet() {
    const std::string invitation =
        alpha_.output({"invite", "stadium", "--to", "bravo", "--endpoint", "127.0.0.1:7440"});
    const std::string answer = bravo_.output({"join", bravo_.file("invitation", invitation), "--as", "alpha"});
    alpha_.output({"group", "take", alpha_.file("answer", answer)});
    alpha_.output({"confirm", "bravo", spoken(bravo_)});
    bravo_.output({"confirm", "alpha", spoken(alpha_)});
  }
  void found() {
    const std::string drafted = draft();
    meet();
    const std::string keys = file_of(bravo_.output({"group", "join", "joint", drafted, "--yes"}));
    alpha_.output({"group", "take", keys});
    const std::string by_alpha = file_of(alpha_.output({"group", "sign", "stadium", "--yes"}));
    bravo_.output({"group", "take", by_alpha});
    const std::string by_both = file_of(bravo_.output({"group", "sign", "joint", "--yes"}));
    alpha_.output({"group", "take", by_both});
  }
  std::string state_of(const Member& member, const std::string& group) {
    return member.json({"group", "show", group}).at("state");
  }

  Member alpha_{"Alpha CERT"}, bravo_{"Bravo CERT"};
};

TEST_F(GroupLife, GoesFromDraftToWithdrawal) {
  found();
  EXPECT_EQ(state_of(alpha_, "stadium"), "open");
  EXPECT_EQ(state_of(bravo_, "joint"), "open");
  const Json at_alpha = alpha_.json({"group", "show", "stadium"}), at_bravo = bravo_.json({"group", "show", "joint"});
  EXPECT_EQ(at_alpha.at("charter"), at_bravo.at("charter"));
  EXPECT_EQ(at_alpha.at("anchor"), at_bravo.at("anchor"));
  EXPECT_EQ(at_alpha.at("charter").at("members"), Json::array({"alpha-cert", "bravo-cert"}));
  EXPECT_EQ(at_alpha.at("charter").at("questions").size(), 3u);

  // A tightening of two needs both; a loosening as well.
  const std::string tighter =
      file_of(alpha_.output({"group", "amend", "stadium", "--allow", "ipv4:count:max_sessions_day=1", "--yes"}));
  EXPECT_EQ(alpha_.json({"group", "show", "stadium"}).at("charter").at("version"), 1);
  bravo_.output({"group", "take", tighter});
  const std::string amended = file_of(bravo_.output({"group", "sign", "joint", "--yes"}));
  alpha_.output({"group", "take", amended});
  EXPECT_EQ(alpha_.json({"group", "show", "stadium"}).at("charter").at("version"), 2);
  EXPECT_EQ(alpha_.json({"group", "show", "stadium"}).at("anchor"), at_alpha.at("anchor"));
  EXPECT_THAT(alpha_.output({"group", "show", "stadium", "--note"}), HasSubstr("\"seq\":2"));
  EXPECT_THAT(alpha_.output({"group", "show", "stadium", "--note", "--version", "1"}), HasSubstr("\"seq\":1"));
  EXPECT_SAYS(alpha_.run({"group", "show", "stadium", "--note", "--version", "3"}), 1, "2 version(s)");

  const Ended asked = bravo_.run({"group", "withdraw", "joint"});
  EXPECT_SAYS(asked, 1, "Nothing was done");
  EXPECT_THAT(asked.err, HasSubstr("cannot be undone"));
  EXPECT_EQ(state_of(bravo_, "joint"), "open");
  const Ended left = bravo_.run({"group", "withdraw", "joint", "--reason", "budget", "--yes"});
  ASSERT_EQ(left.code, 0) << left.err;
  EXPECT_LT(left.err.find("cannot be undone"), left.err.find("You have withdrawn")) << "said before it is done";
  EXPECT_EQ(state_of(bravo_, "joint"), "withdrawn from");
  EXPECT_SAYS(alpha_.run({"group", "take", file_of(left.out)}), 0, "bravo-cert has left");
  EXPECT_EQ(state_of(alpha_, "stadium"), "left by everybody else");
  EXPECT_SAYS(bravo_.run({"group", "withdraw", "joint", "--yes"}), 1, "nothing to withdraw from");
}

TEST_F(GroupLife, EndsByItselfWhenItsTimeIsOver) {
  found();
  // The members agree to end it now: an amendment moves the end instead of the clock.
  const std::string now = to_rfc3339(wall_clock_now());
  const std::string ending = file_of(alpha_.output({"group", "amend", "stadium", "--until", now, "--yes"}));
  bravo_.output({"group", "take", ending});
  const std::string amended = file_of(bravo_.output({"group", "sign", "joint", "--yes"}));
  EXPECT_EQ(state_of(bravo_, "joint"), "over, in its days of grace");
  EXPECT_EQ(state_of(alpha_, "stadium"), "open") << "until it has the signature";
  alpha_.output({"group", "take", amended});
  EXPECT_EQ(state_of(alpha_, "stadium"), "over, in its days of grace");
  EXPECT_SAYS(alpha_.run({"group", "amend", "stadium", "--until", date_in(60), "--yes"}), 1, "not_after");
  const auto keys = [&] {
    return std::ranges::count_if(std::filesystem::directory_iterator(alpha_.home()), [](const auto& entry) {
      return entry.path().filename().string().starts_with("group-");
    });
  };
  EXPECT_EQ(keys(), 1);
  EXPECT_SAYS(alpha_.run({"group", "close", "stadium"}), 1, "Nothing was done");
  EXPECT_SAYS(alpha_.run({"group", "close", "stadium", "--yes"}), 0, "are destroyed");
  EXPECT_EQ(keys(), 0);
  EXPECT_EQ(state_of(alpha_, "stadium"), "over");
}

TEST_F(GroupLife, IsNotClosedBeforeItsEnd) {
  found();
  EXPECT_SAYS(alpha_.run({"group", "close", "stadium", "--yes"}), 1, "when its charter has ended");
}

TEST_F(GroupLife, TellsOnEveryScreenWhatTheOthersLearnAndHowOneNotices) {
  const std::string drafted = draft();
  meet();
  for (const Ended& screen :
       {bravo_.run({"group", "join", "joint", drafted, "--yes"}),
        alpha_.run({"group", "draft", "arena", "--purpose", "p", "--until", date_in(1), "--allow", "ipv4:count"})}) {
    EXPECT_SAYS(screen, 0, "What the others learn about you");
    EXPECT_SAYS(screen, 0, "How you would notice that they cheat");
  }
}

TEST_F(GroupLife, NamesOnEveryScreenWhatCanBeGuessedAndEntersWithoutTags) {
  const auto tags = [](const std::string& types) { return "Of " + types + " only a tag enters"; };
  const auto without = [](const std::string& types) { return "WITHOUT TAGS: " + types + " can be guessed"; };
  const std::string protects_nothing = "tags of cve, about which no question is allowed";
  const auto drafts = [&](const std::string& name, const std::string& types, const std::string& admission) {
    return alpha_.run({"group", "draft", name, "--purpose", "p", "--until", date_in(3), "--allow",
                       types + ":intersection", "--admission", admission});
  };
  const Ended partly = drafts("partly", "ipv4,cve,domain", "cve=5");
  EXPECT_SAYS(partly, 0, tags("cve"));
  EXPECT_SAYS(partly, 0, without("ipv4"));
  EXPECT_THAT(partly.err, Not(HasSubstr("protect nothing")));
  const Ended none = drafts("none", "ipv4,cve,domain", "none");
  EXPECT_SAYS(none, 0, without("cve, ipv4"));
  EXPECT_THAT(none.err, Not(HasSubstr("only a tag enters")));
  const Ended useless = drafts("useless", "domain", "cve=5");
  EXPECT_SAYS(useless, 0, protects_nothing);
  EXPECT_THAT(useless.err, Not(HasSubstr("WITHOUT TAGS")));
  EXPECT_THAT(useless.err, Not(HasSubstr("only a tag enters")));

  const std::string drafted = draft({"--admission", "cve=5"});
  meet();
  const Ended joined = bravo_.run({"group", "join", "joint", drafted, "--yes"});
  EXPECT_SAYS(joined, 0, without("ipv4"));
  EXPECT_SAYS(joined, 0, protects_nothing);
  alpha_.output({"group", "take", file_of(joined.out)});
  EXPECT_SAYS(alpha_.run({"group", "sign", "stadium", "--yes"}), 0, without("ipv4"));
}

TEST_F(GroupLife, SaysWhoWasInvitedAndHasNotJoinedBeforeTheListIsClosed) {
  const std::string drafted = draft();
  meet();
  alpha_.output({"invite", "stadium", "--to", "delta", "--endpoint", "127.0.0.1:7440"});
  const std::string nobody = alpha_.output({"group", "show", "stadium"});
  EXPECT_EQ(alpha_.json({"group", "show", "stadium"})["joined"], Json({"alpha-cert"}));
  EXPECT_EQ(alpha_.json({"group", "show", "stadium"})["not_joined"], Json({"bravo", "delta"}));
  EXPECT_THAT(nobody, HasSubstr("here: alpha-cert\n"));
  EXPECT_THAT(nobody, HasSubstr("not joined yet: bravo, delta\n"));
  alpha_.output({"group", "take", file_of(bravo_.output({"group", "join", "joint", drafted, "--yes"}))});
  EXPECT_THAT(alpha_.output({"group", "show", "stadium"}), HasSubstr("not joined yet: delta\n"));
  const Ended signing = alpha_.run({"group", "sign", "stadium"});
  EXPECT_SAYS(signing, 1, "NOT AMONG THEM: delta,");
  EXPECT_THAT(signing.err, Not(HasSubstr("THEM: bravo")));
  EXPECT_SAYS(signing, 1, "closes the list of members");
  const std::string by_alpha = file_of(alpha_.output({"group", "sign", "stadium", "--yes"}));
  bravo_.output({"group", "take", by_alpha});
  EXPECT_THAT(bravo_.run({"group", "sign", "joint", "--yes"}).err, Not(HasSubstr("closes the list")));
}

TEST_F(GroupLife, TakesANewcomerInByItsNameHere) {
  found();
  const Member delta("Delta Labs");
  const std::string invitation = alpha_.output({"invite", "stadium", "--to", "delta", "--endpoint", "127.0.0.1:7440"});
  const std::string answer = delta.output({"join", delta.file("invitation", invitation)});
  EXPECT_SAYS(alpha_.run({"group", "take", alpha_.file("answer-2", answer)}), 0, "Compare fingerprints by voice now");
  const std::string first = alpha_.file("first", alpha_.output({"group", "show", "stadium", "--note"}));
  const std::string keys = file_of(delta.output({"group", "join", "late", first, "--yes"}));
  EXPECT_SAYS(alpha_.run({"group", "take", keys}), 0, "parley group amend stadium --add delta-labs");
  EXPECT_SAYS(alpha_.run({"group", "amend", "stadium", "--add", "echo", "--yes"}), 1, "has brought no keys");
  EXPECT_SAYS(alpha_.run({"group", "amend", "stadium", "--expel", "delta", "--yes"}), 2, "delta is no member");
  EXPECT_SAYS(alpha_.run({"group", "amend", "stadium", "--add", "delta", "--yes"}), 0, "delta-labs");
}

TEST_F(GroupLife, DoesNotAskToCompareAFingerprintTwice) {
  alpha_.output({"peer", "add", "bravo", card_of(bravo_), "127.0.0.1:1"});
  EXPECT_TRUE(alpha_.json({"peer", "list"})[0].at("confirmed").is_null());
  EXPECT_THAT(alpha_.output({"peer", "list"}), HasSubstr("NOT compared by voice"));
  alpha_.output({"confirm", "bravo", spoken(bravo_)});
  EXPECT_TRUE(alpha_.json({"peer", "list"})[0].at("confirmed").is_string());
  EXPECT_THAT(alpha_.output({"peer", "list"}), Not(HasSubstr("NOT compared by voice")));
  draft();
  const std::string invitation = alpha_.output({"invite", "stadium", "--to", "bravo", "--endpoint", "127.0.0.1:7440"});
  const std::string answer = bravo_.output({"join", bravo_.file("invitation", invitation)});
  const Ended taken = alpha_.run({"group", "take", alpha_.file("answer", answer)});
  EXPECT_SAYS(taken, 0, "was compared by voice already");
  EXPECT_THAT(taken.err, Not(HasSubstr("Compare fingerprints by voice now")));
}

TEST_F(GroupLife, SaysWhatAFileIsNot) {
  const std::string drafted = draft();
  meet();
  std::string altered = read_text(drafted);
  altered.replace(altered.find("Ticketing"), 1, "t");
  EXPECT_SAYS(bravo_.run({"group", "join", "joint", bravo_.file("altered", altered), "--yes"}), 1,
              "does not fit this draft");
  const Member delta("Delta Labs");
  EXPECT_SAYS(delta.run({"group", "join", "joint", drafted, "--yes"}), 1, "not by a member whom you know");
  EXPECT_SAYS(bravo_.run({"join", drafted}), 1, "parley group join NAME FILE");
  EXPECT_SAYS(bravo_.run({"group", "take", bravo_.file("a.csv", "type,value\n")}), 1,
              "nothing that members send for a group");
  EXPECT_SAYS(bravo_.run({"peer", "add", "x", bravo_.file("b.csv", "type,value\n"), "127.0.0.1:1"}), 1,
              "KEY takes a card");
}

TEST_F(GroupLife, LetsNothingEnterUntilARuleAdmitsIt) {
  found();
  alpha_.import(table({"ipv4,198.51.100.7", "domain,evil.example", "domain,other.example"}), {"--label", "stadium"});
  EXPECT_SAYS(alpha_.run({"group", "admit", "stadium"}), 0, "0 of your indicators");
  EXPECT_SAYS(alpha_.run({"group", "admit", "stadium", "--types", "domain"}), 0, "2 of your indicators");
  EXPECT_SAYS(alpha_.run({"group", "admit", "stadium", "--label", "stadium", "--max-tlp", "amber"}), 0,
              "3 of your indicators");
  EXPECT_SAYS(alpha_.run({"group", "admit", "stadium", "--remove", "2"}), 0, "2 of your indicators");
  EXPECT_SAYS(alpha_.run({"group", "admit", "stadium", "--remove", "2"}), 1, "no rule 2");
  const Ended all = alpha_.run({"group", "admit", "stadium", "--all", "--remove", "1"});
  EXPECT_SAYS(all, 0, "3 of your indicators");
  EXPECT_SAYS(all, 0, "Of ipv4 the admission begins now");
  EXPECT_THAT(alpha_.run({"group", "admit", "stadium"}).err, Not(HasSubstr("begins now"))) << "it only lists";
}

TEST_F(GroupLife, TakesOwnRulesOnlyWhenTheyAreStricter) {
  found();
  EXPECT_SAYS(alpha_.run({"group", "policy", "stadium"}), 0, "no rules of your own in stadium");
  EXPECT_EQ(alpha_.run({"group", "policy", "stadium", "--pause", "--limit", "ipv4:count:max_sessions_day=1"}).code, 0);
  const Ended listed = alpha_.run({"group", "policy", "stadium"});
  EXPECT_THAT(listed.out, HasSubstr("count of ipv4: max_sessions_day=1"));
  EXPECT_EQ(listed.err.find("hold from now on"), std::string::npos);
  EXPECT_EQ(alpha_.json({"group", "show", "stadium"}).at("paused"), true);
  EXPECT_EQ(bravo_.json({"group", "show", "joint"}).at("paused"), false) << "nobody is told";
  EXPECT_SAYS(alpha_.run({"group", "policy", "stadium", "--limit", "ipv4:count:max_sessions_day=3"}), 2, "stricter");
  EXPECT_SAYS(alpha_.run({"group", "policy", "stadium", "--max-tlp", "red"}), 2, "stricter");
  EXPECT_SAYS(alpha_.run({"group", "policy", "stadium", "--refuse", "url:count"}), 2, "at all");
  EXPECT_EQ(alpha_.run({"group", "policy", "stadium", "--resume"}).code, 0);
  EXPECT_EQ(alpha_.json({"group", "show", "stadium"}).at("paused"), false);
}

TEST_F(GroupLife, IsNotAmendedToEndBeforeASessionWasPossible) {
  found();
  const std::string begin = alpha_.json({"group", "show", "stadium"}).at("charter").at("not_before");
  const std::string soon = to_rfc3339(*parse_time(begin) + 300);
  EXPECT_SAYS(alpha_.run({"group", "amend", "stadium", "--until", soon, "--yes"}), 2, "No session would be possible");
}

TEST_F(GroupLife, SaysOfAnAmendmentWhatFollowsFromIt) {
  found();
  const std::string begin = alpha_.json({"group", "show", "stadium"}).at("charter").at("not_before");
  const std::string today = to_rfc3339(*parse_time(begin) + 3 * 3600);
  const Ended ending = alpha_.run({"group", "amend", "stadium", "--until", today});
  EXPECT_SAYS(ending, 1, "IT ENDS THE GROUP AT ONCE");
  EXPECT_SAYS(ending, 1, "signing tells them that you agree to this change");
  EXPECT_THAT(ending.err, Not(HasSubstr("NEW EPOCH")));
  const Ended tags = alpha_.run({"group", "amend", "stadium", "--admission", "domain=50,ipv4=50", "--yes"});
  EXPECT_SAYS(tags, 0, "A NEW EPOCH BEGINS WITH IT: everybody's tags of domain, ipv4");
  bravo_.output({"group", "take", file_of(tags.out)});
  EXPECT_SAYS(bravo_.run({"group", "sign", "joint"}), 1, "A NEW EPOCH BEGINS WITH IT");
}

// Who is invited and handed something else notices it before joining.
TEST_F(GroupLife, PrintsTheSameHashOfADraftToWhoeverDraftsItAndWhoeverIsInvitedToIt) {
  const std::string drafted = draft();
  const std::string invitation = alpha_.output({"invite", "stadium", "--to", "bravo", "--endpoint", "127.0.0.1:7440"});
  const Ended joined = bravo_.run({"join", bravo_.file("invitation", invitation), "--as", "alpha"});
  const std::string marker = "has the hash ";
  ASSERT_THAT(joined.err, HasSubstr(marker));
  const std::string hash = joined.err.substr(joined.err.find(marker) + marker.size(), 64);
  EXPECT_SAYS(bravo_.run({"group", "join", "joint", drafted}), 1, "hash of this paper: " + hash);
}

TEST_F(GroupLife, RefusesDraftsThatNoCharterCouldBe) {
  const auto refuses = [&](std::vector<std::string> options, const char* says) {
    std::vector<std::string> line{"group", "draft", "x", "--purpose", "p"};
    line.insert(line.end(), options.begin(), options.end());
    const Ended ended = alpha_.run(line);
    EXPECT_NE(ended.code, 0);
    EXPECT_THAT(ended.err, HasSubstr(says));
    EXPECT_EQ(alpha_.json({"group", "list"}), Json::array());
  };
  refuses({"--until", date_in(401), "--allow", "ipv4:count"}, "400 days");
  refuses({"--until", date_in(-1), "--allow", "ipv4:count"}, "in the past");
  refuses({"--until", to_rfc3339(wall_clock_now() + 300), "--allow", "ipv4:count"}, "No session would be possible");
  refuses({"--until", "soon", "--allow", "ipv4:count"}, "takes a date");
  refuses({"--until", date_in(1)}, "--allow is required");
  refuses({"--until", date_in(1), "--allow", "ipv4"}, "is no question");
  refuses({"--until", date_in(1), "--allow", "ipv5:count"}, "is no type");
  refuses({"--until", date_in(1), "--allow", "ipv4:guess"}, "is no function");
  refuses({"--until", date_in(1), "--allow", "ipv4:count", "--allow", "ipv4:count"}, "once each");
  refuses({"--until", date_in(1), "--allow", "ipv4:count:max_items=5"}, "is no cap");
  refuses({"--until", date_in(1), "--allow", "ipv4:count:max_sessions_day=99999999999999999999"}, "is no cap");
  refuses({"--until", date_in(1), "--allow", "ipv4:count", "--caps", "max_sessions_day=0"}, "max_sessions_day");
}

TEST_F(GroupLife, DoesNotOverwriteAPaper) {
  draft();
  EXPECT_SAYS(alpha_.run({"group", "draft", "other", "--purpose", "p", "--until", date_in(1), "--allow", "ipv4:count",
                          "--out", "stadium.draft"}),
              1, "already");
}

TEST_F(GroupLife, PinsNobodyByAWrongFingerprintOrAUsedInvitation) {
  draft();
  const std::string invitation = alpha_.output({"invite", "stadium", "--to", "bravo", "--endpoint", "127.0.0.1:7440"});
  EXPECT_SAYS(bravo_.run({"join", invitation.substr(0, invitation.size() - 1)}), 2, "is a secret");
  const std::string file = bravo_.file("invitation", invitation);
  const std::string answer = bravo_.output({"join", file});
  EXPECT_SAYS(bravo_.run({"confirm", "alpha-cert", "0000-0000"}), 1, "Nothing was confirmed");
  EXPECT_SAYS(bravo_.run({"confirm", "alpha-cert", "y"}), 2, "last two groups");
  const std::string at_alpha = alpha_.file("answer", answer);
  EXPECT_SAYS(alpha_.run({"group", "take", at_alpha}), 0, "by voice");
  EXPECT_SAYS(alpha_.run({"group", "take", at_alpha}), 1, "used already");
  EXPECT_SAYS(alpha_.run({"join", alpha_.file("own", invitation)}), 1, "your own card");
}

TEST_F(GroupLife, RunsInsideANodeAsWell) {
  const Node node(alpha_);
  draft();
  EXPECT_EQ(alpha_.json({"group", "list"}).size(), 1u);
  EXPECT_EQ(alpha_.json({"group", "show", "stadium"}).at("state"), "forming");
}

TEST_F(GroupLife, KeepsSeveralGroupsApart) {
  found();
  alpha_.output({"group", "draft", "arena", "--purpose", "p", "--until", date_in(3), "--allow", "url:count"});
  const Json list = alpha_.json({"group", "list"});
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list.at(0).at("group"), "arena");
  EXPECT_EQ(list.at(0).at("state"), "forming");
  EXPECT_EQ(list.at(1).at("state"), "open");
  alpha_.import(table({"ipv4,198.51.100.7"}));
  alpha_.output({"group", "admit", "arena", "--all"});
  EXPECT_SAYS(alpha_.run({"group", "admit", "stadium"}), 0, "0 of your indicators");
  EXPECT_SAYS(
      alpha_.run({"group", "draft", "stadium", "--purpose", "p", "--until", date_in(3), "--allow", "url:count"}), 1,
      "another group");
}

}  // namespace
}  // namespace parley::program
