#include "indicator/detail/unicode.h"

#include <algorithm>
#include <array>

namespace parley::indicator::detail {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

template <std::size_t N>
bool within(const std::array<Range, N>& ranges, std::uint32_t c) {
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), c,
                                      [](std::uint32_t value, const Range& range) { return value < range.first; });
  return after != ranges.begin() && c <= std::prev(after)->last;
}

// Unicode 15 general categories P, S, Z and C, in whole blocks where a block holds nothing else.
constexpr std::array kNotLetters = {
    Range{0x80, 0xa9},     Range{0xab, 0xb4},     Range{0xb6, 0xb9},       Range{0xbb, 0xbf},
    Range{0xd7, 0xd7},     Range{0xf7, 0xf7},     Range{0x2c2, 0x2c5},     Range{0x37e, 0x37e},
    Range{0x387, 0x387},   Range{0x55a, 0x55f},   Range{0x589, 0x58a},     Range{0x5be, 0x5be},
    Range{0x5c0, 0x5c0},   Range{0x5c3, 0x5c3},   Range{0x5c6, 0x5c6},     Range{0x5f3, 0x5f4},
    Range{0x600, 0x60f},   Range{0x61b, 0x61f},   Range{0x640, 0x640},     Range{0x66a, 0x66d},
    Range{0x6d4, 0x6d4},   Range{0x6dd, 0x6de},   Range{0x700, 0x70f},     Range{0x964, 0x965},
    Range{0x970, 0x970},   Range{0xe2f, 0xe2f},   Range{0xe3f, 0xe3f},     Range{0xe4f, 0xe4f},
    Range{0xe5a, 0xe5b},   Range{0x104a, 0x104f}, Range{0x10fb, 0x10fb},   Range{0x1360, 0x1368},
    Range{0x166e, 0x166e}, Range{0x17d4, 0x17db}, Range{0x1800, 0x180e},   Range{0x2000, 0x200b},
    Range{0x200e, 0x209f}, Range{0x20a0, 0x20cf}, Range{0x2100, 0x2bff},   Range{0x2e00, 0x2e7f},
    Range{0x3000, 0x3004}, Range{0x3008, 0x3020}, Range{0x3030, 0x3030},   Range{0x303d, 0x303f},
    Range{0x30fb, 0x30fb}, Range{0xd800, 0xf8ff}, Range{0xfd3e, 0xfd3f},   Range{0xfe00, 0xfe1f},
    Range{0xfe30, 0xfe6f}, Range{0xfeff, 0xff0f}, Range{0xff1a, 0xff20},   Range{0xff3b, 0xff40},
    Range{0xff5b, 0xff65}, Range{0xffe0, 0xffff}, Range{0x1f000, 0x1faff}, Range{0xe0000, 0x10ffff},
};

constexpr std::array kUnspacedScripts = {
    Range{0xe00, 0xfff},      // Thai, Lao, Tibetan
    Range{0x1000, 0x109f},    // Myanmar
    Range{0x1100, 0x11ff},    // Hangul Jamo
    Range{0x1780, 0x17ff},    // Khmer
    Range{0x2e80, 0x2fff},    // CJK radicals
    Range{0x3005, 0x3007},    // CJK iteration marks
    Range{0x3021, 0xa4cf},    // Kana, Bopomofo, CJK ideographs, Yi
    Range{0xac00, 0xd7ff},    // Hangul syllables
    Range{0xf900, 0xfaff},    // CJK compatibility ideographs
    Range{0xff66, 0xffdc},    // half-width kana and Hangul
    Range{0x20000, 0x3ffff},  // supplementary ideographs
};

constexpr std::array kInvisible = {
    Range{0xad, 0xad},     Range{0x34f, 0x34f},   Range{0x61c, 0x61c},     Range{0x180b, 0x180e},
    Range{0x200b, 0x200f}, Range{0x202a, 0x202e}, Range{0x2060, 0x206f},   Range{0xfe00, 0xfe0f},
    Range{0xfeff, 0xfeff}, Range{0xfff9, 0xfffb}, Range{0xe0000, 0xe01ef},
};

