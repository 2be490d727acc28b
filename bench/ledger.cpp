// The disclosure ledger of a group of four: the fold of a million events, and of a million entries as they stand in the
// logs, with reading of headers and bodies.
#include "ledger/ledger.h"

#include "base/encoding.h"
#include "log/merkle.h"
#include "psi/intersect/choice.h"
#include "session/accounting.h"
#include "session/step.h"
#include "timing.h"

namespace parley::ledger {
namespace {

constexpr std::size_t kEventsASession = 8;
constexpr std::array<std::string_view, 3> kPeers = {"bravo", "carol", "delta"};

std::vector<Event> sessions(std::size_t count) {
  std::vector<Event> events;
  events.reserve(count * kEventsASession);
  TypeSet types;
  types.add(indicator::Type::ipv4);
  types.add(indicator::Type::domain);
  for (std::size_t i = 0; i < count; ++i) {
    const SessionId session = random_bytes<16>();
    const std::string_view peer = kPeers[i % kPeers.size()];
    const auto time = static_cast<UnixSeconds>(1'790'000'000 + 60 * i);
    const auto we = [&](Fact fact) { events.push_back({"alpha", peer, session, time, fact}); };
    const auto they = [&](Fact fact) { events.push_back({peer, peer, session, time, fact}); };
    const Resulted result{.learned = true, .count = static_cast<std::int64_t>(i % 100)};
    we(Proposed{.types = types, .entered = 1024});
    they(Accepted{.entered = 2048, .suite = 1});
    we(Ran{1024});
    they(Ran{2048});
    we(result);
    they(result);
    we(Closed{true});
    they(Closed{true});
  }
  return events;
}

Ledger folded(std::span<const Event> events) {
  Ledger ledger("alpha", {.receiver_tests = [](std::uint16_t, std::uint64_t entered) { return entered; }});
  for (const Event& event : events) ledger.take(event);
  return ledger;
}

void fold(benchmark::State& state) {
  const std::vector<Event> events = sessions(static_cast<std::size_t>(state.range(0)) / kEventsASession);
  for (auto _ : state) benchmark::DoNotOptimize(folded(events).latest());
  set_items(state, events.size());
}
BENCHMARK(fold)->Name("ledger/fold")->Arg(1'000'000)->Unit(benchmark::kMillisecond);

/// What a check before a session asks.
void accounts(benchmark::State& state) {
  const std::vector<Event> events = sessions(static_cast<std::size_t>(state.range(0)) / kEventsASession);
  const Ledger ledger = folded(events);
  const std::string bravo(kPeers[0]);
  for (auto _ : state) {
    benchmark::DoNotOptimize(ledger.accounts_by_type(&bravo, Window::month));
    benchmark::DoNotOptimize(ledger.accounts_by_type(nullptr, Window::month));
  }
  set_items(state, events.size());
}
/// Entries of a log as the vault has them, whose signatures nobody looks at any more.
struct StoredEntry {
  std::string note, body;
  Digest hash{};
};

/// Sessions between alpha and bravo. The signature is that of another entry: to make so many takes long.
class Logs {
 public:
  explicit Logs(std::size_t sessions) {
    for (std::size_t i = 0; i < sessions; ++i) add_session(static_cast<std::int64_t>(i));
  }
  const std::vector<StoredEntry>& entries() const { return entries_; }

 private:
  void add_session(std::int64_t number) {
    using namespace session;
    Question question;
    question.types = {indicator::Type::ipv4, indicator::Type::domain};
    const Proposal proposal{.question = question,
                            .padded = 1024,
                            .most_tests = 65'536,
                            .suites = psi::known_suites(),
                            .rules = {},
                            .nonce = random_bytes<32>()};
    write("alpha", kPropose, "", number, proposal.to_json());
    const std::string session = log::session_of_proposal(entries_.back().hash);
    const auto both = [&](std::string_view type, const log::Json& body) {
      for (const char* author : {"alpha", "bravo"}) write(author, type, session, number, body);
    };
    write("bravo", kAccept, session, number,
          Acceptance{.padded = 1024, .suite = psi::known_suites().front(), .nonce = random_bytes<32>()}.to_json());
    both(kRun, log::Json::Object{{"probe_items", 1024}, {"v", 1}});
    both(kResult, ResultStep{.learned = true, .count = number % 100}.to_json());
    both(kClose, log::Json::Object{{"agree", true}, {"peer_result", to_hex(Digest{})}, {"v", 1}});
  }
  void write(const std::string& author, std::string_view type, const std::string& session, std::int64_t number,
             const log::Json& body) {
    log::Entry entry;
    entry.author = author;
    entry.seq = ++written_[author];
    entry.session = session;
    entry.audience = {author == "alpha" ? "bravo" : "alpha"};
    entry.time = 1'790'000'000 + number;
    entry.type = type;
    const auto made = log::make_body(body);
    entry.body = made->commitment();
    // Everything that differs between sessions stands in the text in a form of its own length.
    std::string& pattern = patterns_[author + std::string(type)];
    if (pattern.empty()) {
      log::Entry first = entry;
      first.seq = 1'000'000'000;
      pattern = *log::make_entry(first, "parley.example/g/7d1f3c90/m/" + author + "/node", Secret<32>());
      patterns_session_[author + std::string(type)] = session;
      patterns_body_[author + std::string(type)] = to_hex(entry.body);
    }
    std::string note = pattern;
    replace(note, patterns_body_[author + std::string(type)], to_hex(entry.body));
    if (!session.empty()) replace(note, patterns_session_[author + std::string(type)], session);
    const Digest hash = log::leaf_hash(as_bytes(note));
    entries_.push_back({std::move(note), made->text, hash});
  }
  static void replace(std::string& text, const std::string& what, const std::string& with) {
    if (const auto place = text.find(what); place != std::string::npos) text.replace(place, what.size(), with);
  }

  std::vector<StoredEntry> entries_;
  std::map<std::string, std::uint64_t> written_;
  std::map<std::string, std::string> patterns_, patterns_session_, patterns_body_;  // by author and type
};

void read_and_fold(benchmark::State& state) {
  const Logs logs(static_cast<std::size_t>(state.range(0)) / kEventsASession);
  for (auto _ : state) {
    Ledger ledger("alpha", {.receiver_tests = [](std::uint16_t, std::uint64_t entered) { return entered; }});
    for (const StoredEntry& stored : logs.entries()) {
      const auto entry = log::read_entry_unverified(stored.note);
      if (const auto event = session::event_of(*entry, stored.hash, stored.body, "alpha")) ledger.take(*event);
    }
    benchmark::DoNotOptimize(ledger.latest());
  }
  set_items(state, logs.entries().size());
}
BENCHMARK(read_and_fold)->Name("ledger/entries")->Arg(100'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

BENCHMARK(accounts)->Name("ledger/accounts")->Arg(1'000'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace parley::ledger

int main(int argc, char** argv) {
  return parley::run_benchmarks(argc, argv);
}
