// Messages between an owner and a helper: whatever is taken is written back to the same bytes, within its limits; and
// records of admission, whose every accepted form is the one that this program writes.
#include "admission/message.h"
#include "admission/records.h"
#include "check.h"

namespace {

using namespace parley;
using namespace parley::admission;

void check_limits(const Message& message) {
  if (const auto* request = std::get_if<Request>(&message)) {
    check(!request->blinded.empty() && request->blinded.size() % crypto::kElementBytes == 0);
    check(request->blinded.size() <= psi::admission::kMostInBatch * crypto::kElementBytes);
  }
  if (const auto* challenge = std::get_if<Challenge>(&message))
    check(!challenge->sample.empty() && challenge->sample.size() <= psi::admission::kSampleCount);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes = fuzz_bytes(data, size);
  if (const auto message = read_message(bytes)) {
    check_limits(*message);
    check(std::ranges::equal(write_message(*message), bytes));
  } else {
    check(message.error().code == Errc::protocol);
  }
  if (const auto body = log::parse_pjson(fuzz_text(data, size), 1 << 14)) {
    if (const auto key = key_record_from_json(*body)) check(to_json(*key) == *body);
    if (const auto count = count_record_from_json(*body)) check(to_json(*count) == *body);
  }
  return 0;
}
