// Reads any bytes as lists, hash lists and the detection of formats, leniently so that faults do not end the run early.
#include "formats/detect.h"
#include "formats/fuzz_sink.h"
#include "formats/list.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley;
  using namespace parley::formats;
  const ByteView input = std::as_bytes(std::span(data, size));
  MemorySource source(input);
  DiscardingSink sink;
  Intake intake(sink, true);
  (void)read_list(source, intake);
  (void)source.rewind();
  (void)read_hashes(source, intake);
  (void)detect_content(as_text(input), true, "file");
  return 0;
}
