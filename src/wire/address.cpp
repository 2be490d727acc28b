// Reading "host:port", and connecting before a deadline.
#include "wire/address.h"

#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <charconv>
#include <memory>

#include "base/text.h"

namespace parley::wire {
namespace {

constexpr std::size_t kMaxHostBytes = 253;  // RFC 1035 2.3.4, as text

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Result<AddressList> resolve(const HostPort& target, const std::string& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(target.host.c_str(), target.port.c_str(), &hints, &found);
  if (error != 0)
    return fail(Errc::peer_gone, fmt::format("The name cannot be resolved: {}.", ::gai_strerror(error)), address);
  return AddressList(found, freeaddrinfo);
}

/// @return 0 or the errno of the failure
int connect_before(int socket, const addrinfo& address, Deadline deadline) {
  if (::connect(socket, address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  for (;;) {
    pollfd descriptor{socket, POLLOUT, 0};
    const int ready = ::poll(&descriptor, 1, milliseconds_until(deadline));
    if (ready < 0 && errno != EINTR) return errno;
    if (ready == 0) return ETIMEDOUT;
    if (ready > 0) break;
  }
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

std::size_t length_of(const addrinfo* list) {
  std::size_t count = 0;
  for (; list != nullptr; list = list->ai_next) ++count;
  return count;
}

}  // namespace

Result<HostPort> parse_address(std::string_view address) {
  const auto refuse = [&] {
    return fail(
        Errc::usage,
        "An address is host:port, the port at most 65535, with an IPv6 address in brackets: alpha.example:7443 or "
        "[2001:db8::1]:7443.",
        visible(address.substr(0, kMaxHostBytes)));
  };
  const std::size_t colon = address.rfind(':');
  if (colon == address.npos) return refuse();
  std::string_view host = address.substr(0, colon);
  const std::string_view port = address.substr(colon + 1);
  const bool in_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (in_brackets) host = host.substr(1, host.size() - 2);
  if (host.empty() || host.size() > kMaxHostBytes || (!in_brackets && host.contains(':'))) return refuse();
  for (const char c : host) {
    if (static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 0x7f || c == '[' || c == ']' ||
        c == '/')
      return refuse();
  }
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size() || port.empty()) return refuse();
  return HostPort{std::string(host), std::to_string(number)};
}

Result<HostPort> parse_callable_address(std::string_view address) {
  TRY(HostPort parsed, parse_address(address));
  if (parsed.port == "0")
    return fail(Errc::usage, "At port 0 no node can be called. Which one it listens on, it prints at its start.",
                visible(address));
  return parsed;
}

std::string remote_address(int socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  char host[NI_MAXHOST] = {};
  char port[NI_MAXSERV] = {};
  if (::getpeername(socket, address, &size) != 0 ||
      ::getnameinfo(address, size, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "an unknown address";
  }
  return storage.ss_family == AF_INET6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Result<FileDescriptor> connect_tcp(const std::string& address, Deadline deadline) {
  TRY(const HostPort target, parse_address(address));
  TRY(const AddressList found, resolve(target, address));
  int error = EHOSTUNREACH;
  std::size_t left = length_of(found.get());
  for (const addrinfo* candidate = found.get(); candidate != nullptr; candidate = candidate->ai_next, --left) {
    FileDescriptor socket(::socket(candidate->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket.valid()) {
      error = errno;
      continue;
    }
    // What time is left is shared by the addresses that are left.
    const auto share = (deadline - Monotonic::now()) / static_cast<std::int64_t>(left);
    error = connect_before(socket.get(), *candidate, Monotonic::now() + share);
    if (error == 0) return socket;
  }
  return fail(Errc::peer_gone,
              fmt::format("Nobody answers there ({}). Is the other node running?", system_error_text(error)), address);
}

}  // namespace parley::wire
