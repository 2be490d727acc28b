#include "crypto/sealed_box.h"

#include <stdexcept>

namespace parley::crypto {

static_assert(kSealedBoxOverheadBytes == crypto_box_SEALBYTES);

Bytes seal_to(const PublicKey& recipient, ByteView secret) {
  ByteArray<crypto_box_PUBLICKEYBYTES> key;
  if (crypto_sign_ed25519_pk_to_curve25519(as_uchar_mutable(key), as_uchar(recipient)) != 0)
    throw std::logic_error("a box is sealed to a key that was not admitted");
  Bytes box(secret.size() + kSealedBoxOverheadBytes);
  if (crypto_box_seal(as_uchar_mutable(box), as_uchar(secret), secret.size(), as_uchar(key)) != 0)
    throw std::logic_error("a box is sealed to a point of small order");
  return box;
}

std::optional<SecretBytes> open_sealed_box(const Secret<32>& seed, ByteView box) {
  if (box.size() < kSealedBoxOverheadBytes) return std::nullopt;
  Secret<crypto_sign_SECRETKEYBYTES> signing;
  ByteArray<crypto_sign_PUBLICKEYBYTES> verifying;
  crypto_sign_seed_keypair(as_uchar_mutable(verifying), as_uchar_mutable(signing.expose_mutable()),
                           as_uchar(seed.expose()));
  Secret<crypto_box_SECRETKEYBYTES> opening;
  ByteArray<crypto_box_PUBLICKEYBYTES> key;
  crypto_sign_ed25519_sk_to_curve25519(as_uchar_mutable(opening.expose_mutable()), as_uchar(signing.expose()));
  crypto_scalarmult_base(as_uchar_mutable(key), as_uchar(opening.expose()));
  SecretBytes secret(box.size() - kSealedBoxOverheadBytes);
  if (crypto_box_seal_open(as_uchar_mutable(secret.expose_mutable()), as_uchar(box), box.size(), as_uchar(key),
                           as_uchar(opening.expose())) != 0)
    return std::nullopt;
  return secret;
}

}  // namespace parley::crypto
