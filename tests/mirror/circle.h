// Some members' replicas in one process, handing messages to each other; and an owner that signs what it should not.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "base/encoding.h"
#include "log/member.h"
#include "mirror/replica.h"
#include "mirror/vault_store.h"
#include "support/memory_store.h"
#include "vault/testing.h"

namespace parley::mirror {

using log::Json, log::TestMember;
using vault::fails, vault::succeeds, vault::why;  // of ASSERT_OK and its like

inline constexpr std::int64_t kNow = 1'790'000'000;
inline const std::string kGroup = "7d1f3c907d1f3c907d1f3c907d1f3c90";
inline const std::vector<std::string> kNicks = {"alpha", "bravo", "carol", "dave", "erin"};

/// Where a member's replica lives: what is left of it after a restart.
class Home {
 public:
  virtual ~Home() = default;
  virtual Store& store() = 0;
  virtual Guard& guard() = 0;
  /// Whatever is not durable goes.
  virtual void reboot() {}
};

class MemoryHome : public Home {
 public:
  Store& store() override { return store_; }
  Guard& guard() override { return guard_; }
  MemoryStore store_;
  MemoryGuard guard_{store_};
};

class VaultHome : public Home {
 public:
  VaultHome(std::span<const log::MemberKeys> members, std::size_t self)
      : members_(members.begin(), members.end()), self_(self) {
    open();
  }
  Store& store() override { return *store_; }
  Guard& guard() override { return *guard_; }
  void reboot() override {
    close();
    open();
  }
  void close() {
    store_.reset();
    vault_.reset();
  }
  void open() {
    vault_ = test_.open();
    store_.emplace(*vault_, kGroup, members_, self_);
    auto guard = FileGuard::open(guard_folder_ / "signed");
    EXPECT_OK(guard);
    guard_.emplace(std::move(*guard));
  }
  vault::Vault& vault() { return *vault_; }
  const vault::TestVault& test() const { return test_; }
  std::filesystem::path guard_path() const { return guard_folder_ / "signed"; }

 private:
  std::vector<log::MemberKeys> members_;
  std::size_t self_;
  vault::TestVault test_;
  vault::TemporaryFolder guard_folder_;
  std::unique_ptr<vault::Vault> vault_;
  std::optional<VaultStore> store_;
  std::optional<FileGuard> guard_;
};

/// A message between two members, on its way.
struct Sent {
  std::size_t from = 0;
  std::size_t to = 0;
  Message message;
};

class Circle {
 public:
  enum class Kind { memory, vault };

  explicit Circle(std::size_t count, Kind kind = Kind::memory) {
    for (std::size_t i = 0; i < count; ++i) members.emplace_back(kNicks.size() > i ? kNicks[i] : name_of_number(i));
    for (const TestMember& member : members) keys.push_back(member.keys);
    for (std::size_t i = 0; i < count; ++i) {
      if (kind == Kind::memory) homes.push_back(std::make_unique<MemoryHome>());
      if (kind == Kind::vault) homes.push_back(std::make_unique<VaultHome>(keys, i));
    }
    replicas.resize(count);
    entries.resize(count);
    for (std::size_t i = 0; i < count; ++i) start(i);
  }

  static std::string name_of_number(std::size_t i) { return "m" + std::to_string(i); }
  static std::string_view nick(std::size_t i) {
    static const std::vector<std::string> kMore = [] {
      std::vector<std::string> names = kNicks;
      for (std::size_t k = names.size(); k < log::kMaxGroupMembers; ++k) names.push_back(name_of_number(k));
      return names;
    }();
    return kMore[i];
  }

