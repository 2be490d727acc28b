// Reads any bytes as a PDF document; what the program reads in a process of its own is read in this one.
#include "base/text.h"
#include "check.h"
#include "formats/limits.h"
#include "formats/pdf_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley;
  const auto text = formats::pdf_text(fuzz_text(data, size));
  if (text) check(text->size() <= formats::kMaxDocumentTextBytes + formats::kMaxPdfPages);
  return 0;
}
