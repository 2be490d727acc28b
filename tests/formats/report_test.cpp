#include "formats/report.h"

#include "formats/document.h"
#include "formats/html_text.h"
#include "formats/limits.h"
#include "formats/pdf_sample.h"
#include "formats/testing.h"

namespace parley::formats {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

std::string html_text(std::string_view html) {
  const auto text = html_visible_text(html);
  return text ? *text : "error: " + text.error().text();
}

TEST(Report, TakesDefangedIndicatorsAndTheTlpOfTheWholeDocument) {
  const Outcome outcome =
      read_as("x.md", "# A report\n\nTLP:AMBER\n\nIt spoke to `evil[.]example[.]com` and 203[.]0[.]113[.]9.\nMD5 " +
                          kMd5 + "\n");
  ASSERT_EQ(error_text(outcome), "");
  EXPECT_EQ(*outcome.format, Format::report);
  EXPECT_THAT(outcome.taken.values(),
              UnorderedElementsAre("domain evil.example.com", "ipv4 203.0.113.9", "md5 " + kMd5));
  for (const Record& record : outcome.taken.records) {
    EXPECT_EQ(record.context.tlp, indicator::Tlp::amber);
    EXPECT_EQ(record.file_object, 0U);
  }
}

TEST(Report, TakesTheStrictestOfSeveralMarkings) {
  const Outcome outcome = read_as("x.txt", "TLP:GREEN for members.\nThe annex is TLP:RED: evil[.]example[.]com\n",
                                  as_format(Format::report));
  ASSERT_THAT(outcome.taken.records, testing::SizeIs(1));
  EXPECT_EQ(outcome.taken.records[0].context.tlp, indicator::Tlp::red);
}

TEST(Report, SurvivesInvalidUtf8NulsAndLongLines) {
  std::string text = "evil[.]example[.]com \xff\xfe\xc0\x80 ";
  text += '\0';
  text += " 203[.]0[.]113[.]9 " + std::string(10 << 20, 'a') + " bad[.]example[.]com";
  const Outcome outcome = read_as("x.txt", text, as_format(Format::report));
  ASSERT_EQ(error_text(outcome), "");
  EXPECT_THAT(outcome.taken.values(),
              testing::IsSupersetOf({"domain evil.example.com", "ipv4 203.0.113.9", "domain bad.example.com"}));
}

TEST(Report, RefusesWhatIsTooLarge) {
  const auto text = text_of_report(as_bytes(std::string(kMaxReportBytes + 1, ' ')), Format::report);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, Errc::limit);
}

TEST(ReportText, GivesTheTextOfEachKindOfReport) {
  const std::pair<std::string, std::string_view> cases[] = {
      {"plain evil.example.com", "x.txt"},
      {"\xef\xbb\xbf== AsciiDoc evil.example.com", "x.adoc"},
      {"<!DOCTYPE html><p>page evil.example.com</p>", "x.html"},
      {"<html><body>page evil.example.com</body></html>", "-"},
      {pdf_sample("page evil.example.com"), "x.pdf"},
      {R"({"a": "evil.example.com"})", "x.txt"},
  };
  for (const auto& [content, name] : cases) {
    const auto text = report_text(as_bytes(content), name);
    ASSERT_TRUE(text) << name << ": " << text.error().text();
    EXPECT_THAT(*text, HasSubstr("evil.example.com")) << name;
    EXPECT_THAT(*text, Not(HasSubstr("<"))) << name;
  }
}

TEST(ReportText, RefusesWhatIsNoText) {
  for (const std::string& content : {std::string("\x7f"
                                                 "ELF\0\0\0",
                                                 7),
                                     std::string("\xff\xfeh\0i\0", 6)}) {
    EXPECT_FALSE(report_text(as_bytes(content), "x.txt"));
  }
}

