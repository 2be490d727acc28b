// The STIX pattern language, as far as it names values: which object paths equal which literals
// (STIX 2.1, OASIS Standard, section 9).
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace parley::formats {

/// One literal that a pattern asks a path to equal (=, IN), not negated.
struct PatternTerm {
  std::string object;  ///< "file"
  std::string path;    ///< "hashes.SHA-256": steps joined by '.', without quotation marks and list indices
  std::string value;
  std::size_t group = 0;  ///< equal for terms of one observation that are joined by AND
};

struct Pattern {
  std::vector<PatternTerm> terms;
  std::vector<std::string> passed_over;  ///< object paths with other operators (LIKE, MATCHES, !=, …)
};

/// @error Errc::format with the position and what was expected; Errc::limit
Result<Pattern> parse_stix_pattern(std::string_view text);

}  // namespace parley::formats
