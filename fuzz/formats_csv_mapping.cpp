// Reads any bytes as CSV whose columns the user maps. First line: role=column,role=column; then the file.
#include "formats/fuzz_sink.h"
#include "formats/table.h"

namespace {

using Mapping = std::vector<std::pair<std::string, std::string>>;

Mapping read_mapping(std::string_view line) {
  Mapping mapping;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(','), line.size());
    const std::string_view part = line.substr(0, end);
    const std::size_t equals = std::min(part.find('='), part.size());
    mapping.emplace_back(part.substr(0, equals), part.substr(std::min(equals + 1, part.size())));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return mapping;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley;
  using namespace parley::formats;
  const ByteView input = std::as_bytes(std::span(data, size));
  const std::string_view line = as_text(input).substr(0, as_text(input).find('\n'));
  MemorySource source(input.subspan(std::min(line.size() + 1, size)));
  DiscardingSink sink;
  Intake intake(sink, true);
  (void)read_csv(source, read_mapping(line), intake);
  return 0;
}
