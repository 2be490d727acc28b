// The two Hellos that tie a TLS connection to two members (log.md 3.1): signed by `node`, bound to this very connection
// by the TLS exporter, and naming both ends, so that neither can be replayed, reflected or forwarded.
#pragma once

#include <string>

#include "wire/link.h"

namespace parley::wire {

inline constexpr std::size_t kMaxHelloBytes = 4096;

/// Who speaks: the side that accepted the TCP connection, or the one that made it.
enum class Side : std::uint8_t { server, client };

/// Our Hello for `peer_nick` on the connection named by `exporter`.
std::string make_hello(const LocalIdentity& us, Side our_side, std::string_view peer_nick, const Digest& exporter,
                       UnixSeconds now);

/// Checks what `peer` sent as the other side of this connection. @return what its clock showed then
/// @error Errc::signature, Errc::protocol, Errc::format, Errc::limit
Result<UnixSeconds> check_hello(std::string_view note, const PinnedPeer& peer, Side their_side, std::string_view our_nick,
                   const Digest& exporter);

}  // namespace parley::wire
