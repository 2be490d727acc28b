// Loops over instructions in registers, and over memory through them, one table for each width.
#pragma once

#include <cstddef>
#include <span>

#include "crypto/block.h"

namespace parley::limits::detail {

struct Registers {
  /// Encrypts `count` times kInFlight registers.
  void (*aes)(std::size_t count);
  /// Multiplies `count` times kInFlight registers, one product a lane.
  void (*products)(std::size_t count);
  /// The sum of all blocks; all of them changed in their place; and those of one list added to those of another.
  /// What does not fill a loop's last round is left out.
  crypto::Block (*sum)(std::span<const crypto::Block> blocks);
  void (*update)(std::span<crypto::Block> blocks);
  void (*add)(std::span<crypto::Block> sums, std::span<const crypto::Block> blocks);
  std::size_t lanes;
};

/// More than the latency of either instruction times how many begin in a cycle, and no more than there are registers.
inline constexpr std::size_t kInFlight = 12;

#if defined(__x86_64__)
extern const Registers kRegisters128, kRegisters256, kRegisters512;
#endif

}  // namespace parley::limits::detail
