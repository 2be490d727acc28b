// From entries to the ledger (accounting.h).
#include "session/accounting.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "mirror/vault_store.h"
#include "psi/intersect/choice.h"
#include "session/detail/fact_scanner.h"
#include "session/padding.h"
#include "session/reveal.h"
#include "session/states.h"
#include "session/step.h"

namespace parley::session {
namespace {

constexpr std::uint64_t kLeavesAtOnce = 1024;
/// Of a log, how many entries without their bodies are looked for again at each reading, in turn: who writes thousands
/// and never sends their bodies is counted the worst for it later, and holds up nobody.
constexpr std::size_t kMostLookedForAgain = 1024;

static_assert(kFieldPaths.size() <= ledger::kMostFields);

using FactReader = std::optional<ledger::Fact> (*)(const log::Json& body, bool own);

std::optional<ledger::Fact> proposed(const log::Json& body, bool) {
  const auto proposal = Proposal::from_json(body);
  if (!proposal) return std::nullopt;
  ledger::Proposed fact{.types = {},
                        .asker_learns = proposal->question.asker_learns(),
                        .responder_learns = proposal->question.responder_learns(),
                        .asker_receives = role_of(Side::asker, proposal->question.direction) == psi::Role::receiver,
                        .entered = proposal->padded};
  for (const indicator::Type type : proposal->question.types) fact.types.add(type);
  return fact;
}

std::optional<ledger::Fact> accepted(const log::Json& body, bool) {
  const auto acceptance = Acceptance::from_json(body);
  if (!acceptance) return std::nullopt;
  return ledger::Accepted{.entered = acceptance->padded, .suite = acceptance->suite};
}

std::optional<ledger::Fact> refused(const log::Json&, bool) {
  return ledger::Refused{};
}

std::optional<ledger::Fact> ran(const log::Json& body, bool) {
  log::ObjectReader reader(body, "the run step");
  const auto entered = static_cast<std::uint64_t>(reader.integer("probe_items", 0, log::kMaxInteger));
  reader.integer("v", kSessionVersion, kSessionVersion);
  if (!reader.finish()) return std::nullopt;
  return ledger::Ran{.entered = entered};
}

std::optional<ledger::Fact> resulted(const log::Json& body, bool) {
  const auto result = ResultStep::from_json(body);
  if (!result) return std::nullopt;
  return ledger::Resulted{.learned = result->learned,
                          .count = result->count,
                          .root = result->result_root,
                          .transcript = result->transcript};
}

std::optional<ledger::Fact> closed(const log::Json& body, bool) {
  log::ObjectReader reader(body, "the close step");
  const bool agreed = reader.boolean("agree");
  reader.digest("peer_result");
  reader.integer("v", kSessionVersion, kSessionVersion);
  if (!reader.finish()) return std::nullopt;
  return ledger::Closed{.agreed = agreed};
}

/// Whose doing the end was only the own log is asked.
std::optional<ledger::Fact> aborted(const log::Json& body, bool own) {
  const auto abort = Abort::from_json(body);
  if (!abort) return std::nullopt;
  const bool other_failed =
      own && std::ranges::any_of(kOthersDoing, [&](const Errc code) { return abort->code == name_of(code); });
  return ledger::Aborted{.other_failed = other_failed};
}

/// That there is one, and of us only.
std::optional<ledger::Fact> reveal_consented(const log::Json&, bool own) {
  return own ? std::optional<ledger::Fact>(ledger::RevealConsented{}) : std::nullopt;
}

std::optional<ledger::Fact> reveal_offered(const log::Json& body, bool) {
  const auto offer = RevealOffer::from_json(body);
  if (!offer) return std::nullopt;
  ledger::RevealOffered fact{
      .fields = 0, .openings = offer->openings, .values = static_cast<std::int64_t>(offer->values)};
  for (const std::string& field : offer->fields) fact.fields |= ledger::FieldSet{1} << *field_index(field);
  return fact;
}

std::optional<ledger::Fact> reveal_closed(const log::Json& body, bool) {
  const auto end = RevealEnd::from_json(body);
  if (!end) return std::nullopt;
  return ledger::RevealClosed{.received = end->received,
                              .received_fields = static_cast<std::int64_t>(end->received_fields),
                              .other_stopped = end->stopped == "them",
                              .kept_back = end->kept_back,
                              .missing = end->missing + end->unshown,
                              .opened = static_cast<std::int64_t>(end->opened),
                              .broken_off = !end->stopped.empty()};
}

std::optional<ledger::Fact> settled(const log::Json& body, bool) {
  const auto numbers = settled_from_json(body);
  if (!numbers) return std::nullopt;
  return *numbers;
}

FactReader reader_of(std::string_view type) {
  constexpr std::pair<std::string_view, FactReader> kReaders[] = {
      {kPropose, proposed},
      {kAccept, accepted},
      {kRefuse, refused},
      {kRun, ran},
      {kResult, resulted},
      {kClose, closed},
      {kAbort, aborted},
      {kRevealConsent, reveal_consented},
      {kRevealOffer, reveal_offered},
      {kRevealClose, reveal_closed},
      {log::kLedgerSettle, settled},
  };
  const auto found = std::ranges::find(kReaders, type, &std::pair<std::string_view, FactReader>::first);
  return found == std::end(kReaders) ? nullptr : found->second;
}

/// Whether `self` has a part in the session: with whom, or nothing.
std::optional<std::string_view> other_party(const log::Entry& entry, std::string_view self) {
  if (entry.audience.size() != 1) return std::nullopt;
  const std::string& reader = entry.audience.front();
  if (entry.author == self) return reader == log::kEveryone ? std::nullopt : std::optional<std::string_view>(reader);
  return reader == self ? std::optional<std::string_view>(entry.author) : std::nullopt;
}

std::uint64_t receiver_tests(std::uint16_t suite, std::uint64_t entered) {
  const auto protocol = psi::protocol_of_suite(suite);
  return protocol ? (*protocol)->receiver_tests(entered) : kMostTests;
}

std::optional<ledger::Fact> fact_of(const log::Entry& entry, std::string_view body, std::string_view self) {
  if (auto fact = detail::scan_fact(entry.type, body)) return fact;
  const auto json = log::parse_pjson(body, log::kMaxBodyBytes);
  return json ? reader_of(entry.type)(*json, entry.author == self) : std::nullopt;
}

/// A run whose body is lost says still that there was one, and so do a consent and an offer.
std::optional<ledger::Fact> without_body(const log::Entry& entry, std::string_view self) {
  if (entry.author == self && entry.type == kRun) return ledger::Ran{};
  if (entry.author == self && entry.type == kRevealConsent) return ledger::RevealConsented{};
  if (entry.type == kRevealOffer) {
    ledger::RevealOffered any{.unknown = true};
    for (std::size_t field = 0; field < kFieldPaths.size(); ++field)
      if (std::ranges::find(kMarkPaths, kFieldPaths[field]) == kMarkPaths.end())
        any.fields |= ledger::FieldSet{1} << field;
    return any;
  }
  return std::nullopt;
}

/// @error Errc::format
Result<ledger::SessionId> session_of(const log::Entry& entry, const Digest& leaf_hash) {
  return session_id_from(entry.type == kPropose ? log::session_of_proposal(leaf_hash) : entry.session);
}

Result<std::vector<vault::LogLeaf>> leaves_of(mirror::Store& store, const std::string& origin, std::uint64_t from,
                                              std::uint64_t count) {
  TRY(auto leaves, store.leaves(origin, from, count));
  if (leaves.size() != count) return fail(Errc::vault_damaged, "Entries of a log are not in the vault any more.");
  return leaves;
}

void write_range(log::Json::Object& object, const std::string& name, const ledger::Range& range) {
  object.emplace(name + "_least", range.known);
  object.emplace(name + "_most", range.worst);
}

ledger::Range read_range(log::ObjectReader& reader, std::string_view least, std::string_view most) {
  ledger::Range range;
  range.known = reader.integer(least, 0, log::kMaxInteger);
  range.worst = reader.integer(most, range.known, log::kMaxInteger);
  return range;
}

}  // namespace

std::optional<ledger::Event> event_of(const log::Entry& entry, const Digest& leaf_hash,
                                      std::optional<std::string_view> body, std::string_view self) {
  const auto other = other_party(entry, self);
  if (reader_of(entry.type) == nullptr || !other) return std::nullopt;
  const auto session = session_of(entry, leaf_hash);
  if (!session) return std::nullopt;
  auto fact = body ? fact_of(entry, *body, self) : without_body(entry, self);
  // An offer of ours that this program does not understand was made by another version of it, and opened something.
  if (!fact && entry.author == self && entry.type == kRevealOffer) fact = without_body(entry, self);
  // Another member's closing that says nothing must not pass for one that was not written yet.
  if (!fact && body && entry.author != self && entry.type == kRevealClose)
    fact = ledger::RevealClosed{.unreadable = true};
  if (!fact) return std::nullopt;
  if (auto* const offer = std::get_if<ledger::RevealOffered>(&*fact)) {
    offer->place = entry.seq;
    offer->entry = leaf_hash;
    if (!entry.refs.empty()) offer->answers = entry.refs.front();
  }
  if (auto* const consent = std::get_if<ledger::RevealConsented>(&*fact)) consent->entry = leaf_hash;
  if (auto* const end = std::get_if<ledger::RevealClosed>(&*fact)) {
    end->place = entry.seq;
    if (!entry.refs.empty()) end->answers = entry.refs.front();
  }
  return ledger::Event{
      .author = entry.author, .peer = *other, .session = *session, .time = entry.time, .fact = *std::move(fact)};
}

log::Json to_json(const ledger::Settled& settled) {
  log::Json::Object object{{"asker_entered", static_cast<std::int64_t>(settled.asker_entered)},
                           {"responder_entered", static_cast<std::int64_t>(settled.responder_entered)},
                           {"v", kSessionVersion}};
  write_range(object, "asker_matches", settled.asker_matches);
  write_range(object, "responder_matches", settled.responder_matches);
  return object;
}

Result<ledger::Settled> settled_from_json(const log::Json& body) {
  log::ObjectReader reader(body, "the settlement");
  ledger::Settled settled;
  settled.asker_entered = static_cast<std::uint64_t>(reader.integer("asker_entered", 0, log::kMaxInteger));
  settled.asker_matches = read_range(reader, "asker_matches_least", "asker_matches_most");
  settled.responder_entered = static_cast<std::uint64_t>(reader.integer("responder_entered", 0, log::kMaxInteger));
  settled.responder_matches = read_range(reader, "responder_matches_least", "responder_matches_most");
  reader.integer("v", kSessionVersion, kSessionVersion);
  TRY_STATUS(reader.finish());
  return settled;
}

Result<ledger::SessionId> session_id_from(std::string_view hex) {
  ledger::SessionId id{};
  if (!read_hex(hex, id)) return fail(Errc::format, "This is no name of a session.");
  return id;
}

Accounting::Accounting(std::string group, std::string self)
    : group_(std::move(group)), self_(std::move(self)), ledger_(self_, {.receiver_tests = receiver_tests}) {}

Status Accounting::update(vault::Vault& vault) {
  TRY(const std::vector<vault::LogHead> heads, vault.logs());
  std::vector<MemberLog> logs;
  for (const vault::LogHead& head : heads)
    if (head.group == group_) logs.push_back({head.origin, head.nick});
  mirror::VaultStore store(vault, group_, {}, 0);
  return update(store, logs);
}

// Our own log first: whatever it names, the ledger keeps all facts of.
Status Accounting::update(mirror::Store& store, std::span<const MemberLog> logs) {
  const std::lock_guard lock(reading_);
  TRY_STATUS(begin_anew_if_cut(store, logs));
  for (const bool own : {true, false})
    for (const MemberLog& log : logs)
      if ((log.nick == self_) == own) TRY_STATUS(read_log(store, log));
  for (const MemberLog& log : logs) TRY_STATUS(tell_again(store, log));
  return {};
}

// Facts of a session that were forgotten before our log named it: all that its peer's log says of it, once more.
Status Accounting::tell_again(mirror::Store& store, const MemberLog& log) {
  std::vector<ledger::Lacking> lacking;
  {
    const std::lock_guard lock(mutex_);
    std::ranges::copy_if(ledger_.lacking(), std::back_inserter(lacking),
                         [&](const ledger::Lacking& one) { return one.peer == log.nick; });
    for (const ledger::Lacking& one : lacking) ledger_.begin_again(one);
  }
  if (lacking.empty()) return {};
  std::set<ledger::SessionId> sessions;
  for (const ledger::Lacking& one : lacking) sessions.insert(one.session);
  Read& read = read_[log.origin];
  bool whole = true;
  for (std::uint64_t from = 0; from < read.size; from += kLeavesAtOnce) {
    TRY(const auto leaves, leaves_of(store, log.origin, from, std::min(kLeavesAtOnce, read.size - from)));
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      TRY(const bool taken, take_once_more(store, log, leaves[i], from + i, sessions));
      whole = whole && taken;
    }
  }
  // What is damaged here may be what is lacking: then this is done again until it is mended.
  if (!whole) return {};
  const std::lock_guard lock(mutex_);
  for (const ledger::Lacking& one : lacking) ledger_.told_again(one);
  return {};
}

