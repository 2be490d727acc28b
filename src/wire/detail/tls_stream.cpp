// OpenSSL behind a lock, poll(2) outside of it.
#include "wire/detail/tls_stream.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cerrno>

#include "wire/detail/failure.h"

namespace parley::wire::detail {
namespace {

constexpr std::string_view kExporterLabel = "EXPORTER-parley-v1";

/// Non-blocking, and small frames leave at once.
Status prepare(int socket) {
  const int flags = ::fcntl(socket, F_GETFL);
  const int on = 1;
  if (flags < 0 || ::fcntl(socket, F_SETFL, flags | O_NONBLOCK) != 0) {
    return fail(Errc::io, "The connection cannot be used: " + system_error_text(errno) + ".");
  }
  // Only TCP has this option; without it the connection is slower, not wrong.
  static_cast<void>(::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
  return {};
}

}  // namespace

TlsStream::TlsStream(FileDescriptor socket, FileDescriptor wake, Side side, JudgeKey judge)
    : state_(std::move(socket)),
      wake_(std::move(wake)),
      side_(side),
      context_(nullptr, SSL_CTX_free),
      ssl_(nullptr, SSL_free) {
  record_.judge = std::move(judge);
}

Result<std::unique_ptr<TlsStream>> TlsStream::make(FileDescriptor socket, Side side, const Secret<32>& tls_seed,
                                                   JudgeKey judge) {
  TRY_STATUS(prepare(socket.get()));
  FileDescriptor wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.valid()) return fail(Errc::io, "No event descriptor can be had: " + system_error_text(errno) + ".");
  std::unique_ptr<TlsStream> stream(new TlsStream(std::move(socket), std::move(wake), side, std::move(judge)));
  TRY(stream->context_, make_context(tls_seed, stream->record_));
  stream->ssl_.reset(SSL_new(stream->context_.get()));
  BIO* bio = make_socket_bio(stream->state_);
  if (!stream->ssl_ || bio == nullptr) {
    BIO_free(bio);
    return fail(Errc::internal, "OpenSSL cannot make a connection object.");
  }
  SSL* ssl = stream->ssl_.get();
  SSL_set_bio(ssl, bio, bio);
  if (side == Side::server) {
    SSL_set_accept_state(ssl);
  } else {
    SSL_set_connect_state(ssl);
  }
  return stream;
}

Status TlsStream::handshake(Deadline deadline) {
  for (;;) {
    Attempt attempt;
    {
      const std::lock_guard lock(mutex_);
      ERR_clear_error();
      const int result = SSL_do_handshake(ssl_.get());
      if (result == 1) {
        established_ = true;
        record_.judge = nullptr;
        return {};
      }
      TRY(attempt, blocked_or_failed(result));
    }
    TRY(const bool ready, wait(attempt.wanted, deadline));
    if (!ready) return fail(Errc::peer_gone, "Too slow: it did not finish the TLS handshake in time.");
  }
}

Result<Digest> TlsStream::exporter() {
  Digest digest;
  const std::lock_guard lock(mutex_);
  if (SSL_export_keying_material(ssl_.get(), as_uchar_mutable(digest), digest.size(), kExporterLabel.data(),
                                 kExporterLabel.size(), nullptr, 0, 0) != 1) {
    return fail(Errc::internal, "OpenSSL exports no key material.");
  }
  return digest;
}

Result<Attempt> TlsStream::try_read(MutableByteView out) {
  const std::lock_guard lock(mutex_);
  if (broken_) return fail(Errc::peer_gone, "The connection is closed.");
  ERR_clear_error();
  std::size_t done = 0;
  const int result = SSL_read_ex(ssl_.get(), out.data(), out.size(), &done);
  if (result == 1) return Attempt{done, 0};
  return blocked_or_failed(result);
}

Result<Attempt> TlsStream::try_write(ByteView in) {
  const std::lock_guard lock(mutex_);
  if (broken_ || write_broken_) return fail(Errc::peer_gone, "The connection is closed.");
  ERR_clear_error();
  std::size_t done = 0;
  const int result = SSL_write_ex(ssl_.get(), in.data(), in.size(), &done);
  if (result == 1) return Attempt{done, 0};
  auto attempt = blocked_or_failed(result);
  // The other side takes no more, but what it said before can still be read.
  if (!attempt) write_broken_ = true;
  return attempt;
}

Result<Attempt> TlsStream::blocked_or_failed(int result) {
  const int ssl_error = SSL_get_error(ssl_.get(), result);
  if (ssl_error == SSL_ERROR_WANT_READ) return Attempt{0, POLLIN};
  if (ssl_error == SSL_ERROR_WANT_WRITE) return Attempt{0, POLLOUT};
  if (ssl_error == SSL_ERROR_SSL) broken_ = true;
  return std::unexpected(failure(ssl_error));
}

Error TlsStream::failure(int ssl_error) {
  const FailureFacts facts{ssl_error, ERR_peek_error(), state_.error_number, state_.ended, state_.beginning()};
  ERR_clear_error();
  if (record_.certificate_seen && !record_.verdict) return record_.verdict.error();
  if (established_) return describe_break(facts);
  return side_ == Side::server ? describe_server_handshake(facts, record_) : describe_client_handshake(facts);
}

Result<bool> TlsStream::wait(short events, Deadline deadline) {
  for (;;) {
    pollfd descriptors[2] = {{wake_.get(), POLLIN, 0}, {state_.socket.get(), events, 0}};
    const nfds_t count = events == 0 ? 1 : 2;
    const int ready = ::poll(descriptors, count, milliseconds_until(deadline));
    if (ready < 0 && errno != EINTR)
      return fail(Errc::io, "Waiting for the connection failed: " + system_error_text(errno) + ".");
    if (ready > 0 && descriptors[0].revents != 0)
      return fail(Errc::cancelled, "The connection was closed on this side.");
    // The time counts even where something is there: else who sends a byte now and then would never be too slow.
    if (Monotonic::now() >= deadline) return false;
    if (ready > 0) return true;
  }
}

bool TlsStream::writable_now() const {
  pollfd descriptor{state_.socket.get(), POLLOUT, 0};
  return ::poll(&descriptor, 1, 0) == 1 && (descriptor.revents & POLLOUT) != 0;
}

std::chrono::microseconds TlsStream::round_trip() const {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(state_.socket.get(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return {};
  return std::chrono::microseconds(info.tcpi_rtt);
}

void TlsStream::finish_writing() {
  {
    const std::lock_guard lock(mutex_);
    ERR_clear_error();
    if (!broken_ && !write_broken_) static_cast<void>(SSL_shutdown(ssl_.get()));
    ERR_clear_error();
  }
  static_cast<void>(::shutdown(state_.socket.get(), SHUT_WR));
}

void TlsStream::shut_down() {
  static_cast<void>(::eventfd_write(wake_.get(), 1));
  static_cast<void>(::shutdown(state_.socket.get(), SHUT_RDWR));
}

}  // namespace parley::wire::detail
