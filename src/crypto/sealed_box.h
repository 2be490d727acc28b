// A small secret for the holder of an Ed25519 key: libsodium's sealed box (X25519, XSalsa20-Poly1305, a fresh key for
// each box) to the X25519 key that belongs to the Ed25519 one. That one pair may serve both is argued by Thormarker
// (On using the same key pair for Ed25519 and an X25519 based KEM, ePrint 2021/509).
#pragma once

#include <optional>

#include "crypto/ed25519.h"

namespace parley::crypto {

inline constexpr std::size_t kSealedBoxOverheadBytes = 48;

/// Precondition: is_admissible_public_key(recipient). Whoever made a box is not shown by it.
Bytes seal_to(const PublicKey& recipient, ByteView secret);

/// Nothing where the box was not made for the holder of `seed`.
std::optional<SecretBytes> open_sealed_box(const Secret<32>& seed, ByteView box);

}  // namespace parley::crypto
