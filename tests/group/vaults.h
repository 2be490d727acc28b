// A member's folder with a vault, for tests of this room; gone afterwards.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <functional>

#include "base/random.h"
#include "group/member.h"
#include "vault/vault.h"

namespace parley::group {

class TestVault {
 public:
  TestVault() {
    start_random();
    std::string pattern = (std::filesystem::temp_directory_path() / "parley-group-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    unlock_.key_file = random_secret<32>();
    EXPECT_TRUE(vault::Vault::create(folder_, unlock_).has_value());
    open();
  }
  explicit TestVault(std::string_view member_name) : TestVault() {
    EXPECT_TRUE(create_member(folder_, member_name, unlock_, *vault_).has_value());
  }
  TestVault(const TestVault&) = delete;
  TestVault& operator=(const TestVault&) = delete;
  ~TestVault() {
    vault_.reset();
    std::filesystem::remove_all(folder_);
  }

  const std::filesystem::path& folder() const { return folder_; }
  vault::Vault& vault() { return *vault_; }
  Card card() { return load_member(folder_, *vault_)->card; }
  Secret<32> id_seed() { return *load_id_seed(folder_, unlock_); }
  /// What another process would find.
  void reopen() {
    vault_.reset();
    open();
  }
  /// Runs `work` in a process of its own that has the vault, and that `work` kills; then opens what it left behind.
  void in_process_that_dies(const std::function<void()>& work) {
    vault_.reset();
    const pid_t child = ::fork();
    if (child == 0) {
      open();
      work();
      ::_exit(1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "it was to die on the way";
    open();
  }

 private:
  void open() {
    auto opened = vault::Vault::open(folder_, unlock_);
    EXPECT_TRUE(opened.has_value());
    vault_ = std::move(*opened);
  }

  std::filesystem::path folder_;
  vault::Unlock unlock_;
  std::unique_ptr<vault::Vault> vault_;
};

}  // namespace parley::group
