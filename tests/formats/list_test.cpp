#include "formats/list.h"

#include "formats/limits.h"
#include "formats/testing.h"

namespace parley::formats {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(List, ReadsOneIndicatorALineWithComments) {
  const Outcome outcome = read_as("list.txt",
                                  "# a list\n; another comment\n// and another\n\n203.0.113.9\n203.0.113.0/24 ; SBL1\n"
                                  "evil[.]example.com\t# said a friend\nhxxp://evil.example.com/a#b\n2001:db8::1\r\n"
                                  "someone@example.com\n203.0.113.7:443\nCVE-2017-0262\n");
  ASSERT_EQ(error_text(outcome), "");
  EXPECT_EQ(*outcome.format, Format::list);
  EXPECT_THAT(outcome.taken.values(),
              ElementsAre("ipv4 203.0.113.9", "cidr 203.0.113.0/24", "domain evil.example.com",
                          ::testing::StartsWith("url http://evil.example.com/a"), "ipv6 2001:db8::1",
                          "email someone@example.com", "ipv4 203.0.113.7", "cve CVE-2017-0262"));
}

TEST(List, ReadsHostsFilesWithoutTheMachinesOwnNames) {
  const Outcome outcome = read_as("hosts",
                                  "127.0.0.1 localhost\n::1 localhost ip6-localhost\n0.0.0.0 0.0.0.0\n"
                                  "0.0.0.0 evil.example.com bad.example.com # two\n127.0.0.1\tworse.example.com\n");
  ASSERT_EQ(error_text(outcome), "");
  EXPECT_EQ(*outcome.format, Format::list);
  EXPECT_THAT(outcome.taken.values(),
              ElementsAre("domain evil.example.com", "domain bad.example.com", "domain worse.example.com"));
  EXPECT_THAT(outcome.taken.notices, SizeIs(4));
}

TEST(List, FailsAtALineThatIsNoIndicatorAndNamesIt) {
  for (std::string_view bad : {"not an indicator", "203.0.113.999", "http://", "\xff\xfe", "a..b.com"}) {
    const Outcome outcome = read_as("list.txt", "203.0.113.9\n" + std::string(bad) + "\n", as_format(Format::list));
    ASSERT_FALSE(outcome.format) << bad;
    EXPECT_EQ(outcome.format.error().code, Errc::format);
    EXPECT_THAT(outcome.format.error().text(), HasSubstr("line 2"));
  }
}

TEST(List, LenientSkipsTheLineAndListsIt) {
  const Outcome outcome =
      read_as("list.txt", "203.0.113.9\nnot an indicator\n203.0.113.10\n", as_format(Format::list, true));
  EXPECT_THAT(outcome.taken.values(), SizeIs(2));
  ASSERT_THAT(outcome.taken.notices, SizeIs(1));
  EXPECT_EQ(outcome.taken.notices[0].where, "line 2");
}

TEST(List, RefusesALineOf10MegabytesAndGoesOnBehindIt) {
  const std::string text = "203.0.113.9\n" + std::string(10 << 20, 'a') + "\n203.0.113.10\n";
  const Outcome strict = read_as("list.txt", text, as_format(Format::list));
  ASSERT_FALSE(strict.format);
  EXPECT_EQ(strict.format.error().code, Errc::limit);
  EXPECT_THAT(strict.format.error().text(), HasSubstr("line 2"));
  EXPECT_THAT(read_as("list.txt", text, as_format(Format::list, true)).taken.values(), SizeIs(2));
}

TEST(Hashes, ReadsHashesBareAndAsTheSumProgramsPrintThem) {
  const Outcome outcome = read_as("sums.txt", kMd5 + "\n" + kSha1 + "  a file.exe\n" + kSha256 +
                                                  " *b.exe\nSHA256 (c (1).exe) = " + std::string(64, 'D') + "\n# " +
                                                  kMd5 + "\n" + std::string(128, 'e') + "\n");
  ASSERT_EQ(error_text(outcome), "");
  EXPECT_EQ(*outcome.format, Format::hashes);
  EXPECT_THAT(outcome.taken.values(), ElementsAre("md5 " + kMd5, "sha1 " + kSha1, "sha256 " + kSha256,
                                                  "sha256 " + std::string(64, 'd'), "sha512 " + std::string(128, 'e')));
  for (const Record& record : outcome.taken.records) EXPECT_EQ(record.file_object, 0U);
  EXPECT_THAT(outcome.taken.notices, IsEmpty());
}

TEST(Hashes, RefusesWhatIsNoHash) {
  for (const std::string& bad :
       {std::string(31, 'a'), std::string(32, 'g'), std::string(65, 'a'), std::string("evil.example.com")}) {
    const Outcome outcome = read_as("x.md5", kMd5 + "\n" + bad + "\n", as_format(Format::hashes));
    ASSERT_FALSE(outcome.format) << bad;
    EXPECT_THAT(outcome.format.error().text(), HasSubstr("line 2"));
  }
}

}  // namespace
}  // namespace parley::formats
