// Reads reports: the indicators in running text, Markdown, AsciiDoc, HTML and PDF.
#pragma once

#include "formats/intake.h"
#include "formats/source.h"

namespace parley::formats {

/// The text of a report. @error as report_text()
Result<std::string> text_of_report(ByteView content, Format format);

/// @error Errc::limit, and as document_text() for HTML and PDF
Status read_report(Source& source, Format format, Intake& intake);

}  // namespace parley::formats
