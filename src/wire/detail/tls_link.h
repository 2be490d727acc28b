// A link after its opening: a thread of its own reads frames into a bounded queue and keeps the connection alive, so
// that two sides that send at once, or one that computes for minutes, neither block nor lose each other.
#pragma once

#include <memory>

#include "wire/detail/tls_stream.h"
#include "wire/link.h"

namespace parley::wire::detail {

/// Payloads of an ERR frame, from the codes of log.md 3.7 that may go on the wire.
inline constexpr std::string_view kErrProtocol = "proto";
inline constexpr std::string_view kErrBusy = "busy";

/// What the peer's ERR frame means to us.
Error error_from(const Frame& frame);

std::unique_ptr<Link> make_tls_link(std::unique_ptr<TlsStream> stream, PinnedPeer peer, const Digest& exporter,
                                    UnixSeconds peer_time,
                                    const Limits& limits);

}  // namespace parley::wire::detail
