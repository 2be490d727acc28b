// What a value is: by the name that a file gives its type, and by its own look.
#include <algorithm>
#include <array>
#include <utility>

#include "formats/intake.h"
#include "formats/limits.h"

namespace parley::formats {
namespace {

using indicator::Canonical;
using indicator::canonicalise;
using indicator::Type;

constexpr Declared kAnyHash{Type::sha256, true};
constexpr Declared kAnyAddress{Type::ipv4, true};

/// Names of types as MISP attributes, STIX objects and the columns and cells of published CSV files give them; written
/// in lower case with '-' for '_' and ' '. Sorted.
constexpr auto kTypeNames = std::to_array<std::pair<std::string_view, Declared>>({
    {"address", kAnyAddress},
    {"as", {Type::asn}},
    {"asn", {Type::asn}},
    {"autonomous-system", {Type::asn}},
    {"bitcoin", {Type::btc}},
    {"bitcoin-address", {Type::btc}},
    {"btc", {Type::btc}},
    {"c2-domain", {Type::domain}},
    {"c2-ip", kAnyAddress},
    {"cidr", {Type::cidr}},
    {"cve", {Type::cve}},
    {"cve-id", {Type::cve}},
    {"dns", {Type::domain}},
    {"domain", {Type::domain}},
    {"domain-name", {Type::domain}},
    {"domainname", {Type::domain}},
    {"domains", {Type::domain}},
    {"dst-ip", kAnyAddress},
    {"email", {Type::email}},
    {"email-addr", {Type::email}},
    {"email-address", {Type::email}},
    {"email-dst", {Type::email}},
    {"email-reply-to", {Type::email}},
    {"email-src", {Type::email}},
    {"emailaddr", {Type::email}},
    {"file-hash", kAnyHash},
    {"file-name", {Type::filename}},
    {"filehash", kAnyHash},
    {"filehash-md5", {Type::md5}},
    {"filehash-sha1", {Type::sha1}},
    {"filehash-sha256", {Type::sha256}},
    {"filename", {Type::filename}},
    {"fqdn", {Type::domain}},
    {"from-email", {Type::email}},
    {"hash", kAnyHash},
    {"hash-md5", {Type::md5}},
    {"hash-sha1", {Type::sha1}},
    {"hash-sha256", {Type::sha256}},
    {"hash-sha512", {Type::sha512}},
    {"hashes", kAnyHash},
    {"host", {Type::domain}},
    {"hostname", {Type::domain}},
    {"ip", kAnyAddress},
    {"ip-addr", kAnyAddress},
    {"ip-address", kAnyAddress},
    {"ip-dst", kAnyAddress},
    {"ip-src", kAnyAddress},
    {"ipaddress", kAnyAddress},
    {"ips", kAnyAddress},
    {"ipv4", {Type::ipv4}},
    {"ipv4-addr", {Type::ipv4}},
    {"ipv4-cidr", {Type::cidr}},
    {"ipv4addr", {Type::ipv4}},
    {"ipv6", {Type::ipv6}},
    {"ipv6-addr", {Type::ipv6}},
    {"ipv6-cidr", {Type::cidr}},
    {"ipv6addr", {Type::ipv6}},
    {"ja3", {Type::ja3}},
    {"ja3-fingerprint-md5", {Type::ja3}},
    {"ja3-md5", {Type::ja3}},
    {"md5", {Type::md5}},
    {"md5-hash", {Type::md5}},
    {"mutex", {Type::mutex}},
    {"mutex-name", {Type::mutex}},
    {"netblock", {Type::cidr}},
    {"network", {Type::cidr}},
    {"reg-key", {Type::regkey}},
    {"registry", {Type::regkey}},
    {"registry-key", {Type::regkey}},
    {"regkey", {Type::regkey}},
    {"sha-1", {Type::sha1}},
    {"sha-256", {Type::sha256}},
    {"sha-512", {Type::sha512}},
    {"sha1", {Type::sha1}},
    {"sha1-hash", {Type::sha1}},
    {"sha256", {Type::sha256}},
    {"sha256-hash", {Type::sha256}},
    {"sha512", {Type::sha512}},
    {"sha512-hash", {Type::sha512}},
    {"src-ip", kAnyAddress},
    {"subnet", {Type::cidr}},
    {"uri", {Type::url}},
    {"url", {Type::url}},
    {"urls", {Type::url}},
    {"user-agent", {Type::user_agent}},
    {"useragent", {Type::user_agent}},
    {"vulnerability", {Type::cve}},
    {"windows-registry-key", {Type::regkey}},
    {"x509-fingerprint-md5", {Type::md5}},
    {"x509-fingerprint-sha1", {Type::sha1}},
    {"x509-fingerprint-sha256", {Type::sha256}},
});

bool all_of(std::string_view text, bool (*test)(char)) {
  return std::ranges::all_of(text, test);
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && equal_ignoring_case(text.substr(0, prefix.size()), prefix);
}
bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::optional<Canonical> as(Type type, std::string_view text) {
  auto value = canonicalise(type, text);
  if (!value) return std::nullopt;
  return std::move(*value);
}

std::optional<Type> hash_type(std::string_view text) {
  const bool known = text.size() == 32 || text.size() == 40 || text.size() == 64 || text.size() == 128;
  if (!known || !all_of(text, is_hex)) return std::nullopt;
  return text.size() == 32   ? Type::md5
         : text.size() == 40 ? Type::sha1
         : text.size() == 64 ? Type::sha256
                             : Type::sha512;
}

bool looks_like_url(std::string_view text) {
  return contains(text, "://") || contains(text, "[:]//") || contains(text, "[://]") || contains(text, ":\\\\") ||
         starts_with_ignoring_case(text, "hxxp");
}

/// "1.2.3.4:443" and "evil.example:443" without the port.
std::string_view without_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || text.find(':') != colon) return text;
  const std::string_view port = text.substr(colon + 1);
  return !port.empty() && port.size() <= 5 && all_of(port, is_digit) ? text.substr(0, colon) : text;
}

