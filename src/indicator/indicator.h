// Indicators: the types that parley knows, and the one canonical form of each value (docs/canonical-forms.md).
#pragma once

#include <array>
#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace parley::indicator {

/// The numbers stand in commitments and on the wire: they never change meaning.
enum class Type : std::uint8_t {
  ipv4 = 1,
  ipv6 = 2,
  cidr = 3,
  domain = 4,
  url = 5,
  email = 6,
  md5 = 7,
  sha1 = 8,
  sha256 = 9,
  sha512 = 10,
  filename = 11,
  mutex = 12,
  regkey = 13,
  user_agent = 14,
  ja3 = 15,
  asn = 16,
  btc = 17,
  cve = 18,
};

inline constexpr std::array kAllTypes = {
    Type::ipv4, Type::ipv6,   Type::cidr,     Type::domain, Type::url,    Type::email,      Type::md5, Type::sha1, Type::sha256,
    Type::sha512, Type::filename, Type::mutex, Type::regkey, Type::user_agent, Type::ja3, Type::asn, Type::btc, Type::cve};

/// "ipv4", "domain", "user-agent", …: the names that commands, files and messages use.
std::string_view name_of(Type type);
std::optional<Type> type_named(std::string_view name);

constexpr bool is_hash(Type type) {
  return type == Type::md5 || type == Type::sha1 || type == Type::sha256 || type == Type::sha512;
}

/// The longest canonical value, in bytes. Longer ones are refused (psi.md 0.2).
inline constexpr std::size_t kMaxValueBytes = 4096;

/// An indicator in canonical form. Only the canonicaliser makes one; a vault or a message gives back what it made.
class Canonical {
 public:
  Type type() const { return type_; }
  const std::string& value() const { return value_; }

  /// psi.md 0.2: u8(type) || u16be(length) || value.
  Bytes typed() const;

  /// Takes back a value that a canonicaliser of this program made and that integrity-protected storage kept.
  /// Anything from outside goes through canonicalise().
  static Canonical from_storage(Type type, std::string value) { return Canonical(type, std::move(value)); }

  auto operator<=>(const Canonical&) const = default;

 private:
  friend Result<Canonical> canonicalise(Type type, std::string_view text);
  Canonical(Type type, std::string value) : type_(type), value_(std::move(value)) {}

  Type type_;
  std::string value_;
};

/// Brings `text`, taken to be a `type`, to canonical form; undoes defanging first. The result's type can differ where the
/// value is plainly of another one: a hash goes by its length, 1.2.3.4/32 is an address, an address in a URL's place is
/// an address.
/// @error Errc::format with a sentence that says what was expected.
Result<Canonical> canonicalise(Type type, std::string_view text);

/// The set of rules (and of the public suffix and IDNA data behind them) as 16 bytes; two nodes run a session only when
/// theirs are equal (psi.md 0.2).
ByteArray<16> rules_id();
/// The same for people: "parley-canon/1 3f2a…".
std::string rules_name();

}  // namespace parley::indicator
