// Limits on connections.
#include "node/doorman.h"

#include <fmt/format.h>

namespace parley::node {

void Doorman::forget_old_hosts(Deadline now) {
  std::erase_if(hosts_,
                [&](const auto& entry) { return entry.second.handshakes == 0 && entry.second.minute_ends <= now; });
}

std::optional<std::string> Doorman::refuse_arrival(const std::string& host) {
  const std::lock_guard lock(mutex_);
  const Deadline now = Monotonic::now();
  forget_old_hosts(now);
  Host& from = hosts_[host];
  if (from.minute_ends <= now) {
    from.refusals = 0;
    from.minute_ends = now + std::chrono::minutes(1);
  }
  if (from.refusals >= kMaxRefusalsPerMinute)
    return fmt::format("it was refused {} times within a minute", from.refusals);
  if (connections_ >= kMaxConnections) return fmt::format("{} connections are open already", connections_);
  if (from.handshakes >= kMaxHandshakesPerHost)
    return fmt::format("{} of its connections have not said who they are yet", from.handshakes);
  ++from.handshakes;
  ++connections_;
  return std::nullopt;
}

void Doorman::handshake_done(const std::string& host, bool refused) {
  const std::lock_guard lock(mutex_);
  Host& from = hosts_[host];
  --from.handshakes;
  if (refused) ++from.refusals;
}

bool Doorman::admit_peer(const std::string& peer) {
  const std::lock_guard lock(mutex_);
  std::size_t& links = links_[peer];
  if (links >= kMaxLinksPerPeer) return false;
  ++links;
  return true;
}

void Doorman::peer_left(const std::string& peer) {
  const std::lock_guard lock(mutex_);
  if (--links_[peer] == 0) links_.erase(peer);
}

void Doorman::connection_closed() {
  const std::lock_guard lock(mutex_);
  --connections_;
}

}  // namespace parley::node
