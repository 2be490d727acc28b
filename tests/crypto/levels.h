// Runs a test at every level of instructions that this processor has.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <random>

#include "base/encoding.h"
#include "crypto/block.h"
#include "crypto/cpu.h"

namespace parley::crypto {

inline const char* name_of(CpuLevel level) {
  switch (level) {
    case CpuLevel::portable:
      return "portable";
    case CpuLevel::aesni:
      return "aesni";
    case CpuLevel::vaes:
      return "vaes";
    case CpuLevel::avx512:
      return "avx512";
  }
  return "unknown";
}

constexpr CpuLevel kAllLevels[] = {CpuLevel::portable, CpuLevel::aesni, CpuLevel::vaes, CpuLevel::avx512};

/// Leaves all levels allowed when it goes.
class LevelGuard {
 public:
  LevelGuard() = default;
  LevelGuard(const LevelGuard&) = delete;
  LevelGuard& operator=(const LevelGuard&) = delete;
  ~LevelGuard() { limit_cpu_level(CpuLevel::avx512); }
};

/// Runs `test` at `portable` and at each further level that the processor has.
inline void at_every_level(const std::function<void()>& test) {
  const LevelGuard guard;
  for (const CpuLevel level : kAllLevels) {
    limit_cpu_level(level);
    if (cpu_level() != level) continue;
    SCOPED_TRACE(name_of(level));
    test();
  }
}

/// Repeatable random blocks; the seed is printed when a test fails, and PARLEY_SEED sets it.
class RandomBlocks {
 public:
  explicit RandomBlocks(std::uint64_t seed) : seed_(from_environment(seed)), random_(seed_) {}
  std::uint64_t seed() const { return seed_; }
  std::uint64_t word() { return random_(); }
  Block block() { return {random_(), random_()}; }
  std::vector<Block> blocks(std::size_t count) {
    std::vector<Block> blocks(count);
    for (Block& block : blocks) block = this->block();
    return blocks;
  }

 private:
  static std::uint64_t from_environment(std::uint64_t otherwise) {
    const char* const text = std::getenv("PARLEY_SEED");
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 0);
  }

  std::uint64_t seed_;
  std::mt19937_64 random_;
};

inline std::string hex_of(Block block) {
  return to_hex(bytes_of({&block, 1}));
}

}  // namespace parley::crypto
