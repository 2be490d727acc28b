// Who we are: the five keys of log.md 1.1, the member card that shows their public halves, and the secret key files.
#pragma once

#include <filesystem>
#include <string>

#include "base/clock.h"
#include "base/secret.h"
#include "vault/vault.h"
#include "wire/link.h"

namespace parley::group {

/// A member card (log.md 1.2), read and checked: signed by `id`, every key admitted.
struct Card {
  std::string note;  ///< the signed note itself
  std::string name;  ///< "Alpha CERT"
  std::string nick;  ///< [a-z0-9-]{1,32}
  std::string id_vkey, node_vkey, log_vkey, cosign_vkey;
  ByteArray<32> tls_key{};
  UnixSeconds created = 0;

  /// 8 groups of 4, read aloud (log.md 1.2).
  std::string fingerprint() const;
  /// `parley-card1:` and base64url of the note (decisions.md 7).
  std::string line() const;
};

/// Reads a card from its one-line form or from the note itself. @error Errc::format, Errc::signature, Errc::key_weak
Result<Card> read_card(std::string_view text);

/// "Alpha CERT" -> "alpha-cert": lower case, [a-z0-9-], at most 32. @error Errc::usage when nothing is left
Result<std::string> nick_for(std::string_view name);

/// Makes the member: five fresh keys, id.key under the same unlock, online keys in node.key sealed under
/// Subkey::member_keys, card.note. The folder and the vault exist already. Nothing is left behind on failure.
Status create_member(const std::filesystem::path& folder, std::string_view name, const vault::Unlock& unlock,
                     const vault::Vault& vault);

/// The online half: what a running node needs.
struct Member {
  Card card;
  Secret<32> node_seed, log_seed, cosign_seed, tls_seed;
  wire::LocalIdentity identity() const;
};
/// @error Errc::key_permissions, Errc::format, Errc::passphrase
Result<Member> load_member(const std::filesystem::path& folder, const vault::Vault& vault);

/// The offline half: the seed of `id`, which signs cards, and later charters and findings. @error as load_member
Result<Secret<32>> load_id_seed(const std::filesystem::path& folder, const vault::Unlock& unlock);

/// What wire/ pins of a peer.
wire::PinnedPeer pinned(std::string_view peer_name, const Card& card);

}  // namespace parley::group
