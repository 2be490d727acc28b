// Reads any bytes as an HTML page; what the tests read in a process of its own runs in this one.
#include <cstddef>
#include <cstdint>

#include "formats/html_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)parley::formats::html_visible_text({reinterpret_cast<const char*>(data), size});
  return 0;
}
