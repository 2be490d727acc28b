// Reads any bytes as a warning list file, MISP's or a plain one. A plain list written again reads the same, and a list
// that is taken can be asked.
#include <algorithm>

#include "check.h"
#include "formats/warning_list_file.h"
#include "memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley;
  using indicator::Type;
  const MemoryFile file(fuzz_bytes(data, size));
  const auto list = formats::read_warning_list(file.path());
  if (!list) return 0;
  check(!list->name.empty());
  indicator::WarningLists lists = indicator::WarningLists::built_in();
  if (!lists.add(*list)) return 0;
  for (const auto& [type, text] : {std::pair{Type::ipv4, "198.51.100.7"},
                                   {Type::domain, "www.example.com"},
                                   {Type::url, "http://www.example.com/a"},
                                   {Type::email, "a@example.com"}}) {
    const auto marks = lists.marks(*indicator::canonicalise(type, text));
    check(std::ranges::is_sorted(marks) && std::ranges::adjacent_find(marks) == marks.end());
  }
  return 0;
}
