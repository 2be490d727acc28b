#include "operators/credential.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/random.h"
#include "crypto/kdf.h"

namespace parley::operators {
namespace {

constexpr std::string_view kBeginning = "parley-operator1:";
constexpr std::string_view kSeedInfo = "parley/operator-key/v1";
constexpr std::string_view kForm = "An operator's key is the line that parley operator key prints.";

std::string_view name_of(OperatorKey::Kind kind) {
  return kind == OperatorKey::Kind::passphrase ? "passphrase" : "keyfile";
}

template <std::size_t N>
bool take_base64(std::string_view text, ByteArray<N>& out) {
  const auto bytes = from_base64(text);
  if (!bytes || bytes->size() != N) return false;
  std::ranges::copy(*bytes, out.begin());
  return true;
}

/// @param cost  that of log.md 1.3
Result<Secret<32>> seed_from(OperatorKey::Kind kind, const ByteArray<crypto::kArgon2SaltBytes>& salt,
                             const vault::Unlock& secret) {
  if (kind == OperatorKey::Kind::key_file) {
    if (!secret.key_file) return fail(Errc::passphrase, "This operator signs with a key file, and none was given.");
    return crypto::hkdf_sha256<32>(secret.key_file->expose(), salt, as_bytes(kSeedInfo));
  }
  if (secret.passphrase.empty())
    return fail(Errc::passphrase, "This operator signs with a passphrase, and none was given.");
  TRY(const Secret<32> stretched, crypto::argon2id(secret.passphrase, salt, crypto::Argon2Cost{}));
  return crypto::hkdf_sha256<32>(stretched.expose(), salt, as_bytes(kSeedInfo));
}

}  // namespace

std::string OperatorKey::line() const {
  return fmt::format("{}{}:{}:{}", kBeginning, name_of(kind), to_base64(salt), to_base64(key));
}

Result<OperatorKey> OperatorKey::parse(std::string_view line) {
  OperatorKey parsed;
  const auto refuse = [] { return fail(Errc::format, std::string(kForm)); };
  if (line.size() > kMaxKeyLineBytes || !line.starts_with(kBeginning)) return refuse();
  line.remove_prefix(kBeginning.size());
  const std::size_t first = line.find(':');
  const std::size_t second = first == line.npos ? first : line.find(':', first + 1);
  if (second == line.npos) return refuse();
  const std::string_view kind = line.substr(0, first);
  if (kind == name_of(Kind::key_file))
    parsed.kind = Kind::key_file;
  else if (kind != name_of(Kind::passphrase))
    return refuse();
  if (!take_base64(line.substr(first + 1, second - first - 1), parsed.salt) ||
      !take_base64(line.substr(second + 1), parsed.key))
    return refuse();
  if (!crypto::is_admissible_public_key(parsed.key))
    return fail(Errc::key_weak, "This operator's key is of small order: no key that parley makes is like that.");
  return parsed;
}

Result<OperatorKey> make_operator_key(const vault::Unlock& secret) {
  OperatorKey made;
  made.kind = secret.key_file ? OperatorKey::Kind::key_file : OperatorKey::Kind::passphrase;
  made.salt = random_bytes<crypto::kArgon2SaltBytes>();
  TRY(const Secret<32> seed, seed_from(made.kind, made.salt, secret));
  made.key = crypto::public_key_of(seed);
  return made;
}

Result<Secret<32>> operator_seed(const OperatorKey& key, const vault::Unlock& secret) {
  TRY(Secret<32> seed, seed_from(key.kind, key.salt, secret));
  if (crypto::public_key_of(seed) != key.key)
    return fail(Errc::passphrase, key.kind == OperatorKey::Kind::key_file ? "This is not the key file of this operator."
                                                                          : "The operator's passphrase is wrong.");
  return seed;
}

}  // namespace parley::operators
