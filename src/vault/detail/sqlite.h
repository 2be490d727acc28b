// SQLite as values: a connection, a statement, a transaction; failures become errors with a sentence.
// sqlite.org/c3ref; used by the vault's own thread of control only (gate.h).
#pragma once

#include <sqlite3.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "vault/detail/sealed_vfs.h"

namespace parley::vault::detail {

class Connection;

/// A prepared statement, lent by its connection for as long as this lives. Bound text and bytes must live until the
/// next reset().
class Statement {
 public:
  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, std::string_view text);
  Statement& bind(int index, ByteView bytes);
  Statement& bind_null(int index);
  template <typename Integer>
  Statement& bind(int index, const std::optional<Integer>& value) {
    return value ? bind(index, static_cast<std::int64_t>(*value)) : bind_null(index);
  }

  /// True: a row is there. False: done; the statement is reset.
  Result<bool> step();
  /// For statements without rows. Resets.
  Status run();
  /// run(), and the number of rows that it changed.
  Result<std::int64_t> run_counting();
  void reset();

  std::int64_t integer(int column) const;
  bool is_null(int column) const;
  /// Valid until the next step() or reset().
  std::string_view text(int column) const;
  ByteView bytes(int column) const;

 private:
  friend class Connection;
  struct GiveBack {
    Connection* connection;
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(Connection& connection, sqlite3_stmt* statement)
      : connection_(&connection), statement_(statement, GiveBack{&connection}) {}
  void note(int rc);

  Connection* connection_;
  std::unique_ptr<sqlite3_stmt, GiveBack> statement_;
  int bind_error_ = SQLITE_OK;
};

/// The one connection to the vault's database.
class Connection {
 public:
  /// @param create  makes the database: page size, reserved bytes and WAL are settled here.
  static Result<std::unique_ptr<Connection>> open(std::unique_ptr<SealedVfs> vfs, const std::filesystem::path& database,
                                                  bool create);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// What was prepared before and given back is not parsed and planned again.
  Result<Statement> prepare(std::string_view sql);
  /// One or several statements without parameters.
  Status execute(const char* sql);
  Result<std::int64_t> integer(std::string_view sql);

  bool in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }
  std::int64_t last_row() const { return sqlite3_last_insert_rowid(handle_); }
  sqlite3* handle() const { return handle_; }
  /// Until then, closing leaves the WAL as it is, so that a vault that is refused stays untouched.
  void checkpoint_on_close();

  /// SQLite's failure `rc` as an error for a person.
  Error error(int rc) const;

 private:
  Connection(std::unique_ptr<SealedVfs> vfs, std::string place) : vfs_(std::move(vfs)), place_(std::move(place)) {}
  friend class Statement;
  Status settle(bool create);
  void take_back(sqlite3_stmt* statement);

  std::unique_ptr<SealedVfs> vfs_;
  std::string place_;
  sqlite3* handle_ = nullptr;
  std::multimap<std::string, sqlite3_stmt*, std::less<>> idle_;  ///< statements that nobody uses, by their text
};

/// Undone when it goes without commit(). Inside of another it is a part of that one (a savepoint): it can be undone by
/// itself, and is durable with the outer one.
class Transaction {
 public:
  static Result<Transaction> begin(Connection& connection);
  Transaction(Transaction&& other) noexcept
      : connection_(std::exchange(other.connection_, nullptr)), inner_(other.inner_) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  /// The outermost is durable when it returns.
  Status commit();

 private:
  Transaction(Connection& connection, bool inner) : connection_(&connection), inner_(inner) {}
  Connection* connection_;
  bool inner_;
};

}  // namespace parley::vault::detail
