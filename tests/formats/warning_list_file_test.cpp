#include "formats/warning_list_file.h"

#include "formats/limits.h"
#include "formats/testing.h"

namespace parley::formats {
namespace {

using indicator::WarningMatch;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Result<indicator::WarningList> read_list_of(std::string_view name, std::string_view content) {
  const TemporaryFolder folder;
  return read_warning_list(folder.write(name, content));
}

TEST(WarningListFile, ReadsTheMispFormatWithEachKindOfMatch) {
  const std::pair<std::string_view, WarningMatch> types[] = {{"string", WarningMatch::exact},
                                                             {"hostname", WarningMatch::hostname},
                                                             {"cidr", WarningMatch::cidr},
                                                             {"substring", WarningMatch::substring},
                                                             {"regex", WarningMatch::regex}};
  for (const auto& [type, match] : types) {
    const auto list = read_list_of(
        "x.json", R"({"name":"A list","type":")" + std::string(type) + R"(","version":1,"list":["one"," two "]})");
    ASSERT_TRUE(list) << list.error().text();
    EXPECT_EQ(list->name, "A list");
    EXPECT_EQ(list->match, match);
    EXPECT_THAT(list->entries, ElementsAre("one", "two"));
  }
}

TEST(WarningListFile, ReadsAPlainListAndFindsOutHowItMatches) {
  const auto addresses = read_list_of("relays.txt", "# a list\n203.0.113.9\n203.0.113.0/24\n2001:db8::1 # one\n");
  ASSERT_TRUE(addresses);
  EXPECT_EQ(addresses->name, "relays");
  EXPECT_EQ(addresses->match, WarningMatch::cidr);
  EXPECT_THAT(addresses->entries, ElementsAre("203.0.113.9", "203.0.113.0/24", "2001:db8::1"));
  const auto names = read_list_of("top.lst", "example.com\nexample.org\n");
  ASSERT_TRUE(names);
  EXPECT_EQ(names->match, WarningMatch::hostname);
  const auto mixed = read_list_of("mixed", "example.com\n203.0.113.9\n" + kMd5 + "\n");
  ASSERT_TRUE(mixed);
  EXPECT_EQ(mixed->match, WarningMatch::exact);
}

TEST(WarningListFile, RefusesWhatIsNone) {
  const std::pair<std::string, std::string_view> cases[] = {
      {"", "no entry"},
      {"# only a comment\n", "no entry"},
      {"\xff\xfe\xfd\n", "UTF-16"},
      {"a.example\n\xc3\x28\n", "line 2"},
      {std::string(kMaxLineBytes + 1, 'a'), "line 1"},
      {R"({"type":"string","list":[]})", "\"name\""},
      {R"({"name":"x","type":"string"})", "\"list\""},
      {R"({"name":" ","type":"string","list":[]})", "\"name\""},
      {R"({"name":"x","type":"colour","list":[]})", "no type of a warning list"},
      {R"({"name":"x","type":"string","list":["a",7]})", "$.list[1]"},
      {R"({"name":"x","list":[)", "not valid JSON"},
      {"{" + std::string(100'000, '['), "not valid JSON"},
  };
  for (const auto& [content, expected] : cases) {
    const auto list = read_list_of("x", content);
    ASSERT_FALSE(list) << content.substr(0, 60);
    EXPECT_THAT(list.error().text(), HasSubstr(expected)) << content.substr(0, 60);
  }
  EXPECT_EQ(read_warning_list("/nowhere/at/all").error().code, Errc::not_found);
}

}  // namespace
}  // namespace parley::formats
