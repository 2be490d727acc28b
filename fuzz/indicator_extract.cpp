// extract() over any bytes: it ends, offsets lie in the text, and everything found has a canonical form or is a TLP
// mark.
#include <cstdlib>

#include "indicator/context.h"
#include "indicator/extract.h"
#include "indicator/indicator.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley::indicator;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const Found& found : extract(text, {.skip_reference_sites = size % 2 == 0})) {
    if (found.offset >= size) std::abort();
    if (found.type == "tlp") {
      if (!tlp_named(found.value)) std::abort();
      continue;
    }
    const auto type = type_named(found.type);
    if (!type || !canonicalise(*type, found.value)) std::abort();
  }
  return 0;
}
