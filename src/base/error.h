// Errors are values: a code for programs, a sentence for people, and where it happened.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace parley {

/// Stable names; docs/formats.md lists them. A code never changes its meaning.
enum class Errc {
  usage,            ///< the command line or a rule file asks for something that does not exist
  not_found,        ///< a file, peer, session or label that is not there
  exists,           ///< refusing to overwrite
  io,               ///< the operating system failed a read, write or fsync
  format,           ///< bytes from outside are not what they claim to be
  limit,            ///< larger, deeper or longer than the named limit
  unsupported,      ///< a version, suite or type that this program does not know
  passphrase,       ///< wrong passphrase or key file
  vault_damaged,    ///< the vault fails its own integrity check
  vault_locked,     ///< another process owns the vault
  key_weak,         ///< a public key that admission refuses (log.md 1.1)
  key_permissions,  ///< a secret file that others can read
  signature,        ///< a signature does not verify
  peer_unknown,     ///< the key at the other end is not one that we pinned
  peer_gone,        ///< the connection ended or timed out
  protocol,         ///< the peer sent what the protocol forbids
  skew,             ///< the two nodes run different canonical-form rules or protocol versions, or their clocks differ
  policy,           ///< our own rules refuse
  refused,          ///< the peer refused
  mark,             ///< TLP or PAP forbids it
  cancelled,        ///< the user or a shutdown stopped it
  internal,         ///< a broken invariant; please report
};

const char* name_of(Errc code);

struct [[nodiscard]] Error {
  Errc code = Errc::internal;
  std::string message;  ///< a sentence: what was wrong and what to do
  std::string where;    ///< file, line, JSON path or peer; may be empty

  /// "where: message", or the message alone.
  std::string text() const { return where.empty() ? message : where + ": " + message; }

  /// The same error seen from further out, where the place is known.
  Error at(std::string place) && {
    where = where.empty() ? std::move(place) : std::move(place) + ", " + where;
    return std::move(*this);
  }
};

template <typename T>
using Result = std::expected<T, Error>;
using Status = std::expected<void, Error>;

inline std::unexpected<Error> fail(Errc code, std::string message, std::string where = {}) {
  return std::unexpected(Error{code, std::move(message), std::move(where)});
}

#define PARLEY_CONCAT_(a, b) a##b
#define PARLEY_CONCAT(a, b) PARLEY_CONCAT_(a, b)

/// TRY(auto x, f()): x is f()'s value, or the function returns f()'s error.
#define TRY(declaration, expression) TRY_(PARLEY_CONCAT(try_result_, __LINE__), declaration, expression)
#define TRY_(result, declaration, expression)                            \
  auto result = (expression);                                            \
  if (!result) return std::unexpected(std::move(result).error());        \
  declaration = std::move(result).value()

/// TRY_STATUS(f()): the function returns f()'s error, if it has one.
#define TRY_STATUS(expression)                                                                \
  do {                                                                                        \
    if (auto try_status = (expression); !try_status) return std::unexpected(std::move(try_status).error()); \
  } while (false)

}  // namespace parley
