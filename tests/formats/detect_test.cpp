#include "formats/detect.h"

#include "formats/limits.h"
#include "formats/pdf_sample.h"
#include "formats/testing.h"

namespace parley::formats {
namespace {

using ::testing::HasSubstr;

TEST(DetectFormat, GoesByTheContentFirst) {
  const std::pair<std::string, Format> cases[] = {
      {R"({"type":"bundle","id":"bundle--1","objects":[]})", Format::stix},
      {R"( {"more":false,"objects":[{"type":"indicator"}]})", Format::stix},
      {R"({"objects":[)" + std::string(2 * kHeadBytes, ' '), Format::stix},
      {R"({"response":[{"Event":{}}]})", Format::misp},
      {R"([{"Event":{}}])", Format::misp},
      {"\xef\xbb\xbf{\"Event\":{}}", Format::misp},
      {"<?xml version='1.0'?><!-- <html> --><ioc xmlns='x'>", Format::openioc},
      {"<OpenIOC>", Format::openioc},
      {"<!DOCTYPE html><p>", Format::html},
      {"\n <HTML lang=en>", Format::html},
      {pdf_sample("x"), Format::pdf},
      {kMd5 + "\n" + kSha256 + "\n", Format::hashes},
      {"# list\n203.0.113.9\nevil.example.com\n", Format::list},
      {"0.0.0.0 evil.example.com\n", Format::list},
      {"[.]evil", Format::report},
      {"type,value\nip,203.0.113.9\n", Format::csv},
      {"2020-01-01;203.0.113.9\n2020-01-02;203.0.113.8\n", Format::csv},
      {"A report, with commas, about evil[.]example[.]com.\nIt has, too, more, lines.\n", Format::report},
      {"|Hash|Type|\n|:--|:--|\n|" + kMd5 + "|EXE|\n", Format::report},
  };
  const TemporaryFolder folder;
  for (const auto& [content, format] : cases) {
    const auto detected = detect_format(folder.write("file.unknown", content));
    ASSERT_TRUE(detected) << content.substr(0, 60) << ": " << detected.error().text();
    EXPECT_EQ(name_of(*detected), name_of(format)) << content.substr(0, 60);
  }
}

TEST(DetectFormat, GoesByTheNameWhereTheContentLeavesItOpen) {
  const std::pair<std::string_view, Format> cases[] = {{"x.html", Format::html},
                                                       {"x.md", Format::report},
                                                       {"X.ADOC", Format::report},
                                                       {"x.csv", Format::csv},
                                                       {"x.sha256", Format::hashes}};
  for (const auto& [name, format] : cases) {
    const auto detected = detect_content("some words about nothing", true, name);
    ASSERT_TRUE(detected) << name;
    EXPECT_EQ(name_of(*detected), name_of(format)) << name;
  }
}

TEST(DetectFormat, SaysWhatItIsWhereItCannotRead) {
  const std::pair<std::string, std::string_view> cases[] = {
      {"", "empty"},
      {"  \n", "empty"},
      {R"({"name":"x","type":"cidr","list":[]})", "warninglist add"},
      {R"({"a":1})", "neither a STIX bundle"},
      {"<stix:STIX_Package xmlns:stix='x'>", "STIX 1"},
      {"<?xml version='1.0'?><rss/>", "root element \"rss\""},
      {"PK\x03\x04", "unpack"},
      {"\x1f\x8b\x08", "gzip"},
      {std::string("\x7f"
                   "ELF\0\0",
                   6),
       "binary"},
      {"\xff\xfeh", "UTF-16"},
  };
  for (const auto& [content, expected] : cases) {
    const auto detected = detect_content(content, true, "file");
    ASSERT_FALSE(detected) << content;
    EXPECT_THAT(detected.error().message, HasSubstr(expected)) << content;
  }
}

TEST(DetectFormat, FailsForWhatIsNotThere) {
  const TemporaryFolder folder;
  const auto missing = detect_format(folder.path() / "none");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::not_found);
  EXPECT_FALSE(detect_format(folder.path()));
}

TEST(DetectFormat, KnowsEachFormatByItsName) {
  for (const Format format : {Format::stix, Format::misp, Format::csv, Format::hashes, Format::list, Format::openioc,
                              Format::report, Format::html, Format::pdf}) {
    EXPECT_EQ(format_named(name_of(format)), format);
  }
  EXPECT_FALSE(format_named("xlsx"));
  EXPECT_FALSE(format_named(""));
}

TEST(Read, GivesTheErrorOfTheSinkAndStops) {
  struct Full final : Sink {
    int taken = 0;
    Status record(Record) override { return ++taken < 3 ? Status() : fail(Errc::io, "The disk is full."); }
    void notice(Notice) override {}
  };
  const TemporaryFolder folder;
  const std::pair<std::string_view, std::string> files[] = {
      {"a.txt", "a.example.com\nb.example.com\nc.example.com\nd.example.com\n"},
      {"a.csv", "value\na.example.com\nb.example.com\nc.example.com\nd.example.com\n"},
      {"a.json",
       R"({"Event":{"Attribute":[{"type":"domain","value":"a.example.com"},{"type":"domain","value":"b.example.com"},{"type":"domain","value":"c.example.com"},{"type":"domain","value":"d.example.com"}]}})"},
  };
  for (const auto& [name, content] : files) {
    Full sink;
    SilentProgress progress;
    const auto read_to_end = read(folder.write(name, content), lenient(), sink, progress);
    ASSERT_FALSE(read_to_end) << name;
    EXPECT_EQ(read_to_end.error().code, Errc::io) << name;
    EXPECT_EQ(sink.taken, 3) << name;
  }
}

TEST(Read, StopsWhenItIsCancelled) {
  const TemporaryFolder folder;
  Taken taken;
  SilentProgress progress;
  progress.cancel();
  const auto stopped = read(folder.write("a.txt", "a.example.com\n"), {}, taken, progress);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Errc::cancelled);
  EXPECT_TRUE(taken.records.empty());
}

}  // namespace
}  // namespace parley::formats
