// Keys that are replaced, as operators do it (docs/groups.md, "Keys that are changed").
#include <gmock/gmock.h>

#include "support/member.h"

namespace parley::program {
namespace {

using testing::HasSubstr;

class RotateCommand : public testing::Test {
 protected:
  RotateCommand() {
    for (const Member* member : {&pair_.alpha(), &pair_.bravo()}) member->import(table({"ipv4,198.51.100.7"}));
  }
  Ended rotate(const Member& member, const std::string& role, const std::string& reason,
               std::vector<std::string> more = {}) {
    std::vector<std::string> line{"group", "rotate", "joint", "--role", role, "--reason", reason, "--yes"};
    line.insert(line.end(), more.begin(), more.end());
    return member.run(std::move(line));
  }
  std::size_t matches() { return match_lines(pair_.answer({"--types", "ipv4"})).size(); }

  TwoMembers pair_;
};

TEST_F(RotateCommand, ReplacesKeysBetweenTwoSessions) {
  EXPECT_EQ(matches(), 1u);
  EXPECT_SAYS(rotate(pair_.bravo(), "node", "stolen", {"--since", "2026-01-31"}), 0, "alpha has it now");
  EXPECT_SAYS(rotate(pair_.bravo(), "cosign", "routine"), 0, "replaces your cosign key");
  EXPECT_EQ(matches(), 1u);
  // The other side rotates inside its node, which goes on with the new key.
  EXPECT_SAYS(rotate(pair_.alpha(), "node", "staff"), 0, "bravo could not be reached");
  EXPECT_EQ(matches(), 1u);
  for (const Member* member : {&pair_.alpha(), &pair_.bravo()}) {
    const std::string shown = member->output({"group", "show", "joint"});
    EXPECT_THAT(shown, HasSubstr("the node key of bravo-cert was replaced by entry"));
    EXPECT_THAT(shown, HasSubstr("(stolen, in other hands perhaps since 2026-01-31T00:00:00Z)"));
    EXPECT_THAT(shown, HasSubstr("the node key of alpha-cert was replaced by entry"));
    EXPECT_SAYS(member->run({"log", "fsck"}), 0, "all as they were signed");
  }
  // An outsider checks with the printed keys.
  const std::string members = pair_.alpha().file("keys", pair_.bravo().output({"group", "show", "joint", "--members"}));
  EXPECT_SAYS(pair_.alpha().run({"log", "fsck", "--members", members}), 0, "all as they were signed");
}

TEST_F(RotateCommand, TellsATlsKeyByFileWhereNobodyCanCall) {
  EXPECT_EQ(matches(), 1u) << "a member writes nothing before it has heard what others hold of its log";
  const Ended rotated = rotate(pair_.alpha(), "tls", "stolen");
  ASSERT_EQ(rotated.code, 0) << rotated.err;
  EXPECT_THAT(rotated.err, HasSubstr("bravo could not be reached"));
  EXPECT_SAYS(pair_.ask({"--types", "ipv4"}), 1, "alpha");
  const std::string statement = file_of(rotated.out);
  EXPECT_SAYS(pair_.bravo().run({"group", "take", statement}), 0, "alpha-cert has another tls key");
  EXPECT_EQ(matches(), 1u);
  // Once it has the entry as well, the next one.
  EXPECT_SAYS(rotate(pair_.bravo(), "tls", "routine"), 0, "alpha has it now");
  EXPECT_EQ(matches(), 1u);
  EXPECT_EQ(matches(), 1u);
}

TEST_F(RotateCommand, IsAskedForWhereAnOlderFolderLacksTheKeyInUse) {
  EXPECT_EQ(matches(), 1u);
  EXPECT_EQ(pair_.bravo().json({"group", "show", "joint"}).at("missing_keys"), Json::array());
  const std::filesystem::path home = pair_.bravo().home(), older = pair_.bravo().folder() / "older";
  std::filesystem::copy(home, older, std::filesystem::copy_options::recursive);
  EXPECT_SAYS(rotate(pair_.bravo(), "cosign", "routine"), 0, "alpha has it now");
  std::filesystem::remove_all(home);
  std::filesystem::rename(older, home);

  EXPECT_SAYS(pair_.ask({"--types", "ipv4"}), 1, "parley group rotate joint --role cosign --reason lost");
  EXPECT_EQ(pair_.bravo().json({"group", "show", "joint"}).at("missing_keys"), Json::array({"cosign"}));
  EXPECT_THAT(pair_.bravo().output({"group", "show", "joint"}),
              HasSubstr("MISSING: Your cosign key in joint is not on this disk"));
  Node node(pair_.bravo());
  EXPECT_FALSE(node.logged("Your cosign key in joint is not on this disk").empty());
  EXPECT_EQ(node.stop().code, 0);

  EXPECT_SAYS(rotate(pair_.bravo(), "cosign", "lost"), 0, "alpha has it now");
  EXPECT_EQ(pair_.bravo().json({"group", "show", "joint"}).at("missing_keys"), Json::array());
  EXPECT_EQ(matches(), 1u);
}

TEST_F(RotateCommand, SaysWhatElseThereIsForALogKeyAndRefusesWhatIsNoRotation) {
  EXPECT_SAYS(rotate(pair_.bravo(), "log", "stolen"), 1, "A log key has no successor");
  EXPECT_SAYS(rotate(pair_.bravo(), "id", "lost"), 2, "--role");
  EXPECT_SAYS(rotate(pair_.bravo(), "node", "bored"), 2, "--reason");
  EXPECT_SAYS(rotate(pair_.bravo(), "node", "stolen", {"--since", date_in(2)}), 2, "a time that has been");
  EXPECT_SAYS(pair_.bravo().run({"group", "rotate", "joint", "--role", "node", "--reason", "lost"}), 1, "");
  EXPECT_SAYS(pair_.bravo().run({"group", "rotate", "none", "--role", "node", "--reason", "lost", "--yes"}), 1, "none");
  const std::string note = pair_.bravo().file("not", "parley/rotation/v1\n{}\n\n");
  EXPECT_SAYS(pair_.bravo().run({"group", "take", note}), 1, "No member of a group of yours");
  EXPECT_EQ(matches(), 1u);
}

}  // namespace
}  // namespace parley::program
