// The store and the guard of a replica in a member's vault and in a file beside it (store.h).
#pragma once

#include <filesystem>
#include <set>

#include "mirror/store.h"
#include "vault/vault.h"

namespace parley::mirror {

/// The logs of one group in a vault: its tables for the joint log, and small settings for steps and faults.
class VaultStore : public Store {
 public:
  /// @param vault    outlives the store; what `work` of commit() writes into it is part of the commit
  /// @param group    32 hexadecimal digits
  /// @param members  of the group; @param self  whose vault this is
  VaultStore(vault::Vault& vault, std::string group, std::span<const log::MemberKeys> members, std::size_t self);

  Result<vault::LogHead> head(std::string_view origin) override;
  Result<std::vector<vault::LogLeaf>> leaves(std::string_view origin, std::uint64_t from, std::uint64_t count) override;
  Result<std::optional<std::uint64_t>> index(std::string_view origin, const Digest& leaf) override;
  Result<std::vector<Digest>> nodes(std::string_view origin, std::span<const log::TreeNode> nodes) override;
  Result<std::optional<vault::LogBody>> entry_body(const Digest& leaf) override;
  Result<std::optional<vault::LogCheckpoint>> checkpoint(std::string_view origin, std::uint64_t size) override;
  Result<std::vector<vault::LogCosignature>> cosignatures(std::string_view origin, std::uint64_t size) override;
  Result<std::vector<std::optional<Digest>>> completed(std::string_view origin, std::uint64_t from,
                                                       std::uint64_t count) override;
  Result<std::vector<vault::LogCheckpoint>> checkpoints(std::string_view origin, std::uint64_t from,
                                                        std::uint64_t count) override;
  Result<std::vector<vault::LogCosignature>> all_cosignatures(std::string_view origin, std::uint64_t from,
                                                              std::uint64_t count) override;
  Result<std::optional<std::uint64_t>> step(std::string_view origin, const log::StepKey& step) override;
  Result<std::optional<FaultRow>> fault(std::string_view origin) override;
  Result<Usage> usage(std::string_view origin) override;
  Result<std::uint64_t> free_bytes() override { return vault_.free_bytes(); }
  Result<std::string> seen(std::string_view origin) override;
  Result<std::optional<std::uint64_t>> lacking(std::string_view origin) override;
  Status commit(const Batch& batch, const std::function<Status()>& work) override;

 private:
  struct Owner {
    std::string origin;
    std::string nick;
    bool self = false;
  };
  Status write(const Batch& batch);
  Status begin_if_new(std::string_view origin);

  vault::Vault& vault_;
  std::string group_;
  std::vector<Owner> owners_;
  std::set<std::string, std::less<>> begun_;
};

/// The guard as a file, better on another device than the vault.
class FileGuard : public Guard {
 public:
  /// @error as vault::HeadGuard::open
  static Result<FileGuard> open(std::filesystem::path path);

  vault::SignedHead head() const override { return guard_.head(); }
  Status advance(const vault::SignedHead& next) override { return guard_.advance(next); }
  Status restart(const vault::SignedHead& head) override;

 private:
  FileGuard(std::filesystem::path path, vault::HeadGuard guard) : path_(std::move(path)), guard_(std::move(guard)) {}

  std::filesystem::path path_;
  vault::HeadGuard guard_;
};

}  // namespace parley::mirror
