// Text from outside that would deceive the eye or act on the terminal: refused where it names something, escaped where
// it is shown, in whatever a command prints and in every line of the node's journal.
#include "base/text.h"
#include "group/charters.h"
#include "session/question.h"
#include "support/changed_member.h"
#include "support/deceiving_texts.h"

namespace parley::attacks {
namespace {

using program::Ended, program::Member, program::Node;

testing::AssertionResult is_harmless(const Ended& ended) {
  if (const auto out = parley::is_harmless(ended.out); !out) return out;
  return parley::is_harmless(ended.err);
}
#define EXPECT_HARMLESS(what) EXPECT_TRUE(is_harmless(what))

/// `text` as JSON can hold it: what is no UTF-8 is left out.
std::string json_of(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::ignore);
}

// --- names that others give themselves ------------------------------------------------------------------------------

TEST(DeceivingText, IsNoNameOnACard) {
  const group::TestMember& alpha = group::test_member("alpha");
  for (const std::string& text : kDeceivingTexts) {
    EXPECT_FALSE(group::check_name(text).has_value());
    if (!is_valid_utf8(text)) continue;  // no card can hold it
    const std::string note = group::make_card(text, "alpha", alpha.card_seeds, group::kBegin);
    const auto card = group::read_card(note);
    ASSERT_FALSE(card.has_value()) << visible(text);
    EXPECT_TRUE(parley::is_harmless(card.error().text()));
    const auto nick = group::read_card(group::make_card("Alpha", text, alpha.card_seeds, group::kBegin));
    ASSERT_FALSE(nick.has_value()) << visible(text);
    EXPECT_TRUE(parley::is_harmless(nick.error().text()));
  }
}

TEST(DeceivingText, IsInNoCharter) {
  for (const std::string& text : kDeceivingTexts) {
    group::Charter charter = group::charter_of(3);
    charter.name = text;
    EXPECT_FALSE(check_charter(charter).has_value()) << visible(text);
    charter = group::charter_of(3);
    charter.purpose = text;
    EXPECT_FALSE(check_charter(charter).has_value()) << visible(text);
    charter = group::charter_of(3);
    charter.domain = text;
    EXPECT_FALSE(check_charter(charter).has_value()) << visible(text);
  }
}

TEST(DeceivingText, OfAQuestionIsShownAsWhatItIs) {
  for (const std::string& text : kDeceivingTexts) {
    session::Question question;
    question.label = text;
    EXPECT_TRUE(parley::is_harmless(session::in_words(question))) << visible(text);
  }
}

// --- what a person is given and hands to the program -----------------------------------------------------------------

class Victim : public testing::Test {
 protected:
  Member alpha_{"Alpha CERT"};
};

TEST_F(Victim, SeesNothingOfItInWhatACommandSaysOfItsArguments) {
  const std::vector<std::vector<std::string>> lines{{"ask", "?"},
                                                    {"show", "?"},
                                                    {"accept", "?"},
                                                    {"peer", "remove", "?"},
                                                    {"group", "show", "?"},
                                                    {"log", "show", "?"},
                                                    {"log", "prove", "?:1"},
                                                    {"confirm", "?", "abcd"},
                                                    {"?"},
                                                    {"join", "?"},
                                                    {"extract", "?"},
                                                    {"import", "?"},
                                                    {"verify", "fault", "?", "--members", "?"}};
  for (const auto& line : lines)
    for (const std::string& text : kDeceivingTexts) {
      std::vector<std::string> arguments = line;
      for (std::string& argument : arguments)
        if (const auto at = argument.find('?'); at != argument.npos) argument.replace(at, 1, text);
      const Ended ended = alpha_.run(arguments);
      EXPECT_NE(ended.code, 0) << line[0];
      EXPECT_HARMLESS(ended) << line[0];
    }
}

TEST_F(Victim, SeesNothingOfItFromAFileWhateverItSays) {
  const std::vector<std::pair<std::string, std::string>> files{
      {"bundle.json",
       R"({"type":"bundle","id":"bundle--1","objects":[{"type":"indicator","id":"indicator--1","name":?,"description":?,)"
       R"("labels":[?],"pattern":"[domain-name:value = 'a.example']","pattern_type":?,"valid_from":"2018-01-01T00:00:00Z"},)"
       R"({"type":"malware","id":"malware--1","name":?},{"type":?,"id":?}]})"},
      {"event.json",
       R"({"Event":{"info":?,"Tag":[{"name":?}],"Attribute":[{"type":"domain","value":"b.example","comment":?,"Tag":[{"name":?}]},)"
       R"({"type":?,"value":?},{"type":"filename","value":?}]}})"},
      {"table.csv", "type,value,label,comment\ndomain,c.example,?,?\n?,?,?,?\nfilename,?,x,y\n"},
      {"list.txt", "?\nd.example\n?\n"},
      {"report.md", "# ?\n\nSeen at e[.]example by ?.\n"},
      {"indicators.ioc", "<ioc><short_description>?</short_description></ioc>"},
      {"charter.draft", "parley/draft/v1\n?\n"},
      {"x.leave", "?\n"},
  };
  for (std::size_t i = 0; i < kDeceivingTexts.size(); ++i) {
    const std::string& text = kDeceivingTexts[i];
    for (const auto& [name, form] : files) {
      const bool is_json = name.ends_with(".json");
      std::string content;
      for (const char c : form) content += c != '?' ? std::string(1, c) : is_json ? json_of(text) : text;
      const std::string file = alpha_.file(name, content);
      if (name == "charter.draft") {
        EXPECT_HARMLESS(alpha_.run({"group", "join", "g", file, "--yes"})) << name;
      } else if (name == "x.leave") {
        EXPECT_HARMLESS(alpha_.run({"group", "take", file})) << name;
        EXPECT_HARMLESS(alpha_.run({"verify", "fault", file, "--members", file})) << name;
        EXPECT_HARMLESS(alpha_.run({"peer", "add", "x", file, "a:1"})) << name;
      } else {
        EXPECT_HARMLESS(alpha_.run({"import", file})) << name << " " << visible(text);
        EXPECT_HARMLESS(alpha_.run({"extract", file})) << name;
      }
    }
  }
  for (const std::vector<std::string>& line :
       {std::vector<std::string>{"export"}, {"export"}, {"session", "list"}, {"session", "list", "--json"}})
    EXPECT_HARMLESS(alpha_.run(line)) << line[0];
}

TEST_F(Victim, SeesNothingOfItFromTheNameOfAFile) {
  for (const std::string& text : kDeceivingTexts) {
    std::string name = text + ".csv";
    std::ranges::replace(name, '/', '_');
    const std::string file = alpha_.file(name, "type,value\ndomain,f.example\n");
    EXPECT_HARMLESS(alpha_.run({"import", file})) << visible(text);
    EXPECT_HARMLESS(alpha_.run({"extract", file})) << visible(text);
  }
}

// --- what a member says over the line
// ---------------------------------------------------------------------------------

TEST_F(Victim, ReadsNothingOfItInTheJournalOrInAnAnswer) {
  const Member bravo("Bravo CERT");
  Node node(alpha_);
  program::meet(alpha_, "bravo", bravo, "127.0.0.1:1", "alpha", node.address());
  for (const std::string& text : kDeceivingTexts) {
    EXPECT_HARMLESS(bravo.run({"ask", "alpha", "--label", text, "--yes"})) << visible(text);
    EXPECT_HARMLESS(alpha_.run({"decline", "00000000", "--why", text})) << visible(text);
    EXPECT_HARMLESS(bravo.run({"group", "withdraw", "nothing", "--reason", text, "--yes"})) << visible(text);
  }
  const Ended ended = node.stop();
  EXPECT_HARMLESS(ended);
}

/// Bravo's program has been changed: it signs such texts into its log and names them to alpha's running node.
class VictimOfAChangedMember : public Victim {
 protected:
  VictimOfAChangedMember() {
    for (const Member* member : {&alpha_, &bravo_}) member->import("type,value\nipv4,198.51.100.7\n");
    node_.emplace(alpha_);
    program::meet(alpha_, "bravo", bravo_, "127.0.0.1:1", "alpha", node_->address());
    group_ = alpha_.json({"group", "show", "joint"}).at("id");
  }
  Result<std::string> ask(session::ChangedMember& changed, const session::Deviation& deviation) {
    return changed.call_on("alpha", deviation, [](const session::Party& us, group::LogLink& link) {
      return session::ask(us, link, session::which_addresses_and_names(), session::test_limits(), {});
    });
  }
  void expect_alpha_sees_nothing_of_it(const std::vector<std::vector<std::string>>& lines) {
    for (const std::vector<std::string>& line : lines) {
      EXPECT_HARMLESS(alpha_.run(line)) << line[0];
      std::vector<std::string> as_json = line;
      as_json.emplace_back("--json");
      EXPECT_HARMLESS(alpha_.run(as_json)) << line[0];
    }
    EXPECT_HARMLESS(node_->stop());
  }
  Member bravo_{"Bravo CERT"};
  std::optional<Node> node_;
  std::string group_;
};

TEST_F(VictimOfAChangedMember, ReadsNothingOfItInASessionItsEndOrAReveal) {
  std::vector<std::vector<std::string>> lines{{"inbox"}, {"session", "list"}, {"ledger"}, {"log", "list"}};
  {
    session::ChangedMember bravo(bravo_, group_);
    const auto session = ask(bravo, {});
    ASSERT_TRUE(session.has_value()) << session.error().text();
    for (const std::string& text : kDeceivingTexts) {
      if (!is_valid_utf8(text)) continue;  // no entry can hold it
      SCOPED_TRACE(visible(text));
      const auto labelled = ask(bravo, session::changing(session::kPropose, [&](log::Json::Object& body) {
                                  log::Json::Object question = *body.at("question").object();
                                  question.insert_or_assign("label", text);
                                  body.insert_or_assign("question", log::Json(std::move(question)));
                                }));
      EXPECT_TRUE(labelled.has_value()) << labelled.error().text();
      const auto stopped = ask(bravo, session::writing(session::kCommit, [&](mirror::Draft& draft) {
                                 draft.type = session::kAbort;
                                 draft.body = session::Abort{.phase = text, .code = text}.to_json();
                               }));
      EXPECT_FALSE(stopped.has_value());
      ASSERT_TRUE(session::give_consent(bravo.vault(), *session,
                                        {.fields = {"label"}, .tlp_max = indicator::Tlp::amber, .given = 1, .by = text})
                      .has_value());
      (void)bravo.call_on("alpha", {}, [&](const session::Party& us, group::LogLink& link) {
        return session::reveal(us, link, *session);
      });
    }
  }
  for (const auto& row : alpha_.json({"session", "list"})) lines.push_back({"show", row.at("session")});
  EXPECT_GT(lines.size(), 2 * 20u) << "the sessions are there to be looked at";
  expect_alpha_sees_nothing_of_it(lines);
}

TEST_F(VictimOfAChangedMember, ReadsNothingOfItInALog) {
  std::string nick;
  {
    session::ChangedMember bravo(bravo_, group_);
    nick = bravo.nick();
    const auto told = bravo.call_on("alpha", {}, [&](const session::Party&, group::LogLink& link) -> Status {
      TRY_STATUS(link.exchange_heads(deadline_in(session::kPatience)));
      mirror::EntryView last;
      for (const std::string& text : kDeceivingTexts) {
        if (!is_valid_utf8(text)) continue;
        mirror::Draft draft{.type = std::string(log::kHeads),
                            .session = {},
                            .refs = {},
                            .audience = {"*"},
                            .body = log::Json::Object{{"v", 1}, {"x", text}}};
        TRY(last, bravo.log().append(std::move(draft), {}));
      }
      return link.await_held(last, deadline_in(session::kPatience));
    });
    ASSERT_TRUE(told.has_value()) << told.error().text();
  }
  const Ended held = alpha_.run({"log", "show", nick});
  EXPECT_NE(held.out.find("evil"), std::string::npos) << "alpha holds it: " << held.out << held.err;
  expect_alpha_sees_nothing_of_it({{"log", "list"}, {"log", "show", nick}});
}

// Long lines are not cut by the terminal but by us, or not at all: nothing scrolls what matters away.
TEST_F(Victim, IsNotFloodedByOneLongName) {
  const std::string longest(100'000, 'a');
  for (const std::vector<std::string>& line :
       {std::vector<std::string>{"show", longest}, {"peer", "remove", longest}, {"group", "show", longest}}) {
    const Ended ended = alpha_.run(line);
    EXPECT_NE(ended.code, 0);
    EXPECT_LT(ended.err.size(), 5'000u) << line[0];
  }
}

TEST(EscapedJson, MeansTheSameAndActsOnNoTerminal) {
  for (const std::string& text : kDeceivingTexts) {
    const std::string json = json_of(text), escaped = escape_in_json(json);
    EXPECT_TRUE(parley::is_harmless(escaped)) << visible(text);
    EXPECT_EQ(nlohmann::json::parse(escaped), nlohmann::json::parse(json));
  }
  EXPECT_EQ(escape_in_json(R"({"a":"Привет مرحبا"})"), R"({"a":"Привет مرحبا"})");
}

}  // namespace
}  // namespace parley::attacks
