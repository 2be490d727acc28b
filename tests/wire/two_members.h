// Two members and a link between them over a real socket on the loopback interface.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <future>

#include "base/random.h"
#include "crypto/ed25519.h"
#include "log/note.h"
#include "wire/link.h"

namespace parley::wire {

/// A listening TCP socket on a free port of 127.0.0.1.
class Listener {
 public:
  Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(socket_.get(), generic, size) != 0 || ::listen(socket_.get(), 8) != 0 ||
        ::getsockname(socket_.get(), generic, &size) != 0) {
      throw std::runtime_error("no listening socket");
    }
    port_ = ntohs(address.sin_port);
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  FileDescriptor accept() { return FileDescriptor(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC)); }

 private:
  FileDescriptor socket_;
  std::uint16_t port_ = 0;
};

inline LocalIdentity make_identity(const std::string& nick) {
  return {nick, "parley.local/m/" + nick + "/node", random_secret<32>(), random_secret<32>()};
}

/// What others pin of `identity`.
inline PinnedPeer pin(const LocalIdentity& identity) {
  return {"peer-" + identity.nick, identity.nick,
          log::vkey_of(identity.node_key_name, log::KeyType::ed25519, identity.node_seed).text(),
          crypto::public_key_of(identity.tls_seed)};
}

using FindPeer = std::function<std::optional<PinnedPeer>(const ByteArray<32>&)>;

/// Knows exactly one peer.
inline FindPeer only(const PinnedPeer& peer) {
  return [peer](const ByteArray<32>& key) { return key == peer.tls_key ? std::optional(peer) : std::nullopt; };
}

using LinkResult = Result<std::unique_ptr<Link>>;

/// alpha listens, bravo connects.
struct TwoMembers {
  LocalIdentity alpha = make_identity("alpha");
  LocalIdentity bravo = make_identity("bravo");
  Listener listener;

  /// Serves the next connection in a thread of its own.
  std::future<LinkResult> serve(Limits limits = {}) {
    return std::async(std::launch::async,
                      [this, limits] { return accept(listener.accept(), alpha, only(pin(bravo)), limits); });
  }

  struct Pair {
    std::unique_ptr<Link> alpha, bravo;
  };
  Pair links(Limits limits = {}) {
    auto served = serve(limits);
    LinkResult connected = connect(listener.address(), bravo, pin(alpha), limits);
    LinkResult accepted = served.get();
    if (!connected) throw std::runtime_error(connected.error().text());
    if (!accepted) throw std::runtime_error(accepted.error().text());
    return {std::move(*accepted), std::move(*connected)};
  }
};

inline Deadline soon() {
  return deadline_in(std::chrono::seconds(10));
}

}  // namespace parley::wire
