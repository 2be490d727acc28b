// Two members with keys that never change, so that kept inputs stay valid.
#pragma once

#include "check.h"
#include "crypto/ed25519.h"
#include "log/note.h"
#include "wire/link.h"

namespace parley::wire {

inline LocalIdentity fixed_member(const std::string& nick, std::uint8_t seed) {
  return {nick, "parley.local/m/" + nick + "/node", fixed_seed(seed), fixed_seed(static_cast<std::uint8_t>(seed + 1))};
}

inline PinnedPeer pinned(const LocalIdentity& member) {
  return {member.nick, member.nick, log::vkey_of(member.node_key_name, log::KeyType::ed25519, member.node_seed).text(),
          crypto::public_key_of(member.tls_seed)};
}

}  // namespace parley::wire
