#include "base/error.h"

namespace parley {

const char* name_of(Errc code) {
  switch (code) {
    case Errc::usage: return "E_USAGE";
    case Errc::not_found: return "E_NOT_FOUND";
    case Errc::exists: return "E_EXISTS";
    case Errc::io: return "E_IO";
    case Errc::format: return "E_FORMAT";
    case Errc::limit: return "E_LIMIT";
    case Errc::unsupported: return "E_UNSUPPORTED";
    case Errc::passphrase: return "E_PASSPHRASE";
    case Errc::vault_damaged: return "E_VAULT_DAMAGED";
    case Errc::vault_locked: return "E_VAULT_LOCKED";
    case Errc::key_weak: return "E_KEY_WEAK";
    case Errc::key_permissions: return "E_KEY_PERM";
    case Errc::signature: return "E_SIGNATURE";
    case Errc::peer_unknown: return "E_PEER_UNKNOWN";
    case Errc::peer_gone: return "E_PEER_GONE";
    case Errc::protocol: return "E_PROTOCOL";
    case Errc::skew: return "E_SKEW";
    case Errc::policy: return "E_POLICY";
    case Errc::refused: return "E_REFUSED";
    case Errc::mark: return "E_MARK";
    case Errc::cancelled: return "E_CANCELLED";
    case Errc::internal: return "E_INTERNAL";
  }
  return "E_INTERNAL";
}

}  // namespace parley
