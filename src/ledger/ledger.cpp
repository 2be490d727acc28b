// The fold (ledger.h): facts of each session, gathered from both logs, and accounts of what they amount to.
#include "ledger/ledger.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <limits>
#include <map>
#include <set>
#include <unordered_map>

#include "base/random.h"
#include "ledger/detail/session_facts.h"

namespace parley::ledger {
namespace {

using detail::Amounts;
using detail::kNobody;
using detail::MemberNumber;
using detail::Session;
using detail::sum;
using detail::Voice;

constexpr UnixSeconds kDay = 86'400;
constexpr UnixSeconds kMonth = 30 * kDay;
constexpr UnixSeconds kBeginning = std::numeric_limits<UnixSeconds>::min();

/// Names of sessions are hashes that a peer chooses among many: keyed, so that it cannot make them meet.
class SessionHash {
 public:
  SessionHash() {
    const auto bytes = random_bytes<16>();
    std::memcpy(keys_, bytes.data(), sizeof keys_);
  }
  std::size_t operator()(const SessionId& id) const {
    std::uint64_t words[2];
    std::memcpy(words, id.data(), sizeof words);
    const auto product =
        static_cast<unsigned __int128>(words[0] ^ keys_[0]) * static_cast<unsigned __int128>((words[1] ^ keys_[1]) | 1);
    return static_cast<std::size_t>(static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64));
  }

 private:
  std::uint64_t keys_[2];
};

/// Names of sessions that were forgotten: in a fixed space, so that some others look as if they had been, too.
class Forgotten {
 public:
  void add(std::uint64_t hash) {
    ++count_;
    if (bits_.empty()) bits_.resize(kBits / 64);
    for (const std::uint64_t place : places(hash)) bits_[place / 64] |= std::uint64_t{1} << place % 64;
  }
  bool may_have(std::uint64_t hash) const {
    return !bits_.empty() && std::ranges::all_of(places(hash), [&](std::uint64_t place) {
      return (bits_[place / 64] >> place % 64 & 1) != 0;
    });
  }
  std::uint64_t count() const { return count_; }

 private:
  /// Two of each, 16 MiB in all: after a day at a log's quota, two million, one in a thousand others looks forgotten;
  /// at all that a log may bring, fifty million, one in four.
  static constexpr std::uint64_t kBits = std::uint64_t{1} << 27;
  static std::array<std::uint64_t, 2> places(std::uint64_t hash) { return {hash % kBits, (hash >> 32) % kBits}; }

  std::vector<std::uint64_t> bits_;
  std::uint64_t count_ = 0;
};

/// What one member has brought up that our log does not name.
struct Unnamed {
  std::deque<std::size_t> sessions = {};  ///< places of them, the oldest first, and of some that are named since
  std::size_t count = 0;                  ///< of those that are not
  Forgotten forgotten = {};
};

void add(Range& to, const Range& more) {
  to = {sum(to.known, more.known), sum(to.worst, more.worst)};
}

bool concerns(const Amounts& amounts, std::optional<indicator::Type> type) {
  return !type || !amounts.types || amounts.types->contains(*type);
}

}  // namespace

std::string_view name_of(Difference difference) {
  switch (difference) {
    case Difference::sizes:
      return "sizes";
    case Difference::ran:
      return "ran";
    case Difference::results:
      return "results";
    case Difference::closing:
      return "closing";
    case Difference::settlement:
      return "settlement";
    case Difference::openings:
      return "openings";
    case Difference::answers:
      return "answers";
  }
  std::unreachable();
}

struct Ledger::State {
  std::string self;
  Rules rules;
  UnixSeconds last_logged = 0;
  UnixSeconds clock = 0;
  std::vector<std::string> members;  // by MemberNumber
  std::set<MemberNumber> unreadable;
  std::vector<Session> sessions;
  std::unordered_map<SessionId, std::size_t, SessionHash> by_id;
  std::map<MemberNumber, Unnamed> unnamed;
  std::vector<Lacking> lacking;
  std::unordered_map<SessionId, std::int64_t, SessionHash> canaries;
  std::set<SessionId> not_run_yet;
  // Padded sizes are few, and what a protocol lets a receiver test takes a while to compute.
  mutable std::map<std::pair<std::uint16_t, std::uint64_t>, std::int64_t> tests;