// The entry may wait for its body, or to be mended, from when it was read before: now it waits, if at all, anew.
Result<bool> Accounting::take_once_more(mirror::Store& store, const MemberLog& log, const vault::LogLeaf& leaf,
                                        std::uint64_t seq, const std::set<ledger::SessionId>& sessions) {
  const auto entry = log::read_entry_unverified(leaf.note);
  if (!entry || entry->seq != seq || entry->author != log.nick) return false;
  const auto session = session_of(*entry, leaf.hash);
  if (!session || !sessions.contains(*session)) return true;
  Read& read = read_[log.origin];
  std::erase(read.without_body, seq);
  std::erase(read.damaged, seq);
  TRY(const Taken taken, take(store, log, leaf, seq));
  if (taken == Taken::without_body) read.without_body.push_back(seq);
  return true;
}

Status Accounting::begin_anew_if_cut(mirror::Store& store, std::span<const MemberLog> logs) {
  for (const MemberLog& log : logs) {
    const Read& read = read_[log.origin];
    if (read.size == 0) continue;
    TRY(const auto newest, store.leaves(log.origin, read.size - 1, 1));
    if (!newest.empty() && newest.front().hash == read.last) continue;
    read_.clear();
    const std::lock_guard lock(mutex_);
    ledger_ = ledger::Ledger(self_, {.receiver_tests = receiver_tests});
    return {};
  }
  return {};
}

