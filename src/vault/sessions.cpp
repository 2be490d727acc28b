// Sessions, their signed steps and their matches (vault.h).
// Each save is one transaction, durable when it returns (log.md D6: persist before send).
#include <fmt/format.h>

#include <algorithm>

#include "vault/detail/database.h"

namespace parley::vault {
namespace {

using detail::Connection;
using detail::Statement;

constexpr std::size_t kShortestPrefix = 4;

constexpr std::string_view kSaveSession =
    "INSERT INTO sessions(id, peer, asked_by_us, state, terms, outcome, created, updated, group_id) "
    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT(id) DO UPDATE SET peer=excluded.peer, "
    "asked_by_us=excluded.asked_by_us, state=excluded.state, terms=excluded.terms, outcome=excluded.outcome, "
    "created=excluded.created, updated=excluded.updated, group_id=excluded.group_id RETURNING number";

constexpr std::string_view kSessionColumns = "id, peer, asked_by_us, state, terms, outcome, created, updated, group_id";

SessionRow read_session(const Statement& row) {
  return {std::string(row.text(0)), std::string(row.text(1)), row.integer(2) != 0,
          std::string(row.text(3)), std::string(row.text(4)), std::string(row.text(5)),
          row.integer(6),           row.integer(7),           std::string(row.text(8))};
}

/// @return the number of the session's row
Result<std::int64_t> save_row(Connection& connection, const SessionRow& row) {
  TRY(Statement save, connection.prepare(kSaveSession));
  save.bind(1, std::string_view(row.id)).bind(2, std::string_view(row.peer)).bind(3, row.asked_by_us ? 1 : 0);
  save.bind(4, std::string_view(row.state)).bind(5, std::string_view(row.terms));
  save.bind(6, std::string_view(row.outcome)).bind(7, row.created).bind(8, row.updated);
  save.bind(9, std::string_view(row.group));
  TRY(const bool saved, save.step());
  if (!saved) return fail(Errc::internal, "SQLite gave a saved session no number.");
  return save.integer(0);
}

Status add_steps(Connection& connection, std::int64_t session, std::span<const SessionStep> steps) {
  TRY(Statement add,
      connection.prepare("INSERT INTO steps(session, number, author, type, note) VALUES(?1, "
                         "(SELECT coalesce(max(number), 0) + 1 FROM steps WHERE session=?1), ?2, ?3, ?4)"));
  for (const SessionStep& step : steps) {
    add.bind(1, session).bind(2, std::string_view(step.author)).bind(3, std::string_view(step.type));
    TRY_STATUS(add.bind(4, std::string_view(step.entry)).run());
  }
  return {};
}

std::string commitment_place(std::int64_t session, const indicator::Canonical& indicator) {
  return fmt::format("matches sealed_commitment {} {} {}", session, static_cast<int>(indicator.type()),
                     indicator.value());
}

/// Runs `statement` for each match. Parameters: session, type, value, item, file, mine, opened, theirs, commitment.
Status write_matches(const Database& database, Statement& statement, std::int64_t session,
                     std::span<const SessionMatch> matches) {
  for (const SessionMatch& match : matches) {
    const Bytes sealed = database.seal_cell(commitment_place(session, match.indicator), match.commitment);
    statement.bind(1, session).bind(2, static_cast<std::int64_t>(match.indicator.type()));
    statement.bind(3, std::string_view(match.indicator.value())).bind(4, match.item).bind(5, match.file);
    statement.bind(6, std::string_view(match.mine)).bind(7, std::string_view(match.opened));
    statement.bind(8, std::string_view(match.theirs)).bind(9, ByteView(sealed));
    TRY(const std::int64_t changed, statement.run_counting());
    if (changed == 0) {
      // Without its value: errors of a node go into its log.
      return fail(Errc::not_found,
                  fmt::format("The session has no such match of type {}.", name_of(match.indicator.type())));
    }
  }
  return {};
}

/// The condition of a filter, and its values bound from parameter 1 on.
std::string where_of(const SessionFilter& filter) {
  std::string where = "1";
  int next = 1;
  if (!filter.group.empty()) where += fmt::format(" AND group_id=?{}", next++);
  if (!filter.peer.empty()) where += fmt::format(" AND peer=?{}", next++);
  if (!filter.states.empty()) {
    where += " AND state IN (";
    for (std::size_t i = 0; i < filter.states.size(); ++i) where += fmt::format("{}?{}", i > 0 ? ", " : "", next++);
    where += ")";
  }
  if (filter.asked_by_us) where += fmt::format(" AND asked_by_us=?{}", next++);
  if (filter.created_after) where += fmt::format(" AND created>?{}", next++);
  if (filter.created_before) where += fmt::format(" AND created<?{}", next++);
  return where;
}

void bind(Statement& statement, const SessionFilter& filter) {
  int next = 1;
  if (!filter.group.empty()) statement.bind(next++, filter.group);
  if (!filter.peer.empty()) statement.bind(next++, filter.peer);
  for (const std::string_view state : filter.states) statement.bind(next++, state);
  if (filter.asked_by_us) statement.bind(next++, *filter.asked_by_us ? 1 : 0);
  if (filter.created_after) statement.bind(next++, *filter.created_after);
  if (filter.created_before) statement.bind(next++, *filter.created_before);
}

std::unexpected<Error> no_session(std::string_view id) {
  return fail(Errc::not_found, fmt::format("There is no session {}.", id));
}

Result<std::int64_t> number_of(Connection& connection, std::string_view id) {
  TRY(Statement find, connection.prepare("SELECT number FROM sessions WHERE id=?1"));
  TRY(const bool row, find.bind(1, id).step());
  if (!row) return no_session(id);
  return find.integer(0);
}

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

Status Vault::save_session(const SessionRow& row, std::span<const SessionStep> new_steps) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(auto transaction, detail::Transaction::begin(connection));
  TRY(const std::int64_t session, save_row(connection, row));
  TRY_STATUS(add_steps(connection, session, new_steps));
  return transaction.commit();
}

Status Vault::save_result(const SessionRow& row, std::span<const SessionStep> new_steps,
                          std::span<const SessionMatch> matches) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(auto transaction, detail::Transaction::begin(connection));
  TRY(const std::int64_t session, save_row(connection, row));
  TRY_STATUS(add_steps(connection, session, new_steps));
  TRY(Statement clear, connection.prepare("DELETE FROM matches WHERE session=?1"));
  TRY_STATUS(clear.bind(1, session).run());
  TRY(Statement add, connection.prepare("INSERT INTO matches(session, type, value, item, file, mine, opened, theirs, "
                                        "sealed_commitment) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"));
  TRY_STATUS(write_matches(*state_->database, add, session, matches));
  return transaction.commit();
}

