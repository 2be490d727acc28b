// Evidence files by the commands that people type.
#include "support/member.h"

namespace parley::program {
namespace {

using ::testing::HasSubstr;

TEST(CaseCommand, TakesInChecksGivesOutAndTellsItAll) {
  const Member member{"Alpha CERT"};
  const std::string content = "From: evil@example\n" + std::string(200'000, 'x');
  const std::string mail = member.file("mail.eml", content);
  EXPECT_EQ(member.output({"case", "new", "stadium", "--note", "ticketing"}).size(), 33U);
  EXPECT_THAT(member.output({"case", "add", "stadium", mail, "--device", "laptop 7", "--actor", "Ada"}),
              HasSubstr("mail.eml"));
  member.output({"case", "record", "stadium", "--file", "1", "--stage", "examination", "--tool", "grep", "--tool-file",
                 mail, "--note", "looked"});
  EXPECT_THAT(member.output({"case", "check", "stadium"}), HasSubstr("as taken in\t1\tmail.eml"));
  const std::string copy = (member.folder() / "copy.eml").string();
  EXPECT_SAYS(member.run({"case", "extract", "stadium", "1", copy, "--note", "for the court"}), 0, "NOT encrypted");
  EXPECT_EQ(read_text(copy), content);
  const Json shown = member.json({"case", "show", "stadium"});
  ASSERT_EQ(shown.at("custody").size(), 6U);
  EXPECT_EQ(shown.at("custody")[1].at("actor"), "Ada");
  EXPECT_EQ(shown.at("custody")[2].at("tool_sha256").get<std::string>(), shown.at("files")[0].at("sha256"));
  EXPECT_EQ(shown.at("custody")[4].at("note"), "for the court");
  EXPECT_EQ(member.json({"case", "list"})[0].at("files"), 1);
  const Json exported = Json::parse(member.output({"case", "export", "stadium"}), nullptr, false);
  EXPECT_TRUE(exported.contains("@graph"));

  EXPECT_SAYS(member.run({"case", "extract", "stadium", "1", copy}), 1, "there already");
  EXPECT_SAYS(member.run({"case", "extract", "stadium", "2", copy + "2"}), 1, "no piece of evidence 2");
  EXPECT_SAYS(member.run({"case", "new", "stadium"}), 1, "a case of this name already");
  EXPECT_SAYS(member.run({"case", "show", "arena"}), 1, "There is no such case");
  EXPECT_SAYS(member.run({"case", "record", "stadium", "--stage", "torture"}), 2, "");
  EXPECT_SAYS(member.run({"case", "record", "stadium", "--stage", "transfer"}), 2, "would say nothing");
}

TEST(CaseCommand, SaysWithItsExitCodeThatAFileIsNotAsItWasTakenIn) {
  const Member member{"Alpha CERT"};
  member.output({"case", "new", "stadium"});
  member.output({"case", "add", "stadium", member.file("sample", "malware")});
  for (const auto& entry : std::filesystem::directory_iterator(member.home() / "files")) {
    std::string bytes = read_text(entry.path());
    bytes.back() ^= 1;
    write_text(entry.path(), bytes);
  }
  const Ended checked = member.run({"case", "check", "stadium"});
  EXPECT_EQ(checked.code, 1);
  EXPECT_THAT(checked.out, HasSubstr("DIFFERS\t1"));
  const std::string copy = (member.folder() / "copy").string();
  EXPECT_SAYS(member.run({"case", "extract", "stadium", "1", copy}), 1, "piece of evidence 1 (sample)");
  EXPECT_FALSE(std::filesystem::exists(copy));
}

}  // namespace
}  // namespace parley::program