  MemberNumber member(std::string_view nick) {
    if (const auto number = known(nick)) return *number;
    members.emplace_back(nick);
    return static_cast<MemberNumber>(members.size() - 1);
  }
  std::optional<MemberNumber> known(std::string_view nick) const {
    const auto found = std::ranges::find(members, nick);
    if (found == members.end()) return std::nullopt;
    return static_cast<MemberNumber>(found - members.begin());
  }
  Session& named_by_us(const SessionId& id, std::string_view peer);
  Session& named_by(const SessionId& id, MemberNumber author);
  std::size_t place_of_oldest(Unnamed& of);
  void add_lacking(const Session& session) {
    const Lacking one{session.id, members[session.peer]};
    if (std::ranges::find(lacking, one) == lacking.end()) lacking.push_back(one);
  }
  Amounts amounts(const Session& session) const {
    return detail::amounts_of(
        session, unreadable.contains(session.with()), not_run_yet.contains(session.id),
        [this](std::uint16_t suite, std::uint64_t entered) { return receiver_tests(suite, entered); });
  }
  std::vector<Dispute> disputes(const Session& session) const {
    std::vector<Dispute> disputes = detail::disputes_of(session, amounts(session));
    for (Dispute& dispute : disputes) dispute.peer = members[session.with()];
    return disputes;
  }
  std::int64_t receiver_tests(std::uint16_t suite, std::uint64_t entered) const {
    if (rules.receiver_tests == nullptr) return 0;
    const auto [place, is_new] = tests.try_emplace({suite, entered}, 0);
    if (is_new)
      place->second = static_cast<std::int64_t>(
          std::min<std::uint64_t>(rules.receiver_tests(suite, entered), static_cast<std::uint64_t>(kLargestSum)));
    return place->second;
  }
  UnixSeconds latest() const { return std::max(last_logged, clock); }
  /// Whatever is later than this counts.
  UnixSeconds begin_of(Window window) const {
    if (window == Window::operation) return kBeginning;
    return latest() - (window == Window::day ? kDay : kMonth);
  }
  std::int64_t weight(indicator::Type type, std::size_t field) const {
    return rules.weight == nullptr ? 1 : std::clamp<std::int64_t>(rules.weight(type, field), 0, kLargestSum);
  }
  /// Of several types the one that makes most of it: which of them was opened the log does not say.
  std::int64_t weight(const Amounts& amounts, std::optional<indicator::Type> type, std::size_t field) const {
    if (type) return weight(*type, field);
    std::int64_t most = 0;
    for (const indicator::Type each : indicator::kAllTypes)
      if (concerns(amounts, each)) most = std::max(most, weight(each, field));
    return most;
  }
  void add(Account& account, const Session& session, const Amounts& amounts, std::optional<indicator::Type> type,
           UnixSeconds begin) const;
  void add_reveal(Account& account, const Session& session, const Amounts& amounts,
                  std::optional<indicator::Type> type) const;
  /// Calls `take` for each session with `peer`, or with anybody, of which something may be later than `begin`.
  template <typename Take>
  void for_each(const std::string* peer, UnixSeconds begin, const Take& take) const {
    const auto number = peer == nullptr ? std::optional(kNobody) : known(*peer);
    if (!number) return;
    for (const Session& session : sessions) {
      if (session.with() == kNobody || (*number != kNobody && session.with() != *number)) continue;
      if (!session.ours.heard || session.ours.last > begin) take(session);
    }
  }
};

/// A session that an entry of our own log is about.
Session& Ledger::State::named_by_us(const SessionId& id, std::string_view peer) {
  const auto [place, is_new] = by_id.try_emplace(id, sessions.size());
  if (is_new) sessions.emplace_back().id = id;
  Session& session = sessions[place->second];
  if (session.peer != kNobody) return session;
  if (session.brought_by != kNobody) --unnamed[session.brought_by].count;
  session.peer = member(peer);
  const auto theirs = unnamed.find(session.peer);
  if (theirs != unnamed.end() && theirs->second.forgotten.may_have(by_id.hash_function()(id))) add_lacking(session);
  return session;
}

