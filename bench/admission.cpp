// Admission tags (psi.md 6.6): what a helper and an owner pay for each element, on one core, beside the scalar
// multiplications that cannot be spared: one for a helper; for the owner one to blind, one for its own share, one to
// unblind. `bytes` is what goes both ways between an owner and one helper, for one element.
#include "psi/admission/admission.h"

#include "timing.h"

namespace parley::psi::admission {
namespace {

using crypto::kElementBytes;
using crypto::Scalar;

constexpr std::size_t kOverhead = 2 * 64 + 4 * kSampleCount + oprf::kProofBytes;  // heads, sample and proof of a batch

Elements addresses(std::size_t count) {
  Elements elements;
  for (std::size_t i = 0; i < count; ++i) elements.push_back(random_bytes<14>());
  return elements;
}

Scalar random_scalar() {
  return Scalar::from_uniform(random_secret<crypto::kUniformBytes>().expose());
}

/// A batch and who helps with it.
struct Bench {
  explicit Bench(std::size_t count, std::size_t members)
      : elements(addresses(count)), blinded(*blind(epoch, elements, seed, pool, progress)) {
    for (std::size_t i = 0; i < members; ++i) {
      keys.push_back(*derive_key(random_secret<32>(), {}));
      answers.push_back(*evaluate(keys.back().secret_key, blinded, pool, progress));
    }
  }
  ThreadPool pool{1};
  SilentProgress progress;
  Epoch epoch = random_bytes<32>();
  Secret<32> seed = random_secret<32>();
  Elements elements;
  Bytes blinded;
  std::vector<oprf::KeyPair> keys;
  std::vector<Bytes> answers;
};

void help(benchmark::State& state) {
  Bench bench(static_cast<std::size_t>(state.range(0)), 1);
  for (auto _ : state) {
    const auto evaluated = evaluate(bench.keys[0].secret_key, bench.blinded, bench.pool, bench.progress);
    if (failed(state, evaluated)) return;
    const auto sample = draw_sample(bench.elements.size());
    if (failed(state, prove_sample(bench.keys[0], bench.blinded, *evaluated, sample, random_scalar()))) return;
  }
  set_items(state, bench.elements.size());
  state.counters["bytes"] = static_cast<double>(2 * kElementBytes) +
                            static_cast<double>(kOverhead) / static_cast<double>(bench.elements.size());
}
BENCHMARK(help)->Name("admission_helper")->Arg(256)->Arg(16'384)->Unit(benchmark::kMillisecond);

/// Everything but the network and the helpers, in a group of `members`.
void own(benchmark::State& state) {
  Bench bench(4'096, static_cast<std::size_t>(state.range(0)));
  const auto sample = draw_sample(bench.elements.size());
  std::vector<oprf::Proof> proofs;
  for (std::size_t i = 0; i < bench.keys.size(); ++i)
    proofs.push_back(*prove_sample(bench.keys[i], bench.blinded, bench.answers[i], sample, random_scalar()));
  for (auto _ : state) {
    const auto blinded = blind(bench.epoch, bench.elements, bench.seed, bench.pool, bench.progress);
    if (failed(state, blinded)) return;
    const auto own = evaluate(bench.keys[0].secret_key, *blinded, bench.pool, bench.progress);
    if (failed(state, own)) return;
    for (std::size_t i = 1; i < bench.keys.size(); ++i)
      if (!verify_sample(bench.keys[i].public_key, *blinded, bench.answers[i], sample, proofs[i]))
        return state.SkipWithError("a proof does not hold");
    const auto tags = combine(bench.epoch, bench.elements, bench.seed, bench.answers, bench.pool, bench.progress);
    if (failed(state, tags)) return;
  }
  set_items(state, bench.elements.size());
}
BENCHMARK(own)->Name("admission_owner_of_members")->Arg(2)->Arg(5)->Unit(benchmark::kMillisecond);

/// The floor: nothing but the multiplication, by this project's lists and by libsodium one at a time.
void multiply_list(benchmark::State& state) {
  Bench bench(4'096, 1);
  Bytes products(bench.blinded.size());
  for (auto _ : state) {
    if (crypto::multiply_all(bench.keys[0].secret_key, bench.blinded, products))
      return state.SkipWithError("an element is at fault");
  }
  set_items(state, bench.elements.size());
}
BENCHMARK(multiply_list)->Name("admission_floor_lists")->Unit(benchmark::kMillisecond);

void multiply_one(benchmark::State& state) {
  Bench bench(64, 1);
  std::size_t next = 0;
  for (auto _ : state) {
    const auto at = ByteView(bench.blinded).subspan(next++ % 64 * kElementBytes).first<kElementBytes>();
    benchmark::DoNotOptimize(crypto::decode_and_multiply(bench.keys[0].secret_key, at));
  }
  set_items(state, 1);
}
BENCHMARK(multiply_one)->Name("admission_floor_libsodium")->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace parley::psi::admission

int main(int argc, char** argv) {
  return parley::run_benchmarks(argc, argv);
}
