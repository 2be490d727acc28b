#include "crypto/stream.h"

#include <algorithm>

namespace parley::crypto {
namespace {

constexpr std::size_t kNonceBytes = crypto_aead_chacha20poly1305_ietf_NPUBBYTES;
static_assert(kNonceBytes == 12 && kStreamTagBytes == crypto_aead_chacha20poly1305_ietf_ABYTES);

// 11 bytes big-endian, of which the first three stay zero: no stream has 2^64 chunks.
ByteArray<kNonceBytes> nonce_of(std::uint64_t index, bool last) {
  ByteArray<kNonceBytes> nonce{};
  store_be(MutableByteView(nonce).subspan(kNonceBytes - 1 - sizeof index, sizeof index), index);
  nonce.back() = std::byte{last};
  return nonce;
}

}  // namespace

void seal_chunk(const StreamKey& key, std::uint64_t index, bool last, ByteView plain, MutableByteView out) {
  const auto nonce = nonce_of(index, last);
  crypto_aead_chacha20poly1305_ietf_encrypt(as_uchar_mutable(out), nullptr, as_uchar(plain), plain.size(), nullptr, 0,
                                            nullptr, as_uchar(nonce), as_uchar(key.expose()));
}

bool open_chunk(const StreamKey& key, std::uint64_t index, bool last, ByteView sealed, MutableByteView out) {
  const auto nonce = nonce_of(index, last);
  // libsodium does not take a null pointer for the no bytes of an empty stream.
  unsigned char nothing = 0;
  unsigned char* const to = out.empty() ? &nothing : as_uchar_mutable(out);
  const bool opened = sealed.size() >= kStreamTagBytes && crypto_aead_chacha20poly1305_ietf_decrypt(
                                                              to, nullptr, nullptr, as_uchar(sealed), sealed.size(),
                                                              nullptr, 0, as_uchar(nonce), as_uchar(key.expose())) == 0;
  if (!opened) std::ranges::fill(out, std::byte{0});
  return opened;
}

}  // namespace parley::crypto