/// A session that an entry of another is about. Where our log does not name it, it may take the oldest such one's
/// place.
Session& Ledger::State::named_by(const SessionId& id, MemberNumber author) {
  if (const auto known = by_id.find(id); known != by_id.end()) return sessions[known->second];
  Unnamed& of = unnamed[author];
  std::size_t place = sessions.size();
  if (of.count < kMostUnnamed) {
    sessions.emplace_back();
    ++of.count;
  } else {
    place = place_of_oldest(of);
    Session& oldest = sessions[place];
    for (const Voice& voice : oldest.others) unnamed[voice.author].forgotten.add(by_id.hash_function()(oldest.id));
    by_id.erase(oldest.id);
    oldest = {};
  }
  of.sessions.push_back(place);
  by_id.emplace(id, place);
  sessions[place].id = id;
  sessions[place].brought_by = author;
  return sessions[place];
}

/// Precondition: there is one.
std::size_t Ledger::State::place_of_oldest(Unnamed& of) {
  for (;;) {
    const std::size_t place = of.sessions.front();
    of.sessions.pop_front();
    if (sessions[place].peer == kNobody) return place;
  }
}

void Ledger::State::add_reveal(Account& account, const Session& session, const Amounts& amounts,
                               std::optional<indicator::Type> type) const {
  const Voice unheard;
  const Voice& theirs = session.theirs() == nullptr ? unheard : *session.theirs();
  const auto count = [](std::size_t) { return std::int64_t{1}; };
  const auto weigh = [&](std::size_t field) { return weight(amounts, type, field); };
  const std::int64_t most_in = amounts.incomplete ? kLargestSum : amounts.match_in.worst;
  const std::int64_t most_out = amounts.incomplete ? kLargestSum : amounts.match_out.worst;
  const std::int64_t kept_back = std::max<std::int64_t>(session.ours.kept_back - amounts.denied, 0);
  const Amounts::Agreed &in = amounts.by_us, &out = amounts.by_them;
  ledger::add(account.field_in, detail::opened(session.ours, theirs, most_in, kept_back, in.opened, count));
  ledger::add(account.field_out, detail::opened(theirs, session.ours, most_out, out.kept_back, out.opened, count));
  ledger::add(account.weight_in, detail::opened(session.ours, theirs, most_in, kept_back, in.opened, weigh));
  ledger::add(account.weight_out, detail::opened(theirs, session.ours, most_out, out.kept_back, out.opened, weigh));
  account.unopenable = sum(account.unopenable, amounts.unopenable);
  account.reveals_stopped = sum(account.reveals_stopped, amounts.reveals_stopped);
}

void Ledger::State::add(Account& account, const Session& session, const Amounts& amounts,
                        std::optional<indicator::Type> type, UnixSeconds begin) const {
  if (amounts.asked_at > begin) {
    account.asked_by += amounts.asked_by_them ? 1 : 0;
    account.asked_of += amounts.asked_by_us ? 1 : 0;
    account.disputed += detail::disputes_of(session, amounts).empty() ? 0 : 1;
  }
  if (amounts.charged && amounts.charged_at > begin) {
    ++account.ran;
    account.incomplete += amounts.incomplete ? 1 : 0;
    account.probe_in = sum(account.probe_in, amounts.their_entered);
    account.probe_out = sum(account.probe_out, amounts.our_entered);
    account.tests_in = sum(account.tests_in, amounts.their_tests);
    account.tests_out = sum(account.tests_out, amounts.our_tests);
    ledger::add(account.match_in, amounts.match_in);
    ledger::add(account.match_out, amounts.match_out);
    if (const auto known_canaries = canaries.find(session.id); known_canaries != canaries.end())
      account.canaries_out = sum(account.canaries_out, std::min(known_canaries->second, amounts.match_out.known));
    account.abort_after_learn += amounts.abort_after_learn ? 1 : 0;
  }
  if (amounts.revealed && amounts.revealed_at > begin) add_reveal(account, session, amounts, type);
}

Ledger::Ledger(std::string self, Rules rules) : state_(std::make_unique<State>()) {
  state_->self = std::move(self);
  state_->rules = rules;
}

Ledger::~Ledger() = default;
Ledger::Ledger(Ledger&&) noexcept = default;
Ledger& Ledger::operator=(Ledger&&) noexcept = default;

void Ledger::take(const Event& event) {
  if (event.author == state_->self) {
    logged(event.time);
    Session& session = state_->named_by_us(event.session, event.peer);
    if (session.take_ours(event)) state_->add_lacking(session);
    return;
  }
  const MemberNumber author = state_->member(event.author);
  Session& session = state_->named_by(event.session, author);
  // Its name is the hash of its proposal: there is no second proposer.
  if (std::holds_alternative<Proposed>(event.fact)) session.proposer = author;
  session.take_theirs(author, event);
}

