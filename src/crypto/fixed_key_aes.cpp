#include "crypto/fixed_key_aes.h"

#include <bit>
#include <cassert>

#include "crypto/detail/kernels.h"

namespace parley::crypto {
namespace {

/// a * b in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1 (FIPS 197, 4.2).
constexpr std::uint8_t multiply_bytes(std::uint8_t a, std::uint8_t b) {
  unsigned product = 0;
  for (unsigned bit = 8; bit-- > 0;) {
    product = (product << 1) ^ (0x11b & (0 - (product >> 7)));
    product ^= a & (0 - ((unsigned{b} >> bit) & 1));
  }
  return static_cast<std::uint8_t>(product);
}

/// SubBytes of FIPS 197, 5.1.1: the inverse, a^254, and an affine map.
constexpr std::uint8_t substitute(std::uint8_t a) {
  std::uint8_t inverse = 1;
  for (int i = 0; i < 7; ++i) {
    a = multiply_bytes(a, a);
    inverse = multiply_bytes(inverse, a);
  }
  return static_cast<std::uint8_t>(inverse ^ std::rotl(inverse, 1) ^ std::rotl(inverse, 2) ^ std::rotl(inverse, 3) ^
                                   std::rotl(inverse, 4) ^ 0x63);
}

/// SubWord(RotWord(word)) of FIPS 197, 5.2, for words whose first byte is the lowest.
constexpr std::uint32_t substitute_rotated(std::uint32_t word) {
  word = std::rotr(word, 8);
  std::uint32_t substituted = 0;
  for (unsigned shift = 0; shift < 32; shift += 8) {
    substituted |= std::uint32_t{substitute(static_cast<std::uint8_t>(word >> shift))} << shift;
  }
  return substituted;
}

/// Key expansion (FIPS 197, 5.2). It happens once a session, so it is computed and not looked up.
std::array<Block, kAesRoundKeys> expand_key(Block key) {
  std::array<Block, kAesRoundKeys> keys{key};
  std::uint8_t round_constant = 1;
  for (std::size_t round = 1; round < kAesRoundKeys; ++round) {
    auto words = std::bit_cast<std::array<std::uint32_t, 4>>(keys[round - 1]);
    words[0] ^= substitute_rotated(words[3]) ^ round_constant;
    for (std::size_t i = 1; i < words.size(); ++i) words[i] ^= words[i - 1];
    keys[round] = std::bit_cast<Block>(words);
    round_constant = multiply_bytes(round_constant, 2);
  }
  return keys;
}

}  // namespace

FixedKeyAes::FixedKeyAes(std::span<const std::byte, kBlockBytes> key) : round_keys_(expand_key(load_block(key))) {}

void FixedKeyAes::hash(std::span<const Block> in, std::span<Block> out) const {
  assert(in.size() == out.size());
  detail::kernels().hash(round_keys_, in, out);
}

void FixedKeyAes::coins(std::uint64_t first, std::span<Block> out) const {
  assert(first + out.size() >= first);
  detail::kernels().coins(round_keys_, first, out);
}

ChildSums expand_children(const FixedKeyAes& left, const FixedKeyAes& right, std::span<const Block> parents,
                          std::span<Block> children) {
  assert(children.size() == 2 * parents.size() || children.size() + 1 == 2 * parents.size());
  return detail::kernels().expand_children(left.round_keys(), right.round_keys(), parents, children);
}

}  // namespace parley::crypto
