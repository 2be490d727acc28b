#include "crypto/argon2.h"

#include <fmt/format.h>

namespace parley::crypto {

static_assert(kArgon2SaltBytes == crypto_pwhash_argon2id_SALTBYTES);

Result<Secret<32>> argon2id(const SecretBytes& passphrase, const ByteArray<kArgon2SaltBytes>& salt, Argon2Cost cost) {
  if (cost.passes < kLeastArgon2Cost.passes || cost.passes > kGreatestArgon2Cost.passes ||
      cost.memory_bytes < kLeastArgon2Cost.memory_bytes || cost.memory_bytes > kGreatestArgon2Cost.memory_bytes) {
    return fail(Errc::limit,
                fmt::format("Argon2id with {} passes over {} bytes is out of bounds: {} to {} passes over {} to {} "
                            "bytes are taken. The key file may have been tampered with.",
                            cost.passes, cost.memory_bytes, kLeastArgon2Cost.passes, kGreatestArgon2Cost.passes,
                            kLeastArgon2Cost.memory_bytes, kGreatestArgon2Cost.memory_bytes));
  }
  Secret<32> key;
  const ByteView text = passphrase.expose();
  if (crypto_pwhash_argon2id(as_uchar_mutable(key.expose_mutable()), Secret<32>::kSize,
                             text.empty() ? "" : reinterpret_cast<const char*>(text.data()), text.size(),
                             as_uchar(salt), cost.passes, static_cast<std::size_t>(cost.memory_bytes),
                             crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0) {
    return fail(Errc::limit, fmt::format("This machine has no {} MiB of free memory to make the key from the "
                                         "passphrase. Free some and try again.",
                                         cost.memory_bytes >> 20));
  }
  return key;
}

}  // namespace parley::crypto
