// Sealing of the vault's files, unit by unit: a database page, a WAL frame, a block of a temporary file.
// XChaCha20-Poly1305 under a fresh nonce for each write, bound to the kind, the generation and the number of the unit.
// docs/vault-format.md, "vault.db".
#pragma once

#include <atomic>

#include "base/secret.h"

namespace parley::vault::detail {

inline constexpr std::size_t kNonceBytes = 24;  // XChaCha20 (draft-irtf-cfrg-xchacha-03)
inline constexpr std::size_t kTagBytes = 16;    // Poly1305 (RFC 8439)
inline constexpr std::size_t kSealBytes = kNonceBytes + kTagBytes;

/// What a unit is. The numbers stand in the sealed bytes' associated data: they never change meaning.
enum class UnitKind : std::uint8_t {
  mark = 1,
  database_page = 2,
  wal_header = 3,
  wal_frame_header = 4,
  wal_frame_page = 5,
  temporary_block = 6,
};

/// One life of a file: units of another generation do not open. All zero where a file has only one life.
using Generation = ByteArray<16>;

class PageCipher {
 public:
  explicit PageCipher(Secret<32> key);

  /// Writes ciphertext || nonce || tag. `sealed` has plain.size() + kSealBytes; the two may start at the same byte.
  void seal(UnitKind kind, const Generation& generation, std::uint64_t number, ByteView plain, MutableByteView sealed);

  /// False: these are not the bytes that seal() wrote for this kind, generation and number.
  [[nodiscard]] bool open(UnitKind kind, const Generation& generation, std::uint64_t number, ByteView sealed,
                          MutableByteView plain) const;

 private:
  Secret<32> key_;
  ByteArray<16> nonce_prefix_;  ///< random; with the counter behind it, a nonce never comes twice
  std::atomic<std::uint64_t> nonce_counter_{0};
};

}  // namespace parley::vault::detail
