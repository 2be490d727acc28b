// From an OpenSSL failure to a sentence for the node's log: what the other side did and what it most likely is.
#pragma once

#include <string_view>

#include "wire/detail/tls_context.h"

namespace parley::wire::detail {

struct FailureFacts {
  int ssl_error = 0;           ///< of SSL_get_error
  unsigned long reason = 0;    ///< first entry of OpenSSL's error queue, 0 for none
  int error_number = 0;        ///< of the socket call that failed, 0 for none
  bool ended = false;          ///< the other side closed the TCP connection
  std::string_view beginning;  ///< first bytes that it sent
};

/// While the handshake ran, as the server. Precondition: record.verdict holds, or is not the reason.
Error describe_server_handshake(const FailureFacts& facts, const HandshakeRecord& record);
/// While the handshake ran, as the client.
Error describe_client_handshake(const FailureFacts& facts);
/// Afterwards.
Error describe_break(const FailureFacts& facts);

}  // namespace parley::wire::detail
