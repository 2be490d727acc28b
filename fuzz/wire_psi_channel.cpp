// A protocol's channel over a link on which any frames arrive: a message is taken in its exact type, suite, order and
// length or not at all. First byte: the length that is due, in steps of 16 bytes; the rest are the bytes of the link.
#include "check.h"
#include "wire/fixed_members.h"
#include "wire/psi_channel.h"
#include "wire/scripted_link.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley;
  if (size == 0) return 0;
  constexpr std::uint16_t kSuite = 0x0010;
  const std::size_t due = std::size_t{data[0]} * 16;
  wire::ScriptedLink link(wire::pinned(wire::fixed_member("bravo", 1)), fuzz_bytes(data, size).subspan(1));
  const auto channel = wire::psi_channel(link, kSuite, Deadline::max(), 0);
  std::size_t received = 0;
  for (;;) {
    const auto exact = channel->receive(psi::MessageType::blinded, due);
    if (!exact) break;
    check(exact->size() == due);
    const auto limited = channel->receive_up_to(psi::MessageType::matched_tags, due);
    if (!limited) break;
    check(limited->size() <= due);
    received += exact->size() + limited->size();
  }
  check(received <= size && channel->bytes_received() <= size);

  const ByteView bytes = fuzz_bytes(data, size);
  if (const auto head = wire::read_chunk_head(bytes)) {
    Bytes written;
    wire::append_chunk_head(written, *head);
    check(std::ranges::equal(written, bytes.first(wire::kChunkHeadBytes)));
  }
  return 0;
}
