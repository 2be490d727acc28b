#include "crypto/kdf.h"

#include <algorithm>
#include <cassert>

namespace parley::crypto {
namespace {

struct HmacSha256 {
  static constexpr std::size_t kBytes = crypto_auth_hmacsha256_BYTES;
  crypto_auth_hmacsha256_state state;
  explicit HmacSha256(ByteView key) { crypto_auth_hmacsha256_init(&state, as_uchar(key), key.size()); }
  ~HmacSha256() { sodium_memzero(&state, sizeof state); }
  void update(ByteView bytes) { crypto_auth_hmacsha256_update(&state, as_uchar(bytes), bytes.size()); }
  void finish(std::span<std::byte, kBytes> out) { crypto_auth_hmacsha256_final(&state, as_uchar_mutable(out)); }
};

struct HmacSha512 {
  static constexpr std::size_t kBytes = crypto_auth_hmacsha512_BYTES;
  crypto_auth_hmacsha512_state state;
  explicit HmacSha512(ByteView key) { crypto_auth_hmacsha512_init(&state, as_uchar(key), key.size()); }
  ~HmacSha512() { sodium_memzero(&state, sizeof state); }
  void update(ByteView bytes) { crypto_auth_hmacsha512_update(&state, as_uchar(bytes), bytes.size()); }
  void finish(std::span<std::byte, kBytes> out) { crypto_auth_hmacsha512_final(&state, as_uchar_mutable(out)); }
};

// RFC 5869: 2.2 extract, 2.3 expand.
template <typename Hmac>
void hkdf(MutableByteView out, ByteView secret, ByteView salt, ByteView info) {
  assert(out.size() <= 255 * Hmac::kBytes);
  Secret<Hmac::kBytes> pseudorandom_key;
  {
    Hmac extract(salt);
    extract.update(secret);
    extract.finish(pseudorandom_key.expose_mutable());
  }
  Secret<Hmac::kBytes> block;
  for (unsigned counter = 1; !out.empty(); ++counter) {
    Hmac expand(pseudorandom_key.expose());
    if (counter > 1) expand.update(block.expose());
    expand.update(info);
    const ByteArray<1> counter_byte{static_cast<std::byte>(counter)};
    expand.update(counter_byte);
    expand.finish(block.expose_mutable());
    const std::size_t size = std::min(out.size(), Hmac::kBytes);
    std::copy_n(block.expose().begin(), size, out.begin());
    out = out.subspan(size);
  }
}

}  // namespace

void hkdf_sha256(MutableByteView out, ByteView secret, ByteView salt, ByteView info) {
  hkdf<HmacSha256>(out, secret, salt, info);
}

void hkdf_sha512(MutableByteView out, ByteView secret, ByteView salt, ByteView info) {
  hkdf<HmacSha512>(out, secret, salt, info);
}

}  // namespace parley::crypto
