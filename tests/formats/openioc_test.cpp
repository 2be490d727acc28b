#include "formats/openioc.h"

#include "formats/limits.h"
#include "formats/testing.h"

namespace parley::formats {
namespace {

using indicator::LabelKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

std::string document_of(std::string_view items) {
  return R"(<ioc xmlns="http://schemas.mandiant.com/2010/ioc"><definition><Indicator operator="OR">)" +
         std::string(items) + "</Indicator></definition></ioc>";
}
std::string item(std::string_view search, std::string_view content, std::string_view condition = "is") {
  return "<IndicatorItem id=\"t1\" condition=\"" + std::string(condition) + "\"><Context search=\"" +
         std::string(search) + "\"/><Content>" + std::string(content) + "</Content></IndicatorItem>";
}

TEST(OpenIoc, ReadsTheTermsOfVersion10ThatParleyCarries) {
  const Outcome outcome = read_as("x.ioc", vector_file("openioc-1.0.ioc"));
  ASSERT_EQ(error_text(outcome), "");
  EXPECT_EQ(*outcome.format, Format::openioc);
  EXPECT_THAT(outcome.taken.values(), ElementsAre("md5 " + kMd5, "domain evil.example.com", "sha1 " + kSha1,
                                                  "sha256 " + kSha256, "ipv4 203.0.113.9"));
  const auto& context = outcome.taken.of(kMd5).context;
  EXPECT_EQ(context.first_seen, parse_time("2014-10-16T20:58:21Z"));
  EXPECT_THAT(context.labels,
              UnorderedElementsAre(label(LabelKind::actor, "APT28"), label(LabelKind::malware, "CORESHELL"),
                                   label(LabelKind::label, "Downloader")));
  EXPECT_THAT(outcome.taken.notices, SizeIs(3)) << "a part of a file name, a size, a negation";
}

TEST(OpenIoc, TiesHashesJoinedByAndOnly) {
  const Outcome outcome = read_as("x.ioc", vector_file("openioc-1.0.ioc"));
  EXPECT_NE(outcome.taken.of(kSha1).file_object, 0U);
  EXPECT_EQ(outcome.taken.of(kSha1).file_object, outcome.taken.of(kSha256).file_object);
  EXPECT_EQ(outcome.taken.of(kMd5).file_object, 0U);
  EXPECT_EQ(outcome.taken.of("203.0.113.9").file_object, 0U);
}

TEST(OpenIoc, ReadsVersion11AndSkipsNegations) {
  const Outcome outcome = read_as("x.xml", vector_file("openioc-1.1.ioc"));
  ASSERT_EQ(error_text(outcome), "");
  EXPECT_THAT(outcome.taken.values(), ElementsAre("user-agent Odd/1.0"));
  EXPECT_EQ(outcome.taken.records[0].context.tlp, indicator::Tlp::amber);
}

TEST(OpenIoc, FailsWithTheItemThatIsWrong) {
  const std::pair<std::string, std::string_view> cases[] = {
      {document_of(item("PortItem/remoteIP", "203.0.113.999")), "item t1"},
      {document_of(item("FileItem/Md5sum", "")), "item t1"},
      {"<ioc><nothing/></ioc>", "no <definition>"},
      {"<ioc><definition>", "not well-formed XML"},
      {"<other/>", "<ioc> (OpenIOC 1.0)"},
      {"", "not well-formed XML"},
  };
  for (const auto& [text, expected] : cases) {
    const Outcome outcome = read_as("x.ioc", text, as_format(Format::openioc));
    ASSERT_FALSE(outcome.format) << text;
    EXPECT_THAT(outcome.format.error().text(), HasSubstr(expected)) << text;
  }
  EXPECT_THAT(read_as("x.ioc", document_of(item("PortItem/remoteIP", "x") + item("PortItem/remoteIP", "203.0.113.9")),
                      lenient())
                  .taken.values(),
              ElementsAre("ipv4 203.0.113.9"));
}

TEST(OpenIoc, RefusesEntityBombsAndForeignFiles) {
  std::string bomb = "<!DOCTYPE ioc [<!ENTITY a0 \"aaaaaaaaaa\">";
  for (int i = 1; i < 10; ++i) {
    bomb += "<!ENTITY a" + std::to_string(i) + " \"";
    for (int j = 0; j < 10; ++j) bomb += "&a" + std::to_string(i - 1) + ";";
    bomb += "\">";
  }
  bomb += "]>" + document_of(item("FileItem/FileName", "&a9;"));
  const std::string foreign =
      "<!DOCTYPE ioc [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>" + document_of(item("FileItem/FileName", "&x;"));
  for (const std::string& text : {bomb, foreign}) {
    const Outcome outcome = read_as("x.ioc", text);
    ASSERT_FALSE(outcome.format);
    EXPECT_THAT(outcome.format.error().message, HasSubstr("document type"));
  }
}

TEST(OpenIoc, RefusesDeepNestingWithoutRecursing) {
  std::string open;
  std::string close;
  for (int i = 0; i < 100'000; ++i) {
    open += "<Indicator operator=\"OR\">";
    close += "</Indicator>";
  }
  const Outcome whole = read_as("x.ioc", document_of(open + item("FileItem/Md5sum", kMd5) + close));
  ASSERT_FALSE(whole.format);
  EXPECT_EQ(whole.format.error().code, Errc::limit);
  EXPECT_FALSE(read_as("x.ioc", "<ioc><definition>" + open, as_format(Format::openioc)).format) << "cut off";
}

TEST(OpenIoc, RefusesADocumentPastItsLimit) {
  const Outcome outcome = read_as("x.ioc", document_of(std::string(kMaxOpenIocBytes, ' ')));
  ASSERT_FALSE(outcome.format);
  EXPECT_EQ(outcome.format.error().code, Errc::limit);
}

}  // namespace
}  // namespace parley::formats
