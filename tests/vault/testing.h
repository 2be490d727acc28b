// What the vault's tests share: folders that go away, vaults that open with a key file (Argon2 takes half a second),
// child processes that die, and the folder's bytes for comparison.
#pragma once

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <random>

#include "base/encoding.h"
#include "base/random.h"
#include "vault/vault.h"

namespace parley::vault {

inline const bool kRandomStarted = (start_random(), true);

/// The message of a failed Result or Status, for assertions.
template <typename Outcome>
std::string why(const Outcome& outcome) {
  return outcome.has_value() ? "no error" : std::string(name_of(outcome.error().code)) + ": " + outcome.error().text();
}

template <typename Outcome>
::testing::AssertionResult succeeds(const Outcome& outcome) {
  if (outcome.has_value()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << why(outcome);
}

/// The outcome is this error, and its message is a sentence.
template <typename Outcome>
::testing::AssertionResult fails(const Outcome& outcome, Errc code) {
  if (outcome.has_value() || outcome.error().code != code) {
    return ::testing::AssertionFailure() << why(outcome) << "; expected " << name_of(code);
  }
  const std::string& message = outcome.error().message;
  if (message.size() > 10 && message.ends_with('.')) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "no sentence: " << message;
}

#define ASSERT_OK(outcome) ASSERT_TRUE(succeeds(outcome))
#define EXPECT_OK(outcome) EXPECT_TRUE(succeeds(outcome))
#define ASSERT_FAILS(outcome, code) ASSERT_TRUE(fails(outcome, code))
#define EXPECT_FAILS(outcome, code) EXPECT_TRUE(fails(outcome, code))

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "parley-vault-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline Bytes read_whole(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  return to_bytes(text);
}

inline void write_whole(const std::filesystem::path& path, ByteView content) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
}

/// Every file of the folder, and of folders in it, with its bytes, by its path from there; of vault.lock, which names
/// the last owner, only that it is there.
inline std::map<std::string, Bytes> contents(const std::filesystem::path& folder) {
  std::map<std::string, Bytes> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_directory()) continue;
    const std::string name = entry.path().lexically_relative(folder).string();
    files[name] = name == "vault.lock" ? Bytes() : read_whole(entry.path());
  }
  return files;
}

inline void restore(const std::filesystem::path& folder, const std::map<std::string, Bytes>& files) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) std::filesystem::remove_all(entry.path());
  for (const auto& [name, content] : files) {
    std::filesystem::create_directories((folder / name).parent_path());
    write_whole(folder / name, content);
    std::filesystem::permissions(folder / name, std::filesystem::perms(0600));
  }
}

inline SecretBytes passphrase(std::string_view text) {
  return SecretBytes(as_bytes(text));
}

/// A vault in a folder of its own that a key file opens.
class TestVault {
 public:
  TestVault() {
    unlock_.key_file = random_secret<32>();
    EXPECT_OK(Vault::create(folder_.path(), unlock_));
  }
  const TemporaryFolder& folder() const { return folder_; }
  const Unlock& unlock() const { return unlock_; }
  Result<std::unique_ptr<Vault>> try_open() const { return Vault::open(folder_.path(), unlock_); }
  std::unique_ptr<Vault> open() const {
    auto vault = try_open();
    EXPECT_OK(vault);
    return vault ? std::move(*vault) : nullptr;
  }

 private:
  TemporaryFolder folder_;
  Unlock unlock_;
};

/// Runs `body` in a process of its own. @return its wait status
inline int in_child(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return status;
}

/// Ends this process as kill -9 does: no destructor runs.
[[noreturn]] inline void die() {
  ::kill(::getpid(), SIGKILL);
  std::abort();
}

inline indicator::Canonical canonical(indicator::Type type, std::string value) {
  return indicator::Canonical::from_storage(type, std::move(value));
}

/// One record of a test's import.
struct TestRecord {
  indicator::Type type;
  std::string value;
  indicator::Context context;
  std::uint64_t file_object = 0;
};

inline Result<ImportSummary> import_records(Vault& vault, const ImportInfo& info,
                                            const std::vector<TestRecord>& records) {
  TRY(auto job, vault.begin_import());
  TRY_STATUS(job->begin_source(info));
  for (const TestRecord& record : records) {
    TRY_STATUS(job->add(canonical(record.type, record.value), record.context, record.file_object));
  }
  SilentProgress progress;
  return job->commit(progress);
}

/// `count` addresses, all different, from 10.0.0.0 on.
inline std::vector<TestRecord> addresses(std::size_t count) {
  std::vector<TestRecord> records;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t mixed = (i * 7919) % count;  // 7919 is prime: every address once, out of order
    records.push_back({indicator::Type::ipv4,
                       "10." + std::to_string(mixed >> 16) + "." + std::to_string((mixed >> 8) & 255) + "." +
                           std::to_string(mixed & 255),
                       {},
                       0});
  }
  return records;
}

inline std::vector<Item> items(Vault& vault, const Selection& selection = {}) {
  std::vector<Item> found;
  EXPECT_OK(vault.for_each(selection, [&](const Item& item) -> Status {
    found.push_back(item);
    return {};
  }));
  return found;
}

/// A seed that a failing run prints and the environment can set again.
inline std::uint64_t test_seed() {
  const char* given = std::getenv("PARLEY_TEST_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  ::testing::Test::RecordProperty("seed", std::to_string(seed));
  return seed;
}

}  // namespace parley::vault
