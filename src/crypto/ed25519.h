// Ed25519 signatures (RFC 8032). libsodium is the only verifier of parley signatures (log.md D4): libraries disagree on
// small-order and non-canonical keys, and two verifiers would be a fork waiting to happen.
#pragma once

#include "base/secret.h"

namespace parley::crypto {

inline constexpr std::size_t kPublicKeyBytes = 32;
inline constexpr std::size_t kSignatureBytes = 64;

using PublicKey = ByteArray<kPublicKeyBytes>;
using Signature = ByteArray<kSignatureBytes>;

PublicKey public_key_of(const Secret<32>& seed);

/// A seed with the public key that belongs to it, computed once: whoever signs often keeps one. A signature made with
/// another public key than the seed's own would give the seed away, so there is no other way to make one.
class SigningKey {
 public:
  SigningKey(const Secret<32>& seed);  // NOLINT(google-explicit-constructor): where a key is due, its seed will do
  const PublicKey& public_key() const { return public_key_; }
  Signature sign(ByteView message) const;

 private:
  Secret<64> expanded_;  ///< the seed, and the public key behind it
  PublicKey public_key_;
};

Signature sign(const Secret<32>& seed, ByteView message);

bool verify(const PublicKey& key, ByteView message, std::span<const std::byte, kSignatureBytes> signature);

/// Whether `key` is the canonical encoding of a point of the prime-order group other than the identity (log.md 1.1).
bool is_admissible_public_key(const PublicKey& key);

}  // namespace parley::crypto
