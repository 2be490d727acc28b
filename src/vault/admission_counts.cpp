// What the logs say of admission, as the vault keeps it: members' keys, counted batches (vault.h, admission.h).
#include <fmt/format.h>

#include "vault/admission.h"
#include "vault/detail/admission_rows.h"
#include "vault/detail/database.h"

namespace parley::vault {
namespace {

using detail::Connection;
using detail::Statement;
using detail::Transaction;
using detail::type_of;

constexpr std::string_view kCountColumns = "helper, owner, type, epoch, batch, answers, count, entry, time";

Result<AdmissionCount> read_count(const Statement& row) {
  AdmissionCount count{
      .helper = std::string(row.text(0)), .owner = std::string(row.text(1)), .type = type_of(row.integer(2))};
  TRY(count.epoch, detail::fixed_bytes<32>(row.bytes(3)));
  TRY(count.batch, detail::fixed_bytes<32>(row.bytes(4)));
  TRY(count.answers, detail::fixed_bytes<32>(row.bytes(5)));
  count.count = row.integer(6);
  TRY(count.entry, detail::fixed_bytes<32>(row.bytes(7)));
  count.time = row.integer(8);
  return count;
}

Status write_keys(Connection& connection, std::string_view group, std::span<const AdmissionKey> keys) {
  TRY(Statement add,
      connection.prepare("INSERT OR IGNORE INTO admission_keys(group_id, epoch, nick, type, members, key) "
                         "VALUES(?1, ?2, ?3, ?4, ?5, ?6)"));
  for (const AdmissionKey& key : keys) {
    add.bind(1, group).bind(2, std::string_view(key.epoch)).bind(3, std::string_view(key.nick));
    add.bind(4, static_cast<std::int64_t>(key.type)).bind(5, std::string_view(key.members));
    TRY_STATUS(add.bind(6, ByteView(key.key)).run());
  }
  return {};
}

// The first entry of a batch counts. A count of our own that has none yet gets it, also where it comes back to us.
Status write_counts(Connection& connection, std::string_view group, std::span<const AdmissionCount> counts) {
  TRY(Statement add, connection.prepare(fmt::format(
                         "INSERT INTO admission_counts({}, group_id) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) "
                         "ON CONFLICT DO UPDATE SET answers=excluded.answers, entry=excluded.entry, time=excluded.time "
                         "WHERE entry=zeroblob(32)",
                         kCountColumns)));
  for (const AdmissionCount& count : counts) {
    add.bind(1, std::string_view(count.helper)).bind(2, std::string_view(count.owner));
    add.bind(3, static_cast<std::int64_t>(count.type)).bind(4, ByteView(count.epoch)).bind(5, ByteView(count.batch));
    add.bind(6, ByteView(count.answers)).bind(7, count.count).bind(8, ByteView(count.entry));
    TRY_STATUS(add.bind(9, count.time).bind(10, group).run());
  }
  return {};
}

}  // namespace

Result<std::uint64_t> Vault::admission_read_to(std::string_view origin) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(Statement find, state_->database->connection().prepare("SELECT size FROM admission_read WHERE origin=?1"));
  TRY(const bool row, find.bind(1, origin).step());
  return row ? static_cast<std::uint64_t>(find.integer(0)) : 0;
}

Status Vault::note_admissions(std::string_view group, std::string_view origin, std::uint64_t read_to,
                              std::span<const AdmissionKey> keys, std::span<const AdmissionCount> counts) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(auto transaction, Transaction::begin(connection));
  TRY_STATUS(write_keys(connection, group, keys));
  TRY_STATUS(write_counts(connection, group, counts));
  TRY(Statement put, connection.prepare("INSERT INTO admission_read(origin, size) VALUES(?1, ?2) "
                                        "ON CONFLICT(origin) DO UPDATE SET size=max(size, excluded.size)"));
  TRY_STATUS(put.bind(1, origin).bind(2, static_cast<std::int64_t>(read_to)).run());
  return transaction.commit();
}

Status Vault::put_admission_count(std::string_view group, const AdmissionCount& count) {
  TRY(const auto hold, state_->database->gate().enter());
  return write_counts(state_->database->connection(), group, std::span(&count, 1));
}

Result<std::vector<AdmissionKey>> Vault::admission_keys(std::string_view group, std::string_view epoch) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(Statement rows,
      state_->database->connection().prepare("SELECT nick, epoch, type, members, key FROM admission_keys "
                                             "WHERE group_id=?1 AND epoch=?2 ORDER BY nick, type"));
  rows.bind(1, group).bind(2, epoch);
  std::vector<AdmissionKey> keys;
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return keys;
    TRY(const auto key, detail::fixed_bytes<32>(rows.bytes(4)));
    keys.push_back({std::string(rows.text(0)), std::string(rows.text(1)), type_of(rows.integer(2)),
                    std::string(rows.text(3)), key});
  }
}

