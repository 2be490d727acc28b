// Loops over instructions in registers, one table for each width.
#pragma once

#include <cstddef>

namespace parley::limits::detail {

struct Registers {
  /// Encrypts `count` times kInFlight registers.
  void (*aes)(std::size_t count);
  /// Multiplies `count` times kInFlight registers, one product a lane.
  void (*products)(std::size_t count);
  std::size_t lanes;
};

inline constexpr std::size_t kInFlight = 8;

#if defined(__x86_64__)
extern const Registers kRegisters128, kRegisters256, kRegisters512;
#endif

}  // namespace parley::limits::detail
