// The publishers' own files, where PARLEY_FOREIGN_DATA names a folder that has them (its INDEX.md tells which, and how
// the canonical lists and true overlaps beside them were made). Only network, hash and e-mail values are compared
// there, and of a URL its host.
#include <array>
#include <cstdlib>

#include "formats/testing.h"

namespace parley::formats {
namespace {

using indicator::Type;
using Values = std::set<std::string>;

constexpr std::array<std::string_view, 9> kMembers = {"uscert",  "eset",   "qianxin",       "citizenlab", "unit42",
                                                      "fireeye", "tr1adx", "threatconnect", "trendmicro"};

class ForeignData : public testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("PARLEY_FOREIGN_DATA");
    if (folder == nullptr) GTEST_SKIP() << "PARLEY_FOREIGN_DATA is not set";
    demo_ = std::filesystem::path(folder) / "demo";
  }

  static std::string host_of(std::string_view url) {
    const std::size_t begin = url.find("://") + 3;
    return std::string(url.substr(begin, url.find_first_of(":/?#", begin) - begin));
  }

  static void add(const Record& record, Values& values) {
    const Type type = record.indicator.type();
    const bool compared = indicator::is_hash(type) || type == Type::ipv4 || type == Type::domain || type == Type::email;
    if (compared) values.insert(std::string(indicator::name_of(type)) + '\t' + record.indicator.value());
    if (type != Type::url) return;
    const auto host = indicator::canonicalise(Type::domain, host_of(record.indicator.value()));
    if (host) values.insert(std::string(indicator::name_of(host->type())) + '\t' + host->value());
  }

  Values import(const std::filesystem::path& path) const {
    Taken taken;
    SilentProgress progress;
    const auto format = read(path, {}, taken, progress);
    EXPECT_TRUE(format) << format.error().text();
    Values values;
    for (const Record& record : taken.records) add(record, values);
    return values;
  }

  /// Everything that a member published, except what repeats it in a format that parley does not read (STIX 1).
  Values import_member(std::string_view member) const {
    Values all;
    for (const auto& file : std::filesystem::directory_iterator(demo_ / member)) {
      const std::string name = file.path().filename().string();
      if (name == "LICENSE" || name.ends_with(".xml")) continue;
      all.merge(import(file.path()));
    }
    return all;
  }

  static Values lines_of(const std::filesystem::path& path) {
    Values lines;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) lines.insert(line);
    return lines;
  }
  Values canon(std::string_view member) const { return lines_of(demo_ / "canon" / (std::string(member) + ".tsv")); }

  static Values minus(const Values& a, const Values& b) {
    Values out;
    std::ranges::set_difference(a, b, std::inserter(out, out.end()));
    return out;
  }

  std::filesystem::path demo_;
};

/// What a canonical list has that is no indicator: names of detections ("Win32/Sednit.AR") that look like domains, and
/// a name out of a licence text.
bool is_fault_of_list(std::string_view member, const std::string& line) {
  if (member == "fireeye") return line == "domain\twww.apache.org";
  return member == "eset" && (line.starts_with("domain\tsednit.") || line.starts_with("domain\tagent."));
}

/// What a canonical list leaves out: names whose last label is also the suffix of a file (.pl, .name), and all columns
/// but the first of a Markdown table.
bool is_gap_of_list(std::string_view member, const std::string& line) {
  return member == "qianxin" || (line.starts_with("domain\t") && (line.ends_with(".pl") || line.ends_with(".name")));
}

TEST_F(ForeignData, GivesTheCanonicalListOfEachMember) {
  for (const auto member : kMembers) {
    const Values found = import_member(member);
    ASSERT_FALSE(canon(member).empty()) << member;
    for (const std::string& line : minus(canon(member), found))
      EXPECT_TRUE(is_fault_of_list(member, line)) << member << " misses " << line;
    for (const std::string& line : minus(found, canon(member)))
      EXPECT_TRUE(is_gap_of_list(member, line)) << member << " has " << line;
  }
}

TEST_F(ForeignData, GivesTheTrueOverlapOfEachPair) {
  std::vector<Values> members;
  for (const auto member : kMembers) {
    const Values all = canon(member);
    Values found;
    for (const std::string& line : import_member(member)) {
      if (all.contains(line)) found.insert(line);
    }
    members.push_back(std::move(found));
  }
  std::size_t pairs = 0;
  for (std::size_t i = 0; i < kMembers.size(); ++i) {
    for (std::size_t j = i + 1; j < kMembers.size(); ++j) {
      const auto truth = demo_ / "truth" / (std::string(kMembers[i]) + "__" + std::string(kMembers[j]) + ".tsv");
      ASSERT_TRUE(std::filesystem::exists(truth)) << truth;
      Values shared;
      std::ranges::set_intersection(members[i], members[j], std::inserter(shared, shared.end()));
      EXPECT_EQ(shared, lines_of(truth)) << truth;
      ++pairs;
    }
  }
  EXPECT_EQ(pairs, 36U);
}

TEST_F(ForeignData, SaysThatTheTypeColumnOfTheUsCertFileIsWrongForNineteenHashes) {
  Taken taken;
  SilentProgress progress;
  ASSERT_TRUE(read(demo_ / "uscert" / "JAR-16-20296A.csv", {}, taken, progress));
  const auto corrected = [](const Notice& notice) { return notice.kind == Notice::Kind::corrected; };
  EXPECT_EQ(std::ranges::count_if(taken.notices, corrected), 19);
}

}  // namespace
}  // namespace parley::formats
