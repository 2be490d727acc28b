// What a session costs beyond its protocol: two members with a charter, vaults and logs on this machine's disk and a
// TLS link on loopback, from connecting to the last entry that both hold; and the same protocol alone, over the same
// kind of link, with as many elements. Both members are in one process, as in the tests, whose members these are.
#include <benchmark/benchmark.h>
#include <sys/syscall.h>

#include <atomic>

#include "psi/intersect/protocol.h"
#include "psi/limits.h"
#include "support/session_parties.h"
#include "timing.h"

namespace {
std::atomic<std::uint64_t> syncs = 0;
}  // namespace

// In the place of the C library's, for SQLite too.
extern "C" int fdatasync(int fd) {
  ++syncs;
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}
extern "C" int fsync(int fd) {
  ++syncs;
  return static_cast<int>(::syscall(SYS_fsync, fd));
}

namespace parley::session {
namespace {

std::vector<vault::TestRecord> names(const std::string& own, int count) {
  std::vector<vault::TestRecord> records;
  for (int i = 0; i < count; ++i)
    records.push_back(record(indicator::Type::domain, fmt::format("{}-{}.example", i % 2 == 0 ? "both" : own, i), own));
  return records;
}

psi::Elements elements(std::uint64_t count, const std::string& own) {
  psi::Elements items;
  for (std::uint64_t i = 0; i < count; ++i)
    items.push_back(as_bytes(fmt::format("{}-{}.example", i % 2 == 0 ? "both" : own, i)));
  return items;
}

/// The protocol of a session between the same two members, without its steps. @return seconds from connecting on
Result<double> run_alone(const Opened& asker, const Opened& answerer, const psi::Protocol& protocol,
                         std::uint64_t padded) {
  wire::Listener listener;
  const auto one_side = [&](wire::Link& link, psi::Role role, const std::string& own) -> Status {
    ThreadPool pool(1);
    SilentProgress progress;
    const psi::Parameters parameters{
        .role = role, .reply = psi::Reply::matched_tags, .session_id = {}, .peer_count = padded};
    const auto channel =
        wire::psi_channel(link, protocol.suite(), deadline_in(kPatience), 2 * padded * psi::kAheadBytesPerElement);
    TRY([[maybe_unused]] const psi::Outcome outcome,
        protocol.run(parameters, elements(padded, own), random_secret<32>(), *channel, pool, progress));
    return {};
  };
  const auto begin = std::chrono::steady_clock::now();
  auto answered = std::async(std::launch::async, [&]() -> Status {
    TRY(const auto link, wire::accept(listener.accept(), answerer.member.identity(), wire::only(asker.pin())));
    return one_side(*link, psi::Role::sender, "bravo");
  });
  const Status asked = [&]() -> Status {
    TRY(const auto link, wire::connect(listener.address(), asker.member.identity(), answerer.pin()));
    return one_side(*link, psi::Role::receiver, "alpha");
  }();
  TRY_STATUS(answered.get());
  TRY_STATUS(asked);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// One session, from connecting on. @return its id
Result<std::string> hold(Opened& asker, Opened& answerer, const group::SignedCharter& charter) {
  wire::Listener listener;
  auto answered = std::async(std::launch::async, [&]() -> Result<std::string> {
    TRY(const auto link, wire::accept(listener.accept(), answerer.member.identity(), wire::only(asker.pin())));
    group::LogLink log_link(*link, answerer.log(charter));
    const group::Membership membership = answerer.membership(charter);
    TRY(const ReceivedStep step, first_step(log_link));
    return session::answer(answerer.party(membership), log_link, step, test_limits(), accept_everything);
  });
  const auto asked = [&]() -> Result<std::string> {
    TRY(const auto link, wire::connect(listener.address(), asker.member.identity(), answerer.pin()));
    group::LogLink log_link(*link, asker.log(charter));
    const group::Membership membership = asker.membership(charter);
    return ask(asker.party(membership), log_link, which_addresses_and_names(), test_limits(), {});
  }();
  TRY([[maybe_unused]] const std::string same, answered.get());
  return asked;
}

/// Processor time of the whole process: what it costs whoever else uses the machine.
double process_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// One session after the other between the same two, each followed by its protocol alone.
void session_over_protocol(benchmark::State& state) {
  const auto items = static_cast<int>(state.range(0));
  const TestMember alpha("alpha", names("alpha", items)), bravo("bravo", names("bravo", items));
  Opened asker(alpha), answerer(bravo);
  std::vector<double> whole, alone, whole_cpu, alone_cpu;
  double synced = 0;
  const group::SignedCharter charter = charter_of(asker, answerer);
  // The first session begins both logs.
  if (failed(state, hold(asker, answerer, charter))) return;
  for (auto _ : state) {
    const std::uint64_t before = syncs;
    const double cpu_before = process_seconds();
    const auto begin = std::chrono::steady_clock::now();
    const auto session = hold(asker, answerer, charter);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    if (failed(state, session)) return;
    synced = static_cast<double>(syncs - before);
    const double cpu_between = process_seconds();
    const auto row = asker.vault->session(*session);
    if (failed(state, row)) return;
    const auto terms = read_terms(row->terms);
    const auto protocol = psi::protocol_named(outcome_of(*asker.vault, *session).protocol);
    if (failed(state, terms) || failed(state, protocol)) return;
    const auto bare = run_alone(asker, answerer, **protocol, terms->our_padded);
    if (failed(state, bare)) return;
    whole.push_back(took.count());
    alone.push_back(*bare);
    whole_cpu.push_back(cpu_between - cpu_before);
    alone_cpu.push_back(process_seconds() - cpu_between);
  }
  state.counters["session_ms"] = 1e3 * median(whole);
  state.counters["protocol_ms"] = 1e3 * median(alone);
  state.counters["overhead_ms"] = 1e3 * (median(whole) - median(alone));
  state.counters["overhead_cpu_ms"] = 1e3 * (median(whole_cpu) - median(alone_cpu));
  state.counters["syncs_of_both"] = synced;
}
BENCHMARK(session_over_protocol)
    ->Name("session/over_protocol/indicators")
    ->Arg(60)
    ->Arg(1000)
    ->Iterations(21)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace parley::session

int main(int argc, char** argv) {
  return parley::run_benchmarks(argc, argv);
}
