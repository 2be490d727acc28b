// parley ledger, and what a question does to it, as two members see it over real sockets.
#include <gmock/gmock.h>

#include "support/member.h"

namespace parley::program {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const std::string kAlphas = table({"ipv4,198.51.100.7", "ipv4,203.0.113.9", "domain,evil.example"});
const std::string kBravos = table({"ipv4,198.51.100.7", "domain,evil.example", "domain,other.example"});

constexpr auto kHealed = std::chrono::seconds(30);

/// The account of one type with the other member, over the whole operation.
Json account(const Member& member, const std::string& type, const std::string& window = "operation") {
  const Json groups = member.json({"ledger", "--type", type});
  return groups.at(0).at("members").at(0).at("types").at(0).at(window);
}

class LedgerCommand : public testing::Test {
 protected:
  LedgerCommand() {
    members_.alpha().import(kAlphas);
    members_.bravo().import(kBravos);
  }
  const Member& alpha() const { return members_.alpha(); }
  const Member& bravo() const { return members_.bravo(); }
  /// The answering node has written down how it ended.
  void await_end(const Json& answer) {
    members_.node().logged("parley show " + answer.at("session").get<std::string>().substr(0, 8) + " has it");
  }
  TwoMembers members_;
};

TEST_F(LedgerCommand, OfBothSidesSaysTheSame) {
  await_end(members_.answer({"--types", "ipv4,domain"}));
  for (const char* type : {"ipv4", "domain"}) {
    const Json ours = account(bravo(), type), theirs = account(alpha(), type);
    EXPECT_EQ(ours["asked_of"], 1);
    EXPECT_EQ(theirs["asked_by"], 1);
    EXPECT_EQ(ours["ran"], 1);
    EXPECT_EQ(ours["probe_in"], 256);
    EXPECT_EQ(ours["match_in"], Json({{"known", 2}, {"worst", 2}}));
    for (const auto& [in, out] :
         {std::pair{"probe_in", "probe_out"}, std::pair{"tests_in", "tests_out"}, std::pair{"match_in", "match_out"}}) {
      EXPECT_EQ(ours[in], theirs[out]);
      EXPECT_EQ(ours[out], theirs[in]);
    }
    EXPECT_EQ(ours["disputed"], 0);
  }
}

TEST_F(LedgerCommand, SaysInWordsWhatWasTestedAndWhatIsLeft) {
  await_end(members_.answer({"--types", "ipv4"}));
  const std::string text = bravo().output({"ledger", "joint", "--peer", "alpha-cert"});
  EXPECT_THAT(text, HasSubstr("alpha-cert could have tested 256 within 30 days, of the 50,000,000"));
  EXPECT_THAT(text, HasSubstr("999 of 1,000 sessions with it within 24 h"));
  EXPECT_THAT(text, HasSubstr("49,999,744 of 50,000,000 that it tests on yours within 30 days"));
  EXPECT_THAT(text, HasSubstr("you hold 1 ipv4 for the group: it could have gone through them 256.00 times"));
  EXPECT_THAT(text, testing::Not(HasSubstr("domain")));
  EXPECT_THAT(text, testing::Not(HasSubstr("DISPUTED")));
}

TEST_F(LedgerCommand, SaysOnceWhatIsSoForEachTypeOfASession) {
  await_end(members_.answer({"--types", "ipv4,domain"}));
  const Ended of_both = bravo().run({"ledger", "joint"});
  EXPECT_THAT(of_both.out, HasSubstr("  ipv4, domain: it asked 0, you asked 1. So for each of these types:\n"));
  EXPECT_THAT(of_both.out, HasSubstr("you hold 1 ipv4 for the group: it could have gone through them 256.00 times"));
  EXPECT_THAT(of_both.out, HasSubstr("you hold 2 domain for the group: it could have gone through them 128.00 times"));
  EXPECT_THAT(of_both.err, HasSubstr("counts in full for each of them"));
  await_end(members_.answer({"--types", "domain"}));
  const std::string apart = bravo().output({"ledger", "joint"});
  EXPECT_THAT(apart, HasSubstr("  ipv4: it asked 0, you asked 1\n"));
  EXPECT_THAT(apart, HasSubstr("  domain: it asked 0, you asked 2\n"));
}

TEST_F(LedgerCommand, SaysThatNothingWasAskedAndRefusesWhatIsNotThere) {
  EXPECT_THAT(bravo().output({"ledger"}), HasSubstr("nothing was asked by it or of it"));
  EXPECT_SAYS(bravo().run({"ledger", "--peer", "carol"}), 1, "No session with \"carol\"");
  EXPECT_SAYS(bravo().run({"ledger", "arena"}), 1, "arena");
  EXPECT_EQ(bravo().run({"ledger", "--type", "ipv5"}).code, 2);
  const Member alone("Carol CERT");
  EXPECT_SAYS(alone.run({"ledger"}), 0, "nothing was disclosed");
  EXPECT_EQ(alone.json({"ledger"}), Json::array());
}

TEST_F(LedgerCommand, IsShownWithWhatAQuestionDoesToItBeforeItIsSent) {
  const Ended asked = members_.ask({"--types", "ipv4,domain"});
  ASSERT_EQ(asked.code, 0) << asked.err;
  EXPECT_THAT(asked.err, HasSubstr("ipv4, domain: after this alpha could have tested up to"));
  EXPECT_THAT(asked.err, HasSubstr("you 256 of 50,000,000 on its"));
  EXPECT_THAT(members_.ask({"--types", "ipv4"}).err, HasSubstr("you 512 of 50,000,000 on its"));
}

TEST_F(LedgerCommand, RefusesAQuestionThatIsOverACapBeforeAnythingLeaves) {
  await_end(members_.answer({"--types", "ipv4"}));
  bravo().output({"group", "policy", "joint", "--limit", "ipv4:intersection:max_sessions_day=1"});
  EXPECT_SAYS(members_.ask({"--types", "ipv4"}), 1, "max_sessions_day");
  EXPECT_EQ(account(bravo(), "ipv4")["asked_of"], 1);
  EXPECT_EQ(members_.ask({"--types", "domain"}).code, 0);
}

// What a disk forgets, the others still hold.
TEST_F(LedgerCommand, ForgetsNothingWhenAnOlderDiskIsPutBack) {
  bravo().output({"group", "policy", "joint", "--limit", "ipv4:intersection:max_sessions_day=2"});
  await_end(members_.answer({"--types", "ipv4"}));
  std::map<fs::path, std::string> before;
  for (const auto& file : fs::directory_iterator(bravo().home()))
    if (file.path().filename().string().starts_with("vault.db")) before[file.path()] = read_text(file.path());
  ASSERT_FALSE(before.empty());
  await_end(members_.answer({"--types", "ipv4"}));
  EXPECT_SAYS(members_.ask({"--types", "ipv4"}), 1, "max_sessions_day");

  for (const auto& file : fs::directory_iterator(bravo().home()))
    if (file.path().filename().string().starts_with("vault.db")) fs::remove(file.path());
  for (const auto& [path, content] : before) write_text(path, content);
  EXPECT_EQ(bravo().json({"session", "list"}).size(), 1u) << "the vault knows of one session only";
  const Node node(bravo());  // gets back from alpha what the disk has lost
  const Deadline deadline = deadline_in(kHealed);
  Ended asked = members_.ask({"--types", "ipv4"});
  while (asked.err.find("an older state") != std::string::npos && Monotonic::now() < deadline)
    asked = members_.ask({"--types", "ipv4"});
  EXPECT_SAYS(asked, 1, "max_sessions_day");
  EXPECT_EQ(account(bravo(), "ipv4")["ran"], 2);
}

}  // namespace
}  // namespace parley::program
