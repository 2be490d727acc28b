// Kinds that are one word each: addresses, domains, hashes, numbers of autonomous systems, coins.
#include <algorithm>
#include <array>

#include "indicator/detail/address.h"
#include "indicator/detail/host.h"
#include "indicator/detail/reference.h"
#include "indicator/detail/scanner.h"
#include "indicator/detail/unicode.h"
#include "indicator/detail/values.h"
#include "indicator/indicator.h"

namespace parley::indicator::detail {
namespace {

bool is_hex_or_colon(char c) {
  return hex_digit(c) >= 0 || c == ':' || c == '.';
}

/// Two words joined by "::" are also an address in the letter of RFC 4291 (dead::beef); a name of a program more often.
bool is_telling_ipv6(std::string_view text) {
  std::size_t groups = 0;
  std::size_t longest = 0;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(':', start), text.size());
    groups += end > start ? 1 : 0;
    longest = std::max(longest, end - start);
    start = end + 1;
  }
  const bool has_digit = std::ranges::any_of(text, is_digit);
  return has_digit && (groups >= 3 || (groups == 2 && longest == 4));
}

bool is_title_case(std::string_view label) {
  return label.size() > 1 && is_upper(label[0]) && std::ranges::all_of(label.substr(1), is_lower);
}

/// "It happened.In the end": a sentence that lost its space, as PDF text does.
bool is_sentence_boundary(std::string_view written) {
  const std::string_view last = written.substr(written.rfind('.') + 1);
  constexpr std::array<std::string_view, 4> kUsual = {"Com", "Net", "Org", "Info"};
  return is_title_case(last) && std::ranges::find(kUsual, last) == kUsual.end();
}

bool has_detection_label(std::string_view domain) {
  for (std::size_t start = 0; start < domain.size();) {
    const std::size_t end = std::min(domain.find('.', start), domain.size());
    if (is_detection_label(domain.substr(start, end - start))) return true;
    start = end + 1;
  }
  return false;
}

}  // namespace

void Scanner::find_ipv6() {
  std::size_t begin = 0;
  while (begin < text_.size()) {
    if (!free(begin) || !is_hex_or_colon(text_[begin])) {
      ++begin;
      continue;
    }
    std::size_t end = begin;
    std::size_t colons = 0;
    while (end < text_.size() && free(end) && is_hex_or_colon(text_[end])) colons += text_[end++] == ':' ? 1 : 0;
    if (colons >= 2) take_ipv6(begin, end);
    begin = end;
  }
}

void Scanner::take_ipv6(std::size_t begin, std::size_t end) {
  constexpr std::size_t kLongest = 46;  // an address with a dotted quad, and a colon of the sentence
  if (end - begin > kLongest) return;
  while (end > begin && (before(end) == '.' || (before(end) == ':' && before(end - 1) != ':'))) --end;
  if (begin + 1 < end && text_[begin] == ':' && text_[begin + 1] != ':') {
    ++begin;
  } else if (is_alnum(before(begin)) || before(begin) == '_') {
    return;
  }
  const std::string_view text = view(begin, end);
  const auto address = parse_ipv6(text);
  if (!address || !is_telling_ipv6(text) || !ends_word(end)) return;
  std::size_t bits_end = end + 1;
  while (at(end) == '/' && bits_end <= end + 3 && is_digit(at(bits_end))) ++bits_end;
  const auto prefix = bits_end > end + 1 && ends_word(bits_end) ? parse_prefix(view(begin, bits_end)) : std::nullopt;
  if (prefix) {
    emit(name_of(Type::cidr), ascii_lower(view(begin, bits_end)), begin);
    end = bits_end;
  }
  if (!prefix || prefix->address != prefix->first()) {
    emit(name_of(address->is_ipv4() ? Type::ipv4 : Type::ipv6), format(*address), begin);
  }
  take(begin, end);
}

void Scanner::find_words() {
  for (std::size_t begin = 0; begin < text_.size();) {
    const std::size_t end = host_run_end(begin);
    if (end > begin) take_word(begin, end);
    begin = std::max(end, begin + 1);
  }
}

