// Integers modulo p = 2^255 - 19 as five limbs of 51 bits: how field elements go in and out of the vector kernels
// (field25519_avx2.h, field25519_ifma.h), and the constants of RFC 9496 section 4.1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace parley::crypto::detail {

inline constexpr std::size_t kFieldBytes = 32;
inline constexpr std::size_t kLimbs51 = 5;
inline constexpr std::uint64_t kMask51 = (std::uint64_t{1} << 51) - 1;

/// The sum of limb[i] * 2^(51 i).
struct Limbs51 {
  std::uint64_t limb[kLimbs51];
};

/// The little-endian integer of 32 bytes, its highest bit left out. Constant time.
inline Limbs51 limbs_of(const std::byte* bytes) {
  std::uint64_t word[4];
  std::memcpy(word, bytes, sizeof word);
  return {{word[0] & kMask51, ((word[0] >> 51) | (word[1] << 13)) & kMask51,
           ((word[1] >> 38) | (word[2] << 26)) & kMask51, ((word[2] >> 25) | (word[3] << 39)) & kMask51,
           (word[3] >> 12) & kMask51}};
}

/// Precondition: every limb is below 2^51. Constant time.
inline void write_bytes(const Limbs51& x, std::byte* bytes) {
  const std::uint64_t word[4] = {x.limb[0] | (x.limb[1] << 51), (x.limb[1] >> 13) | (x.limb[2] << 38),
                                 (x.limb[2] >> 26) | (x.limb[3] << 25), (x.limb[3] >> 39) | (x.limb[4] << 12)};
  std::memcpy(bytes, word, sizeof word);
}

/// 1 where the 32 bytes are the canonical encoding of a nonnegative field element (RFC 9496 section 4.3.1, step 1):
/// below p, and even. Else 0. Constant time.
inline std::uint64_t is_canonical_and_nonnegative(const std::byte* bytes) {
  std::uint64_t word[4];
  std::memcpy(word, bytes, sizeof word);
  // Bytes s are at least p if and only if s + 19 reaches bit 255.
  unsigned __int128 sum = static_cast<unsigned __int128>(word[0]) + 19;
  for (std::size_t i = 1; i < 4; ++i) sum = static_cast<unsigned __int128>(word[i]) + (sum >> 64);
  const auto high = static_cast<std::uint64_t>(sum) >> 63;
  const auto overflow = static_cast<std::uint64_t>(sum >> 64);
  return (high | overflow | (word[0] & 1)) ^ 1;
}

/// 1 for 32 zero bytes, else 0. Constant time.
inline std::uint64_t is_all_zero(const std::byte* bytes) {
  std::uint64_t word[4];
  std::memcpy(word, bytes, sizeof word);
  const std::uint64_t any = word[0] | word[1] | word[2] | word[3];
  return ((any | (0 - any)) >> 63) ^ 1;
}

inline constexpr Limbs51 kOne{{1, 0, 0, 0, 0}};
/// d = -121665/121666
inline constexpr Limbs51 kD{{0x34dca135978a3, 0x1a8283b156ebd, 0x5e7a26001c029, 0x739c663a03cbb, 0x52036cee2b6ff}};
inline constexpr Limbs51 kTwoD{{0x69b9426b2f159, 0x35050762add7a, 0x3cf44c0038052, 0x6738cc7407977, 0x2406d9dc56dff}};
/// SQRT_M1, the nonnegative square root of -1
inline constexpr Limbs51 kSqrtMinusOne{
    {0x61b274a0ea0b0, 0x0d5a5fc8f189d, 0x7ef5e9cbd0c60, 0x78595a6804c9e, 0x2b8324804fc1d}};
/// ONE_MINUS_D_SQ = 1 - d^2
inline constexpr Limbs51 kOneMinusDSquared{
    {0x409c1945fc176, 0x719abc6a1fc4f, 0x1c37f90b20684, 0x06bccca55eedf, 0x029072a8b2b3e}};
/// D_MINUS_ONE_SQ = (d - 1)^2
inline constexpr Limbs51 kDMinusOneSquared{
    {0x55aaa44ed4d20, 0x59603c3332635, 0x26d3baf4a7928, 0x120a66e6997a9, 0x5968b37af66c2}};
/// SQRT_AD_MINUS_ONE: one square root of -d - 1
inline constexpr Limbs51 kSqrtADMinusOne{
    {0x7f6a0497b2e1b, 0x1836f0a97afd2, 0x7d747f6be7638, 0x456079e7e6498, 0x376931bf2b834}};
/// INVSQRT_A_MINUS_D: one inverse square root of -1 - d
inline constexpr Limbs51 kInverseSqrtAMinusD{
    {0x0fdaa805d40ea, 0x2eb482e57d339, 0x007610274bc58, 0x6510b613dc8ff, 0x786c8905cfaff}};

}  // namespace parley::crypto::detail
