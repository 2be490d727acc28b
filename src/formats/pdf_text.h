// The text of a PDF document, through poppler. Only document_text_main() calls it.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace parley::formats {

/// Whether `content` says that it is PDF: the mark stands in its first 1024 bytes (ISO 32000-1, annex H, note 13).
inline bool is_pdf(std::string_view content) {
  return content.substr(0, 1024).find("%PDF-") != std::string_view::npos;
}

/// @error Errc::format when it is damaged or encrypted, Errc::limit past kMaxPdfPages or kMaxDocumentTextBytes
Result<std::string> pdf_text(std::string_view pdf);

}  // namespace parley::formats
