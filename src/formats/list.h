// Reads lists: one indicator or one hash a line, hosts files, and what md5sum and its like print.
#pragma once

#include "formats/intake.h"
#include "formats/source.h"

namespace parley::formats {

/// What a line of a list holds.
struct ListLine {
  enum class Kind : std::uint8_t { blank, value, host } kind = Kind::blank;
  std::string_view value;       ///< the indicator; for a hosts file the first name
  std::string_view more_names;  ///< of a hosts file, the names behind it
};

/// Splits `line`: comments begin with '#', ';' or "//", at the start or behind white space; "0.0.0.0 evil.example" is a
/// line of a hosts file.
ListLine split_list_line(std::string_view line);

/// The hash of a line like "<hash>", "<hash>  name", "<hash> *name" or "SHA256 (name) = <hash>"; empty otherwise.
std::string_view split_hash_line(std::string_view line);

/// @error Errc::format, Errc::limit with the line
Status read_list(Source& source, Intake& intake);
Status read_hashes(Source& source, Intake& intake);

}  // namespace parley::formats
