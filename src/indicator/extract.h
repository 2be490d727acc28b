// Finds indicators in running text of any language, defanged or not.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "indicator/indicator.h"

namespace parley::indicator {

/// One thing found. `type` is an indicator type's name or "tlp"; `value` is the refanged text as the reader would write
/// it (docs/canonical-forms.md says how far it is normalised; canonicalise() goes the rest of the way).
struct Found {
  std::string type;
  std::string value;
  std::size_t offset = 0;   ///< byte offset of the first occurrence in the text
  bool ambiguous = false;   ///< e.g. 1.2.3.4 behind the word "version": shown for review
};

/// What must not be taken for indicators: the sites a report refers to (a research blog, a scanner's result page).
struct ExtractOptions {
  bool skip_reference_sites = true;
};

/// All indicators of `text`, each (type, value) once, in order of first occurrence. Never fails: what is not an
/// indicator is text. Invalid UTF-8 is skipped. Time is linear in text.size().
std::vector<Found> extract(std::string_view text, const ExtractOptions& options = {});

}  // namespace parley::indicator