void Scanner::take_word(std::size_t begin, std::size_t end) {
  const auto edge = [](char c) { return c == '.' || c == '-'; };
  while (begin < end && edge(text_[begin])) ++begin;
  while (end > begin && edge(text_[end - 1])) --end;
  while (begin + 1 < end && text_[end - 1] == '_') {  // emphasis in Markdown
    --end;
    if (text_[begin] == '_') ++begin;
  }
  if (begin == end) return;
  const std::string_view word = view(begin, end);
  if (!all_ascii(word)) return take_mixed_word(begin, end);
  const auto numeric = [](char c) { return is_digit(c) || c == '.' || c == '-'; };
  if (std::ranges::all_of(word, numeric)) return take_numbers(begin, end);
  if (word.find('.') == std::string_view::npos) return take_single_word(begin, end);
  if (!take_domain(begin, end)) {
    for (std::size_t start = begin; start < end;) {  // a sample named by its hash: 9b276a...35.exe
      const std::size_t stop = piece_end(start, end, "._-");
      take_hash(start, stop);
      start = stop + 1;
    }
  }
}

/// A word with letters outside ASCII: an internationalised name, or a name that touches words of another script.
void Scanner::take_mixed_word(std::size_t begin, std::size_t end) {
  bool joined_without_space = false;  // letters of a script without spaces beside ASCII ones in one label
  bool ascii_letter = false;
  bool unspaced = false;
  for (std::size_t i = begin; i < end;) {
    const CodePoint point = decode(std::string_view(text_).substr(i));
    if (point.value == '.') {
      ascii_letter = unspaced = false;
    } else if (point.value < 0x80) {
      ascii_letter = true;
    } else if (is_unspaced_script(point.value)) {
      unspaced = true;
    }
    joined_without_space = joined_without_space || (ascii_letter && unspaced);
    i += std::max<std::size_t>(point.size, 1);
  }
  constexpr std::size_t kLongestName = 4 * 253;  // UTF-8 of a name of RFC 1035's length
  if (!joined_without_space && end - begin <= kLongestName && take_domain(begin, end)) return;
  for (std::size_t start = begin; start < end;) {
    if (!is_ascii(text_[start])) {
      ++start;
      continue;
    }
    std::size_t stop = start;
    while (stop < end && is_ascii(text_[stop])) ++stop;
    take_word(start, stop);
    start = stop;
  }
}

void Scanner::take_numbers(std::size_t begin, std::size_t end) {
  for (std::size_t start = begin; start < end;) {  // 192.0.2.1-192.0.2.9 names two addresses
    const std::size_t stop = piece_end(start, end, "-");
    take_ipv4(start, stop);
    start = stop + 1;
  }
}

void Scanner::take_ipv4(std::size_t begin, std::size_t end) {
  while (end > begin && text_[end - 1] == '.') --end;
  const auto address = parse_ipv4(view(begin, end));
  if (!address) return;
  const bool product_version = before(begin) == '/' && begin > 1 && is_alpha(text_[begin - 2]);  // Opera/9.80.1.2
  const bool ambiguous = !defanged(begin, end) && (product_version || after_version_word(begin));
  std::size_t bits_end = end + 1;
  while (at(end) == '/' && bits_end <= end + 2 && is_digit(at(bits_end))) ++bits_end;
  const bool has_bits = bits_end > end + 1 && ends_word(bits_end) && at(bits_end) != '/' &&
                        !(at(bits_end) == '.' && is_digit(at(bits_end + 1)));
  const auto prefix = has_bits ? parse_prefix(view(begin, bits_end)) : std::nullopt;
  if (prefix) emit(name_of(Type::cidr), std::string(view(begin, bits_end)), begin, ambiguous);
  if (!prefix || prefix->address != prefix->first()) emit(name_of(Type::ipv4), format(*address), begin, ambiguous);
  take(begin, prefix ? bits_end : end);
  if (!prefix && defanged(begin, end)) take_path_without_scheme(begin, end);
}

bool Scanner::after_version_word(std::size_t begin) const {
  constexpr std::size_t kLook = 32;
  std::size_t end = begin;
  while (end > 0 && begin - end < kLook && std::string_view(" :(=\"").find(text_[end - 1]) != std::string_view::npos)
    --end;
  std::size_t start = end;
  while (start > 0 && end - start < kLook && (is_alpha(text_[start - 1]) || !is_ascii(text_[start - 1]))) --start;
  return start < end && precedes_version(view(start, end));
}

