// Who may come in: how many connections at once, and how often a source that was refused may try again.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"

namespace parley::node {

inline constexpr std::size_t kMaxConnections = 64;
inline constexpr std::size_t kMaxLinksPerPeer = 4;        ///< log.md 3.1
inline constexpr std::size_t kMaxHandshakesPerHost = 8;   ///< at once, so that one slow source leaves room for others
inline constexpr std::size_t kMaxRefusalsPerMinute = 20;  ///< of one source address; log.md 3.1

/// Counts connections; thread-safe. All memory it takes is bounded by kMaxConnections and one entry a refused host.
class Doorman {
 public:
  /// Whether a connection from `host` may begin its handshake; if not, why.
  std::optional<std::string> refuse_arrival(const std::string& host);
  void handshake_done(const std::string& host, bool refused);
  /// Whether `peer` may have one more link.
  bool admit_peer(const std::string& peer);
  void peer_left(const std::string& peer);
  void connection_closed();

 private:
  struct Host {
    std::size_t handshakes = 0;
    std::size_t refusals = 0;
    Deadline minute_ends{};
  };
  void forget_old_hosts(Deadline now);

  std::mutex mutex_;
  std::size_t connections_ = 0;
  std::map<std::string, Host> hosts_;
  std::map<std::string, std::size_t> links_;
};

}  // namespace parley::node
