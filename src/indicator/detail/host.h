// Names of the domain system: canonical form by IDNA (UTS 46, non-transitional), and what is known about their last
// label.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace parley::indicator::detail {

/// Lower-case A-label form of `name` without its trailing dot. Labels of 1 to 63 letters, digits, hyphens and
/// underscores (RFC 2181 section 11 allows more; no resolver in use asks for it); the last label has a letter.
/// @param least_labels  2 for a domain, 1 for a host in a URL.
Result<std::string> canonical_domain(std::string_view name, std::size_t least_labels);

/// How sure it is that a word ending in this label is a domain.
enum class LastLabel : std::uint8_t {
  unknown,      ///< on no list
  file_suffix,  ///< ends file names: not delegated, or hardly used for anything else (exe, pdf, zip)
  mostly_file,  ///< delegated, but met as a file suffix far more often (md, py, sh)
  doubtful,     ///< delegated and in wide use, yet also a usual file suffix (pl, rs)
  known,        ///< on the public suffix list, an internationalised one, or reserved for examples
};
LastLabel kind_of_last_label(std::string_view canonical_domain);

/// The public suffix data in use, for rules_id().
std::string_view public_suffix_data_id();
/// The public suffix library in use with the Unicode library behind it, which lowers case outside ASCII; for
/// rules_id().
std::string_view public_suffix_library_version();
/// The IDNA library in use, for rules_id().
std::string_view idna_library_version();

}  // namespace parley::indicator::detail
