// Argon2id (RFC 9106) from a passphrase to a key, with the cost bounds of log.md 1.3: a key file is bytes from outside
// and must not be able to eat the machine's memory.
#pragma once

#include "base/error.h"
#include "base/secret.h"

namespace parley::crypto {

inline constexpr std::size_t kArgon2SaltBytes = 16;

/// Passes over memory, and its size. The default is libsodium's MODERATE.
struct Argon2Cost {
  std::uint64_t passes = 3;
  std::uint64_t memory_bytes = std::uint64_t{256} << 20;

  bool operator==(const Argon2Cost&) const = default;
};

inline constexpr Argon2Cost kLeastArgon2Cost{1, std::uint64_t{8} << 20};
inline constexpr Argon2Cost kGreatestArgon2Cost{10, std::uint64_t{4} << 30};

/// @error Errc::limit when `cost` is out of bounds or the machine has not that much memory.
Result<Secret<32>> argon2id(const SecretBytes& passphrase, const ByteArray<kArgon2SaltBytes>& salt, Argon2Cost cost);

}  // namespace parley::crypto
