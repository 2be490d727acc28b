// Two keys of one member that its notes do not tell apart: their ids of four bytes are the same. Whoever makes some
// 70,000 keys finds two.
#pragma once

#include <array>

#include "base/secret.h"

namespace parley {

inline std::array<Secret<32>, 2> numbered_seeds(std::uint32_t first, std::uint32_t second) {
  const auto seed = [](std::uint32_t number) {
    ByteArray<32> bytes{};
    for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<std::byte>(number >> 8 * i);
    return Secret<32>(bytes);
  };
  return {seed(first), seed(second)};
}

/// Of alpha, as parley.example/g/7d1f3c90/m/alpha/node; a test sees that they look alike.
inline std::array<Secret<32>, 2> node_keys_that_look_alike() {
  return numbered_seeds(3834, 97855);
}

/// The same as parley.example/g/7d1f3c90/m/alpha/mirror.
inline std::array<Secret<32>, 2> cosign_keys_that_look_alike() {
  return numbered_seeds(15738, 81118);
}

}  // namespace parley
