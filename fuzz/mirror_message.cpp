// Messages between replicas from any bytes: what is read is what would be written. The first byte is the frame's type.
#include "check.h"
#include "mirror/message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley;
  if (size == 0) return 0;
  const auto type = mirror::message_type(data[0]);
  if (!type) return 0;
  const mirror::Message message{*type, to_bytes(fuzz_bytes(data + 1, size - 1))};
  const auto group = mirror::group_of(message);
  if (!group) return 0;
  const auto content = mirror::parse_message(*group, message);
  if (!content) return 0;
  const auto again = mirror::write_message(*group, *content);
  check(again && *again == message);
  check(!mirror::parse_message(std::string(32, 'x'), message));
  return 0;
}
