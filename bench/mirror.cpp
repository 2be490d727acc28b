// An entry from append() until the owner holds the cosignatures of all others: every member over a vault of its own on
// this machine's temporary folder, all in one process and one thread, without a network.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <filesystem>

#include "mirror/replica.h"
#include "mirror/vault_store.h"
#include "timing.h"

namespace parley::mirror {
namespace {

constexpr std::string_view kGroup = "7d1f3c907d1f3c907d1f3c907d1f3c90";
constexpr std::int64_t kNow = 1'790'000'000;

/// One member: keys, a vault, a replica.
struct Member {
  explicit Member(std::size_t number) : nick(fmt::format("m{:02}", number)) {
    const std::string name = "parley.example/g/7d1f3c90/m/" + nick;
    keys = {nick, log::vkey_of(name + "/node", log::KeyType::ed25519, node),
            log::vkey_of(name, log::KeyType::ed25519, log),
            log::vkey_of(name + "/mirror", log::KeyType::cosignature, cosign)};
  }
  std::string nick;
  Secret<32> node = random_secret<32>();
  Secret<32> log = random_secret<32>();
  Secret<32> cosign = random_secret<32>();
  log::MemberKeys keys;
  std::unique_ptr<vault::Vault> vault;
  std::unique_ptr<VaultStore> store;
  std::optional<FileGuard> guard;
  std::unique_ptr<Replica> replica;
};

class Group {
 public:
  Group() {
    std::string name = (std::filesystem::temp_directory_path() / "parley-bench-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group() {
    members_.clear();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  Status open(std::size_t count) {
    std::vector<log::MemberKeys> keys;
    for (std::size_t i = 0; i < count; ++i) keys.push_back(members_.emplace_back(i).keys);
    for (std::size_t i = 0; i < count; ++i) {
      Member& member = members_[i];
      const std::filesystem::path home = folder_ / member.nick;
      std::filesystem::create_directory(home);
      vault::Unlock unlock;
      unlock.key_file = random_secret<32>();
      TRY_STATUS(vault::Vault::create(home, unlock));
      TRY(member.vault, vault::Vault::open(home, unlock));
      member.store = std::make_unique<VaultStore>(*member.vault, std::string(kGroup), keys, i);
      TRY(FileGuard guard, FileGuard::open(home / "signed"));
      member.guard.emplace(std::move(guard));
      TRY(member.replica,
          Replica::open({.id = std::string(kGroup), .members = keys, .self = i, .charter = {}},
                        mirror::OwnSeeds{member.node.clone(), member.log.clone(), member.cosign.clone()}, *member.store,
                        *member.guard));
    }
    for (Member& member : members_)
      for (const Member& peer : members_)
        if (peer.nick != member.nick) member.replica->connected(peer.nick);
    for (int round = 0; round < 3; ++round) TRY_STATUS(exchange());
    return append(log::kLogOpen);
  }

  /// One entry of the first member, held by all when it returns.
  Status append(std::string_view type) {
    TRY(const EntryView entry,
        members_[0].replica->append({.type = std::string(type), .session = {}, .refs = {}, .audience = {"*"}}, kNow));
    for (std::size_t i = 1; i < members_.size(); ++i) TRY_STATUS(exchange(0, i));
    if (!members_[0].replica->is_final(members_[0].nick, entry.entry.seq + 1))
      return fail(Errc::internal, "An entry was not cosigned by all.");
    return {};
  }

 private:
  Status exchange() {
    for (std::size_t a = 0; a < members_.size(); ++a)
      for (std::size_t b = 0; b < members_.size(); ++b)
        if (a != b) TRY_STATUS(exchange(a, b));
    return {};
  }
  /// What `a` has for `b`, and what that brings back.
  Status exchange(std::size_t a, std::size_t b) {
    TRY(const std::vector<Message> messages, members_[a].replica->to_send(members_[b].nick));
    for (const Message& message : messages) {
      TRY(const Outcome there, members_[b].replica->take(members_[a].nick, message, kNow));
      for (const Message& reply : there.replies) {
        TRY([[maybe_unused]] const Outcome back, members_[a].replica->take(members_[b].nick, reply, kNow));
      }
    }
    return {};
  }

  std::filesystem::path folder_;
  std::deque<Member> members_;
};

double percentile(const std::vector<double>& sorted, double which) {
  return sorted[static_cast<std::size_t>(which * static_cast<double>(sorted.size() - 1))];
}

void append_and_cosign(benchmark::State& state) {
  Group group;
  if (failed(state, group.open(static_cast<std::size_t>(state.range(0))))) return;
  std::vector<double> milliseconds;
  for (auto _ : state) {
    const auto begin = std::chrono::steady_clock::now();
    if (failed(state, group.append(log::kHeads))) return;
    milliseconds.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
  }
  std::ranges::sort(milliseconds);
  set_items(state, 1);
  state.counters["p50_ms"] = percentile(milliseconds, 0.50);
  state.counters["p99_ms"] = percentile(milliseconds, 0.99);
}
BENCHMARK(append_and_cosign)
    ->Name("mirror/append_and_cosign")
    ->Arg(2)
    ->Arg(16)
    ->MinTime(3)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace parley::mirror

int main(int argc, char** argv) {
  return parley::run_benchmarks(argc, argv);
}
