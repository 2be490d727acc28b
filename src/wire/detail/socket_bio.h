// The bottom of the TLS stream: a non-blocking TCP socket as an OpenSSL BIO that counts bytes, never raises SIGPIPE and
// remembers how the other side began, for the log line about one that does not speak TLS.
#pragma once

#include <openssl/bio.h>

#include <atomic>

#include "base/file.h"

namespace parley::wire::detail {

/// What the BIO keeps about its socket. It must outlive the BIO.
struct SocketState {
  explicit SocketState(FileDescriptor connection) : socket(std::move(connection)) {}

  /// The first bytes that arrived, at most 64.
  std::string_view beginning() const { return as_text(ByteView(first).first(first_size)); }

  FileDescriptor socket;
  std::atomic<std::uint64_t> sent{0};
  std::atomic<std::uint64_t> received{0};
  bool ended = false;    ///< the other side sends no more
  int error_number = 0;  ///< of the last call that failed for good
  ByteArray<64> first{};
  std::size_t first_size = 0;
};

/// Owned by the caller until SSL_set_bio takes it.
BIO* make_socket_bio(SocketState& state);

}  // namespace parley::wire::detail
