// Reads OpenIOC 1.0 and 1.1 (Mandiant; the 1.1 schema and the list of indicator terms are public).
#pragma once

#include "formats/intake.h"
#include "formats/source.h"

namespace parley::formats {

/// Entities are not expanded and nothing outside the file is read; a document type declaration is refused.
/// @error Errc::format, Errc::limit with the byte or the item's id
Status read_openioc(Source& source, Intake& intake);

}  // namespace parley::formats
