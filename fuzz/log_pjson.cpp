// PJ1 from any bytes: what the reader takes, the writer writes, byte for byte.
#include "check.h"
#include "log/pjson.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley;
  const std::string_view text = fuzz_text(data, size);
  const auto value = log::parse_pjson(text, 1 << 16);
  if (!value) {
    check(value.error().code == Errc::format || value.error().code == Errc::limit);
    return 0;
  }
  check(log::write_pjson(*value) == text);
  check(*log::parse_pjson(log::write_pjson(*value), 1 << 16) == *value);
  return 0;
}
