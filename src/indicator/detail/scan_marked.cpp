// Kinds that announce themselves: HKLM\..., @, TLP:, CVE-, User-Agent:.
#include <algorithm>
#include <array>

#include "indicator/context.h"
#include "indicator/detail/host.h"
#include "indicator/detail/scanner.h"
#include "indicator/detail/unicode.h"
#include "indicator/detail/values.h"
#include "indicator/indicator.h"

namespace parley::indicator::detail {
namespace {

constexpr std::size_t kMaxKeyBytes = 1024;
/// How far behind a space the next backslash may be for the space to be part of the key ("Windows NT\CurrentVersion").
constexpr std::size_t kKeyLook = 48;

bool is_user_character(char c) {
  return is_alnum(c) || std::string_view("._%+-=~#$&'*!").find(c) != std::string_view::npos;
}

}  // namespace

void Scanner::find_registry_keys() {
  for (std::size_t i = text_.find_first_of("Hh\\"); i != std::string::npos; i = text_.find_first_of("Hh\\", i + 1)) {
    if (!free(i) || is_alnum(before(i)) || before(i) == '_') continue;
    const RegistryRoot root = registry_root(view(i, std::min(i + kKeyLook, text_.size())));
    if (root.size == 0 || at(i + root.size) != '\\') continue;
    const std::size_t end = registry_key_end(i + root.size);
    std::string key;  // as it is read, without the doubled backslashes of a program text
    for (const char c : view(i, end)) {
      if (c != '\\' || !key.ends_with('\\')) key.push_back(c);
    }
    const bool names_a_key = end > i + root.size + 1 && canonicalise(Type::regkey, key);  // not one with DEL in it
    if (names_a_key) emit(name_of(Type::regkey), std::move(key), i);
    take(i, end);
    i = end - 1;
  }
}

std::size_t Scanner::registry_key_end(std::size_t begin) const {
  std::size_t i = begin;
  while (i < text_.size() && i - begin < kMaxKeyBytes) {
    const char c = text_[i];
    if (static_cast<unsigned char>(c) < 0x20 || std::string_view("\"<>|,;`*?").find(c) != std::string_view::npos) break;
    if (c == ' ') {
      const std::string_view next = view(i + 1, std::min(i + 1 + kKeyLook, text_.size()));
      const std::size_t stop = next.find_first_of("\\\"<>|,;`:\n\t");
      const bool goes_on = stop != std::string_view::npos && next[stop] == '\\' && next.find("HK") > stop;
      if (!goes_on) break;
    }
    ++i;
  }
  while (i > begin + 1 && std::string_view(".:!)]}'\\ ").find(text_[i - 1]) != std::string_view::npos) --i;
  return i;
}

void Scanner::find_emails() {
  constexpr std::size_t kMaxLocalPart = 64;  // RFC 5321 section 4.5.3.1.1
  for (std::size_t sign = text_.find('@'); sign != std::string::npos; sign = text_.find('@', sign + 1)) {
    std::size_t begin = sign;
    while (begin > 0 && sign - begin <= kMaxLocalPart && free(begin - 1) && is_user_character(text_[begin - 1]))
      --begin;
    while (begin < sign && !is_alnum(text_[begin]) && text_[begin] != '_') ++begin;
    if (begin == sign || sign - begin > kMaxLocalPart) continue;
    std::size_t end = host_end(sign + 1, host_run_end(sign + 1));
    while (end > sign + 1 && !is_alnum(before(end)) && is_ascii(before(end))) --end;
    if (end == sign + 1) continue;
    const auto domain = canonical_domain(view(sign + 1, end), 2);
    if (!domain) continue;
    const LastLabel last = kind_of_last_label(*domain);
    const bool marked = defanged(begin, end);
    if (last == LastLabel::file_suffix || (last == LastLabel::unknown && !marked)) continue;
    if (!emit_canonical(Type::email, view(begin, end), begin, last == LastLabel::unknown)) continue;
    // "user at example[dot]com" may also have been "found at example[dot]com".
    if (plain_.defanged[sign] == Plain::kSpoken) {
      found_.back().ambiguous = true;
      emit_canonical(Type::domain, *domain, sign + 1, true);
    }
    take(begin, end);
  }
}

void Scanner::find_traffic_light_marks() {
  for (std::size_t i = text_.find_first_of("Tt"); i != std::string::npos; i = text_.find_first_of("Tt", i + 1)) {
    if (!free(i) || is_alnum(before(i)) || !starts_with_fold(view(i, std::min(i + 3, text_.size())), "tlp")) continue;
    std::size_t word = i + 3;
    constexpr std::size_t kMaxSeparators = 3;
    while (word < i + 3 + kMaxSeparators && std::string_view(": -_=\"").find(at(word)) != std::string_view::npos)
      ++word;
    if (word == i + 3) continue;
    constexpr std::size_t kLongestColour = 12;  // amber+strict
    std::size_t end = word;
    while (end < word + kLongestColour && is_alpha(at(end))) ++end;
    const std::size_t colour_end = end;
    if ((at(end) == '+' || at(end) == '-' || at(end) == '_') &&
        starts_with_fold(view(end + 1, text_.size()), "strict")) {
      end += 7;
    }
    auto tlp = ends_word(end) ? tlp_named(view(word, end)) : std::nullopt;
    if (!tlp && ends_word(colour_end)) tlp = tlp_named(view(word, colour_end));
    if (!tlp) continue;
    emit("tlp", "TLP:" + ascii_upper(name_of(*tlp)), i);
    take(i, end);
  }
}

void Scanner::find_vulnerabilities() {
  for (std::size_t i = text_.find_first_of("Cc"); i != std::string::npos; i = text_.find_first_of("Cc", i + 1)) {
    if (!free(i) || is_alnum(before(i)) || !starts_with_fold(view(i, std::min(i + 3, text_.size())), "cve")) continue;
    std::size_t end = i + 4;
    constexpr std::size_t kLongest = 28;  // CVE-, year, hyphen, 19 digits
    while (end < i + kLongest && (is_digit(at(end)) || (end == i + 8 && at(end) == '-'))) ++end;
    if (end > text_.size() || is_alnum(at(end))) continue;
    if (emit_canonical(Type::cve, view(i, end), i)) take(i, end);
  }
}

void Scanner::find_user_agents() {
  constexpr std::string_view kHeader = "user-agent:";
  for (std::size_t i = text_.find_first_of("Uu"); i != std::string::npos; i = text_.find_first_of("Uu", i + 1)) {
    if (is_alnum(before(i)) || !starts_with_fold(view(i, std::min(i + kHeader.size(), text_.size())), kHeader))
      continue;
    const std::size_t begin = i + kHeader.size();
    constexpr std::size_t kLongestAgent = 512;
    const std::string_view rest = view(begin, std::min(begin + kLongestAgent, text_.size()));
    const std::size_t stop = std::min(rest.find_first_of("\r\n\t|\"`"), rest.size());
    const std::string_view agent = trim(rest.substr(0, stop));
    if (!agent.empty() && stop < kLongestAgent) emit_canonical(Type::user_agent, agent, begin);
    i = begin + stop;
  }
}

}  // namespace parley::indicator::detail
