// What a second thread gains in each phase of a fast session that computes: the loops of psi/intersect/fast.cpp and
// psi/vole with one thread and with two, in turn, so that whatever disturbs the machine disturbs both. Beside them what
// the machine gives two threads at best: AES in the nearest cache, and copying memory.
//
// The time of a benchmark is that with two threads; `one_thread_ms` and `two_threads_ms` are medians, `speed_up` is
// their ratio. `machine_speed_up` is what AES from the nearest cache gained in the same repetitions: less than two says
// that others took a processor meanwhile, and that the row is worth nothing.
#include <algorithm>
#include <vector>

#include "base/clock.h"
#include "crypto/fixed_key_aes.h"
#include "limits.h"
#include "psi/detail/tag_join.h"
#include "psi/intersect/detail/output_hash.h"
#include "psi/intersect/keyed_set.h"
#include "psi/intersect/layout.h"
#include "psi/vole/code.h"
#include "psi/vole/trees.h"

namespace parley::psi {
namespace {

using crypto::Block;
using crypto::kBlockBytes;
using crypto::SecretBlocks;

constexpr std::size_t kTreesPerTask = 8;
constexpr std::size_t kKeysPerTask = 8192;

double seconds_of(const std::function<void(ThreadPool&)>& phase, ThreadPool& pool) {
  const Deadline begin = Monotonic::now();
  phase(pool);
  return std::chrono::duration<double>(Monotonic::now() - begin).count();
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/// AES without any memory but the nearest cache, a millisecond or two.
void aes_in_the_nearest_cache(ThreadPool& pool) {
  constexpr std::size_t kTasks = 16;
  constexpr std::size_t kBlocks = 1024;
  constexpr std::size_t kRounds = 256;
  static const crypto::FixedKeyAes kAes(random_bytes<kBlockBytes>());
  pool.parallel_for(kTasks, 1, [&](std::size_t begin, std::size_t end) {
    std::vector<Block> blocks(kBlocks);
    for (std::size_t round = 0; round < (end - begin) * kRounds; ++round) kAes.hash(blocks, blocks);
    benchmark::DoNotOptimize(blocks.data());
  });
}

/// One phase, with one thread and with two in turn; which of them is first changes.
class Turns {
 public:
  explicit Turns(const std::function<void(ThreadPool&)>& phase) : phase_(phase) {}
  void take(ThreadPool& one, ThreadPool& two) {
    const bool one_first = with_one_.size() % 2 == 0;
    if (one_first) with_one_.push_back(seconds_of(phase_, one));
    with_two_.push_back(seconds_of(phase_, two));
    if (!one_first) with_one_.push_back(seconds_of(phase_, one));
  }
  double last_with_two() const { return with_two_.back(); }
  double one_thread() const { return median(with_one_); }
  double two_threads() const { return median(with_two_); }
  double speed_up() const { return one_thread() / two_threads(); }

 private:
  const std::function<void(ThreadPool&)>& phase_;
  std::vector<double> with_one_, with_two_;
};

void compare(benchmark::State& state, std::size_t items, const std::function<void(ThreadPool&)>& phase) {
  ThreadPool one(1), two(2);
  phase(one);  // memory that is kept from run to run is there afterwards
  const std::function<void(ThreadPool&)> aes = aes_in_the_nearest_cache;
  Turns ours(phase), machine(aes);
  for (auto _ : state) {
    ours.take(one, two);
    machine.take(one, two);
    state.SetIterationTime(ours.last_with_two());
  }
  set_items(state, items);
  state.counters["one_thread_ms"] = ours.one_thread() * 1e3;
  state.counters["two_threads_ms"] = ours.two_threads() * 1e3;
  state.counters["speed_up"] = ours.speed_up();
  state.counters["machine_speed_up"] = machine.speed_up();
}

std::size_t count_of(benchmark::State& state) {
  return std::size_t{1} << state.range(0);
}

// --- what the machine gives -----------------------------------------------------------------------------------------

void in_memory(benchmark::State& state) {
  constexpr std::size_t kBlocks = limits::kMemoryBytes / kBlockBytes;
  SecretBlocks from(kBlocks), to(kBlocks);
  compare(state, kBlocks, [&](ThreadPool& pool) {
    pool.parallel_for(kBlocks, kBlocks / 16, [&](std::size_t begin, std::size_t end) {
      std::ranges::copy(from.expose().subspan(begin, end - begin), to.expose_mutable().subspan(begin).begin());
      benchmark::ClobberMemory();
    });
  });
}
BENCHMARK(in_memory)->Name("limit/memory_copy")->UseManualTime()->Unit(benchmark::kMillisecond);

// --- a set and its encoding -----------------------------------------------------------------------------------------

Elements some_elements(std::size_t count) {
  constexpr std::size_t kItemBytes = 35;
  Elements elements;
  elements.reserve(count, count * kItemBytes);
  Bytes item(kItemBytes);
  for (std::size_t i = 0; i < count; ++i) {
    std::memcpy(item.data(), &i, sizeof i);
    elements.push_back(item);
  }
  return elements;
}

KeyedSet keyed(const Elements& elements, const okvs::Shape& shape, ThreadPool& pool) {
  static const crypto::PrefixedSha256 kHash(random_bytes<crypto::PrefixedSha256::kPrefixBytes>());
  SilentProgress progress;
  psi::detail::Work work(pool, progress);
  return KeyedSet::make(elements, kHash, shape, work).value();  // nobody cancels
}

void hash_phase(benchmark::State& state) {
  const std::size_t count = count_of(state);
  const Elements elements = some_elements(count);
  const okvs::Shape shape = okvs::shape_for(count);
  compare(state, count, [&](ThreadPool& pool) { benchmark::DoNotOptimize(keyed(elements, shape, pool)); });
}

/// A set, and cells that hold its encoding after encode().
struct Encoding {
  explicit Encoding(std::size_t count) : shape(okvs::shape_for(count)), cells(shape.cells()), values(count) {
    ThreadPool pool(2);
    set = keyed(some_elements(count), shape, pool);
  }
  std::span<Block> cells_of(std::size_t bin) {
    return cells.expose_mutable().subspan(bin * shape.cells_per_bin(), shape.cells_per_bin());
  }
  /// In as many tasks as there are threads, as a session does it. @return whether all bins have a solution
  bool encode(ThreadPool& pool) {
    std::vector<std::uint8_t> solved(shape.bins);
    pool.parallel_for(
        shape.bins, (shape.bins + pool.size() - 1) / pool.size(), [&](std::size_t begin, std::size_t end) {
          okvs::Workspace workspace;
          SecretBlocks wanted(shape.bin_capacity);
          for (std::size_t bin = begin; bin < end; ++bin) {
            const auto keys = set.keys_of(bin);
            std::ranges::transform(keys, wanted.expose_mutable().begin(),
                                   [](const Digest& key) { return crypto::load_block(key); });
            solved[bin] =
                okvs::encode_bin(shape, keys, wanted.expose().first(keys.size()), cells_of(bin), workspace).has_value();
          }
        });
    return std::ranges::find(solved, 0) == solved.end();
  }
  void decode(ThreadPool& pool) {
    pool.parallel_for(shape.bins, 1, [&](std::size_t begin, std::size_t end) {
      for (std::size_t bin = begin; bin < end; ++bin) {
        okvs::decode_bin(shape, set.keys_of(bin), cells_of(bin),
                         values.expose_mutable().subspan(set.begin_of(bin), set.size_of(bin)));
      }
    });
  }

  okvs::Shape shape;
  SecretBlocks cells, values;
  KeyedSet set;
};

void encode_phase(benchmark::State& state) {
  Encoding encoding(count_of(state));
  bool solved = true;
  compare(state, count_of(state), [&](ThreadPool& pool) { solved = encoding.encode(pool) && solved; });
  if (!solved) state.SkipWithError("a bin has no solution");
}

void decode_phase(benchmark::State& state) {
  Encoding encoding(count_of(state));
  compare(state, count_of(state), [&](ThreadPool& pool) { encoding.decode(pool); });
}

void output_phase(benchmark::State& state) {
  const std::size_t count = count_of(state);
  const psi::detail::OutputHash hash({});
  crypto::SecretArray<Digest> keys(count);
  const SecretBlocks values(count);
  compare(state, count, [&](ThreadPool& pool) {
    pool.parallel_for(count, kKeysPerTask, [&](std::size_t begin, std::size_t end) {
      hash(keys.expose_mutable().subspan(begin, end - begin), values.expose().subspan(begin, end - begin), Block{1, 2});
    });
  });
}

void sort_phase(benchmark::State& state) {
  SecretBlocks tags(count_of(state));
  crypto::FixedKeyAes(random_bytes<kBlockBytes>()).coins(0, tags.expose_mutable());
  compare(state, tags.size(),
          [&](ThreadPool& pool) { benchmark::DoNotOptimize(psi::detail::sort_tags(tags.expose(), pool)); });
}

// --- the VOLE -------------------------------------------------------------------------------------------------------

void expand_phase(benchmark::State& state) {
  const vole::Sizes sizes = Layout(count_of(state)).plan().sizes;
  const vole::TreePermutations permutations(Digest{});
  SecretBlocks leaves(sizes.inputs);
  compare(state, sizes.inputs, [&](ThreadPool& pool) {
    pool.parallel_for(vole::kNoiseWeight, kTreesPerTask, [&](std::size_t begin, std::size_t end) {
      vole::TreeWorkspace workspace(sizes.tree);
      std::vector<vole::LevelSums> sums(sizes.tree.depth);
      for (std::size_t i = begin; i < end; ++i) {
        benchmark::DoNotOptimize(grow(permutations, sizes.tree, Block{i, 1}, sums,
                                      leaves.expose_mutable().subspan(i * sizes.tree.leaves, sizes.tree.leaves),
                                      workspace));
      }
    });
  });
}

/// The code as a receiver runs it, which has two vectors.
struct Mixing {
  explicit Mixing(std::size_t count)
      : layout(count), sizes(layout.plan().sizes), code(Digest{}, sizes.outputs, sizes.inputs), e(code.noise_part()) {
    std::ranges::fill(e.expose_mutable(), crypto::BlockPair{{1, 2}, {3, 4}});
  }
  Layout layout;
  vole::Sizes sizes;
  vole::Code code;
  crypto::SecretArray<crypto::BlockPair> e;
};

/// Each position depends on those before it, so a session gives this step to one thread: a second one gains nothing.
void accumulate_phase(benchmark::State& state) {
  Mixing mixing(count_of(state));
  compare(state, mixing.code.noise_part(), [&](ThreadPool&) { mixing.code.accumulate(mixing.e.expose_mutable()); });
}

/// Bin by bin, when the outputs are asked for; into memory that is there, so that the code alone is measured.
void pick_phase(benchmark::State& state) {
  const Mixing mixing(count_of(state));
  const std::size_t per_bin = mixing.layout.shape.cells_per_bin();
  SecretBlocks firsts(mixing.code.outputs()), seconds(mixing.code.outputs());
  compare(state, mixing.code.outputs(), [&](ThreadPool& pool) {
    pool.parallel_for(mixing.code.outputs() / per_bin, 1, [&](std::size_t begin, std::size_t end) {
      for (std::size_t bin = begin; bin < end; ++bin) {
        mixing.code.expand(mixing.e.expose(), bin * per_bin, firsts.expose_mutable().subspan(bin * per_bin, per_bin),
                           seconds.expose_mutable().subspan(bin * per_bin, per_bin));
      }
    });
  });
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->Arg(18)->Arg(20)->UseManualTime()->Unit(benchmark::kMillisecond);
}
BENCHMARK(hash_phase)->Name("hash/log2")->Apply(sizes);
BENCHMARK(encode_phase)->Name("encode/log2")->Apply(sizes);
BENCHMARK(expand_phase)->Name("expand/log2")->Apply(sizes);
BENCHMARK(accumulate_phase)->Name("mix_accumulate/log2")->Apply(sizes);
BENCHMARK(pick_phase)->Name("mix_pick/log2")->Apply(sizes);
BENCHMARK(decode_phase)->Name("decode/log2")->Apply(sizes);
BENCHMARK(output_phase)->Name("output_hash/log2")->Apply(sizes);
BENCHMARK(sort_phase)->Name("sort/log2")->Apply(sizes);

}  // namespace
}  // namespace parley::psi

int main(int argc, char** argv) {
  return parley::run_benchmarks(argc, argv);
}
