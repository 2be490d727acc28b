// What a member keeps of its sessions, writes of them and says when they end; and what a new process does with those
// that the last one left open. Their course is in session_course.cpp, what arrives for them in session_arrivals.cpp.
#include "sim/sessions.h"

#include <algorithm>

#include "sim/node.h"
#include "sim/world.h"

namespace parley::sim {

using mirror::EntryView;
using session::Side;

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

void Sessions::enter(Talk& talk) {
  talk.progress = std::make_unique<SilentProgress>();
  talk.entry =
      std::make_unique<session::UnderWay::Entry>(under_way_, talk.session(), std::string(kGroup), *talk.progress);
  if (const auto id = session::session_id_from(talk.session()))
    talk.not_run_yet = std::make_unique<session::Accounting::NotRunYet>(accounting_, *id);
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
                        if (check) TRY_STATUS(check(step));
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
  const bool refused = before && code == Errc::refused;
  if (refused && !talk.asks()) return save(talk, session::kRefused);
  const std::string_view state = refused ? session::kRefused : expired ? session::kExpired : session::kAborted;
  const session::Abort abort{.phase = talk.outcome.failed_phase,
                             .code = std::string(parley::name_of(code)),
                             .may_have_disclosed = talk.outcome.may_have_disclosed};
  const auto said = write(talk, session::kAbort, abort.to_json(), {}, state);
  if (said) return refused ? void() : name(talk, *said);
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

UnixSeconds Sessions::clock() const {
  return node_.world().clock_of(node_.self());
}

Status Sessions::check_own_clock() const {
  const std::string& us = node_.world().nick(node_.self());
  UnixSeconds of_log = node_.time();
  if (const std::uint64_t size = node_.replica().size(us); size > 0) {
    TRY(const EntryView last, node_.replica().entry(us, size - 1));
    of_log = std::max(of_log, last.entry.time);
  }
  return session::check_clock(of_log, clock(), node_.world().charter().charter.clock_skew_seconds);
}

Status Sessions::check_time(const EntryView& step, UnixSeconds earliest) const {
  TRY_STATUS(check_own_clock());
  return session::check_time(
      step.entry.type, step.entry.time,
      {.earliest = earliest, .now = clock(), .skew_seconds = node_.world().charter().charter.clock_skew_seconds},
      step.entry.author);
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
    facts.spent = accounting_.spent(node_.time(), nick, question.types,
                                    session::most_entered_under(membership, question.function));
  }
  return membership.check_question(facts, now);
}

std::uint64_t Sessions::padded_for(const Talk&) {
  return draw_padded(node_.world().dice(node_.self()));
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
    const bool refused_there = session.row.state == session::kRefused && session.row.asked_by_us;
    const bool ended =
        session.row.state == session::kAborted || session.row.state == session::kExpired || refused_there;
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