  GroupView view(std::size_t self) const {
    return {.id = kGroup, .members = keys, .self = self, .charter = {}, .answers_needed = answers_needed};
  }
  OwnSeeds seeds(std::size_t i) const {
    return {members[i].node.clone(), members[i].log.clone(), members[i].cosign.clone()};
  }
  Result<std::unique_ptr<Replica>> try_start(std::size_t i) {
    return Replica::open(view(i), seeds(i), homes[i]->store(), homes[i]->guard());
  }
  void start(std::size_t i) {
    auto opened = try_start(i);
    ASSERT_OK(opened);
    replicas[i] = std::move(*opened);
  }
  /// The process ends, whatever it was doing, and a new one begins. Links are gone.
  void restart(std::size_t i) {
    stop(i);
    homes[i]->reboot();
    start(i);
  }
  void stop(std::size_t i) {
    replicas[i].reset();
    std::erase_if(links, [&](const auto& link) { return link.first == i || link.second == i; });
    std::erase_if(queue, [&](const Sent& sent) { return sent.from == i || sent.to == i; });
  }
  MemoryStore& disk(std::size_t i) { return static_cast<MemoryHome&>(*homes[i]).store_; }
  MemoryGuard& guard(std::size_t i) { return static_cast<MemoryHome&>(*homes[i]).guard_; }
  VaultHome& vault_home(std::size_t i) { return static_cast<VaultHome&>(*homes[i]); }
  Replica& operator[](std::size_t i) { return *replicas[i]; }

  // --- links and messages ------------------------------------------------------------------------------------------
  void link(std::size_t a, std::size_t b) {
    links.insert({std::min(a, b), std::max(a, b)});
    replicas[a]->connected(nick(b));
    replicas[b]->connected(nick(a));
  }
  void unlink(std::size_t a, std::size_t b) {
    links.erase({std::min(a, b), std::max(a, b)});
    std::erase_if(queue, [&](const Sent& s) { return (s.from == a && s.to == b) || (s.from == b && s.to == a); });
  }
  void link_all() {
    for (std::size_t a = 0; a < replicas.size(); ++a)
      for (std::size_t b = a + 1; b < replicas.size(); ++b)
        if (replicas[a] && replicas[b]) link(a, b);
  }
  /// What everybody has to send goes onto the way.
  bool pump() {
    bool sent = false;
    for (const auto& [a, b] : links) {
      for (const auto& [from, to] : {std::pair(a, b), std::pair(b, a)}) {
        auto messages = replicas[from]->to_send(nick(to));
        if (!messages) continue;
        for (Message& message : *messages) {
          queue.push_back({from, to, std::move(message)});
          sent = true;
        }
      }
    }
    return sent;
  }
  /// @return the error of the receiver, if it refused
  Status deliver(const Sent& sent) {
    if (!replicas[sent.to]) return {};
    auto outcome = replicas[sent.to]->take(nick(sent.from), sent.message, ++now);
    if (!outcome) return std::unexpected(outcome.error());
    handle(sent.from, sent.to, std::move(*outcome));
    return {};
  }
  void handle(std::size_t from, std::size_t to, Outcome outcome) {
    for (Message& reply : outcome.replies) queue.push_back({to, from, std::move(reply)});
    for (EntryView& entry : outcome.entries) entries[to].push_back(std::move(entry));
    for (const Conviction& conviction : outcome.convictions) {
      convictions[to].push_back(conviction);
      if (reports_faults && replicas[to]->state() == State::live) {
        EXPECT_OK(replicas[to]->append(Replica::fault_draft(conviction), ++now));
      }
    }
  }
  /// Everything is handed over until nothing is left to say; refusals are gathered.
  void run() {
    for (std::size_t rounds = 0; pump() || !queue.empty(); ++rounds) {
      ASSERT_LT(rounds, 5000u) << "the members never come to rest";
      while (!queue.empty()) {
        const Sent sent = std::move(queue.front());
        queue.pop_front();
        if (tamper && !tamper(sent)) continue;
        if (const Status taken = deliver(sent); !taken) refusals.push_back(taken.error());
      }
    }
  }
  /// All are linked and live, and have opened their logs.
  void open_all() {
    link_all();
    run();
    for (std::size_t i = 0; i < replicas.size(); ++i) append(i, log::kLogOpen);
    run();
  }
  EntryView append(std::size_t i, std::string_view type, std::vector<std::string> audience = {"*"},
                   Json body = Json::Object{{"v", 1}}, std::string session = {}) {
    auto written = replicas[i]->append({.type = std::string(type),
                                        .session = std::move(session),
                                        .refs = {},
                                        .audience = std::move(audience),
                                        .body = std::move(body)},
                                       ++now);
    EXPECT_OK(written);
    return written ? std::move(*written) : EntryView{};
  }

