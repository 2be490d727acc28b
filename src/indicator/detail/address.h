// IP addresses and prefixes: strict parsing, one way of writing (RFC 4291, RFC 4632, RFC 5952).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace parley::indicator::detail {

/// The 16 bytes of an address, network order. An IPv4 address is held as its IPv4-mapped form (RFC 4291
/// section 2.5.5.2), so that one comparison serves both families.
struct Address {
  std::array<std::uint8_t, 16> bytes{};

  bool is_ipv4() const;
  auto operator<=>(const Address&) const = default;
};

/// An address and how many leading bits count. `bits` is in the family's own terms: 0 to 32 for IPv4, 0 to 128 for
/// IPv6.
struct Prefix {
  Address address;
  unsigned bits = 0;

  unsigned width() const { return address.is_ipv4() ? 32 : 128; }
  Address first() const;  ///< host bits zero
  Address last() const;   ///< host bits one
};

/// Four decimal octets without leading zeros ("010" is eight to one program and ten to another).
std::optional<Address> parse_ipv4(std::string_view text);
/// RFC 4291 section 2.2, all three forms, without brackets or zone.
std::optional<Address> parse_ipv6(std::string_view text);
/// "address/bits"; an IPv4-mapped prefix of 96 bits or more is an IPv4 prefix.
std::optional<Prefix> parse_prefix(std::string_view text);

/// Dotted quad, or RFC 5952 without the mixed notation.
std::string format(const Address& address);

}  // namespace parley::indicator::detail
