// The operator log's table (operator_log.h).
#include "vault/operator_log.h"

#include "vault/detail/database.h"

namespace parley::vault {

Status Vault::add_operator_record(const OperatorRow& row) {
  return together([&]() -> Status {
    TRY(const std::uint64_t next, next_operator_record());
    if (row.seq != next) return fail(Errc::internal, "A record of the operator log is not the next one.");
    TRY(auto put,
        state_->database->connection().prepare("INSERT INTO operator_log(seq, record, signature) VALUES(?1, ?2, ?3)"));
    return put.bind(1, static_cast<std::int64_t>(row.seq))
        .bind(2, std::string_view(row.record))
        .bind(3, ByteView(row.signature))
        .run();
  });
}

Result<std::vector<OperatorRow>> Vault::operator_records(std::uint64_t from, std::uint64_t count) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(auto rows, state_->database->connection().prepare(
                     "SELECT seq, record, signature FROM operator_log WHERE seq>=?1 ORDER BY seq LIMIT ?2"));
  rows.bind(1, static_cast<std::int64_t>(from)).bind(2, static_cast<std::int64_t>(count));
  std::vector<OperatorRow> records;
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return records;
    const ByteView signature = rows.bytes(2);
    records.push_back({static_cast<std::uint64_t>(rows.integer(0)), std::string(rows.text(1)),
                       Bytes(signature.begin(), signature.end())});
  }
}

Result<std::uint64_t> Vault::next_operator_record() {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(auto rows, state_->database->connection().prepare("SELECT max(seq) FROM operator_log"));
  TRY(const bool row, rows.step());
  const std::uint64_t next = !row || rows.is_null(0) ? 0 : static_cast<std::uint64_t>(rows.integer(0)) + 1;
  rows.reset();
  return next;
}

}  // namespace parley::vault
