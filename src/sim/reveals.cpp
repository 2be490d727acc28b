#include "sim/reveals.h"

#include <algorithm>
#include <utility>

#include "crypto/hash.h"
#include "session/context_record.h"
#include "session/input.h"
#include "sim/node.h"
#include "sim/world.h"

namespace parley::sim {

using mirror::EntryView;
using session::Side;

namespace {

constexpr Time kRevealWait = 40'000;
constexpr Time kMostThought = 3000;
constexpr std::size_t kMostArrived = 16;
constexpr std::size_t kCalls = 2;     ///< one in so many operators wants more of what is common
constexpr std::size_t kRefusals = 6;  ///< one in so many has not consented
constexpr std::int64_t kMostOpenings = 4;
constexpr std::size_t kMostFields = 3;
constexpr std::int64_t kMostUnreturned = 5;

}  // namespace

Reveals::Reveals(Node& node, session::Accounting& accounting)
    : node_(node), accounting_(accounting), dice_(node.world().plan().seed + node.self(), "reveals") {}

Reveals::Talk* Reveals::find(const std::string& session) {
  const auto is_it = [&](const Talk& talk) { return talk.session == session && talk.phase != Phase::over; };
  const auto found = std::ranges::find_if(talks_, is_it);
  return found == talks_.end() ? nullptr : &*found;
}

Reveals::Talk* Reveals::find(std::size_t number) {
  const auto found = std::ranges::find(talks_, number, &Talk::number);
  return found == talks_.end() || found->phase == Phase::over ? nullptr : &*found;
}

bool Reveals::needs(std::size_t peer) const {
  return std::ranges::any_of(talks_, [&](const Talk& talk) { return talk.peer == peer && talk.phase != Phase::over; });
}

Digest Reveals::label_of(const Talk& talk, bool ours) const {
  const StoredSession* stored = node_.disk().session(talk.session);
  const bool asker = stored != nullptr && stored->row.asked_by_us == ours;
  return session::input_label(talk.session, asker ? Side::asker : Side::responder);
}

// --- writing -------------------------------------------------------------------------------------------------------

Result<EntryView> Reveals::write(const Talk& talk, std::string_view type, log::Json body, std::vector<Digest> refs) {
  return node_.append({.type = std::string(type),
                       .session = talk.session,
                       .refs = std::move(refs),
                       .audience = {node_.world().nick(talk.peer)},
                       .body = std::move(body)},
                      [&](const EntryView& step) -> Status {
                        node_.disk().save_session(node_.disk().session(talk.session)->row,
                                                  {session::stored_step(step)});
                        return {};
                      });
}

Status Reveals::write_and_name(const Talk& talk, std::string_view type, log::Json body, std::vector<Digest> refs) {
  TRY(const EntryView step, write(talk, type, std::move(body), std::move(refs)));
  node_.push(talk.peer);
  node_.send(talk.peer, {.type = FrameType::step, .message = {}, .step = step.leaf_hash, .session = {}});
  return {};
}

void Reveals::wait(const Talk& talk) {
  node_.world().after(
      kRevealWait, [this, &node = node_, number = talk.number, phase = talk.phase, incarnation = node_.incarnation()] {
        if (!node.runs() || node.incarnation() != incarnation) return;
        node.act([&] {
          Talk* waiting = find(number);
          if (waiting != nullptr && waiting->phase == phase) close(*waiting, "them");
        });
      });
}

/// Where offers were exchanged, how far both are and who stopped goes on record.
void Reveals::close(Talk& talk, std::string_view stopped) {
  const Phase phase = std::exchange(talk.phase, Phase::over);
  if (phase != Phase::opening) return;
  const std::uint64_t per_match = std::max<std::uint64_t>(talk.theirs.fields.size(), 1);
  const session::RevealEnd end{.opened = talk.sent,
                               .kept_back = talk.ours.values - std::min(talk.sent, talk.ours.values),
                               .missing = session::opened_of(talk.theirs, talk.ours) - talk.received,
                               .received = (talk.received + per_match - 1) / per_match,
                               .received_fields = talk.received,
                               .stopped = std::string(stopped)};
  (void)write_and_name(talk, session::kRevealClose, end.to_json(), {talk.their_offer});
}

// --- before anything is opened -------------------------------------------------------------------------------------

const StoredSession* Reveals::revealable(std::size_t peer, const std::string& session) const {
  const StoredSession* stored = node_.disk().session(session);
  if (stored == nullptr || stored->row.peer != node_.world().nick(peer) || ending_of(stored->row) != "agreed")
    return nullptr;
  const auto outcome = session::read_outcome(stored->row.outcome);
  const auto terms = session::read_terms(stored->row.terms);
  const bool common = outcome && terms && outcome->both_learned && outcome->count > 0 &&
                      terms->question.function == session::Function::intersection;
  if (!common || !node_.replica().trusted(stored->row.peer) ||
      !node_.membership().check(group::Act::reveal, node_.world().clock_of(node_.self())))
    return nullptr;
  return stored;
}

session::RevealOffer Reveals::draw_offer(const Talk& talk, const StoredSession& stored) {
  session::RevealOffer offer;
  for (const std::string_view path : session::kFieldPaths)
    if (std::ranges::find(session::kMarkPaths, path) == session::kMarkPaths.end() && dice_.one_in(4) &&
        offer.fields.size() < kMostFields)
      offer.fields.emplace_back(path);
  if (offer.fields.empty()) offer.fields.emplace_back("malware");
  const auto outcome = session::read_outcome(stored.row.outcome);
  offer.openings = static_cast<std::uint64_t>(dice_.between(1, std::min(outcome->count, kMostOpenings)));
  offer.values = offer.openings * offer.fields.size();
  offer.unreturned = dice_.one_in(3) ? static_cast<std::uint64_t>(dice_.between(1, kMostUnreturned)) : 0;
  offer.openings_commitment = crypto::sha256(as_bytes(talk.session + std::to_string(dice_.next())));
  return offer;
}

/// As Exchange::first_to_open().
Result<std::string> Reveals::first_to_open(const Talk& talk) {
  TRY_STATUS(node_.read_logs(accounting_));
  const std::string& us = node_.world().nick(node_.self());
  const std::string& peer = node_.world().nick(talk.peer);
  const ledger::Account account = accounting_.with(
      [&](const ledger::Ledger& ledger) { return ledger.account(&peer, std::nullopt, ledger::Window::operation); });
  if (account.weight_in.known != account.weight_out.known)
    return account.weight_out.known > account.weight_in.known ? us : peer;
  const bool asker = (std::to_integer<unsigned>(crypto::sha256(as_bytes(talk.session)).back()) & 1) == 0;
  return asker == node_.disk().session(talk.session)->row.asked_by_us ? us : peer;
}

Reveals::Talk& Reveals::begin(std::size_t peer, const std::string& session, bool calls) {
  Talk& talk = talks_.emplace_back();
  talk.number = next_number_++;
  talk.peer = peer;
  talk.session = session;
  talk.calls = calls;
  return talk;
}

void Reveals::may_begin(const vault::SessionRow& row, std::size_t peer) {
  if (!dice_.one_in(kCalls)) return;
  node_.world().after(dice_.between(0, kMostThought),
                      [this, &node = node_, incarnation = node_.incarnation(), peer, session = row.id] {
                        if (!node.runs() || node.incarnation() != incarnation) return;
                        node.act([&] { call(peer, session); });
                      });
}

void Reveals::call(std::size_t peer, const std::string& session) {
  const StoredSession* stored = revealable(peer, session);
  if (stored == nullptr || !node_.is_live() || !node_.world().is_linked(node_.self(), peer) || !node_.has_heard(peer) ||
      find(session) != nullptr)
    return;
  Talk& talk = begin(peer, session, true);
  talk.ours = draw_offer(talk, *stored);
  const auto first = first_to_open(talk);
  if (!first) return close(talk, {});
  talk.ours.first = *first;
  // Who calls shows its offer first, and is bound by that.
  const session::RevealConsent consent{.by = "operator", .offer = {}, .received = {}, .sealed = false};
  if (!write_and_name(talk, session::kRevealConsent, consent.to_json(), {})) return close(talk, {});
  wait(talk);
}

void Reveals::answer(std::size_t peer, const EntryView& step) {
  const std::string session = step.entry.session;
  const StoredSession* stored = revealable(peer, session);
  if (!session::RevealConsent::from_json(*step.body) || node_.disk().session(session) == nullptr) return;
  Talk& talk = begin(peer, session, false);
  if (stored == nullptr || dice_.one_in(kRefusals)) {
    const session::Refusal refusal{.code = "no-consent-yet", .text = {}};
    (void)write_and_name(talk, session::kRevealRefuse, refusal.to_json(), {step.leaf_hash});
    return close(talk, {});
  }
  talk.ours = draw_offer(talk, *stored);
  const auto first = first_to_open(talk);
  if (!first) return close(talk, {});
  talk.ours.first = *first;
  const session::RevealConsent consent{.by = "operator",
                                       .offer = session::offer_commitment(label_of(talk, true), talk.ours),
                                       .received = {},
                                       .sealed = false};
  if (!write_and_name(talk, session::kRevealConsent, consent.to_json(), {step.leaf_hash})) return close(talk, {});
  wait(talk);
}

/// Of the one who called.
void Reveals::consented(Talk& talk, const EntryView& step) {
  const auto consent = session::RevealConsent::from_json(*step.body);
  if (!consent) return close(talk, {});
  talk.their_commitment = consent->offer;
  auto offer = write(talk, session::kRevealOffer, talk.ours.to_json(), {step.leaf_hash});
  if (!offer) return close(talk, {});
  talk.our_offer = offer->leaf_hash;
  talk.phase = Phase::offered;
  node_.push(talk.peer);
  node_.send(talk.peer, {.type = FrameType::step, .message = {}, .step = offer->leaf_hash, .session = {}});
  wait(talk);
}

void Reveals::offered(Talk& talk, const EntryView& step) {
  const auto offer = session::RevealOffer::from_json(*step.body);
  const auto is_bound_to = [&] {
    return !talk.calls || session::offer_commitment(label_of(talk, false), *offer) == talk.their_commitment;
  };
  if (!offer || !is_bound_to() || offer->first != talk.ours.first || offer->values == 0) return close(talk, {});
  talk.theirs = *offer;
  talk.their_offer = step.leaf_hash;
  if (!talk.calls) {
    auto ours = write(talk, session::kRevealOffer, talk.ours.to_json(), {step.leaf_hash});
    if (!ours) return close(talk, {});
    talk.our_offer = ours->leaf_hash;
    node_.push(talk.peer);
    node_.send(talk.peer, {.type = FrameType::step, .message = {}, .step = ours->leaf_hash, .session = {}});
  }
  talk.begins = talk.ours.first == node_.world().nick(node_.self());
  talk.phase = Phase::opening;
  wait(talk);
}

// --- openings ------------------------------------------------------------------------------------------------------

Status Reveals::open_one(Talk& talk) {
  TRY_STATUS(node_.read_logs(accounting_));
  const std::string& peer = node_.world().nick(talk.peer);
  const ledger::Account account = accounting_.with(
      [&](const ledger::Ledger& ledger) { return ledger.account(&peer, std::nullopt, ledger::Window::operation); });
  node_.world().observer().opens({.from = node_.self(),
                                  .to = talk.peer,
                                  .session = talk.session,
                                  .our_offer = talk.our_offer,
                                  .their_offer = talk.their_offer,
                                  .offered = talk.ours.values,
                                  .counted = account.field_in.worst});
  ++talk.sent;
  node_.send(talk.peer, {.type = FrameType::opening, .message = {}, .step = {}, .session = talk.session});
  return {};
}

/// As Exchange::open_in_turn(), as far as what has come lets it go on.
void Reveals::open_in_turn(Talk& talk) {
  // Our offer counts what we open; it must not be only here.
  const auto ours = node_.replica().entry(node_.world().nick(node_.self()), talk.our_offer);
  const auto is_held = [&] {
    return node_.replica().held_by(node_.world().nick(talk.peer), node_.world().nick(node_.self()),
                                   ours->entry.seq + 1);
  };
  if (!ours || (node_.world().plan().flaw != Flaw::opens_before_its_offer_is_held && !is_held())) return;
  const std::uint64_t we_open = session::opened_of(talk.ours, talk.theirs);
  const std::uint64_t they_open = session::opened_of(talk.theirs, talk.ours);
  talk.received += std::exchange(talk.arrived_openings, 0);
  if (talk.received > they_open) {
    talk.received = they_open;
    return close(talk, "them");
  }
  while (talk.sent < we_open) {
    const std::uint64_t due = std::min(talk.begins ? talk.sent : talk.sent + 1, they_open);
    if (talk.received < due) return;
    if (!open_one(talk)) return close(talk, "us");
  }
  if (node_.world().plan().flaw == Flaw::opens_more_than_it_offered)
    while (talk.sent <= talk.ours.values)
      if (!open_one(talk)) return close(talk, "us");
  if (talk.received == they_open) close(talk, {});
}

void Reveals::take_opening(std::size_t peer, const std::string& session) {
  Talk* talk = find(session);
  if (talk != nullptr && talk->peer == peer) ++talk->arrived_openings;
}

// --- what arrives --------------------------------------------------------------------------------------------------

bool Reveals::take_step(std::size_t peer, const EntryView& step) {
  const std::string& type = step.entry.type;
  if (type != session::kRevealConsent && type != session::kRevealOffer && type != session::kRevealRefuse &&
      type != session::kRevealClose)
    return false;
  Talk* talk = find(step.entry.session);
  if (talk == nullptr && type == session::kRevealConsent) answer(peer, step);
  if (talk == nullptr || talk->peer != peer) return true;
  if (talk->arrived.size() >= kMostArrived)
    close(*talk, "them");
  else
    talk->arrived.push_back(step);
  return true;
}

void Reveals::link_lost(std::size_t peer) {
  for (Talk& talk : talks_)
    if (talk.peer == peer) close(talk, "them");
}

void Reveals::go_on(Talk& talk) {
  if (talk.phase == Phase::opening) open_in_turn(talk);
  if (talk.arrived.empty() || talk.phase == Phase::over) return;
  const EntryView step = std::move(talk.arrived.front());
  talk.arrived.pop_front();
  const std::string& type = step.entry.type;
  if (talk.phase == Phase::consented && talk.calls && type == session::kRevealConsent) return consented(talk, step);
  if (type == session::kRevealOffer && talk.phase == (talk.calls ? Phase::offered : Phase::consented))
    return offered(talk, step);
  close(talk, "them");
}

void Reveals::progress() {
  // Talks that begin meanwhile are at the end of the list.
  for (Talk& talk : talks_) {
    std::size_t left = 0;
    do {
      left = talk.arrived.size();
      if (talk.phase != Phase::over) go_on(talk);
    } while (talk.phase != Phase::over && talk.arrived.size() < left);
    if (talk.phase == Phase::opening) open_in_turn(talk);
  }
  std::erase_if(talks_, [](const Talk& talk) { return talk.phase == Phase::over; });
}

}  // namespace parley::sim
