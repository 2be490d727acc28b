// Warning lists in the vault (vault.h): entries lie in chunks, each entry behind its length.
// docs/vault-format.md, "vault.db: tables".
#include <fmt/format.h>

#include "vault/detail/database.h"

namespace parley::vault {
namespace {

using detail::Connection;
using detail::Statement;

constexpr std::size_t kChunkBytes = 65536;

Status store_chunk(Statement& add, std::int64_t list, std::int64_t number, Bytes& chunk) {
  if (chunk.empty()) return {};
  TRY_STATUS(add.bind(1, list).bind(2, number).bind(3, ByteView(chunk)).run());
  chunk.clear();
  return {};
}

Status store_entries(Connection& connection, std::int64_t list, const std::vector<std::string>& entries) {
  TRY(Statement add, connection.prepare("INSERT INTO warning_entries(list, chunk, data) VALUES(?1, ?2, ?3)"));
  Bytes chunk;
  std::int64_t number = 0;
  for (const std::string& entry : entries) {
    append_be(chunk, static_cast<std::uint32_t>(entry.size()));
    append(chunk, as_bytes(entry));
    if (chunk.size() >= kChunkBytes) TRY_STATUS(store_chunk(add, list, number++, chunk));
  }
  return store_chunk(add, list, number, chunk);
}

Status read_chunk(ByteView chunk, std::vector<std::string>& entries) {
  while (!chunk.empty()) {
    const std::size_t size = chunk.size() < 4 ? chunk.size() : read_be<std::uint32_t>(chunk);
    if (chunk.size() < 4 || chunk.size() - 4 < size) {
      return fail(Errc::vault_damaged, "A warning list in the vault is cut short.");
    }
    entries.emplace_back(as_text(chunk.subspan(4, size)));
    chunk = chunk.subspan(4 + size);
  }
  return {};
}

Result<std::int64_t> remove_list(Connection& connection, std::string_view name) {
  TRY(Statement entries,
      connection.prepare("DELETE FROM warning_entries WHERE list=(SELECT id FROM warning_lists WHERE name=?1)"));
  TRY_STATUS(entries.bind(1, name).run());
  TRY(Statement list, connection.prepare("DELETE FROM warning_lists WHERE name=?1"));
  return list.bind(1, name).run_counting();
}

}  // namespace

Status Vault::add_warning_list(const indicator::WarningList& list) {
  TRY(const auto hold, state_->database->gate().enter());
  indicator::WarningLists trial = indicator::WarningLists::built_in();
  TRY_STATUS(trial.add(list));  // what does not work is not kept

  Connection& connection = state_->database->connection();
  TRY(auto transaction, detail::Transaction::begin(connection));
  TRY(const std::int64_t replaced, remove_list(connection, list.name));
  static_cast<void>(replaced);
  TRY(Statement add, connection.prepare("INSERT INTO warning_lists(name, match, entries) VALUES(?1, ?2, ?3)"));
  add.bind(1, std::string_view(list.name)).bind(2, static_cast<std::int64_t>(list.match));
  TRY_STATUS(add.bind(3, static_cast<std::int64_t>(list.entries.size())).run());
  TRY_STATUS(store_entries(connection, connection.last_row(), list.entries));
  TRY_STATUS(transaction.commit());
  state_->database->forget_warning_lists();
  return {};
}

Status Vault::remove_warning_list(std::string_view name) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(auto transaction, detail::Transaction::begin(connection));
  TRY(const std::int64_t removed, remove_list(connection, name));
  if (removed == 0) return fail(Errc::not_found, fmt::format("There is no warning list called {}.", name));
  TRY_STATUS(transaction.commit());
  state_->database->forget_warning_lists();
  return {};
}

Result<std::vector<std::pair<std::string, std::uint64_t>>> Vault::warning_list_names() {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(Statement rows, state_->database->connection().prepare("SELECT name, entries FROM warning_lists ORDER BY name"));
  std::vector<std::pair<std::string, std::uint64_t>> names;
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return names;
    names.emplace_back(rows.text(0), static_cast<std::uint64_t>(rows.integer(1)));
  }
}

Result<indicator::WarningLists> Vault::warning_lists() {
  TRY(const auto hold, state_->database->gate().enter());
  return state_->database->read_warning_lists();
}

Result<indicator::WarningLists> Database::read_warning_lists() {
  indicator::WarningLists lists = indicator::WarningLists::built_in();
  TRY(Statement rows, connection_->prepare("SELECT id, name, match FROM warning_lists ORDER BY name"));
  TRY(Statement chunks, connection_->prepare("SELECT data FROM warning_entries WHERE list=?1 ORDER BY chunk"));
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return lists;
    indicator::WarningList list{std::string(rows.text(1)), static_cast<indicator::WarningMatch>(rows.integer(2)), {}};
    chunks.bind(1, rows.integer(0));
    for (;;) {
      TRY(const bool chunk, chunks.step());
      if (!chunk) break;
      TRY_STATUS(read_chunk(chunks.bytes(0), list.entries));
    }
    TRY_STATUS(lists.add(list));
  }
}

}  // namespace parley::vault
