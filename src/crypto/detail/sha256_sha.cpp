// SHA-256 with the SHA extensions of x86. Two rounds wait for the two before them, so one message keeps the unit half
// idle: kTogether messages take turns.
#if defined(__x86_64__)

#include <immintrin.h>

#include "crypto/detail/sha256_lanes.h"

#define PARLEY_KERNEL __attribute__((target("sha,sse4.1,ssse3")))
#define PARLEY_INLINE PARLEY_KERNEL __attribute__((always_inline)) inline

namespace parley::crypto::detail {
namespace {

constexpr std::size_t kTogether = 2;

struct Words {
  __m128i value;
};

/// The state in the order that the instructions want, the highest word first: a, b, e, f and c, d, g, h.
struct State {
  Words abef, cdgh;
};

PARLEY_INLINE Words load_words(const void* from) {
  return {_mm_loadu_si128(static_cast<const __m128i*>(from))};
}

PARLEY_INLINE State arrange(const Sha256State& state) {
  const __m128i badc = _mm_shuffle_epi32(load_words(&state[0]).value, 0xb1);
  const __m128i efgh = _mm_shuffle_epi32(load_words(&state[4]).value, 0x1b);
  return {{_mm_alignr_epi8(badc, efgh, 8)}, {_mm_blend_epi16(efgh, badc, 0xf0)}};
}

/// The bytes of each word exchanged: SHA-256 reads and writes big-endian words.
PARLEY_INLINE Words swap_bytes(Words words) {
  return {_mm_shuffle_epi8(words.value, _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203))};
}

PARLEY_INLINE void write_digest(const State& state, Digest& digest) {
  const __m128i feba = _mm_shuffle_epi32(state.abef.value, 0x1b);
  const __m128i dchg = _mm_shuffle_epi32(state.cdgh.value, 0xb1);
  auto* const to = reinterpret_cast<__m128i*>(digest.data());
  _mm_storeu_si128(to, swap_bytes({_mm_blend_epi16(feba, dchg, 0xf0)}).value);
  _mm_storeu_si128(to + 1, swap_bytes({_mm_alignr_epi8(dchg, feba, 8)}).value);
}

/// Four rounds.
PARLEY_INLINE void rounds(State& state, Words schedule, Words constants) {
  const __m128i sum = _mm_add_epi32(schedule.value, constants.value);
  state.cdgh.value = _mm_sha256rnds2_epu32(state.cdgh.value, state.abef.value, sum);
  state.abef.value = _mm_sha256rnds2_epu32(state.abef.value, state.cdgh.value, _mm_shuffle_epi32(sum, 0x0e));
}

/// The next four words of the message schedule, in place of the oldest of its last sixteen.
PARLEY_INLINE void extend(std::array<Words, 4>& last, std::size_t oldest) {
  const __m128i newest = last[(oldest + 3) % 4].value;
  const __m128i seven_back = _mm_alignr_epi8(newest, last[(oldest + 2) % 4].value, 4);
  const __m128i partial = _mm_sha256msg1_epu32(last[oldest].value, last[(oldest + 1) % 4].value);
  last[oldest].value = _mm_sha256msg2_epu32(_mm_add_epi32(partial, seven_back), newest);
}

/// One block of each of N messages, which lie `stride` bytes apart.
template <std::size_t N>
PARLEY_INLINE void compress(std::array<State, N>& states, const std::byte* block, std::size_t stride) {
  std::array<State, N> lane = states;
  std::array<std::array<Words, 4>, N> schedule;
#pragma GCC unroll 16
  for (std::size_t step = 0; step < 16; ++step) {
    const Words constants = load_words(&kSha256RoundConstants[4 * step]);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < N; ++i) {
      if (step < 4) {
        schedule[i][step] = swap_bytes(load_words(block + i * stride + 16 * step));
      } else {
        extend(schedule[i], step % 4);
      }
    }
#pragma GCC unroll 8
    for (std::size_t i = 0; i < N; ++i) rounds(lane[i], schedule[i][step % 4], constants);
  }
#pragma GCC unroll 8
  for (std::size_t i = 0; i < N; ++i) {
    states[i].abef.value = _mm_add_epi32(states[i].abef.value, lane[i].abef.value);
    states[i].cdgh.value = _mm_add_epi32(states[i].cdgh.value, lane[i].cdgh.value);
  }
}

/// N messages from the i-th on.
template <std::size_t N>
PARLEY_INLINE void hash_together(const State& start, const std::byte* padded, std::size_t blocks_each,
                                 Digest* digests) {
  std::array<State, N> states;
  states.fill(start);
  const std::size_t stride = blocks_each * kSha256BlockBytes;
  for (std::size_t block = 0; block < blocks_each; ++block) {
    compress(states, padded + block * kSha256BlockBytes, stride);
  }
#pragma GCC unroll 8
  for (std::size_t i = 0; i < N; ++i) write_digest(states[i], digests[i]);
}

}  // namespace

PARLEY_KERNEL void sha256_lanes_sha(const Sha256State& start, ByteView padded, std::size_t blocks_each,
                                    std::span<Digest> digests) {
  const State state = arrange(start);
  const std::size_t stride = blocks_each * kSha256BlockBytes;
  std::size_t i = 0;
  for (; i + kTogether <= digests.size(); i += kTogether) {
    hash_together<kTogether>(state, padded.data() + i * stride, blocks_each, digests.data() + i);
  }
  for (; i < digests.size(); ++i) hash_together<1>(state, padded.data() + i * stride, blocks_each, digests.data() + i);
}

}  // namespace parley::crypto::detail

#endif
