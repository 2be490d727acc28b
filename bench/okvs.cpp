// The oblivious key-value store (psi.md 2.3): nanoseconds for one key of encoding and decoding all bins, one after the
// other on one thread, and the cells for one key; each beside the random reads that no solver of its kind can do
// without.
#include "psi/okvs/okvs.h"

#include <algorithm>
#include <random>
#include <vector>

#include "crypto/block.h"
#include "limits.h"

namespace parley::psi::okvs {
namespace {

using crypto::Block;
using crypto::SecretArray;
using crypto::SecretBlocks;

/// Keys and values of all bins, those of each together, as the hashing of elements leaves them.
struct Pairs {
  Shape shape;
  SecretArray<Digest> keys;
  SecretBlocks values, cells, decoded;
  std::vector<std::size_t> begins;  // of each bin, and the end

  explicit Pairs(std::size_t count)
      : shape(shape_for(count)), keys(count), values(count), cells(shape.cells()), decoded(count) {
    std::mt19937_64 random(count);
    std::vector<std::vector<Digest>> bins(shape.bins);
    for (std::size_t i = 0; i < count; ++i) {
      std::array<std::uint64_t, 4> words;
      for (std::uint64_t& word : words) word = random();
      Digest key;
      std::memcpy(key.data(), words.data(), key.size());
      bins[bin_of(shape, key)].push_back(key);
    }
    begins.push_back(0);
    for (const auto& bin : bins) {
      std::ranges::copy(bin, keys.expose_mutable().begin() + static_cast<std::ptrdiff_t>(begins.back()));
      begins.push_back(begins.back() + bin.size());
    }
    for (std::size_t i = 0; i < count; ++i) values.expose_mutable()[i] = crypto::load_block(keys.expose()[i]);
  }

  template <typename T>
  std::span<T> bin_of_keys(std::span<T> all, std::size_t bin) const {
    return all.subspan(begins[bin], begins[bin + 1] - begins[bin]);
  }
  std::span<Block> cells_of(std::size_t bin) {
    return cells.expose_mutable().subspan(bin * shape.cells_per_bin(), shape.cells_per_bin());
  }
};

void set_counters(benchmark::State& state, const Pairs& pairs) {
  const auto count = static_cast<double>(pairs.keys.size());
  set_items(state, pairs.keys.size());
  state.counters["cells_a_key"] = static_cast<double>(pairs.shape.cells()) / count;
  state.counters["seconds_a_key"] =
      benchmark::Counter(count, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

constexpr std::size_t kLargeCount = std::size_t{1} << 16;  // smaller sets stay in the caches

/// What keys cost that touch `touches` cells each at random places of one bin, and that come from memory with a value.
void set_okvs_limit(benchmark::State& state, const Pairs& pairs, double touches, const char* what) {
  const auto count = static_cast<double>(pairs.keys.size());
  const double reads = touches * count / limits::random_reads(pairs.shape.cells_per_bin() * crypto::kBlockBytes);
  const double streams = count * (sizeof(Digest) + crypto::kBlockBytes) / limits::memory_read();
  limits::set_limit(state, what, {reads, pairs.keys.size() < kLargeCount ? 0 : streams});
}

bool encode(benchmark::State& state, Pairs& pairs, Workspace& workspace) {
  for (std::size_t bin = 0; bin < pairs.shape.bins; ++bin) {
    const auto encoded = encode_bin(pairs.shape, pairs.bin_of_keys(pairs.keys.expose(), bin),
                                    pairs.bin_of_keys(pairs.values.expose(), bin), pairs.cells_of(bin), workspace);
    if (failed(state, encoded)) return false;
  }
  return true;
}

void encode_all(benchmark::State& state) {
  Pairs pairs(static_cast<std::size_t>(state.range(0)));
  Workspace workspace;
  for (auto _ : state) {
    if (!encode(state, pairs, workspace)) return;
  }
  set_counters(state, pairs);
  // A key is taken out of its three columns, and later written into one from the two others.
  set_okvs_limit(state, pairs, 6, "6 random reads of a bin's cells");
}
BENCHMARK(encode_all)->Name("okvs_encode")->RangeMultiplier(4)->Range(1 << 10, 1 << 22)->Unit(benchmark::kMillisecond);

void decode_all(benchmark::State& state) {
  Pairs pairs(static_cast<std::size_t>(state.range(0)));
  Workspace workspace;
  if (!encode(state, pairs, workspace)) return;
  for (auto _ : state) {
    for (std::size_t bin = 0; bin < pairs.shape.bins; ++bin) {
      decode_bin(pairs.shape, pairs.bin_of_keys(pairs.keys.expose(), bin), pairs.cells_of(bin),
                 pairs.bin_of_keys(pairs.decoded.expose_mutable(), bin));
    }
    benchmark::ClobberMemory();
  }
  set_counters(state, pairs);
  set_okvs_limit(state, pairs, 3, "3 random reads of a bin's cells");
}
BENCHMARK(decode_all)->Name("okvs_decode")->RangeMultiplier(4)->Range(1 << 10, 1 << 22)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace parley::psi::okvs

int main(int argc, char** argv) {
  return parley::run_benchmarks(argc, argv);
}
