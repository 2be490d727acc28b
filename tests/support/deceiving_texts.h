// Texts by which a member or a file from outside would have a reader see something else than what is there.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace parley {

/// Escapes, bidirectional controls, what cannot be seen, what is no UTF-8; each in a text that a person would read.
inline const std::vector<std::string> kDeceivingTexts{
    "\x1b[2J\x1b[1;1Hall is well",                            // clears the screen
    "\x1b]0;title\x07",                                       // names the window
    "\x1b]8;;https://evil.example/\x1b\\here\x1b]8;;\x1b\\",  // a link that is not what it says
    "\x1bP1$r0m\x1b\\",                                       // asks the terminal to type
    "one\rtwo",                                               // writes over the line
    "one\btwo",
    "bell\x07",
    "del\x7f",
    "\u009b31mred",    // CSI as one character
    "a\u202egpj.exe",  // right-to-left override
    "a\u202ab\u202c",
    "a\u2066b\u2069",  // isolates
    "a\u2067b",
    "a\u200fb\u200e",
    "a\u061cb",
    "evil\u200b.example",  // zero-width space
    "evil\u200d\u200c",
    "soft\u00adhyphen",
    "\ufeffmark",
    "line\u2028separator\u2029",
    "word\u2060joiner",
    "annotated\ufff9x\ufffay\ufffb",
    "tag\U000e0041",
    "filler\u3164",
    "truncated \xe2\x80",
    "overlong \xc0\xaf",
    "surrogate \xed\xa0\x80",
    "high \xff\xfe",
};

/// Nothing in `text` acts on a terminal, turns or hides its neighbours, or is no UTF-8. Line feeds and tabs are layout.
/// Written without base/text.h, which is what it judges.
inline testing::AssertionResult is_harmless(std::string_view text) {
  const auto found = [&](std::size_t at, const char* what) {
    return testing::AssertionFailure() << what << " at byte " << at
                                       << " of: " << testing::PrintToString(text.substr(at < 20 ? 0 : at - 20, 60));
  };
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[i + k]); };
    if (byte(0) < 0x80) {
      if ((byte(0) < 0x20 && byte(0) != '\n' && byte(0) != '\t') || byte(0) == 0x7f)
        return found(i, "a control character");
      ++i;
      continue;
    }
    const std::size_t size = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
    if (byte(0) < 0xc2 || byte(0) > 0xf4 || i + size > text.size()) return found(i, "a byte that is no UTF-8");
    unsigned long point = byte(0) & (0xffu >> (size + 1));
    for (std::size_t k = 1; k < size; ++k) {
      if ((byte(k) & 0xc0) != 0x80) return found(i, "a byte that is no UTF-8");
      point = point << 6 | (byte(k) & 0x3fu);
    }
    if (point >= 0xd800 && point <= 0xdfff) return found(i, "half a character");
    const bool bad = point < 0xa0 || point == 0xad || point == 0x61c || (point >= 0x200b && point <= 0x200f) ||
                     (point >= 0x2028 && point <= 0x202e) || (point >= 0x2060 && point <= 0x206f) || point == 0xfeff ||
                     point == 0x3164 || (point >= 0xfff9 && point <= 0xfffb) || (point >= 0xe0000 && point <= 0xe007f);
    if (bad) return found(i, "a character that deceives");
    i += size;
  }
  return testing::AssertionSuccess();
}

}  // namespace parley
