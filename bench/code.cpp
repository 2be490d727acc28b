// The code of the silent VOLE, a figure a position and an output; the sizes are those of sets of 2^16, 2^18 and 2^20
// elements. "sender" is one vector, "receiver" two under the same coins.
#include "psi/vole/code.h"

#include "crypto/secret_array.h"
#include "timing.h"

namespace parley::psi::vole {
namespace {

using crypto::Block;
using crypto::BlockPair;

constexpr std::size_t kNoiseWeight = 352;
constexpr std::size_t kRange = 84'000;  // outputs of one bin of the receiver's sparse encoding

Code code_for(std::size_t outputs) {
  const std::size_t per_block = 2 * ((outputs + kNoiseWeight - 1) / kNoiseWeight);
  return Code(Digest{}, outputs, kNoiseWeight * per_block);
}

template <typename Record>
void accumulate(benchmark::State& state) {
  const Code code = code_for(static_cast<std::size_t>(state.range(0)));
  crypto::SecretArray<Record> e(code.noise_part());
  e.expose_mutable()[0] = Record{};
  for (auto _ : state) code.accumulate(e.expose_mutable());
  set_items(state, code.noise_part());
}

void expand_one(benchmark::State& state) {
  const Code code = code_for(static_cast<std::size_t>(state.range(0)));
  crypto::SecretBlocks e(code.noise_part());
  crypto::SecretBlocks out(code.outputs());
  code.accumulate(e.expose_mutable());
  for (auto _ : state) {
    for (std::size_t begin = 0; begin < code.outputs(); begin += kRange) {
      code.expand(e.expose(), begin, out.expose_mutable().subspan(begin, std::min(kRange, code.outputs() - begin)));
    }
  }
  set_items(state, code.outputs());
}

void expand_two(benchmark::State& state) {
  const Code code = code_for(static_cast<std::size_t>(state.range(0)));
  crypto::SecretArray<BlockPair> e(code.noise_part());
  crypto::SecretBlocks firsts(code.outputs());
  crypto::SecretBlocks seconds(code.outputs());
  code.accumulate(e.expose_mutable());
  for (auto _ : state) {
    for (std::size_t begin = 0; begin < code.outputs(); begin += kRange) {
      const std::size_t count = std::min(kRange, code.outputs() - begin);
      code.expand(e.expose(), begin, firsts.expose_mutable().subspan(begin, count),
                  seconds.expose_mutable().subspan(begin, count));
    }
  }
  set_items(state, code.outputs());
}

void sizes(benchmark::internal::Benchmark* bench) {
  for (const std::int64_t outputs : {84'000, 334'404, 1'343'264}) bench->Arg(outputs);
}
BENCHMARK(accumulate<Block>)->Name("accumulate/sender")->Apply(sizes);
BENCHMARK(accumulate<BlockPair>)->Name("accumulate/receiver")->Apply(sizes);
BENCHMARK(expand_one)->Name("expand/sender")->Apply(sizes);
BENCHMARK(expand_two)->Name("expand/receiver")->Apply(sizes);

}  // namespace
}  // namespace parley::psi::vole

int main(int argc, char** argv) {
  return parley::run_benchmarks(argc, argv);
}
