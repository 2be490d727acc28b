#include "crypto/linear_code.h"

#include <cassert>

#include "crypto/cpu.h"

// Vectors of the compiler rather than intrinsics: the same text is SSE2 or NEON in the portable kernels and AVX2 in the
// others.
#define PARLEY_INLINE [[gnu::always_inline]] inline

namespace parley::crypto {
namespace {

using Lanes2 = std::uint64_t __attribute__((vector_size(16), may_alias));
using Lanes4 = std::uint64_t __attribute__((vector_size(32), may_alias));

/// Positions whose coins are drawn at a time: 12 KiB of coins.
constexpr std::size_t kCoinBlocks = 768;
constexpr std::size_t kGroupsPerDraw = kCoinBlocks * kBlockBytes / kGroupCoinBytes;

/// The furthest that a group reaches: its last position and X times that one, 25 further on.
constexpr std::size_t kGroupReach = kRowsPerGroup - 1 + kWindow + 1;

PARLEY_INLINE void times_x(Lanes2& value) {
  const Lanes2 carries = value >> 63;
  const Lanes2 crossed = {carries[1], carries[0]};
  value = (value << 1) ^ ((Lanes2{} - crossed) & Lanes2{0x87, 1});
}

PARLEY_INLINE void times_x(Lanes4& value) {
  const Lanes4 carries = value >> 63;
  const Lanes4 crossed = __builtin_shufflevector(carries, carries, 1, 0, 3, 2);
  value = (value << 1) ^ ((Lanes4{} - crossed) & Lanes4{0x87, 1, 0x87, 1});
}

bool coin(const std::byte* coins, std::size_t row, std::size_t distance) {
  const std::size_t nibble = (distance + kWindow - 1 - (kRowsPerGroup - 1 - row)) % kWindow;
  return (std::to_integer<unsigned>(coins[nibble / 2]) >> (nibble % 2 * 4 + row) & 1u) != 0;
}

/// One position as it is defined: what the end of the vector needs, where groups would reach past it.
template <typename Lanes>
void convolve_row(Lanes* values, std::size_t size, std::size_t row, const std::byte* coins) {
  for (std::size_t distance = 1; distance <= kWindow && row + distance < size; ++distance) {
    const Lanes mask = Lanes{} - static_cast<std::uint64_t>(coin(coins, row % kRowsPerGroup, distance));
    values[row + distance] ^= values[row] & mask;
  }
  if (row + kWindow + 1 < size) {
    Lanes shifted = values[row];
    times_x(shifted);
    values[row + kWindow + 1] ^= shifted;
  }
}

/// Four positions at once. What they add to a later position is one of the 16 sums of them, so a look-up in a table of
/// these takes the place of four conditional additions (Arlazarov, Dinic, Kronrod and Faradzev 1970).
template <typename Lanes>
PARLEY_INLINE void convolve_group(Lanes* values, const std::byte* coins) {
  const auto byte = [&](std::size_t i) { return std::to_integer<std::size_t>(coins[i]); };
  Lanes sums[16];
  sums[0] = Lanes{};
  sums[1] = values[0];
  // The coins that would reach 25 positions or more stand for the distances inside the group.
  sums[2] = values[1] ^ sums[byte(10) >> 4 & 1];
  sums[3] = sums[1] ^ sums[2];
  sums[4] = values[2] ^ sums[byte(11) & 3];
  for (std::size_t i = 1; i < 4; ++i) sums[4 + i] = sums[4] ^ sums[i];
  sums[8] = values[3] ^ sums[byte(11) >> 4 & 7];
  for (std::size_t i = 1; i < 8; ++i) sums[8 + i] = sums[8] ^ sums[i];
  for (std::size_t row = 1; row < kRowsPerGroup; ++row) values[row] = sums[std::size_t{1} << row];

  Lanes* later = values + kRowsPerGroup;
  for (std::size_t i = 0; i < 10; ++i) {
    later[2 * i] ^= sums[byte(i) & 15];
    later[2 * i + 1] ^= sums[byte(i) >> 4];
  }
  later[20] ^= sums[byte(10) & 15];
  Lanes shifted[kRowsPerGroup];
  for (std::size_t row = 0; row < kRowsPerGroup; ++row) {
    shifted[row] = sums[std::size_t{1} << row];
    times_x(shifted[row]);
  }
  later[21] ^= sums[byte(10) >> 4 & 14] ^ shifted[0];
  later[22] ^= sums[byte(11) & 12] ^ shifted[1];
  later[23] ^= sums[byte(11) >> 4 & 8] ^ shifted[2];
  later[24] ^= shifted[3];
}

template <typename Lanes>
PARLEY_INLINE void convolve_all(Lanes* values, std::size_t size, const FixedKeyAes& stream) {
  std::array<Block, kCoinBlocks> drawn;
  const std::size_t groups = (size + kRowsPerGroup - 1) / kRowsPerGroup;
  for (std::size_t first = 0; first < groups; first += kGroupsPerDraw) {
    stream.coins(first * kGroupCoinBytes / kBlockBytes, drawn);
    const std::byte* coins = bytes_of(drawn).data();
    const std::size_t end = std::min(groups, first + kGroupsPerDraw);
    for (std::size_t group = first; group < end; ++group, coins += kGroupCoinBytes) {
      const std::size_t row = group * kRowsPerGroup;
      if (row + kGroupReach < size) {
        convolve_group(values + row, coins);
      } else {
        for (std::size_t i = row; i < std::min(size, row + kRowsPerGroup); ++i) convolve_row(values, size, i, coins);
      }
    }
  }
}

[[gnu::target("avx2")]] void convolve_avx2(Lanes4* values, std::size_t size, const FixedKeyAes& stream) {
  convolve_all(values, size, stream);
}

void convolve_pairs_portable(Lanes4* values, std::size_t size, const FixedKeyAes& stream) {
  convolve_all(values, size, stream);
}

/// A stratum as the loops read it: records of kLanes vectors.
template <typename Lanes, std::size_t kLanes>
struct Picker {
  const Lanes* values;
  const std::byte* picks;
  std::uint64_t size;