Result<std::vector<AdmissionTotal>> Vault::admission_totals(std::string_view group, const Digest& epoch) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(Statement rows, state_->database->connection().prepare(
                          "SELECT helper, owner, type, sum(count) FROM admission_counts WHERE group_id=?1 AND "
                          "epoch=?2 GROUP BY helper, owner, type ORDER BY helper, owner, type"));
  rows.bind(1, group).bind(2, ByteView(epoch));
  std::vector<AdmissionTotal> totals;
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return totals;
    totals.push_back({std::string(rows.text(0)), std::string(rows.text(1)), type_of(rows.integer(2)), rows.integer(3)});
  }
}

Result<std::int64_t> Vault::admission_total(std::string_view group, const Digest& epoch, std::string_view helper,
                                            std::string_view owner, indicator::Type type) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(Statement find, state_->database->connection().prepare(
                          "SELECT coalesce(sum(count), 0) FROM admission_counts WHERE group_id=?1 AND epoch=?2 AND "
                          "helper=?3 AND owner=?4 AND type=?5"));
  find.bind(1, group).bind(2, ByteView(epoch)).bind(3, helper).bind(4, owner);
  TRY([[maybe_unused]] const bool row, find.bind(5, static_cast<std::int64_t>(type)).step());
  return find.integer(0);
}

Result<std::int64_t> Vault::admission_total_since(std::string_view group, std::string_view helper,
                                                  std::string_view owner, indicator::Type type, UnixSeconds since) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(Statement find, state_->database->connection().prepare(
                          "SELECT coalesce(sum(count), 0) FROM admission_counts WHERE group_id=?1 AND helper=?2 AND "
                          "owner=?3 AND type=?4 AND time>=?5"));
  find.bind(1, group).bind(2, helper).bind(3, owner).bind(4, static_cast<std::int64_t>(type));
  TRY([[maybe_unused]] const bool row, find.bind(5, since).step());
  return find.integer(0);
}

Result<std::optional<AdmissionCount>> Vault::admission_count(std::string_view group, std::string_view helper,
                                                             const Digest& batch) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(Statement find,
      state_->database->connection().prepare(
          fmt::format("SELECT {} FROM admission_counts WHERE group_id=?1 AND helper=?2 AND batch=?3", kCountColumns)));
  TRY(const bool row, find.bind(1, group).bind(2, helper).bind(3, ByteView(batch)).step());
  if (!row) return std::nullopt;
  TRY(AdmissionCount count, read_count(find));
  return count;
}

Result<std::int64_t> Vault::repeat_admission(std::string_view group, std::string_view helper, const Digest& batch) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(Statement add, state_->database->connection().prepare(
                         "UPDATE admission_counts SET repeats=repeats+1 WHERE group_id=?1 AND helper=?2 AND batch=?3 "
                         "RETURNING repeats"));
  TRY(const bool row, add.bind(1, group).bind(2, helper).bind(3, ByteView(batch)).step());
  if (!row) return fail(Errc::not_found, "A batch that was never counted was to be answered again.");
  const std::int64_t repeats = add.integer(0);
  TRY([[maybe_unused]] const bool more, add.step());
  return repeats;
}

Result<bool> Vault::keep_admission_sample(std::string_view group, std::string_view helper, const Digest& batch,
                                          const Digest& sample) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(Statement keep, state_->database->connection().prepare(
                          "UPDATE admission_counts SET sample=?4 WHERE group_id=?1 AND helper=?2 AND batch=?3 AND "
                          "(length(sample)=0 OR sample=?4)"));
  keep.bind(1, group).bind(2, helper).bind(3, ByteView(batch));
  TRY(const std::int64_t kept, keep.bind(4, ByteView(sample)).run_counting());
  return kept > 0;
}

Result<std::int64_t> Vault::admission_batches_since(std::string_view group, std::string_view helper,
                                                    std::string_view owner, UnixSeconds since) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(Statement find, state_->database->connection().prepare(
                          "SELECT count(*) FROM admission_counts WHERE group_id=?1 AND helper=?2 AND owner=?3 AND "
                          "time>=?4"));
  TRY([[maybe_unused]] const bool row, find.bind(1, group).bind(2, helper).bind(3, owner).bind(4, since).step());
  return find.integer(0);
}

}  // namespace parley::vault
