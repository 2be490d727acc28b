#include "group/work_budget.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace parley::group {

WorkBudget::Bucket& WorkBudget::bucket(std::string_view peer, Deadline now) {
  const auto found =
      buckets_.try_emplace(std::string(peer), Bucket{.tokens = kWastedChecksAtOnce, .filled = now}).first;
  Bucket& bucket = found->second;
  const double seconds = std::chrono::duration<double>(now - bucket.filled).count();
  bucket.tokens = std::min(kWastedChecksAtOnce, bucket.tokens + seconds * kWastedChecksPerSecond);
  bucket.filled = now;
  return bucket;
}

Status WorkBudget::admit(std::string_view peer, Deadline now) {
  const Bucket& of_peer = bucket(peer, now);
  if (of_peer.tokens >= 1) return {};
  return fail(
      Errc::limit,
      fmt::format("{} has made this node check more than {:.0f} signatures that brought nothing new, and went on "
                  "beyond {:.0f} a second; the connection is closed. It may come again in {:.0f} s.",
                  visible(peer), kWastedChecksAtOnce, kWastedChecksPerSecond,
                  std::ceil((1 - of_peer.tokens) / kWastedChecksPerSecond)));
}

void WorkBudget::charge(std::string_view peer, const mirror::Effort& effort, Deadline now) {
  bucket(peer, now).tokens -= static_cast<double>(effort.wasted());
}

}  // namespace parley::group
