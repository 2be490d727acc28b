// What scripts may rely on: streams, exit codes, the fields of each JSON object.
#include <gmock/gmock.h>

#include "support/member.h"

namespace parley::program {
namespace {

const std::string kTable = table({"ipv4,198.51.100.7", "domain,evil.example", "ipv4,203.0.113.9"});

void expect_fields(const Json& object, const std::vector<std::string>& names) {
  ASSERT_TRUE(object.is_object()) << object.dump();
  for (const std::string& name : names)
    EXPECT_TRUE(object.contains(name)) << name << " is missing in " << object.dump();
}

// The one document that a JSON command prints: one line, nothing else.
Json only_line(const Ended& ended) {
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(std::ranges::count(ended.out, '\n'), 1) << ended.out;
  return Json::parse(ended.out, nullptr, false);
}

class Contract : public testing::Test {
 protected:
  Contract() { member_.import(kTable); }
  Member member_{"Alpha CERT"};
};

struct Case {
  int code;
  std::vector<std::string> arguments;
};

std::string in_words(const std::vector<std::string>& arguments) {
  std::string words = "parley";
  for (const std::string& argument : arguments) words += " " + argument;
  return words;
}

TEST_F(Contract, ExitCodesTellDoneFromRefusedFromWrongUsage) {
  const std::string good = member_.file("good.csv", kTable), bad = member_.file("bad.json", "{\"type\":\"bundle\"");
  const std::string rules = member_.file("rules.toml", "[[rule]]\nverdict = \"perhaps\"\n");
  const Case cases[] = {
      {0, {"--help"}},
      {0, {"--version"}},
      {0, {"import", "--help"}},
      {0, {"id"}},
      {0, {"import", good}},
      {0, {"export", "--canonical"}},
      {0, {"extract", good}},
      {0, {"peer", "list"}},
      {0, {"session", "list"}},
      {0, {"warninglist", "list"}},
      {0, {"inbox"}},
      {1, {"init", "Another"}},
      {1, {"import", "no-such-file.csv"}},
      {1, {"import", bad}},
      {1, {"extract", "no-such-file.txt"}},
      {1, {"warninglist", "add", "no-such-file.json"}},
      {1, {"warninglist", "remove", "no such list"}},
      {1, {"peer", "remove", "nobody"}},
      {1, {"peer", "add", "bravo", "no-such-card", "127.0.0.1:7440"}},
      {1, {"ask", "nobody"}},
      {1, {"show"}},
      {1, {"show", "0123abcd"}},
      {1, {"reveal"}},
      {1, {"accept", "0123abcd"}},
      {1, {"decline", "0123abcd"}},
      {1, {"serve", "--listen", "127.0.0.1:0", "--accept", rules}},
      {2, {}},
      {2, {"frobnicate"}},
      {2, {"--frobnicate"}},
      {2, {"init"}},
      {2, {"import"}},
      {2, {"import", good, "--as", "spreadsheet"}},
      {2, {"import", good, "--tlp", "purple"}},
      {2, {"import", good, "--column", "value"}},
      {2, {"export"}},
      {2, {"export", "--canonical", "--types", "telephone"}},
      {2, {"extract"}},
      {2, {"peer"}},
      {2, {"peer", "add", "bravo"}},
      {2, {"peer", "add", "bravo", "no-such-card", "no-port"}},
      {2, {"serve", "--listen", "no-port"}},
      {2, {"serve", "--threads", "0"}},
      {2, {"ask"}},
      {2, {"ask", "bravo", "--question", "everything"}},
      {2, {"ask", "bravo", "--direction", "ours"}},
      {2, {"ask", "bravo", "--since", "yesterday"}},
      {2, {"ask", "bravo", "--types", "telephone"}},
      {2, {"reveal", "--fields", "victim"}},
      {2, {"session"}},
      {2, {"bench"}},
      {2, {"bench", "psi"}},
      {2, {"bench", "psi", "--n", "1"}},
      {2, {"bench", "psi", "--n", "100", "--protocol", "telepathy"}},
  };
  for (const auto& [code, arguments] : cases) {
    const Ended ended = member_.run(arguments);
    EXPECT_EQ(ended.code, code) << in_words(arguments) << "\n" << ended.err;
    if (code != 0) {
      EXPECT_EQ(ended.out, "") << in_words(arguments) << ": no result, so nothing on standard output";
      EXPECT_NE(ended.err, "") << in_words(arguments) << ": says what was wrong";
    }
  }
}

TEST_F(Contract, AnUnknownCommandIsNamed) {
  EXPECT_SAYS(member_.run({"frobnicate"}), 2, "frobnicate");
}

TEST_F(Contract, EveryCommandWithoutAMemberSaysHowToMakeOne) {
  const TemporaryFolder nowhere;
  const std::string good = member_.file("good.csv", kTable);
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"id"},
                                             {"import", good},
                                             {"export", "--canonical"},
                                             {"peer", "list"},
                                             {"ask", "x"},
                                             {"inbox"},
                                             {"show"},
                                             {"reveal"},
                                             {"session", "list"},
                                             {"serve", "--listen", "127.0.0.1:0"},
                                             {"warninglist", "list"}}) {
    Launch launch = member_.launch(arguments);
    launch.environment["PARLEY_HOME"] = (nowhere / "nothing").string();
    EXPECT_SAYS(run(launch), 1, "parley init NAME") << in_words(arguments);
    EXPECT_FALSE(std::filesystem::exists(nowhere / "nothing")) << in_words(arguments) << " made a folder";
  }
}

