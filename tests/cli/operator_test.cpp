// Which commands are recorded, and what an operator sees of the record.
#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include "cli/acts.h"
#include "support/member.h"
#include "vault/testing.h"

namespace parley::program {
namespace {

using ::testing::HasSubstr;
using vault::fails, vault::succeeds;  // of EXPECT_OK and its like

/// The words of every command below `of` that does something by itself.
void commands_below(const cli::Command& of, const std::string& words, std::vector<std::string>& found) {
  const auto below = of.subcommands();
  if (below.empty() || (!of.needs_subcommand() && !words.empty())) found.push_back(words);
  for (const cli::Command* command : below)
    commands_below(*command, words.empty() ? command->name() : words + " " + command->name(), found);
}

// A command that is added says here what it does. One that is not here does not run at all.
TEST(Commands, EachSayWhetherTheyAreRecorded) {
  cli::Command program("", "");
  cli::Chosen chosen;
  cli::add_all(program, chosen);
  std::vector<std::string> there;
  commands_below(program, "", there);
  std::vector<std::string> listed;
  for (const cli::CommandAct& one : cli::command_acts()) listed.emplace_back(one.command);
  EXPECT_THAT(listed, ::testing::UnorderedElementsAreArray(there));
}

// What opens, exports, consents, signs or changes what is permitted is recorded, whatever else is.
TEST(Commands, ThatOpenSomethingAreRecorded) {
  using operators::Act;
  const std::map<std::string, Act> must = {{"show", Act::read},
                                           {"case show", Act::read},
                                           {"reveal", Act::reveal},
                                           {"consent add", Act::standing_rule},
                                           {"export", Act::export_},
                                           {"case extract", Act::export_},
                                           {"audit export", Act::export_},
                                           {"dossier make", Act::export_},
                                           {"ask", Act::session},
                                           {"accept", Act::session},
                                           {"import", Act::import},
                                           {"group policy", Act::policy},
                                           {"group sign", Act::key},
                                           {"finding sign", Act::key}};
  for (const auto& [command, act] : must) {
    const auto found = std::ranges::find(cli::command_acts(), command, &cli::CommandAct::command);
    ASSERT_NE(found, cli::command_acts().end()) << command;
    EXPECT_EQ(found->act, act) << command;
  }
}

// --- what is signed at a terminal for a node that asks ---------------------------------------------------------------

cli::Typed typed(const std::vector<std::string>& line) {
  cli::Command program("", "");
  cli::Chosen chosen;
  cli::add_all(program, chosen);
  EXPECT_TRUE(program.parse(line)) << fmt::format("{}", fmt::join(line, " "));
  return cli::typed_in(program);
}

using operators::Act, operators::Kind, operators::Record;

struct Wanted {
  std::vector<std::string> line;
  Record record;
};

std::string in_words(const Wanted& one) {
  return fmt::format("{}: {} {} {}", fmt::join(one.line, " "), name_of(one.record.kind), one.record.name,
                     one.record.detail);
}

const std::vector<std::string> kShow{"show", "5ab2"}, kReveal{"reveal", "5ab2", "--fields", "malware"},
    kConsent{"consent", "add", "joint", "--peer", "bravo-cert", "--fields", "malware", "--until", "2031-01-01"},
    kAudit{"audit", "export", "5ab2", "file", "--for", "card"}, kAdd{"operator", "add", "eve", "the-line"},
    kRemove{"operator", "remove", "eve"}, kOn{"policy", "two-person", "reveal", "on"},
    kOff{"policy", "two-person", "reveal", "off"}, kRules{"policy", "two-person"};

Record asked_of_second(Kind kind, std::string_view rule) {
  Record record{.kind = kind, .name = std::string(rule)};
  if (kind == Kind::use) record.of = 41;
  return record;
}

TEST(SignedForANode, IsWhatTheTypedCommandMakes) {
  const std::vector<Wanted> made = {
      {kShow, {.kind = Kind::act, .act = Act::read, .detail = "show"}},
      {kReveal, {.kind = Kind::act, .act = Act::reveal, .detail = "reveal"}},
      {kReveal, asked_of_second(Kind::request, "reveal")},
      {kReveal, asked_of_second(Kind::use, "reveal")},
      {kConsent, asked_of_second(Kind::request, "standing-rule")},
      {kConsent, asked_of_second(Kind::use, "standing-rule")},
      {kAudit, asked_of_second(Kind::request, "audit-export")},
      {kAudit, asked_of_second(Kind::use, "audit-export")},
      {kAdd, asked_of_second(Kind::request, "operator-add")},
      {kAdd, {.kind = Kind::add, .name = "eve", .detail = "the-line"}},
      {kRemove, asked_of_second(Kind::request, "operator-remove")},
      {kRemove, {.kind = Kind::remove, .name = "eve"}},
      {kOn, {.kind = Kind::rule, .name = "reveal", .detail = "on"}},
      {kOff, asked_of_second(Kind::request, "rule-off")},
      {kOff, {.kind = Kind::rule, .name = "reveal", .detail = "off"}},
  };
  for (const Wanted& one : made) EXPECT_OK(cli::check_typed(typed(one.line), one.record)) << in_words(one);
}

// A changed node asks for something else while its operator types something harmless.
TEST(SignedForANode, IsNothingElse) {
  std::vector<Wanted> refused = {
      {kShow, {.kind = Kind::act, .act = Act::reveal, .detail = "show"}},
      {kShow, {.kind = Kind::act, .act = Act::read, .detail = "reveal"}},
      {kAdd, {.kind = Kind::add, .name = "mallory", .detail = "the-line"}},
      {kAdd, {.kind = Kind::add, .name = "eve", .detail = "another-line"}},
      {kAdd, {.kind = Kind::remove, .name = "eve"}},
      {kRemove, {.kind = Kind::remove, .name = "bob"}},
      {kOn, {.kind = Kind::rule, .name = "reveal", .detail = "off"}},
      {kOn, {.kind = Kind::rule, .name = "audit-export", .detail = "on"}},
      {kOff, {.kind = Kind::rule, .name = "audit-export", .detail = "off"}},
      {kRules, {.kind = Kind::rule, .name = "reveal", .detail = "off"}},
      {kOn, asked_of_second(Kind::request, "rule-off")},
      {kRules, asked_of_second(Kind::request, "rule-off")},
      {kAdd, asked_of_second(Kind::use, "operator-add")},
      {kOff, asked_of_second(Kind::use, "rule-off")},
      {kReveal, asked_of_second(Kind::request, "everything")},
      {kReveal, {.kind = Kind::outcome, .detail = "done", .of = 1}},
  };
  const std::map<std::string, std::vector<std::string>> asks = {
      {"reveal", kReveal},    {"standing-rule", kConsent},  {"audit-export", kAudit},
      {"operator-add", kAdd}, {"operator-remove", kRemove}, {"rule-off", kOff}};
  for (const auto& [rule, own] : asks)
    for (const auto& line : {kShow, kReveal, kConsent, kAudit, kAdd, kRemove, kOff})
      for (const Kind kind : {Kind::request, Kind::use})
        if (line != own) refused.push_back({line, asked_of_second(kind, rule)});
  for (const Wanted& one : refused)
    EXPECT_FAILS(cli::check_typed(typed(one.line), one.record), Errc::policy) << in_words(one);
}

class OperatorCommands : public ::testing::Test {
 protected:
  Launch as(const std::string& who, std::vector<std::string> arguments) const {
    Launch launch = member_.launch(std::move(arguments));
    launch.environment["PARLEY_OPERATOR"] = who;
    launch.environment["PARLEY_OPERATOR_KEY_FILE"] = (member_.folder() / (who + ".key")).string();
    return launch;
  }
  std::string key_of(const std::string& who) const {
    const Ended made = program::run(as(who, {"operator", "key"}));
    EXPECT_EQ(made.code, 0) << made.err;
    return file_of(made.out);
  }
  Member member_{"Alpha CERT"};
};

TEST_F(OperatorCommands, RecordWhatIsDoneFromTheBeginning) {
  member_.import(table({"ipv4,192.0.2.1"}));
  member_.exported();
  EXPECT_SAYS(member_.run({"show", "abcd"}), 1, "");
  const Json log = member_.json({"operator", "log"});
  std::vector<std::string> told;
  for (const Json& record : log)
    told.push_back(record["kind"] == "act" ? record["detail"].get<std::string>()
                                           : "-> " + record["detail"].get<std::string>());
  EXPECT_THAT(
      told, ::testing::ElementsAre("import", "-> done", "export", "-> done", "show", "-> exit code 1", "operator log"));
  EXPECT_THAT(member_.output({"operator", "log"}), HasSubstr("(not told apart)"));
  const Ended verified = member_.run({"operator", "verify"});
  EXPECT_SAYS(verified, 0, "No head of this log is held by another member yet");
  EXPECT_THAT(verified.out, HasSubstr("records, all as they were written"));
}

TEST_F(OperatorCommands, TellOperatorsApartOnceThereAreSome) {
  const Ended none = member_.run({"operator", "list"});
  EXPECT_SAYS(none, 0, "No operators are told apart");
  EXPECT_SAYS(member_.run({"operator", "add", "ann", "nonsense"}), 1, "parley operator key prints");
  EXPECT_SAYS(member_.run({"operator", "add", "ann", key_of("ann")}), 1, "cannot be undone");
  EXPECT_EQ(member_.json({"operator", "list"}), Json::array()) << "nobody said yes";
  EXPECT_SAYS(member_.run({"operator", "add", "ann", key_of("ann"), "--yes"}), 0, "PARLEY_OPERATOR");
  EXPECT_SAYS(member_.run({"operator", "add", "bob", key_of("bob")}), 1, "PARLEY_OPERATOR");
  EXPECT_SAYS(program::run(as("ann", {"operator", "add", "bob", key_of("bob")})), 0, "bob is an operator");
  EXPECT_EQ(member_.json({"operator", "list"}).size(), 2u) << "names are shown to whoever can open the vault";
  EXPECT_SAYS(member_.run({"export", "--canonical"}), 1, "PARLEY_OPERATOR");
  EXPECT_SAYS(program::run(as("bob", {"export", "--canonical"})), 0, "");
  EXPECT_SAYS(program::run(as("bob", {"operator", "remove", "ann"})), 0, "no operator any more");
  EXPECT_SAYS(program::run(as("bob", {"operator", "remove", "bob"})), 1, "last operator stays");
}

TEST_F(OperatorCommands, TakeAPassphraseAsWell) {
  Launch key = member_.launch({"operator", "key"});
  key.environment["PARLEY_OPERATOR_PASSPHRASE"] = "correct horse";
  const Ended made = program::run(key);
  EXPECT_THAT(made.out, HasSubstr(":passphrase:"));
  member_.output({"operator", "add", "ann", file_of(made.out), "--yes"});
  Launch show = member_.launch({"export", "--canonical"});
  show.environment["PARLEY_OPERATOR"] = "ann";
  show.environment["PARLEY_OPERATOR_PASSPHRASE"] = "wrong horse";
  EXPECT_SAYS(program::run(show), 1, "passphrase is wrong");
  show.environment["PARLEY_OPERATOR_PASSPHRASE"] = "correct horse";
  EXPECT_SAYS(program::run(show), 0, "");
  show.environment.erase("PARLEY_OPERATOR_PASSPHRASE");
  EXPECT_SAYS(program::run(show), 1, "Set PARLEY_OPERATOR_PASSPHRASE") << "nobody to type it";
  EXPECT_SAYS(member_.run({"operator", "key"}), 1, "Set PARLEY_OPERATOR_PASSPHRASE");
}

TEST_F(OperatorCommands, FindWhoTouchedSomething) {
  member_.output({"case", "new", "intrusion", "--actor", "Ann"});
  member_.output({"case", "show", "intrusion"});
  const Json log = member_.json({"operator", "log", "--about", "intrusion"});
  ASSERT_GE(log.size(), 2u);
  EXPECT_EQ(log.back()["about"], "case intrusion");
  EXPECT_EQ(member_.json({"operator", "log", "--about", "nothing"}).size(), 0u);
  EXPECT_EQ(member_.json({"operator", "log", "--since", date_in(1)}).size(), 0u);
  EXPECT_SAYS(member_.run({"operator", "log", "--since", "yesterday"}), 2, "--since");
}

TEST_F(OperatorCommands, NeedTwoOperatorsForATwoPersonRule) {
  EXPECT_SAYS(member_.run({"policy", "two-person", "reveal", "on"}), 1, "needs two operators");
  EXPECT_SAYS(member_.run({"policy", "two-person", "everything", "on"}), 2, "");
  EXPECT_SAYS(member_.run({"policy", "two-person", "reveal"}), 2, "on or off");
  EXPECT_EQ(member_.json({"policy", "two-person"}),
            Json({{"reveal", false}, {"standing-rule", false}, {"audit-export", false}}));
}

}  // namespace
}  // namespace parley::program