// Each entry is taken once, also where reading ends in the middle.
Status Accounting::read_log(mirror::Store& store, const MemberLog& log) {
  Read& read = read_[log.origin];
  TRY(const vault::LogHead head, store.head(log.origin));
  TRY_STATUS(read_again(store, log, Taken::damaged, read.damaged.size()));
  TRY_STATUS(read_again(store, log, Taken::without_body, kMostLookedForAgain));
  while (read.size < head.size) {
    TRY(const auto leaves, leaves_of(store, log.origin, read.size, std::min(kLeavesAtOnce, head.size - read.size)));
    for (const vault::LogLeaf& leaf : leaves) {
      TRY(const Taken taken, take(store, log, leaf, read.size));
      if (taken == Taken::without_body) read.without_body.push_back(read.size);
      if (taken == Taken::damaged) read.damaged.push_back(read.size);
      read.last = leaf.hash;
      ++read.size;
    }
  }
  return {};
}

Status Accounting::read_again(mirror::Store& store, const MemberLog& log, Taken before, std::size_t count) {
  Read& read = read_[log.origin];
  std::deque<std::uint64_t>& waiting = before == Taken::damaged ? read.damaged : read.without_body;
  for (std::size_t due = std::min(waiting.size(), count); due > 0; --due) {
    const std::uint64_t seq = waiting.front();
    TRY(const auto leaves, leaves_of(store, log.origin, seq, 1));
    TRY(const Taken taken, take(store, log, leaves.front(), seq, before == Taken::without_body));
    waiting.pop_front();
    // What was taken without its body stays taken, whatever has become of the row.
    if (taken == Taken::damaged) waiting.push_back(seq);
    if (taken == Taken::without_body) read.without_body.push_back(seq);
  }
  return {};
}