TEST_F(Contract, WithoutParleyHomeTheMemberLivesInTheHomeFolder) {
  const TemporaryFolder home;
  Launch launch = member_.launch({"init", "Homely"});
  launch.environment.erase("PARLEY_HOME");
  launch.environment["HOME"] = home.path().string();
  EXPECT_EQ(run(launch).code, 0);
  EXPECT_TRUE(std::filesystem::exists(home / ".parley/vault.hdr"));
}

TEST_F(Contract, ResultsGoToStandardOutputAndEverythingElseToStandardError) {
  const Ended made = member_.run({"import", member_.file("more.csv", table({"domain,other.example"}))});
  EXPECT_EQ(made.out, "");
  EXPECT_THAT(made.err, testing::HasSubstr("Imported 1 new"));
  const Ended exported = member_.run({"export", "--canonical"});
  EXPECT_EQ(exported.out, "domain\tevil.example\ndomain\tother.example\nipv4\t198.51.100.7\nipv4\t203.0.113.9\n");
  EXPECT_EQ(exported.err, "");
  const Ended card = member_.run({"id"});
  EXPECT_THAT(card.out, testing::StartsWith("parley-card1:"));
  EXPECT_EQ(lines_of(card.out).size(), 1u);
}

TEST_F(Contract, AnExportLeavesOutWhatIsForNamedPeopleUnlessItIsToStayHere) {
  member_.run({"import", member_.file("red.csv", table({"domain,evil.example", "domain,named-people.example"})), "--tlp",
               "red"});
  const Ended exported = member_.run({"export", "--canonical", "--types", "domain"});
  EXPECT_EQ(exported.out, "domain\tevil.example\n") << "what another source says with another mark is not RED";
  EXPECT_THAT(exported.err, testing::HasSubstr("1 more are marked TLP:RED by every source and were left out"));
  const Ended local = member_.run({"export", "--canonical", "--types", "domain", "--local"});
  EXPECT_EQ(local.out, "domain\tevil.example\ndomain\tnamed-people.example\n");
  EXPECT_EQ(local.err, "");
  EXPECT_EQ(member_.run({"export", "--canonical", "--types", "ipv4"}).err, "") << "nothing of it was left out";
}

