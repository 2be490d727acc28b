// parley finding and parley dossier, as two members and an outsider meet them: alpha's node runs, bravo calls on it.
#include <gmock/gmock.h>

#include "support/member.h"

namespace parley::program {
namespace {

using testing::HasSubstr;

/// Two members whose logs have entries, because bravo has asked alpha something.
class FindingCommands : public testing::Test {
 protected:
  FindingCommands() {
    two_.alpha().import(table({"domain,evil.example", "domain,other.example"}));
    two_.bravo().import(table({"domain,evil.example"}));
    const Ended asked = two_.ask({"--types", "domain", "--yes"});
    EXPECT_EQ(asked.code, 0) << asked.err;
  }
  const Member& bravo() { return two_.bravo(); }
  const Member& alpha() { return two_.alpha(); }

  /// What bravo writes, step by step; `finding lint` has nothing to say of it in the end.
  void write(const std::string& name) {
    bravo().output({"finding", "new", name, "--title", "Who runs the server", "--question", "Who runs the server?",
                    "--from", "2026-01-01", "--to", "2026-02-01"});
    bravo().output({"finding", "origin", name, "--kind", "own-sensor", "--text", "alpha's sensor", "--redactable"});
    bravo().output({"finding", "origin", name, "--kind", "incident", "--text", "bravo's incident"});
    const std::string item =
        bravo().output({"finding", "evidence", name, "--kind", "match", "--grade", "B1", "--seen", "alpha-cert:o1",
                        "--seen", "bravo-cert:o2", "--ref", "alpha-cert:0", "--ref", "bravo-cert:0", "--summary",
                        "Both saw \x1b[31m it", "--redactable"});
    EXPECT_EQ(item, "e1\n");
    bravo().output({"finding", "evidence", name, "--item", "e1", "--summary", "Both saw the same server"});
    bravo().output({"finding", "evidence", name, "--kind", "report", "--grade", "C3", "--seen", "alpha-cert:o1",
                    "--report", bravo().file("report.txt", "a report"), "--summary", "A report says so too"});
    bravo().output(
        {"finding", "hypothesis", name, "--kind", "attribution", "--actor", "Sednit", "--text", "Sednit runs it"});
    bravo().output({"finding", "hypothesis", name, "--kind", "deception", "--text", "Somebody wants it to look so"});
    bravo().output({"finding", "hypothesis", name, "--assumption", "The clocks were right"});
    bravo().output({"finding", "matrix", name, "--row", "e1:h1=CC,h2=I", "--row", "e2:h1=C,h2=I"});
    bravo().output({"finding", "judge", name, "--hypothesis", "h1", "--likelihood", "likely", "--text",
                    "It is likely that Sednit runs the server.", "--confidence", "moderate", "--why",
                    "Two independent origins."});
  }
  /// Freezes, signs on both sides and publishes. @return the hash
  std::string published(const std::string& name) {
    std::string hash = bravo().output({"finding", "draft", name, "--yes"});
    EXPECT_EQ(hash.size(), 65u) << hash;
    if (hash.size() != 65) return {};
    hash.pop_back();
    const std::string shown = hash.substr(0, 8);
    bravo().output({"finding", "sign", shown, "--yes"});
    alpha().output({"finding", "sign", shown, "--yes"});
    bravo().output({"finding", "publish", shown, "--yes"});
    alpha().output({"finding", "publish", shown, "--yes"});
    bravo().output({"finding", "list", "--call"});
    return hash;
  }
  std::string charter() { return bravo().json({"group", "show", "joint"}).at("anchor").get<std::string>(); }
  static Ended outsider(const Member& at, std::vector<std::string> arguments) {
    return run({.arguments = std::move(arguments), .working_folder = at.folder()});
  }

