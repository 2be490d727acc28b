// A log of entries of about 500 bytes: hashing its leaves, its root, checking its chain with signatures, and proofs.
#include "crypto/ed25519.h"
#include "log/entry.h"
#include "log/frontier.h"
#include "timing.h"

namespace parley::log {
namespace {

Secret<32> seed_of(std::uint8_t which) {
  Secret<32> seed;
  seed.expose_mutable()[0] = static_cast<std::byte>(which);
  return seed;
}

const MemberKeys& alpha() {
  static const MemberKeys keys{"alpha", vkey_of("parley.example/g/7d1f3c90/m/alpha/node", KeyType::ed25519, seed_of(1)),
                               vkey_of("parley.example/g/7d1f3c90/m/alpha", KeyType::ed25519, seed_of(2)),
                               vkey_of("parley.example/g/7d1f3c90/m/alpha/mirror", KeyType::cosignature, seed_of(3))};
  return keys;
}

std::vector<std::string> entries(std::size_t count) {
  std::vector<std::string> leaves;
  LogState state;
  for (std::size_t i = 0; i < count; ++i) {
    Entry entry;
    entry.author = "alpha";
    entry.seq = state.size;
    entry.prev = state.last;
    entry.audience = {"bravo"};
    entry.time = 1'790'000'000;
    entry.type = i == 0 ? kLogOpen : kHeads;
    leaves.push_back(*make_entry(entry, alpha().node.name, seed_of(1)));
    state = {i + 1, leaf_hash(as_bytes(leaves.back())), entry.time, false};
  }
  return leaves;
}

/// Leaf hashes and root of a million leaves, without signatures.
void root_of_leaves(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const std::string leaf = entries(1)[0];
  for (auto _ : state) {
    Frontier frontier;
    for (std::size_t i = 0; i < count; ++i) frontier.append(leaf_hash(as_bytes(leaf)));
    benchmark::DoNotOptimize(frontier.root());
  }
  set_items(state, count);
}
BENCHMARK(root_of_leaves)->Name("log/root")->Arg(1'000'000);

/// Everything a mirror checks of each leaf before it cosigns.
void extend_log(benchmark::State& state) {
  const std::vector<std::string> leaves = entries(2000);
  const MemberKeys author = alpha();
  for (auto _ : state) {
    LogState log;
    for (const std::string& leaf : leaves) log = extend(log, leaf, author).value().state;
    benchmark::DoNotOptimize(log.size);
  }
  set_items(state, leaves.size());
}
BENCHMARK(extend_log)->Name("log/extend");

/// The same without the signatures: form, hash, tree and chain.
void follow_log(benchmark::State& state) {
  const std::vector<std::string> leaves = entries(2000);
  const MemberKeys author = alpha();
  for (auto _ : state) {
    LogState log;
    Frontier frontier;
    for (const std::string& leaf : leaves) {
      const Digest hash = leaf_hash(as_bytes(leaf));
      log = follow(log, read_entry_unverified(leaf).value(), hash).value().state;
      frontier.append(hash);
    }
    benchmark::DoNotOptimize(frontier.root());
  }
  set_items(state, leaves.size());
}
BENCHMARK(follow_log)->Name("log/follow");

/// What of that is the signature.
void verify_signature(benchmark::State& state) {
  const std::string message(400, 'x');
  const auto signature = crypto::sign(seed_of(1), as_bytes(message));
  for (auto _ : state) benchmark::DoNotOptimize(crypto::verify(alpha().node.key, as_bytes(message), signature));
  set_items(state, 1);
}
BENCHMARK(verify_signature)->Name("log/ed25519_verify");

void prove_and_verify(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  MerkleTree tree(std::vector<Digest>(count, leaf_hash(as_bytes("x"))));
  for (auto _ : state) {
    const auto proof = inclusion_proof(tree, count / 3, count);
    benchmark::DoNotOptimize(verify_inclusion(tree.leaves()[0], count / 3, count, *proof, tree.root()));
  }
  set_items(state, 1);
}
BENCHMARK(prove_and_verify)->Name("log/inclusion")->Arg(1'000'000);

}  // namespace
}  // namespace parley::log

int main(int argc, char** argv) {
  return parley::run_benchmarks(argc, argv);
}
