// Cases, their files and their chains of custody as rows (cases.h).
#include "vault/cases.h"

#include <fmt/format.h>

#include <algorithm>

#include "vault/detail/database.h"

namespace parley::vault {
namespace {

using detail::Statement;

constexpr std::size_t kShortestPrefix = 4;

Digest digest_in(ByteView bytes) {
  Digest digest{};
  if (bytes.size() == digest.size()) std::ranges::copy(bytes, digest.begin());
  return digest;
}

}  // namespace

Status Vault::add_case(const CaseRow& row) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(auto find, state_->database->connection().prepare("SELECT 1 FROM cases WHERE id=?1 OR name=?2"));
  TRY(const bool taken, find.bind(1, std::string_view(row.id)).bind(2, std::string_view(row.name)).step());
  if (taken) return fail(Errc::exists, "There is a case of this name already; give another.");
  TRY(auto put, state_->database->connection().prepare("INSERT INTO cases(id, name, made) VALUES(?1, ?2, ?3)"));
  return put.bind(1, std::string_view(row.id)).bind(2, std::string_view(row.name)).bind(3, row.made).run();
}

Result<std::vector<CaseRow>> Vault::cases() {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(auto rows, state_->database->connection().prepare("SELECT id, name, made FROM cases ORDER BY name"));
  std::vector<CaseRow> cases;
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return cases;
    cases.push_back({std::string(rows.text(0)), std::string(rows.text(1)), rows.integer(2)});
  }
}

Result<CaseRow> Vault::case_named(std::string_view name_or_id) {
  TRY(const std::vector<CaseRow> all, cases());
  if (const auto named = std::ranges::find(all, name_or_id, &CaseRow::name); named != all.end()) return *named;
  std::vector<CaseRow> fit;
  if (name_or_id.size() >= kShortestPrefix)
    std::ranges::copy_if(all, std::back_inserter(fit),
                         [&](const CaseRow& row) { return row.id.starts_with(name_or_id); });
  if (fit.size() == 1) return fit.front();
  return fail(Errc::not_found, fit.empty() ? "There is no such case; parley case list names all."
                                           : "More than one case begins so; give more digits.");
}

Status Vault::add_case_file(std::string_view case_id, const CaseFileRow& row) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(auto put,
      state_->database->connection().prepare("INSERT INTO case_files(case_id, number, file, name, size, sha256, root) "
                                             "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"));
  return put.bind(1, case_id)
      .bind(2, static_cast<std::int64_t>(row.number))
      .bind(3, std::string_view(row.file))
      .bind(4, std::string_view(row.name))
      .bind(5, static_cast<std::int64_t>(row.size))
      .bind(6, ByteView(row.sha256))
      .bind(7, ByteView(row.root))
      .run();
}

Result<std::vector<CaseFileRow>> Vault::case_files(std::string_view case_id) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(auto rows, state_->database->connection().prepare(
                     "SELECT number, file, name, size, sha256, root FROM case_files WHERE case_id=?1 ORDER BY number"));
  rows.bind(1, case_id);
  std::vector<CaseFileRow> files;
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return files;
    files.push_back({static_cast<std::uint64_t>(rows.integer(0)), std::string(rows.text(1)), std::string(rows.text(2)),
                     static_cast<std::uint64_t>(rows.integer(3)), digest_in(rows.bytes(4)), digest_in(rows.bytes(5))});
  }
}

Status Vault::add_custody(std::string_view case_id, std::uint64_t seq, std::string_view entry) {
  return together([&]() -> Status {
    TRY(auto count, state_->database->connection().prepare("SELECT count(*) FROM custody WHERE case_id=?1"));
    TRY(const bool row, count.bind(1, case_id).step());
    if (!row || static_cast<std::uint64_t>(count.integer(0)) != seq)
      return fail(Errc::internal, "An entry of a chain of custody is not the next one.");
    count.reset();
    TRY(auto put,
        state_->database->connection().prepare("INSERT INTO custody(case_id, seq, entry) VALUES(?1, ?2, ?3)"));
    return put.bind(1, case_id).bind(2, static_cast<std::int64_t>(seq)).bind(3, entry).run();
  });
}

Result<std::vector<std::string>> Vault::custody(std::string_view case_id) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(auto rows,
      state_->database->connection().prepare("SELECT seq, entry FROM custody WHERE case_id=?1 ORDER BY seq"));
  rows.bind(1, case_id);
  std::vector<std::string> entries;
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return entries;
    if (static_cast<std::size_t>(rows.integer(0)) != entries.size())
      return fail(Errc::vault_damaged, "A chain of custody has a gap.");
    entries.emplace_back(rows.text(1));
  }
}

}  // namespace parley::vault
