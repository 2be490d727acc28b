#include "crypto/drbg.h"

#include <algorithm>

#include "crypto/kdf.h"

namespace parley::crypto {

Drbg::Drbg(const Secret<32>& seed, const Digest& session_id, std::string_view label)
    : key_(hkdf_sha512<32>(seed.expose(), session_id, as_bytes(label))) {}

void Drbg::fill(std::uint64_t first_block, MutableByteView out) const {
  // The nonce is constant because each key is of one stream only. With it zero, the 64-bit counter of the original
  // ChaCha20 and RFC 8439's 32-bit one agree below 2^32 blocks.
  static constexpr ByteArray<crypto_stream_chacha20_NONCEBYTES> kNonce{};
  std::ranges::fill(out, std::byte{0});
  crypto_stream_chacha20_xor_ic(as_uchar_mutable(out), as_uchar(out), out.size(), as_uchar(kNonce), first_block,
                                as_uchar(key_.expose()));
}

}  // namespace parley::crypto
