#include "indicator/indicator.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "indicator/detail/address.h"
#include "indicator/detail/defang.h"
#include "indicator/detail/host.h"
#include "indicator/detail/unicode.h"
#include "indicator/detail/url.h"
#include "indicator/detail/values.h"

namespace parley::indicator {
namespace {

/// Changes whenever a rule of docs/canonical-forms.md or of extraction does.
constexpr std::string_view kRules = "parley-canon/1";

struct TypeName {
  Type type;
  std::string_view name;
  std::string_view expected;  ///< for "expected ..."
};

constexpr std::array kTypeNames = {
    TypeName{Type::ipv4, "ipv4", "an IPv4 address such as 192.0.2.1"},
    TypeName{Type::ipv6, "ipv6", "an IPv6 address such as 2001:db8::1"},
    TypeName{Type::cidr, "cidr", "an address range such as 192.0.2.0/24"},
    TypeName{Type::domain, "domain", "a domain such as example.org"},
    TypeName{Type::url, "url", "a URL such as http://example.org/path"},
    TypeName{Type::email, "email", "an e-mail address such as name@example.org"},
    TypeName{Type::md5, "md5", "an MD5 hash (32 hexadecimal digits)"},
    TypeName{Type::sha1, "sha1", "a SHA-1 hash (40 hexadecimal digits)"},
    TypeName{Type::sha256, "sha256", "a SHA-256 hash (64 hexadecimal digits)"},
    TypeName{Type::sha512, "sha512", "a SHA-512 hash (128 hexadecimal digits)"},
    TypeName{Type::filename, "filename", "a file name"},
    TypeName{Type::mutex, "mutex", "the name of a mutex"},
    TypeName{Type::regkey, "regkey", "a registry key"},
    TypeName{Type::user_agent, "user-agent", "a user agent"},
    TypeName{Type::ja3, "ja3", "a JA3 fingerprint (32 hexadecimal digits)"},
    TypeName{Type::asn, "asn", "an autonomous system number such as AS64496"},
    TypeName{Type::btc, "btc", "a Bitcoin address"},
    TypeName{Type::cve, "cve", "a CVE number such as CVE-2017-0262"},
};

const TypeName& entry_of(Type type) {
  return kTypeNames[static_cast<std::size_t>(type) - static_cast<std::size_t>(kTypeNames.front().type)];
}

std::unexpected<Error> refuse(Type type, std::string_view text, std::string_view why = {}) {
  constexpr std::size_t kShown = 80;
  std::string message =
      fmt::format("expected {}, found \"{}\"", entry_of(type).expected, visible(text.substr(0, kShown)));
  if (text.size() > kShown) message += fmt::format(" ... ({} bytes)", text.size());
  if (!why.empty()) message += fmt::format(" ({})", why);
  return fail(Errc::format, std::move(message));
}

Result<Canonical> made(Type type, std::string value) {
  return Canonical::from_storage(type, std::move(value));
}

Result<Canonical> of(Type type, std::string_view text, Result<std::string> value) {
  if (!value) return refuse(type, text, value.error().message);
  return made(type, std::move(*value));
}

Canonical of(const detail::Address& address) {
  return Canonical::from_storage(address.is_ipv4() ? Type::ipv4 : Type::ipv6, format(address));
}

/// Precondition: `digits` come from hash_digits().
Result<Canonical> hash_of(std::string digits) {
  const Type type = detail::hash_type(digits.size()).value();
  return made(type, std::move(digits));
}

/// An address or a prefix, or nothing.
std::optional<Canonical> address_or_prefix(std::string_view text) {
  if (const auto ipv4 = detail::parse_ipv4(text)) return of(*ipv4);
  std::string_view bare = text;
  if (bare.starts_with('[') && bare.ends_with(']')) bare = bare.substr(1, bare.size() - 2);
  const std::string_view unzoned = bare.substr(0, bare.find('%'));
  if (const auto ipv6 = detail::parse_ipv6(unzoned)) return of(*ipv6);
  if (const auto prefix = detail::parse_prefix(text)) {
    if (prefix->bits == prefix->width()) return of(prefix->address);
    return Canonical::from_storage(Type::cidr, fmt::format("{}/{}", format(prefix->first()), prefix->bits));
  }
  return std::nullopt;
}

/// "host:port" without its port; the text itself when there is none.
std::string_view without_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return text;
  const std::string_view port = text.substr(colon + 1);
  const std::string_view host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  constexpr std::size_t kPortDigits = 5;
  const bool is_port = !port.empty() && port.size() <= kPortDigits && std::ranges::all_of(port, detail::is_digit);
  return is_port && (bracketed || host.find(':') == std::string_view::npos) ? host : text;
}

/// Addresses, names, URLs and hashes have forms that no other of these types has, so the value decides and the declared
/// type only words the error.
Result<Canonical> network(Type declared, std::string_view text) {
  if (text.find("://") != std::string_view::npos) return of(Type::url, text, detail::canonical_url(text));
  if (const auto address = address_or_prefix(text)) return *address;
  if (auto digits = detail::hash_digits(text)) return hash_of(std::move(*digits));
  if (declared != Type::url && text.find('@') != std::string_view::npos && !text.starts_with('@')) {
    return of(Type::email, text, detail::canonical_email(text));
  }
  std::string_view name = text;
  if (name.starts_with('@')) name.remove_prefix(1);
  while (declared != Type::cidr && name.ends_with('/')) name.remove_suffix(1);  // "192.0.2.0/" lost its bits
  if (name.find_first_of("/?#") != std::string_view::npos) {
    // 192.0.2.1/33 in the place of an address is a mistake and not a page.
    if (declared != Type::url && declared != Type::domain) return refuse(declared, text);
    // Without a scheme a path is all that tells a URL from a list of words, so its host must be whole.
    const std::string_view host = without_port(name.substr(0, name.find_first_of("/?#")));
    if (auto known = detail::canonical_host(host, 2); !known) return refuse(declared, text, known.error().message);
    return of(Type::url, text, detail::canonical_url(fmt::format("http://{}", text)));
  }
  const std::string_view host = without_port(name);
  if (const auto address = address_or_prefix(host)) return *address;
  std::string_view domain = host;
  if (domain.starts_with('*')) domain.remove_prefix(1);
  if (domain.starts_with('.')) domain.remove_prefix(1);
  auto canonical = detail::canonical_domain(domain, 2);
  if (!canonical) return refuse(declared, text, canonical.error().message);
  return made(Type::domain, std::move(*canonical));
}

Result<Canonical> ja3(std::string_view text) {
  auto digits = detail::hash_digits(text);
  if (!digits || detail::hash_type(digits->size()) != Type::md5) return refuse(Type::ja3, text);
  return made(Type::ja3, std::move(*digits));
}

Result<Canonical> hash(Type declared, std::string_view text) {
  auto digits = detail::hash_digits(text);
  if (!digits) return refuse(declared, text);
  return hash_of(std::move(*digits));
}

/// One round of the rules, over text that is valid UTF-8 without control characters.
Result<Canonical> apply_rules(Type type, std::string_view text) {
  switch (type) {
    case Type::filename:
      return of(type, text, detail::canonical_filename(text));
    case Type::regkey:
      return of(type, text, detail::canonical_registry_key(text));
    case Type::mutex:
    case Type::user_agent:
      return made(type, std::string(text));
    default:
      break;
  }
  std::string plain;
  if (detail::may_be_defanged(text)) {
    plain = detail::refang(text).text;
    text = detail::trim(plain);
  }
  switch (type) {
    case Type::md5:
    case Type::sha1:
    case Type::sha256:
    case Type::sha512:
      return hash(type, text);
    case Type::ja3:
      return ja3(text);
    case Type::asn:
      return of(type, text, detail::canonical_asn(text));
    case Type::btc:
      return of(type, text, detail::canonical_btc(text));
    case Type::cve:
      return of(type, text, detail::canonical_cve(text));
    default:
      return network(type, text);
  }
}

bool is_control(detail::CodePoint point) {
  return point.value < 0x20 || (point.value >= 0x7f && point.value < 0xa0);
}

Status check_text(Type type, std::string_view text) {
  if (text.empty()) return refuse(type, text, "it is empty");
  if (text.size() > kMaxValueBytes) return refuse(type, text, fmt::format("longer than {} bytes", kMaxValueBytes));
  for (std::string_view rest = text; !rest.empty();) {
    const detail::CodePoint point = detail::decode(rest);
    if (point.size == 0) return refuse(type, text, "it is not valid UTF-8");
    if (is_control(point)) return refuse(type, text, "it holds a control character");
    rest.remove_prefix(point.size);
  }
  return {};
}

/// "value", <value>, `value`: quoted somewhere, and copied with the quotes.
std::string_view without_quotes(std::string_view text) {
  constexpr std::array<std::string_view, 4> kPairs = {"\"\"", "''", "``", "<>"};
  for (const std::string_view pair : kPairs) {
    if (text.size() > 2 && text.front() == pair[0] && text.back() == pair[1]) {
      return detail::trim(text.substr(1, text.size() - 2));
    }
  }
  return text;
}

}  // namespace

