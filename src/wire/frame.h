// Frames: u32be length, u8 type, payload (log.md 3.1; docs/wire-format.md). The length counts the type and the payload.
#pragma once

#include <optional>

#include "wire/link.h"

namespace parley::wire {

inline constexpr std::size_t kFrameHeadBytes = 5;  ///< length and type
/// The longest payload: a frame's length counts its type too.
inline constexpr std::size_t kMaxPayloadBytes = kMaxFrameBytes - 1;

bool is_known_frame_type(std::uint8_t type);

/// Payload of an ERR in answer to a step of a session that the other side does not have with this member.
inline constexpr std::string_view kErrNoSession = "no-session";

/// The five bytes in front of a payload. Precondition: payload_bytes <= kMaxPayloadBytes.
ByteArray<kFrameHeadBytes> frame_head(FrameType type, std::size_t payload_bytes);

/// Takes frames out of a stream of bytes. Nothing is allocated for a frame before its head has been judged.
class FrameReader {
 public:
  explicit FrameReader(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {}

  /// Where the next bytes of the stream go, never empty and never beyond the frame that is being read.
  MutableByteView room();
  /// `count` bytes were put there. @return a frame when it is whole. @error Errc::protocol, after which it is of no use
  Result<std::optional<Frame>> took(std::size_t count);

 private:
  Status begin_payload();

  std::size_t limit_bytes_;
  ByteArray<kFrameHeadBytes> head_{};
  std::size_t head_size_ = 0;
  Frame frame_;
  std::size_t payload_size_ = 0;
};

}  // namespace parley::wire
