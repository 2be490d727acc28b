// Small settings, and secrets that are sealed once more in their row (vault.h).
// log.md 7.2.
#include <fmt/format.h>

#include "vault/detail/database.h"

namespace parley::vault {
namespace {

std::string secret_place(std::string_view name) {
  return fmt::format("secrets sealed {}", name);
}

}  // namespace

Status Vault::put_setting(std::string_view name, std::string_view value) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(auto put, state_->database->connection().prepare("INSERT OR REPLACE INTO settings(name, value) VALUES(?1, ?2)"));
  return put.bind(1, name).bind(2, value).run();
}

Result<std::optional<std::string>> Vault::setting(std::string_view name) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(auto rows, state_->database->connection().prepare("SELECT value FROM settings WHERE name=?1"));
  TRY(const bool row, rows.bind(1, name).step());
  if (!row) return std::nullopt;
  return std::string(rows.text(0));
}

Status Vault::remove_setting(std::string_view name) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(auto remove, state_->database->connection().prepare("DELETE FROM settings WHERE name=?1"));
  return remove.bind(1, name).run();
}

Status Vault::put_secret(std::string_view name, ByteView secret) {
  TRY(const auto hold, state_->database->gate().enter());
  detail::Connection& connection = state_->database->connection();
  if (secret.empty()) {
    TRY(auto remove, connection.prepare("DELETE FROM secrets WHERE name=?1"));
    return remove.bind(1, name).run();
  }
  TRY(auto put, connection.prepare("INSERT OR REPLACE INTO secrets(name, sealed) VALUES(?1, ?2)"));
  const Bytes sealed = state_->database->seal_cell(secret_place(name), secret);
  return put.bind(1, name).bind(2, ByteView(sealed)).run();
}

Result<std::optional<SecretBytes>> Vault::secret(std::string_view name) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(auto rows, state_->database->connection().prepare("SELECT sealed FROM secrets WHERE name=?1"));
  TRY(const bool row, rows.bind(1, name).step());
  if (!row) return std::nullopt;
  TRY(SecretBytes secret, state_->database->open_cell(secret_place(name), rows.bytes(0)));
  return std::optional<SecretBytes>(std::move(secret));
}

Result<std::int64_t> Vault::remove_secrets(std::string_view beginning) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(auto remove, state_->database->connection().prepare("DELETE FROM secrets WHERE substr(name, 1, length(?1))=?1"));
  return remove.bind(1, beginning).run_counting();
}

}  // namespace parley::vault
