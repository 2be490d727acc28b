// The two maps of the expand-convolute code of the silent VOLE (psi.md 2.2.6; Raghuraman, Rindal and Tanguy 2023),
// over GF(2^128). Which positions are added is public; the values are secret, and every address and branch depends on
// public coins and lengths alone.
#pragma once

#include "crypto/fixed_key_aes.h"

namespace parley::crypto {

/// Two vectors that pass through the code under the same coins lie side by side, so that one address serves both.
struct alignas(2 * kBlockBytes) BlockPair {
  Block first;
  Block second;
};
static_assert(sizeof(BlockPair) == 2 * kBlockBytes);

/// A position is added, or not, to each of the next kWindow; and X times the position to the one after these.
inline constexpr std::size_t kWindow = 24;

/// kWindow coins for each of kRowsPerGroup positions: 24 nibbles, the low one of each byte first. Bit a of nibble m is
/// the coin of the group's position a and the position 1 + (m + 3 - a) mod 24 further on.
inline constexpr std::size_t kRowsPerGroup = 4;
inline constexpr std::size_t kGroupCoinBytes = 12;

/// Convolves in place: for i = 0, 1, ...: for each coin of i that is 1 and its distance j: values[i + j] += values[i];
/// then values[i + 25] += X * values[i]. Positions past the end are left out. The coins of group q are bytes 12q to
/// 12q + 11 of the stream of `coins` from block 0 on.
void convolve(std::span<Block> values, const FixedKeyAes& coins);
void convolve(std::span<BlockPair> values, const FixedKeyAes& coins);

/// A stretch of values and one pick from it for each of many sums. Picks are 32-bit words, in the processor's order:
/// word i means values[(word * values.size()) >> 32]. They are public. kPicksAhead more words follow, so that what is
/// needed soon can be fetched: the next picks, or any others.
/// Precondition: values.size() is at least 1 and at most 2^32.
inline constexpr std::size_t kPicksAhead = 64;
inline constexpr std::size_t kPickBytes = sizeof(std::uint32_t);
template <typename Record>
struct Stratum {
  std::span<const Record> values;
  ByteView picks;
};

/// So many strata at a time: sums are read and written once for all of them, and they stay in the cache together.
inline constexpr std::size_t kStrataAtOnce = 3;
template <typename Record>
using Strata = std::array<Stratum<Record>, kStrataAtOnce>;

/// sums[i] += the i-th pick from each stratum. Precondition: every stratum has sums.size() + kPicksAhead words.
void add_picked(std::span<Block> sums, const Strata<Block>& strata);
/// The same for both vectors of the pairs: the firsts are added to the one sum, the seconds to the other.
/// Precondition: besides, as many seconds as firsts.
void add_picked(std::span<Block> firsts, std::span<Block> seconds, const Strata<BlockPair>& strata);

}  // namespace parley::crypto
