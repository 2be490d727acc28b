// Nothing readable about the material stands on the disk: not in the files of a vault at rest, not in its log in the
// middle of an import or after its owner was killed, not in the temporary files of a large sort.
#include <fcntl.h>
#include <fmt/format.h>

#include "testing.h"
#include "vault/detail/sqlite.h"

namespace parley::vault {
namespace {

using indicator::LabelKind;
using indicator::Type;

constexpr const char* kDistinctive[] = {
    "xylophone-quagmire.example", "zugzwang-report.csv",  "Gwyllion-Bear",     "kumquat-label",   "jabberwock-setting",
    "peer-of-brobdingnag",        "session-of-the-snark", "the-boojum-secret", "SQLite format 3", "CREATE TABLE"};

std::string utf16(std::string_view text, bool big_endian) {
  std::string wide;
  for (const char c : text) wide += big_endian ? std::string{'\0', c} : std::string{c, '\0'};
  return wide;
}

/// No distinctive word, in UTF-8 or UTF-16 of either order; nor in another case.
void expect_nothing_readable(const std::string& name, std::string content) {
  std::ranges::transform(content, content.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  for (const std::string_view written : kDistinctive) {
    std::string word(written);
    std::ranges::transform(word, word.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    for (const std::string& form : {word, utf16(word, false), utf16(word, true)}) {
      EXPECT_EQ(content.find(form), std::string::npos) << written << " stands in " << name;
    }
  }
}

void expect_nothing_readable(const std::filesystem::path& folder) {
  for (const auto& [name, content] : contents(folder)) {
    expect_nothing_readable(name, name);
    expect_nothing_readable(name, std::string(as_text(content)));
  }
}

Status put_everything(Vault& vault) {
  indicator::Context context;
  context.labels = {{LabelKind::actor, "Gwyllion-Bear"}};
  TRY(const auto summary, import_records(vault, {"zugzwang-report.csv", "csv", {"kumquat-label"}, {}},
                                         {{Type::domain, "xylophone-quagmire.example", context}}));
  static_cast<void>(summary);
  TRY_STATUS(vault.put_setting("jabberwock-setting", "jabberwock-setting"));
  TRY_STATUS(vault.put_secret("the-boojum-secret", as_bytes("the-boojum-secret")));
  TRY_STATUS(vault.add_peer({"peer-of-brobdingnag", "card of peer-of-brobdingnag", "a:1", 1}));
  TRY_STATUS(vault.add_warning_list({"kumquat-label", indicator::WarningMatch::exact, {"xylophone-quagmire.example"}}));
  const SessionRow session{
      "00112233445566778899aabbccddeeff", "peer-of-brobdingnag", true, "done", "session-of-the-snark", "{}", 1, 1};
  const SessionMatch match{canonical(Type::domain, "xylophone-quagmire.example"), 1, 0, "Gwyllion-Bear", "", "", {}};
  return vault.save_result(session, {{SessionStep{"a", "session.done", "session-of-the-snark"}}}, {{match}});
}

TEST(Secrecy, HoldsForAVaultAtRest) {
  const TestVault test;
  {
    ASSERT_OK(put_everything(*test.open()));
  }
  expect_nothing_readable(test.folder().path());
  EXPECT_EQ(items(*test.open()).front().indicator.value(), "xylophone-quagmire.example") << "but it is there";
}

TEST(Secrecy, HoldsWhileTheVaultIsOpenAndItsLogIsFull) {
  const TestVault test;
  const auto vault = test.open();
  ASSERT_OK(put_everything(*vault));
  ASSERT_GT(std::filesystem::file_size(test.folder() / "vault.db-wal"), 10000U);
  expect_nothing_readable(test.folder().path());
}

TEST(Secrecy, HoldsAfterItsOwnerWasKilled) {
  const TestVault test;
  in_child([&] {
    const auto vault = test.try_open();
    static_cast<void>(put_everything(**vault).has_value());
    die();
  });
  ASSERT_GT(std::filesystem::file_size(test.folder() / "vault.db-wal"), 10000U);
  expect_nothing_readable(test.folder().path());
  EXPECT_EQ(items(*test.open()).size(), 1U);
}

TEST(Secrecy, HoldsInTheMiddleOfAnImportThatWasKilledWhenItsLogHadGrown) {
  const TestVault test;
  in_child([&] {
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    const auto vault = test.try_open();
    std::vector<TestRecord> records;
    for (int i = 0; i < 30000; ++i)
      records.push_back({Type::domain, fmt::format("{}.xylophone-quagmire.example", i), {}, 0});
    const rlimit size{1500000, 1500000};  // the kernel kills where the log reaches this size
    ::setrlimit(RLIMIT_FSIZE, &size);
    static_cast<void>(
        import_records(**vault, {"zugzwang-report.csv", "csv", {"kumquat-label"}, {}}, records).has_value());
    ::_exit(0);
  });
  ASSERT_GT(std::filesystem::file_size(test.folder() / "vault.db-wal"), 1000000U);
  expect_nothing_readable(test.folder().path());
  EXPECT_TRUE(items(*test.open()).empty());
}

/// Temporary files have no name once they are open; the process still holds them.
std::vector<std::string> open_temporary_files() {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const std::string target = std::filesystem::read_symlink(entry.path(), gone).string();
    if (gone || target.find("vault.tmp-") == std::string::npos) continue;
    found.emplace_back(as_text(read_whole(entry.path())));
  }
  return found;
}

TEST(Secrecy, HoldsForTemporaryFilesWhichAreSealedAndHaveNoName) {
  const TemporaryFolder folder;
  write_whole(folder / "vault.db", {});
  auto vfs = detail::SealedVfs::make(folder.path(), random_secret<32>());
  ASSERT_OK(vfs);
  auto opened = detail::Connection::open(std::move(*vfs), folder / "vault.db", true);
  ASSERT_OK(opened);
  detail::Connection& connection = **opened;
  // A temporary table, an index on it and a sort, all far beyond the cache.
  ASSERT_OK(
      connection.execute("PRAGMA cache_size=50; PRAGMA temp.cache_size=50; CREATE TEMP TABLE t(a TEXT, b INTEGER);"
                         "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000) "
                         "INSERT INTO t SELECT 'xylophone-quagmire.example ' || (i * 7919 % 40009), i FROM n;"
                         "CREATE INDEX temp.ta ON t(a)"));
  auto sort = connection.prepare("SELECT a, b FROM t ORDER BY a || 'x', b");
  ASSERT_OK(sort);
  std::string before;
  std::size_t rows = 0;
  bool ascending = true;
  std::size_t temporary_bytes = 0;
  for (;;) {
    const auto row = sort->step();
    ASSERT_OK(row);
    if (!*row) break;
    const std::string value = std::string(sort->text(0)) + 'x';
    ascending = ascending && before <= value;
    before = value;
    if (++rows != 1) continue;
    for (const std::string& content : open_temporary_files()) {
      temporary_bytes += content.size();
      expect_nothing_readable("a temporary file", content);
    }
  }
  EXPECT_EQ(rows, 40000U);
  EXPECT_TRUE(ascending) << "what was written comes back";
  EXPECT_GT(temporary_bytes, 1000000U);
  EXPECT_EQ(connection.integer("SELECT count(DISTINCT a) FROM t").value(), 40000);
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    EXPECT_FALSE(entry.path().filename().string().starts_with("vault.tmp-")) << entry.path();
  }
}

}  // namespace
}  // namespace parley::vault
