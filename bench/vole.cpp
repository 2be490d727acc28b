// The silent VOLE step by step (psi.md 2.2): base transfers, their extension, trees, code; then both parties whole over
// a channel in memory. The sizes are those that sets of 2^16, 2^18 and 2^20 elements need; what a step is measured
// against, and in the same run, stands beside it.
#include "psi/vole/vole.h"

#include <thread>

#include "crypto/ristretto_batch.h"
#include "limits.h"
#include "psi/intersect/layout.h"
#include "psi/memory_channel.h"

namespace parley::psi::vole {
namespace {

using crypto::Block;
using crypto::BlockPair;
using crypto::kBlockBytes;
using crypto::kElementBytes;
using crypto::Scalar;
using limits::set_limit;

const Digest kSession{std::byte{3}};

crypto::Drbg coins(std::uint8_t which) {
  Secret<32> seed;
  seed.expose_mutable()[0] = static_cast<std::byte>(which);
  return {seed, kSession, "bench"};
}

Plan plan_for(benchmark::State& state) {
  return Layout(std::size_t{1} << state.range(0)).plan();
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->Arg(16)->Arg(18)->Arg(20)->Unit(benchmark::kMillisecond);
}

// --- base transfers -------------------------------------------------------------------------------------------------

/// Seconds that the operations in the group take by themselves, in the batches that either party makes of them.
double group_operations_of_sender() {
  const Scalar scalar = Scalar::from_uniform(random_secret<crypto::kUniformBytes>().expose());
  const auto uniform = random_bytes<2 * kBaseOtCount * crypto::kUniformBytes>();
  Bytes elements(kBaseOtReceiverBytes), products(kBaseOtReceiverBytes);
  crypto::map_all(uniform, elements);
  return limits::best_seconds(
      [&] { benchmark::DoNotOptimize(crypto::add_mapped_and_multiply_all(scalar, elements, uniform, products)); });
}

double group_operations_of_receiver() {
  const auto uniform = random_bytes<kBaseOtCount * crypto::kUniformBytes>();
  std::vector<Scalar> scalars;
  for (std::size_t i = 0; i < kBaseOtCount; ++i)
    scalars.push_back(Scalar::from_uniform(random_secret<crypto::kUniformBytes>().expose()));
  Bytes elements(kBaseOtCount * kElementBytes), products(kBaseOtCount * kElementBytes);
  return limits::best_seconds([&] {
    crypto::map_all(uniform, elements);
    benchmark::DoNotOptimize(crypto::multiply_base_and_subtract_mapped(scalars, uniform, products));
    benchmark::DoNotOptimize(
        crypto::multiply_one_by_each(scalars, std::span<const std::byte>(elements).first<kElementBytes>(), products));
  });
}

void base_ot_sender(benchmark::State& state) {
  const BaseOtReceiver receiver(kSession, Block{5, 6}, coins(2));
  for (auto _ : state) {
    const BaseOtSender sender(kSession, coins(1));
    benchmark::DoNotOptimize(sender.keys(receiver.message()));
  }
  set_items(state, kBaseOtCount);
  set_limit(state, "its batches of operations in the group", {group_operations_of_sender()});
}
BENCHMARK(base_ot_sender)->Name("base_ot/sender")->Unit(benchmark::kMillisecond);

void base_ot_receiver(benchmark::State& state) {
  const BaseOtSender sender(kSession, coins(1));
  for (auto _ : state) {
    const BaseOtReceiver receiver(kSession, Block{5, 6}, coins(2));
    benchmark::DoNotOptimize(receiver.keys(sender.message().encoding()));
  }
  set_items(state, kBaseOtCount);
  set_limit(state, "its batches of operations in the group", {group_operations_of_receiver()});
}
BENCHMARK(base_ot_receiver)->Name("base_ot/receiver")->Unit(benchmark::kMillisecond);

// --- extension ------------------------------------------------------------------------------------------------------

/// Seconds of the stream of 128 columns.
double columns(std::size_t blocks) {
  SecretBytes stream(kColumns * blocks * kBlockBytes);
  const crypto::Drbg drbg = coins(9);
  return limits::best_seconds([&] { drbg.fill(0, stream.expose_mutable()); });
}

void extension(benchmark::State& state) {
  const bool receives = state.range(1) == 0;
  const std::size_t blocks = plan_for(state).extension_blocks();
  const Block delta{5, 6};
  ThreadPool pool(1);
  const BaseOtSender base_sender(kSession, coins(1));
  const BaseOtReceiver base_receiver(kSession, delta, coins(2));
  const auto pairs = base_sender.keys(base_receiver.message());
  const auto chosen = base_receiver.keys(base_sender.message().encoding());
  const ExtensionReceiver receiver(kSession, *pairs, crypto::SecretBlocks(blocks), pool);
  const Block challenge{7, 8};
  const Bytes response = receiver.respond(challenge);
  for (auto _ : state) {
    if (receives) {
      const ExtensionReceiver again(kSession, *pairs, crypto::SecretBlocks(blocks), pool);
      benchmark::DoNotOptimize(again.respond(challenge));
    } else {
      const ExtensionSender sender(kSession, delta, *chosen, blocks, receiver.correction(), pool);
      if (!sender.verify(challenge, response)) return state.SkipWithError("the columns differ");
    }
  }
  set_items(state, kColumns * blocks);
  set_limit(state, receives ? "receiver; the stream of 256 columns" : "sender; the stream of 128 columns",
            {(receives ? 2 : 1) * columns(blocks)});
}
BENCHMARK(extension)
    ->Name("extension_with_check/log2/sender")
    ->ArgsProduct({{16, 18, 20}, {0, 1}})
    ->Unit(benchmark::kMillisecond);

// --- trees ----------------------------------------------------------------------------------------------------------

/// Both children of every parent of one tree.
double tree_seconds(const TreeSizes& tree) {
  std::size_t children = 0;
  for (std::size_t level = 0; level < tree.depth; ++level) children += 2 * tree.parents(level);
  return static_cast<double>(children) / limits::aes_blocks();
}

void grow_all(benchmark::State& state) {
  const Sizes sizes = plan_for(state).sizes;
  const TreePermutations permutations(kSession);
  TreeWorkspace workspace(sizes.tree);
  std::vector<LevelSums> sums(sizes.tree.depth);
  crypto::SecretBlocks leaves(sizes.inputs);
  for (auto _ : state) {
    for (std::size_t i = 0; i < kNoiseWeight; ++i) {
      benchmark::DoNotOptimize(grow(permutations, sizes.tree, Block{i, 1}, sums,
                                    leaves.expose_mutable().subspan(i * sizes.tree.leaves, sizes.tree.leaves),
                                    workspace));
    }
  }
  set_items(state, sizes.inputs);
  set_limit(state, "AES from registers, or writing the leaves",
            {kNoiseWeight * tree_seconds(sizes.tree),
             static_cast<double>(sizes.inputs * kBlockBytes) / limits::memory_write()});
}
BENCHMARK(grow_all)->Name("trees/sender/log2")->Apply(sizes);

void grow_all_punctured(benchmark::State& state) {
  const Sizes sizes = plan_for(state).sizes;
  const TreePermutations permutations(kSession);
  TreeWorkspace workspace(sizes.tree);
  const std::vector<Block> known(sizes.tree.depth);
  crypto::SecretBlocks leaves(sizes.tree.leaves);
  for (auto _ : state) {
    for (std::size_t i = 0; i < kNoiseWeight; ++i) {
      const auto position = static_cast<std::uint32_t>(i * 17 % sizes.tree.leaves);
      benchmark::DoNotOptimize(
          grow_punctured(permutations, sizes.tree, position, known, leaves.expose_mutable(), workspace));
    }
  }
  set_items(state, sizes.inputs);
  set_limit(state, "AES from registers", {kNoiseWeight * tree_seconds(sizes.tree)});
}
BENCHMARK(grow_all_punctured)->Name("trees/receiver/log2")->Apply(sizes);

// --- code -----------------------------------------------------------------------------------------------------------

/// Seconds that the code needs by itself: its coins from registers, its picks from strata that a cache holds or not,
/// and each position of the part that it accumulates read and written once, with `record_bytes` at each.
double code_seconds(const Sizes& sizes, std::size_t record_bytes) {
  const std::size_t noise_part = sizes.inputs - sizes.outputs;
  const auto outputs = static_cast<double>(sizes.outputs);
  const double picks = Code::kPicks * outputs / limits::random_reads(noise_part / Code::kPicks * record_bytes);
  const double moved = static_cast<double>(noise_part * record_bytes) / limits::memory_update();
  const double pick_coins = Code::kPicks * outputs * crypto::kPickBytes / kBlockBytes;
  const double tap_coins =
      static_cast<double>(noise_part / crypto::kRowsPerGroup * crypto::kGroupCoinBytes) / kBlockBytes;
  return std::max(picks + moved, (pick_coins + tap_coins) / limits::aes_blocks());
}

constexpr std::size_t kRange = 84'000;  // outputs of one bin of the receiver's sparse encoding

void encode_sender(benchmark::State& state) {
  const Sizes sizes = plan_for(state).sizes;
  const Code code(Digest{}, sizes.outputs, sizes.inputs);
  crypto::SecretBlocks e(code.noise_part()), out(code.outputs());
  e.expose_mutable()[0] = {1, 2};
  for (auto _ : state) {
    code.accumulate(e.expose_mutable());
    for (std::size_t begin = 0; begin < code.outputs(); begin += kRange)
      code.expand(e.expose(), begin, out.expose_mutable().subspan(begin, std::min(kRange, code.outputs() - begin)));
  }
  set_items(state, code.outputs());
  set_limit(state, "21 random reads an output, one update of the noise part", {code_seconds(sizes, kBlockBytes)});
}
BENCHMARK(encode_sender)->Name("code/sender/log2")->Apply(sizes);

void encode_receiver(benchmark::State& state) {
  const Sizes sizes = plan_for(state).sizes;
  const Code code(Digest{}, sizes.outputs, sizes.inputs);
  crypto::SecretArray<BlockPair> e(code.noise_part());
  crypto::SecretBlocks firsts(code.outputs()), seconds(code.outputs());
  e.expose_mutable()[0] = {{1, 2}, {3, 4}};
  for (auto _ : state) {
    code.accumulate(e.expose_mutable());
    for (std::size_t begin = 0; begin < code.outputs(); begin += kRange) {
      const std::size_t count = std::min(kRange, code.outputs() - begin);
      code.expand(e.expose(), begin, firsts.expose_mutable().subspan(begin, count),
                  seconds.expose_mutable().subspan(begin, count));
    }
  }
  set_items(state, code.outputs());
  set_limit(state, "21 random reads an output, one update of the noise part", {code_seconds(sizes, sizeof(BlockPair))});
}
BENCHMARK(encode_receiver)->Name("code/receiver/log2")->Apply(sizes);

// --- the whole ------------------------------------------------------------------------------------------------------

struct PartyTime {
  double seconds = 0;
  Status status;
};

/// One party's processor time, from nothing to all outputs. `body` speaks the protocol and asks for the outputs.
template <typename Body>
PartyTime run_party(Role role, Channel& channel, const Body& body) {
  ThreadPool pool(1);
  SilentProgress progress;
  psi::detail::Work work(pool, progress);
  psi::detail::Conversation talk(channel, kSession, role);
  const Secret<32> seed = random_secret<32>();
  const double begin = thread_cpu_seconds();
  Status status = body(seed, talk, work);
  return {thread_cpu_seconds() - begin, std::move(status)};
}

Status run_sender(const Plan& plan, const Secret<32>& seed, psi::detail::Conversation& talk, psi::detail::Work& work) {
  Sender sender(kSession, seed, plan, talk, work);
  TRY_STATUS(talk.send(MessageType::sender_hello, sender.first_message()));
  TRY(const Bytes hello, talk.receive(MessageType::receiver_hello, kBaseOtSenderBytes));
  TRY_STATUS(sender.extend(hello));
  crypto::SecretBlocks b(kRange);
  for (std::size_t instance = 0; instance < plan.instances; ++instance) {
    TRY_STATUS(sender.next_instance());
    for (std::size_t begin = 0; begin < plan.sizes.outputs; begin += kRange)
      sender.outputs(begin, b.expose_mutable().first(std::min(kRange, plan.sizes.outputs - begin)));
  }
  return {};
}

Status run_receiver(const Plan& plan, const Secret<32>& seed, psi::detail::Conversation& talk,
                    psi::detail::Work& work) {
  Receiver receiver(kSession, seed, plan, talk, work);
  TRY_STATUS(talk.send(MessageType::receiver_hello, receiver.first_message()));
  TRY(const Bytes hello, talk.receive(MessageType::sender_hello, kBaseOtReceiverBytes));
  TRY_STATUS(receiver.extend(hello));
  TRY_STATUS(receiver.answer_challenge());
  crypto::SecretBlocks a(kRange), c(kRange);
  for (std::size_t instance = 0; instance < plan.instances; ++instance) {
    TRY_STATUS(receiver.next_instance());
    for (std::size_t begin = 0; begin < plan.sizes.outputs; begin += kRange) {
      const std::size_t count = std::min(kRange, plan.sizes.outputs - begin);
      receiver.outputs(begin, a.expose_mutable().first(count), c.expose_mutable().first(count));
    }
  }
  return {};
}

/// The time is the processor time of both parties together; their own are counters.
void whole(benchmark::State& state) {
  const Plan plan = plan_for(state);
  const auto outputs = static_cast<double>(plan.instances * plan.sizes.outputs);
  double of_receiver = 0, of_sender = 0;
  std::uint64_t bytes = 0;
  for (auto _ : state) {
    MemoryChannels channels = memory_channels();
    PartyTime sent;
    std::thread other([&] {
      sent = run_party(Role::sender, *channels.second, [&](auto&&... with) { return run_sender(plan, with...); });
      if (!sent.status) channels.second.reset();
    });
    const PartyTime received =
        run_party(Role::receiver, *channels.first, [&](auto&&... with) { return run_receiver(plan, with...); });
    if (!received.status) channels.first.reset();
    other.join();
    if (failed(state, received.status) || failed(state, sent.status)) return;
    state.SetIterationTime(received.seconds + sent.seconds);
    of_receiver += received.seconds;
    of_sender += sent.seconds;
    bytes += channels.first->bytes_sent() + channels.second->bytes_sent();
  }
  const auto runs = static_cast<double>(state.iterations());
  set_items(state, static_cast<std::size_t>(outputs));
  state.counters["receiver_ms"] = of_receiver / runs * 1e3;
  state.counters["sender_ms"] = of_sender / runs * 1e3;
  state.counters["bytes_an_output"] = static_cast<double>(bytes) / runs / outputs;
  const double base =
      group_operations_of_sender() + group_operations_of_receiver() + 3 * columns(plan.extension_blocks());
  const double trees = 2 * kNoiseWeight * tree_seconds(plan.sizes.tree);
  const double codes = code_seconds(plan.sizes, kBlockBytes) + code_seconds(plan.sizes, sizeof(BlockPair));
  set_limit(state, "the sum of those of all its steps", {base + static_cast<double>(plan.instances) * (trees + codes)});
}
BENCHMARK(whole)->Name("vole_processor_time_of_both/log2")->Apply(sizes)->UseManualTime();

}  // namespace
}  // namespace parley::psi::vole

int main(int argc, char** argv) {
  return parley::run_benchmarks(argc, argv);
}
