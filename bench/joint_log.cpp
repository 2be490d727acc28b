// An entry from append() until the cosignatures of all others are back, over everything that a session uses: JointLog,
// a vault and a guard for each member on this machine's disk, TLS links on loopback. All members are in one process, so
// they share its processors. Each appending thread has a link of its own to each other member, as sessions do.
#include "group/joint_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <future>
#include <thread>

#include "base/file.h"
#include "crypto/ed25519.h"
#include "log/entry.h"
#include "node/listener.h"
#include "timing.h"

namespace parley::group {
namespace {

constexpr std::string_view kGroup = "7d1f3c907d1f3c907d1f3c907d1f3c90";
constexpr auto kPatience = std::chrono::seconds(30);
constexpr std::size_t kBodyBytes = 300;  // of a step of a session

struct Seeds {
  Secret<32> node = random_secret<32>(), log = random_secret<32>(), cosign = random_secret<32>();
  Secret<32> tls = random_secret<32>();
};

/// One member: its keys, its vault, its logs.
struct Member {
  explicit Member(std::size_t number) : nick(fmt::format("m{:02}", number)) {
    const std::string name = "parley.example/g/7d1f3c90/m/" + nick;
    keys = {nick, log::vkey_of(name + "/node", log::KeyType::ed25519, seeds.node),
            log::vkey_of(name, log::KeyType::ed25519, seeds.log),
            log::vkey_of(name + "/mirror", log::KeyType::cosignature, seeds.cosign)};
  }
  Status open(const std::filesystem::path& folder, const std::vector<log::MemberKeys>& all, std::size_t self) {
    const std::filesystem::path home = folder / nick;
    std::filesystem::create_directory(home);
    vault::Unlock unlock;
    unlock.key_file = random_secret<32>();
    TRY_STATUS(vault::Vault::create(home, unlock));
    TRY(vault, vault::Vault::open(home, unlock));
    TRY(OpenReplica replica,
        open_replica(*vault, home, {.id = std::string(kGroup), .members = all, .self = self, .charter = {}},
                     mirror::OwnSeeds{seeds.node.clone(), seeds.log.clone(), seeds.cosign.clone()}));
    log = std::make_unique<JointLog>(std::string(kGroup), nick, log::Json::Object{{"v", 1}}, std::move(replica));
    return {};
  }
  wire::LocalIdentity identity() const { return {nick, keys.node.name, seeds.node.clone(), seeds.tls.clone()}; }
  wire::PinnedPeer pin() const { return {nick, nick, keys.node.text(), crypto::public_key_of(seeds.tls)}; }

  std::string nick;
  Seeds seeds;
  log::MemberKeys keys;
  std::unique_ptr<vault::Vault> vault;
  std::unique_ptr<JointLog> log;
};

/// Both ends of a link; the other member takes what comes until the link ends.
class Wire {
 public:
  static Result<std::unique_ptr<Wire>> connect(Member& from, Member& to) {
    TRY(auto listener, node::Listener::open("127.0.0.1:0"));
    auto served = std::async(std::launch::async, [&]() -> Result<std::unique_ptr<wire::Link>> {
      auto incoming = listener.next();
      if (!incoming) return fail(Errc::io, "Nobody connected.");
      return wire::accept(std::move(incoming->connection), to.identity(), [&](const ByteArray<32>& key) {
        return key == from.pin().tls_key ? std::optional(from.pin()) : std::nullopt;
      });
    });
    auto wire = std::make_unique<Wire>();
    auto connected = wire::connect(listener.address(), from.identity(), to.pin());
    auto accepted = served.get();
    if (!connected) return std::unexpected(connected.error());
    if (!accepted) return std::unexpected(accepted.error());
    wire->here_ = *std::move(connected);
    wire->there_ = *std::move(accepted);
    wire->link_.emplace(*wire->here_, *from.log);
    std::promise<Status> heard;
    std::future<Status> both_heard = heard.get_future();
    wire->mirror_ = std::thread([wire = wire.get(), &to, heard = std::move(heard)]() mutable {
      LogLink link(*wire->there_, *to.log);
      const Status done = link.exchange_heads(deadline_in(kPatience));
      heard.set_value(done);
      if (!done) return;
      while (link.wait_readable(deadline_in(kPatience))) {
      }
    });
    TRY_STATUS(wire->link_->exchange_heads(deadline_in(kPatience)));
    TRY_STATUS(both_heard.get());
    return wire;
  }
  Wire() = default;
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  ~Wire() {
    if (there_) there_->shut_down();
    if (mirror_.joinable()) mirror_.join();
  }
  LogLink& link() { return *link_; }

