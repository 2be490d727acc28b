#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace parley {
namespace {

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t size = 0;  ///< 0: invalid
};

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

struct Range {
  std::uint32_t first = 0, last = 0;
};

/// Characters that change how their neighbours look, or that cannot be seen: Default_Ignorable_Code_Point of Unicode
/// 17.0.0, controls, ends of lines, interlinear annotation and the blank of Braille. Ascending; the facts are
/// tests/vectors/unicode/hidden.tsv.
constexpr std::array<Range, 22> kHidden = {
    {{0x0, 0x1f},      {0x7f, 0x9f},       {0xad, 0xad},       {0x34f, 0x34f},    {0x61c, 0x61c},   {0x115f, 0x1160},
     {0x17b4, 0x17b5}, {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x2029},  {0x202a, 0x202e}, {0x2060, 0x206f},
     {0x2800, 0x2800}, {0x3164, 0x3164},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},  {0xffa0, 0xffa0}, {0xfff0, 0xfff8},
     {0xfff9, 0xfffb}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}}};

bool deceives(std::uint32_t c) {
  const auto range = std::ranges::lower_bound(kHidden, c, {}, &Range::last);
  return range != kHidden.end() && range->first <= c;
}

}  // namespace

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    // Nearly all text is ASCII: eight bytes at a time.
    for (std::uint64_t eight = 0; text.size() >= sizeof(eight); text.remove_prefix(sizeof(eight))) {
      std::memcpy(&eight, text.data(), sizeof(eight));
      if ((eight & 0x8080808080808080) != 0) break;
    }
    if (text.empty()) return true;
    const CodePoint point = decode(text);
    if (point.size == 0) return false;
    text.remove_prefix(point.size);
  }
  return true;
}

std::string visible(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = decode(text);
    if (point.size == 0 || (point.value < 0xa0 && deceives(point.value))) {
      out += fmt::format("\\x{:02x}", point.size == 2 ? point.value : static_cast<unsigned char>(text[0]));
    } else if (deceives(point.value)) {
      out += fmt::format("\\u{{{:x}}}", point.value);
    } else {
      out += text.substr(0, point.size);
    }
    text.remove_prefix(point.size == 0 ? 1 : point.size);
  }
  return out;
}

std::string escape_in_json(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  while (!json.empty()) {
    const CodePoint point = decode(json);
    const std::size_t size = point.size == 0 ? 1 : point.size;
    if (point.size == 0 || point.value < 0x7f || !deceives(point.value)) {
      out += json.substr(0, size);
    } else if (point.value <= 0xffff) {
      out += fmt::format("\\u{:04x}", point.value);
    } else {
      out += fmt::format("\\u{:04x}\\u{:04x}", 0xd800 + ((point.value - 0x10000) >> 10),
                         0xdc00 + ((point.value - 0x10000) & 0x3ff));
    }
    json.remove_prefix(size);
  }
  return out;
}

}  // namespace parley
