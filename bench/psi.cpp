// The classic protocol (psi.md section 1): its four computations for one element, its proofs, and whole runs in memory.
// A run's counters: processor time of each phase and of both sides together for one element of either set, bytes on the
// channel for one element, and what everything costs over its scalar multiplications alone, four for each pair of
// elements (blind, evaluate both sets, finalize): `cost_over_multiplications`, which is to stay at 1.3 or below.
#include <sched.h>

#include <limits>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "psi/intersect/protocol.h"
#include "psi/memory_channel.h"
#include "psi/oprf/oprf.h"
#include "psi/oprf/proof.h"
#include "timing.h"

namespace parley::psi {
namespace {

using crypto::Element;
using crypto::Scalar;
using oprf::Mode;

constexpr std::size_t kInputBytes = 64;  // SHA-512 of session and element
constexpr int kMultiplicationsAPair = 4;

Scalar random_scalar() {
  return Scalar::from_uniform(random_secret<crypto::kUniformBytes>().expose());
}

void blind_element(benchmark::State& state) {
  const auto input = random_bytes<kInputBytes>();
  const Scalar blind = random_scalar();
  for (auto _ : state) benchmark::DoNotOptimize(oprf::blind(Mode::oprf, input, blind));
  set_items(state, 1);
}
BENCHMARK(blind_element)->Name("oprf_blind");

void evaluate_theirs(benchmark::State& state) {
  const Scalar key = random_scalar();
  const auto blinded = oprf::blind(Mode::oprf, random_bytes<kInputBytes>(), random_scalar());
  for (auto _ : state) benchmark::DoNotOptimize(crypto::decode_and_multiply(key, blinded->encoding()));
  set_items(state, 1);
}
BENCHMARK(evaluate_theirs)->Name("oprf_blind_evaluate");

void evaluate_ours(benchmark::State& state) {
  const auto input = random_bytes<kInputBytes>();
  const Scalar key = random_scalar();
  for (auto _ : state) benchmark::DoNotOptimize(oprf::evaluate(Mode::oprf, input, key));
  set_items(state, 1);
}
BENCHMARK(evaluate_ours)->Name("oprf_evaluate");

void finalize_element(benchmark::State& state) {
  const auto input = random_bytes<kInputBytes>();
  const Scalar inverse = random_scalar();
  const auto evaluated = oprf::blind(Mode::oprf, input, random_scalar());
  for (auto _ : state) benchmark::DoNotOptimize(oprf::finalize(input, inverse, evaluated->encoding()));
  set_items(state, 1);
}
BENCHMARK(finalize_element)->Name("oprf_finalize");

struct Batch {
  oprf::KeyPair key = *oprf::derive_key_pair(Mode::voprf, random_secret<32>(), {});
  std::vector<Element> blinded, evaluated;

  explicit Batch(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      blinded.push_back(*oprf::blind(Mode::voprf, random_bytes<kInputBytes>(), random_scalar()));
      evaluated.push_back(*crypto::multiply(key.secret_key, blinded.back()));
    }
  }
};

void prove_batch(benchmark::State& state) {
  const Batch batch(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    const auto proof = oprf::prove(Mode::voprf, batch.key, batch.blinded, batch.evaluated, random_scalar());
    if (failed(state, proof)) return;
  }
  set_items(state, batch.blinded.size());
}
BENCHMARK(prove_batch)->Name("voprf_prove")->Arg(1)->Arg(256)->Unit(benchmark::kMillisecond);

void verify_batch(benchmark::State& state) {
  const Batch batch(static_cast<std::size_t>(state.range(0)));
  const auto proof = oprf::prove(Mode::voprf, batch.key, batch.blinded, batch.evaluated, random_scalar());
  if (failed(state, proof)) return;
  for (auto _ : state) {
    if (!oprf::verify(Mode::voprf, batch.key.public_key, batch.blinded, batch.evaluated, *proof))
      return state.SkipWithError("the proof does not verify");
  }
  set_items(state, batch.blinded.size());
}
BENCHMARK(verify_batch)->Name("voprf_verify")->Arg(1)->Arg(256)->Unit(benchmark::kMillisecond);

/// Processor time of the thread that reports, by phase; whatever is not in a loop over elements counts to the phase
/// that was begun last.
class PhaseTimes final : public Progress {
 public:
  void phase(std::string_view name, std::uint64_t) override {
    close();
    current_ = name;
  }
  void advance(std::uint64_t) override {}
  /// The phase that is open ends here.
  void close() {
    const double now = thread_cpu_seconds();
    if (!current_.empty()) seconds[current_] += now - since_;
    since_ = now;
  }

  std::map<std::string, double, std::less<>> seconds;

