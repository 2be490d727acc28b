// The demonstration material: made from facts by a script, the same bytes each time, with the overlap that the facts
// have.
#include <cstdlib>

#include "formats/testing.h"
#include "formats/warning_list_file.h"

namespace parley::formats {
namespace {

using indicator::LabelKind;
using ::testing::ElementsAre;
using ::testing::SizeIs;
using Values = std::set<std::string>;

const std::filesystem::path kSource = PARLEY_SOURCE;
const std::filesystem::path kExamples = kSource / "examples";

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// What a command prints.
std::string output_of(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  std::string out;
  char buffer[4096];
  while (const std::size_t got = std::fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, got);
  EXPECT_EQ(::pclose(pipe), 0) << command;
  return out;
}

Taken import(const std::vector<std::string>& names) {
  Taken all;
  SilentProgress progress;
  for (const std::string& name : names) {
    const auto format = read(kExamples / name, {}, all, progress);
    EXPECT_TRUE(format) << format.error().text();
  }
  return all;
}

Values lines_of(const Taken& taken) {
  Values lines;
  for (const Record& r : taken.records)
    lines.insert(std::string(indicator::name_of(r.indicator.type())) + '\t' + r.indicator.value() + '\n');
  return lines;
}

std::string joined(const Values& lines) {
  std::string out;
  for (const std::string& line : lines) out += line;
  return out;
}

constexpr std::string_view kShared =
    "ipv4\t185.86.149.223\nipv4\t31.220.43.99\nipv4\t69.12.73.174\nipv4\t89.32.40.4\nipv4\t92.114.92.125\n";

TEST(Examples, AreWhatTheScriptMakesOfTheFacts) {
  const TemporaryFolder folder;
  output_of("python3 -B " + (kSource / "tools/make_examples.py").string() + " --out " + folder.path().string());
  int files = 0;
  for (const auto& made : std::filesystem::recursive_directory_iterator(folder.path())) {
    if (!made.is_regular_file()) continue;
    const auto name = std::filesystem::relative(made.path(), folder.path());
    EXPECT_EQ(content_of(made.path()), content_of(kExamples / name)) << name;
    ++files;
  }
  EXPECT_EQ(files, 4);
}

TEST(Examples, HaveTheOverlapThatAnIndependentScriptComputes) {
  const std::string overlap = "python3 -B " + (kSource / "tools/overlap.py").string() + " ";
  EXPECT_EQ(output_of(overlap + (kExamples / "facts/us-cert.tsv").string() + " " +
                      (kExamples / "facts/eset-sednit.tsv").string()),
            kShared);
  const TemporaryFolder folder;
  const auto us_cert = folder.write("us-cert.tsv", joined(lines_of(import({"us-cert.csv"}))));
  const auto eset =
      folder.write("eset.tsv", joined(lines_of(import({"eset-sednit.misp.json", "eset-sednit-report.md"}))));
  EXPECT_EQ(output_of(overlap + us_cert.string() + " " + eset.string()), kShared);
}

TEST(Examples, GiveEveryFactAndNothingElse) {
  const std::pair<std::string_view, std::vector<std::string>> members[] = {
      {"us-cert.tsv", {"us-cert.csv"}}, {"eset-sednit.tsv", {"eset-sednit.misp.json", "eset-sednit-report.md"}}};
  for (const auto& [facts, files] : members) {
    const Taken taken = import(files);
    EXPECT_THAT(taken.notices, SizeIs(0)) << facts;
    Values expected;
    std::ifstream table(kExamples / "facts" / facts);
    for (std::string line; std::getline(table, line);) {
      if (line.starts_with('#') || line.starts_with("type\t")) continue;
      const std::size_t tab = line.find('\t');
      const std::size_t end = line.find('\t', tab + 1);
      const auto value =
          indicator::canonicalise(*indicator::type_named(line.substr(0, tab)), line.substr(tab + 1, end - tab - 1));
      ASSERT_TRUE(value) << line;
      expected.insert(std::string(indicator::name_of(value->type())) + '\t' + value->value() + '\n');
    }
    EXPECT_EQ(joined(lines_of(taken)), joined(expected)) << facts;
  }
}

TEST(Examples, CarryDateMarkingAndLabels) {
  const Taken us_cert = import({"us-cert.csv"});
  const Taken eset = import({"eset-sednit.misp.json"});
  for (const Taken* member : {&us_cert, &eset}) {
    for (const Record& record : member->records) {
      EXPECT_TRUE(record.context.first_seen) << record.indicator.value();
      EXPECT_EQ(record.context.tlp, indicator::Tlp::clear) << record.indicator.value();
      EXPECT_FALSE(record.context.labels.empty()) << record.indicator.value();
    }
  }
  EXPECT_THAT(eset.of("31.220.43.99").context.labels,
              ElementsAre(label(LabelKind::actor, "Sednit"), label(LabelKind::malware, "XAGENT")));
}

TEST(Examples, TieTheHashesOfAFile) {
  const Taken us_cert = import({"us-cert.csv"});
  const auto md5 = us_cert.of("8f154d23ac2071d7f179959aaba37ad5").file_object;
  EXPECT_NE(md5, 0U);
  EXPECT_EQ(us_cert.of("8ccaa941af229cf57a0a97327d99a46f989423f0").file_object, md5);
  const Taken eset = import({"eset-sednit.misp.json"});
  EXPECT_EQ(eset.of("ea553c3de3fffbfa047e8e0eb2557b8b").file_object,
            eset.of("7768fd2812ceff05db8f969a7bed1de5615bfc5a").file_object);
}

TEST(Examples, HoldTheTorRelaysAmongTheUsCertAddressesAndNoneOfTheShared) {
  const auto list = read_warning_list(kExamples / "warninglists/tor-relays.json");
  ASSERT_TRUE(list);
  EXPECT_THAT(list->entries, SizeIs(25));
  const Values us_cert = lines_of(import({"us-cert.csv"}));
  for (const std::string& entry : list->entries) {
    EXPECT_TRUE(us_cert.contains("ipv4\t" + entry + "\n")) << entry;
    EXPECT_EQ(kShared.find("\t" + entry + "\n"), std::string_view::npos) << entry;
  }
}

}  // namespace
}  // namespace parley::formats