  const Lanes* at(std::size_t i) const {
    std::uint32_t word = 0;
    std::memcpy(&word, picks + i * kPickBytes, kPickBytes);
    return values + kLanes * (word * size >> 32);
  }
};

template <typename Lanes, std::size_t kLanes, typename Record>
std::array<Picker<Lanes, kLanes>, kStrataAtOnce> pickers(const Strata<Record>& strata,
                                                         [[maybe_unused]] std::size_t sums) {
  static_assert(sizeof(Record) == kLanes * sizeof(Lanes));
  std::array<Picker<Lanes, kLanes>, kStrataAtOnce> all;
  for (std::size_t g = 0; g < kStrataAtOnce; ++g) {
    const auto& [values, picks] = strata[g];
    assert(!values.empty() && values.size() - 1 <= UINT32_MAX && picks.size() == (sums + kPicksAhead) * kPickBytes);
    all[g] = {reinterpret_cast<const Lanes*>(values.data()), picks.data(), values.size()};
  }
  return all;
}

}  // namespace

void convolve(std::span<Block> values, const FixedKeyAes& coins) {
  convolve_all(reinterpret_cast<Lanes2*>(values.data()), values.size(), coins);
}

void convolve(std::span<BlockPair> values, const FixedKeyAes& coins) {
  const bool wide = cpu_level() >= CpuLevel::vaes;
  (wide ? convolve_avx2 : convolve_pairs_portable)(reinterpret_cast<Lanes4*>(values.data()), values.size(), coins);
}

void add_picked(std::span<Block> sums, const Strata<Block>& strata) {
  const auto picks = pickers<Lanes2, 1>(strata, sums.size());
  auto* to = reinterpret_cast<Lanes2*>(sums.data());
  for (std::size_t i = 0; i < sums.size(); ++i) {
    Lanes2 sum = to[i];
    for (const auto& pick : picks) {
      __builtin_prefetch(pick.at(i + kPicksAhead));
      sum ^= *pick.at(i);
    }
    to[i] = sum;
  }
}

void add_picked(std::span<Block> firsts, std::span<Block> seconds, const Strata<BlockPair>& strata) {
  assert(firsts.size() == seconds.size());
  const auto picks = pickers<Lanes2, 2>(strata, firsts.size());
  auto* to_first = reinterpret_cast<Lanes2*>(firsts.data());
  auto* to_second = reinterpret_cast<Lanes2*>(seconds.data());
  for (std::size_t i = 0; i < firsts.size(); ++i) {
    Lanes2 first = to_first[i];
    Lanes2 second = to_second[i];
    for (const auto& pick : picks) {
      __builtin_prefetch(pick.at(i + kPicksAhead));
      const Lanes2* pair = pick.at(i);
      first ^= pair[0];
      second ^= pair[1];
    }
    to_first[i] = first;
    to_second[i] = second;
  }
}

}  // namespace parley::crypto
