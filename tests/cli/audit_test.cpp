// A session is opened to an auditor and run again there, by the commands that people type.
#include "support/member.h"

namespace parley::program {
namespace {

using ::testing::HasSubstr;

class AuditCommand : public ::testing::Test {
 protected:
  AuditCommand() {
    members_.alpha().import(table({"ipv4,192.0.2.1", "ipv4,192.0.2.2", "domain,evil.example"}));
    members_.bravo().import(table({"ipv4,192.0.2.1", "domain,evil.example", "domain,other.example"}));
    charter_ = members_.bravo().file("charter", members_.bravo().output({"group", "show", "joint", "--note"}));
  }
  Ended verify(const Member& who, const std::string& file, std::vector<std::string> more = {}) {
    std::vector<std::string> line{"audit", "verify", file, "--members", charter_};
    line.insert(line.end(), more.begin(), more.end());
    return who.run(std::move(line));
  }

  TwoMembers members_;
  Member auditor_{"Court Expert"}, stranger_{"Stranger"};
  std::string charter_;
};

TEST_F(AuditCommand, OpensASessionToTheAuditorOnlyWhoRunsItAgain) {
  const Json answer = members_.answer({"--yes"});
  const Member& bravo = members_.bravo();
  EXPECT_TRUE(answer.at("audit_until").is_string());
  const std::string file = (bravo.folder() / "for-the-court").string();
  EXPECT_SAYS(bravo.run({"audit", "export", "last", file, "--for", card_of(auditor_)}), 1, "no terminal to ask on");
  const Ended opened = bravo.run({"audit", "export", "last", file, "--for", card_of(auditor_), "--yes"});
  EXPECT_SAYS(opened, 0, "WHOLE SET");
  EXPECT_THAT(opened.err, HasSubstr("MUST NEVER GET TO alpha"));
  const Ended verified = verify(auditor_, file);
  EXPECT_EQ(verified.code, 0) << verified.err;
  EXPECT_THAT(verified.out, HasSubstr("honest run: bravo-cert"));
  EXPECT_THAT(verified.out, HasSubstr("proves not: That the indicators are genuine"));
  const std::string set = (auditor_.folder() / "set").string();
  EXPECT_SAYS(verify(auditor_, file, {"--set", set}), 0, "opened to you and to nobody else");
  EXPECT_THAT(lines_of(read_text(set)), testing::UnorderedElementsAreArray(lines_of(bravo.exported())));
  const Ended as_json = verify(auditor_, file, {"--json", "--threads", "3"});
  const Json report = Json::parse(as_json.out, nullptr, false);
  ASSERT_FALSE(report.is_discarded()) << as_json.err;
  EXPECT_TRUE(report.at("passes").get<bool>());
  EXPECT_EQ(report.at("audited"), "bravo-cert");
  EXPECT_EQ(report.at("session"), answer.at("session"));

  EXPECT_SAYS(verify(stranger_, file), 1, "sealed to another member card");
  EXPECT_SAYS(bravo.run({"audit", "export", "last", file, "--for", card_of(auditor_), "--yes"}), 1, "there already");
}

TEST_F(AuditCommand, NeverOpensASessionToItsOtherSide) {
  members_.answer({"--yes"});
  const std::string file = (members_.bravo().folder() / "for-alpha").string();
  EXPECT_SAYS(members_.bravo().run({"audit", "export", "last", file, "--for", card_of(members_.alpha()), "--yes"}), 1,
              "is the other side of this session");
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(AuditCommand, CannotOpenWhatIsNotKept) {
  const Member& bravo = members_.bravo();
  EXPECT_SAYS(bravo.run({"audit", "keep", "--days", "0"}), 0, "No session from now on can be audited");
  members_.answer({"--yes"});
  const std::string file = (bravo.folder() / "file").string();
  EXPECT_SAYS(bravo.run({"audit", "export", "last", file, "--for", card_of(auditor_), "--yes"}), 1,
              "No record of this session is kept");
  EXPECT_THAT(bravo.output({"show", "last"}), HasSubstr("cannot be audited"));
  EXPECT_SAYS(bravo.run({"audit", "keep", "--days", "7", "--limit", "100"}), 0, "");
  members_.answer({"--yes"});
  EXPECT_EQ(bravo.json({"audit", "list"}).size(), 1U);
  EXPECT_THAT(bravo.output({"show", "last"}), HasSubstr("can be audited until"));
  EXPECT_SAYS(bravo.run({"audit", "forget", "last"}), 0, "destroyed");
  EXPECT_EQ(bravo.json({"audit", "list"}).size(), 0U);
  EXPECT_SAYS(bravo.run({"audit", "forget", "last"}), 1, "No record of this session");
}

}  // namespace
}  // namespace parley::program
