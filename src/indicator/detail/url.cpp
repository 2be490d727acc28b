#include "indicator/detail/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "base/text.h"
#include "indicator/detail/address.h"
#include "indicator/detail/defang.h"
#include "indicator/detail/host.h"
#include "indicator/detail/unicode.h"

namespace parley::indicator::detail {
namespace {

std::unexpected<Error> no_url(std::string_view text, std::string_view why) {
  return fail(Errc::format, fmt::format("{} is no URL: {}", visible(text.substr(0, 80)), why));
}

/// RFC 3986 section 2.3.
bool is_unreserved(char c) {
  return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}
/// RFC 3986 section 2.2.
bool is_sub_delimiter(char c) {
  return std::string_view("!$&'()*+,;=").find(c) != std::string_view::npos;
}

/// RFC 3986 section 6.2.2: escapes in upper case, those of unreserved characters undone, what may not stand there
/// escaped.
std::string normalise_escapes(std::string_view text, std::string_view also_allowed) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  const auto escape = [&](unsigned char c) {
    out.push_back('%');
    out.push_back(kHex[c >> 4]);
    out.push_back(kHex[c & 15]);
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      const auto value = static_cast<unsigned char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      if (is_unreserved(static_cast<char>(value))) {
        out.push_back(static_cast<char>(value));
      } else {
        escape(value);
      }
      i += 2;
    } else if (is_unreserved(c) || is_sub_delimiter(c) || also_allowed.find(c) != std::string_view::npos) {
      out.push_back(c);
    } else {
      escape(static_cast<unsigned char>(c));
    }
  }
  return out;
}

/// RFC 3986 section 5.2.4, for a path that begins with a slash.
std::string remove_dot_segments(std::string_view path) {
  std::vector<std::string_view> kept;
  bool open_end = false;  // the path ends in a segment that was removed, hence in a slash
  for (std::size_t at = 1; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view segment = path.substr(at, end - at);
    open_end = segment == "." || segment == "..";
    if (segment == ".." && !kept.empty()) kept.pop_back();
    if (!open_end) kept.push_back(segment);
    at = end + 1;
  }
  std::string out;
  for (const std::string_view segment : kept) {
    out.push_back('/');
    out += segment;
  }
  if (open_end || out.empty()) out.push_back('/');
  return out;
}

/// RFC 3986 section 3.2.2: a registered name may be escaped UTF-8. What is no name after that is refused further on.
std::string undo_escapes(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

struct DefaultPort {
  std::string_view scheme;
  unsigned port;
};
/// The service name registry's ports of the schemes that are met in reports (RFC 9110, RFC 1738, RFC 6455).
constexpr std::array kDefaultPorts = {DefaultPort{"http", 80}, DefaultPort{"https", 443}, DefaultPort{"ftp", 21},
                                      DefaultPort{"ws", 80}, DefaultPort{"wss", 443}};

Result<std::string> canonical_scheme(std::string_view word) {
  if (const std::string_view web = web_scheme(word); !web.empty()) return std::string(web);
  constexpr std::size_t kLongest = 32;  // the longest registered with IANA has 31 characters
  const bool valid = !word.empty() && word.size() <= kLongest && is_alpha(word.front()) &&
                     std::ranges::all_of(word, [](char c) { return is_alnum(c) || c == '+' || c == '-' || c == '.'; });
  if (!valid) return no_url(word, "a scheme such as http stands before ://");
  return ascii_lower(word);
}

/// ":port", or nothing when it is the scheme's own or absent.
Result<std::string> canonical_port(std::string_view text, std::string_view scheme) {
  if (text.empty()) return std::string{};
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port > 65535) {
    return no_url(text, "a port is a number from 0 to 65535");
  }
  for (const DefaultPort& known : kDefaultPorts) {
    if (known.scheme == scheme && known.port == port) return std::string{};
  }
  return fmt::format(":{}", port);
}

Result<std::string> canonical_authority(std::string_view authority, std::string_view scheme) {
  std::string out;
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string user = normalise_escapes(authority.substr(0, at), ":");
    if (!user.empty()) out = user + '@';
    authority.remove_prefix(at + 1);
  }
  std::size_t host_end = authority.find(':');
  if (authority.starts_with('[')) {
    host_end = authority.find(']');
    if (host_end == std::string_view::npos) return no_url(authority, "the bracket of its IPv6 address is not closed");
    ++host_end;
  }
  host_end = std::min(host_end, authority.size());
  TRY(const std::string host, canonical_host(authority.substr(0, host_end), 1));
  const std::string_view behind = authority.substr(host_end);
  if (!behind.empty() && behind.front() != ':') return no_url(authority, "a colon and a port may follow the host");
  TRY(const std::string port, canonical_port(behind.empty() ? behind : behind.substr(1), scheme));
  const bool bracketed = host.find(':') != std::string::npos;
  out += bracketed ? '[' + host + ']' : host;
  return out + port;
}

}  // namespace

Result<std::string> canonical_host(std::string_view host, std::size_t least_labels) {
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    host = host.substr(0, host.find('%'));  // a zone means something on one machine only (RFC 4007)
    const auto address = parse_ipv6(host);
    if (!address) return no_url(host, "an IPv6 address stands between the brackets");
    return format(*address);
  }
  if (const auto address = parse_ipv4(host)) return format(*address);
  if (host.find('%') == std::string_view::npos) return canonical_domain(host, least_labels);
  const std::string unescaped = undo_escapes(host);
  if (const auto address = parse_ipv4(unescaped)) return format(*address);
  return canonical_domain(unescaped, least_labels);
}

Result<std::string> canonical_url(std::string_view text) {
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return no_url(text, "expected scheme://host/path");
  TRY(const std::string scheme, canonical_scheme(text.substr(0, colon)));
  std::string_view rest = text.substr(colon + 3);
  rest = rest.substr(0, rest.find('#'));
  const std::size_t authority_end = std::min(rest.find_first_of("/?\\"), rest.size());
  TRY(const std::string authority, canonical_authority(rest.substr(0, authority_end), scheme));
  std::string_view path = rest.substr(authority_end);
  const std::size_t question = path.find('?');
  const std::string query = question == std::string_view::npos ? "" : normalise_escapes(path.substr(question), ":@/?");
  path = path.substr(0, question);
  if (path.starts_with('\\')) path.remove_prefix(1);
  std::string rooted = normalise_escapes(path, ":@/");
  if (!rooted.starts_with('/')) rooted.insert(0, 1, '/');
  return scheme + "://" + authority + remove_dot_segments(rooted) + query;
}

std::string_view host_of(std::string_view canonical_url) {
  const std::size_t colon = canonical_url.find("://");
  if (colon == std::string_view::npos) return {};
  std::string_view authority = canonical_url.substr(colon + 3);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
  if (authority.starts_with('[')) return authority.substr(1, authority.find(']') - 1);
  return authority.substr(0, authority.find(':'));
}

}  // namespace parley::indicator::detail
