#include "indicator/detail/address.h"

#include <algorithm>
#include <charconv>

#include "indicator/detail/unicode.h"

namespace parley::indicator::detail {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned kMappedBits = 96;

void append_decimal(std::string& out, unsigned value) {
  std::array<char, 10> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

/// The eight groups of an IPv6 address as they are read.
struct Groups {
  std::array<std::uint16_t, 8> value{};
  std::size_t count = 0;
  std::optional<std::size_t> gap;  ///< where "::" stands

  bool push(unsigned group) {
    if (count == value.size()) return false;
    value[count++] = static_cast<std::uint16_t>(group);
    return true;
  }

  std::optional<Address> address() const {
    if (gap ? count > 7 : count != 8) return std::nullopt;
    std::array<std::uint16_t, 8> all{};
    const std::size_t before = gap.value_or(count);
    std::copy_n(value.begin(), before, all.begin());
    std::copy(value.begin() + static_cast<std::ptrdiff_t>(before), value.begin() + static_cast<std::ptrdiff_t>(count),
              all.end() - static_cast<std::ptrdiff_t>(count - before));
    Address address;
    for (std::size_t i = 0; i < all.size(); ++i) {
      address.bytes[2 * i] = static_cast<std::uint8_t>(all[i] >> 8);
      address.bytes[2 * i + 1] = static_cast<std::uint8_t>(all[i] & 0xff);
    }
    return address;
  }
};

std::optional<unsigned> parse_group(std::string_view text) {
  if (text.empty() || text.size() > 4) return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    const int digit = hex_digit(c);
    if (digit < 0) return std::nullopt;
    value = value * 16 + static_cast<unsigned>(digit);
  }
  return value;
}

}  // namespace

bool Address::is_ipv4() const {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin());
}

Address Prefix::first() const {
  Address out = address;
  const unsigned kept = bits + (128 - width());
  for (unsigned i = 0; i < out.bytes.size(); ++i) {
    const unsigned start = 8 * i;
    if (start >= kept) {
      out.bytes[i] = 0;
    } else if (kept - start < 8) {
      out.bytes[i] = static_cast<std::uint8_t>(out.bytes[i] & (0xff00u >> (kept - start)));
    }
  }
  return out;
}

Address Prefix::last() const {
  Address out = address;
  const unsigned kept = bits + (128 - width());
  for (unsigned i = 0; i < out.bytes.size(); ++i) {
    const unsigned start = 8 * i;
    if (start >= kept) {
      out.bytes[i] = 0xff;
    } else if (kept - start < 8) {
      out.bytes[i] = static_cast<std::uint8_t>(out.bytes[i] | (0xffu >> (kept - start)));
    }
  }
  return out;
}

std::optional<Address> parse_ipv4(std::string_view text) {
  Address out;
  std::ranges::copy(kMappedPrefix, out.bytes.begin());
  std::size_t at = 0;
  for (std::size_t octet = 0; octet < 4; ++octet) {
    if (octet > 0) {
      if (at >= text.size() || text[at] != '.') return std::nullopt;
      ++at;
    }
    const std::size_t start = at;
    unsigned value = 0;
    while (at < text.size() && at - start < 3 && is_digit(text[at])) {
      value = value * 10 + static_cast<unsigned>(text[at++] - '0');
    }
    const std::size_t digits = at - start;
    if (digits == 0 || value > 255 || (digits > 1 && text[start] == '0')) return std::nullopt;
    out.bytes[kMappedPrefix.size() + octet] = static_cast<std::uint8_t>(value);
  }
  if (at != text.size()) return std::nullopt;
  return out;
}

std::optional<Address> parse_ipv6(std::string_view text) {
  constexpr std::size_t kLongest = 45;  // eight groups, the last two as a dotted quad
  if (text.size() < 2 || text.size() > kLongest) return std::nullopt;
  Groups groups;
  if (text.starts_with("::")) {
    groups.gap = 0;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    const std::size_t colon = text.find(':');
    const std::string_view group = text.substr(0, colon);
    if (colon == std::string_view::npos && group.find('.') != std::string_view::npos) {
      const auto quad = parse_ipv4(group);
      if (!quad || !groups.push(quad->bytes[12] * 256U + quad->bytes[13]) ||
          !groups.push(quad->bytes[14] * 256U + quad->bytes[15])) {
        return std::nullopt;
      }
      break;
    }
    const auto value = parse_group(group);
    if (!value || !groups.push(*value)) return std::nullopt;
    if (colon == std::string_view::npos) break;
    text.remove_prefix(colon + 1);
    if (text.starts_with(':')) {
      if (groups.gap) return std::nullopt;
      groups.gap = groups.count;
      text.remove_prefix(1);
    } else if (text.empty()) {
      return std::nullopt;
    }
  }
  return groups.address();
}

std::optional<Prefix> parse_prefix(std::string_view text) {
  const std::size_t slash = text.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view digits = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (error != std::errc{} || end != digits.data() + digits.size() || digits.size() > 3) return std::nullopt;
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  if (const auto ipv4 = parse_ipv4(text.substr(0, slash))) {
    return bits <= 32 ? std::optional(Prefix{*ipv4, bits}) : std::nullopt;
  }
  const auto ipv6 = parse_ipv6(text.substr(0, slash));
  if (!ipv6 || bits > 128) return std::nullopt;
  if (!ipv6->is_ipv4()) return Prefix{*ipv6, bits};
  // A shorter prefix of a mapped address reaches beyond IPv4; its own bytes would then read as IPv4 ones.
  return bits >= kMappedBits ? std::optional(Prefix{*ipv6, bits - kMappedBits}) : std::nullopt;
}

std::string format(const Address& address) {
  std::string out;
  if (address.is_ipv4()) {
    for (std::size_t i = 12; i < 16; ++i) {
      if (i > 12) out.push_back('.');
      append_decimal(out, address.bytes[i]);
    }
    return out;
  }
  const auto group = [&](std::size_t i) { return (address.bytes[2 * i] << 8) | address.bytes[2 * i + 1]; };
  std::size_t gap_start = 8;
  std::size_t gap_size = 1;  // RFC 5952 section 4.2.2: a single zero group is not shortened
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t run = 0;
    while (i + run < 8 && group(i + run) == 0) ++run;
    if (run > gap_size) {
      gap_start = i;
      gap_size = run;
    }
    i += run;
  }
  for (std::size_t i = 0; i < 8;) {
    if (i == gap_start) {
      out += "::";
      i += gap_size;
      continue;
    }
    if (!out.empty() && out.back() != ':') out.push_back(':');
    std::array<char, 4> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), group(i), 16).ptr;
    out.append(digits.data(), end);
    ++i;
  }
  return out;
}

}  // namespace parley::indicator::detail
