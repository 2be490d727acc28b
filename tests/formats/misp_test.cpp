#include "formats/misp.h"

#include "formats/testing.h"

namespace parley::formats {
namespace {

using indicator::LabelKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

TEST(Misp, ReadsAttributesObjectsAndCompositesOfSeveralEvents) {
  const Outcome outcome = read_as("x.json", vector_file("event.misp.json"));
  ASSERT_EQ(error_text(outcome), "");
  EXPECT_EQ(*outcome.format, Format::misp);
  EXPECT_THAT(outcome.taken.values(),
              UnorderedElementsAre("ipv4 203.0.113.9", "ipv4 203.0.113.10", "domain evil.example.com",
                                   "ipv4 203.0.113.11", HasSubstr("filename "), "md5 " + kMd5, HasSubstr("regkey "),
                                   "asn AS64496", "url http://evil.example.com/x", "filename dropper.exe",
                                   "md5 " + std::string(32, 'd'), "sha256 " + kSha256, "sha1 " + kSha1));
}

TEST(Misp, GivesAttributesTheTagsOfTheirEventAndTheirOwn) {
  const Outcome outcome = read_as("x.json", vector_file("event.misp.json"));
  const auto& plain = outcome.taken.of("203.0.113.9").context;
  EXPECT_THAT(plain.labels,
              UnorderedElementsAre(label(LabelKind::actor, "Sofacy"), label(LabelKind::malware, "Zebrocy"),
                                   label(LabelKind::technique, "T1566.001"), label(LabelKind::sector, "Government")));
  EXPECT_EQ(plain.tlp, indicator::Tlp::green);
  EXPECT_EQ(plain.pap, indicator::Pap::amber);
  EXPECT_EQ(plain.first_seen, parse_time("2018-11-06")) << "the event's date";
  const auto& tagged = outcome.taken.of("http://evil.example.com/x").context;
  EXPECT_EQ(tagged.tlp, indicator::Tlp::red);
  EXPECT_EQ(tagged.confidence, 75);
  EXPECT_EQ(tagged.sightings, 2U);
  EXPECT_EQ(tagged.first_seen, parse_time("2017-01-01"));
  EXPECT_EQ(tagged.last_seen, parse_time("2017-02-01"));
  const auto& other_event = outcome.taken.of(kSha1).context;
  EXPECT_THAT(other_event.labels, IsEmpty());
  EXPECT_FALSE(other_event.tlp);
}

TEST(Misp, TiesTheHashesOfAnObject) {
  const Outcome outcome = read_as("x.json", vector_file("event.misp.json"));
  const Record& md5 = outcome.taken.of(std::string(32, 'd'));
  EXPECT_NE(md5.file_object, 0U);
  EXPECT_EQ(md5.file_object, outcome.taken.of(kSha256).file_object);
  EXPECT_EQ(md5.context.first_seen, parse_time("2016-01-01"));
  EXPECT_EQ(outcome.taken.of(kSha1).file_object, 0U);

  const Outcome two =
      read_as("y.json", R"({"Event":{"Object":[{"name":"list","Attribute":[{"type":"md5","value":")" + kMd5 +
                            R"("},{"type":"md5","value":")" + std::string(32, 'd') + R"("}]}]}})");
  ASSERT_THAT(two.taken.records, SizeIs(2));
  EXPECT_EQ(two.taken.of(kMd5).file_object, 0U) << "two hashes of one kind are two files";
}

TEST(Misp, CountsWhatItDoesNotCarryByType) {
  const Outcome outcome = read_as("x.json", vector_file("event.misp.json"));
  ASSERT_THAT(outcome.taken.notices, SizeIs(2));
  EXPECT_THAT(outcome.taken.notices[0].why, HasSubstr("2 attributes of type \"comment\""));
  EXPECT_THAT(outcome.taken.notices[1].why, HasSubstr("1 attribute of type \"ssdeep\""));
}

TEST(Misp, ReadsAllWrappingsOfAnEvent) {
  const std::string attribute = R"("Attribute":[{"type":"domain","value":"evil.example.com"}])";
  for (const std::string& text : {
           "{\"Event\":{" + attribute + "}}",
           "[{\"Event\":{" + attribute + "}}]",
           "{\"response\":[{\"Event\":{" + attribute + "}}]}",
           "{\"response\":{\"Event\":{" + attribute + "}}}",
           "{\"response\":{" + attribute + "}}",
           "{" + attribute + "}",
           "\xef\xbb\xbf {\"Event\":{" + attribute + "}}\n",
       }) {
    const Outcome outcome = read_as("x.json", text);
    EXPECT_EQ(error_text(outcome), "") << text;
    EXPECT_THAT(outcome.taken.values(), ElementsAre("domain evil.example.com")) << text;
  }
}

