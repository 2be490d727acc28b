// A TCP listening socket, and what is known of whoever connects.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "base/file.h"

namespace parley::node {

struct Incoming {
  FileDescriptor connection;
  std::string address;  ///< "127.0.0.1:51234"
  std::string host;     ///< the same without the port
};

class Listener {
 public:
  /// @param address  "host:port", "[::1]:port". @error Errc::usage, Errc::io naming the address and what to do
  static Result<Listener> open(const std::string& address);

  const std::string& address() const { return address_; }
  /// Waits for the next connection; nothing once stop() was called.
  std::optional<Incoming> next();
  void stop();

 private:
  FileDescriptor socket_, wake_read_, wake_write_;
  std::string address_;
};

}  // namespace parley::node
