// expand_message_xmd with SHA-512 (RFC 9380 section 5.3.1): uniform bytes from a message under a domain separation tag.
#pragma once

#include "base/bytes.h"

namespace parley::crypto {

/// The longest tag that is used as it is; RFC 9380 hashes longer ones, and parley has none.
inline constexpr std::size_t kMaxDomainTagBytes = 255;

/// Fills `out` with bytes that are uniform for whoever has not hashed `message` under `domain_tag`. Constant time in
/// the content of `message`. Precondition: 0 < out.size() <= 255 * 64; domain_tag.size() <= kMaxDomainTagBytes.
void expand_message_xmd_sha512(MutableByteView out, ByteView message, ByteView domain_tag);

}  // namespace parley::crypto
