// Opening and accepting TCP connections.
#include "node/listener.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <thread>

#include "base/text.h"

namespace parley::node {
namespace {

struct HostPort {
  std::string host, port;
};

std::optional<HostPort> split(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == address.size()) return std::nullopt;
  HostPort parts{address.substr(0, colon), address.substr(colon + 1)};
  if (parts.host.front() == '[') {
    if (parts.host.back() != ']') return std::nullopt;
    parts.host = parts.host.substr(1, parts.host.size() - 2);
  }
  return parts;
}

HostPort name_of(const sockaddr_storage& storage, socklen_t size) {
  char host[NI_MAXHOST], port[NI_MAXSERV];
  if (::getnameinfo(reinterpret_cast<const sockaddr*>(&storage), size, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return {"?", "?"};
  return {host, port};
}

std::string join(const HostPort& parts) {
  const bool is_ipv6 = parts.host.find(':') != std::string::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", parts.host, parts.port) : fmt::format("{}:{}", parts.host, parts.port);
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

}  // namespace

Result<Listener> Listener::open(const std::string& address) {
  const auto parts = split(address);
  if (!parts)
    return fail(Errc::usage, "\"" + visible(address) +
                                 "\" is not an address to listen on; write host:port, for example 127.0.0.1:7440.");
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* raw = nullptr;
  if (const int code = ::getaddrinfo(parts->host.c_str(), parts->port.c_str(), &hints, &raw); code != 0)
    return fail(Errc::usage, fmt::format("\"{}\" cannot be listened on: {}.", visible(address), ::gai_strerror(code)));
  const std::unique_ptr<addrinfo, FreeAddresses> list(raw);

  Listener listener;
  listener.socket_ = FileDescriptor(::socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  ::setsockopt(listener.socket_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (::bind(listener.socket_.get(), list->ai_addr, list->ai_addrlen) != 0 ||
      ::listen(listener.socket_.get(), SOMAXCONN) != 0) {
    if (errno == EADDRINUSE)
      return fail(
          Errc::io,
          "Another program listens there already. Choose another port with --listen (port 0 takes any free one).",
          address);
    return fail(Errc::io, "This address cannot be listened on: " + system_error_text(errno) + ".", address);
  }
  sockaddr_storage bound{};
  socklen_t size = sizeof(bound);
  ::getsockname(listener.socket_.get(), reinterpret_cast<sockaddr*>(&bound), &size);
  listener.address_ = join(name_of(bound, size));
  int wake[2];
  if (::pipe2(wake, O_CLOEXEC) != 0) return fail(Errc::io, "No pipe could be made: " + system_error_text(errno) + ".");
  listener.wake_read_ = FileDescriptor(wake[0]);
  listener.wake_write_ = FileDescriptor(wake[1]);
  return listener;
}

std::optional<Incoming> Listener::next() {
  while (true) {
    pollfd wait[2] = {{.fd = socket_.get(), .events = POLLIN, .revents = 0},
                      {.fd = wake_read_.get(), .events = POLLIN, .revents = 0}};
    ::poll(wait, 2, -1);
    if (wait[1].revents != 0) return std::nullopt;
    sockaddr_storage from{};
    socklen_t size = sizeof(from);
    FileDescriptor connection(::accept4(socket_.get(), reinterpret_cast<sockaddr*>(&from), &size, SOCK_CLOEXEC));
    if (connection.valid()) {
      const HostPort parts = name_of(from, size);
      return Incoming{std::move(connection), join(parts), parts.host};
    }
    // Out of descriptors: the connection stays in the queue; wait until one of ours ends instead of spinning.
    if (errno == EMFILE || errno == ENFILE) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

void Listener::stop() {
  (void)!::write(wake_write_.get(), "x", 1);
}

}  // namespace parley::node