TEST_F(Contract, NeitherColourNorProgressBarsReachAStreamThatIsNoTerminal) {
  std::string many = "type,value\n";
  for (int i = 0; i < 20'000; ++i) many += "domain,host" + std::to_string(i) + ".example\n";
  const Ended imported = member_.run({"import", member_.file("many.csv", many)});
  EXPECT_EQ(imported.code, 0);
  for (const Ended& ended : {imported, member_.run({"--help"}), member_.run({"show"}), member_.run({"frobnicate"})}) {
    EXPECT_EQ((ended.out + ended.err).find_first_of("\x1b\r"), std::string::npos) << ended.out << ended.err;
  }
}

TEST_F(Contract, AResultThatCannotBeWrittenIsAFailureAndSaysSo) {
  Launch launch = member_.launch({"export", "--canonical"});
  launch.output_file = "/dev/full";
  EXPECT_SAYS(run(launch), 1, "standard output");
}

TEST_F(Contract, ImportPrintsOneJsonObject) {
  const std::string mixed =
      member_.file("mixed.csv", table({"ipv4,192.0.2.55", "ipv4,not an address", "domain,evil.example"}));
  const Json report = only_line(member_.run({"import", mixed, "--lenient", "--json"}));
  expect_fields(report, {"files", "indicators", "by_type", "skipped"});
  EXPECT_EQ(report["files"], 1);
  EXPECT_EQ(report["indicators"], 1);
  EXPECT_EQ(report["by_type"], Json({{"ipv4", 1}}));
  ASSERT_EQ(report["skipped"].size(), 1u);
  expect_fields(report["skipped"][0], {"file", "where", "why"});
  EXPECT_EQ(report["skipped"][0]["file"], mixed);
  EXPECT_THAT(report["skipped"][0]["where"].get<std::string>(), testing::HasSubstr("3")) << "the line";
}

TEST_F(Contract, ExtractPrintsPairsOfTypeAndValue) {
  const std::string report = member_.file("report.txt", "They used hxxp://bad[.]example/x and 198.51.100[.]7.\n");
  const Json found = only_line(member_.run({"extract", report, "--json"}));
  ASSERT_TRUE(found.is_array());
  for (const Json& pair : found) {
    ASSERT_TRUE(pair.is_array());
    ASSERT_EQ(pair.size(), 2u);
  }
  EXPECT_THAT(found.get<std::vector<std::vector<std::string>>>(),
              testing::IsSupersetOf({std::vector<std::string>{"ipv4", "198.51.100.7"},
                                     std::vector<std::string>{"url", "http://bad.example/x"}}));
}

TEST_F(Contract, ExtractReadsItsStandardInputAndNeedsNoMember) {
  Launch launch = member_.launch({"extract", "-", "--json"});
  launch.environment = {{"PARLEY_HOME", "/nonexistent"}};
  launch.input = "beacon to 203[.]0[.]113[.]77";
  EXPECT_EQ(only_line(run(launch)), Json::parse(R"([["ipv4","203.0.113.77"]])"));
}

TEST_F(Contract, BenchPsiPrintsOneJsonObject) {
  const Json figures = only_line(member_.run({"bench", "psi", "--n", "64", "--json"}));
  expect_fields(figures, {"n", "protocol", "threads", "seconds", "cpu_seconds", "bytes_total", "rounds",
                          "peak_rss_bytes", "phases", "floor_sha256_seconds", "floor_fast_hash_seconds"});
  EXPECT_EQ(figures["n"], 64);
  EXPECT_GT(figures["seconds"], 0.0);
  EXPECT_GT(figures["bytes_total"], 64 * 32) << "more than one group element an item must cross the line";
}

TEST_F(Contract, ServePrintsExactlyOneLineAndEndsWithZeroOnSigterm) {
  Node node(member_);
  EXPECT_THAT(node.address(), testing::MatchesRegex("127\\.0\\.0\\.1:[1-9][0-9]+"));
  const Ended ended = node.stop();
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(lines_of(ended.out).size(), 1u) << ended.out;
  EXPECT_FALSE(std::filesystem::exists(member_.home() / "node.sock")) << "nothing stays behind";
}

TEST_F(Contract, ServeOnAPortThatIsTakenSaysSo) {
  const Member other("Bravo CERT");
  const Node node(member_);
  EXPECT_SAYS(other.run({"serve", "--listen", node.address()}), 1, "Another program listens there");
}

TEST(ContractOfQuestions, AskAndShowPrintTheSameObjectWithAllPromisedFields) {
  const TwoMembers members;
  members.alpha().import(kTable);
  members.bravo().import(table({"ipv4,198.51.100.7", "domain,evil.example", "domain,own.example"}));
  const Ended asked = members.ask({"--json"});
  const Json answer = only_line(asked);
  expect_fields(answer, {"session", "peer", "question", "protocol", "count", "matches", "seconds", "bytes_sent",
                         "bytes_received"});
  EXPECT_EQ(answer["peer"], "alpha");
  EXPECT_EQ(answer["question"], "intersection");
  EXPECT_EQ(answer["count"], 2);
  ASSERT_EQ(answer["matches"].size(), 2u);
  for (const Json& match : answer["matches"]) {
    expect_fields(match, {"type", "value", "warnings", "mine", "theirs"});
    EXPECT_TRUE(match["warnings"].is_array());
    EXPECT_TRUE(match["mine"].is_object());
    EXPECT_TRUE(match["theirs"].is_object());
  }
  EXPECT_GT(answer["seconds"], 0.0);
  EXPECT_GT(answer["bytes_sent"], 0);
  EXPECT_GT(answer["bytes_received"], 0);
  EXPECT_EQ(members.bravo().run({"show", answer["session"].get<std::string>(), "--json"}).out, asked.out);
  EXPECT_EQ(members.bravo().run({"show", "last", "--json"}).out, asked.out);
  expect_fields(
      only_line(members.alpha().run({"show", "--json"})),
      {"session", "peer", "question", "protocol", "count", "matches", "seconds", "bytes_sent", "bytes_received"});
}

}  // namespace
}  // namespace parley::program
