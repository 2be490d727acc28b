// A node with a long log: a vault with a member's own log of so many entries, each with a body, a checkpoint by the
// owner and a cosignature by another member behind every sixteenth. Opening it as a node does when it starts, and
// deriving it anew (parley log fsck). The memory is that of the whole process up to then.
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>

#include "base/thread_pool.h"
#include "crypto/ed25519.h"
#include "log/checkpoint.h"
#include "log/entry.h"
#include "log/frontier.h"
#include "mirror/check.h"
#include "mirror/replica.h"
#include "mirror/vault_store.h"
#include "timing.h"

namespace parley::mirror {
namespace {

constexpr std::string_view kGroup = "7d1f3c907d1f3c907d1f3c907d1f3c90";
constexpr std::int64_t kNow = 1'790'000'000;
constexpr std::uint64_t kPart = 16;          // entries behind which there is a checkpoint
constexpr std::uint64_t kPartsAtOnce = 256;  // in one transaction
constexpr std::size_t kBodyBytes = 300;      // of a step of a session

struct Keys {
  explicit Keys(std::string_view nick) {
    const std::string name = fmt::format("parley.example/g/7d1f3c90/m/{}", nick);
    keys = {std::string(nick), log::vkey_of(name + "/node", log::KeyType::ed25519, seeds.node),
            log::vkey_of(name, log::KeyType::ed25519, seeds.log),
            log::vkey_of(name + "/mirror", log::KeyType::cosignature, seeds.cosign)};
  }
  OwnSeeds seeds{random_secret<32>(), random_secret<32>(), random_secret<32>()};
  log::MemberKeys keys;
};

std::string line_of(const log::NoteSignature& signature) {
  const std::string note = log::write_note({"\n", {signature}});
  return note.substr(2, note.size() - 3);
}

/// A vault in a folder of its own, made once for each length.
class LongLog {
 public:
  static Result<LongLog*> of(std::uint64_t entries) {
    static std::map<std::uint64_t, std::unique_ptr<LongLog>> made;
    auto& log = made[entries];
    if (!log) {
      log = std::make_unique<LongLog>();
      TRY_STATUS(log->write(entries));
    }
    return log.get();
  }
  LongLog() {
    std::string name = (std::filesystem::temp_directory_path() / "parley-bench-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    unlock_.key_file = random_secret<32>();
  }
  LongLog(const LongLog&) = delete;
  LongLog& operator=(const LongLog&) = delete;
  ~LongLog() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  Result<std::unique_ptr<vault::Vault>> open() const { return vault::Vault::open(folder_, unlock_); }
  VaultStore store(vault::Vault& vault) const { return {vault, std::string(kGroup), members_, 0}; }
  Result<std::unique_ptr<Replica>> replica(Store& store, Guard& guard) const {
    const OwnSeeds& seeds = alpha_.seeds;
    return Replica::open({.id = std::string(kGroup), .members = members_, .self = 0, .charter = {}},
                         OwnSeeds{seeds.node.clone(), seeds.log.clone(), seeds.cosign.clone()}, store, guard);
  }
  const std::filesystem::path& folder() const { return folder_; }
  const std::vector<log::MemberKeys>& members() const { return members_; }
  double bytes() const { return static_cast<double>(std::filesystem::file_size(folder_ / "vault.db")); }

 private:
  Status write(std::uint64_t entries) {
    TRY_STATUS(vault::Vault::create(folder_, unlock_));
    TRY(const auto vault, open());
    VaultStore store = this->store(*vault);
    TRY(FileGuard guard, FileGuard::open(folder_ / "signed"));
    const crypto::SigningKey node(alpha_.seeds.node), log_key(alpha_.seeds.log), cosign(bravo_.seeds.cosign);
    log::LogState state;
    log::Frontier frontier;
    while (state.size < entries) {
      const Status done = vault->together([&]() -> Status {
        for (std::uint64_t i = 0; i < kPartsAtOnce && state.size < entries; ++i)
          TRY_STATUS(write_part(store, entries, node, log_key, cosign, state, frontier));
        return {};
      });
      TRY_STATUS(done);
    }
    return guard.advance({frontier.size(), frontier.root()});
  }

  Status write_part(VaultStore& store, std::uint64_t entries, const crypto::SigningKey& node,
                    const crypto::SigningKey& log_key, const crypto::SigningKey& cosign, log::LogState& state,
                    log::Frontier& frontier) const {
    vault::LogGrowth growth;
    growth.origin = alpha_.keys.log.name;
    growth.from = state.size;
    for (std::uint64_t i = 0; i < kPart && state.size < entries; ++i) {
      TRY(const log::Body body, log::make_body(log::Json::Object{{"text", std::string(kBodyBytes, 'x')}, {"v", 1}}));
      log::Entry entry;
      entry.author = alpha_.keys.nick;
      entry.seq = state.size;
      entry.prev = state.last;
      entry.audience = {"bravo"};
      entry.body = body.commitment();
      entry.time = kNow;
      entry.type = state.size == 0 ? log::kLogOpen : log::kHeads;
      TRY(std::string leaf, log::make_entry(entry, alpha_.keys.node.name, node));
      const Digest hash = log::leaf_hash(as_bytes(leaf));
      frontier.append(hash, [&](const log::TreeNode&, const Digest& one) { growth.nodes.push_back(one); });
      growth.leaves.push_back({hash, std::move(leaf)});
      growth.bodies.push_back({hash, body.salt, to_bytes(as_bytes(body.text))});
      state = {state.size + 1, hash, kNow, false};
    }
    const log::Checkpoint checkpoint{growth.origin, frontier.size(), frontier.root()};
    growth.checkpoint =
        vault::LogCheckpoint{checkpoint.size, checkpoint.root, log::sign_checkpoint(checkpoint, log_key)};
    growth.cosignatures = {
        {checkpoint.size, "bravo",
         line_of(log::cosign(checkpoint, bravo_.keys.cosign.name, cosign, static_cast<std::uint64_t>(kNow)))}};
    return store.commit({.growth = {std::move(growth)}, .steps = {}, .faults = {}, .repairs = {}}, {});
  }

  Keys alpha_{"alpha"}, bravo_{"bravo"};
  std::vector<log::MemberKeys> members_{alpha_.keys, bravo_.keys};
  std::filesystem::path folder_;
  vault::Unlock unlock_;
};

double peak_memory_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

/// The vault, checked from its first page to its last, and the replica over it. The key file needs no Argon2id.
void cold_start(benchmark::State& state) {
  auto log = LongLog::of(static_cast<std::uint64_t>(state.range(0)));
  if (failed(state, log)) return;
  for (auto _ : state) {
    auto vault = (*log)->open();
    if (failed(state, vault)) return;
    VaultStore store = (*log)->store(**vault);
    auto guard = FileGuard::open((*log)->folder() / "signed");
    if (failed(state, guard)) return;
    const auto replica = (*log)->replica(store, *guard);
    if (failed(state, replica)) return;
    if ((*replica)->size("alpha") != static_cast<std::uint64_t>(state.range(0)) || (*replica)->damaged("alpha"))
      state.SkipWithError("The log is not what was written.");
  }
  state.counters["vault_bytes"] = (*log)->bytes();
  state.counters["peak_bytes"] = peak_memory_bytes();
}
BENCHMARK(cold_start)
    ->Name("log_vault/cold_start/entries")
    ->Arg(20'000)
    ->Arg(1'000'000)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

/// What the passphrase adds to it, whatever is in the vault.
void unlock_by_passphrase(benchmark::State& state) {
  std::string name = (std::filesystem::temp_directory_path() / "parley-bench-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(name.data());
  vault::Unlock unlock;
  unlock.passphrase = SecretBytes(as_bytes("a passphrase of a benchmark"));
  if (failed(state, vault::Vault::create(folder, unlock))) return;
  for (auto _ : state)
    if (failed(state, vault::Vault::open(folder, unlock))) return;
  std::filesystem::remove_all(folder);
}
BENCHMARK(unlock_by_passphrase)->Name("log_vault/argon2id")->UseRealTime()->Unit(benchmark::kMillisecond);

/// Libsodium's verification alone, as many as the log has signatures, in as many threads.
double bare_seconds(std::uint64_t signatures, ThreadPool& pool) {
  constexpr std::size_t kSample = 20'000;
  const Secret<32> seed = random_secret<32>();
  const std::string message(500, 'x');
  const auto signature = crypto::sign(seed, as_bytes(message));
  const auto key = crypto::public_key_of(seed);
  const auto begin = std::chrono::steady_clock::now();
  pool.parallel_for(kSample, 64, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i)
      benchmark::DoNotOptimize(crypto::verify(key, as_bytes(message), signature));
  });
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  return took.count() * static_cast<double>(signatures) / kSample;
}

void fsck(benchmark::State& state) {
  const auto entries = static_cast<std::uint64_t>(state.range(0));
  auto log = LongLog::of(entries);
  if (failed(state, log)) return;
  auto vault = (*log)->open();
  if (failed(state, vault)) return;
  VaultStore store = (*log)->store(**vault);
  ThreadPool pool(static_cast<std::size_t>(state.range(1)));
  const std::uint64_t signatures = entries + 2 * ((entries + kPart - 1) / kPart);
  double seconds = 0;
  double bare = 0;
  for (auto _ : state) {
    const auto begin = std::chrono::steady_clock::now();
    const auto defects = check_log(store, (*log)->members(), 0, 0, pool);
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (failed(state, defects)) return;
    if (!defects->empty()) state.SkipWithError("The log is not what was written.");
    state.PauseTiming();
    bare += bare_seconds(signatures, pool);
    state.ResumeTiming();
  }
  set_items(state, entries);
  state.counters["over_bare_verify"] = seconds / bare;
  state.counters["peak_bytes"] = peak_memory_bytes();
}
BENCHMARK(fsck)
    ->Name("log_vault/fsck/entries/threads")
    ->Args({20'000, 1})
    ->Args({20'000, 2})
    ->Args({1'000'000, 2})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace parley::mirror

int main(int argc, char** argv) {
  return parley::run_benchmarks(argc, argv);
}
