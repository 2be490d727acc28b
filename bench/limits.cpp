#include "limits.h"

#include <sys/mman.h>

#include <array>
#include <cstring>
#include <random>

#include "crypto/cpu.h"
#include "crypto/hash.h"
#include "crypto/secret_array.h"
#include "detail/registers.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace parley::limits {
namespace {

using crypto::Block;

/// Written once, so that its pages are there.
std::span<Block> memory() {
  static crypto::SecretBlocks blocks(kMemoryBytes / crypto::kBlockBytes);
  static const bool written = (std::ranges::fill(blocks.expose_mutable(), Block{1, 2}), true);
  benchmark::DoNotOptimize(written);
  return blocks.expose_mutable();
}

double rate(double amount, double seconds) {
  return amount / seconds;
}

/// Fresh pages, gone at the end.
class Pages {
 public:
  Pages(std::size_t size_bytes, int advice) : size_bytes_(size_bytes) {
    begin_ = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (begin_ == MAP_FAILED) throw std::bad_alloc();
    static_cast<void>(::madvise(begin_, size_bytes, advice));
  }
  ~Pages() { ::munmap(begin_, size_bytes_); }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  std::span<std::byte> bytes() const { return {static_cast<std::byte*>(begin_), size_bytes_}; }

 private:
  void* begin_;
  std::size_t size_bytes_;
};

constexpr std::size_t kPageBytes = 4096;

#if defined(__x86_64__)

const detail::Registers* registers() {
  switch (crypto::cpu_level()) {
    case crypto::CpuLevel::avx512:
      return &detail::kRegisters512;
    case crypto::CpuLevel::vaes:
      return &detail::kRegisters256;
    case crypto::CpuLevel::aesni:
      return &detail::kRegisters128;
    case crypto::CpuLevel::portable:
      break;
  }
  return nullptr;
}

#else

const detail::Registers* registers() {
  return nullptr;
}

#endif

Block sum(std::span<const Block> blocks) {
  if (const detail::Registers* found = registers()) return found->sum(blocks);
  Block sum;
  for (const Block& block : blocks) sum ^= block;
  return sum;
}

void update(std::span<Block> blocks) {
  if (const detail::Registers* found = registers()) return found->update(blocks);
  for (Block& block : blocks) block ^= Block{3, 4};
}

void add(std::span<Block> sums, std::span<const Block> blocks) {
  if (const detail::Registers* found = registers()) return found->add(sums, blocks);
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] ^= blocks[i];
}

#if defined(__x86_64__)

constexpr std::size_t kMessagesAtOnce = 4;

/// The instructions of `count` blocks of each of kMessagesAtOnce messages, without the loads and sums around them.
__attribute__((target("sha,sse4.1"))) void sha256_loop(std::size_t count) {
  __m128i even[kMessagesAtOnce], odd[kMessagesAtOnce], words[kMessagesAtOnce];
  for (std::size_t i = 0; i < kMessagesAtOnce; ++i) {
    even[i] = _mm_set1_epi32(static_cast<int>(i));
    odd[i] = _mm_set1_epi32(static_cast<int>(i) + 7);
    words[i] = _mm_set1_epi32(static_cast<int>(i) + 77);
  }
  constexpr int kDoubleRoundPairs = 16;
  constexpr int kScheduleSteps = 12;
  for (std::size_t done = 0; done < count; ++done) {
#pragma GCC unroll 16
    for (int step = 0; step < kDoubleRoundPairs; ++step) {
#pragma GCC unroll 4
      for (std::size_t i = 0; i < kMessagesAtOnce; ++i) {
        odd[i] = _mm_sha256rnds2_epu32(odd[i], even[i], words[i]);
        even[i] = _mm_sha256rnds2_epu32(even[i], odd[i], words[i]);
        if (step < kScheduleSteps) words[i] = _mm_sha256msg2_epu32(_mm_sha256msg1_epu32(words[i], odd[i]), even[i]);
      }
    }
  }
  for (std::size_t i = 0; i < kMessagesAtOnce; ++i) {
    benchmark::DoNotOptimize(odd[i]);
    benchmark::DoNotOptimize(even[i]);
  }
}

#endif

}  // namespace

double memory_read() {
  const std::span<const Block> blocks = memory();
  return rate(kMemoryBytes, best_seconds([&] { benchmark::DoNotOptimize(sum(blocks)); }));
}

