// SQLite as values (sqlite.h).
// Result codes: sqlite.org/rescode.html; pragmas: sqlite.org/pragma.html.
#include "vault/detail/sqlite.h"

#include <fmt/format.h>

#include "base/file.h"

namespace parley::vault::detail {
namespace {

// EXCLUSIVE before the first access keeps the WAL index in memory: no -shm file (sqlite.org/wal.html, section 8).
// FULL syncs the WAL at each commit. Sorts and temporary tables spill to sealed files, so that memory stays bounded.
constexpr const char* kPragmas =
    "PRAGMA locking_mode=EXCLUSIVE;"
    "PRAGMA synchronous=FULL;"
    "PRAGMA cache_size=-65536;"  // KiB
    "PRAGMA mmap_size=0;"
    "PRAGMA temp_store=FILE;"
    "PRAGMA secure_delete=ON;"
    "PRAGMA trusted_schema=OFF;"
    "PRAGMA cell_size_check=ON;";

// A rollback journal would be a file of its own; the new database is not in use yet, so memory will do until WAL is on.
constexpr const char* kCreatePragmas =
    "PRAGMA page_size=4096;"
    "PRAGMA journal_mode=MEMORY;"
    "PRAGMA journal_mode=WAL;";

/// Statements that are kept for the next to ask: more than the vault has of fixed text.
constexpr std::size_t kMostIdle = 128;

// The WAL that a large import leaves shrinks again.
constexpr const char* kWalPragmas = "PRAGMA journal_size_limit=16777216;";

}  // namespace

void Statement::note(int rc) {
  if (rc != SQLITE_OK && bind_error_ == SQLITE_OK) bind_error_ = rc;
}

Statement& Statement::bind(int index, std::int64_t value) {
  note(sqlite3_bind_int64(statement_.get(), index, value));
  return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
  const char* data = text.data() == nullptr ? "" : text.data();
  note(sqlite3_bind_text64(statement_.get(), index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind(int index, ByteView bytes) {
  const void* data = bytes.data() == nullptr ? static_cast<const void*>("") : bytes.data();
  note(sqlite3_bind_blob64(statement_.get(), index, data, bytes.size(), SQLITE_STATIC));
  return *this;
}

Statement& Statement::bind_null(int index) {
  note(sqlite3_bind_null(statement_.get(), index));
  return *this;
}

Result<bool> Statement::step() {
  const int rc = bind_error_ == SQLITE_OK ? sqlite3_step(statement_.get()) : bind_error_;
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) {
    reset();
    return false;
  }
  Error error = connection_->error(rc);
  reset();
  return std::unexpected(std::move(error));
}

Status Statement::run() {
  TRY(const bool row, step());
  if (row) reset();
  return {};
}

Result<std::int64_t> Statement::run_counting() {
  TRY_STATUS(run());
  return sqlite3_changes64(connection_->handle());
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  bind_error_ = SQLITE_OK;
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

std::string_view Statement::text(int column) const {
  return as_text(bytes(column));
}

ByteView Statement::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return data == nullptr ? ByteView() : ByteView(static_cast<const std::byte*>(data), size);
}

Result<std::unique_ptr<Connection>> Connection::open(std::unique_ptr<SealedVfs> vfs,
                                                     const std::filesystem::path& database, bool create) {
  std::unique_ptr<Connection> connection(new Connection(std::move(vfs), database.string()));
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int rc = sqlite3_open_v2(database.c_str(), &connection->handle_, flags, connection->vfs_->name());
  if (rc != SQLITE_OK) return std::unexpected(connection->error(rc));
  sqlite3_db_config(connection->handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_db_config(connection->handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  TRY_STATUS(connection->settle(create));
  return connection;
}

Status Connection::settle(bool create) {
  TRY_STATUS(execute(kPragmas));
  if (create) {
    int reserved = static_cast<int>(kSealBytes);
    const int rc = sqlite3_file_control(handle_, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
    if (rc != SQLITE_OK) return std::unexpected(error(rc));
    TRY_STATUS(execute(kCreatePragmas));
  }
  TRY_STATUS(execute(kWalPragmas));
  TRY(Statement mode, prepare("PRAGMA journal_mode"));
  TRY(const bool row, mode.step());
  if (!row || mode.text(0) != "wal") return fail(Errc::internal, "SQLite refused the write-ahead log.", place_);
  return {};
}

Connection::~Connection() {
  // Statements are given back by now: whoever prepared them lives shorter than the connection.
  for (const auto& [sql, statement] : idle_) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

void Connection::checkpoint_on_close() {
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
}

Result<Statement> Connection::prepare(std::string_view sql) {
  if (const auto found = idle_.find(sql); found != idle_.end()) {
    sqlite3_stmt* const idle = found->second;
    idle_.erase(found);
    return Statement(*this, idle);
  }
  sqlite3_stmt* statement = nullptr;
  const int rc = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                    &statement, nullptr);
  if (rc != SQLITE_OK) return std::unexpected(error(rc));
  return Statement(*this, statement);
}

void Statement::GiveBack::operator()(sqlite3_stmt* statement) const {
  connection->take_back(statement);
}

/// What was bound belongs to whoever used the statement, and is forgotten.
void Connection::take_back(sqlite3_stmt* statement) {
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  if (idle_.size() == kMostIdle) {
    sqlite3_finalize(idle_.begin()->second);
    idle_.erase(idle_.begin());
  }
  idle_.emplace(sqlite3_sql(statement), statement);
}

Status Connection::execute(const char* sql) {
  const int rc = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return std::unexpected(error(rc));
  return {};
}

Result<std::int64_t> Connection::integer(std::string_view sql) {
  TRY(Statement statement, prepare(sql));
  TRY(const bool row, statement.step());
  return row ? statement.integer(0) : 0;
}

Error Connection::error(int rc) const {
  if (!vfs_->damage().empty())
    return {Errc::vault_damaged, vfs_->damage() + " Put the vault back from a backup.", place_};
  switch (rc & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {Errc::vault_damaged, "The vault's database contradicts itself. Put the vault back from a backup.",
              place_};
    case SQLITE_FULL:
      return {Errc::io, "The disk is full; the vault stays as it was.", place_};
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM: {
      const int system_error = handle_ == nullptr ? 0 : sqlite3_system_errno(handle_);
      const std::string reason = system_error != 0 ? system_error_text(system_error) : sqlite3_errstr(rc);
      return {Errc::io,
              fmt::format("The vault's files cannot be read or written ({}); the vault stays as it was.", reason),
              place_};
    }
    case SQLITE_NOMEM:
      return {Errc::io, "There is no memory left; the vault stays as it was.", place_};
    case SQLITE_TOOBIG:
      return {Errc::limit, "A value is too large for the vault.", place_};
    default:
      return {
          Errc::internal,
          fmt::format("SQLite failed: {} ({}).", handle_ == nullptr ? sqlite3_errstr(rc) : sqlite3_errmsg(handle_), rc),
          place_};
  }
}

Result<Transaction> Transaction::begin(Connection& connection) {
  const bool inner = connection.in_transaction();
  TRY(Statement begin, connection.prepare(inner ? "SAVEPOINT inner" : "BEGIN IMMEDIATE"));
  TRY_STATUS(begin.run());
  return Transaction(connection, inner);
}

Status Transaction::commit() {
  TRY(Statement commit, connection_->prepare(inner_ ? "RELEASE inner" : "COMMIT"));
  TRY_STATUS(commit.run());
  connection_ = nullptr;
  return {};
}

Transaction::~Transaction() {
  // SQLite undoes a transaction by itself on some failures (sqlite.org/lang_transaction.html); nothing is open then.
  if (connection_ != nullptr && connection_->in_transaction())
    static_cast<void>(connection_->execute(inner_ ? "ROLLBACK TO inner; RELEASE inner" : "ROLLBACK"));
}

}  // namespace parley::vault::detail
