// Code points of running text: what is a letter, a space, a mark that nobody sees. No tables of the Unicode standard
// are copied here: the ranges are the coarse ones that finding indicators needs (Unicode 15, block names in
// unicode.cpp).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace parley::indicator::detail {

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t size = 0;  ///< bytes taken; 0 when the bytes are no UTF-8
};

/// The first code point of `text`. Precondition: not empty.
CodePoint decode(std::string_view text);
void append_utf8(std::string& out, std::uint32_t code_point);

/// Zero-width and bidirectional controls, soft hyphen, variation selectors: they change nothing in a name or address.
bool is_invisible(std::uint32_t c);
/// ZERO WIDTH (NON-)JOINER: invisible, but part of the spelling of Persian and Indic words (RFC 5892 appendix A).
constexpr bool is_joiner(std::uint32_t c) {
  return c == 0x200c || c == 0x200d;
}
/// Space separators outside ASCII.
bool is_wide_space(std::uint32_t c);
/// A letter, mark or digit outside ASCII, as far as words are concerned: everything that is not known to be
/// punctuation, a symbol or a space.
bool is_foreign_letter(std::uint32_t c);
/// Letters of scripts written without spaces between words (Chinese, Japanese, Korean, Thai, ...).
bool is_unspaced_script(std::uint32_t c);
/// The ASCII character that a full-width or otherwise equivalent form of address punctuation stands for; 0 for none.
char ascii_equivalent(std::uint32_t c);
/// 0 to 9 for Arabic-Indic, Persian, Devanagari and Bengali digits; -1 otherwise.
int foreign_digit(std::uint32_t c);

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
constexpr bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
constexpr bool is_alpha(char c) {
  return is_lower(c) || is_upper(c);
}
constexpr bool is_alnum(char c) {
  return is_alpha(c) || is_digit(c);
}
constexpr bool is_ascii(char c) {
  return static_cast<unsigned char>(c) < 0x80;
}
constexpr char to_lower(char c) {
  return is_upper(c) ? static_cast<char>(c + ('a' - 'A')) : c;
}
constexpr char to_upper(char c) {
  return is_lower(c) ? static_cast<char>(c - ('a' - 'A')) : c;
}
constexpr int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool all_ascii(std::string_view text);
std::string ascii_lower(std::string_view text);
std::string ascii_upper(std::string_view text);
/// Without regard to the case of ASCII letters.
bool equal_fold(std::string_view a, std::string_view b);
bool starts_with_fold(std::string_view text, std::string_view prefix);

/// Without spaces and invisible characters at either end.
std::string_view trim(std::string_view text);

}  // namespace parley::indicator::detail
