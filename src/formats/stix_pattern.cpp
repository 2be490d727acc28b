#include "formats/stix_pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "formats/intake.h"
#include "formats/limits.h"

namespace parley::formats {
namespace {

enum class Token : std::uint8_t { end, word, literal, symbol };

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '+';
}

/// Words, literals and symbols of a pattern, one ahead.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Token token() const { return token_; }
  const std::string& text() const { return value_; }
  bool is_symbol(std::string_view symbol) const { return token_ == Token::symbol && value_ == symbol; }
  bool is_keyword(std::string_view word) const { return token_ == Token::word && equal_ignoring_case(value_, word); }

  Status next() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
    begin_ = at_;
    value_.clear();
    if (at_ == text_.size()) {
      token_ = Token::end;
      return {};
    }
    const char c = text_[at_];
    // Literals of other types than string carry a letter in front: t'…', h'…', b'…'.
    if (c == '\'' || (at_ + 1 < text_.size() && text_[at_ + 1] == '\'' && (c == 't' || c == 'h' || c == 'b'))) {
      at_ += c == '\'' ? 1 : 2;
      return quoted();
    }
    if (is_word(c)) {
      while (at_ < text_.size() && (is_word(text_[at_]))) value_ += text_[at_++];
      token_ = Token::word;
      return {};
    }
    token_ = Token::symbol;
    value_ += text_[at_++];
    const bool two = at_ < text_.size() && (value_ == "!" || value_ == "<" || value_ == ">") &&
                     (text_[at_] == '=' || (value_ == "<" && text_[at_] == '>'));
    if (two || (value_ == "=" && at_ < text_.size() && text_[at_] == '=')) value_ += text_[at_++];
    return {};
  }

  std::unexpected<Error> expected(std::string_view what) const {
    return fail(Errc::format, token_ == Token::end
                                  ? fmt::format("The pattern ends where {} was expected.", what)
                                  : fmt::format("At character {} of the pattern stands {} where {} was expected.",
                                                begin_ + 1, shown(value_), what));
  }

 private:
  Status quoted() {
    token_ = Token::literal;
    while (at_ < text_.size() && text_[at_] != '\'') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      value_ += text_[at_++];
    }
    if (at_ == text_.size()) {
      token_ = Token::end;
      return expected("the closing ' of a literal");
    }
    ++at_;
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t begin_ = 0;
  Token token_ = Token::end;
  std::string value_;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) {}

  Result<Pattern> parse() {
    TRY_STATUS(lexer_.next());
    TRY_STATUS(observations(0));
    if (lexer_.token() != Token::end) return lexer_.expected("AND, OR, FOLLOWEDBY or the end");
    return std::move(pattern_);
  }

 private:
  static std::unexpected<Error> too_deep() {
    return fail(Errc::limit,
                fmt::format("The pattern's parentheses are nested deeper than {} levels.", kMaxPatternDepth));
  }

  Status observations(std::size_t depth) {
    if (depth == kMaxPatternDepth) return too_deep();
    for (;;) {
      if (lexer_.is_symbol("(")) {
        TRY_STATUS(lexer_.next());
        TRY_STATUS(observations(depth + 1));
        TRY_STATUS(symbol(")"));
      } else {
        TRY_STATUS(symbol("["));
        TRY_STATUS(any_of(depth + 1, new_group()));
        TRY_STATUS(symbol("]"));
      }
      TRY_STATUS(qualifiers());
      if (!lexer_.is_keyword("AND") && !lexer_.is_keyword("OR") && !lexer_.is_keyword("FOLLOWEDBY")) return {};
      TRY_STATUS(lexer_.next());
    }
  }

  /// WITHIN 5 SECONDS, REPEATS 3 TIMES, START t'…' STOP t'…'
  Status qualifiers() {
    constexpr std::array<std::string_view, 6> kWords = {"WITHIN", "SECONDS", "REPEATS", "TIMES", "START", "STOP"};
    for (;;) {
      const bool word = std::ranges::any_of(kWords, [&](std::string_view w) { return lexer_.is_keyword(w); });
      const bool number =
          lexer_.token() == Token::word && lexer_.text().find_first_not_of("0123456789") == std::string::npos;
      if (!word && !number && !lexer_.is_symbol(".") && lexer_.token() != Token::literal) return {};
      TRY_STATUS(lexer_.next());
    }
  }

  /// OR binds weaker than AND: what stands on its two sides belongs to different groups.
  Status any_of(std::size_t depth, std::size_t group) {
    const std::size_t first = pattern_.terms.size();
    TRY_STATUS(all_of(depth, group));
    if (!lexer_.is_keyword("OR")) return {};
    regroup(first, group);
    while (lexer_.is_keyword("OR")) {
      TRY_STATUS(lexer_.next());
      TRY_STATUS(all_of(depth, new_group()));
    }
    return {};
  }

  /// The terms from `first` on were alternatives after all, and tied to nothing outside.
  void regroup(std::size_t first, std::size_t group) {
    const std::size_t own = new_group();
    for (std::size_t i = first; i < pattern_.terms.size(); ++i) {
      if (pattern_.terms[i].group == group) pattern_.terms[i].group = own;
    }
  }

  Status all_of(std::size_t depth, std::size_t group) {
    for (;;) {
      TRY_STATUS(comparison(depth, group));
      if (!lexer_.is_keyword("AND")) return {};
      TRY_STATUS(lexer_.next());
    }
  }

  Status comparison(std::size_t depth, std::size_t group) {
    if (depth >= kMaxPatternDepth) return too_deep();
    if (lexer_.is_symbol("(")) {
      TRY_STATUS(lexer_.next());
      TRY_STATUS(any_of(depth + 1, group));
      return symbol(")");
    }
    bool negated = false;
    if (lexer_.is_keyword("NOT")) {
      negated = true;
      TRY_STATUS(lexer_.next());
    }
    const bool exists = lexer_.is_keyword("EXISTS");
    if (exists) TRY_STATUS(lexer_.next());
    PatternTerm term{{}, {}, {}, group};
    TRY_STATUS(object_path(term));
    if (exists) {
      pass_over(term);
      return {};
    }
    if (lexer_.is_keyword("NOT")) {
      negated = !negated;
      TRY_STATUS(lexer_.next());
    }
    return operation(std::move(term), negated);
  }

  Status operation(PatternTerm term, bool negated) {
    if (lexer_.is_keyword("IN")) {
      TRY_STATUS(lexer_.next());
      return set(std::move(term), negated);
    }
    constexpr std::array<std::string_view, 8> kSymbols = {"=", "==", "!=", "<>", "<", ">", "<=", ">="};
    constexpr std::array<std::string_view, 4> kWords = {"LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"};
    const bool equals = lexer_.is_symbol("=") || lexer_.is_symbol("==");
    const bool other = std::ranges::any_of(kSymbols, [&](std::string_view s) { return lexer_.is_symbol(s); }) ||
                       std::ranges::any_of(kWords, [&](std::string_view w) { return lexer_.is_keyword(w); });
    if (!equals && !other) return lexer_.expected("=, IN or another comparison operator");
    TRY_STATUS(lexer_.next());
    if (equals && !negated) {
      TRY(term.value, literal());
      pattern_.terms.push_back(std::move(term));
      return {};
    }
    TRY_STATUS(literal());
    pass_over(term);
    return {};
  }

  /// IN ('a', 'b'): alternatives, so that each is a group of its own, unless there is only one.
  Status set(PatternTerm term, bool negated) {
    TRY_STATUS(symbol("("));
    std::vector<std::string> values;
    for (;;) {
      TRY(std::string value, literal());
      values.push_back(std::move(value));
      if (!lexer_.is_symbol(",")) break;
      TRY_STATUS(lexer_.next());
    }
    if (negated) pass_over(term);
    for (std::string& value : values) {
      if (negated) break;
      const std::size_t group = values.size() == 1 ? term.group : new_group();
      pattern_.terms.push_back({term.object, term.path, std::move(value), group});
    }
    return symbol(")");
  }

  Status object_path(PatternTerm& term) {
    if (lexer_.token() != Token::word) return lexer_.expected("an object path like ipv4-addr:value");
    term.object = lexer_.text();
    TRY_STATUS(lexer_.next());
    TRY_STATUS(symbol(":"));
    for (;;) {
      if (lexer_.token() != Token::word && lexer_.token() != Token::literal) return lexer_.expected("a property name");
      if (!term.path.empty()) term.path += '.';
      term.path += lexer_.text();
      TRY_STATUS(lexer_.next());
      while (lexer_.is_symbol("[")) {
        TRY_STATUS(lexer_.next());
        if (!lexer_.is_symbol("*") && lexer_.token() != Token::word) return lexer_.expected("a list index or *");
        TRY_STATUS(lexer_.next());
        TRY_STATUS(symbol("]"));
      }
      if (!lexer_.is_symbol(".")) return {};
      TRY_STATUS(lexer_.next());
    }
  }

  /// A string, number, boolean or time, as text.
  Result<std::string> literal() {
    if (lexer_.token() != Token::literal && lexer_.token() != Token::word) return lexer_.expected("a literal");
    std::string value = lexer_.text();
    TRY_STATUS(lexer_.next());
    while (lexer_.is_symbol(".")) {
      TRY_STATUS(lexer_.next());
      value += '.' + lexer_.text();
      TRY_STATUS(lexer_.next());
    }
    return value;
  }

  Status symbol(std::string_view wanted) {
    if (!lexer_.is_symbol(wanted)) return lexer_.expected(fmt::format("\"{}\"", wanted));
    return lexer_.next();
  }

  void pass_over(const PatternTerm& term) { pattern_.passed_over.push_back(term.object + ':' + term.path); }
  std::size_t new_group() { return ++groups_; }

  Lexer lexer_;
  Pattern pattern_;
  std::size_t groups_ = 0;
};

}  // namespace

Result<Pattern> parse_stix_pattern(std::string_view text) {
  if (text.size() > kMaxPatternBytes) {
    return fail(Errc::limit, fmt::format("The pattern has more than {} bytes.", kMaxPatternBytes));
  }
  return Parser(text).parse();
}

}  // namespace parley::formats
