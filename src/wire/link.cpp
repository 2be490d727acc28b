// Making a link: TCP, TLS, then the server's Hello first and the client's second (log.md 3.1). In TLS 1.3 the client's
// handshake succeeds before the server has judged its certificate, so only the server's Hello tells it that the link is
// up.
#include "wire/link.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "wire/address.h"
#include "wire/detail/tls_link.h"
#include "wire/detail/tls_stream.h"
#include "wire/frame.h"
#include "wire/hello.h"

namespace parley::wire {
namespace {

using detail::TlsStream;

std::string shown_key(const ByteArray<32>& key) {
  return to_hex(key);
}

Result<Frame> read_frame(TlsStream& stream, Deadline deadline) {
  FrameReader reader(kMaxHelloBytes + 1);
  for (;;) {
    TRY(const detail::Attempt attempt, stream.try_read(reader.room()));
    if (attempt.done > 0) {
      TRY(std::optional<Frame> frame, reader.took(attempt.done));
      if (frame) return std::move(*frame);
      continue;
    }
    TRY(const bool ready, stream.wait(attempt.wanted, deadline));
    if (!ready) return fail(Errc::peer_gone, "Too slow: its Hello was not complete in time.");
  }
}

Status write_frame(TlsStream& stream, FrameType type, ByteView payload, Deadline deadline) {
  Bytes bytes = to_bytes(ByteView(frame_head(type, payload.size())));
  append(bytes, payload);
  ByteView left = bytes;
  while (!left.empty()) {
    TRY(const detail::Attempt attempt, stream.try_write(left));
    left = left.subspan(attempt.done);
    if (attempt.done > 0) continue;
    TRY(const bool ready, stream.wait(attempt.wanted, deadline));
    if (!ready) return fail(Errc::peer_gone, "Too slow: it does not take our Hello.");
  }
  return {};
}

/// One side's part of the opening: who they are to be, and both Hellos in their order.
class Opening {
 public:
  Opening(TlsStream& stream, const LocalIdentity& us, const PinnedPeer& peer, Side our_side, Deadline deadline)
      : stream_(stream), us_(us), peer_(peer), our_side_(our_side), deadline_(deadline) {}

  /// @return what names the connection
  Result<Digest> run() {
    TRY(exporter_, stream_.exporter());
    if (our_side_ == Side::server) {
      TRY_STATUS(say_hello());
      TRY_STATUS(hear_hello());
    } else {
      TRY_STATUS(hear_hello());
      TRY_STATUS(say_hello());
    }
    return exporter_;
  }
  /// What its clock showed when its Hello was heard.
  UnixSeconds their_time() const { return their_time_; }

 private:
  Status say_hello() {
    const std::string hello = make_hello(us_, our_side_, peer_.nick, exporter_, wall_clock_now());
    return write_frame(stream_, our_side_ == Side::server ? FrameType::hello_s : FrameType::hello_c, as_bytes(hello),
                       deadline_);
  }

  Status hear_hello() {
    const FrameType expected = our_side_ == Side::server ? FrameType::hello_c : FrameType::hello_s;
    const Side their_side = our_side_ == Side::server ? Side::client : Side::server;
    TRY(const Frame frame, read_frame(stream_, deadline_));
    if (frame.type == FrameType::err) return std::unexpected(detail::error_from(frame));
    if (frame.type != expected) {
      return fail(Errc::protocol,
                  fmt::format("It sent a frame of type {} where its Hello was due.", static_cast<int>(frame.type)));
    }
    const auto checked = check_hello(as_text(frame.payload), peer_, their_side, us_.nick, exporter_);
    if (!checked) {
      static_cast<void>(write_frame(stream_, FrameType::err, as_bytes(detail::kErrProtocol), deadline_));
      return std::unexpected(checked.error());
    }
    their_time_ = *checked;
    return {};
  }

  TlsStream& stream_;
  const LocalIdentity& us_;
  const PinnedPeer& peer_;
  Side our_side_;
  Deadline deadline_;
  Digest exporter_{};
  UnixSeconds their_time_ = 0;
};

/// Adds the peer's name to what went wrong after its key had been recognised.
Error named(Error error, const PinnedPeer& peer, const std::string& address) {
  error.message =
      fmt::format("{} (key {} of peer {})", error.message, shown_key(peer.tls_key).substr(0, 16), peer.name);
  return std::move(error).at(address);
}

Result<std::unique_ptr<Link>> open_link(std::unique_ptr<TlsStream> stream, const LocalIdentity& us, PinnedPeer peer,
                                        Side our_side, Deadline deadline, const std::string& address,
                                        const Limits& limits) {
  Opening opening(*stream, us, peer, our_side, deadline);
  auto exporter = opening.run();
  if (!exporter) {
    stream->finish_writing();
    return std::unexpected(named(std::move(exporter).error(), peer, address));
  }
  return detail::make_tls_link(std::move(stream), std::move(peer), *exporter, opening.their_time(), limits);
}

}  // namespace

LocalIdentity LocalIdentity::clone() const {
  return {nick, node_key_name, node_seed.clone(), tls_seed.clone()};
}

Result<std::unique_ptr<Link>> connect(const std::string& address, const LocalIdentity& us, const PinnedPeer& peer,
                                      const Limits& limits) {
  const Deadline deadline = deadline_in(limits.handshake);
  TRY(FileDescriptor socket, connect_tcp(address, deadline));
  const auto judge = [&](const ByteArray<32>& key) -> Status {
    if (constant_time_equal(key, peer.tls_key)) return {};
    return fail(Errc::peer_unknown,
                fmt::format("Somebody else answers there: the key is {}, and that of {} is {}. Nothing was sent.",
                            shown_key(key), peer.name, shown_key(peer.tls_key)));
  };
  TRY(auto stream, TlsStream::make(std::move(socket), Side::client, us.tls_seed, judge));
  if (Status shaken = stream->handshake(deadline); !shaken)
    return std::unexpected(std::move(shaken).error().at(address));
  return open_link(std::move(stream), us, peer, Side::client, deadline, address, limits);
}

Result<std::unique_ptr<Link>> accept(
    FileDescriptor connection, const LocalIdentity& us,
    const std::function<std::optional<PinnedPeer>(const ByteArray<32>& tls_key)>& find_peer, const Limits& limits) {
  const Deadline deadline = deadline_in(limits.handshake);
  const std::string address = remote_address(connection.get());
  std::optional<PinnedPeer> peer;
  const auto judge = [&](const ByteArray<32>& key) -> Status {
    peer = find_peer(key);
    if (peer && constant_time_equal(key, peer->tls_key)) return {};
    return fail(Errc::peer_unknown, fmt::format("Refused: the key {} belongs to no peer of ours.", shown_key(key)));
  };
  TRY(auto stream, TlsStream::make(std::move(connection), Side::server, us.tls_seed, judge));
  if (Status shaken = stream->handshake(deadline); !shaken)
    return std::unexpected(std::move(shaken).error().at(address));
  return open_link(std::move(stream), us, std::move(*peer), Side::server, deadline, address, limits);
}

}  // namespace parley::wire
