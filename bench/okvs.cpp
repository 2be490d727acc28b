// The oblivious key-value store (psi.md 2.3): nanoseconds for one key of encoding and decoding all bins, one after the
// other on one thread, and the cells for one key.
#include "psi/okvs/okvs.h"

#include <algorithm>
#include <random>
#include <vector>

#include "crypto/block.h"
#include "timing.h"

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
}
BENCHMARK(decode_all)->Name("okvs_decode")->RangeMultiplier(4)->Range(1 << 10, 1 << 22)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace parley::psi::okvs

int main(int argc, char** argv) {
  return parley::run_benchmarks(argc, argv);
}
