// Random keys and values for the tests of the OKVS.
#pragma once

#include <cstring>
#include <random>
#include <vector>

#include "psi/okvs/okvs.h"

namespace parley::psi::okvs {

struct Pairs {
  std::vector<Digest> keys;
  std::vector<crypto::Block> values;
};

inline Digest random_key(std::mt19937_64& random) {
  std::array<std::uint64_t, 4> words;
  for (std::uint64_t& word : words) word = random();
  Digest key;
  static_assert(sizeof words == sizeof key);
  std::memcpy(key.data(), words.data(), key.size());
  return key;
}

inline crypto::Block random_block(std::mt19937_64& random) {
  const std::uint64_t low = random();
  return {low, random()};
}

inline Pairs random_pairs(std::mt19937_64& random, std::size_t count) {
  Pairs pairs;
  for (std::size_t i = 0; i < count; ++i) {
    pairs.keys.push_back(random_key(random));
    pairs.values.push_back(random_block(random));
  }
  return pairs;
}

/// The only comparison of blocks that tests need; values here are no secrets.
inline bool same(std::span<const crypto::Block> a, std::span<const crypto::Block> b) {
  return std::ranges::equal(a, b, [](crypto::Block x, crypto::Block y) { return constant_time_equal(x, y); });
}

inline std::vector<crypto::Block> decoded(const Shape& shape, std::span<const Digest> keys,
                                          std::span<const crypto::Block> cells) {
  std::vector<crypto::Block> values(keys.size());
  decode_bin(shape, keys, cells, values);
  return values;
}

}  // namespace parley::psi::okvs
