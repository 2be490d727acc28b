// Two ends of a channel in memory: for tests, benchmarks and the simulator.
#pragma once

#include <chrono>
#include <memory>

#include "psi/channel.h"

namespace parley::psi {

struct MemoryChannels {
  std::unique_ptr<Channel> first;
  std::unique_ptr<Channel> second;
};

/// Each end may be used by its own thread. What one end sends the other receives, in order; sending never blocks.
/// Destroying an end makes the other's receive() return Errc::peer_gone once it has taken what was sent before.
/// @param wait  how long one receive() waits before it gives up with Errc::peer_gone.
MemoryChannels memory_channels(std::chrono::milliseconds wait = std::chrono::minutes(10));

}  // namespace parley::psi
