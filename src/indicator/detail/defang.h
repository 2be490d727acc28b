// Undoes defanging: `hxxp[:]//evil[.]example` and its many cousins become what they were before somebody made them safe
// to click. The forms are listed in docs/canonical-forms.md, "Defanging".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace parley::indicator::detail {

/// Text with defanging undone and full-width and invisible characters folded.
struct Plain {
  static constexpr char kPlain = 0;
  static constexpr char kUndone = 1;  ///< somebody had made it safe
  static constexpr char kSpoken = 2;  ///< an at-sign that was the word "at"

  std::string text;
  std::vector<std::uint32_t> source;  ///< for each byte of `text`, where in the input it comes from
  std::string defanged;               ///< for each byte of `text`: kPlain, kUndone or kSpoken

  bool any_defanged(std::size_t begin, std::size_t end) const {
    return std::string_view(defanged).substr(begin, end - begin).find(kUndone) != std::string_view::npos;
  }
};

/// Linear in text.size(). Invalid UTF-8 becomes spaces. Precondition: text.size() < 2^32.
Plain refang(std::string_view text);

/// Whether refang() could change `text` at all; most values are plain already.
bool may_be_defanged(std::string_view text);

/// "http", "https" or "ftp" for these and for the ways in which they are defanged (hxxp, h**ps, fxp); otherwise
/// nothing.
std::string_view web_scheme(std::string_view word);

}  // namespace parley::indicator::detail
