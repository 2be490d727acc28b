// TCP addresses as people write them, and the connection to one.
#pragma once

#include "base/clock.h"
#include "base/file.h"

namespace parley::wire {

struct HostPort {
  std::string host;
  std::string port;  ///< decimal, 0 to 65535
};

/// "alpha.example:7443", "192.0.2.1:7443", "[2001:db8::1]:7443". @error Errc::usage
Result<HostPort> parse_address(std::string_view address);

/// As parse_address(), of a node that others are to call: not port 0. @error Errc::usage
Result<HostPort> parse_callable_address(std::string_view address);

/// The other end of a connected socket, "192.0.2.1:4711"; "an unknown address" when the system does not say.
std::string remote_address(int socket);

/// A TCP connection to the first of the host's addresses that answers. @error Errc::usage, Errc::peer_gone
Result<FileDescriptor> connect_tcp(const std::string& address, Deadline deadline);

}  // namespace parley::wire
