#include "indicator/detail/host.h"

#include <fmt/format.h>
#include <idn2.h>
#include <libpsl.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/text.h"
#include "indicator/detail/unicode.h"

namespace parley::indicator::detail {
namespace {

constexpr std::size_t kMaxName = 253;  // RFC 1035 section 2.3.4: 255 octets on the wire
constexpr std::size_t kMaxLabel = 63;

/// Undelegated or hardly used suffixes that end file names in reports.
constexpr std::array<std::string_view, 53> kFileSuffixes = {
    "7z",  "asp", "aspx", "bat", "bin",  "bmp",  "cab", "cfg",  "class", "cmd", "conf", "cpl",  "css", "csv",
    "dat", "dll", "dmg",  "doc", "docm", "docx", "exe", "gif",  "gz",    "hta", "htm",  "html", "iso", "jar",
    "jpg", "js",  "json", "lnk", "log",  "mov",  "msi", "ocx",  "pdf",   "php", "png",  "ppt",  "rar", "rtf",
    "scr", "sys", "tar",  "tmp", "txt",  "vbs",  "xls", "xlsx", "xml",   "yml", "zip"};

static_assert(std::ranges::is_sorted(kFileSuffixes));

/// Moldova, Palestine, Paraguay, Saint Helena and Somalia; and Markdown, PostScript, Python, shell, shared objects.
constexpr std::array<std::string_view, 5> kMostlyFileSuffixes = {"md", "ps", "py", "sh", "so"};

/// Delegated, in wide use, and suffixes of program texts all the same.
constexpr std::array<std::string_view, 2> kDoubtfulSuffixes = {"pl", "rs"};

struct IdnFree {
  void operator()(std::uint8_t* text) const { idn2_free(text); }
};

bool is_label_character(char c) {
  return is_lower(c) || is_digit(c) || c == '-' || c == '_';
}

std::unexpected<Error> no_domain(std::string_view name, std::string_view why) {
  return fail(Errc::format, fmt::format("{} is no domain name: {}", visible(name.substr(0, 80)), why));
}

Status append_label(std::string& out, std::string_view label) {
  if (label.empty()) return no_domain(label, "it has an empty label (two dots in a row, or one at the front)");
  const std::size_t start = out.size();
  for (const char c : label) out.push_back(to_lower(c));
  const std::string lowered = out.substr(start);
  const bool encoded = lowered.starts_with("xn--");
  if (encoded || !all_ascii(lowered)) {
    std::uint8_t* raw = nullptr;
    const int code = idn2_lookup_u8(reinterpret_cast<const std::uint8_t*>(lowered.c_str()), &raw, IDN2_NONTRANSITIONAL);
    const std::unique_ptr<std::uint8_t, IdnFree> converted(raw);
    if (code == IDN2_OK) {
      out.replace(start, lowered.size(), reinterpret_cast<const char*>(converted.get()));
    } else if (!encoded) {
      return no_domain(label, fmt::format("IDNA says: {}", idn2_strerror(code)));
    }
    // An A-label that IDNA 2008 forbids (emoji) still resolves, so it stays as it is.
  }
  const std::string_view done = std::string_view(out).substr(start);
  if (done.size() > kMaxLabel || done.empty()) return no_domain(label, "a label has 1 to 63 characters");
  if (!std::ranges::all_of(done, is_label_character)) {
    return no_domain(label, "a label holds letters, digits, hyphens and underscores only");
  }
  return {};
}

bool has_letter(std::string_view lower_case_label) {
  return std::ranges::any_of(lower_case_label, is_lower);
}

/// IDEOGRAPHIC FULL STOP and its half- and full-width forms separate labels too (UTS 46 section 2.3).
std::string with_plain_dots(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size();) {
    const CodePoint point = decode(name.substr(i));
    const std::size_t size = std::max<std::size_t>(point.size, 1);
    if (point.value == 0x3002 || point.value == 0xff0e || point.value == 0xff61) {
      out.push_back('.');
    } else {
      out.append(name.substr(i, size));
    }
    i += size;
  }
  return out;
}

/// Most names are plain already: one pass, no allocation but the result. Empty when the long way is needed.
std::string plain_domain(std::string_view name, std::size_t least_labels) {
  if (name.size() > kMaxName) return {};
  std::string out(name);
  std::size_t labels = 1;
  std::size_t start = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = to_lower(out[i]);
    if (out[i] == '.') {
      if (i == start || i - start > kMaxLabel) return {};
      start = i + 1;
      ++labels;
    } else if (!is_label_character(out[i])) {
      return {};
    } else if (i - start == 3 && out[i] == '-' && std::string_view(out).substr(start, 4) == "xn--") {
      return {};
    }
  }
  if (out.size() == start || out.size() - start > kMaxLabel || labels < least_labels) return {};
  return has_letter(std::string_view(out).substr(start)) ? out : std::string{};
}

}  // namespace

Result<std::string> canonical_domain(std::string_view name, std::size_t least_labels) {
  if (std::string plain = plain_domain(name, least_labels); !plain.empty()) return plain;
  if (name.size() > 4 * kMaxName) return no_domain(name, "a name has at most 253 characters");
  std::string dotted = with_plain_dots(name);
  std::string_view rest = dotted;
  if (rest.ends_with('.')) rest.remove_suffix(1);
  std::string out;
  std::size_t labels = 0;
  std::size_t last = 0;
  for (bool more = true; more;) {
    const std::size_t dot = rest.find('.');
    if (labels++ > 0) out.push_back('.');
    last = out.size();
    TRY_STATUS(append_label(out, rest.substr(0, dot)));
    more = dot != std::string_view::npos;
    if (more) rest.remove_prefix(dot + 1);
  }
  if (out.size() > kMaxName) return no_domain(name, "a name has at most 253 characters");
  if (labels < least_labels) return no_domain(name, "expected at least two labels, such as example.org");
  if (!has_letter(std::string_view(out).substr(last))) return no_domain(name, "its last label has no letter");
  return out;
}

LastLabel kind_of_last_label(std::string_view canonical_domain) {
  const std::string label(canonical_domain.substr(canonical_domain.rfind('.') + 1));
  if (std::ranges::binary_search(kFileSuffixes, std::string_view(label))) return LastLabel::file_suffix;
  if (std::ranges::find(kMostlyFileSuffixes, label) != kMostlyFileSuffixes.end()) return LastLabel::mostly_file;
  if (std::ranges::find(kDoubtfulSuffixes, label) != kDoubtfulSuffixes.end()) return LastLabel::doubtful;
  // RFC 2606: "example" is what documents use. An A-label nobody writes by accident.
  if (label == "example" || label.starts_with("xn--")) return LastLabel::known;
  const bool listed = psl_is_public_suffix2(psl_builtin(), label.c_str(), PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE) != 0;
  return listed ? LastLabel::known : LastLabel::unknown;
}

std::string_view public_suffix_data_id() {
  return psl_builtin_sha1sum();
}
std::string_view public_suffix_library_version() {
  return psl_get_version();
}
std::string_view idna_library_version() {
  return idn2_check_version(nullptr);
}

}  // namespace parley::indicator::detail