void Scanner::take_single_word(std::size_t begin, std::size_t end) {
  const std::string_view word = view(begin, end);
  if (word.starts_with("AS") && word.size() > 5) {  // shorter ones are names of products and protocols (AS2, AS400)
    std::string_view digits = word.substr(2);
    if (digits.starts_with('N')) digits.remove_prefix(1);
    if (!digits.empty() && std::ranges::all_of(digits, is_digit) && emit_canonical(Type::asn, word, begin)) return;
  }
  if (word == "ASN" && at(end) == ' ' && is_digit(at(end + 1))) {
    const std::size_t stop = host_run_end(end + 1);
    if (emit_canonical(Type::asn, view(end + 1, stop), begin)) return;
  }
  constexpr std::size_t kShortestCoin = 26;
  constexpr std::size_t kLongestCoin = 90;  // BIP 173
  const bool coin_like = word.size() >= kShortestCoin && word.size() <= kLongestCoin &&
                         (word[0] == '1' || word[0] == '3' || starts_with_fold(word, "bc1"));
  if (coin_like && !is_example_coin(word) && emit_canonical(Type::btc, word, begin)) return;
  for (std::size_t start = begin; start < end;) {
    const std::size_t stop = piece_end(start, end, "_-");
    take_hash(start, stop);
    start = stop + 1;
  }
}

void Scanner::take_hash(std::size_t begin, std::size_t end) {
  const auto type = hash_type(end - begin);
  if (!type) return;
  const std::string_view digits = view(begin, end);
  if (std::ranges::any_of(digits, [](char c) { return hex_digit(c) < 0; })) return;
  if (std::ranges::all_of(digits, is_digit)) return;  // a number; one MD5 hash in three million has no letter
  constexpr std::size_t kLook = 12;
  const std::string_view label = view(begin > kLook ? begin - kLook : 0, begin);
  const std::string lowered = ascii_lower(label);
  const bool ja3 =
      *type == Type::md5 && (lowered.find("ja3:") != std::string::npos || lowered.find("ja3 ") != std::string::npos ||
                             lowered.find("ja3=") != std::string::npos);
  emit_canonical(ja3 ? Type::ja3 : *type, digits, begin);
}

bool Scanner::take_domain(std::size_t begin, std::size_t end) {
  const std::string_view written = view(begin, end);
  const std::size_t last_dot = written.rfind('.');
  if (last_dot == std::string_view::npos) return false;
  // Most words with a dot are none, and their ends show it sooner than IDNA does.
  const std::string_view ending = written.substr(last_dot + 1);
  const bool telling = all_ascii(ending) && !defanged(begin, end);
  if (telling && kind_of_last_label(ascii_lower(ending)) == LastLabel::unknown) return false;
  const auto domain = canonical_domain(written, 2);
  if (!domain) return false;
  bool ambiguous = false;
  if (!reads_as_domain(begin, end, *domain, ambiguous)) return false;
  if (skip_as_reference(*domain, begin, end)) return true;
  if (!emit_canonical(Type::domain, *domain, begin, ambiguous)) return false;
  take(begin, end);
  if (defanged(begin, end)) take_path_without_scheme(begin, end);
  return true;
}

/// Whether a name of valid form is meant as a domain, judged by its last label and its neighbours.
bool Scanner::reads_as_domain(std::size_t begin, std::size_t end, const std::string& domain, bool& ambiguous) const {
  const LastLabel last = kind_of_last_label(domain);
  if (last == LastLabel::file_suffix || before(begin) == '\\' || at(end) == '@') return false;
  if (defanged(begin, end)) {
    ambiguous = last == LastLabel::unknown;
    return true;
  }
  if (last == LastLabel::unknown || before(begin) == '/' || at(end) == '(') return false;
  if (is_sentence_boundary(view(begin, end)) || has_detection_label(domain) || is_library_name(domain)) return false;
  if (last == LastLabel::mostly_file) return domain.starts_with("www.");
  ambiguous = last == LastLabel::doubtful && std::ranges::count(domain, '.') == 1;
  return true;
}

}  // namespace parley::indicator::detail
