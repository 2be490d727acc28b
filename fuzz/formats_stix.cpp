// Reads any bytes as STIX bundles and patterns, leniently so that faults do not end the run early.
#include "formats/fuzz_sink.h"
#include "formats/stix.h"
#include "formats/stix_pattern.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley;
  using namespace parley::formats;
  const ByteView input = std::as_bytes(std::span(data, size));
  MemorySource source(input);
  DiscardingSink sink;
  Intake intake(sink, true);
  (void)read_stix(source, intake);
  (void)parse_stix_pattern(as_text(input));
  return 0;
}
