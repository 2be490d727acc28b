// Openings sealed once more under the key of the pair, which two members hold who invited one another in person: a
// recording of the line does not open them when a TLS key exchange is broken later (log.md 5.3).
#pragma once

#include <optional>
#include <string>

#include "crypto/aead.h"
#include "vault/vault.h"

namespace parley::session::detail {

class OpeningSeal {
 public:
  static constexpr std::size_t kOverheadBytes = crypto::kAeadOverheadBytes;

  /// Nothing where no key of a pair with `peer` (our name for it) is kept. @error the vault's; as group::read_card
  static Result<std::optional<OpeningSeal>> of_pair(vault::Vault& vault, const std::string& peer,
                                                    const std::string& session);

  /// Of the `step`th opening of the side with this label, under BLAKE2b-256(key of the pair, "parley/reveal/v1" ||
  /// session || u32 step); the label is authenticated with it.
  Bytes seal(const Digest& label, std::uint64_t step, ByteView opening) const;
  /// @error Errc::protocol
  Result<Bytes> open(const Digest& label, std::uint64_t step, ByteView sealed) const;

 private:
  OpeningSeal(Secret<32> pair, std::string session) : pair_(std::move(pair)), session_(std::move(session)) {}
  crypto::AeadKey key_of(std::uint64_t step) const;

  Secret<32> pair_;
  std::string session_;
};

}  // namespace parley::session::detail
