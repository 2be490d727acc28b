// Sealing of openings (opening_seal.h).
#include "session/detail/opening_seal.h"

#include <algorithm>

#include "crypto/hash.h"
#include "group/invitation.h"

namespace parley::session::detail {
namespace {

constexpr std::string_view kDomain = "parley/reveal/v1";

}  // namespace

Result<std::optional<OpeningSeal>> OpeningSeal::of_pair(vault::Vault& vault, const std::string& peer,
                                                        const std::string& session) {
  TRY(const vault::Peer pinned, vault.peer(peer));
  TRY(const group::Card card, group::read_card(pinned.card));
  TRY(const auto stored, vault.secret(group::pair_key_name(card)));
  if (!stored || stored->expose().size() != Secret<32>::kSize) return std::nullopt;
  return OpeningSeal(Secret<32>(stored->expose().first<Secret<32>::kSize>()), session);
}

crypto::AeadKey OpeningSeal::key_of(std::uint64_t step) const {
  Bytes message = to_bytes(kDomain);
  append(message, as_bytes(session_));
  append_be(message, static_cast<std::uint32_t>(step));
  crypto::AeadKey key;
  crypto::blake2b(key.expose_mutable(), message, pair_.expose());
  return key;
}

Bytes OpeningSeal::seal(const Digest& label, std::uint64_t step, ByteView opening) const {
  return crypto::seal(key_of(step), opening, label);
}

Result<Bytes> OpeningSeal::open(const Digest& label, std::uint64_t step, ByteView sealed) const {
  const auto opened = crypto::open(key_of(step), sealed, label);
  if (!opened) return fail(Errc::protocol, "The other side sealed an opening under another key than that of the pair.");
  return to_bytes(opened->expose());
}

}  // namespace parley::session::detail
