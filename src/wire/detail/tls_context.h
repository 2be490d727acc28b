// The one way in which parley uses TLS (log.md 3.1): 1.3 only, X25519, Ed25519, a throw-away certificate, no sessions.
#pragma once

#include <openssl/ssl.h>

#include <functional>
#include <memory>

#include "base/error.h"
#include "base/secret.h"

namespace parley::wire::detail {

using ContextPointer = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

/// Judges the raw Ed25519 key that whoever is at the other end has proven to hold.
using JudgeKey = std::function<Status(const ByteArray<32>& key)>;

/// What is learned about the other side while the handshake runs, for the log line about a failure.
struct HandshakeRecord {
  JudgeKey judge;
  Status verdict;  ///< of the certificate, once there was one
  bool certificate_seen = false;
  std::uint16_t best_version = 0;  ///< the newest TLS version that a client offered; 0 before its first message
};

/// A context for one connection. `record` must outlive it. @error Errc::internal when OpenSSL refuses its own settings
Result<ContextPointer> make_context(const Secret<32>& tls_seed, HandshakeRecord& record);

}  // namespace parley::wire::detail
