// The demo, as a newcomer runs it: twice, without a terminal, in a copy of the tree that holds nothing else.
#include <gmock/gmock.h>

#include <set>

#include "support/member.h"

namespace parley::program {
namespace {

namespace fs = std::filesystem;

class Demo : public testing::Test {
 protected:
  Demo() {
    const fs::path source = PARLEY_SOURCE;
    fs::create_directories(tree_ / "build");
    fs::create_directories(tree_ / "home");
    fs::copy(source / "tools", tree_ / "tools", fs::copy_options::recursive);
    fs::copy(source / "examples", tree_ / "examples", fs::copy_options::recursive);
    fs::create_symlink(PARLEY_PROGRAM, tree_ / "build/parley");
  }
  Ended run_demo() const {
    return run({.program = (tree_ / "tools/demo").string(),
                .environment = {{"HOME", (tree_ / "home").string()},
                                {"TMPDIR", (tree_ / "home").string()},
                                {"PYTHONDONTWRITEBYTECODE", "1"}},
                .working_folder = tree_ / "home"});
  }
  std::set<std::string> paths() const {
    std::set<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(tree_.path())) {
      const std::string path = fs::relative(entry.path(), tree_.path()).string();
      if (!path.starts_with("build/demo")) found.insert(path);
    }
    return found;
  }
  Launch as(const std::string& member, std::vector<std::string> arguments) const {
    return {.arguments = std::move(arguments),
            .environment = {{"PARLEY_HOME", (tree_ / ("build/demo/" + member)).string()},
                            {"PARLEY_PASSPHRASE", "public demo material only"}}};
  }
  TemporaryFolder tree_;
};

TEST_F(Demo, FindsTheOverlapThatAScriptFindsInTheClearAndWorksTwice) {
  const std::set<std::string> before = paths();
  for (const char* time : {"first", "second"}) {
    SCOPED_TRACE(time);
    const Ended demo = run_demo();
    ASSERT_EQ(demo.code, 0) << demo.out << demo.err;
    EXPECT_EQ(demo.out.find('\x1b'), std::string::npos) << "no colour without a terminal";
    EXPECT_EQ(demo.err, "");
    for (const std::string_view due :
         {"published by eset-demo and us-cert-demo; dissents: 1, withdrawals: 0, all that they named",
          "finding.parley: verified", "200 flips, 0 accepted", "not proven: That the evidence is true"})
      EXPECT_NE(demo.out.find(due), std::string::npos) << due;
  }
  EXPECT_EQ(paths(), before) << "nothing stays outside build/demo";

  for (const char* member : {"uscert", "eset"}) {
    const Ended exported = run(as(member, {"export", "--canonical"}));
    ASSERT_EQ(exported.code, 0) << exported.err;
    write_text(tree_ / member, exported.out);
  }
  const Json answer = Json::parse(run(as("eset", {"show", "last", "--json"})).out, nullptr, false);
  ASSERT_TRUE(answer.is_object());
  std::string types;
  for (const Json& type : answer["types"]) types += (types.empty() ? "" : ",") + type.get<std::string>();
  const Ended clear = run({.program = (tree_ / "tools/overlap.py").string(),
                           .arguments = {(tree_ / "uscert").string(), (tree_ / "eset").string(), "--types", types}});
  ASSERT_EQ(clear.code, 0) << clear.err;
  EXPECT_EQ(match_lines(answer), lines_of(clear.out));
  const auto addresses =
      std::ranges::count_if(lines_of(clear.out), [](const auto& line) { return line.starts_with("ipv4\t"); });
  EXPECT_EQ(addresses, 5) << "of the JAR-16-20296A addresses, five stand on ESET's list";
  EXPECT_EQ(Json::parse(run(as("uscert", {"show", "last", "--json"})).out)["state"], "closed") << "revealed by both";
}

TEST_F(Demo, EndsWithAFindingThatVerifiesForWhoeverHasTheCharterWithItsDissent) {
  const Ended demo = run_demo();
  ASSERT_EQ(demo.code, 0) << demo.out << demo.err;
  const std::string file = (tree_ / "build/demo/outsider/finding.parley").string();
  const std::string charter = Json::parse(run(as("campus", {"group", "show", "steppe", "--json"})).out)["anchor"];
  const Ended verified = run({.arguments = {"verify", "dossier", file, "--charter", charter, "--json"}});
  ASSERT_EQ(verified.code, 0) << verified.out << verified.err;
  const Json verdict = Json::parse(verified.out);
  EXPECT_EQ(verdict["signers"], Json({"eset-demo", "us-cert-demo"}));
  EXPECT_EQ(verdict["dissents"], 1);
  EXPECT_EQ(verdict["redacted"], Json::array({"/evidence/1/summary"}));
  EXPECT_EQ(run({.arguments = {"verify", "dossier", file, "--charter", std::string(64, '0')}}).code, 1);
}

TEST_F(Demo, WorksWhileTheUsualPortIsTaken) {
  const Member other("Charlie");
  Process taking(other.launch({"serve", "--listen", "127.0.0.1:7440", "--accept", "ask"}));
  const Ended demo = run_demo();  // whether it is `taking` or somebody else that has the port
  EXPECT_EQ(demo.code, 0) << demo.out << demo.err;
}

TEST_F(Demo, WithoutTheProgramSaysHowToMakeIt) {
  fs::remove(tree_ / "build/parley");
  EXPECT_SAYS(run_demo(), 1, "make build");
}

}  // namespace
}  // namespace parley::program
