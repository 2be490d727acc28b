// Key derivation by HKDF (RFC 5869) over SHA-256 and SHA-512: session streams (psi.md 0.3.6), context keys
// (psi.md 3.1).
#pragma once

#include "base/secret.h"

namespace parley::crypto {

/// Fills `out` with HKDF output. Precondition: out.size() <= 255 * 32.
void hkdf_sha256(MutableByteView out, ByteView secret, ByteView salt, ByteView info);
/// Fills `out` with HKDF output. Precondition: out.size() <= 255 * 64.
void hkdf_sha512(MutableByteView out, ByteView secret, ByteView salt, ByteView info);

template <std::size_t N>
Secret<N> hkdf_sha256(ByteView secret, ByteView salt, ByteView info) {
  Secret<N> key;
  hkdf_sha256(key.expose_mutable(), secret, salt, info);
  return key;
}

template <std::size_t N>
Secret<N> hkdf_sha512(ByteView secret, ByteView salt, ByteView info) {
  Secret<N> key;
  hkdf_sha512(key.expose_mutable(), secret, salt, info);
  return key;
}

}  // namespace parley::crypto
