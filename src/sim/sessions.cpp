#include "sim/sessions.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/random.h"
#include "crypto/hash.h"
#include "indicator/indicator.h"
#include "psi/intersect/choice.h"
#include "session/padding.h"
#include "session/result_root.h"
#include "sim/node.h"
#include "sim/world.h"

namespace parley::sim {

using mirror::EntryView;
using session::Side;

namespace {

constexpr Time kDecisionWait = 60'000;
constexpr Time kStepWait = 40'000;
constexpr std::size_t kRefusals = 12;  ///< one in so many proposals is refused
constexpr std::size_t kMostArrived = 16;
constexpr Time kMostThought = 800;

}  // namespace

std::string ending_of(const vault::SessionRow& row) {
  const auto outcome = session::read_outcome(row.outcome);
  return row.state == session::kHasResult && outcome && outcome->agreed ? "agreed" : row.state;
}

std::string salts_key(const std::string& session) {
  return "salts/" + session;
}

Sessions::Sessions(Node& node)
    : node_(node), accounting_(std::string(kGroup), node.world().nick(node.self())), reveals_(node, accounting_) {}

bool Sessions::flawed(Flaw flaw) const {
  return node_.world().plan().flaw == flaw;
}

Sessions::Talk* Sessions::find(const std::string& session) {
  const auto is_it = [&](const Talk& talk) { return talk.session() == session && talk.phase != Phase::over; };
  const auto found = std::ranges::find_if(talks_, is_it);
  return found == talks_.end() ? nullptr : &*found;
}

Sessions::Talk* Sessions::find(std::size_t number) {
  const auto found = std::ranges::find(talks_, number, &Talk::number);
  return found == talks_.end() || found->phase == Phase::over ? nullptr : &*found;
}

bool Sessions::needs(std::size_t peer) const {
  return reveals_.needs(peer) ||
         std::ranges::any_of(talks_, [&](const Talk& talk) { return talk.peer == peer && talk.phase != Phase::over; });
}

bool Sessions::operator_stops() {
  for (const Talk& talk : talks_)
    if (talk.entry && talk.phase != Phase::over) return under_way_.stop(talk.session()).has_value();
  return false;
}

// --- writing and sending -------------------------------------------------------------------------------------------

Sessions::Talk& Sessions::begin(std::size_t peer, Side side) {
  Talk& talk = talks_.emplace_back();
  talk.number = next_number_++;
  talk.peer = peer;
  talk.side = side;
  talk.began = node_.world().now();
  talk.row.peer = node_.world().nick(peer);
  talk.row.asked_by_us = talk.asks();
  talk.row.group = kGroup;
  talk.row.created = talk.row.updated = node_.world().clock_of(node_.self());
  return talk;
}

void Sessions::stage(Talk& talk, std::string_view state, std::vector<vault::SessionStep> steps) {
  talk.row.state = state;
  talk.row.updated = node_.world().clock_of(node_.self());
  talk.row.terms = session::write_terms(talk.terms);
  talk.row.outcome = session::write_outcome(talk.outcome);
  node_.disk().save_session(talk.row, std::move(steps));
}

Result<EntryView> Sessions::write(Talk& talk, std::string_view type, log::Json body, std::vector<Digest> refs,
                                  std::string_view state, const Check& check, std::string_view secret) {
  return node_.append({.type = std::string(type),
                       .session = talk.session(),
                       .refs = std::move(refs),
                       .audience = {node_.world().nick(talk.peer)},
                       .body = std::move(body)},
                      [&](const EntryView& step) -> Status {
                        if (check) TRY_STATUS(check());
                        talk.row.id = session::session_of(step);
                        stage(talk, state, {session::stored_step(step)});
                        if (!secret.empty()) node_.disk().put_secret(salts_key(talk.session()), std::string(secret));
                        return {};
                      });
}

void Sessions::save(Talk& talk, std::string_view state, std::vector<vault::SessionStep> steps) {
  (void)node_.save([&] { stage(talk, state, std::move(steps)); });
}

void Sessions::save_received(Talk& talk, std::string_view state, const EntryView& step) {
  save(talk, state, {session::stored_step(step)});
}

void Sessions::name(const Talk& talk, const EntryView& step) {
  node_.push(talk.peer);
  node_.send(talk.peer, {.type = FrameType::step, .message = {}, .step = step.leaf_hash, .session = {}});
}

void Sessions::wait(Talk& talk, Time most) {
  node_.world().after(
      most, [this, &node = node_, number = talk.number, phase = talk.phase, incarnation = node_.incarnation()] {
        if (!node.runs() || node.incarnation() != incarnation) return;
        node.act([&] {
          Talk* waiting = find(number);
          if (waiting != nullptr && waiting->phase == phase) failed(*waiting, Errc::peer_gone, true);
        });
      });
}

/// As Session::failed(): a session that has a result keeps it; one that had begun says so in our log.
void Sessions::failed(Talk& talk, Errc code, bool timed_out) {
  const Phase phase = std::exchange(talk.phase, Phase::over);
  talk.entry.reset();
  if (talk.session().empty()) return;
  if (phase == Phase::result || phase == Phase::closing) return end_compared(talk);
  const bool ran = phase == Phase::running || phase == Phase::ran || phase == Phase::disclosing;
  const bool before = phase == Phase::proposed || phase == Phase::deciding;
  const bool expired = phase == Phase::proposed && timed_out;
  talk.outcome.failed_phase = ran ? "run" : before ? "propose" : "commit";
  talk.outcome.failure = "It failed.";
  talk.outcome.may_have_disclosed = ran && !flawed(Flaw::hides_that_it_disclosed);
  if (before && code == Errc::refused) return save(talk, session::kRefused);
  const std::string_view state = expired ? session::kExpired : session::kAborted;
  const session::Abort abort{.phase = talk.outcome.failed_phase,
                             .code = std::string(parley::name_of(code)),
                             .may_have_disclosed = talk.outcome.may_have_disclosed};
  const auto said = write(talk, session::kAbort, abort.to_json(), {}, state);
  if (said) return name(talk, *said);
  // After a failed write nothing is known of the disk: what a session is left in is settled at the next start.
  if (node_.replica().state() != mirror::State::halted) save(talk, state);
}

/// The result is ours, whatever the other side does.
void Sessions::end_compared(Talk& talk) {
  if (!talk.outcome.agreed && talk.row.state != session::kDisputed) {
    talk.outcome.failed_phase = "compare";
    talk.outcome.failure = "The other side did not confirm the result.";
  }
  save(talk, talk.row.state == session::kDisputed ? session::kDisputed : session::kHasResult);
}

// --- what is permitted ---------------------------------------------------------------------------------------------

/// As Session::check_permitted(): by the charter and our own policy as they are now, and by what the ledger says was
/// spent.
Status Sessions::check_permitted(const Talk& talk, const Digest& their_charter) {
  const std::string& nick = node_.world().nick(talk.peer);
  TRY_STATUS(node_.replica().trusted(nick));
  const group::Membership membership = node_.membership();
  const group::CharterMember& peer = *membership.charter().member(nick);
  const session::Question& question = talk.terms.question;
  group::QuestionFacts facts;
  facts.peer_id = peer.id;
  facts.peer_card = peer.card;
  facts.peer_confirmed = true;
  facts.charter = their_charter;
  facts.function = question.function;
  facts.types = question.types;
  facts.our_padded = static_cast<std::int64_t>(talk.terms.our_padded);
  facts.their_padded = static_cast<std::int64_t>(talk.terms.their_padded);
  facts.we_learn = talk.asks() ? question.asker_learns() : question.responder_learns();
  facts.they_learn = talk.asks() ? question.responder_learns() : question.asker_learns();
  const UnixSeconds now = node_.world().clock_of(node_.self());
  if (!flawed(Flaw::checks_no_caps)) {
    TRY_STATUS(node_.read_logs(accounting_));
    accounting_.see(now);
    facts.spent = accounting_.spent(nick, question.types, session::most_entered_under(membership, question.function));
  }
  return membership.check_question(facts, now);
}

std::uint64_t Sessions::padded_for(const Talk&) {
  return draw_padded(node_.world().dice(node_.self()));
}

// --- the asker -----------------------------------------------------------------------------------------------------

void Sessions::ask(std::size_t peer) {
  Talk& talk = begin(peer, Side::asker);
  talk.terms.question = draw_question(node_.world().charter().charter, node_.world().dice(node_.self()));
  talk.terms.our_padded = padded_for(talk);
  if (!check_permitted(talk, node_.world().charter().hash)) {
    talk.phase = Phase::over;
    return;
  }
  wait(talk, kStepWait);
  node_.world().connect(node_.self(), peer);
}

void Sessions::propose(Talk& talk) {
  const session::Proposal proposal{.question = talk.terms.question,
                                   .padded = talk.terms.our_padded,
                                   .most_tests = session::kMostTests,
                                   .suites = psi::known_suites(),
                                   .rules = indicator::rules_id(),
                                   .nonce = random_bytes<32>()};
  const auto step = write(talk, session::kPropose, proposal.to_json(), {}, session::kProposed);
  if (!step) {
    talk.phase = Phase::over;
    return;
  }
  talk.proposal = step->leaf_hash;
  talk.phase = Phase::proposed;
  talk.progress = std::make_unique<SilentProgress>();
  talk.entry =
      std::make_unique<session::UnderWay::Entry>(under_way_, talk.session(), std::string(kGroup), *talk.progress);
  node_.world().observer().proposed(talk.session(), node_.self(), talk.peer);
  name(talk, *step);
  wait(talk, kDecisionWait);
}

void Sessions::accepted(Talk& talk, const EntryView& step) {
  const auto acceptance = session::Acceptance::from_json(*step.body);
  if (!acceptance) return failed(talk, Errc::protocol);
  talk.terms.their_padded = acceptance->padded;
  if (!check_permitted(talk, step.entry.charter)) return failed(talk, Errc::policy);
  talk.acceptance = step.leaf_hash;
  save_received(talk, session::kAccepted, step);
  commit(talk);
}

// --- the responder -------------------------------------------------------------------------------------------------

void Sessions::begin_answer(std::size_t peer, const EntryView& step) {
  const std::string session = session::session_of(step);
  if (node_.disk().session(session) != nullptr) return;  // it was made before, and sent again
  const auto proposal = session::Proposal::from_json(*step.body);
  if (!proposal) return;
  Talk& talk = begin(peer, Side::responder);
  talk.row.id = session;
  talk.proposal = step.leaf_hash;
  talk.phase = Phase::deciding;
  talk.terms.question = proposal->question;
  talk.terms.their_padded = proposal->padded;
  save_received(talk, session::kProposed, step);
  if (!check_permitted(talk, step.entry.charter)) return refuse(talk);
  talk.progress = std::make_unique<SilentProgress>();
  talk.entry = std::make_unique<session::UnderWay::Entry>(under_way_, session, std::string(kGroup), *talk.progress);
  node_.world().after(node_.world().dice(node_.self()).between(0, kMostThought),
                      [this, &node = node_, number = talk.number, incarnation = node_.incarnation()] {
                        if (!node.runs() || node.incarnation() != incarnation) return;
                        node.act([&] {
                          if (Talk* deciding = find(number)) decide(*deciding);
                        });
                      });
}

void Sessions::refuse(Talk& talk) {
  const session::Refusal refusal{.code = std::string(session::kRefusedByPolicy), .text = {}};
  const auto step = write(talk, session::kRefuse, refusal.to_json(), {talk.proposal}, session::kRefused);
  if (!step) return failed(talk, Errc::policy);
  name(talk, *step);
  talk.phase = Phase::over;
}

void Sessions::decide(Talk& talk) {
  if (talk.phase != Phase::deciding) return;
  if (node_.world().dice(node_.self()).one_in(kRefusals)) return refuse(talk);
  talk.terms.our_padded = padded_for(talk);
  if (!check_permitted(talk, node_.world().charter().hash)) return refuse(talk);
  const session::Acceptance acceptance{
      .padded = talk.terms.our_padded, .suite = psi::known_suites().front(), .nonce = random_bytes<32>()};
  const auto step = write(talk, session::kAccept, acceptance.to_json(), {talk.proposal}, session::kAccepted);
  if (!step) return failed(talk, Errc::policy);
  talk.acceptance = step->leaf_hash;
  name(talk, *step);
  commit(talk);
}

// --- both ----------------------------------------------------------------------------------------------------------

void Sessions::commit(Talk& talk) {
  const std::string salts = std::to_string(node_.world().dice(node_.self()).next());
  const Digest root = crypto::sha256(as_bytes(salts));
  const session::Commitment commitment{
      .items_root = root, .context_root = root, .result_key_commitment = root, .seed_commitment = root};
  const auto step =
      write(talk, session::kCommit, commitment.to_json(), {talk.asks() ? talk.acceptance : talk.proposal},
            session::kCommitted, {}, flawed(Flaw::forgets_salts) ? std::string_view() : std::string_view(salts));
  if (!step) return failed(talk, Errc::policy);
  talk.phase = Phase::committed;
  name(talk, *step);
  wait(talk, kStepWait);
}

void Sessions::run(Talk& talk) {
  if (flawed(Flaw::discloses_before_the_run_entry)) disclose(talk);
  const bool charges = !flawed(Flaw::charges_after_disclosing) && !flawed(Flaw::never_charges);
  auto step = write(talk, session::kRun,
                    log::Json::Object{{"probe_items", static_cast<std::int64_t>(probe_items_of(talk))},
                                      {"v", session::kSessionVersion}},
                    {talk.their_commit}, charges ? session::kRunning : session::kCommitted, [&]() -> Status {
                      if (flawed(Flaw::checks_caps_only_when_asked)) return {};
                      return check_permitted(talk, node_.world().charter().hash);
                    });
  if (!step) return failed(talk, Errc::policy);
  talk.our_run = std::move(*step);
  talk.phase = Phase::running;
  node_.world().observer().charged(node_.self(), talk.session());
  name(talk, *talk.our_run);
  wait(talk, kStepWait);
}

/// From here on the other side may learn.
void Sessions::disclose(Talk& talk) {
  if (talk.disclosed) return;
  talk.disclosed = true;
  talk.phase = Phase::disclosing;
  node_.world().observer().discloses({.from = node_.self(),
                                      .to = talk.peer,
                                      .asker = talk.asks() ? node_.self() : talk.peer,
                                      .session = talk.session(),
                                      .proposal = talk.proposal,
                                      .began = talk.began});
  node_.send(talk.peer, {.type = FrameType::disclosure, .message = {}, .step = {}, .session = talk.session()});
  if (flawed(Flaw::charges_after_disclosing)) save(talk, session::kRunning);
  wait(talk, kStepWait);
}

/// What both find: the simulated sets of a session.
session::ResultStep Sessions::result_of(const Talk& talk) {
  const session::Question& question = talk.terms.question;
  const bool both = question.direction == session::Direction::both;
  const std::string& session = talk.session();
  return {.learned = talk.asks() ? question.asker_learns() : question.responder_learns(),
          .count = both ? std::to_integer<std::int64_t>(crypto::sha256(as_bytes(session))[0]) : -1,
          .result_root = both && question.function == session::Function::intersection
                             ? crypto::sha256(as_bytes("root" + session))
                             : session::empty_result_root(),
          .transcript = crypto::sha256(as_bytes("transcript" + session))};
}

void Sessions::record(Talk& talk) {
  const session::ResultStep ours = result_of(talk);
  talk.outcome.learned = ours.learned;
  talk.outcome.both_learned = talk.terms.question.direction == session::Direction::both;
  talk.outcome.count = ours.learned ? std::to_integer<std::int64_t>(crypto::sha256(as_bytes(talk.session()))[0]) : -1;
  talk.outcome.transcript = to_hex(ours.transcript);
  auto step = write(talk, session::kResult, ours.to_json(), {}, session::kHasResult);
  if (!step) return failed(talk, Errc::policy);
  talk.our_result = std::move(*step);
  talk.phase = Phase::result;
  name(talk, *talk.our_result);
  wait(talk, kStepWait);
}

void Sessions::compare(Talk& talk) {
  const auto theirs = session::ResultStep::from_json(*talk.their_result->body);
  if (!theirs) return failed(talk, Errc::protocol);
  const session::ResultStep ours = result_of(talk);
  talk.outcome.agreed =
      flawed(Flaw::believes_another_result) ||
      (theirs->transcript == ours.transcript && theirs->count == ours.count && theirs->result_root == ours.result_root);
  const std::string_view state = talk.outcome.agreed ? session::kHasResult : session::kDisputed;
  save_received(talk, state, *talk.their_result);
  const auto step = write(talk, session::kClose,
                          log::Json::Object{{"agree", talk.outcome.agreed},
                                            {"peer_result", to_hex(talk.their_result->leaf_hash)},
                                            {"v", session::kSessionVersion}},
                          {talk.their_result->leaf_hash}, state);
  if (!step) return failed(talk, Errc::policy);
  talk.phase = Phase::closing;
  name(talk, *step);
  wait(talk, kStepWait);
}

void Sessions::close(Talk& talk, const EntryView& theirs) {
  log::ObjectReader reader(*theirs.body, "the close step");
  const bool they_agree = reader.boolean("agree");
  if (reader.digest("peer_result") != talk.our_result->leaf_hash) reader.refuse("it closes with another result");
  reader.integer("v", session::kSessionVersion, session::kSessionVersion);
  if (!reader.finish()) return failed(talk, Errc::protocol);
  talk.phase = Phase::over;
  talk.entry.reset();
  talk.outcome.agreed = talk.outcome.agreed && (they_agree || flawed(Flaw::believes_another_result));
  save_received(talk, talk.outcome.agreed ? session::kHasResult : session::kDisputed, theirs);
  if (talk.outcome.agreed && talk.asks()) reveals_.may_begin(talk.row, talk.peer);
}

// --- steps that arrive ---------------------------------------------------------------------------------------------

void Sessions::take_step(std::size_t peer, const Digest& step) {
  named_[peer].push_back({.step = step});
}

void Sessions::take_disclosure(std::size_t peer, const std::string& session) {
  Talk* talk = find(session);
  if (talk != nullptr && talk->peer == peer) talk->they_disclosed = true;
}

void Sessions::link_lost(std::size_t peer) {
  named_.erase(peer);
  reveals_.link_lost(peer);
  for (Talk& talk : talks_)
    if (talk.peer == peer && talk.phase != Phase::over && talk.phase != Phase::greeting) failed(talk, Errc::peer_gone);
}

/// As group::LogLink::find_step(): the entry may be on the way by another link, or have come from a third member
/// without its body.
bool Sessions::take_named(std::size_t peer, Named& named) {
  const std::string& nick = node_.world().nick(peer);
  auto step = node_.replica().entry(nick, named.step);
  if (step && step->body) dispatch(peer, *step);
  if (step && (step->body || !is_for_us(*step))) return true;
  bool& asked = step ? named.asked_for_body : named.asked_for_entry;
  if (std::exchange(asked, true)) return false;
  const mirror::Get get =
      step ? mirror::Get{mirror::Get::What::body, nick, step->entry.seq, 1}
           : mirror::Get{mirror::Get::What::entries, nick, node_.replica().size(nick), mirror::kMaxPushLeaves};
  auto question = mirror::write_message(kGroup, get);
  node_.send(peer, {.type = FrameType::log, .message = std::move(*question), .step = {}, .session = {}});
  return false;
}

bool Sessions::is_for_us(const EntryView& step) const {
  const auto& audience = step.entry.audience;
  return std::ranges::find(audience, node_.world().nick(node_.self())) != audience.end();
}

void Sessions::dispatch(std::size_t peer, const EntryView& step) {
  if (!is_for_us(step)) return;
  if (step.entry.type == session::kPropose) return begin_answer(peer, step);
  if (reveals_.take_step(peer, step)) return;
  Talk* talk = find(step.entry.session);
  if (talk == nullptr || talk->peer != peer) return;
  if (talk->arrived.size() >= kMostArrived) return failed(*talk, Errc::protocol);
  talk->arrived.push_back(step);
}

/// As session::StepLink::receive(): the step that is due, once it has come. Whatever comes in its place ends the
/// session.
std::optional<EntryView> Sessions::due(Talk& talk, std::string_view type) {
  if (talk.arrived.empty()) return std::nullopt;
  auto next = talk.arrived.begin();
  if (flawed(Flaw::takes_steps_in_any_order)) {
    const auto is_it = [&](const EntryView& step) { return step.entry.type == type; };
    const auto found = std::ranges::find_if(talk.arrived, is_it);
    if (found != talk.arrived.end()) next = found;
  }
  if (next->entry.type != type) {
    ended_by_peer(talk);
    return std::nullopt;
  }
  EntryView step = std::move(*next);
  talk.arrived.erase(next);
  return step;
}

void Sessions::ended_by_peer(Talk& talk) {
  const std::string& type = talk.arrived.front().entry.type;
  failed(talk, type == session::kRefuse || type == session::kAbort ? Errc::refused : Errc::protocol);
}

void Sessions::go_on(Talk& talk) {
  if (talk.progress && talk.progress->cancelled()) return failed(talk, Errc::cancelled);
  switch (talk.phase) {
    case Phase::greeting: {
      const std::string& peer = node_.world().nick(talk.peer);
      if (node_.has_heard(talk.peer) && node_.is_live() && node_.replica().trusted(peer)) propose(talk);
      return;
    }
    case Phase::proposed:
      if (const auto step = due(talk, session::kAccept)) accepted(talk, *step);
      return;
    case Phase::deciding:
      // Nothing is due from the asker but its leaving.
      if (!talk.arrived.empty()) ended_by_peer(talk);
      return;
    case Phase::committed: {
      const auto step = due(talk, session::kCommit);
      if (!step) return;
      if (!session::Commitment::from_json(*step->body)) return failed(talk, Errc::protocol);
      talk.their_commit = step->leaf_hash;
      save_received(talk, session::kCommitted, *step);
      return run(talk);
    }
    case Phase::running:
    case Phase::ran:
      return go_on_running(talk);
    case Phase::disclosing:
      if (talk.they_disclosed && talk.our_run) return record(talk);
      if (!talk.arrived.empty() && !flawed(Flaw::takes_steps_in_any_order)) ended_by_peer(talk);
      return;
    case Phase::result:
      talk.their_result = due(talk, session::kResult);
      if (talk.their_result) compare(talk);
      return;
    case Phase::closing:
      if (const auto step = due(talk, session::kClose)) close(talk, *step);
      return;
    case Phase::over:
      return;
  }
}

/// Nothing leaves before both have the other's run entry, and the peer has signed that it holds ours.
void Sessions::go_on_running(Talk& talk) {
  if (talk.phase == Phase::running) {
    if (flawed(Flaw::discloses_before_theirs_is_held)) return disclose(talk);
    talk.their_run = due(talk, session::kRun);
    if (!talk.their_run) return;
    log::ObjectReader reader(*talk.their_run->body, "the run step");
    const auto probe_items = static_cast<std::uint64_t>(reader.integer("probe_items", 0, log::kMaxInteger));
    reader.integer("v", session::kSessionVersion, session::kSessionVersion);
    const bool as_agreed = probe_items == talk.terms.their_padded || flawed(Flaw::does_not_compare_sizes);
    if (!reader.finish() || !as_agreed) return failed(talk, Errc::protocol);
    talk.phase = Phase::ran;
    wait(talk, kStepWait);
  }
  const bool is_held = node_.replica().held_by(node_.world().nick(talk.peer), node_.world().nick(node_.self()),
                                               talk.our_run->entry.seq + 1);
  if (is_held || flawed(Flaw::discloses_before_held)) disclose(talk);
}

void Sessions::progress() {
  for (auto& [peer, queue] : named_)
    while (!queue.empty() && take_named(peer, queue.front())) queue.pop_front();
  // Talks that begin meanwhile are at the end of the list.
  for (Talk& talk : talks_) {
    for (Phase before = Phase::over; talk.phase != before && talk.phase != Phase::over;) {
      before = talk.phase;
      go_on(talk);
    }
  }
  std::erase_if(talks_, [](const Talk& talk) { return talk.phase == Phase::over; });
  reveals_.progress();
}

// --- after a start -------------------------------------------------------------------------------------------------

void Sessions::log_abort(const StoredSession& session) {
  const auto outcome = session::read_outcome(session.row.outcome);
  const session::Abort abort{.phase = "run",
                             .code = std::string(parley::name_of(Errc::cancelled)),
                             .may_have_disclosed = outcome && outcome->may_have_disclosed};
  node_.append_later({.type = std::string(session::kAbort),
                      .session = session.row.id,
                      .refs = {},
                      .audience = {session.row.peer},
                      .body = abort.to_json()},
                     [&node = node_, row = session.row](const EntryView& step) -> Status {
                       node.disk().save_session(row, {session::stored_step(step)});
                       return {};
                     });
}

/// As session::log_aborts(), after session::close_interrupted().
void Sessions::process_started() {
  if (flawed(Flaw::leaves_a_session_open)) return;
  close_interrupted();
  const std::string& us = node_.world().nick(node_.self());
  for (const auto& [id, session] : node_.disk().sessions()) {
    const bool ended = session.row.state == session::kAborted || session.row.state == session::kExpired;
    if (ended && session.has_step(us) && !session.has_step(us, session::kAbort)) log_abort(session);
  }
}

void Sessions::close_interrupted() {
  std::vector<vault::SessionRow> closed;
  for (const auto& [id, session] : node_.disk().sessions()) {
    if (session::is_at_rest(session.row.state)) continue;
    vault::SessionRow row = session.row;
    session::Outcome outcome;
    outcome.failed_phase = row.state;
    outcome.failure = "This node stopped.";
    outcome.may_have_disclosed = row.state == session::kRunning && !flawed(Flaw::hides_that_it_disclosed);
    if (flawed(Flaw::runs_again_after_a_crash) && row.state == session::kRunning)
      node_.world().observer().runs_again(node_.self(), id);
    row.outcome = session::write_outcome(outcome);
    row.state = session::kAborted;
    row.updated = node_.world().clock_of(node_.self());
    closed.push_back(std::move(row));
  }
  if (closed.empty()) return;
  (void)node_.save([&] {
    for (vault::SessionRow& row : closed) node_.disk().save_session(std::move(row));
  });
}

}  // namespace parley::sim
