// URLs in running text: where they begin, where they end, and whom they name.
#include <algorithm>

#include "indicator/detail/address.h"
#include "indicator/detail/host.h"
#include "indicator/detail/scanner.h"
#include "indicator/detail/unicode.h"
#include "indicator/detail/url.h"
#include "indicator/indicator.h"

namespace parley::indicator::detail {
namespace {

constexpr std::size_t kLongestScheme = 16;  // stratum+tcp and the like
constexpr std::size_t kLongestUserInfo = 256;
constexpr std::size_t kPortDigits = 5;

bool is_scheme_character(char c) {
  return is_alnum(c) || c == '*' || c == '+';
}

/// Schemes of things that one can fetch; of others (tcp, udp, stratum) only the host is an indicator.
bool is_fetched(std::string_view scheme) {
  return scheme == "http" || scheme == "https" || scheme == "ftp" || scheme == "ftps" || scheme == "sftp" ||
         scheme == "ws" || scheme == "wss";
}

bool ends_url(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte <= 0x20 || byte == 0x7f || std::string_view("\"<>`|\\^").find(c) != std::string_view::npos;
}

}  // namespace

void Scanner::find_urls() {
  std::size_t done = 0;
  for (std::size_t mark = text_.find("://"); mark != std::string::npos; mark = text_.find("://", done)) {
    done = std::max(take_url(mark, done), mark + 3);
  }
}

/// The place after "user:password@", or `begin`.
std::size_t Scanner::authority_host(std::size_t begin) const {
  std::size_t host = begin;
  const auto user_character = [](char c) {
    return is_alnum(c) || std::string_view("-._~%!$&'*+=:@").find(c) != std::string_view::npos;
  };
  for (std::size_t i = begin; i < begin + kLongestUserInfo && user_character(at(i)); ++i) {
    if (text_[i] == '@') host = i + 1;
  }
  return host;
}

/// Takes the URL around the "://" at `separator`, if it is one; returns the end of what it looked at.
std::size_t Scanner::take_url(std::size_t separator, std::size_t not_before) {
  std::size_t begin = separator;
  while (begin > not_before && separator - begin < kLongestScheme && is_scheme_character(text_[begin - 1])) --begin;
  const std::string_view word = view(begin, separator);
  const std::string_view web = web_scheme(word);
  const std::string scheme = web.empty() ? ascii_lower(word) : std::string(web);

  const std::size_t host_begin = authority_host(separator + 3);
  std::size_t end = host_begin;
  if (at(host_begin) == '[') {
    constexpr std::size_t kLongestAddress = 64;  // with a zone
    const std::size_t close = view(host_begin, std::min(host_begin + kLongestAddress, text_.size())).find(']');
    if (close == std::string_view::npos) return host_begin;
    end = host_begin + close + 1;
  } else {
    end = host_end(host_begin, host_run_end(host_begin));
  }
  const std::size_t looked_at = end;
  while (end > host_begin && (before(end) == '.' || before(end) == '-' || before(end) == '_')) --end;
  const std::string_view host_text = view(host_begin, end);
  const auto host = canonical_host(host_text, 2);
  if (!host) return looked_at;
  const std::size_t named_end = end;
  if (end == looked_at || at(end) == '.') {
    if (at(looked_at) == '/' || at(looked_at) == ':') end = looked_at;  // example.com./path
    std::size_t port_end = end + 1;
    while (at(end) == ':' && port_end <= end + kPortDigits && is_digit(at(port_end))) ++port_end;
    if (port_end > end + 1) end = port_end;
    if (at(end) == '/' || at(end) == '?' || at(end) == '#') end = path_end(end);
    end = without_trailing_punctuation(named_end, end);
  }
  const bool bare_scheme = !web.empty() && word == web;
  const bool skip = bare_scheme && skip_as_reference(*host, begin, named_end);
  if (is_fetched(scheme) && !skip) {
    std::string value = scheme + std::string(view(separator, end));
    if (const auto url = canonicalise(Type::url, value); url && url->type() == Type::url) {
      emit(name_of(Type::url), std::move(value), begin);
    }
  }
  if (!skip) {
    const Type type = parse_ipv4(*host) ? Type::ipv4 : host->find(':') != std::string::npos ? Type::ipv6 : Type::domain;
    emit_canonical(type, *host, host_begin);
  }
  take(begin, end);
  return end;
}

std::size_t Scanner::path_end(std::size_t begin) const {
  bool in_query = false;
  std::size_t i = begin;
  while (i < text_.size()) {
    const char c = text_[i];
    if (!is_ascii(c)) {
      const CodePoint point = decode(std::string_view(text_).substr(i));
      // In scripts without spaces the sentence goes on right behind the address.
      if (point.size == 0 || !is_foreign_letter(point.value) || is_unspaced_script(point.value)) break;
      i += point.size;
      continue;
    }
    if (ends_url(c) || (!in_query && (c == '[' || c == ']'))) break;
    if (c == ',' || c == ';') {
      const std::string_view next = std::string_view(text_).substr(i + 1, kLongestScheme);
      const std::size_t mark = next.find("://");
      if (mark != std::string_view::npos && !web_scheme(next.substr(0, mark)).empty()) break;
    }
    if (c == '?') in_query = true;
    ++i;
  }
  return i;
}

/// Full stops, quotes and brackets that belong to the sentence around.
std::size_t Scanner::without_trailing_punctuation(std::size_t begin, std::size_t end) const {
  const auto count = [&](char c) { return std::ranges::count(view(begin, end), c); };
  std::ptrdiff_t unopened[3] = {count(')') - count('('), count(']') - count('['), count('}') - count('{')};
  while (end > begin) {
    const char c = text_[end - 1];
    if (c == ')' || c == ']' || c == '}') {
      std::ptrdiff_t& surplus = unopened[c == ')' ? 0 : c == ']' ? 1 : 2];
      if (surplus <= 0) break;
      --surplus;
    } else if (std::string_view(".,;:!?'*([{").find(c) == std::string_view::npos) {
      break;
    }
    --end;
  }
  return end;
}

/// evil[.]example/gate.php: the brackets say that it is meant, the path that it is a URL.
void Scanner::take_path_without_scheme(std::size_t host_begin, std::size_t host_end) {
  std::size_t end = host_end;
  if (at(end) == ':' && is_digit(at(end + 1))) {
    ++end;
    while (is_digit(at(end)) && end <= host_end + kPortDigits) ++end;
  }
  if (at(end) != '/') return;
  end = without_trailing_punctuation(host_end, path_end(end));
  std::string value = "http://" + std::string(view(host_begin, end));
  if (value.ends_with('/') && std::ranges::count(value, '/') == 3) return;
  const auto url = canonicalise(Type::url, value);
  if (!url || url->type() != Type::url) return;
  emit(name_of(Type::url), std::move(value), host_begin);
  take(host_begin, end);
}

}  // namespace parley::indicator::detail
