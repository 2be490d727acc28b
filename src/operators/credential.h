// By what an operator is told from another: an Ed25519 key that is made anew, each time, from a passphrase or a key
// file of its own and never stored. The vault has the public key.
#pragma once

#include <string>
#include <string_view>

#include "crypto/argon2.h"
#include "crypto/ed25519.h"
#include "vault/vault.h"

namespace parley::operators {

inline constexpr std::size_t kMaxKeyLineBytes = 256;

struct OperatorKey {
  enum class Kind : std::uint8_t { passphrase, key_file };
  Kind kind = Kind::passphrase;
  ByteArray<crypto::kArgon2SaltBytes> salt{};
  crypto::PublicKey key{};

  /// "parley-operator1:passphrase:<salt>:<key>", both in base64.
  std::string line() const;
  /// Takes that form only. @error Errc::format, Errc::key_weak
  static Result<OperatorKey> parse(std::string_view line);
  bool operator==(const OperatorKey&) const = default;
};

/// A key of a fresh salt. @error Errc::passphrase without a secret; Errc::limit without memory for Argon2id
Result<OperatorKey> make_operator_key(const vault::Unlock& secret);

/// The seed of `key`. @error Errc::passphrase for a secret that it was not made from; Errc::limit
Result<Secret<32>> operator_seed(const OperatorKey& key, const vault::Unlock& secret);

}  // namespace parley::operators
