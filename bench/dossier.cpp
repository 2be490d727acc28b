// Verifying a dossier of 200 entries of evidence, as an outsider does (log.md 9.4: at most half a second).
#include "dossier/synthetic.h"
#include "timing.h"

namespace parley::dossier {
namespace {

void verify(benchmark::State& state) {
  start_random();
  const auto entries = static_cast<std::size_t>(state.range(0));
  const SyntheticGroup made(group::charter_of(5), entries);
  const std::vector<std::string> signers = {"alpha", "bravo", "charlie"};
  const std::string text = made.dossier(signers, signers);
  for (auto _ : state) {
    const Verdict verdict = verify_dossier(text, made.anchor());
    if (!verdict.holds) state.SkipWithError("it does not verify");
  }
  set_items(state, entries);
}
BENCHMARK(verify)->Name("dossier/verify")->Arg(200)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace parley::dossier

int main(int argc, char** argv) {
  return parley::run_benchmarks(argc, argv);
}
