// Blocks as the tests of the VOLE look at them.
#pragma once

#include "base/random.h"
#include "crypto/block.h"

namespace parley::psi::vole {

inline crypto::Block random_block() {
  return crypto::load_block(random_bytes<crypto::kBlockBytes>());
}

inline bool equal(crypto::Block a, crypto::Block b) {
  return constant_time_equal(a, b);
}

inline std::uint64_t bit_of(crypto::Block block, std::size_t j) {
  return ((j < 64 ? block.low : block.high) >> (j % 64)) & 1;
}

}  // namespace parley::psi::vole