Status Vault::update_matches(std::string_view session, std::span<const SessionMatch> matches) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(const std::int64_t number, number_of(connection, session));
  TRY(auto transaction, detail::Transaction::begin(connection));
  TRY(Statement update,
      connection.prepare("UPDATE matches SET item=?4, file=?5, mine=?6, opened=?7, theirs=?8, sealed_commitment=?9 "
                         "WHERE session=?1 AND type=?2 AND value=?3"));
  TRY_STATUS(write_matches(*state_->database, update, number, matches));
  return transaction.commit();
}

Result<SessionRow> Vault::session(std::string_view id_or_prefix) {
  TRY(const auto hold, state_->database->gate().enter());
  if (id_or_prefix.size() < kShortestPrefix || !is_hex(id_or_prefix)) {
    return fail(Errc::not_found, fmt::format("{} names no session: give its id, or at least the first {} digits of it.",
                                             id_or_prefix, kShortestPrefix));
  }
  TRY(Statement find, state_->database->connection().prepare(fmt::format(
                          "SELECT {} FROM sessions WHERE id >= ?1 AND id < ?2 ORDER BY id", kSessionColumns)));
  const std::string end = std::string(id_or_prefix) + 'g';  // the letter after the last hexadecimal digit
  find.bind(1, id_or_prefix).bind(2, std::string_view(end));
  TRY(const bool row, find.step());
  if (!row) return no_session(id_or_prefix);
  SessionRow session = read_session(find);
  if (session.id == id_or_prefix) return session;
  TRY(const bool another, find.step());
  if (another) {
    return fail(Errc::not_found, fmt::format("More than one session begins with {}; give more digits.", id_or_prefix));
  }
  return session;
}

Result<std::vector<SessionRow>> Vault::sessions(const SessionFilter& filter) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(Statement rows,
      state_->database->connection().prepare(fmt::format(
          "SELECT {} FROM sessions WHERE {} ORDER BY created DESC, number DESC", kSessionColumns, where_of(filter))));
  bind(rows, filter);
  std::vector<SessionRow> sessions;
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return sessions;
    sessions.push_back(read_session(rows));
  }
}

Result<std::int64_t> Vault::count_sessions(const SessionFilter& filter) {
  TRY(const auto hold, state_->database->gate().enter());
  TRY(Statement count,
      state_->database->connection().prepare(fmt::format("SELECT count(*) FROM sessions WHERE {}", where_of(filter))));
  bind(count, filter);
  TRY(const bool row, count.step());
  return row ? count.integer(0) : 0;
}

Status Vault::forget_sessions(std::span<const std::string> ids) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(auto transaction, detail::Transaction::begin(connection));
  for (const char* statement : {"DELETE FROM steps WHERE session=(SELECT number FROM sessions WHERE id=?1)",
                                "DELETE FROM matches WHERE session=(SELECT number FROM sessions WHERE id=?1)",
                                "DELETE FROM sessions WHERE id=?1"}) {
    TRY(Statement remove, connection.prepare(statement));
    for (const std::string& id : ids) TRY_STATUS(remove.bind(1, std::string_view(id)).run());
  }
  return transaction.commit();
}

Result<std::vector<SessionStep>> Vault::session_steps(std::string_view id) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(const std::int64_t number, number_of(connection, id));
  TRY(Statement rows, connection.prepare("SELECT author, type, note FROM steps WHERE session=?1 ORDER BY number"));
  rows.bind(1, number);
  std::vector<SessionStep> steps;
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return steps;
    steps.push_back({std::string(rows.text(0)), std::string(rows.text(1)), std::string(rows.text(2))});
  }
}

Result<std::vector<SessionMatch>> Vault::session_matches(std::string_view id) {
  TRY(const auto hold, state_->database->gate().enter());
  Connection& connection = state_->database->connection();
  TRY(const std::int64_t number, number_of(connection, id));
  TRY(Statement rows, connection.prepare("SELECT type, value, item, file, mine, opened, theirs, sealed_commitment FROM "
                                         "matches WHERE session=?1 ORDER BY type, value"));
  rows.bind(1, number);
  std::vector<SessionMatch> matches;
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return matches;
    auto indicator =
        indicator::Canonical::from_storage(static_cast<indicator::Type>(rows.integer(0)), std::string(rows.text(1)));
    TRY(const SecretBytes commitment, state_->database->open_cell(commitment_place(number, indicator), rows.bytes(7)));
    matches.push_back({std::move(indicator), rows.integer(2), rows.integer(3), std::string(rows.text(4)),
                       std::string(rows.text(5)), std::string(rows.text(6)), to_bytes(commitment.expose())});
  }
}

}  // namespace parley::vault
