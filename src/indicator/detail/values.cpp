#include "indicator/detail/values.h"

#include <fmt/format.h>
#include <libpsl.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

#include "base/text.h"
#include "indicator/detail/host.h"
#include "indicator/detail/unicode.h"

namespace parley::indicator::detail {
namespace {

std::unexpected<Error> refuse(std::string_view text, std::string_view expected) {
  return fail(Errc::format, fmt::format("{} is not {}", visible(text.substr(0, 80)), expected));
}

struct PslFree {
  void operator()(char* text) const { psl_free_string(text); }
};

/// Lower case of any script, in normal form NFKC when it is not plain ASCII.
std::string unicode_lower(std::string_view text) {
  if (all_ascii(text)) return ascii_lower(text);
  const std::string terminated(text);
  char* raw = nullptr;
  if (psl_str_to_utf8lower(terminated.c_str(), "utf-8", nullptr, &raw) != PSL_SUCCESS) return terminated;
  const std::unique_ptr<char, PslFree> lowered(raw);
  return lowered.get();
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view without_leading_zeros(std::string_view digits, std::size_t least) {
  while (digits.size() > least && digits.front() == '0') digits.remove_prefix(1);
  return digits;
}

/// RFC 5322 section 3.2.3 (atext), and what RFC 6532 adds to it: everything outside ASCII.
bool is_atom_character(char c) {
  return is_alnum(c) || !is_ascii(c) || std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

struct RootSpelling {
  std::string_view spelling;
  std::string_view root;
};
/// Predefined keys and their usual abbreviations (Microsoft, "Predefined Keys"; reg.exe); the kernel's own names last.
constexpr std::array kRoots = {
    RootSpelling{"HKEY_LOCAL_MACHINE", "HKEY_LOCAL_MACHINE"},
    RootSpelling{"HKEY_CURRENT_USER", "HKEY_CURRENT_USER"},
    RootSpelling{"HKEY_CLASSES_ROOT", "HKEY_CLASSES_ROOT"},
    RootSpelling{"HKEY_CURRENT_CONFIG", "HKEY_CURRENT_CONFIG"},
    RootSpelling{"HKEY_PERFORMANCE_DATA", "HKEY_PERFORMANCE_DATA"},
    RootSpelling{"HKEY_USERS", "HKEY_USERS"},
    RootSpelling{"HKLM", "HKEY_LOCAL_MACHINE"},
    RootSpelling{"HKCU", "HKEY_CURRENT_USER"},
    RootSpelling{"HKCR", "HKEY_CLASSES_ROOT"},
    RootSpelling{"HKCC", "HKEY_CURRENT_CONFIG"},
    RootSpelling{"HKPD", "HKEY_PERFORMANCE_DATA"},
    RootSpelling{"HKU", "HKEY_USERS"},
    RootSpelling{"\\REGISTRY\\MACHINE", "HKEY_LOCAL_MACHINE"},
    RootSpelling{"\\REGISTRY\\USER", "HKEY_USERS"},
};

}  // namespace

std::optional<Type> hash_type(std::size_t hex_digits) {
  switch (hex_digits) {
    case 32:
      return Type::md5;
    case 40:
      return Type::sha1;
    case 64:
      return Type::sha256;
    case 128:
      return Type::sha512;
    default:
      return std::nullopt;
  }
}

std::optional<std::string> hash_digits(std::string_view text) {
  if (const std::size_t mark = text.find_first_of(":="); mark != std::string_view::npos) {
    constexpr std::array<std::string_view, 7> kNames = {"md5",     "sha1",   "sha-1",  "sha256",
                                                        "sha-256", "sha512", "sha-512"};
    const std::string_view name = trim(text.substr(0, mark));
    if (std::ranges::none_of(kNames, [&](std::string_view known) { return equal_fold(known, name); }))
      return std::nullopt;
    text = trim(text.substr(mark + 1));
  }
  if (!hash_type(text.size())) return std::nullopt;
  std::string out(text);
  for (char& c : out) {
    if (hex_digit(c) < 0) return std::nullopt;
    c = to_lower(c);
  }
  return out;
}

Result<std::string> canonical_asn(std::string_view text) {
  constexpr std::string_view kExpected = "an autonomous system number from 0 to 4294967295, such as AS64496";
  std::string_view digits = text;
  if (starts_with_fold(digits, "ASN")) {
    digits.remove_prefix(3);
  } else if (starts_with_fold(digits, "AS")) {
    digits.remove_prefix(2);
  }
  digits = trim(digits);
  std::uint64_t number = 0;
  if (const std::size_t dot = digits.find('.'); dot != std::string_view::npos) {
    // RFC 5396: asdot writes a four-byte number as two halves.
    const auto high = parse_number(digits.substr(0, dot));
    const auto low = parse_number(digits.substr(dot + 1));
    if (!high || !low || *high > 0xffff || *low > 0xffff) return refuse(text, kExpected);
    number = (*high << 16) | *low;
  } else {
    const auto plain = parse_number(digits);
    if (!plain) return refuse(text, kExpected);
    number = *plain;
  }
  if (number > 0xffffffff) return refuse(text, kExpected);
  return fmt::format("AS{}", number);
}

Result<std::string> canonical_cve(std::string_view text) {
  constexpr std::string_view kExpected = "a CVE number such as CVE-2017-0262";
  constexpr std::size_t kMaxDigits = 19;  // the CVE record format's limit
  const auto separator = [](char c) { return c == '-' || c == '_' || c == ' '; };
  if (!starts_with_fold(text, "CVE") || text.size() < 9 || !separator(text[3]) || !separator(text[8])) {
    return refuse(text, kExpected);
  }
  const std::string_view year = text.substr(4, 4);
  const std::string_view number = text.substr(9);
  if (!std::ranges::all_of(year, is_digit) || !std::ranges::all_of(number, is_digit) || number.size() < 4 ||
      number.size() > kMaxDigits) {
    return refuse(text, kExpected);
  }
  return fmt::format("CVE-{}-{}", year, without_leading_zeros(number, 4));
}

Result<std::string> canonical_email(std::string_view text) {
  constexpr std::string_view kExpected = "an e-mail address such as name@example.org";
  if (starts_with_fold(text, "mailto:")) text.remove_prefix(7);
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos || at == 0) return refuse(text, kExpected);
  const std::string_view local = text.substr(0, at);
  constexpr std::size_t kMaxLocalPart = 64;  // RFC 5321 section 4.5.3.1.1
  if (local.size() > kMaxLocalPart) return refuse(text, "an e-mail address: more than 64 bytes stand before its @");
  const bool dots_apart = local.front() != '.' && local.back() != '.' && local.find("..") == std::string_view::npos;
  const bool atoms = std::ranges::all_of(local, [](char c) { return c == '.' || is_atom_character(c); });
  if (!dots_apart || !atoms) return refuse(text, kExpected);
  TRY(const std::string domain, canonical_domain(text.substr(at + 1), 2));
  return unicode_lower(local) + '@' + domain;
}

Result<std::string> canonical_filename(std::string_view text) {
  std::string name;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dot = text.substr(i, 3) == "[.]";
    name.push_back(dot ? '.' : text[i]);
    i += dot ? 2 : 0;
  }
  std::string_view last = name;
  while (last.ends_with('/') || last.ends_with('\\')) last.remove_suffix(1);
  if (const std::size_t slash = last.find_last_of("/\\"); slash != std::string_view::npos)
    last.remove_prefix(slash + 1);
  last = trim(last);
  if (last.empty() || last == "." || last == "..") return refuse(text, "a file name");
  return unicode_lower(last);
}

RegistryRoot registry_root(std::string_view text) {
  for (const RootSpelling& known : kRoots) {
    if (!starts_with_fold(text, known.spelling)) continue;
    std::size_t size = known.spelling.size();
    if (size < text.size() && text[size] == ':') ++size;  // PowerShell's drives
    if (size == text.size() || text[size] == '\\') return {known.root, size};
  }
  return {};
}

Result<std::string> canonical_registry_key(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) text = trim(text.substr(1, text.size() - 2));  // .reg files
  std::string single;  // backslashes doubled for a program's sake become single ones
  for (const char c : text) {
    if (c != '\\' || !single.ends_with('\\')) single.push_back(c);
  }
  std::string_view path = single;
  const RegistryRoot root = registry_root(path);
  path.remove_prefix(root.size);
  while (path.ends_with('\\') || path.ends_with(' ')) path.remove_suffix(1);
  if (root.size == 0) {
    while (path.starts_with('\\')) path.remove_prefix(1);
    if (path.find('\\') == std::string_view::npos) {
      return refuse(text, "a registry key such as HKEY_LOCAL_MACHINE\\Software\\Example");
    }
  }
  return std::string(root.name) + unicode_lower(path);
}

}  // namespace parley::indicator::detail
