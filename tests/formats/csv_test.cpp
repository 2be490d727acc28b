#include "formats/csv.h"

#include "formats/limits.h"
#include "formats/testing.h"

namespace parley::formats {
namespace {

using indicator::LabelKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::vector<std::string>> rows_of(std::string_view text, char delimiter = ',') {
  MemorySource source(as_bytes(text));
  CsvReader reader(source, delimiter);
  std::vector<std::vector<std::string>> rows;
  for (;;) {
    const auto state = reader.next();
    if (!state || *state == CsvReader::Row::end) return rows;
    auto& row = rows.emplace_back();
    if (*state == CsvReader::Row::fault) row.push_back("fault: " + reader.fault().text());
    for (std::size_t i = 0; *state == CsvReader::Row::fields && i < reader.size(); ++i)
      row.emplace_back(reader.field(i));
  }
}

// RFC 4180 section 2, rules 1 to 7, and what published files do besides.
TEST(CsvReader, ReadsRowsAsRfc4180WritesThem) {
  using Rows = std::vector<std::vector<std::string>>;
  const std::pair<std::string_view, Rows> cases[] = {
      {"aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n", {{"aaa", "bbb", "ccc"}, {"zzz", "yyy", "xxx"}}},
      {"aaa,bbb\nzzz,yyy", {{"aaa", "bbb"}, {"zzz", "yyy"}}},
      {"\"aaa\",\"b \r\nbb\",\"ccc\"\r\nzzz,yyy,xxx", {{"aaa", "b \r\nbb", "ccc"}, {"zzz", "yyy", "xxx"}}},
      {"\"aaa\",\"b\"\"bb\",\"ccc\"", {{"aaa", "b\"bb", "ccc"}}},
      {"\"a,b\",c", {{"a,b", "c"}}},
      {"a,,c\n,,\n", {{"a", "", "c"}, {"", "", ""}}},
      {"\xef\xbb\xbf\"a\",b", {{"a", "b"}}},
      {"a, \"b\" , c", {{"a", "b", "c"}}},
      {"# a \"comment\", with \"quotes\na,b\n\n   \n#x\nc,d", {{"a", "b"}, {"c", "d"}}},
      {"5\" disk,b", {{"5\" disk", "b"}}},
      {"", {}},
  };
  for (const auto& [text, rows] : cases) EXPECT_EQ(rows_of(text), rows) << text;
}

TEST(CsvReader, ReportsAFaultWithItsLineAndGoesOnBehindIt) {
  EXPECT_THAT(rows_of("a,b\n\"x\"y,z\nc,d\n"),
              ElementsAre(ElementsAre("a", "b"), ElementsAre(HasSubstr("fault: line 2: \"y\" follows the closing")),
                          ElementsAre("c", "d")));
  EXPECT_THAT(rows_of("a,b\n\"never closed\nc,d\n"),
              ElementsAre(ElementsAre("a", "b"), ElementsAre(HasSubstr("line 2: The file ends inside"))));
}

TEST(CsvReader, RefusesARowPastItsLimitsWithoutKeepingIt) {
  const std::string long_field(kMaxCsvRowBytes + 10, 'x');
  EXPECT_THAT(rows_of("a\n" + long_field + "\nb"),
              ElementsAre(ElementsAre("a"), ElementsAre(HasSubstr("line 2: The row has more than")), ElementsAre("b")));
  const std::string many_fields(kMaxCsvColumns + 5, ',');
  EXPECT_THAT(rows_of("a\n" + many_fields + "\nb"),
              ElementsAre(ElementsAre("a"), ElementsAre(HasSubstr("fields")), ElementsAre("b")));
}

TEST(Csv, FindsColumnsByTheirHeaderWhateverTheDelimiter) {
  for (const char delimiter : {',', ';', '\t', '|'}) {
    std::string text =
        "id,Indicator Value,INDICATOR_TYPE,First Seen,last_seen,Confidence,TLP,tags,malware,technique\n"
        "1,evil.example.com,FQDN,2018-11-20,2018-12-01T10:00:00Z,80,AMBER,apt|osint,Zebrocy,Phishing - T1566\n";
    // The tags are joined by a character that is no delimiter of this file.
    if (delimiter == '|') std::ranges::replace(text, '|', ' ');
    std::ranges::replace(text, ',', delimiter);
    const Outcome outcome = read_as("x.csv", text);
    ASSERT_EQ(error_text(outcome), "") << delimiter;
    EXPECT_EQ(*outcome.format, Format::csv);
    ASSERT_THAT(outcome.taken.values(), ElementsAre("domain evil.example.com"));
    const auto& context = outcome.taken.records[0].context;
    EXPECT_EQ(context.first_seen, parse_time("2018-11-20"));
    EXPECT_EQ(context.last_seen, parse_time("2018-12-01T10:00:00Z"));
    EXPECT_EQ(context.confidence, 80);
    EXPECT_EQ(context.tlp, indicator::Tlp::amber);
    EXPECT_THAT(context.labels,
                ::testing::IsSupersetOf({label(LabelKind::malware, "Zebrocy"), label(LabelKind::technique, "T1566")}));
  }
}

TEST(Csv, FindsColumnsByTheirValuesWithoutAHeader) {
  const Outcome outcome = read_as("x.csv", "2018-11-20,203.0.113.9,ip\n2018-11-21,203.0.113.10,ip\n");
  EXPECT_THAT(outcome.taken.values(), ElementsAre("ipv4 203.0.113.9", "ipv4 203.0.113.10"));
  EXPECT_EQ(outcome.taken.records[0].context.first_seen, parse_time("2018-11-20"));
}

TEST(Csv, ReadsAHeaderInACommentLine) {
  const Outcome outcome = read_as("x.csv",
                                  "# a feed\n# \"first_seen_utc\",\"dst_ip\",\"dst_port\",\"malware\"\n"
                                  "\"2021-05-16 19:49:33\",\"203.0.113.7\",\"443\",\"Dridex\"\n");
  ASSERT_EQ(error_text(outcome), "");
  ASSERT_THAT(outcome.taken.values(), ElementsAre("ipv4 203.0.113.7"));
  EXPECT_THAT(outcome.taken.records[0].context.labels, ElementsAre(label(LabelKind::malware, "Dridex")));
}

TEST(Csv, TakesExactlyTheMappedColumns) {
  ReadOptions options;
  options.columns = {{"value", "2"}, {"last_seen", "When"}};
  const Outcome outcome = read_as("x.csv", "ip,What,When\n203.0.113.1,evil.example.com,2018-11-20\n", options);
  ASSERT_THAT(outcome.taken.values(), ElementsAre("domain evil.example.com"));
  EXPECT_EQ(outcome.taken.records[0].context.last_seen, parse_time("2018-11-20"));
  EXPECT_FALSE(outcome.taken.records[0].context.first_seen);
}

TEST(Csv, RefusesAMappingToWhatDoesNotExist) {
  const std::pair<std::string, std::string> wrong[] = {
      {"value", "Nowhere"}, {"value", "9"}, {"value", "0"}, {"colour", "1"}, {"tlp", "1"}};
  for (const auto& mapping : wrong) {
    ReadOptions options;
    options.columns = {mapping};
    const Outcome outcome = read_as("x.csv", "What,When\nevil.example.com,2018-11-20\n", options);
    ASSERT_FALSE(outcome.format) << mapping.first << "=" << mapping.second;
    EXPECT_EQ(outcome.format.error().code, Errc::usage);
  }
}

TEST(Csv, OverrulesAWrongTypeByTheValueAndSaysSo) {
  const Outcome outcome =
      read_as("x.csv", "type,value\nMD5," + kSha256 + "\nFQDN,203.0.113.9\nMD5," + kMd5 + "\nip,203.0.113.0/24\n");
  EXPECT_THAT(outcome.taken.values(),
              ElementsAre("sha256 " + kSha256, "ipv4 203.0.113.9", "md5 " + kMd5, "cidr 203.0.113.0/24"));
  ASSERT_THAT(outcome.taken.notices, SizeIs(2));
  EXPECT_EQ(outcome.taken.notices[0].kind, Notice::Kind::corrected);
  EXPECT_EQ(outcome.taken.notices[0].where, "line 2");
  EXPECT_THAT(outcome.taken.notices[0].why, HasSubstr("declared as md5; it was taken as sha256"));
  EXPECT_EQ(outcome.taken.notices[1].where, "line 3");
}

TEST(Csv, TiesHashesOfOneRowAndNotThoseOfTwo) {
  const Outcome outcome = read_as("x.csv", "md5,sha1,sha256,domain\n" + kMd5 + "," + kSha1 + "," + kSha256 +
                                               ",evil.example.com\n" + std::string(32, 'd') + ",-,N/A,\n");
  ASSERT_THAT(outcome.taken.records, SizeIs(5));
  const auto file = outcome.taken.of(kMd5).file_object;
  EXPECT_NE(file, 0U);
  EXPECT_EQ(outcome.taken.of(kSha1).file_object, file);
  EXPECT_EQ(outcome.taken.of(kSha256).file_object, file);
  EXPECT_EQ(outcome.taken.of("evil.example.com").file_object, 0U);
  EXPECT_NE(outcome.taken.of(std::string(32, 'd')).file_object, file);
}

TEST(Csv, TiesFurtherHashesInTheComment) {
  const Outcome outcome =
      read_as("x.csv", "value,type,comment\n" + kMd5 + ",MD5,FILENAME:a.dll|SHA1:" + kSha1 + "|SIZE:12\n" +
                           ",MD5,SHA256:" + kSha256 + "\nevil.example.com,FQDN,see https://report.example.com/\n");
  EXPECT_THAT(outcome.taken.values(),
              ElementsAre("md5 " + kMd5, "sha1 " + kSha1, "sha256 " + kSha256, "domain evil.example.com"));
  EXPECT_EQ(outcome.taken.of(kMd5).file_object, outcome.taken.of(kSha1).file_object);
  EXPECT_NE(outcome.taken.of(kMd5).file_object, outcome.taken.of(kSha256).file_object);
}

TEST(Csv, ReadsCompositeTypes) {
  const Outcome outcome =
      read_as("x.csv", "type,value\nfilename|md5,a.exe|" + kMd5 + "\nip-dst|port,203.0.113.9|443\n");
  EXPECT_THAT(outcome.taken.values(), ElementsAre("filename a.exe", "md5 " + kMd5, "ipv4 203.0.113.9"));
}

TEST(Csv, FailsAtTheFirstRowWithoutAnIndicator) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"value,type\nevil.example.com,domain\n!!!,domain\n", "line 3"},
      {"value,type\nevil.example.com,domain\n203.0.113.999,ip\n", "line 3"},
      {"value,type\nevil.example.com,domain\n,domain\n", "line 3: The row has no indicator."},
      {"value,type\nevil.example.com,domain\n\"open,domain\n", "line 3: The file ends inside a quoted field"},
      {"value,type\nevil.example.com,domain\n\"a\nb\nc\"x,domain\n", "line 3"},
  };
  for (const auto& [text, expected] : cases) {
    const Outcome outcome = read_as("x.csv", text);
    ASSERT_FALSE(outcome.format) << text;
    EXPECT_EQ(outcome.format.error().code, Errc::format);
    EXPECT_THAT(outcome.format.error().text(), HasSubstr(expected));
    EXPECT_THAT(outcome.format.error().text(), HasSubstr("x.csv, line"));
  }
}