/// U+FF01 to U+FF5E are ASCII 0x21 to 0x7E in full width (Unicode block Halfwidth and Fullwidth Forms).
constexpr std::uint32_t kFullWidthOffset = 0xfee0;

}  // namespace

CodePoint decode(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = at(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return {};
  std::uint32_t value = lead & (0xffu >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((at(i) & 0xc0) != 0x80) return {};
    value = (value << 6) | (at(i) & 0x3f);
  }
  const std::uint32_t least = size == 4 ? 0x10000 : size == 3 ? 0x800 : 0x80;
  if (value < least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return {};
  return {value, size};
}

void append_utf8(std::string& out, std::uint32_t code_point) {
  const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xc0 | (code_point >> 6));
    put(0x80 | (code_point & 0x3f));
  } else if (code_point < 0x10000) {
    put(0xe0 | (code_point >> 12));
    put(0x80 | ((code_point >> 6) & 0x3f));
    put(0x80 | (code_point & 0x3f));
  } else {
    put(0xf0 | (code_point >> 18));
    put(0x80 | ((code_point >> 12) & 0x3f));
    put(0x80 | ((code_point >> 6) & 0x3f));
    put(0x80 | (code_point & 0x3f));
  }
}

bool is_invisible(std::uint32_t c) {
  return within(kInvisible, c);
}

bool is_wide_space(std::uint32_t c) {
  return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
         c == 0x202f || c == 0x205f || c == 0x3000;
}

bool is_foreign_letter(std::uint32_t c) {
  return c >= 0x80 && !within(kNotLetters, c);
}

bool is_unspaced_script(std::uint32_t c) {
  return within(kUnspacedScripts, c);
}

char ascii_equivalent(std::uint32_t c) {
  switch (c) {
    case 0x2010:  // HYPHEN
    case 0x2011:  // NON-BREAKING HYPHEN
    case 0xfe63:  // SMALL HYPHEN-MINUS
      return '-';
    case 0x2024:  // ONE DOT LEADER
    case 0xfe52:  // SMALL FULL STOP
      return '.';
    case 0x3010:  // LEFT BLACK LENTICULAR BRACKET
      return '[';
    case 0x3011:  // RIGHT BLACK LENTICULAR BRACKET
      return ']';
    default:
      break;
  }
  if (c < 0xff01 || c > 0xff5e) return 0;
  const char plain = static_cast<char>(c - kFullWidthOffset);
  // Full-width commas, brackets and question marks end a sentence: they are never part of an address.
  return is_alnum(plain) || std::string_view(".-_/:@[]").find(plain) != std::string_view::npos ? plain : '\0';
}

int foreign_digit(std::uint32_t c) {
  for (const std::uint32_t zero : {0x660u, 0x6f0u, 0x966u, 0x9e6u}) {
    if (c >= zero && c <= zero + 9) return static_cast<int>(c - zero);
  }
  return -1;
}

bool all_ascii(std::string_view text) {
  return std::ranges::all_of(text, is_ascii);
}

std::string ascii_lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), to_lower);
  return out;
}

std::string ascii_upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), to_upper);
  return out;
}

bool equal_fold(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return to_lower(x) == to_lower(y); });
}

bool starts_with_fold(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && equal_fold(text.substr(0, prefix.size()), prefix);
}

std::string_view trim(std::string_view text) {
  const auto blank = [](CodePoint point) {
    return point.size != 0 && (point.value == ' ' || (point.value >= '\t' && point.value <= '\r') ||
                               is_wide_space(point.value) || is_invisible(point.value));
  };
  while (!text.empty()) {
    const CodePoint point = decode(text);
    if (!blank(point)) break;
    text.remove_prefix(point.size);
  }
  while (!text.empty()) {
    std::size_t start = text.size() - 1;
    while (start > 0 && text.size() - start < 4 && (static_cast<unsigned char>(text[start]) & 0xc0) == 0x80) --start;
    if (!blank(decode(text.substr(start)))) break;
    text.remove_suffix(text.size() - start);
  }
  return text;
}

}  // namespace parley::indicator::detail
