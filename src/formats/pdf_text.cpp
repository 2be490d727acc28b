#include "formats/pdf_text.h"

#include <fmt/format.h>
#include <poppler-document.h>
#include <poppler-global.h>
#include <poppler-page.h>

#include <memory>

#include "formats/limits.h"

namespace parley::formats {

Result<std::string> pdf_text(std::string_view pdf) {
  poppler::set_debug_error_function([](const std::string&, void*) {}, nullptr);
  const std::unique_ptr<poppler::document> document(
      poppler::document::load_from_raw_data(pdf.data(), static_cast<int>(pdf.size())));
  if (!document) return fail(Errc::format, "This is no PDF document that can be read; it may be damaged or cut off.");
  if (document->is_locked()) return fail(Errc::format, "The PDF document asks for a password; save it without one.");
  if (document->pages() > kMaxPdfPages) {
    return fail(Errc::limit, fmt::format("The PDF document has more than {} pages.", kMaxPdfPages));
  }
  std::string text;
  for (int number = 0; number < document->pages(); ++number) {
    const std::unique_ptr<poppler::page> page(document->create_page(number));
    if (!page) continue;
    const poppler::byte_array utf8 = page->text().to_utf8();
    if (text.size() + utf8.size() > kMaxDocumentTextBytes) {
      return fail(Errc::limit, fmt::format("The PDF document has more than {} bytes of text.", kMaxDocumentTextBytes));
    }
    text.append(utf8.begin(), utf8.end());
    text += '\n';
  }
  return text;
}

}  // namespace parley::formats
