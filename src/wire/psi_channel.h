// The head of a PSI_DATA payload (docs/wire-format.md): u16be message type, u32be sequence number, u16be suite, u64be
// length of the whole message, then this chunk's part of it.
#pragma once

#include <optional>

#include "wire/frame.h"

namespace parley::wire {

inline constexpr std::size_t kChunkHeadBytes = 16;
/// What one frame carries of a message. Every chunk but a message's last is full, so sizes depend on the length only.
inline constexpr std::size_t kChunkBytes = 256 << 10;

struct ChunkHead {
  std::uint16_t type = 0;
  std::uint32_t sequence = 0;  ///< counts the chunks of one direction, from 0
  std::uint16_t suite = 0;
  std::uint64_t total_bytes = 0;

  bool operator==(const ChunkHead&) const = default;
};

void append_chunk_head(Bytes& out, const ChunkHead& head);
/// Nothing if `payload` is too short.
std::optional<ChunkHead> read_chunk_head(ByteView payload);

}  // namespace parley::wire
