// Finds out a file's format from its beginning and its name.
#pragma once

#include "formats/import.h"
#include "formats/source.h"

namespace parley::formats {

/// @param head      the beginning of the file
/// @param complete  whether that is all of it
/// @param name      the file's name, which decides where the content leaves it open
/// @error Errc::format with what was tried
Result<Format> detect_content(std::string_view head, bool complete, std::string_view name);

}  // namespace parley::formats