TEST(Misp, FailsWithThePathOfWhatIsWrong) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {R"({"Event":{"Attribute":[{"type":"domain","value":"evil.example.com"},{"type":"ip-dst","value":"203.0.113.999"}]}})",
       "$.Event.Attribute[1].value"},
      {R"({"response":[{"Event":{"Attribute":[]}},{"Event":{"Object":[{"Attribute":[{"type":"md5","value":"x"}]}]}}]})",
       "$.response[1].Event.Object[0].Attribute[0].value"},
      {R"({"Event":{"Attribute":[{"type":"domain"}]}})", "$.Event.Attribute[0]: An attribute with"},
      {R"({"Event":{"Attribute":[{"type":"filename|md5","value":"only-one"}]}})", "two joined by"},
      {R"({"Event":{"Attribute":[{"type":"domain",}]}})", "$.Event: This is not valid JSON"},
      {R"({"Event":{"Attribute":[)", "ends where"},
      {R"({"nothing":1})", "no \"Event\""},
      {R"(17)", "an object"},
  };
  for (const auto& [text, expected] : cases) {
    const Outcome outcome = read_as("x.json", text, as_format(Format::misp));
    ASSERT_FALSE(outcome.format) << text;
    EXPECT_EQ(outcome.format.error().code, Errc::format);
    EXPECT_THAT(outcome.format.error().text(), HasSubstr(expected)) << text;
  }
}

TEST(Misp, LenientSkipsAttributesAndEvents) {
  const Outcome outcome = read_as(
      "x.json",
      R"({"response":[{"Event":{"Attribute":[{"type":"ip-dst","value":"x"},{"type":"ip-dst","value":"203.0.113.9"}]}},
    {"Event":{,}},{"Event":{"Attribute":[{"type":"ip-dst","value":"203.0.113.10"}]}}]})",
      lenient());
  ASSERT_EQ(error_text(outcome), "");
  EXPECT_THAT(outcome.taken.values(), ElementsAre("ipv4 203.0.113.9", "ipv4 203.0.113.10"));
  EXPECT_THAT(outcome.taken.notices, SizeIs(2));
}

TEST(Misp, RefusesDeepNestingWithoutRecursing) {
  for (const std::string& text : {std::string(100'000, '['), R"({"Event":)" + std::string(100'000, '['), [] {
                                    std::string deep;
                                    for (int i = 0; i < 100'000; ++i) deep += R"({"response":)";
                                    return deep;
                                  }()}) {
    EXPECT_FALSE(read_as("x.json", text, as_format(Format::misp)).format);
  }
}

class MispFeed : public testing::Test {
 protected:
  static constexpr std::string_view kUuid = "00000000-0000-4000-8000-000000000001";
  static constexpr std::string_view kOther = "00000000-0000-4000-8000-000000000002";

  Outcome import(const ReadOptions& options = {}) const {
    Outcome outcome;
    SilentProgress progress;
    outcome.format = read(folder_.path(), options, outcome.taken, progress);
    return outcome;
  }
  static std::string event(std::string_view domain) {
    return R"({"Event":{"Attribute":[{"type":"domain","value":")" + std::string(domain) + "\"}]}}";
  }

  TemporaryFolder folder_;
};

TEST_F(MispFeed, ReadsTheEventsOfTheManifest) {
  folder_.write("manifest.json",
                "{\"" + std::string(kOther) + "\":{\"info\":\"b\"},\"" + std::string(kUuid) + "\":{}}");
  folder_.write(std::string(kUuid) + ".json", event("a.example.com"));
  folder_.write(std::string(kOther) + ".json", event("b.example.com"));
  folder_.write("hashes.csv", "not read");
  const Outcome outcome = import();
  ASSERT_EQ(error_text(outcome), "");
  EXPECT_EQ(*outcome.format, Format::misp);
  EXPECT_THAT(outcome.taken.values(), ElementsAre("domain a.example.com", "domain b.example.com"));
}

TEST_F(MispFeed, FailsAtAMissingOrDamagedEventAndLenientlyGoesOn) {
  folder_.write("manifest.json", "{\"" + std::string(kUuid) + "\":{},\"" + std::string(kOther) + "\":{}}");
  folder_.write(std::string(kOther) + ".json", event("b.example.com"));
  const Outcome missing = import();
  ASSERT_FALSE(missing.format);
  EXPECT_THAT(missing.format.error().text(), HasSubstr(std::string(kUuid) + ".json"));
  folder_.write(std::string(kUuid) + ".json", "{\"Event\":");
  EXPECT_FALSE(import().format);
  const Outcome rest = import(lenient());
  ASSERT_EQ(error_text(rest), "");
  EXPECT_THAT(rest.taken.values(), ElementsAre("domain b.example.com"));
  EXPECT_THAT(rest.taken.notices, SizeIs(1));
}

TEST_F(MispFeed, OpensNoFileOutsideItsFolder) {
  for (std::string_view name :
       {"../../etc/passwd", "/etc/passwd", "..", "", "00000000-0000-4000-8000-00000000000/", "manifest"}) {
    folder_.write("manifest.json", "{\"" + std::string(name) + "\":{}}");
    const Outcome outcome = import(lenient());
    ASSERT_FALSE(outcome.format) << name;
    EXPECT_THAT(outcome.format.error().message, HasSubstr("UUID was expected"));
  }
}

TEST_F(MispFeed, RefusesAFolderWithoutAManifest) {
  const Outcome outcome = import();
  ASSERT_FALSE(outcome.format);
  EXPECT_THAT(outcome.format.error().message, HasSubstr("manifest.json"));
}

}  // namespace
}  // namespace parley::formats
