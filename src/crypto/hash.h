// SHA-256, SHA-512, HMAC-SHA-256 and BLAKE2b (FIPS 180-4, RFC 2104, RFC 7693), whole and incremental.
// SHA-2 is OpenSSL's, which uses the processor's own instructions where it has them; the rest is libsodium's.
#pragma once

#include <openssl/sha.h>

#include "base/bytes.h"

namespace parley::crypto {

inline constexpr std::size_t kSha512Bytes = 64;
using Digest512 = ByteArray<kSha512Bytes>;

/// SHA-256 over bytes that arrive in parts. Copying it copies the state, so a common prefix is hashed once. Wiped when
/// it goes, as outputs of protocols pass through it.
class Sha256 {
 public:
  Sha256();
  Sha256(const Sha256&) = default;
  Sha256& operator=(const Sha256&) = default;
  ~Sha256();
  void update(ByteView bytes);
  /// The digest. The object is of no use afterwards.
  Digest finish();

 private:
  SHA256_CTX state_;
};

/// SHA-512 over bytes that arrive in parts; wiped when it goes, because OPRF inputs pass through it.
class Sha512 {
 public:
  Sha512();
  Sha512(const Sha512&) = default;
  Sha512& operator=(const Sha512&) = default;
  ~Sha512();
  void update(ByteView bytes);
  /// Writes the digest. The object is of no use afterwards.
  void finish(std::span<std::byte, kSha512Bytes> out);

 private:
  SHA512_CTX state_;
};

Digest sha256(ByteView bytes);
Digest512 sha512(ByteView bytes);

/// HMAC-SHA-256. `key` may have any length.
Digest hmac_sha256(ByteView key, ByteView message);

/// BLAKE2b with a digest of N bytes, 16 to 64.
/// @param key  at most 64 bytes; empty for the unkeyed hash.
void blake2b(MutableByteView out, ByteView message, ByteView key);

template <std::size_t N>
ByteArray<N> blake2b(ByteView message, ByteView key = {}) {
  static_assert(N >= 16 && N <= 64);
  ByteArray<N> digest;
  blake2b(MutableByteView(digest), message, key);
  return digest;
}

}  // namespace parley::crypto