const std::vector<Lacking>& Ledger::lacking() const {
  return state_->lacking;
}

void Ledger::begin_again(const Lacking& lacking) {
  const auto place = state_->by_id.find(lacking.session);
  if (place == state_->by_id.end()) return;
  Session& session = state_->sessions[place->second];
  std::erase_if(session.others, [&](const Voice& voice) { return voice.author == session.peer; });
}

void Ledger::told_again(const Lacking& session) {
  std::erase(state_->lacking, session);
}

std::uint64_t Ledger::forgotten(std::string_view peer) const {
  const auto number = state_->known(peer);
  const auto of = number ? state_->unnamed.find(*number) : state_->unnamed.end();
  return of == state_->unnamed.end() ? 0 : of->second.forgotten.count();
}

void Ledger::unreadable(std::string_view author) {
  state_->unreadable.insert(state_->member(author));
}

void Ledger::logged(UnixSeconds time) {
  state_->last_logged = std::max(state_->last_logged, time);
}

void Ledger::note_canaries(const SessionId& session, std::int64_t count) {
  state_->canaries[session] = count;
}

void Ledger::not_run_yet(const SessionId& session, bool held) {
  if (held)
    state_->not_run_yet.insert(session);
  else
    state_->not_run_yet.erase(session);
}

void Ledger::see(UnixSeconds time) {
  state_->clock = time;
}

UnixSeconds Ledger::latest() const {
  return state_->latest();
}

std::vector<std::string> Ledger::peers() const {
  std::vector<bool> met(state_->members.size());
  state_->for_each(nullptr, kBeginning, [&](const Session& session) { met[session.with()] = true; });
  std::vector<std::string> peers;
  for (std::size_t i = 0; i < met.size(); ++i)
    if (met[i]) peers.push_back(state_->members[i]);
  std::ranges::sort(peers);
  return peers;
}

Account Ledger::account(const std::string* peer, std::optional<indicator::Type> type, Window window) const {
  Account account;
  const UnixSeconds begin = state_->begin_of(window);
  state_->for_each(peer, begin, [&](const Session& session) {
    const Amounts amounts = state_->amounts(session);
    if (concerns(amounts, type)) state_->add(account, session, amounts, type, begin);
  });
  return account;
}

std::array<Account, indicator::kAllTypes.size()> Ledger::accounts_by_type(const std::string* peer,
                                                                          Window window) const {
  std::array<Account, indicator::kAllTypes.size()> accounts;
  const UnixSeconds begin = state_->begin_of(window);
  state_->for_each(peer, begin, [&](const Session& session) {
    const Amounts amounts = state_->amounts(session);
    for (std::size_t i = 0; i < accounts.size(); ++i)
      if (concerns(amounts, indicator::kAllTypes[i]))
        state_->add(accounts[i], session, amounts, indicator::kAllTypes[i], begin);
  });
  return accounts;
}

std::vector<Dispute> Ledger::disputes(const std::string* peer) const {
  std::vector<Dispute> disputes;
  state_->for_each(peer, kBeginning, [&](const Session& session) {
    std::ranges::move(state_->disputes(session), std::back_inserter(disputes));
  });
  std::ranges::sort(disputes, {}, [](const Dispute& dispute) { return std::tie(dispute.session, dispute.what); });
  return disputes;
}

std::vector<Dispute> Ledger::disputes_of(const SessionId& id) const {
  const auto place = state_->by_id.find(id);
  if (place == state_->by_id.end()) return {};
  return state_->disputes(state_->sessions[place->second]);
}

std::vector<OpeningsSaid> Ledger::openings_that_differ(const SessionId& id) const {
  const auto place = state_->by_id.find(id);
  if (place == state_->by_id.end()) return {};
  return detail::openings_that_differ(state_->sessions[place->second]);
}

bool Ledger::is_charged(const SessionId& id) const {
  const auto place = state_->by_id.find(id);
  return place != state_->by_id.end() && state_->amounts(state_->sessions[place->second]).charged;
}

std::optional<Settled> Ledger::settlement(const SessionId& id) const {
  const auto place = state_->by_id.find(id);
  if (place == state_->by_id.end()) return std::nullopt;
  const Session& session = state_->sessions[place->second];
  return detail::settlement_of(session, state_->amounts(session));
}

}  // namespace parley::ledger
