#include "crypto/aead.h"

#include <algorithm>

#include "base/random.h"

namespace parley::crypto {

static_assert(kAeadKeyBytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
static_assert(kAeadNonceBytes == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
static_assert(kAeadTagBytes == crypto_aead_xchacha20poly1305_ietf_ABYTES);

Bytes seal(const AeadKey& key, ByteView plaintext, ByteView associated_data) {
  return seal_with_nonce(key, random_bytes<kAeadNonceBytes>(), plaintext, associated_data);
}

Bytes seal_with_nonce(const AeadKey& key, const AeadNonce& nonce, ByteView plaintext, ByteView associated_data) {
  Bytes sealed(kAeadOverheadBytes + plaintext.size());
  std::copy(nonce.begin(), nonce.end(), sealed.begin());
  crypto_aead_xchacha20poly1305_ietf_encrypt(as_uchar_mutable(MutableByteView(sealed).subspan(kAeadNonceBytes)),
                                             nullptr, as_uchar(plaintext), plaintext.size(), as_uchar(associated_data),
                                             associated_data.size(), nullptr, as_uchar(nonce), as_uchar(key.expose()));
  return sealed;
}

std::optional<SecretBytes> open(const AeadKey& key, ByteView sealed, ByteView associated_data) {
  if (sealed.size() < kAeadOverheadBytes) return std::nullopt;
  const ByteView nonce = sealed.first(kAeadNonceBytes);
  const ByteView box = sealed.subspan(kAeadNonceBytes);
  SecretBytes plaintext(box.size() - kAeadTagBytes);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          as_uchar_mutable(plaintext.expose_mutable()), nullptr, nullptr, as_uchar(box), box.size(),
          as_uchar(associated_data), associated_data.size(), as_uchar(nonce), as_uchar(key.expose())) != 0) {
    return std::nullopt;
  }
  return plaintext;
}

}  // namespace parley::crypto
