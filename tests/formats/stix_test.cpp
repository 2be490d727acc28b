#include "formats/stix.h"

#include "formats/limits.h"
#include "formats/testing.h"

namespace parley::formats {
namespace {

using indicator::LabelKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

std::string bundle(std::string_view objects) {
  return R"({"type":"bundle","id":"bundle--1","objects":[)" + std::string(objects) + "]}";
}
std::string indicator_of(std::string_view pattern) {
  return R"({"type":"indicator","id":"indicator--1","pattern":")" + std::string(pattern) + "\"}";
}

TEST(Stix, ReadsIndicatorsAndObservablesOfABundle) {
  const Outcome outcome = read_as("x.json", vector_file("bundle-2.1.json"));
  ASSERT_EQ(error_text(outcome), "");
  EXPECT_EQ(*outcome.format, Format::stix);
  EXPECT_THAT(outcome.taken.values(),
              UnorderedElementsAre("md5 " + kMd5, "sha256 " + kSha256, "filename dropper.exe", "ipv4 203.0.113.9",
                                   "domain evil.example.com", "filename other.dll", "md5 " + std::string(32, 'd'),
                                   "sha1 " + kSha1, "asn AS64496", "mutex OnlyOne", HasSubstr("regkey "),
                                   "user-agent Mozilla/4.0 (compatible; odd)", "cve CVE-2017-0262"));
  EXPECT_THAT(outcome.taken.notices, SizeIs(2)) << "the YARA rule and the revoked indicator";
}

TEST(Stix, GivesAnIndicatorWhatTheBundleSaysAboutIt) {
  const Outcome outcome = read_as("x.json", vector_file("bundle-2.1.json"));
  const auto& context = outcome.taken.of("203.0.113.9").context;
  EXPECT_THAT(context.labels,
              UnorderedElementsAre(label(LabelKind::label, "case-7"), label(LabelKind::actor, "Sednit"),
                                   label(LabelKind::malware, "Zebrocy"), label(LabelKind::technique, "T1566")));
  EXPECT_EQ(context.tlp, indicator::Tlp::amber);
  EXPECT_EQ(context.pap, indicator::Pap::amber);
  EXPECT_EQ(context.confidence, 85);
  EXPECT_EQ(context.sightings, 3U);
  EXPECT_EQ(context.first_seen, parse_time("2018-10-01")) << "the sighting is earlier than valid_from";
  EXPECT_EQ(context.last_seen, parse_time("2019-01-02"));
}

TEST(Stix, TiesHashesThatAnObservationJoinsByAnd) {
  const Outcome outcome = read_as("x.json", vector_file("bundle-2.1.json"));
  EXPECT_NE(outcome.taken.of(kMd5).file_object, 0U);
  EXPECT_EQ(outcome.taken.of(kMd5).file_object, outcome.taken.of(kSha256).file_object);
  EXPECT_EQ(outcome.taken.of(kSha1).file_object, outcome.taken.of(std::string(32, 'd')).file_object);
  EXPECT_NE(outcome.taken.of(kMd5).file_object, outcome.taken.of(kSha1).file_object);
  EXPECT_EQ(outcome.taken.of("203.0.113.9").file_object, 0U);

  const Outcome either = read_as(
      "y.json", bundle(indicator_of("[file:hashes.MD5 = '" + kMd5 + "' OR file:hashes.'SHA-1' = '" + kSha1 + "']")));
  ASSERT_THAT(either.taken.records, SizeIs(2));
  EXPECT_NE(either.taken.of(kMd5).file_object, either.taken.of(kSha1).file_object);
}

TEST(Stix, GivesAnObservableItsTimesAndCount) {
  const Outcome outcome = read_as("x.json", vector_file("bundle-2.1.json"));
  const auto& context = outcome.taken.of("evil.example.com").context;
  EXPECT_EQ(context.first_seen, parse_time("2020-01-01"));
  EXPECT_EQ(context.last_seen, parse_time("2020-02-01"));
  EXPECT_EQ(context.sightings, 50U);
}

TEST(Stix, ReadsVersion20WithObservablesInside) {
  const Outcome outcome = read_as("x.json", vector_file("bundle-2.0.json"));
  ASSERT_EQ(error_text(outcome), "");
  EXPECT_THAT(outcome.taken.values(),
              UnorderedElementsAre("filename x.exe", "md5 " + kMd5, "sha1 " + kSha1, "ipv6 2001:db8::1",
                                   "domain a.example.com", "domain b.example.com"));
  const Record& md5 = outcome.taken.of(kMd5);
  EXPECT_EQ(md5.context.tlp, indicator::Tlp::red);
  EXPECT_EQ(md5.context.sightings, 4U);
  EXPECT_EQ(md5.file_object, outcome.taken.of(kSha1).file_object);
}

TEST(Stix, KnowsTheFixedMarkingsOfBothTlpVersions) {
  using indicator::Tlp;
  const std::pair<std::string_view, Tlp> markings[] = {
      {"613f2e26-407d-48c7-9eca-b8e91df99dc9", Tlp::clear}, {"34098fce-860f-48ae-8e50-ebd3cc5e41da", Tlp::green},
      {"f88d31f6-486f-44da-b317-01333bde0b82", Tlp::amber}, {"5e57c739-391a-4eb3-b6be-7d15ca92d5ed", Tlp::red},
      {"94868c89-83c2-464b-929b-a1a8aa3c8487", Tlp::clear}, {"bab4a63c-aed9-4cf5-a766-dfca5abac2bb", Tlp::green},
      {"55d920b0-5e8b-4f79-9ee9-91f868d9b421", Tlp::amber}, {"939a9414-2ddd-4d32-a0cd-375ea402b003", Tlp::amber_strict},
      {"e828b379-4e03-4974-9ac4-e53a884c97c1", Tlp::red},
  };
  for (const auto& [id, tlp] : markings) {
    const Outcome outcome = read_as(
        "x.json",
        bundle(
            R"({"type":"ipv4-addr","id":"ipv4-addr--1","value":"203.0.113.9","object_marking_refs":["marking-definition--)" +
            std::string(id) + R"("]})"));
    ASSERT_THAT(outcome.taken.records, SizeIs(1)) << error_text(outcome);
    EXPECT_EQ(outcome.taken.records[0].context.tlp, tlp) << id;
  }
}

