// canonicalise() over any bytes: it ends, and what it accepts is canonical already. First byte: the declared type.
#include <cstdlib>

#include "indicator/indicator.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley::indicator;
  if (size == 0) return 0;
  const Type type = kAllTypes[data[0] % kAllTypes.size()];
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto once = canonicalise(type, text);
  if (!once) return 0;
  if (once->value().empty() || once->value().size() > kMaxValueBytes) std::abort();
  const auto twice = canonicalise(once->type(), once->value());
  if (!twice || *twice != *once) std::abort();
  return 0;
}
