// The visible text of an HTML page, through gumbo (HTML5 parsing algorithm).
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace parley::formats {

/// Text as a reader sees it: no scripts, styles, templates, comments or link targets; blocks and table cells apart.
/// gumbo's time grows with the square of the nesting on hostile input, so that foreign pages go through
/// document_text(), which bounds it. @error Errc::limit when the text has more than kMaxDocumentTextBytes
Result<std::string> html_visible_text(std::string_view html);

}  // namespace parley::formats
