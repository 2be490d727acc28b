// The record of how much a log has grown, from any bytes: what is read is what would be written, and counting on from
// it keeps within the numbers.
#include "check.h"
#include "mirror/quota.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley;
  const Bytes bytes = to_bytes(fuzz_bytes(data, size));
  const std::string text(as_text(bytes));
  const auto usage = mirror::read_usage(text);
  if (!usage) return 0;
  check(mirror::write_usage(*usage) == text);
  check(usage->bytes >= 0 && usage->day_bytes >= 0 && usage->day_entries >= 0 && usage->day_begins >= 0);
  mirror::Usage today = usage->at(usage->day_begins + mirror::kQuotaDaySeconds);
  check(today.day_entries == 0 && today.day_bytes == 0 && today.bytes == usage->bytes);
  today.add(1, 100);
  check(today.bytes == usage->bytes + 100);
  (void)mirror::room_for_more({}, *usage, 0, 0, "alpha", 0);
  return 0;
}
