// OpenSSL's one-shot SHA-2 state is used directly: an EVP context costs an allocation and a look-up for each hash,
// which is more than the hash itself for a Merkle node.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/hash.h"

#include <sodium.h>

#include <cassert>

namespace parley::crypto {

Sha256::Sha256() {
  SHA256_Init(&state_);
}

Sha256::~Sha256() {
  sodium_memzero(&state_, sizeof state_);
}

void Sha256::update(ByteView bytes) {
  SHA256_Update(&state_, bytes.data(), bytes.size());
}

Digest Sha256::finish() {
  Digest digest;
  SHA256_Final(as_uchar_mutable(digest), &state_);
  return digest;
}

Sha512::Sha512() {
  SHA512_Init(&state_);
}

Sha512::~Sha512() {
  sodium_memzero(&state_, sizeof state_);
}

void Sha512::update(ByteView bytes) {
  SHA512_Update(&state_, bytes.data(), bytes.size());
}

void Sha512::finish(std::span<std::byte, kSha512Bytes> out) {
  SHA512_Final(as_uchar_mutable(out), &state_);
}

Digest sha256(ByteView bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

Digest512 sha512(ByteView bytes) {
  Sha512 hash;
  hash.update(bytes);
  Digest512 digest;
  hash.finish(digest);
  return digest;
}

Digest hmac_sha256(ByteView key, ByteView message) {
  Digest tag;
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, as_uchar(key), key.size());
  crypto_auth_hmacsha256_update(&state, as_uchar(message), message.size());
  crypto_auth_hmacsha256_final(&state, as_uchar_mutable(tag));
  sodium_memzero(&state, sizeof state);
  return tag;
}

void blake2b(MutableByteView out, ByteView message, ByteView key) {
  [[maybe_unused]] const int status =
      crypto_generichash_blake2b(as_uchar_mutable(out), out.size(), as_uchar(message), message.size(),
                                 key.empty() ? nullptr : as_uchar(key), key.size());
  assert(status == 0);
}

}  // namespace parley::crypto
