// Making and opening a vault: who gets in, who does not, and that whoever does not leaves no trace.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "base/encoding.h"
#include "tables.h"
#include "vault/detail/database.h"
#include "vault/detail/key_slots.h"

namespace parley::vault {
namespace {

TEST(Vault, OpensWithItsPassphraseAndRefusesAnotherWithoutTouchingAFile) {
  const TemporaryFolder folder;
  Unlock right;
  right.passphrase = passphrase("gooseberry fool");
  ASSERT_OK(Vault::create(folder.path(), right));
  const auto before = contents(folder.path());

  Unlock wrong;
  wrong.passphrase = passphrase("gooseberry fool ");
  EXPECT_FAILS(Vault::open(folder.path(), wrong), Errc::passphrase);
  EXPECT_EQ(contents(folder.path()), before);

  auto vault = Vault::open(folder.path(), right);
  ASSERT_OK(vault);
  EXPECT_OK((*vault)->put_setting("a", "b"));
}

TEST(Vault, RefusesAnotherKeyFileWithoutTouchingAFile) {
  const TestVault test;
  {
    EXPECT_OK(test.open()->put_setting("a", "b"));
  }
  const auto before = contents(test.folder().path());
  Unlock wrong;
  wrong.key_file = random_secret<32>();
  EXPECT_FAILS(Vault::open(test.folder().path(), wrong), Errc::passphrase);
  EXPECT_EQ(contents(test.folder().path()), before);
}

TEST(Vault, KeepsWhatItWasGivenFromOneOpeningToTheNext) {
  const TestVault test;
  {
    EXPECT_OK(test.open()->put_setting("colour", "green"));
  }
  const auto vault = test.open();
  EXPECT_EQ(vault->setting("colour").value(), "green");
  EXPECT_EQ(vault->setting("taste").value(), std::nullopt);
}

// SQLite leaves out the page at 1 GiB, where it would put its locks.
TEST(Vault, OpensWhenItHasGrownPastOneGibibyte) {
  constexpr std::size_t kValueBytes = std::size_t{32} << 20;
  const TestVault test;
  const std::string value(kValueBytes, 'x');
  {
    const auto vault = test.open();
    for (int i = 0; i < 33; ++i) ASSERT_OK(vault->put_setting(fmt::format("large {}", i), value));
  }
  ASSERT_GT(std::filesystem::file_size(test.folder().path() / "vault.db"), std::uintmax_t{1} << 30);
  const auto vault = Vault::open(test.folder().path(), test.unlock());
  ASSERT_OK(vault);
  EXPECT_EQ((*vault)->setting("large 32"), value);
}

TEST(Vault, IsNotThereInAnEmptyFolderOrANonexistentOne) {
  const TemporaryFolder folder;
  Unlock unlock;
  unlock.key_file = random_secret<32>();
  EXPECT_FAILS(Vault::open(folder.path(), unlock), Errc::not_found);
  EXPECT_TRUE(contents(folder.path()).empty());
  EXPECT_FAILS(Vault::open(folder / "no-such-folder", unlock), Errc::not_found);
  EXPECT_FAILS(Vault::create(folder / "no-such-folder", unlock), Errc::io);
}

TEST(Vault, IsNeverMadeOverAnother) {
  const TestVault test;
  const auto before = contents(test.folder().path());
  EXPECT_FAILS(Vault::create(test.folder().path(), test.unlock()), Errc::exists);
  EXPECT_EQ(contents(test.folder().path()), before);

  std::filesystem::remove(test.folder() / "vault.hdr");  // its owner may have a copy of it
  EXPECT_FAILS(Vault::create(test.folder().path(), test.unlock()), Errc::exists);
  EXPECT_TRUE(std::filesystem::exists(test.folder() / "vault.db"));
}

TEST(Vault, LeavesNothingWhenItCannotBeMade) {
  const TemporaryFolder folder;
  EXPECT_FAILS(Vault::create(folder.path(), Unlock{}), Errc::usage);
  EXPECT_FALSE(std::filesystem::exists(folder / "vault.db"));
  EXPECT_FALSE(std::filesystem::exists(folder / "vault.hdr"));
}

TEST(Vault, MakesItsFilesForItsOwnerOnlyWhateverTheUmask) {
  const mode_t before = ::umask(0);
  const TestVault test;
  const auto vault = test.open();
  EXPECT_OK(vault->put_setting("a", "b"));
  ::umask(before);
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(test.folder().path())) {
    struct stat info{};
    ASSERT_EQ(::stat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 4U) << "vault.hdr, vault.db, vault.db-wal, vault.lock";
}

TEST(Vault, RefusesAHeaderThatOthersCanRead) {
  const TestVault test;
  for (const unsigned mode : {0640U, 0604U, 0660U, 0644U}) {
    ASSERT_EQ(::chmod((test.folder() / "vault.hdr").c_str(), mode), 0);
    EXPECT_FAILS(test.try_open(), Errc::key_permissions);
  }
}

TEST(Vault, DerivesADifferentKeyForEachUseAndTheSameOneEachTime) {
  const TestVault test;
  std::vector<std::string> keys;
  constexpr Subkey kUses[] = {
      Subkey::rows,        Subkey::blind_index, Subkey::files, Subkey::backup_manifest, Subkey::session_secrets,
      Subkey::member_keys, Subkey::pages};
  {
    const auto vault = test.open();
    for (const Subkey use : kUses) keys.push_back(to_hex(vault->subkey(use).expose()));
  }
  const auto vault = test.open();
  for (std::size_t i = 0; i < std::size(kUses); ++i) {
    EXPECT_EQ(to_hex(vault->subkey(kUses[i]).expose()), keys[i]);
    EXPECT_EQ(std::ranges::count(keys, keys[i]), 1);
  }
}

TEST(VaultLock, KeepsASecondOwnerInTheSameProcessOutAndNamesTheFirst) {
  const TestVault test;
  auto first = test.open();
  const auto second = test.try_open();
  ASSERT_FAILS(second, Errc::vault_locked);
  EXPECT_NE(second.error().message.find(std::to_string(::getpid())), std::string::npos);
  first.reset();
  EXPECT_OK(test.try_open());
}

TEST(VaultLock, KeepsAnotherProcessOutAndNamesTheOwner) {
  const TestVault test;
  int ready[2];
  int finish[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(finish), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(finish[1]);
    auto vault = test.try_open();
    char byte = vault ? 'y' : 'n';
    static_cast<void>(::write(ready[1], &byte, 1) == 1);
    static_cast<void>(::read(finish[0], &byte, 1) == 1);  // until the parent closes its end
    vault = std::unexpected(Error{});
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  const auto before = contents(test.folder().path());
  const auto second = test.try_open();
  ASSERT_FAILS(second, Errc::vault_locked);
  EXPECT_NE(second.error().message.find(std::to_string(child)), std::string::npos);
  EXPECT_EQ(contents(test.folder().path()), before);
  for (const int end : {ready[0], ready[1], finish[0], finish[1]}) ::close(end);
  ::waitpid(child, nullptr, 0);
  EXPECT_OK(test.try_open());
}

TEST(VaultLock, EndsWithItsProcessHoweverThatEnds) {
  const TestVault test;
  in_child([&] {
    const auto vault = test.try_open();
    die();
  });
  EXPECT_GT(read_whole(test.folder() / "vault.lock").size(), 0U) << "the dead owner's number is still there";
  EXPECT_OK(test.try_open());
}

TEST(Vault, InAFolderThatItsUserCannotWriteFailsWithASentenceAndStaysAsItWas) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs another user to be";
  const TestVault test;
  {
    EXPECT_OK(test.open()->put_setting("a", "b"));
  }
  constexpr uid_t kNobody = 65534;
  for (const auto& entry : std::filesystem::directory_iterator(test.folder().path())) {
    ASSERT_EQ(::chown(entry.path().c_str(), kNobody, kNobody), 0);
  }
  ASSERT_EQ(::chmod(test.folder().path().c_str(), 0555), 0);
  const auto before = contents(test.folder().path());
  const int status = in_child([&] {
    if (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0) ::_exit(2);
    auto vault = test.try_open();
    const auto outcome = vault ? (*vault)->put_setting("c", "d") : std::unexpected(vault.error());
    ::_exit(!outcome && outcome.error().code == Errc::io && outcome.error().message.ends_with('.') ? 0 : 1);
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(contents(test.folder().path()), before);
}

constexpr std::string_view kWithoutGroups =
    "DROP TABLE operator_log; DROP TABLE sealed_files; DROP TABLE cases; DROP TABLE case_files; DROP TABLE custody; "
    "DROP TABLE admission_epochs; DROP TABLE admission_tags; DROP TABLE admission_batches; DROP TABLE "
    "admission_batch_items; DROP TABLE admission_answers; DROP TABLE admission_read; DROP TABLE admission_keys; "
    "DROP TABLE admission_counts; DROP TABLE admission_helpers; DROP TABLE admission_fixed; DROP TABLE "
    "admission_canaries; DROP TABLE admission_canary_sets; DROP INDEX "
    "sessions_by_group; DROP INDEX "
    "sessions_by_peer; DROP TABLE groups; DROP TABLE charters; DROP TABLE "
    "group_papers; DROP TABLE group_material; "
    "DROP TABLE invitations; ALTER TABLE peers DROP COLUMN confirmed; ALTER TABLE sessions DROP COLUMN group_id; ";

constexpr std::string_view kBodiesByCommitment =
    "DROP TABLE log_bodies; CREATE TABLE log_bodies(commitment BLOB PRIMARY KEY, salt BLOB NOT NULL, content BLOB NOT "
    "NULL) WITHOUT ROWID; ";

constexpr std::string_view kWithoutArrivals = "ALTER TABLE log_cosignatures DROP COLUMN arrived; ";

// As it was when there was a joint log and no group.
TEST(Vault, OfTheSecondTableVersionIsBroughtUpToDateAndKeepsItsPeersAndSessions) {
  const TestVault test;
  {
    const auto vault = test.open();
    ASSERT_TRUE(vault->add_peer({"beta", "card", "a:1", 5}).has_value());
    SessionRow session;
    session.id = std::string(32, 'a');
    session.peer = "beta";
    ASSERT_OK(vault->save_session(session, {}));
  }
  execute_in(test, std::string(kWithoutGroups) + std::string(kWithoutArrivals) + std::string(kBodiesByCommitment) +
                       "PRAGMA user_version=2");
  const auto vault = test.open();
  EXPECT_EQ(vault->peer("beta")->card, "card");
  EXPECT_EQ(vault->peer("beta")->confirmed, 0) << "nobody has compared its fingerprint";
  EXPECT_EQ(vault->session(std::string(32, 'a'))->group, "") << "it was of a pair without a charter";
  EXPECT_TRUE(vault->groups()->empty());
}

// As it was when one key served all types of an epoch: tags stay, and the logs are read again for the keys.
TEST(Vault, OfTheSixthTableVersionIsBroughtUpToDateAndKeepsWhatWasAdmitted) {
  const TestVault test;
  const std::string group(32, 'a');
  AdmissionCount count{.helper = "bravo", .owner = "alpha", .count = 7};
  count.entry[0] = std::byte{1};
  ASSERT_OK(test.open()->note_admissions(group, "log", 5, {}, std::vector{count}));
  execute_in(
      test,
      std::string(kWithoutArrivals) + std::string(kBodiesByCommitment) +
          "DROP TABLE operator_log; DROP TABLE admission_fixed; DROP TABLE admission_canaries; DROP TABLE "
          "admission_canary_sets; DROP TABLE "
          "admission_keys; CREATE TABLE admission_keys(group_id TEXT); "
          "ALTER TABLE admission_counts DROP COLUMN sample; ALTER TABLE admission_helpers DROP COLUMN bad_answers; "
          "ALTER TABLE admission_helpers DROP COLUMN bad_answers_at; ALTER TABLE admission_helpers DROP COLUMN "
          "bad_answers_why; PRAGMA user_version=6");
  const auto vault = test.open();
  EXPECT_EQ(*vault->admission_read_to("log"), 0u);
  EXPECT_EQ(*vault->admission_total(group, {}, "bravo", "alpha", indicator::Type::ipv4), 7);
  EXPECT_OK(vault->put_admission_helper(group, {.nick = "bravo", .bad_answers = 1}));
  EXPECT_EQ(vault->admission_helpers(group)->front().bad_answers, 1);
}

// As it was when nobody wrote down when a cosignature came: it counts from the time that it states.
TEST(Vault, OfTheEighthTableVersionIsBroughtUpToDateAndKeepsCosignatures) {
  const TestVault test;
  {
    const auto vault = test.open();
    ASSERT_OK(vault->begin_log({.origin = "a", .group = "b", .nick = "c", .checkpoint = {}}));
    LogGrowth growth;
    growth.origin = "a";
    growth.cosignatures.push_back({.size = 0, .cosigner = "bravo", .line = "line", .arrived = 7});
    ASSERT_OK(vault->grow_log(growth));
    EXPECT_EQ(vault->log_cosignatures("a", 0)->front().arrived, 7);
  }
  execute_in(test, std::string(kWithoutArrivals) + std::string(kBodiesByCommitment) + "PRAGMA user_version=8");
  const auto vault = test.open();
  ASSERT_EQ(vault->log_cosignatures("a", 0)->size(), 1u);
  EXPECT_EQ(vault->log_cosignatures("a", 0)->front().line, "line");
  EXPECT_EQ(vault->log_cosignatures("a", 0)->front().arrived, 0);
}

// As it was when a body was found by its commitment, which any author can repeat.
class OfTheNinthTableVersion : public testing::Test {
 protected:
  static constexpr std::uint8_t kOurs = 1, kForUs = 2, kForTwo = 3, kForOthers = 4, kForAll = 5;

  OfTheNinthTableVersion() {
    const auto vault = test_.open();
    for (const std::string nick : {"alpha", "bravo", "mallory"})
      EXPECT_OK(
          vault->begin_log({.origin = nick, .group = "group", .nick = nick, .own = nick == "alpha", .checkpoint = {}}));
    add(*vault, "alpha", kOurs, R"("bravo")");
    add(*vault, "mallory", kOurs, R"("alpha")");
    add(*vault, "bravo", kForUs, R"("alpha","carol")");
    add(*vault, "mallory", kForUs, R"("alphabet")");
    add(*vault, "bravo", kForTwo, R"("alpha")");
    add(*vault, "mallory", kForTwo, R"("*")");
    add(*vault, "mallory", kForOthers, R"("carol")");
    add(*vault, "mallory", kForAll, R"("*")");
  }
  /// The next entry of a log, that names the commitment which `body` stands for.
  void add(Vault& vault, const std::string& nick, std::uint8_t body, const std::string& audience) {
    LogGrowth growth;
    growth.origin = nick;
    growth.from = leaves_[nick].size();
    const Digest hash{static_cast<std::byte>(nick[0]), static_cast<std::byte>(body)};
    growth.leaves = {{hash, "parley/entry/v1\n{\"aud\":[" + audience + "],\"author\":\"" + nick + "\",\"body\":\"" +
                                to_hex(commitment(body)) + "\",\"charter\":\"\"}\n"}};
    for (std::uint64_t n = growth.from + 1;; n /= 2) {
      growth.nodes.push_back({});
      if (n % 2 != 0) break;
    }
    EXPECT_OK(vault.grow_log(growth));
    leaves_[nick][body] = hash;
  }
  static Digest commitment(std::uint8_t body) { return {std::byte{0xab}, static_cast<std::byte>(body)}; }
  /// What the vault of today has for the entry of `nick` that names this commitment.
  std::optional<LogBody> body_of(const std::string& nick, std::uint8_t body) {
    if (!vault_) {
      std::string statements(kBodiesByCommitment);
      for (std::uint8_t each = kOurs; each <= kForAll; ++each)
        statements += "INSERT INTO log_bodies VALUES(X'" + to_hex(commitment(each)) + "', X'" + to_hex(Digest{}) +
                      "', CAST('" + std::to_string(each) + "' AS BLOB)); ";
      execute_in(test_, statements + "PRAGMA user_version=9");
      vault_ = test_.open();
    }
    const auto found = vault_->entry_body(leaves_[nick].at(body));
    EXPECT_OK(found);
    if (found && *found) {
      EXPECT_EQ((*found)->content, to_bytes(std::to_string(body)));
    }
    return found ? *found : std::nullopt;
  }

  TestVault test_;
  std::unique_ptr<Vault> vault_;
  std::map<std::string, std::map<std::uint8_t, Digest>> leaves_;
};

TEST_F(OfTheNinthTableVersion, ABodyThatOneEntryNamesIsThatEntrysIfItIsForUs) {
  EXPECT_TRUE(body_of("mallory", kForAll));
  EXPECT_FALSE(body_of("mallory", kForOthers));
}

TEST_F(OfTheNinthTableVersion, OurOwnBodyIsOurOwnEntrysAndNoOther) {
  EXPECT_TRUE(body_of("alpha", kOurs));
  EXPECT_FALSE(body_of("mallory", kOurs)) << "it was for bravo, and its text was never mallory's";
}

TEST_F(OfTheNinthTableVersion, ABodyForUsIsNotThatOfAnEntryForSomebodyElse) {
  EXPECT_TRUE(body_of("bravo", kForUs));
  EXPECT_FALSE(body_of("mallory", kForUs));
}

TEST_F(OfTheNinthTableVersion, ABodyThatTwoEntriesOfOthersNameForUsIsNeithers) {
  EXPECT_FALSE(body_of("bravo", kForTwo)) << "who of them had it first cannot be told any more";
  EXPECT_FALSE(body_of("mallory", kForTwo));
}

// As the first release made it: without the tables of the joint log.
TEST(Vault, OfTheFirstTableVersionIsBroughtUpToDateAndKeepsWhatItHolds) {
  const TestVault test;
  ASSERT_OK(test.open()->put_setting("kept", "yes"));
  execute_in(test,
             "DROP TABLE logs; DROP TABLE log_leaves; DROP TABLE log_nodes; DROP TABLE log_bodies; "
             "DROP TABLE log_checkpoints; DROP TABLE log_cosignatures; " +
                 std::string(kWithoutGroups) + "PRAGMA user_version=1");
  const auto vault = test.open();
  EXPECT_EQ(**vault->setting("kept"), "yes");
  EXPECT_OK(vault->begin_log({.origin = "a", .group = "b", .nick = "c", .checkpoint = {}}));
}

TEST(Vault, OfANewerTableVersionIsUnsupportedAndStaysAsItWas) {
  const TestVault test;
  execute_in(test, "PRAGMA user_version=11");
  ASSERT_TRUE(std::filesystem::exists(test.folder() / "vault.db-wal")) << "the refused vault has a log to leave alone";
  const auto before = contents(test.folder().path());
  const auto vault = test.try_open();
  ASSERT_FAILS(vault, Errc::unsupported);
  EXPECT_NE(vault.error().message.find("version 11"), std::string::npos);
  EXPECT_EQ(contents(test.folder().path()), before);
}

}  // namespace
}  // namespace parley::vault
