// The kernels that a fast session is made of, each beside what the machine allows: hashing items and outputs, AES under
// fixed keys, and arithmetic in GF(2^128). `of_limit` is the limit's time over the kernel's, measured in the same run.
#include <vector>

#include "crypto/fixed_key_aes.h"
#include "crypto/gf128.h"
#include "crypto/hash.h"
#include "crypto/prefixed_sha256.h"
#include "crypto/secret_array.h"
#include "limits.h"
#include "psi/intersect/detail/output_hash.h"
#include "psi/intersect/keyed_set.h"

namespace parley {
namespace {

using crypto::Block;
using crypto::SecretBlocks;
using limits::set_limit;

constexpr std::size_t kItemBytes = 35;     // type, length and a SHA-256: the longest common element
constexpr std::size_t kNearBlocks = 1024;  // 16 KiB: in the nearest cache
constexpr std::size_t kFarBlocks = limits::kMemoryBytes / crypto::kBlockBytes;
constexpr const char* kAesLimit = "AES from registers";
constexpr const char* kShaLimit = "SHA-256 from registers";
constexpr const char* kProductLimit = "4 carry-less products each, from registers";

SecretBlocks some_blocks(std::size_t count) {
  SecretBlocks blocks(count);
  crypto::FixedKeyAes(random_bytes<crypto::kBlockBytes>()).coins(0, blocks.expose_mutable());
  return blocks;
}

std::size_t count_of(benchmark::State& state) {
  return static_cast<std::size_t>(state.range(0));
}

/// Of `count` blocks that are read and written in their place: nothing where they stay in the caches.
double update_seconds(std::size_t count) {
  if (count < kFarBlocks) return 0;
  return static_cast<double>(count * crypto::kBlockBytes) / limits::memory_update();
}
double add_seconds(std::size_t count) {
  if (count < kFarBlocks) return 0;
  return static_cast<double>(count * crypto::kBlockBytes) / limits::memory_add();
}
double read_seconds(std::size_t count) {
  if (count < kFarBlocks) return 0;
  return static_cast<double>(count * crypto::kBlockBytes) / limits::memory_read();
}
double product_seconds(std::size_t count) {
  return static_cast<double>(count) * limits::kProductsOfAField / limits::carryless_products();
}

// --- the limits themselves ------------------------------------------------------------------------------------------

constexpr double kGiga = 1e9;

/// An iteration is one whole measurement; its time is that of 10^9 bytes or of 10^9 times.
void rate_limit(benchmark::State& state, double (*measure)(), const char* counter) {
  double sum = 0;
  for (auto _ : state) {
    const double measured = measure();
    if (measured == 0) return state.SkipWithError("this processor has no such instructions");
    state.SetIterationTime(kGiga / measured);
    sum += measured;
  }
  state.counters[counter] = sum / static_cast<double>(state.iterations());
}

void bytes_limit(benchmark::State& state, double (*measure)()) {
  rate_limit(state, measure, "bytes_per_second");
}

void count_limit(benchmark::State& state, double (*measure)()) {
  rate_limit(state, measure, "items_per_second");
}

double page_faults() {
  return 1 / limits::page_fault();
}

double reads_near() {
  return limits::random_reads(std::size_t{32} << 10);
}
double reads_in_second_cache() {
  return limits::random_reads(std::size_t{512} << 10);
}
double reads_in_memory() {
  return limits::random_reads(limits::kMemoryBytes);
}

#define PARLEY_LIMIT(kind, measure, name) \
  BENCHMARK_CAPTURE(kind, measure, measure)->Name("limit/10^9 " name)->UseManualTime()->Iterations(3)
PARLEY_LIMIT(bytes_limit, limits::memory_read, "bytes of memory read");
PARLEY_LIMIT(bytes_limit, limits::memory_write, "bytes of memory written");
PARLEY_LIMIT(bytes_limit, limits::memory_copy, "bytes of memory copied");
PARLEY_LIMIT(bytes_limit, limits::memory_update, "bytes of memory changed in their place");
PARLEY_LIMIT(bytes_limit, limits::memory_add, "bytes of memory added to others");
PARLEY_LIMIT(bytes_limit, limits::fresh_memory, "bytes of new memory written");
PARLEY_LIMIT(count_limit, page_faults, "first touches of a page of 4 KiB");
PARLEY_LIMIT(count_limit, reads_near, "random reads of 16 bytes of 32 KiB");
PARLEY_LIMIT(count_limit, reads_in_second_cache, "random reads of 16 bytes of 512 KiB");
PARLEY_LIMIT(count_limit, reads_in_memory, "random reads of 16 bytes of 64 MiB");
PARLEY_LIMIT(count_limit, limits::aes_blocks, "blocks of AES in registers");
PARLEY_LIMIT(count_limit, limits::carryless_products, "carry-less products in registers");
PARLEY_LIMIT(count_limit, limits::sha256_blocks, "blocks of SHA-256 in registers");
PARLEY_LIMIT(count_limit, limits::short_sha256, "short messages by the library's SHA-256");

// --- hashing --------------------------------------------------------------------------------------------------------

/// Items to keys, 64 at a time as sets do it; all in the nearest cache.
void hash_items(benchmark::State& state) {
  constexpr std::size_t kAtOnce = 64;
  const std::size_t size = count_of(state);
  const crypto::PrefixedSha256 hash(random_bytes<crypto::PrefixedSha256::kPrefixBytes>());
  std::vector<Bytes> items;
  for (std::size_t i = 0; i < kAtOnce; ++i) items.emplace_back(size, static_cast<std::byte>(i));
  const std::vector<ByteView> views(items.begin(), items.end());
  std::vector<Digest> keys(kAtOnce);
  for (auto _ : state) {
    hash.hash(views, keys);
    benchmark::DoNotOptimize(keys.data());
    benchmark::ClobberMemory();
  }
  set_items(state, kAtOnce);
  const std::size_t blocks = (size + 9 + 63) / 64;  // FIPS 180-4, 5.1.1
  set_limit(state, kShaLimit, {static_cast<double>(kAtOnce * blocks) / limits::sha256_blocks()});
}
BENCHMARK(hash_items)->Name("item_to_key/bytes")->Arg(kItemBytes)->Arg(100)->Arg(230);

/// The same and the grouping by bins, for a whole set.
void key_set(benchmark::State& state) {
  const std::size_t count = std::size_t{1} << state.range(0);
  psi::Elements elements;
  elements.reserve(count, count * kItemBytes);
  Bytes item(kItemBytes);
  for (std::size_t i = 0; i < count; ++i) {
    std::memcpy(item.data(), &i, sizeof i);
    elements.push_back(item);
  }
  const crypto::PrefixedSha256 hash(random_bytes<crypto::PrefixedSha256::kPrefixBytes>());
  const psi::okvs::Shape shape = psi::okvs::shape_for(count);
  ThreadPool pool(1);
  SilentProgress progress;
  psi::detail::Work work(pool, progress);
  for (auto _ : state) benchmark::DoNotOptimize(psi::KeyedSet::make(elements, hash, shape, work));
  set_items(state, count);
  // Read: the items, and their keys once; written: the keys twice and their positions, to new memory.
  const auto items = static_cast<double>(count);
  set_limit(state, "SHA-256 from registers, or memory",
            {items / limits::sha256_blocks(),
             items * (kItemBytes + sizeof(Digest)) / limits::memory_read() +
                 items * (2 * sizeof(Digest) + sizeof(std::uint32_t)) / limits::fresh_memory()});
}
BENCHMARK(key_set)->Name("key_set/log2")->Arg(16)->Arg(20)->Unit(benchmark::kMillisecond);

void hash_outputs(benchmark::State& state) {
  constexpr std::size_t kAtOnce = 8192;
  const psi::detail::OutputHash hash({});
  const SecretBlocks values = some_blocks(kAtOnce);
  std::vector<Digest> keys(kAtOnce);
  for (auto _ : state) {
    hash(keys, values.expose(), Block{1, 2});
    benchmark::ClobberMemory();
  }
  set_items(state, kAtOnce);
  set_limit(state, kShaLimit, {kAtOnce / limits::sha256_blocks()});
}
BENCHMARK(hash_outputs)->Name("output_hash");

// --- AES under a fixed key ------------------------------------------------------------------------------------------

void hash_blocks(benchmark::State& state) {
  const crypto::FixedKeyAes aes(random_bytes<crypto::kBlockBytes>());
  SecretBlocks blocks = some_blocks(count_of(state));
  for (auto _ : state) {
    aes.hash(blocks.expose(), blocks.expose_mutable());
    benchmark::ClobberMemory();
  }
  set_items(state, blocks.size());
  set_bytes(state, blocks.size() * crypto::kBlockBytes);
  set_limit(state, kAesLimit,
            {static_cast<double>(blocks.size()) / limits::aes_blocks(), update_seconds(blocks.size())});
}
BENCHMARK(hash_blocks)->Name("aes_hash/blocks")->Arg(kNearBlocks)->Arg(kFarBlocks);

void draw_coins(benchmark::State& state) {
  const crypto::FixedKeyAes aes(random_bytes<crypto::kBlockBytes>());
  SecretBlocks blocks = some_blocks(count_of(state));
  std::uint64_t first = 0;
  for (auto _ : state) {
    aes.coins(first, blocks.expose_mutable());
    first += blocks.size();
    benchmark::ClobberMemory();
  }
  set_items(state, blocks.size());
  set_bytes(state, blocks.size() * crypto::kBlockBytes);
  set_limit(state, kAesLimit, {static_cast<double>(blocks.size()) / limits::aes_blocks()});
}
BENCHMARK(draw_coins)->Name("aes_coins/blocks")->Arg(kNearBlocks);

// --- GF(2^128) ------------------------------------------------------------------------------------------------------

/// Each product waits for the one before: what a single one takes.
void multiply_one(benchmark::State& state) {
  const SecretBlocks blocks = some_blocks(2);
  Block product = blocks.expose()[0];
  for (auto _ : state) {
    product = crypto::gf_multiply(product, blocks.expose()[1]);
    benchmark::DoNotOptimize(product);
  }
  set_items(state, 1);
  set_limit(state, kProductLimit, {product_seconds(1)});
}
BENCHMARK(multiply_one)->Name("gf_multiply_one_after_another");

void add_multiple(benchmark::State& state) {
  const std::size_t count = count_of(state);
  const SecretBlocks values = some_blocks(count);
  SecretBlocks sums = some_blocks(count);
  for (auto _ : state) {
    crypto::gf_add_multiple(sums.expose_mutable(), Block{3, 4}, values.expose());
    benchmark::ClobberMemory();
  }
  set_items(state, count);
  set_limit(state, kProductLimit, {product_seconds(count), add_seconds(count)});
}
BENCHMARK(add_multiple)->Name("gf_add_multiple/blocks")->Arg(kNearBlocks / 2)->Arg(kFarBlocks);

void inner_product(benchmark::State& state) {
  const std::size_t count = count_of(state);
  const SecretBlocks a = some_blocks(count), b = some_blocks(count);
  for (auto _ : state) benchmark::DoNotOptimize(crypto::gf_inner_product(a.expose(), b.expose()));
  set_items(state, count);
  set_limit(state, kProductLimit, {product_seconds(count)});
}
BENCHMARK(inner_product)->Name("gf_inner_product/blocks")->Arg(kNearBlocks / 2);

void power_sum(benchmark::State& state) {
  const std::size_t count = count_of(state);
  const SecretBlocks values = some_blocks(count);
  for (auto _ : state) benchmark::DoNotOptimize(crypto::gf_power_sum(Block{5, 6}, values.expose()));
  set_items(state, count);
  set_limit(state, kProductLimit, {product_seconds(count), read_seconds(count)});
}
BENCHMARK(power_sum)->Name("gf_power_sum/blocks")->Arg(kNearBlocks)->Arg(kFarBlocks);

/// The dense part of an encoding's rows: three cells.
void add_polynomial(benchmark::State& state) {
  constexpr std::size_t kCoefficients = 3;
  const SecretBlocks points = some_blocks(kNearBlocks / 2), coefficients = some_blocks(kCoefficients);
  SecretBlocks sums = some_blocks(points.size());
  for (auto _ : state) {
    crypto::gf_add_polynomial(sums.expose_mutable(), points.expose(), coefficients.expose());
    benchmark::ClobberMemory();
  }
  set_items(state, points.size());
  set_limit(state, "3 times 4 carry-less products each, from registers",
            {kCoefficients * product_seconds(points.size())});
}
BENCHMARK(add_polynomial)->Name("gf_add_polynomial_of_3");

}  // namespace
}  // namespace parley

int main(int argc, char** argv) {
  return parley::run_benchmarks(argc, argv);
}
