#include "indicator/detail/defang.h"

#include <algorithm>
#include <array>

#include "indicator/detail/unicode.h"

namespace parley::indicator::detail {
namespace {

/// The longest name in the domain system (RFC 1035 section 2.3.4); how far a look ahead or back for one has to go.
constexpr std::size_t kMaxDomainLook = 255;
/// The longest local part of an address (RFC 5321 section 4.5.3.1.1).
constexpr std::size_t kMaxLocalPart = 64;
/// Spaces that may stand between a bracketed dot or at-sign and its neighbours.
constexpr std::size_t kMaxPadding = 2;

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
bool is_wordish(char c) {
  return is_alnum(c) || !is_ascii(c);
}

/// First pass: characters. Everything that only looks different from ASCII becomes ASCII.
class Folder {
 public:
  explicit Folder(std::string_view text) : text_(text) {
    out_.text.reserve(text.size());
    out_.source.reserve(text.size());
  }

  Plain fold() {
    while (at_ < text_.size()) {
      if (is_ascii(text_[at_])) {
        put(text_[at_], at_);
        previous_ = static_cast<unsigned char>(text_[at_]);
        ++at_;
      } else {
        fold_foreign();
      }
    }
    return std::move(out_);
  }

 private:
  void put(char c, std::size_t source) {
    out_.text.push_back(c);
    out_.source.push_back(static_cast<std::uint32_t>(source));
  }

  void copy(std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) put(text_[at_ + i], at_ + i);
  }

  void fold_foreign() {
    const CodePoint point = decode(text_.substr(at_));
    if (point.size == 0) {
      put(' ', at_++);
      previous_ = ' ';
      return;
    }
    if (foreign_digit(point.value) >= 0) return fold_digits();
    if (is_joiner(point.value)) {
      if (joins_letters(point.size)) copy(point.size);
    } else if (is_wide_space(point.value)) {
      put(' ', at_);
    } else if (const char plain = ascii_equivalent(point.value); plain != 0) {
      put(plain, at_);
    } else if (!is_invisible(point.value)) {
      copy(point.size);
    }
    if (!is_invisible(point.value)) previous_ = point.value;
    at_ += point.size;
  }

  bool joins_letters(std::size_t size) const {
    if (at_ + size >= text_.size() || !is_foreign_letter(previous_)) return false;
    const CodePoint next = decode(text_.substr(at_ + size));
    return next.size != 0 && is_foreign_letter(next.value);
  }

