// Reading and writing frames (docs/wire-format.md).
#include "wire/frame.h"

#include <fmt/format.h>

#include <algorithm>

namespace parley::wire {

bool is_known_frame_type(std::uint8_t type) {
  return type >= static_cast<std::uint8_t>(FrameType::hello_s) &&
         type <= static_cast<std::uint8_t>(FrameType::admission);
}

ByteArray<kFrameHeadBytes> frame_head(FrameType type, std::size_t payload_bytes) {
  Bytes head;
  append_be<std::uint32_t>(head, static_cast<std::uint32_t>(payload_bytes + 1));
  head.push_back(static_cast<std::byte>(type));
  ByteArray<kFrameHeadBytes> array;
  std::ranges::copy(head, array.begin());
  return array;
}

MutableByteView FrameReader::room() {
  if (head_size_ < kFrameHeadBytes) return MutableByteView(head_).subspan(head_size_);
  return MutableByteView(frame_.payload).subspan(payload_size_);
}

Result<std::optional<Frame>> FrameReader::took(std::size_t count) {
  if (head_size_ < kFrameHeadBytes) {
    head_size_ += count;
    if (head_size_ < kFrameHeadBytes) return std::nullopt;
    TRY_STATUS(begin_payload());
  } else {
    payload_size_ += count;
  }
  if (payload_size_ < frame_.payload.size()) return std::nullopt;
  head_size_ = 0;
  payload_size_ = 0;
  return std::exchange(frame_, {});
}

Status FrameReader::begin_payload() {
  const std::size_t size = read_be<std::uint32_t>(head_);
  const auto type = std::to_integer<std::uint8_t>(head_[4]);
  if (size == 0) return fail(Errc::protocol, "It sent a frame without a type.");
  if (size > limit_bytes_) {
    return fail(Errc::protocol,
                fmt::format("It announced a frame of {} bytes; at most {} are allowed here.", size, limit_bytes_));
  }
  if (!is_known_frame_type(type))
    return fail(Errc::protocol, fmt::format("It sent a frame of the unknown type {}.", type));
  frame_.type = static_cast<FrameType>(type);
  frame_.payload.resize(size - 1);
  return {};
}

}  // namespace parley::wire
