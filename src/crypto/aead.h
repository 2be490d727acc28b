// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) in the shape of log.md 7.2: nonce and box in one byte string.
#pragma once

#include <optional>

#include "base/secret.h"

namespace parley::crypto {

inline constexpr std::size_t kAeadKeyBytes = 32;
inline constexpr std::size_t kAeadNonceBytes = 24;
inline constexpr std::size_t kAeadTagBytes = 16;
/// What sealing adds to the plaintext.
inline constexpr std::size_t kAeadOverheadBytes = kAeadNonceBytes + kAeadTagBytes;

using AeadKey = Secret<kAeadKeyBytes>;
using AeadNonce = ByteArray<kAeadNonceBytes>;

/// `nonce || ciphertext || tag`, under a fresh random nonce: 192 bits are enough for any number of messages.
Bytes seal(const AeadKey& key, ByteView plaintext, ByteView associated_data);

/// As seal, for a caller that derives the nonce. Never use one nonce for two messages under one key.
Bytes seal_with_nonce(const AeadKey& key, const AeadNonce& nonce, ByteView plaintext, ByteView associated_data);

/// The plaintext, or nothing where `sealed` was not made by seal() under this key and `associated_data`.
std::optional<SecretBytes> open(const AeadKey& key, ByteView sealed, ByteView associated_data);

}  // namespace parley::crypto