double memory_write() {
  const MutableByteView bytes = crypto::mutable_bytes_of(memory());
  return rate(kMemoryBytes, best_seconds([&] {
                std::memset(bytes.data(), 7, bytes.size());
                benchmark::ClobberMemory();
              }));
}

double memory_copy() {
  const MutableByteView bytes = crypto::mutable_bytes_of(memory());
  const std::size_t half = bytes.size() / 2;
  return rate(kMemoryBytes / 2, best_seconds([&] {
                std::memcpy(bytes.data(), bytes.data() + half, half);
                benchmark::ClobberMemory();
              }));
}

double memory_update() {
  const std::span<Block> blocks = memory();
  return rate(kMemoryBytes, best_seconds([&] {
                update(blocks);
                benchmark::ClobberMemory();
              }));
}

double memory_add() {
  const std::span<Block> blocks = memory();
  const std::size_t half = blocks.size() / 2;
  return rate(kMemoryBytes / 2, best_seconds([&] {
                add(blocks.first(half), blocks.subspan(half));
                benchmark::ClobberMemory();
              }));
}

double fresh_memory() {
  constexpr std::size_t kBytes = kMemoryBytes / 2;
  return rate(kBytes, best_seconds([&] {
                const Pages pages(kBytes, MADV_HUGEPAGE);
                std::memset(pages.bytes().data(), 7, kBytes);
                benchmark::ClobberMemory();
              }));
}

double page_fault() {
  constexpr std::size_t kBytes = std::size_t{8} << 20;
  return best_seconds([&] {
           const Pages pages(kBytes, MADV_NOHUGEPAGE);
           for (std::size_t at = 0; at < kBytes; at += kPageBytes) pages.bytes()[at] = std::byte{1};
           benchmark::ClobberMemory();
         }) /
         static_cast<double>(kBytes / kPageBytes);
}

// The places are sums of a short list that stays in the nearest cache and of a number that changes with each pass.
double random_reads(std::size_t table_bytes) {
  using Read = std::uint64_t __attribute__((vector_size(crypto::kBlockBytes)));
  constexpr std::size_t kList = 2048;
  constexpr std::size_t kPasses = 192;
  constexpr std::size_t kAtOnce = 8;
  const std::uint64_t count = std::min(table_bytes, kMemoryBytes) / sizeof(Read);
  const Read* const table = reinterpret_cast<const Read*>(memory().data());
  std::mt19937 random(1);
  std::array<std::uint32_t, kList> places;
  for (std::uint32_t& place : places) place = static_cast<std::uint32_t>(random());
  const std::uint32_t* const list = places.data();
  const auto read_all = [&] {
    Read sums[kAtOnce] = {};
    for (std::size_t pass = 0; pass < kPasses; ++pass) {
      const auto shift = static_cast<std::uint32_t>(random());
      for (std::size_t i = 0; i < kList; i += kAtOnce) {
#pragma GCC unroll 8
        for (std::size_t j = 0; j < kAtOnce; ++j) sums[j] ^= table[std::uint64_t{list[i + j] + shift} * count >> 32];
      }
    }
    benchmark::DoNotOptimize(sums);
  };
  read_all();  // what fits a cache is there afterwards
  return rate(kList * kPasses, best_seconds(read_all));
}

double aes_blocks() {
  constexpr std::size_t kCount = 20'000;
  const detail::Registers* const found = registers();
  if (found == nullptr) return 0;
  return rate(static_cast<double>(kCount * detail::kInFlight * found->lanes),
              best_seconds([&] { found->aes(kCount); }));
}

double carryless_products() {
  constexpr std::size_t kCount = 100'000;
  const detail::Registers* const found = registers();
  if (found == nullptr) return 0;
  return rate(static_cast<double>(kCount * detail::kInFlight * found->lanes),
              best_seconds([&] { found->products(kCount); }));
}

double sha256_blocks() {
#if defined(__x86_64__)
  constexpr std::size_t kCount = 10'000;
  if (crypto::cpu_has_sha())
    return rate(static_cast<double>(kCount * kMessagesAtOnce), best_seconds([&] { sha256_loop(kCount); }));
#endif
  return 0;
}

double short_sha256() {
  constexpr std::size_t kCount = 20'000;
  return rate(kCount, best_seconds([&] {
                Digest digest{};
                for (std::size_t i = 0; i < kCount; ++i) digest = crypto::sha256(digest);
                benchmark::DoNotOptimize(digest);
              }));
}

}  // namespace parley::limits