// What stands in the store was verified before it was kept; a row that was changed since, or read in another's place,
// must not be taken for it.
Result<Accounting::Taken> Accounting::take(mirror::Store& store, const MemberLog& log, const vault::LogLeaf& leaf,
                                           std::uint64_t seq, bool again) {
  const auto entry = log::read_entry_unverified(leaf.note);
  if (!entry || entry->seq != seq || entry->author != log.nick) {
    if (log.nick == self_)
      return fail(Errc::vault_damaged,
                  fmt::format("Entry {} of our own log is damaged here. parley log fsck says more.", seq));
    const std::lock_guard lock(mutex_);
    ledger_.unreadable(log.nick);
    return Taken::damaged;
  }
  if (entry->author == self_) {
    const std::lock_guard lock(mutex_);
    ledger_.logged(entry->time);
  }
  if (reader_of(entry->type) == nullptr || !other_party(*entry, self_)) return Taken::whole;
  TRY(const auto kept, store.entry_body(leaf.hash));
  std::optional<std::string_view> body;
  if (kept && log::body_commitment(kept->salt, kept->content) == entry->body) body = as_text(kept->content);
  if (again && !body) return Taken::without_body;
  if (auto event = event_of(*entry, leaf.hash, body, self_)) {
    if (auto* const offer = std::get_if<ledger::RevealOffered>(&event->fact)) offer->was_unknown = again;
    const std::lock_guard lock(mutex_);
    ledger_.take(*event);
  }
  return body ? Taken::whole : Taken::without_body;
}

