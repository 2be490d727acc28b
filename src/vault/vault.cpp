// A vault's beginning: making one, opening one (vault.h).
// vault.hdr: detail/key_slots.h; vault.db: detail/sealed_vfs.h; vault.lock: detail/lock_file.h.
#include "vault/vault.h"

#include <sodium.h>

#include "base/file.h"
#include "base/random.h"
#include "vault/detail/database.h"
#include "vault/detail/key_slots.h"

namespace parley::vault {
namespace {

constexpr unsigned kPrivateMode = 0600;

Result<detail::Header> read_header(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return fail(Errc::not_found, "There is no vault here; parley init makes one.", path.parent_path().string());
  }
  TRY_STATUS(check_private(path));
  auto file = read_file(path, detail::kHeaderLimitBytes);
  if (!file && file.error().code == Errc::limit) {
    return fail(Errc::vault_damaged, "This is no vault header: it is too long.", path.string());
  }
  if (!file) return std::unexpected(std::move(file).error());
  auto header = detail::parse_header(*file);
  if (!header) return std::unexpected(std::move(header).error().at(path.string()));
  return header;
}

Status check_vacant(const std::filesystem::path& folder) {
  std::error_code ignored;
  if (std::filesystem::exists(folder / "vault.hdr", ignored)) {
    return fail(Errc::exists, "There is a vault here already.", folder.string());
  }
  if (std::filesystem::exists(folder / "vault.db", ignored)) {
    return fail(Errc::exists,
                "There is a vault.db here without its vault.hdr. Put vault.hdr back from a backup, or remove vault.db.",
                folder.string());
  }
  return {};
}

}  // namespace

Status Vault::create(const std::filesystem::path& folder, const Unlock& unlock) {
  TRY_STATUS(check_vacant(folder));
  TRY(const detail::LockFile lock, detail::LockFile::take(folder / "vault.lock"));
  // Once more: what another process has made before it gave the lock back would be cleared away below as our own.
  TRY_STATUS(check_vacant(folder));
  const Secret<32> vault_key = random_secret<32>();
  TRY(const detail::Header header, detail::make_header(vault_key, unlock));
  Status status = Database::create(folder, vault_key);
  if (status) status = write_file_atomically(folder / "vault.hdr", as_bytes(header.text()), kPrivateMode);
  if (!status) {
    std::error_code ignored;
    std::filesystem::remove(folder / "vault.db", ignored);
    std::filesystem::remove(folder / "vault.db-wal", ignored);
  }
  return status;
}

Result<std::unique_ptr<Vault>> Vault::open(const std::filesystem::path& folder, const Unlock& unlock) {
  const std::filesystem::path header_path = folder / "vault.hdr";
  TRY(const detail::Header header, read_header(header_path));
  TRY(detail::LockFile lock, detail::LockFile::take(folder / "vault.lock"));
  auto vault_key = detail::unlock_header(header, unlock);
  if (!vault_key) return std::unexpected(std::move(vault_key).error().at(header_path.string()));
  auto state = std::make_unique<State>();
  state->folder = folder;
  TRY(state->database, Database::open(folder, std::move(*vault_key), std::move(lock)));
  std::unique_ptr<Vault> vault(new Vault(std::move(state)));
  TRY_STATUS(vault->clear_unnamed_files());
  return vault;
}

Vault::Vault(std::unique_ptr<State> state) : state_(std::move(state)) {}
Vault::~Vault() = default;

Status Vault::together(const std::function<Status()>& work) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(auto transaction, detail::Transaction::begin(state_->database->connection()));
  TRY_STATUS(work());
  return transaction.commit();
}

Secret<32> Vault::subkey(Subkey which) const {
  return state_->database->subkey(which);
}

Result<std::unique_ptr<Import>> Vault::begin_import() {
  return detail::begin_import(*state_->database);
}

Result<std::uint64_t> Vault::free_bytes() const {
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(state_->folder, error);
  if (error)
    return fail(Errc::io, "How much is free on the vault's disk cannot be found out: " + error.message() + ".",
                state_->folder.string());
  return space.available;
}

}  // namespace parley::vault