TEST(Stix, TakesTheStricterOfTwoMarkings) {
  const Outcome outcome =
      read_as("x.json", bundle(R"({"type":"ipv4-addr","id":"ipv4-addr--1","value":"203.0.113.9","object_marking_refs":[
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed","marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"]})"));
  EXPECT_EQ(outcome.taken.of("203.0.113.9").context.tlp, indicator::Tlp::red);
}

TEST(Stix, SaysWhatAPatternNamesThatParleyDoesNotCarry) {
  const Outcome outcome = read_as("x.json", bundle(indicator_of("[email:subject = 'Hello']")));
  ASSERT_EQ(error_text(outcome), "");
  EXPECT_THAT(outcome.taken.records, SizeIs(0));
  ASSERT_THAT(outcome.taken.notices, SizeIs(1));
  EXPECT_EQ(outcome.taken.notices[0].where, "$.objects[0].pattern");
}

TEST(Stix, FailsWithThePathOfWhatIsWrong) {
  const std::pair<std::string, std::string_view> cases[] = {
      {bundle(indicator_of("[ipv4-addr:value = ]")), "$.objects[0].pattern"},
      {bundle(indicator_of("[ipv4-addr:value = '203.0.113.999']")), "$.objects[0].pattern"},
      {bundle(R"({"type":"ipv4-addr","value":"203.0.113.9"},{"type":"file","hashes":{"MD5":"xyz"}})"),
       "$.objects[1].hashes.MD5"},
      {bundle(R"({"type":"indicator","id":"indicator--1"})"), "$.objects[0]: An indicator with a \"pattern\""},
      {bundle(R"({"value":"203.0.113.9"})"), "$.objects[0]: A STIX object"},
      {bundle("17"), "$.objects[0]"},
      {bundle("{\"type\":\"ipv4-addr\",\"value\":\"\xff\"}"), "$.objects[0]: This is not valid JSON"},
      {bundle(R"({"type":"ipv4-addr",,"value":1})"), "$.objects[0]: This is not valid JSON"},
      {R"({"type":"bundle","objects":[{"type":"ipv4-addr","value":"203.0.113.9"})", "ends where"},
      {R"({"type":"bundle","objects":[{"type":"ipv4-add)", "ends where"},
      {R"({"type":"bundle","id":"bundle--1"})", "no \"objects\""},
      {bundle("") + "x", "the end of the file was expected"},
  };
  for (const auto& [text, expected] : cases) {
    const Outcome outcome = read_as("x.json", text, as_format(Format::stix));
    ASSERT_FALSE(outcome.format) << text;
    EXPECT_EQ(outcome.format.error().code, Errc::format) << text;
    EXPECT_THAT(outcome.format.error().text(), HasSubstr(expected)) << text;
    EXPECT_THAT(outcome.format.error().text(), HasSubstr("x.json")) << text;
  }
}

TEST(Stix, LenientGoesOnBehindADamagedObject) {
  const Outcome outcome = read_as(
      "x.json",
      bundle(R"({"type":"ipv4-addr",,},{"type":"ipv4-addr","value":"203.0.113.9"},)" + indicator_of("[nonsense")),
      lenient());
  ASSERT_EQ(error_text(outcome), "");
  EXPECT_THAT(outcome.taken.values(), ElementsAre("ipv4 203.0.113.9"));
  ASSERT_THAT(outcome.taken.notices, SizeIs(2));
  EXPECT_EQ(outcome.taken.notices[0].where, "$.objects[0]");
}

TEST(Stix, RefusesDeepNestingWithoutRecursing) {
  for (const std::string& deep : {std::string(100'000, '['), std::string(100'000, '[') + std::string(100'000, ']')}) {
    const Outcome outcome = read_as("x.json", R"({"type":"bundle","objects":[)" + deep, as_format(Format::stix));
    ASSERT_FALSE(outcome.format);
    EXPECT_EQ(outcome.format.error().code, Errc::limit);
  }
}

TEST(Stix, RefusesAnObjectPastItsLimitAndLenientlyGoesOn) {
  const std::string text = bundle(R"({"type":"note","content":")" + std::string(kMaxStixObjectBytes, 'x') +
                                  R"("},{"type":"ipv4-addr","value":"203.0.113.9"})");
  const Outcome strict = read_as("x.json", text);
  ASSERT_FALSE(strict.format);
  EXPECT_EQ(strict.format.error().code, Errc::limit);
  EXPECT_THAT(strict.format.error().where, HasSubstr("$.objects[0]"));
  EXPECT_THAT(read_as("x.json", text, lenient()).taken.values(), ElementsAre("ipv4 203.0.113.9"));
}

TEST(Stix, KeepsNulAndControlCharactersOutOfValues) {
  const Outcome outcome = read_as(
      "x.json",
      bundle(R"({"type":"domain-name","value":"evil\u0000.example.com"},{"type":"mutex","name":"a\u001b[31m"})"),
      lenient());
  for (const Record& record : outcome.taken.records) {
    EXPECT_EQ(record.indicator.value().find_first_of(std::string_view("\0\x1b", 2)), std::string::npos);
  }
}

}  // namespace
}  // namespace parley::formats