 private:
  std::string current_;
  double since_ = thread_cpu_seconds();
};

struct SideTimes {
  std::map<std::string, double, std::less<>> phases;
  double seconds = 0;
  std::uint64_t bytes_sent = 0;
  Status status;
};

SideTimes run_side(Role role, const Elements& elements, Channel& channel) {
  const double begin = thread_cpu_seconds();
  ThreadPool pool(1);
  PhaseTimes progress;
  const Parameters parameters{role, Reply::matched_tags, {}, elements.size()};
  const auto outcome = classic_protocol()->run(parameters, elements, random_secret<32>(), channel, pool, progress);
  progress.close();
  SideTimes times{std::move(progress.seconds), thread_cpu_seconds() - begin, channel.bytes_sent(), {}};
  if (!outcome) times.status = std::unexpected(outcome.error());
  return times;
}

/// `count` elements of which a quarter are common to both roles.
Elements elements_for(Role role, std::size_t count) {
  Elements elements;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t number = i < count / 4 || role == Role::receiver ? i : i + count;
    Bytes element = to_bytes(std::string_view("\x09\x00\x20", 3));
    append(element, crypto::sha256(as_bytes(std::to_string(number))));
    elements.push_back(element);
  }
  return elements;
}

/// Keeps this thread and those that it starts on one processor, so that two sides that work at once do not slow each
/// other: they may share a core.
void stay_on_one_processor() {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(std::max(::sched_getcpu(), 0)), &one);
  static_cast<void>(::sched_setaffinity(0, sizeof one, &one));  // where that is forbidden, numbers are only less steady
}

/// What libsodium takes for one multiplication of an element from outside, measured now: processors change their pace.
/// The best of several tries, so that a disturbance makes the protocol look dearer and never cheaper than it is.
double seconds_a_multiplication() {
  constexpr int kTries = 10;
  constexpr int kTimes = 200;
  const Scalar scalar = random_scalar();
  ByteArray<crypto::kElementBytes> element;
  std::ranges::copy(Element::from_uniform(random_secret<crypto::kUniformBytes>().expose()).encoding(), element.begin());
  double best = std::numeric_limits<double>::max();
  for (int tried = 0; tried < kTries; ++tried) {
    const double begin = thread_cpu_seconds();
    for (int i = 0; i < kTimes; ++i) {
      if (crypto_scalarmult_ristretto255(as_uchar_mutable(element), as_uchar(scalar.expose()), as_uchar(element)) != 0)
        std::abort();  // a prime-order group has no such element
    }
    best = std::min(best, (thread_cpu_seconds() - begin) / kTimes);
  }
  return best;
}

void classic_run(benchmark::State& state) {
  stay_on_one_processor();
  const auto count = static_cast<std::size_t>(state.range(0));
  const Elements receivers = elements_for(Role::receiver, count);
  const Elements senders = elements_for(Role::sender, count);
  std::map<std::string, double, std::less<>> phases;
  double seconds = 0;
  double floor_seconds = 0;
  std::uint64_t bytes = 0;
  for (auto _ : state) {
    const double before = seconds_a_multiplication();
    MemoryChannels channels = memory_channels();
    SideTimes sent;
    std::thread other([&] { sent = run_side(Role::sender, senders, *channels.second); });
    SideTimes received = run_side(Role::receiver, receivers, *channels.first);
    other.join();
    if (failed(state, received.status) || failed(state, sent.status)) return;
    const double both = received.seconds + sent.seconds;
    state.SetIterationTime(both);
    seconds += both;
    const double multiplication = std::min(before, seconds_a_multiplication());
    floor_seconds += kMultiplicationsAPair * multiplication * static_cast<double>(count);
    bytes += received.bytes_sent + sent.bytes_sent;
    for (const SideTimes* side : {&received, &sent}) {
      for (const auto& [name, spent] : side->phases) phases[name] += spent;
    }
  }
  set_items(state, count);
  const double items = static_cast<double>(state.iterations()) * static_cast<double>(count);
  for (const auto& [name, spent] : phases) {
    std::string counter = name + "_us";
    std::ranges::replace(counter, ' ', '_');
    state.counters[counter] = spent / items * 1e6;
  }
  state.counters["both_sides_us"] = seconds / items * 1e6;
  state.counters["multiplication_us"] = floor_seconds / items / kMultiplicationsAPair * 1e6;
  state.counters["bytes_an_item"] = static_cast<double>(bytes) / items;
  state.counters["cost_over_multiplications"] = seconds / floor_seconds;
}
BENCHMARK(classic_run)
    ->Name("classic_run_processor_time_of_both")
    ->Arg(256)
    ->Arg(4096)
    ->Arg(32768)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace parley::psi

int main(int argc, char** argv) {
  return parley::run_benchmarks(argc, argv);
}
