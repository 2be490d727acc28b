#include "crypto/ed25519.h"

namespace parley::crypto {
namespace {

static_assert(kPublicKeyBytes == crypto_sign_ed25519_PUBLICKEYBYTES);
static_assert(kSignatureBytes == crypto_sign_ed25519_BYTES);
static_assert(Secret<32>::kSize == crypto_sign_ed25519_SEEDBYTES);

using ExpandedKey = Secret<crypto_sign_ed25519_SECRETKEYBYTES>;

PublicKey expand(const Secret<32>& seed, ExpandedKey& expanded) {
  PublicKey key;
  crypto_sign_ed25519_seed_keypair(as_uchar_mutable(key), as_uchar_mutable(expanded.expose_mutable()),
                                   as_uchar(seed.expose()));
  return key;
}

}  // namespace

PublicKey public_key_of(const Secret<32>& seed) {
  ExpandedKey expanded;
  return expand(seed, expanded);
}

static_assert(crypto_sign_ed25519_SECRETKEYBYTES == 64);

SigningKey::SigningKey(const Secret<32>& seed) : public_key_(expand(seed, expanded_)) {}

Signature SigningKey::sign(ByteView message) const {
  Signature signature;
  crypto_sign_ed25519_detached(as_uchar_mutable(signature), nullptr, as_uchar(message), message.size(),
                               as_uchar(expanded_.expose()));
  return signature;
}

Signature sign(const Secret<32>& seed, ByteView message) {
  return SigningKey(seed).sign(message);
}

bool verify(const PublicKey& key, ByteView message, std::span<const std::byte, kSignatureBytes> signature) {
  return crypto_sign_ed25519_verify_detached(as_uchar(signature), as_uchar(message), message.size(), as_uchar(key)) ==
         0;
}

bool is_admissible_public_key(const PublicKey& key) {
  return crypto_core_ed25519_is_valid_point(as_uchar(key)) == 1;
}

}  // namespace parley::crypto