  TwoMembers two_;
};

TEST_F(FindingCommands, TakeAFindingFromEvidenceToADossierThatAnOutsiderVerifies) {
  write("server");
  EXPECT_THAT(bravo().run({"finding", "lint", "server"}).code, 0);
  const std::string hash = published("server");
  ASSERT_EQ(hash.size(), 64u);
  const Json shown = alpha().json({"finding", "show", hash.substr(0, 8)});
  EXPECT_EQ(shown.at("signers"), Json({"alpha-cert", "bravo-cert"}));
  EXPECT_EQ(shown.at("publishers"), Json({"alpha-cert", "bravo-cert"}));
  const Ended in_words = alpha().run({"finding", "show", hash.substr(0, 8)});
  EXPECT_THAT(in_words.out, HasSubstr("RESTS ON\n  e1  entry alpha-cert:0 (log.open"))
      << "whoever signs can look it up";

  bravo().output({"dossier", "make", hash.substr(0, 8), "--withhold", "/evidence/0/summary", "--out", "d.parley"});
  const Ended verified = outsider(bravo(), {"verify", "dossier", "d.parley", "--charter", charter()});
  EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
  EXPECT_THAT(verified.out, HasSubstr("not proven: That the evidence is true"));
  EXPECT_THAT(verified.out, HasSubstr("[withheld: /evidence/0/summary]"));
  EXPECT_THAT(verified.out, testing::Not(HasSubstr("Both saw")));
  const Ended unanchored = outsider(bravo(), {"verify", "dossier", "d.parley"});
  EXPECT_EQ(unanchored.code, 3);
  EXPECT_THAT(unanchored.out, HasSubstr("UNANCHORED"));
  const Ended other = outsider(bravo(), {"verify", "dossier", "d.parley", "--charter", std::string(64, 'a')});
  EXPECT_SAYS(other, 1, "does not verify");
  const Ended page = outsider(bravo(), {"dossier", "page", "d.parley", "--charter", charter(), "--language", "ar"});
  EXPECT_EQ(page.code, 0);
  EXPECT_THAT(page.out, HasSubstr("dir=\"rtl\""));
  // Cut short, it is no dossier.
  std::string text = read_text(bravo().folder() / "d.parley");
  bravo().file("short.parley", text.substr(0, text.size() / 2));
  EXPECT_SAYS(outsider(bravo(), {"verify", "dossier", "short.parley"}), 1, "does not verify");
}

TEST_F(FindingCommands, MakeAFileForThePublicOfWhatItsMarksLetThePublicSee) {
  for (const auto& [name, mark, value] :
       {std::tuple{"few", "--tlp", "amber"}, std::tuple{"quiet", "--pap", "amber"}}) {
    write(name);
    bravo().output({"finding", "new", name, mark, value});
    const std::string shown = published(name).substr(0, 8);
    const std::string file = std::string(name) + ".parley";
    EXPECT_SAYS(bravo().run({"dossier", "make", shown, "--out", file}), 1, "--restricted");
    EXPECT_FALSE(std::filesystem::exists(bravo().folder() / file)) << name;
    EXPECT_EQ(bravo().run({"dossier", "make", shown, "--restricted", "--out", file}).code, 0) << name;
    EXPECT_EQ(outsider(bravo(), {"verify", "dossier", file, "--charter", charter()}).code, 0) << name;
  }
}

TEST_F(FindingCommands, SayWhatTheOthersLearn) {
  write("server");
  const Ended shown = bravo().run({"finding", "show", "server"});
  EXPECT_SAYS(shown, 0, "The others learn nothing by this.");
  EXPECT_THAT(shown.out, HasSubstr("only you have it"));
  const Ended unasked = bravo().run({"finding", "draft", "server"});
  EXPECT_SAYS(unasked, 1, "What the others learn by this: every member of the group gets the whole finding");
  EXPECT_THAT(alpha().json({"finding", "list"}), testing::IsEmpty());
}

TEST_F(FindingCommands, NeverLetATextActOnTheTerminal) {
  bravo().output({"finding", "new", "odd", "--title", "A \x1b[31m title", "--question", "Why?"});
  for (const auto& command : {std::vector<std::string>{"finding", "show", "odd"}, {"finding", "list"}}) {
    const Ended ended = bravo().run(command);
    EXPECT_THAT(ended.out + ended.err, testing::Not(HasSubstr("\x1b")));
    EXPECT_THAT(ended.out, HasSubstr("\\x1b[31m"));
  }
}

TEST_F(FindingCommands, RefuseWhatDoesNotExistAndWhatIsNotReady) {
  EXPECT_SAYS(bravo().run({"finding", "show", "nothing"}), 1, "parley finding list");
  EXPECT_SAYS(bravo().run({"finding", "sign", "nothing", "--yes"}), 1, "There is no finding");
  bravo().output({"finding", "new", "bare"});
  EXPECT_SAYS(bravo().run({"finding", "lint", "bare"}), 1, "Nobody can sign it as it is");
  EXPECT_SAYS(bravo().run({"finding", "draft", "bare", "--yes"}), 1, "");
  EXPECT_SAYS(bravo().run({"finding", "sign", "bare", "--yes"}), 2, "working copy");
  EXPECT_SAYS(bravo().run({"finding", "judge", "bare", "--likelihood", "probable"}), 2, "no likelihood here");
  EXPECT_SAYS(bravo().run({"finding", "evidence", "bare", "--grade", "G1"}), 2, "from A to F");
  EXPECT_SAYS(bravo().run({"finding", "evidence", "bare", "--seen", "alpha"}), 2, "MEMBER:ORIGIN");
  EXPECT_SAYS(bravo().run({"finding", "evidence", "bare", "--ref", "alpha-cert:999"}), 1, "has no entry 999");
  EXPECT_SAYS(bravo().run({"finding", "evidence", "bare", "--ref", "zulu:1"}), 1, "no member's nick");
  EXPECT_EQ(bravo().run({"finding", "evidence", "bare", "--grade", "G1"}).out, "") << "nothing was added";
  EXPECT_SAYS(bravo().run({"finding", "matrix", "bare", "--row", "e1:h1=C"}), 1, "There is no e1");
  EXPECT_EQ(bravo().output({"finding", "evidence", "bare", "--summary", "s"}), "e1\n");
  EXPECT_SAYS(bravo().run({"finding", "matrix", "bare", "--row", "e1:h1=CC"}), 1, "There is no hypothesis h1");
  EXPECT_SAYS(bravo().run({"finding", "matrix", "bare", "--row", "e1:h1=X"}), 2, "is no cell");
  EXPECT_SAYS(bravo().run({"finding", "dissent", "bare", "--point", "e1", "--yes"}), 2, "ABOUT:TEXT");
  EXPECT_SAYS(bravo().run({"dossier", "make", "bare"}), 2, "working copy");
}

TEST_F(FindingCommands, SayInTheListWhenTooFewStandBehindOne) {
  write("server");
  const std::string shown = published("server").substr(0, 8);
  EXPECT_THAT(alpha().output({"finding", "list"}), HasSubstr("published by alpha-cert and bravo-cert"));
  EXPECT_THAT(alpha().output({"finding", "list"}), testing::Not(HasSubstr("TOO FEW")));
  alpha().output({"finding", "withdraw", shown, "--reason", "The sensor was wrong", "--yes"});
  EXPECT_THAT(alpha().output({"finding", "list"}), HasSubstr("TOO FEW STAND BEHIND IT NOW"));
}

// Else whoever leaves the last paper of any group with us would keep us from signing, and dissenting, in all of them.
TEST_F(FindingCommands, AreNotHeldUpByAGroupInWhichAMemberWasNotMetYet) {
  write("server");
  const std::string hash = published("server");
  const std::string draft = file_of(alpha().output(
      {"group", "draft", "other", "--purpose", "Tests", "--until", date_in(30), "--allow", "domain:intersection"}));
  alpha().output({"group", "take", file_of(bravo().output({"group", "join", "other", draft, "--yes"}))});
  bravo().output({"group", "take", file_of(alpha().output({"group", "sign", "other", "--yes"}))});
  bravo().output({"group", "sign", "other", "--yes"});
  EXPECT_EQ(bravo().run({"finding", "show", hash.substr(0, 8)}).code, 0);
  EXPECT_EQ(bravo().json({"finding", "list"}).size(), 1u);
}

TEST_F(FindingCommands, CarryDissentIntoTheDossier) {
  write("server");
  std::string hash = bravo().output({"finding", "draft", "server", "--yes"});
  ASSERT_EQ(hash.size(), 65u);
  hash.resize(8);
  bravo().output({"finding", "sign", hash, "--yes"});
  alpha().output({"finding", "dissent", hash, "--point", "judgement=unlikely:The tools are sold", "--yes"});
  const Json shown = alpha().json({"finding", "show", hash});
  ASSERT_EQ(shown.at("dissents").size(), 1u);
  EXPECT_EQ(shown.at("dissents")[0].at("points")[0].at("likelihood"), "unlikely");
  EXPECT_SAYS(alpha().run({"finding", "sign", hash, "--yes"}), 1, "You dissent");
  EXPECT_SAYS(bravo().run({"finding", "publish", hash, "--yes"}), 1, "1 of 2 signatures");
}

}  // namespace
}  // namespace parley::program