  std::vector<TestMember> members;
  std::vector<log::MemberKeys> keys;
  std::vector<std::unique_ptr<Home>> homes;
  std::vector<std::unique_ptr<Replica>> replicas;
  std::set<std::pair<std::size_t, std::size_t>> links;
  std::deque<Sent> queue;
  std::function<bool(const Sent&)> tamper;  ///< false: the message is lost
  std::vector<std::vector<EntryView>> entries;
  std::map<std::size_t, std::vector<Conviction>> convictions;
  std::vector<Error> refusals;
  bool reports_faults = true;
  std::size_t answers_needed = 0;  ///< of replicas that are started from now on
  std::int64_t now = kNow;
};

/// A log as its owner could write it by hand, honestly or not; a copy goes on otherwise.
struct Branch {
  explicit Branch(const TestMember& member) : owner(&member) {}

  log::Entry next(std::string_view type, std::string session = {}, std::vector<std::string> audience = {}) const {
    log::Entry entry;
    entry.author = owner->keys.nick;
    entry.seq = state.size;
    entry.prev = state.last;
    entry.session = std::move(session);
    entry.audience = std::move(audience);
    entry.time = state.time_of_next(kNow + static_cast<std::int64_t>(state.size));
    entry.type = type;
    return entry;
  }
  void append(std::string_view type, std::string session = {}, std::vector<std::string> audience = {},
              const Json& body = Json::Object{{"v", 1}}) {
    log::Entry entry = next(type, std::move(session), std::move(audience));
    bodies.push_back(*log::make_body(body));
    entry.body = bodies.back().commitment();
    add(entry);
  }
  void append(const log::Entry& entry) {
    bodies.emplace_back();
    add(entry);
  }
  void add(const log::Entry& entry) { add(entry, owner->sign(entry)); }
  /// What the owner has written in this place before, without its body.
  void follow(const std::string& leaf) {
    const auto entry = log::read_entry_unverified(leaf);
    if (!entry) throw std::invalid_argument(entry.error().text());
    bodies.emplace_back();
    add(*entry, leaf);
  }
  void add(const log::Entry& entry, std::string leaf) {
    leaves.push_back(std::move(leaf));
    entries.push_back(entry);
    hashes.push_back(log::leaf_hash(as_bytes(leaves.back())));
    state = {state.size + 1, hashes.back(), entry.time, log::entry_type(entry.type)->seals};
  }
  std::string checkpoint(std::size_t size) const {
    return owner->sign(
        log::Checkpoint{owner->keys.log.name, size,
                        log::MerkleTree({hashes.begin(), hashes.begin() + static_cast<std::ptrdiff_t>(size)}).root()});
  }
  /// Entries [from, to) with the bodies that are for `reader`.
  Push push(std::string_view reader, std::size_t from, std::size_t to) const {
    Push push{.log = owner->keys.nick, .from = from, .leaves = {}, .bodies = {}, .checkpoint = checkpoint(to)};
    for (std::size_t i = from; i < to; ++i) {
      push.leaves.push_back(leaves[i]);
      const auto& audience = entries[i].audience;
      const bool is_for = std::ranges::any_of(audience, [&](const auto& one) { return one == reader || one == "*"; });
      if (is_for) push.bodies.push_back({i, bodies[i]});
    }
    return push;
  }
  Push push(std::string_view reader) const { return push(reader, 0, leaves.size()); }

  const TestMember* owner;
  log::LogState state;
  std::vector<std::string> leaves;
  std::vector<log::Entry> entries;
  std::vector<log::Body> bodies;
  std::vector<Digest> hashes;
};

inline Message message_of(const Content& content) {
  auto message = write_message(kGroup, content);
  EXPECT_OK(message);
  return message ? std::move(*message) : Message{};
}

template <typename T>
T content_of(const Message& message) {
  auto content = parse_message(kGroup, message);
  EXPECT_OK(content);
  return content ? std::get<T>(*content) : T{};
}

/// A random generator whose seed a failing run prints and the environment can set again.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(random_() % count); }
  bool one_in(std::size_t count) { return below(count) == 0; }

 private:
  std::mt19937_64 random_;
};

}  // namespace parley::mirror