  /// An address in other digits (192.0.2.10 in Arabic-Indic ones, with U+066B between) becomes one in ASCII digits; any
  /// other number stays as it is, since a name may contain such digits.
  void fold_digits() {
    constexpr std::size_t kMaxDigits = 15;  // 255.255.255.255 has 12, and some room to be sure that it is none
    std::string plain;
    std::vector<std::uint32_t> source;
    std::size_t end = at_;
    std::size_t digits = 0;
    while (end < text_.size() && digits <= kMaxDigits) {
      const CodePoint point = decode(text_.substr(end));
      if (point.size == 0) break;
      const int digit = foreign_digit(point.value);
      const bool dot = point.value == '.' || point.value == 0x66b;  // U+066B ARABIC DECIMAL SEPARATOR
      if (digit < 0 && !dot && !is_invisible(point.value)) break;
      if (digit >= 0 || dot) {
        plain.push_back(dot ? '.' : static_cast<char>('0' + digit));
        source.push_back(static_cast<std::uint32_t>(end));
      }
      digits += digit >= 0 ? 1 : 0;
      end += point.size;
    }
    while (!plain.empty() && plain.back() == '.') {  // the full stop of the sentence
      end = source.back();
      plain.pop_back();
      source.pop_back();
    }
    previous_ = '0';
    if (std::ranges::count(plain, '.') == 3) {
      out_.text += plain;
      out_.source.insert(out_.source.end(), source.begin(), source.end());
      at_ = end;
    } else {
      copy(end - at_);
      at_ = end;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::uint32_t previous_ = ' ';
  Plain out_;
};

struct Spelling {
  std::string_view inner;
  std::string_view meaning;
};

/// What stands in brackets instead of a character; longer ones first.
constexpr std::array kBracketed = {
    Spelling{"://", "://"}, Spelling{"punkt", "."}, Spelling{"punto", "."}, Spelling{"point", "."},
    Spelling{"dot", "."},   Spelling{"//", "//"},   Spelling{"::", "::"},   Spelling{"at", "@"},
    Spelling{".", "."},     Spelling{"@", "@"},     Spelling{":", ":"},     Spelling{"/", "/"},
};

/// Second pass: defanging, over folded text.
class Refanger {
 public:
  explicit Refanger(Plain folded) : in_(std::move(folded)) {
    out_.text.reserve(in_.text.size());
    out_.source.reserve(in_.text.size());
    out_.defanged.reserve(in_.text.size());
  }

  Plain run() {
    while (at_ < in_.text.size()) {
      if (!step()) keep();
    }
    return std::move(out_);
  }

 private:
  char peek(std::size_t ahead) const { return at_ + ahead < in_.text.size() ? in_.text[at_ + ahead] : '\0'; }
  std::string_view rest(std::size_t ahead = 0) const {
    return std::string_view(in_.text).substr(std::min(at_ + ahead, in_.text.size()));
  }
  char last() const { return out_.text.empty() ? '\0' : out_.text.back(); }

  void put(std::string_view meaning, char mark) {
    for (const char c : meaning) {
      out_.text.push_back(c);
      out_.source.push_back(in_.source[at_]);
      out_.defanged.push_back(mark);
    }
  }

  void keep() {
    const char c = in_.text[at_];
    if (is_blank(c) || c == '\n') {
      in_spoken_address_ = false;
      word_has_backslash_ = false;
    }
    if (c == '\\') word_has_backslash_ = true;
    put({&c, 1}, Plain::kPlain);
    ++at_;
  }

  bool replace(std::size_t size, std::string_view meaning, char mark = Plain::kUndone) {
    put(meaning, mark);
    at_ += size;
    return true;
  }

  bool step() {
    switch (in_.text[at_]) {
      case '[':
        return bracket() || open_bracket_only();
      case '(':
      case '{':
      case '<':
        return bracket();
      case '.':
        return peek(1) == ']' && is_wordish(last()) && is_wordish(peek(2)) && replace(2, ".");
      case '\\':
        return backslash();
      case ':':
        return colon();
      case ' ':
        return spoken_dot() || spoken_at();
      default:
        return false;
    }
  }

  /// [.] (dot) {at} <.> [:] [://] and the like, with spaces inside.
  bool bracket() {
    std::size_t i = 1;
    while (i <= kMaxPadding && is_blank(peek(i))) ++i;
    for (const Spelling& spelling : kBracketed) {
      if (!starts_with_fold(rest(i), spelling.inner)) continue;
      std::size_t end = i + spelling.inner.size();
      const std::size_t inner_end = end;
      while (end < inner_end + kMaxPadding && is_blank(peek(end))) ++end;
      const char close = peek(end);
      if (close != ']' && close != ')' && close != '}' && close != '>') continue;
      return apply(spelling.meaning, end + 1);
    }
    return false;
  }

  bool apply(std::string_view meaning, std::size_t size) {
    const char open = in_.text[at_];
    if (open == '<' && meaning != "." && meaning != "@") return false;  // </> is markup
    if (meaning == "::" && hex_digit(last()) < 0) return false;         // http://[::]/ is an address
    const bool at_sign = meaning == "@";
    if (at_sign || (meaning == "." && in_address())) size += swallow_padding(size);
    if (at_sign) in_spoken_address_ = true;
    return replace(size, meaning);
  }

  /// Removes the spaces around a bracketed dot or at-sign; returns how many follow it.
  std::size_t swallow_padding(std::size_t size) {
    std::size_t after = 0;
    while (after < kMaxPadding && is_blank(peek(size + after))) ++after;
    if (!is_wordish(peek(size + after))) return 0;
    std::size_t before = 0;
    const std::size_t length = out_.text.size();
    while (before < kMaxPadding && before < length && is_blank(out_.text[length - 1 - before])) ++before;
    if (before < length && is_wordish(out_.text[length - 1 - before])) {
      out_.text.resize(length - before);
      out_.source.resize(length - before);
      out_.defanged.resize(length - before);
    }
    return after;
  }

  /// Whether the word just written is an e-mail address or already has an undone dot.
  bool in_address() const {
    std::size_t i = out_.text.size();
    while (i > 0 && is_blank(out_.text[i - 1])) --i;
    for (std::size_t steps = 0; i > 0 && steps < kMaxDomainLook && !is_blank(out_.text[i - 1]); --i, ++steps) {
      if (out_.text[i - 1] == '@' || out_.defanged[i - 1] != Plain::kPlain) return true;
      if (!is_wordish(out_.text[i - 1]) && out_.text[i - 1] != '.' && out_.text[i - 1] != '-') return false;
    }
    return false;
  }

  /// example[.com, example[dotcom, hxxp[://, example.com[/path: the closing bracket was forgotten.
  bool open_bracket_only() {
    if (!is_wordish(last())) return false;
    if (rest(1).starts_with("://")) return replace(4, "://");
    if ((peek(1) == '.' || peek(1) == '@') && is_wordish(peek(2))) return replace(2, rest(1).substr(0, 1));
    if (starts_with_fold(rest(1), "dot") && is_wordish(peek(4))) return replace(4, ".");
    if (peek(1) == '/' && is_wordish(peek(2)) && !is_closing_tag()) return replace(2, "/");
    return false;
  }

  /// [/url] and [/b] of bulletin boards.
  bool is_closing_tag() const {
    constexpr std::size_t kLongestTag = 16;
    std::size_t i = 2;
    while (i < kLongestTag && is_alnum(peek(i))) ++i;
    return peek(i) == ']';
  }

  /// example\.com as in a regular expression, http:\/\/ as in JSON; but not the \.NETFramework of a path.
  bool backslash() {
    if (word_has_backslash_) return false;
    if (peek(1) == '/') {
      put("/", Plain::kPlain);
      at_ += 2;
      return true;
    }
    return peek(1) == '.' && is_wordish(last()) && is_wordish(peek(2)) && replace(2, ".");
  }

  /// http:__example.com and http:\\example.com.
  bool colon() {
    if (!rest(1).starts_with("__") && !rest(1).starts_with("\\\\")) return false;
    std::size_t start = out_.text.size();
    constexpr std::size_t kLongestScheme = 8;
    while (start > 0 && out_.text.size() - start < kLongestScheme && is_alpha(out_.text[start - 1])) --start;
    if (web_scheme(std::string_view(out_.text).substr(start)).empty()) return false;
    return replace(3, "://");
  }

  /// "myuser [at] example dot com": only after a bracketed at-sign, since "dot" is also a word.
  bool spoken_dot() {
    if (!in_spoken_address_ || !starts_with_fold(rest(), " dot ") || !is_wordish(peek(5))) return false;
    return replace(5, ".");
  }

  /// "myuser at example[dot]com", at the start of a line or cell: in the middle of a sentence "hosted at" is no user.
  bool spoken_at() {
    if (!rest().starts_with(" at ") || !is_wordish(peek(4))) return false;
    const std::string_view name = rest(4).substr(0, kMaxDomainLook);
    const std::string_view word = name.substr(0, name.find_first_of(" \t\n"));
    const bool spelled = std::ranges::any_of(std::array{"[dot]", "(dot)", "{dot}"}, [&](std::string_view dot) {
      return word.find(dot) != std::string_view::npos;
    });
    if (!spelled || !stands_alone()) return false;
    in_spoken_address_ = true;
    return replace(4, "@", Plain::kSpoken);
  }

  bool stands_alone() const {
    std::size_t start = out_.text.size();
    const auto part_of_name = [](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-' || c == '+'; };
    while (start > 0 && out_.text.size() - start <= kMaxLocalPart && part_of_name(out_.text[start - 1])) --start;
    const std::string_view name = std::string_view(out_.text).substr(start);
    if (name.empty()) return false;
    constexpr std::array<std::string_view, 12> kVerbs = {"hosted", "located", "found",      "available",
                                                         "seen",   "server",  "c2",         "domain",
                                                         "served", "resides", "registered", "reachable"};
    if (std::ranges::any_of(kVerbs, [&](std::string_view verb) { return equal_fold(verb, name); })) return false;
    while (start > 0 && is_blank(out_.text[start - 1])) --start;
    return start == 0 || std::string_view("\n|:,;(\"'<").find(out_.text[start - 1]) != std::string_view::npos;
  }

  Plain in_;
  Plain out_;
  std::size_t at_ = 0;
  bool in_spoken_address_ = false;
  bool word_has_backslash_ = false;
};

}  // namespace

Plain refang(std::string_view text) {
  return Refanger(Folder(text).fold()).run();
}

bool may_be_defanged(std::string_view text) {
  return text.find(":__") != std::string_view::npos || std::ranges::any_of(text, [](char c) {
           return c == '[' || c == ']' || c == '(' || c == '{' || c == '<' || c == '\\' || !is_ascii(c);
         });
}

std::string_view web_scheme(std::string_view word) {
  const auto is = [&](std::string_view name) { return equal_fold(word, name); };
  if (is("http")) return "http";
  if (is("https")) return "https";
  if (is("ftp") || is("fxp") || is("f*p")) return "ftp";
  if (word.size() < 3 || to_lower(word.front()) != 'h') return {};
  const bool secure = to_lower(word.back()) == 's';
  const std::string_view stem = word.substr(0, word.size() - (secure ? 1 : 0));
  if (to_lower(stem.back()) != 'p' || stem.size() < 3 || stem.size() > 5) return {};
  const std::string_view middle = stem.substr(1, stem.size() - 2);
  const bool masked =
      std::ranges::all_of(middle, [](char c) { return to_lower(c) == 't' || to_lower(c) == 'x' || c == '*'; });
  if (!masked) return {};
  return secure ? "https" : "http";
}

}  // namespace parley::indicator::detail