TEST(Html, GivesWhatAReaderSees) {
  EXPECT_EQ(html_text("<title>T</title><p>one <b>two</b>three</p><p>four"), "T\none twothree\nfour\n");
  EXPECT_EQ(html_text("<table><tr><td>a.example</td><td>b.example</td></tr></table>"), "a.example\nb.example\n");
  EXPECT_EQ(html_text("<p>a<br>b &amp; c&#x5b;.&#93;d"), "a\nb & c[.]d\n");
  EXPECT_THAT(html_text("<p>seen</p><script>x.example</script><style>y{}</style><noscript>n</noscript><template>t</"
                        "template><!-- c -->"),
              "seen\n");
  EXPECT_THAT(html_text("<p>see <a href='http://target.example/'>the page</a>"), "see the page\n")
      << "a link's target is no text";
  EXPECT_THAT(html_text(""), IsEmpty());
}

TEST(Html, KeepsRightToLeftText) {
  EXPECT_EQ(html_text("<p dir=rtl>הכתובת evil[.]example"), "הכתובת evil[.]example\n");
}

TEST(Html, IsReadAsAReport) {
  const Outcome outcome = read_as(
      "x.html", "<!doctype html><body><p>TLP:CLEAR<p>evil[.]example[.]com<script>var a='hidden.example.com'</script>");
  ASSERT_EQ(error_text(outcome), "");
  EXPECT_EQ(*outcome.format, Format::html);
  EXPECT_THAT(outcome.taken.values(), ElementsAre("domain evil.example.com"));
}

TEST(Html, ReadsDeepNestingWithoutRecursing) {
  std::string deep = "<!doctype html>";
  for (int i = 0; i < 10'000; ++i) deep += "<div>";
  EXPECT_EQ(html_text(deep + "evil.example.com"), "evil.example.com\n");
}

TEST(Html, GivesUpOnWhatTakesTooMuchTime) {
  // HTML5's algorithm looks through all open elements at each tag: the time grows with the square of the nesting.
  std::string bomb = "<!doctype html>";
  for (int i = 0; i < 300'000; ++i) bomb += "<div>";
  const auto text = document_text(as_bytes(bomb));
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, Errc::limit);
}

TEST(Pdf, IsReadInAProcessOfItsOwn) {
  const Outcome outcome = read_as("x.pdf", pdf_sample("TLP:GREEN The address is 203[.]0[.]113[.]9"));
  ASSERT_EQ(error_text(outcome), "");
  EXPECT_EQ(*outcome.format, Format::pdf);
  ASSERT_THAT(outcome.taken.values(), ElementsAre("ipv4 203.0.113.9"));
  EXPECT_EQ(outcome.taken.records[0].context.tlp, indicator::Tlp::green);
}

TEST(Pdf, RefusesADamagedOrCutOffDocument) {
  const std::string whole = pdf_sample("203[.]0[.]113[.]9");
  for (const std::string& text : {std::string("%PDF-1.4"), std::string("%PDF-1.4\n") + std::string(1000, '\xff'),
                                  whole.substr(0, whole.size() / 3)}) {
    const auto read = document_text(as_bytes(text));
    if (read) {
      EXPECT_THAT(*read, Not(HasSubstr("203"))) << "poppler mends what it can";
    } else {
      EXPECT_EQ(read.error().code, Errc::format);
    }
  }
}

TEST(Pdf, GivesUpOnADecompressionBomb) {
  EXPECT_TRUE(document_text(as_bytes(pdf_bomb(1)))) << "a small one is a page like any other";
  const auto text = document_text(as_bytes(pdf_bomb(1'000'000)));
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, Errc::limit);
}

TEST(Pdf, RefusesMorePagesThanItsLimit) {
  const auto text = document_text(as_bytes(pdf_sample("x", kMaxPdfPages + 1)));
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, Errc::limit);
  EXPECT_THAT(text.error().message, HasSubstr("pages"));
}

TEST(Pdf, SaysWhenNoReaderIsSet) {
  set_document_program({});
  const auto none = document_text(as_bytes(pdf_sample("x")));
  set_document_program("/nowhere/at/all");
  const auto wrong = document_text(as_bytes(pdf_sample("x")));
  set_document_program("/bin/false");
  const auto broken = document_text(as_bytes(pdf_sample("x")));
  set_document_program("/proc/self/exe");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::unsupported);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, Errc::io);
  ASSERT_FALSE(broken);
}

}  // namespace
}  // namespace parley::formats
