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
/// What each link leaves behind in the vault and in the log stays there, so a member may not open them without end.
inline constexpr std::size_t kMaxLinksPerPeerPerMinute = 120;

/// Counts connections; thread-safe. IPv6 hosts are told apart by their /64, which one machine can have all of. All
/// memory it takes is bounded by kMaxConnections, one entry a pinned peer, and one a host of the last minute.
class Doorman {
 public:
  /// Whether a connection from `host` may begin its handshake; if not, why: in words once a minute for each host, and
  /// else as an empty text, since who knocks a thousand times must not fill the log either.
  std::optional<std::string> refuse_arrival(const std::string& host);
  /// `refused`: it did not show a pinned key. A member that comes too often is turned away by its own count and not by
  /// its host's, or it would shut out the members who share its address.
  void handshake_done(const std::string& host, bool refused);
  /// Whether `peer` may have one more link, until peer_left().
  bool admit_peer(const std::string& peer);
  void peer_left(const std::string& peer);
  void connection_closed();

 private:
  struct Host {
    std::size_t handshakes = 0;
    std::size_t refusals = 0;
    bool told = false;  ///< this minute, why it is turned away
    Deadline minute_ends{};
  };
  struct Links {
    std::size_t open = 0;
    std::size_t this_minute = 0;
    Deadline minute_ends{};
  };
  void forget_old_hosts(Deadline now);
  std::string why_turned_away(const Host& from) const;

  std::mutex mutex_;
  std::size_t connections_ = 0;
  std::map<std::string, Host> hosts_;
  std::map<std::string, Links> links_;
};

}  // namespace parley::node
