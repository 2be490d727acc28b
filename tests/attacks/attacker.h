// What an attacker on the network has: TCP, and a TLS client that obeys nobody. It attacks alpha of wire/two_members.h.
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/time.h>

#include "base/encoding.h"
#include "wire/address.h"
#include "wire/detail/socket_bio.h"
#include "wire/detail/tls_context.h"
#include "wire/frame.h"
#include "wire/hello.h"
#include "wire/two_members.h"

namespace parley::wire {

/// A blocking TCP connection to `address`, whose reads end after ten seconds.
inline FileDescriptor dial(const std::string& address) {
  auto socket = connect_tcp(address, soon());
  if (!socket) throw std::runtime_error(socket.error().text());
  const timeval limit{10, 0};
  ::fcntl(socket->get(), F_SETFL, 0);
  ::setsockopt(socket->get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  return std::move(*socket);
}

inline void say(const FileDescriptor& socket, std::string_view bytes) {
  static_cast<void>(::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
}

/// A TLS client; each test bends the rules that it is about.
class RawTls {
 public:
  /// @param tls_seed  what the client proves to hold; nothing: it shows no certificate
  RawTls(const std::string& address, const Secret<32>* tls_seed, int newest_version = TLS1_3_VERSION)
      : state_(dial(address)) {
    record_.judge = [](const ByteArray<32>&) { return Status(); };
    const Secret<32> nothing;
    auto made = detail::make_context(tls_seed != nullptr ? *tls_seed : nothing, record_);
    if (!made) throw std::runtime_error(made.error().text());
    context_ = std::move(*made);
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_.get(), newest_version);
    if (newest_version < TLS1_3_VERSION) SSL_CTX_set1_sigalgs_list(context_.get(), "ed25519:RSA+SHA256:ECDSA+SHA256");
    ssl_.reset(SSL_new(context_.get()));
    if (tls_seed == nullptr) SSL_certs_clear(ssl_.get());
    BIO* bio = detail::make_socket_bio(state_);
    SSL_set_bio(ssl_.get(), bio, bio);
  }

  bool handshake() { return SSL_connect(ssl_.get()) == 1; }

  Digest exporter() {
    Digest digest{};
    SSL_export_keying_material(ssl_.get(), as_uchar_mutable(digest), digest.size(), "EXPORTER-parley-v1", 18, nullptr,
                               0, 0);
    return digest;
  }

  bool write(ByteView bytes) { return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0; }
  bool write_frame(FrameType type, ByteView payload) {
    return write(frame_head(type, payload.size())) && (payload.empty() || write(payload));
  }

  /// The next frame, or nothing once the connection is closed.
  std::optional<Frame> read_frame() {
    FrameReader reader(kMaxFrameBytes);
    for (;;) {
      const MutableByteView room = reader.room();
      const int got = SSL_read(ssl_.get(), room.data(), static_cast<int>(room.size()));
      if (got <= 0) return std::nullopt;
      auto frame = reader.took(static_cast<std::size_t>(got));
      if (!frame) return std::nullopt;
      if (*frame) return std::move(**frame);
    }
  }

 private:
  detail::SocketState state_;
  detail::HandshakeRecord record_;
  detail::ContextPointer context_{nullptr, SSL_CTX_free};
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, SSL_free};
};

/// alpha's node, and what it wrote to its log about the last visitor.
class Attack : public testing::Test {
 protected:
  /// What accept() says of a visitor that `act` plays.
  template <typename Act>
  Error refusal_of(Act act, Limits limits = {}) {
    auto served = members_.serve(limits);
    act(members_.listener.address());
    const LinkResult link = served.get();
    EXPECT_FALSE(link.has_value()) << "the attacker was let in";
    return link ? Error{} : link.error();
  }

  /// After an attack an honest peer is served as before.
  void TearDown() override {
    const TwoMembers::Pair links = members_.links();
    ASSERT_TRUE(links.bravo->send(FrameType::step, as_bytes("still there?")).has_value());
    EXPECT_TRUE(links.alpha->receive(soon()).has_value());
  }

  std::string good_hello(const Digest& exporter) const {
    return make_hello(members_.bravo, Side::client, "alpha", exporter, wall_clock_now());
  }

  TwoMembers members_;
};

}  // namespace parley::wire
