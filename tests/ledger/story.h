// Sessions between this member, alpha, and others, told as their logs have them.
#pragma once

#include <gtest/gtest.h>

#include "ledger/ledger.h"

namespace parley::ledger {

using indicator::Type;

inline const std::string kAlpha = "alpha", kBravo = "bravo", kCarol = "carol";
inline constexpr UnixSeconds kStart = 1'790'000'000;
inline constexpr UnixSeconds kHour = 3600, kDay = 24 * kHour, kYear = 365 * kDay;
inline constexpr std::uint16_t kClassic = 1, kFast = 2;

/// The fast protocol of these stories lets a changed receiver test twice what it enters.
inline std::uint64_t tests_by(std::uint16_t suite, std::uint64_t entered) {
  return suite == kFast ? 2 * entered : entered;
}

inline Ledger ledger_of(const std::string& self = kAlpha) {
  return Ledger(self, {.receiver_tests = tests_by});
}

inline SessionId session_named(std::uint64_t number) {
  SessionId id{};
  for (std::size_t i = 0; i < 8; ++i) id[i] = static_cast<std::byte>(number >> (8 * i));
  return id;
}

inline TypeSet types(std::initializer_list<Type> all) {
  TypeSet set;
  for (const Type type : all) set.add(type);
  return set;
}

inline Digest digest_of(std::uint8_t number) {
  Digest digest{};
  digest[0] = static_cast<std::byte>(number);
  return digest;
}

/// An event that owns its text.
struct Told {
  std::string author, peer;
  SessionId session{};
  UnixSeconds time = 0;
  Fact fact;

  operator Event() const { return {author, peer, session, time, fact}; }
};

/// One session of alpha's with another member; each step is an entry of one of the two logs.
struct Story {
  SessionId session = session_named(1);
  std::string other = kBravo;
  bool we_ask = true;
  TypeSet about = types({Type::ipv4});
  std::uint64_t we_enter = 1024, they_enter = 2048;
  bool asker_learns = true, responder_learns = true;
  std::uint16_t suite = kClassic;
  UnixSeconds now = kStart;
  std::vector<Told> told = {};

  Story& we(Fact fact) {
    told.push_back({kAlpha, other, session, now, std::move(fact)});
    return *this;
  }
  Story& they(Fact fact) {
    told.push_back({other, other, session, now, std::move(fact)});
    return *this;
  }
  Story& agree() {
    const Proposed question{.types = about,
                            .asker_learns = asker_learns,
                            .responder_learns = responder_learns,
                            .asker_receives = !responder_learns,
                            .entered = we_ask ? we_enter : they_enter};
    const Accepted answer{.entered = we_ask ? they_enter : we_enter, .suite = suite};
    return we_ask ? we(question).they(answer) : they(question).we(answer);
  }
  Story& run() { return agree().we(Ran{we_enter}).they(Ran{they_enter}); }
  static Resulted result(std::int64_t count) {
    return {.learned = true, .count = count, .root = digest_of(1), .transcript = digest_of(2)};
  }
  Story& end(std::int64_t matches) {
    return run().we(result(matches)).they(result(matches)).we(Closed{true}).they(Closed{true});
  }
};

inline void take(Ledger& ledger, const Story& story) {
  for (const Told& told : story.told) ledger.take(told);
}

inline Ledger told(std::initializer_list<Story> stories) {
  Ledger ledger = ledger_of();
  for (const Story& story : stories) take(ledger, story);
  return ledger;
}

inline Account with_bravo(const Ledger& ledger, Window window = Window::operation,
                          std::optional<Type> type = Type::ipv4) {
  return ledger.account(&kBravo, type, window);
}

/// All that a ledger says, to be compared.
struct Whole {
  std::vector<Account> accounts;
  std::vector<Dispute> disputes;
  UnixSeconds latest = 0;
  bool operator==(const Whole&) const = default;
};

inline Whole whole(const Ledger& ledger) {
  Whole all{.accounts = {}, .disputes = ledger.disputes(), .latest = ledger.latest()};
  std::vector<const std::string*> peers{nullptr};
  const std::vector<std::string> names = ledger.peers();
  for (const std::string& name : names) peers.push_back(&name);
  for (const std::string* peer : peers)
    for (const Window window : kAllWindows) {
      all.accounts.push_back(ledger.account(peer, {}, window));
      for (const Account& account : ledger.accounts_by_type(peer, window)) all.accounts.push_back(account);
    }
  return all;
}

}  // namespace parley::ledger
