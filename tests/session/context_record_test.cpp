// What of a member's context is committed to, and what never leaves.
#include "session/context_record.h"

#include <gtest/gtest.h>

namespace parley::session {
namespace {

vault::SourceContext source(std::string name, std::optional<indicator::Tlp> tlp) {
  vault::SourceContext source;
  source.source = std::move(name);
  source.context.tlp = tlp;
  return source;
}

std::string field(const ContextRecord& record, std::string_view path) {
  return log::write_pjson(record.fields[*field_index(path)]);
}

TEST(ContextRecord, HasItsPathsInAscendingOrderAsTheCommitmentNeedsThem) {
  for (std::size_t i = 0; i < kFieldPaths.size(); ++i) {
    EXPECT_EQ(field_index(kFieldPaths[i]), i);
    if (i > 0) {
      EXPECT_LT(kFieldPaths[i - 1], kFieldPaths[i]);
    }
  }
  EXPECT_EQ(field_index("victim"), std::nullopt);
}

// A file's name is any bytes; a record of it is signed and read by the other side.
TEST(ContextRecord, SpellsOutWhatCannotBeSignedOrWouldDeceive) {
  const ContextRecord record = context_record(
      std::vector{source("report-\xff.csv", indicator::Tlp::green), source("\u202evsc.exe", indicator::Tlp::green)});
  EXPECT_EQ(field(record, "source"), R"(["report-\\xff.csv","\\u{202e}vsc.exe"])");
}

TEST(ContextRecord, MergesWhatAllSourcesSay) {
  vault::SourceContext first = source("a.csv", indicator::Tlp::green), second = source("b.json", indicator::Tlp::amber);
  first.context.first_seen = 100;
  first.context.last_seen = 200;
  first.context.sightings = 2;
  first.context.labels = {{indicator::LabelKind::malware, "Sednit"}};
  second.context.first_seen = 50;
  second.context.last_seen = 150;
  second.context.sightings = 3;
  second.context.confidence = 80;
  second.context.labels = {{indicator::LabelKind::malware, "XAgent"}};
  const ContextRecord record = context_record(std::vector{first, second});
  EXPECT_EQ(field(record, "first_seen"), "\"1970-01-01T00:00:50Z\"");
  EXPECT_EQ(field(record, "last_seen"), "\"1970-01-01T00:03:20Z\"");
  EXPECT_EQ(field(record, "sightings"), "5");
  EXPECT_EQ(field(record, "confidence"), "80");
  EXPECT_EQ(field(record, "malware"), "[\"Sednit\",\"XAgent\"]");
  EXPECT_EQ(field(record, "source"), "[\"a.csv\",\"b.json\"]");
}

TEST(ContextRecord, CarriesTheStrictestMarkOfItsSources) {
  EXPECT_EQ(
      context_record(std::vector{source("a", indicator::Tlp::clear), source("b", indicator::Tlp::amber_strict)}).tlp,
      indicator::Tlp::amber_strict);
}

TEST(ContextRecord, TreatsUnmarkedMaterialAsAmber) {
  EXPECT_EQ(context_record(std::vector{source("a", std::nullopt)}).tlp, indicator::Tlp::amber);
}

TEST(ContextRecord, NeverTakesInWhatATlpRedSourceSays) {
  vault::SourceContext red = source("secret-informant.csv", indicator::Tlp::red);
  red.context.labels = {{indicator::LabelKind::actor, "secret actor"}};
  const ContextRecord record = context_record(std::vector{source("public.csv", indicator::Tlp::clear), red});
  EXPECT_EQ(log::write_pjson(to_json(record)).find("secret"), std::string::npos);
  EXPECT_EQ(record.tlp, indicator::Tlp::clear);
}

TEST(ContextRecord, IsEmptyAndRedWhenEverySourceIsRed) {
  const ContextRecord record =
      context_record(std::vector{source("a", indicator::Tlp::red), source("b", indicator::Tlp::red)});
  EXPECT_EQ(record.tlp, indicator::Tlp::red);
  EXPECT_EQ(log::write_pjson(to_json(record)), "{}");
}

TEST(ContextRecord, CutsALongListAndSaysSo) {
  vault::SourceContext many = source("a", indicator::Tlp::green);
  for (int i = 0; i < 500; ++i)
    many.context.labels.push_back({indicator::LabelKind::label, "label " + std::to_string(i)});
  const ContextRecord record = context_record(std::vector{many});
  const auto& labels = *record.fields[*field_index("label")].array();
  EXPECT_EQ(labels.size(), kMaxFieldEntries + 1);
  EXPECT_EQ(labels.back(), log::Json("(more)"));
}

TEST(ContextRecord, KeepsEveryFieldWithinItsLimitWhateverTheSourcesSay) {
  vault::SourceContext wide = source("a", indicator::Tlp::green);
  for (int i = 0; i < 60; ++i)
    wide.context.labels.push_back({indicator::LabelKind::label, std::string(300, '\x01') + std::to_string(i)});
  const ContextRecord record = context_record(std::vector{wide});
  for (std::size_t i = 0; i < kFieldPaths.size(); ++i)
    EXPECT_LE(log::write_pjson(record.fields[i]).size(), kMaxFieldBytes);
}

}  // namespace
}  // namespace parley::session
