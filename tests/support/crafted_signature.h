// Ed25519 signatures as no honest program makes them: with a nonce, and a point for it, that the signer chose.
#pragma once

#include <sodium.h>

#include "crypto/ed25519.h"

namespace parley {

/// What the seed's owner signs `message` with: the point `shown` in the place of the nonce's, and the scalar that goes
/// with it for a nonce of `nonce`.
inline crypto::Signature crafted_signature(const Secret<32>& seed, ByteView message, const ByteArray<32>& nonce,
                                           const ByteArray<32>& shown) {
  std::array<unsigned char, crypto_hash_sha512_BYTES> hash{};
  std::array<unsigned char, 32> scalar{}, k{}, s{};
  crypto_hash_sha512(hash.data(), as_uchar(seed.expose()), 32);
  hash[0] &= 248;
  hash[31] = static_cast<unsigned char>((hash[31] & 63) | 64);
  std::array<unsigned char, 64> wide{};
  std::copy_n(hash.begin(), 32, wide.begin());
  crypto_core_ed25519_scalar_reduce(scalar.data(), wide.data());
  const crypto::PublicKey key = crypto::public_key_of(seed);
  crypto_hash_sha512_state state;
  crypto_hash_sha512_init(&state);
  crypto_hash_sha512_update(&state, as_uchar(shown), shown.size());
  crypto_hash_sha512_update(&state, as_uchar(key), key.size());
  crypto_hash_sha512_update(&state, as_uchar(message), message.size());
  crypto_hash_sha512_final(&state, hash.data());
  crypto_core_ed25519_scalar_reduce(k.data(), hash.data());
  crypto_core_ed25519_scalar_mul(s.data(), k.data(), scalar.data());
  crypto_core_ed25519_scalar_add(s.data(), s.data(), as_uchar(nonce));
  crypto::Signature signature{};
  std::copy_n(shown.begin(), 32, signature.begin());
  std::memcpy(signature.data() + 32, s.data(), s.size());
  return signature;
}

/// The neutral point, which a nonce of zero gives.
inline ByteArray<32> neutral_point() {
  return {std::byte{1}};
}

}  // namespace parley
