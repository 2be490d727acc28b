// Reads any bytes as a report in text, Markdown or AsciiDoc; what is found is canonical, with a place in the text.
#include "check.h"
#include "formats/fuzz_sink.h"
#include "formats/report.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley;
  using namespace parley::formats;
  const ByteView input = fuzz_bytes(data, size);
  MemorySource source(input);
  DiscardingSink sink;
  Intake intake(sink, true);
  (void)read_report(source, Format::report, intake);
  const std::string_view mark = as_text(input).starts_with(kUtf8Mark) ? kUtf8Mark : "";
  if (const auto text = text_of_report(input, Format::report)) check(mark.size() + text->size() == size);
  return 0;
}
