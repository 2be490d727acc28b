// Secret key files (log.md 1.3; docs/vault-format.md): text that says what it is, one sealed box, no options.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crypto/argon2.h"
#include "vault/vault.h"

namespace parley::group {

inline constexpr std::size_t kMaxKeyFileBytes = 4096;

/// Which keys a file holds: `id`, which may be kept offline; the four that a running node needs; or the three of one
/// group.
enum class KeyRing : std::uint8_t { id, online, group };

/// In the file of a ring that is of no group.
inline constexpr std::string_view kNoGroup = "-";

/// The roles of a ring, ascending; seeds are kept in this order.
std::vector<std::string_view> roles_of(KeyRing ring);

/// How the key that opens the box is made.
struct KeyDerivation {
  enum class Kind : std::uint8_t {
    argon2id,  ///< from a passphrase
    key_file,  ///< BLAKE2b-256 of the salt under 32 secret bytes
  };
  Kind kind = Kind::argon2id;
  crypto::Argon2Cost cost;  ///< of argon2id
  ByteArray<crypto::kArgon2SaltBytes> salt{};
};

/// A key file, read and not yet opened.
struct KeyFile {
  std::string nick;
  KeyRing ring = KeyRing::id;
  std::string group{kNoGroup};  ///< 8 hex digits, in the ring of a group
  KeyDerivation derivation;
  Bytes box;  ///< nonce, ciphertext, tag

  /// All lines before the box: what the box is bound to.
  std::string head() const;
  std::string text() const { return head() + box_line(); }

 private:
  std::string box_line() const;
};

/// Takes the exact form only. @error Errc::format; Errc::limit when opening it would cost more than is allowed
Result<KeyFile> parse_key_file(std::string_view text);

/// The key for a box from 32 secret bytes. Precondition: derivation.kind is key_file.
Secret<32> box_key(const KeyDerivation& derivation, const Secret<32>& key_file);
/// The key for a box from what unlocks the vault. @error Errc::passphrase when that is of the other kind, Errc::limit
Result<Secret<32>> box_key(const KeyDerivation& derivation, const vault::Unlock& unlock);

/// A key file with a box of `seeds`, in the order of roles_of(ring).
KeyFile seal_key_file(std::string_view nick, KeyRing ring, const KeyDerivation& derivation, const Secret<32>& key,
                      std::span<const Secret<32>> seeds, std::string_view group = kNoGroup);

/// @error Errc::passphrase when `key` does not open it (or a byte was altered)
Result<std::vector<Secret<32>>> open_key_file(const KeyFile& file, const Secret<32>& key);

}  // namespace parley::group
