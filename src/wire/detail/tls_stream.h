// Bytes over TLS over TCP, for one thread that reads and one that writes at the same time. OpenSSL's connection object
// is not made for that, so each call into it holds a lock and never blocks; waiting is done outside, by poll(2).
#pragma once

#include <mutex>

#include "base/clock.h"
#include "wire/detail/socket_bio.h"
#include "wire/detail/tls_context.h"
#include "wire/hello.h"

namespace parley::wire::detail {

/// How far a call got without blocking; where `done` is 0, `wanted` is what poll(2) should wait for.
struct Attempt {
  std::size_t done = 0;
  short wanted = 0;
};

class TlsStream {
 public:
  /// @error Errc::io, Errc::internal
  static Result<std::unique_ptr<TlsStream>> make(FileDescriptor socket, Side side, const Secret<32>& tls_seed,
                                                 JudgeKey judge);

  /// @error Errc::peer_gone, Errc::peer_unknown, Errc::protocol, Errc::refused, Errc::cancelled; the text says what the
  /// other side did
  Status handshake(Deadline deadline);
  /// RFC 8446 7.5 with the label EXPORTER-parley-v1, no context. Precondition: handshake() succeeded.
  Result<Digest> exporter();

  Result<Attempt> try_read(MutableByteView out);
  Result<Attempt> try_write(ByteView in);
  /// Waits for poll events (0: for shut_down only). @return false when `deadline` passes. @error Errc::cancelled
  Result<bool> wait(short events, Deadline deadline);
  /// Whether a small write would go through at once.
  bool writable_now() const;

  /// Tells the other side that nothing more will come; reading goes on.
  void finish_writing();
  /// From any thread: ends every wait, now and later, and the connection.
  void shut_down();

  std::uint64_t bytes_sent() const { return state_.sent; }
  std::uint64_t bytes_received() const { return state_.received; }
  /// RFC 6298's smoothed round trip; zero where the kernel has none.
  std::chrono::microseconds round_trip() const;

 private:
  TlsStream(FileDescriptor socket, FileDescriptor wake, Side side, JudgeKey judge);

  Result<Attempt> blocked_or_failed(int result);
  Error failure(int ssl_error);

  SocketState state_;
  FileDescriptor wake_;  ///< readable for ever after shut_down
  Side side_;
  HandshakeRecord record_;
  ContextPointer context_;
  std::mutex mutex_;  ///< guards all that follows
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  bool established_ = false;
  bool broken_ = false;        ///< OpenSSL must not be called again
  bool write_broken_ = false;  ///< or only not for writing
};

}  // namespace parley::wire::detail