TEST(Csv, LenientSkipsWhatIsWrongAndListsIt) {
  const Outcome outcome = read_as(
      "x.csv", "value,type\nevil.example.com,domain\n!!!,domain\n\"a\"b,domain\nbad.example.com,domain\n", lenient());
  ASSERT_EQ(error_text(outcome), "");
  EXPECT_THAT(outcome.taken.values(), ElementsAre("domain evil.example.com", "domain bad.example.com"));
  ASSERT_THAT(outcome.taken.notices, SizeIs(2));
  EXPECT_EQ(outcome.taken.notices[0].where, "line 3");
  EXPECT_EQ(outcome.taken.notices[1].where, "line 4");
}

TEST(Csv, LeavesOutAnUnknownDateAndSaysItOnce) {
  const Outcome outcome = read_as("x.csv", "value,first_seen\na.example.com,20/11/2018\nb.example.com,21/11/2018\n");
  ASSERT_THAT(outcome.taken.records, SizeIs(2));
  EXPECT_FALSE(outcome.taken.records[0].context.first_seen);
  ASSERT_THAT(outcome.taken.notices, SizeIs(1));
  EXPECT_EQ(outcome.taken.notices[0].kind, Notice::Kind::corrected);
}

TEST(Csv, PassesOverTypesThatParleyDoesNotCarry) {
  const Outcome outcome = read_as("x.csv", "value,type\nevil.example.com,domain\nsome text,yara\n");
  ASSERT_EQ(error_text(outcome), "");
  EXPECT_THAT(outcome.taken.values(), SizeIs(1));
  EXPECT_THAT(outcome.taken.notices, SizeIs(1));
}

TEST(Csv, RefusesAFileWithoutAColumnOfIndicators) {
  const Outcome outcome = read_as("x.csv", "name,colour\nrose,red\n");
  ASSERT_FALSE(outcome.format);
  EXPECT_THAT(outcome.format.error().message, HasSubstr("No column of indicators"));
}

TEST(Csv, RefusesUtf16WithAdvice) {
  const Outcome outcome = read_as("x.csv", std::string_view("\xff\xfev\0a\0", 6));
  ASSERT_FALSE(outcome.format);
  EXPECT_THAT(outcome.format.error().message, HasSubstr("save it as UTF-8"));
}

TEST(Csv, KeepsNoInvalidUtf8AndNoControlCharacters) {
  const Outcome outcome =
      read_as("x.csv", "value,malware\na.example.com,\xff\xfe\xfd\nb.example.com,ok\nc\x01.example.com,x\n", lenient());
  ASSERT_EQ(error_text(outcome), "");
  EXPECT_THAT(outcome.taken.of("a.example.com").context.labels, IsEmpty());
  for (const Record& record : outcome.taken.records)
    EXPECT_EQ(record.indicator.value().find('\x01'), std::string::npos);
}

}  // namespace
}  // namespace parley::formats