/// Suffixes of files that are no top-level domains (IANA root zone): a list of names ending so is a list of files.
bool has_file_suffix(std::string_view text) {
  constexpr auto kSuffixes = std::to_array<std::string_view>(
      {"7z",  "bat", "bin", "chm", "cmd",  "dat", "dll", "doc", "docm", "docx", "elf",  "exe",  "gif", "gz",
       "hta", "ini", "iso", "jar", "jpeg", "jpg", "js",  "lnk", "log",  "msi",  "pdf",  "png",  "ppt", "pptx",
       "ps1", "rar", "rtf", "scr", "sys",  "tmp", "txt", "vbs", "wsf",  "xls",  "xlsm", "xlsx", "xml", "yar"});
  const std::string suffix = lower(text.substr(text.rfind('.') + 1));
  return std::ranges::find(kSuffixes, suffix) != kSuffixes.end();
}

std::optional<Canonical> recognise_address(std::string_view text) {
  const auto of_address = [](char c) {
    return is_digit(c) || c == '.' || c == '[' || c == ']' || c == '(' || c == ')' || c == '{' || c == '}' || c == '/';
  };
  if (text.size() >= 7 && all_of(text, of_address)) {
    if (auto value = as(contains(text, "/") ? Type::cidr : Type::ipv4, text)) return value;
  }
  if (std::ranges::count(text, ':') >= 2) {
    if (auto value = as(contains(text, "/") ? Type::cidr : Type::ipv6, text)) return value;
  }
  return std::nullopt;
}

std::optional<Canonical> recognise_named(std::string_view text) {
  if (starts_with_ignoring_case(text, "cve-")) return as(Type::cve, text);
  if (starts_with_ignoring_case(text, "hkey_") || starts_with_ignoring_case(text, "hklm\\") ||
      starts_with_ignoring_case(text, "hkcu\\")) {
    return as(Type::regkey, text);
  }
  if (starts_with_ignoring_case(text, "as") && text.size() > 2 && all_of(text.substr(2), is_digit))
    return as(Type::asn, text);
  // Base58Check and bech32 addresses (BIP-173): the checksum decides.
  if (text.size() >= 26 && text.size() <= 62 && !contains(text, ".") &&
      (text[0] == '1' || text[0] == '3' || starts_with_ignoring_case(text, "bc1"))) {
    return as(Type::btc, text);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Declared> declared_type(std::string_view name) {
  name = trimmed(name);
  constexpr std::size_t kLongestName = 32;
  if (name.empty() || name.size() > kLongestName) return std::nullopt;
  std::array<char, kLongestName> folded{};
  std::ranges::transform(name, folded.begin(), [](char c) {
    if (c == '_' || c == ' ') return '-';
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const std::string_view key(folded.data(), name.size());
  const auto at = std::ranges::lower_bound(kTypeNames, key, {}, [](const auto& entry) { return entry.first; });
  if (at == kTypeNames.end() || at->first != key) return std::nullopt;
  return at->second;
}

static_assert(std::ranges::is_sorted(kTypeNames, {}, [](const auto& entry) { return entry.first; }));

std::optional<Canonical> recognise(std::string_view text) {
  text = trimmed(text);
  if (text.empty() || text.size() > kMaxLineBytes) return std::nullopt;
  if (const auto hash = hash_type(text)) return as(*hash, text);
  if (looks_like_url(text)) return as(Type::url, text);
  if (auto named = recognise_named(text)) return named;
  if (text.find_first_of(" \t\"<>|") != std::string_view::npos) return std::nullopt;
  if (auto address = recognise_address(text)) return address;
  if (contains(text, "@") || contains(text, "[at]")) return as(Type::email, text);
  if (!contains(text, ".") && !contains(text, "[dot]")) return std::nullopt;
  const std::string_view host = without_port(text);
  if (host.size() != text.size()) {
    if (auto address = recognise_address(host)) return address;
    return as(Type::domain, host);
  }
  if (contains(text, "/")) return as(Type::url, text);
  return has_file_suffix(text) ? std::nullopt : as(Type::domain, text);
}

}  // namespace parley::formats
