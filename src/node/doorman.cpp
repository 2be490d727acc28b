// Limits on connections.
#include "node/doorman.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <utility>

#include "base/encoding.h"

namespace parley::node {
namespace {

constexpr auto kMinute = std::chrono::minutes(1);
constexpr std::size_t kNetworkBytes = 8;  // of an IPv6 address: its /64

std::string network_of(const std::string& host) {
  in6_addr address;
  if (::inet_pton(AF_INET6, host.c_str(), &address) != 1) return host;
  return to_hex(std::as_bytes(std::span(address.s6_addr)).first<kNetworkBytes>());
}

}  // namespace

void Doorman::forget_old_hosts(Deadline now) {
  std::erase_if(hosts_,
                [&](const auto& entry) { return entry.second.handshakes == 0 && entry.second.minute_ends <= now; });
}

std::optional<std::string> Doorman::refuse_arrival(const std::string& host) {
  const std::lock_guard lock(mutex_);
  const Deadline now = Monotonic::now();
  forget_old_hosts(now);
  Host& from = hosts_[network_of(host)];
  if (from.minute_ends <= now) {
    from.refusals = 0;
    from.told = false;
    from.minute_ends = now + kMinute;
  }
  if (std::string why = why_turned_away(from); !why.empty())
    return std::exchange(from.told, true) ? std::string() : why + "; it is not named again for a minute";
  ++from.handshakes;
  ++connections_;
  return std::nullopt;
}

std::string Doorman::why_turned_away(const Host& from) const {
  if (from.refusals >= kMaxRefusalsPerMinute)
    return fmt::format("it was refused {} times within a minute", from.refusals);
  if (connections_ >= kMaxConnections) return fmt::format("{} connections are open already", connections_);
  if (from.handshakes >= kMaxHandshakesPerHost)
    return fmt::format("{} of its connections have not said who they are yet", from.handshakes);
  return {};
}

void Doorman::handshake_done(const std::string& host, bool refused) {
  const std::lock_guard lock(mutex_);
  Host& from = hosts_[network_of(host)];
  --from.handshakes;
  if (refused) ++from.refusals;
}

bool Doorman::admit_peer(const std::string& peer) {
  const std::lock_guard lock(mutex_);
  const Deadline now = Monotonic::now();
  Links& links = links_[peer];
  if (links.minute_ends <= now) {
    links.this_minute = 0;
    links.minute_ends = now + kMinute;
  }
  if (links.open >= kMaxLinksPerPeer || links.this_minute >= kMaxLinksPerPeerPerMinute) return false;
  ++links.open;
  ++links.this_minute;
  return true;
}

void Doorman::peer_left(const std::string& peer) {
  const std::lock_guard lock(mutex_);
  --links_[peer].open;
}

void Doorman::connection_closed() {
  const std::lock_guard lock(mutex_);
  --connections_;
}

}  // namespace parley::node
