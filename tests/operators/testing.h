// What tests of the operator log share: people with keys of their own, and a vault with its log.
#pragma once

#include "operators/verify.h"
#include "vault/tables.h"
#include "vault/testing.h"

namespace parley::operators {

using vault::fails, vault::succeeds;

/// An operator whose key comes from a key file (Argon2 takes half a second).
class Person final : public Signer {
 public:
  explicit Person(std::string its_name) : name_(std::move(its_name)) {
    secret_.key_file = random_secret<32>();
    key_ = *make_operator_key(secret_);
  }
  const OperatorKey& key() const { return key_; }
  Result<std::string> name() override { return name_; }
  Result<crypto::Signature> sign(const OperatorKey& key, std::string_view record) override {
    ++asked;
    TRY(const Secret<32> seed, operator_seed(key, secret_));
    return sign_record(seed, record);
  }
  int asked = 0;

 private:
  std::string name_;
  vault::Unlock secret_;
  OperatorKey key_;
};

/// A vault whose operators are ann and bob, and whoever else a test adds.
class TwoOperators {
 public:
  TwoOperators() { reopen(); }
  void register_both() {
    EXPECT_OK(log().add("ann", ann.key(), nobody));
    EXPECT_OK(log().add("bob", bob.key(), ann));
  }
  void close() {
    log_.reset();
    vault_.reset();
  }
  void reopen() {
    close();
    vault_ = files.open();
    auto opened = OperatorLog::open(*vault_);
    EXPECT_OK(opened);
    log_ = std::move(*opened);
  }
  /// Works on the tables as who has the vault's key and no scruples.
  void tamper(const std::string& statements) {
    close();
    vault::execute_in(files, statements);
    reopen();
  }
  OperatorLog& log() { return *log_; }
  vault::Vault& vault() { return *vault_; }
  /// An act that is done.
  Status act(Person& person, std::string_view about = "one") {
    TRY(const auto begun, log().begin(Act::read, "show", log().subjects().of("session", about), person));
    return log().end(begun, "done");
  }
  Verdict verdict(std::span<const PublishedHead> heads = {}) {
    auto verdict = verify(log(), heads);
    EXPECT_OK(verdict);
    return verdict ? *verdict : Verdict{};
  }

  vault::TestVault files;
  Person nobody{""}, ann{"ann"}, bob{"bob"};

 private:
  std::unique_ptr<vault::Vault> vault_;
  std::unique_ptr<OperatorLog> log_;
};

/// As another member would hold it.
inline PublishedHead held(OperatorLog& log, std::uint64_t entry, UnixSeconds time = wall_clock_now()) {
  return {.origin = "parley.example/g/7d1f3c90/m/alpha",
          .entry = entry,
          .time = time,
          .head = log.head(),
          .holders = {"bravo"}};
}

}  // namespace parley::operators
