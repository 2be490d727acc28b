// What lies in a case: the header of a sealed file, an entry of a chain of custody, a chain of them. One spelling is
// taken, and what is taken continues as it says.
#include <algorithm>

#include "check.h"
#include "evidence/custody.h"
#include "vault/files.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley;
  const ByteView bytes = fuzz_bytes(data, size);
  if (const auto header = vault::FileHeader::from_bytes(bytes)) check(std::ranges::equal(header->to_bytes(), bytes));

  std::vector<std::string> lines;
  for (std::string_view rest = fuzz_text(data, size); !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    lines.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  for (const std::string& line : lines) {
    const auto entry = evidence::read_custody(line);
    if (!entry) continue;
    const auto again = evidence::write_custody(*entry);
    check(again && *again == line);
  }
  if (const auto chain = evidence::read_chain(lines)) {
    check(chain->entries.size() == lines.size() && chain->tree.size() == lines.size());
    for (std::size_t i = 0; i < lines.size(); ++i) check(chain->entries[i].seq == i);
  }
  return 0;
}