void Accounting::charge(const mirror::EntryView& run) {
  const std::lock_guard lock(mutex_);
  std::optional<std::string> body;
  if (run.body) body = log::write_pjson(*run.body);
  if (const auto event = event_of(run.entry, run.leaf_hash, body, self_)) ledger_.take(*event);
}

Accounting::NotRunYet::NotRunYet(Accounting& accounting, const ledger::SessionId& session)
    : accounting_(accounting), session_(session) {
  const std::lock_guard lock(accounting_.mutex_);
  accounting_.ledger_.not_run_yet(session_, true);
}

Accounting::NotRunYet::~NotRunYet() {
  const std::lock_guard lock(accounting_.mutex_);
  accounting_.ledger_.not_run_yet(session_, false);
}

Status Accounting::note_canaries(vault::Vault& vault) {
  TRY(const auto rows, vault.sessions({.group = group_}));
  for (const vault::SessionRow& row : rows) {
    TRY(const Outcome outcome, read_outcome(row.outcome));
    const auto id = session_id_from(row.id);
    if (outcome.canaries == 0 || !id) continue;
    const std::lock_guard lock(mutex_);
    ledger_.note_canaries(*id, outcome.canaries);
  }
  return {};
}

void Accounting::see(UnixSeconds time) {
  const std::lock_guard lock(mutex_);
  ledger_.see(time);
}

std::map<indicator::Type, group::Spent> Accounting::spent(UnixSeconds now, const std::string& peer,
                                                          std::span<const indicator::Type> types,
                                                          const MostEntered& most_entered) {
  const std::lock_guard lock(mutex_);
  // Under the same lock: another session's clock must not move the windows in between.
  ledger_.see(now);
  const auto day = ledger_.accounts_by_type(&peer, ledger::Window::day);
  const auto month = ledger_.accounts_by_type(&peer, ledger::Window::month);
  const auto all = ledger_.accounts_by_type(nullptr, ledger::Window::month);
  std::map<indicator::Type, group::Spent> spent;
  for (std::size_t i = 0; i < indicator::kAllTypes.size(); ++i) {
    const indicator::Type type = indicator::kAllTypes[i];
    if (std::ranges::find(types, type) == types.end()) continue;
    const std::int64_t most = most_entered(type);
    const std::int64_t unseen = month[i].incomplete * most;
    spent[type] = {.sessions_day = day[i].ran,
                   .probe_in_30d = month[i].probe_in + unseen,
                   .probe_out_30d = month[i].probe_out,
                   .probe_in_group_30d = all[i].probe_in + all[i].incomplete * most,
                   .matches_in_30d = month[i].match_in.worst + unseen,
                   .matches_out_30d = month[i].match_out.worst + unseen};
  }
  return spent;
}

MostEntered most_entered_under(const group::Membership& membership, Function function) {
  return [&membership, function](indicator::Type type) -> std::int64_t {
    const group::AllowedQuestion* allowed = membership.charter().question(type, function);
    return allowed == nullptr ? 0 : membership.caps(*allowed).items_per_session;
  };
}

Result<std::shared_ptr<Accounting>> Ledgers::up_to_date(vault::Vault& vault, const std::string& group,
                                                        const std::string& self) {
  const auto accounting = [&] {
    const std::lock_guard lock(mutex_);
    auto& place = by_group_[group];
    if (!place) place = std::make_shared<Accounting>(group, self);
    return place;
  }();
  TRY_STATUS(accounting->update(vault));
  return accounting;
}

}  // namespace parley::session
