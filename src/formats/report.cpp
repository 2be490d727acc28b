#include "formats/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "formats/document.h"
#include "formats/limits.h"
#include "indicator/extract.h"

namespace parley::formats {
namespace {

/// Counts lines up to ever larger offsets.
class LineCounter {
 public:
  explicit LineCounter(std::string_view text) : text_(text) {}
  std::uint64_t line_of(std::size_t offset) {
    offset = std::min(offset, text_.size());
    if (offset < at_) at_ = 0, line_ = 1;
    line_ += static_cast<std::uint64_t>(std::ranges::count(text_.substr(at_, offset - at_), '\n'));
    at_ = offset;
    return line_;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  std::uint64_t line_ = 1;
};

}  // namespace

Result<std::string> text_of_report(ByteView content, Format format) {
  if (content.size() > kMaxReportBytes) {
    return fail(Errc::limit, fmt::format("The report has more than {} bytes.", kMaxReportBytes));
  }
  TRY_STATUS(check_encoding(as_text(content)));
  if (format == Format::html || format == Format::pdf) return document_text(content);
  std::string_view text = as_text(content);
  if (text.starts_with(kUtf8Mark)) text.remove_prefix(kUtf8Mark.size());
  return std::string(text);
}

Status read_report(Source& source, Format format, Intake& intake) {
  TRY(const std::string content, read_all(source, kMaxReportBytes));
  TRY(const std::string text, text_of_report(as_bytes(content), format));
  const auto found = indicator::extract(text);
  indicator::Context context;
  for (const indicator::Found& one : found) {
    if (one.type == "tlp") restrict_tlp(context, indicator::tlp_named(one.value));
  }
  LineCounter lines(text);
  for (const indicator::Found& one : found) {
    const auto type = indicator::type_named(one.type);
    if (!type) continue;
    const Place place{{}, lines.line_of(one.offset)};
    if (one.ambiguous) {
      intake.skip(place, fmt::format("{} may be something else, like a version number; import it in a list if it is an "
                                     "indicator.",
                                     shown(one.value)));
      continue;
    }
    auto value = indicator::canonicalise(*type, one.value);
    if (!value) {
      intake.skip(place,
                  fmt::format("{} looks like {} and is none: {}", shown(one.value), one.type, value.error().message));
      continue;
    }
    TRY_STATUS(intake.take(std::move(*value), context, 0));
  }
  return {};
}

}  // namespace parley::formats
