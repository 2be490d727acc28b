// vault.hdr: the vault key, wrapped once for each way to open the vault. A text file of one page.
// log.md 7.1 and 1.3; docs/vault-format.md, "vault.hdr".
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "vault/vault.h"

namespace parley::vault::detail {

inline constexpr std::uint32_t kHeaderVersion = 1;
inline constexpr std::size_t kHeaderLimitBytes = 16384;
inline constexpr std::size_t kSlotLimit = 8;
inline constexpr std::size_t kSaltBytes = 16;  // crypto_pwhash_SALTBYTES

/// Argon2id parameters, and what a foreign header may ask of this machine (log.md 1.3).
struct Argon2Parameters {
  std::uint64_t passes = 3;                               // libsodium MODERATE
  std::uint64_t memory_bytes = std::uint64_t{256} << 20;  // libsodium MODERATE
};
inline constexpr std::uint64_t kArgon2MinPasses = 1;
inline constexpr std::uint64_t kArgon2MaxPasses = 10;
inline constexpr std::uint64_t kArgon2MinMemoryBytes = std::uint64_t{8} << 20;
inline constexpr std::uint64_t kArgon2MaxMemoryBytes = std::uint64_t{4} << 30;

struct Slot {
  enum class Kind : std::uint8_t { passphrase, key_file };
  Kind kind = Kind::passphrase;
  Argon2Parameters argon2;  ///< of a passphrase slot
  ByteArray<kSaltBytes> salt{};
  ByteArray<24 + 32 + 16> box{};  ///< nonce || wrapped vault key || tag: XChaCha20-Poly1305

  /// The slot's line up to its box: what the box is bound to.
  std::string prefix() const;
};

struct Header {
  std::vector<Slot> slots;
  Digest mac{};  ///< BLAKE2b-256 under a key of the vault, over the lines before it

  /// The lines before the mac.
  std::string body() const;
  /// The whole file.
  std::string text() const;
};

/// Reads vault.hdr; every bound is checked here, before anything is used.
/// @error Errc::vault_damaged, Errc::unsupported for a newer format, Errc::limit for parameters out of bounds
Result<Header> parse_header(ByteView file);

/// A header that opens with each way that `unlock` holds.
/// @error Errc::usage when it holds none; Errc::io when there is no memory for Argon2
Result<Header> make_header(const Secret<32>& vault_key, const Unlock& unlock, const Argon2Parameters& argon2 = {});

/// @error Errc::passphrase, Errc::vault_damaged, Errc::io when there is no memory for Argon2
Result<Secret<32>> unlock_header(const Header& header, const Unlock& unlock);

}  // namespace parley::vault::detail
