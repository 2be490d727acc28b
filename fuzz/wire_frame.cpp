// A stream of any bytes as frames: however it is cut, the same frames come out, and they are what frame_head() writes.
// First byte: how many bytes arrive at a time.
#include <algorithm>
#include <vector>

#include "check.h"
#include "wire/frame.h"

namespace {

using namespace parley;

constexpr std::size_t kLimitBytes = 4096;

struct Taken {
  std::vector<wire::Frame> frames;
  bool failed = false;
};

Taken take_all(ByteView stream, std::size_t step) {
  wire::FrameReader reader(kLimitBytes);
  Taken taken;
  while (!stream.empty()) {
    const MutableByteView room = reader.room();
    check(!room.empty() && room.size() <= kLimitBytes);
    const std::size_t count = std::min({room.size(), step, stream.size()});
    std::copy_n(stream.begin(), count, room.begin());
    stream = stream.subspan(count);
    auto frame = reader.took(count);
    if (!frame) {
      check(frame.error().code == Errc::protocol);
      taken.failed = true;
      return taken;
    }
    if (*frame) taken.frames.push_back(std::move(**frame));
  }
  return taken;
}

Bytes written(const std::vector<wire::Frame>& frames) {
  Bytes bytes;
  for (const wire::Frame& frame : frames) {
    append(bytes, wire::frame_head(frame.type, frame.payload.size()));
    append(bytes, frame.payload);
  }
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView stream = fuzz_bytes(data, size).subspan(1);
  const Taken taken = take_all(stream, std::size_t{data[0]} + 1);
  const Taken at_once = take_all(stream, kLimitBytes);
  const Bytes bytes = written(taken.frames);
  check(taken.failed == at_once.failed && bytes == written(at_once.frames));
  check(bytes.size() <= stream.size() && std::ranges::equal(bytes, stream.first(bytes.size())));
  return 0;
}