std::string_view name_of(Type type) {
  return entry_of(type).name;
}

std::optional<Type> type_named(std::string_view name) {
  const auto found = std::ranges::find(kTypeNames, name, &TypeName::name);
  return found == kTypeNames.end() ? std::nullopt : std::optional(found->type);
}

Bytes Canonical::typed() const {
  Bytes out;
  out.reserve(3 + value_.size());
  append_be(out, static_cast<std::uint8_t>(type_));
  append_be(out, static_cast<std::uint16_t>(value_.size()));
  append(out, as_bytes(value_));
  return out;
}

Result<Canonical> canonicalise(Type type, std::string_view text) {
  // The bulk of all imports. A plain address cannot mean anything else, in whatever column it stands.
  if (type == Type::ipv4) {
    if (const auto address = detail::parse_ipv4(text)) return of(*address);
  }
  const bool may_be_quoted = type != Type::mutex && type != Type::user_agent;
  std::string value;
  Type current = type;
  // A rule's outcome can be input for a rule again ("[[.]]", "a.exe/..\\b"). Only what stays as it is, is canonical.
  constexpr int kRounds = 8;
  for (int round = 0; round < kRounds; ++round) {
    std::string_view bare = detail::trim(text);
    if (may_be_quoted) bare = without_quotes(bare);
    TRY_STATUS(check_text(current, bare));
    TRY(Canonical next, apply_rules(current, bare));
    const bool settled = next.type() == current && next.value() == text;
    if (settled) return next;
    if (next.value().size() > kMaxValueBytes) {
      return refuse(type, bare, fmt::format("longer than {} bytes", kMaxValueBytes));
    }
    const bool plain_form = is_hash(next.type()) || next.type() == Type::ipv4 || next.type() == Type::domain;
    if (plain_form) return next;
    current = next.type();
    value = next.value();
    text = value;
  }
  return refuse(type, text, "it is defanged or nested too often");
}

ByteArray<16> rules_id() {
  std::string preimage(kRules);
  for (const std::string_view part :
       {detail::idna_library_version(), detail::public_suffix_data_id(), detail::public_suffix_library_version()}) {
    preimage.push_back('\n');
    preimage += part;
  }
  ByteArray<crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256(as_uchar_mutable(digest), as_uchar(as_bytes(preimage)), preimage.size());
  ByteArray<16> id{};
  std::copy_n(digest.begin(), id.size(), id.begin());
  return id;
}

std::string rules_name() {
  return fmt::format("{} {}", kRules, to_hex(rules_id()));
}

}  // namespace parley::indicator