 private:
  std::unique_ptr<wire::Link> here_, there_;
  std::optional<LogLink> link_;
  std::thread mirror_;
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
    wires_.clear();
    members_.clear();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  Status open(std::size_t count, std::size_t threads) {
    std::vector<log::MemberKeys> keys;
    for (std::size_t i = 0; i < count; ++i) keys.push_back(members_.emplace_back(i).keys);
    for (std::size_t i = 0; i < count; ++i) TRY_STATUS(members_[i].open(folder_, keys, i));
    // Members other than the first hear of each other too, so that they may cosign.
    for (std::size_t i = 1; i < count; ++i)
      for (std::size_t j = i + 1; j < count; ++j) TRY_STATUS(meet(members_[i], members_[j]));
    wires_.resize(threads);
    for (auto& of_thread : wires_) {
      for (std::size_t i = 1; i < count; ++i) {
        TRY(auto wire, Wire::connect(members_[0], members_[i]));
        of_thread.push_back(std::move(wire));
      }
    }
    return append(0);
  }

  const std::filesystem::path& folder() const { return folder_; }

  /// One entry of the first member, by one of the threads; held by all when it returns.
  Status append(std::size_t thread) {
    TRY(const mirror::EntryView entry,
        members_[0].log->append({.type = std::string(log::kHeads),
                                 .session = {},
                                 .refs = {},
                                 .audience = {std::string(log::kEveryone)},
                                 .body = log::Json::Object{{"text", std::string(kBodyBytes, 'x')}, {"v", 1}}}));
    for (const auto& wire : wires_[thread]) TRY_STATUS(wire->link().push(deadline_in(kPatience)));
    for (const auto& wire : wires_[thread]) TRY_STATUS(wire->link().await_held(entry, deadline_in(kPatience)));
    return {};
  }

 private:
  static Status meet(Member& one, Member& other) {
    TRY(const auto wire, Wire::connect(one, other));
    return {};
  }

  std::filesystem::path folder_;
  std::deque<Member> members_;
  std::vector<std::vector<std::unique_ptr<Wire>>> wires_;
};

/// Milliseconds that each of some writes takes until it is durable, of as much as an entry makes a vault write: an
/// append waits for three, one after the other, whoever computes how fast (the author's vault, its guard, the other's
/// vault).
std::vector<double> durable_writes(const std::filesystem::path& folder) {
  constexpr std::size_t kWrites = 100, kBytes = 32 * 1024;
  const FileDescriptor file(::open((folder / "durable").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  const std::vector<char> all(kWrites * kBytes, 'x');  // the file has its length before anything is measured
  if (::pwrite(file.get(), all.data(), all.size(), 0) < 0 || ::fdatasync(file.get()) != 0) return {};
  std::vector<double> milliseconds;
  for (std::size_t i = 0; i < kWrites; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    if (::pwrite(file.get(), all.data(), kBytes, static_cast<off_t>(i * kBytes)) < 0 || ::fdatasync(file.get()) != 0)
      return {};
    milliseconds.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
  }
  std::ranges::sort(milliseconds);
  return milliseconds;
}

double percentile(const std::vector<double>& sorted, double which) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<std::size_t>(which * static_cast<double>(sorted.size() - 1))];
}

double peak_memory_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

/// Threads that append one entry after the other for some seconds.
void append_and_cosign(benchmark::State& state) {
  constexpr auto kBlock = std::chrono::milliseconds(500);
  const auto threads = static_cast<std::size_t>(state.range(1));
  Group group;
  if (failed(state, group.open(static_cast<std::size_t>(state.range(0)), threads))) return;
  std::vector<std::vector<double>> milliseconds(threads);
  for (auto _ : state) {
    const auto end = std::chrono::steady_clock::now() + kBlock;
    std::vector<std::future<Status>> running;
    for (std::size_t i = 0; i < threads; ++i) {
      running.push_back(std::async(std::launch::async, [&, i]() -> Status {
        for (auto begin = std::chrono::steady_clock::now(); begin < end;) {
          TRY_STATUS(group.append(i));
          const auto now = std::chrono::steady_clock::now();
          milliseconds[i].push_back(std::chrono::duration<double, std::milli>(now - begin).count());
          begin = now;
        }
        return {};
      }));
    }
    for (auto& one : running)
      if (const Status done = one.get(); failed(state, done)) return;
  }
  const std::vector<double> writes = durable_writes(group.folder());
  std::vector<double> all;
  for (const auto& some : milliseconds) all.insert(all.end(), some.begin(), some.end());
  std::ranges::sort(all);
  state.SetItemsProcessed(static_cast<std::int64_t>(all.size()));
  state.counters["p50_ms"] = percentile(all, 0.50);
  state.counters["p99_ms"] = percentile(all, 0.99);
  state.counters["durable_p50_ms"] = percentile(writes, 0.50);
  state.counters["durable_p99_ms"] = percentile(writes, 0.99);
  state.counters["peak_bytes"] = peak_memory_bytes();
}
BENCHMARK(append_and_cosign)
    ->Name("joint_log/append/members/threads")
    ->Args({2, 1})
    ->Args({2, 4})
    ->Args({2, 16})
    ->Args({16, 1})
    ->Args({16, 4})
    ->Args({16, 16})
    ->MinTime(3)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace parley::group

int main(int argc, char** argv) {
  return parley::run_benchmarks(argc, argv);
}
