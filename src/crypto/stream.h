// Long content in sealed chunks: the STREAM layout of age (C2SP age v1, "Payload"; Hoang, Reyhanitabar, Rogaway and
// Vizar 2015): chunks of 64 KiB under ChaCha20-Poly1305 (RFC 8439), with a nonce of an 11-byte counter and a byte that
// is 1 in the last chunk only. A chunk that is altered, moved, left out, added or cut off does not open in its place.
#pragma once

#include "base/secret.h"

namespace parley::crypto {

inline constexpr std::size_t kStreamChunkBytes = 64 << 10;  ///< of content; every chunk but the last is full
inline constexpr std::size_t kStreamTagBytes = 16;
inline constexpr std::size_t kStreamSealedChunkBytes = kStreamChunkBytes + kStreamTagBytes;

/// The key of one stream. Never use it for two: chunk numbers are its nonces.
using StreamKey = Secret<32>;

/// Seals chunk number `index` into `out`, which holds plain.size() + kStreamTagBytes bytes.
/// Precondition: plain.size() <= kStreamChunkBytes, and equal to it unless `last`.
void seal_chunk(const StreamKey& key, std::uint64_t index, bool last, ByteView plain, MutableByteView out);

/// Opens chunk number `index` into `out`, which holds sealed.size() - kStreamTagBytes bytes.
/// @return whether it is that chunk of this stream; `out` is zeroed if not
bool open_chunk(const StreamKey& key, std::uint64_t index, bool last, ByteView sealed, MutableByteView out);

/// What a stream of `plain_bytes` takes, tags included: one chunk at least.
constexpr std::uint64_t sealed_stream_bytes(std::uint64_t plain_bytes) {
  const std::uint64_t chunks = plain_bytes == 0 ? 1 : (plain_bytes + kStreamChunkBytes - 1) / kStreamChunkBytes;
  return plain_bytes + chunks * kStreamTagBytes;
}

}  // namespace parley::crypto
