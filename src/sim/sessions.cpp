#include "sim/sessions.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/random.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "session/step.h"
#include "sim/node.h"
#include "sim/world.h"

namespace parley::sim {
namespace {

using mirror::EntryView;
namespace states {
constexpr std::string_view kProposed = "proposed", kAccepted = "accepted", kCommitted = "committed",
                           kRunning = "running", kResult = "result", kAgreed = "agreed", kDisputed = "disputed",
                           kAborted = "aborted", kRefused = "refused", kExpired = "expired";
}  // namespace states

constexpr Time kDecisionWait = 60'000;
constexpr Time kStepWait = 40'000;
constexpr std::size_t kRefusals = 12;  ///< one in so many proposals is refused
constexpr std::int64_t kPadded = 1024;

/// What both find: the simulated sets of a session.
session::ResultStep result_of(const std::string& session) {
  return {.learned = true,
          .count = std::to_integer<std::int64_t>(crypto::sha256(as_bytes(session))[0]),
          .result_root = crypto::sha256(as_bytes("root" + session)),
          .transcript = crypto::sha256(as_bytes("transcript" + session))};
}

}  // namespace

std::string SessionRow::text() const {
  return fmt::format("{} {} {} {} {} {}", state, peer, asked_by_us ? 1 : 0, wrote ? 1 : 0, says_abort ? 1 : 0,
                     may_have_disclosed ? 1 : 0);
}

std::optional<SessionRow> SessionRow::parse(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  SessionRow row;
  const std::size_t end = text->find(' ');
  row.state = text->substr(0, end);
  std::vector<std::size_t> numbers;
  for (std::size_t at = end; at != std::string::npos; at = text->find(' ', at + 1))
    numbers.push_back(std::stoul(text->substr(at + 1)));
  row.peer = numbers.at(0);
  row.asked_by_us = numbers.at(1) == 1;
  row.wrote = numbers.at(2) == 1;
  row.says_abort = numbers.at(3) == 1;
  row.may_have_disclosed = numbers.at(4) == 1;
  return row;
}

bool SessionRow::is_at_rest() const {
  return state == states::kResult || state == states::kAgreed || state == states::kDisputed ||
         state == states::kAborted || state == states::kRefused || state == states::kExpired;
}

std::string charge_key(const std::string& session) {
  return "charge/" + session;
}
std::string salts_key(const std::string& session) {
  return "salts/" + session;
}

bool Sessions::flawed(Flaw flaw) const {
  return node_.world().plan().flaw == flaw;
}

Sessions::Talk* Sessions::find(const std::string& session) {
  const auto is_it = [&](const Talk& talk) { return talk.session == session && talk.phase != Phase::over; };
  const auto found = std::ranges::find_if(talks_, is_it);
  return found == talks_.end() ? nullptr : &*found;
}

Sessions::Talk* Sessions::find(std::size_t number) {
  const auto found = std::ranges::find(talks_, number, &Talk::number);
  return found == talks_.end() || found->phase == Phase::over ? nullptr : &*found;
}

bool Sessions::needs(std::size_t peer) const {
  return std::ranges::any_of(talks_, [&](const Talk& talk) { return talk.peer == peer && talk.phase != Phase::over; });
}

// --- writing and sending -------------------------------------------------------------------------------------------

Result<EntryView> Sessions::write(Talk& talk, std::string_view type, log::Json body, std::vector<Digest> refs,
                                  std::string_view state, const std::function<void(const std::string&)>& also) {
  talk.row.state = state;
  SessionRow row = talk.row;
  row.wrote = true;
  auto written = node_.append({.type = std::string(type),
                               .session = talk.session,
                               .refs = std::move(refs),
                               .audience = {node_.world().nick(talk.peer)},
                               .body = std::move(body)},
                              [&](const EntryView& step) -> Status {
                                const std::string session = session::session_of(step);
                                node_.disk().put(SessionRow::key(session), row.text());
                                if (also) also(session);
                                return {};
                              });
  if (written) talk.row = row;
  return written;
}

void Sessions::save(Talk& talk, std::string_view state) {
  talk.row.state = state;
  (void)node_.save([&] { node_.disk().put(SessionRow::key(talk.session), talk.row.text()); });
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
          if (waiting == nullptr || waiting->phase != phase) return;
          failed(*waiting, "peer_gone", phase == Phase::proposed ? states::kExpired : states::kAborted);
        });
      });
}

void Sessions::failed(Talk& talk, std::string_view code, std::string_view state) {
  const Phase phase = std::exchange(talk.phase, Phase::over);
  if (talk.session.empty()) return;
  if (phase == Phase::result || phase == Phase::closing) {
    // The result is ours, whatever the other side does.
    save(talk, talk.row.state == states::kDisputed ? states::kDisputed
               : talk.agreed                       ? states::kAgreed
                                                   : states::kResult);
    return;
  }
  const bool ran = phase == Phase::running || phase == Phase::disclosing;
  talk.row.may_have_disclosed = ran && !flawed(Flaw::hides_that_it_disclosed);
  if (state == states::kRefused) return save(talk, state);
  talk.row.says_abort = true;
  const session::Abort abort{
      .phase = ran ? "run" : "propose", .code = std::string(code), .may_have_disclosed = talk.row.may_have_disclosed};
  const auto said = write(talk, log::kSessionAbort, abort.to_json(), {}, state);
  if (said) return name(talk, *said);
  talk.row.says_abort = false;
  // After a failed write nothing is known of the disk: what a session is left in is settled at the next start.
  if (node_.replica().state() != mirror::State::halted) save(talk, state);
}

// --- the asker -----------------------------------------------------------------------------------------------------

void Sessions::ask(std::size_t peer) {
  Talk& talk = talks_.emplace_back();
  talk.number = next_number_++;
  talk.peer = talk.row.peer = peer;
  talk.asker = talk.row.asked_by_us = true;
  wait(talk, kStepWait);
  node_.world().connect(node_.self(), peer);
}

void Sessions::propose(Talk& talk) {
  const auto step = write(talk, log::kSessionPropose,
                          log::Json::Object{{"nonce", std::to_string(node_.world().dice(node_.self()).next())},
                                            {"padded", kPadded},
                                            {"v", session::kSettlementVersion}},
                          {}, states::kProposed);
  if (!step) {
    talk.phase = Phase::over;
    return;
  }
  talk.session = session::session_of(*step);
  talk.proposal = step->leaf_hash;
  talk.phase = Phase::proposed;
  node_.world().observer().proposed(talk.session, node_.self(), talk.peer);
  name(talk, *step);
  wait(talk, kDecisionWait);
}

// --- the responder -------------------------------------------------------------------------------------------------

void Sessions::begin_answer(std::size_t peer, const EntryView& proposal) {
  const std::string session = session::session_of(proposal);
  if (node_.disk().get(SessionRow::key(session))) return;  // it was made before, and sent again
  Talk& talk = talks_.emplace_back();
  talk.number = next_number_++;
  talk.peer = talk.row.peer = peer;
  talk.session = session;
  talk.proposal = proposal.leaf_hash;
  talk.phase = Phase::deciding;
  save(talk, states::kProposed);
  node_.world().after(node_.world().dice(node_.self()).between(0, 3000),
                      [this, &node = node_, number = talk.number, incarnation = node_.incarnation()] {
                        if (!node.runs() || node.incarnation() != incarnation) return;
                        node.act([&] {
                          if (Talk* deciding = find(number)) decide(*deciding);
                        });
                      });
}

void Sessions::decide(Talk& talk) {
  if (talk.phase != Phase::deciding) return;
  if (node_.world().dice(node_.self()).one_in(kRefusals)) {
    const session::Refusal refusal{.code = std::string(session::kRefusedByPolicy), .text = {}};
    const auto step = write(talk, log::kSessionRefuse, refusal.to_json(), {talk.proposal}, states::kRefused);
    if (!step) return failed(talk, "policy", states::kAborted);
    name(talk, *step);
    talk.phase = Phase::over;
    return;
  }
  const session::Acceptance acceptance{
      .padded = static_cast<std::uint64_t>(kPadded), .suite = 1, .nonce = random_bytes<32>()};
  const auto step = write(talk, log::kSessionAccept, acceptance.to_json(), {talk.proposal}, states::kAccepted);
  if (!step) return failed(talk, "policy", states::kAborted);
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
  auto step = write(talk, log::kSessionCommit, commitment.to_json(), {talk.asker ? talk.acceptance : talk.proposal},
                    states::kCommitted, [&](const std::string& session) {
                      if (!flawed(Flaw::forgets_salts)) node_.disk().put(salts_key(session), salts);
                    });
  if (!step) return failed(talk, "policy", states::kAborted);
  talk.our_commit = std::move(*step);
  talk.phase = Phase::committed;
  name(talk, *talk.our_commit);
  wait(talk, kStepWait);
}

void Sessions::run(Talk& talk) {
  if (flawed(Flaw::discloses_before_the_run_entry)) disclose(talk);
  const bool charges = !flawed(Flaw::charges_after_disclosing) && !flawed(Flaw::never_charges);
  auto step =
      write(talk, log::kSessionRun, log::Json::Object{{"probe_items", kPadded}, {"v", session::kSessionVersion}},
            {talk.their_commit->leaf_hash}, states::kRunning, [&](const std::string& session) {
              if (charges) node_.disk().put(charge_key(session), std::to_string(kPadded));
            });
  if (!step) return failed(talk, "policy", states::kAborted);
  talk.our_run = std::move(*step);
  talk.phase = Phase::running;
  name(talk, *talk.our_run);
  wait(talk, kStepWait);
}

/// From here on the other side may learn.
void Sessions::disclose(Talk& talk) {
  if (talk.disclosed) return;
  talk.disclosed = true;
  talk.phase = Phase::disclosing;
  node_.world().observer().discloses(node_.self(), talk.peer, talk.session,
                                     talk.our_run ? talk.our_run->entry.seq : log::kMaxTreeSize,
                                     talk.their_run ? talk.their_run->entry.seq : log::kMaxTreeSize);
  node_.send(talk.peer, {.type = FrameType::disclosure, .message = {}, .step = {}, .session = talk.session});
  if (flawed(Flaw::charges_after_disclosing))
    (void)node_.save([&] { node_.disk().put(charge_key(talk.session), std::to_string(kPadded)); });
  wait(talk, kStepWait);
}

void Sessions::record(Talk& talk) {
  auto step = write(talk, log::kSessionResult, result_of(talk.session).to_json(), {}, states::kResult);
  if (!step) return failed(talk, "policy", states::kAborted);
  talk.our_result = std::move(*step);
  talk.phase = Phase::result;
  name(talk, *talk.our_result);
  wait(talk, kStepWait);
}

void Sessions::compare(Talk& talk) {
  const auto theirs = session::ResultStep::from_json(*talk.their_result->body);
  if (!theirs) return failed(talk, "protocol", states::kAborted);
  const session::ResultStep ours = result_of(talk.session);
  const bool agree =
      theirs->transcript == ours.transcript && theirs->count == ours.count && theirs->result_root == ours.result_root;
  const auto step = write(
      talk, log::kSessionClose,
      log::Json::Object{
          {"agree", agree}, {"peer_result", to_hex(talk.their_result->leaf_hash)}, {"v", session::kSessionVersion}},
      {talk.their_result->leaf_hash}, agree ? states::kResult : states::kDisputed);
  if (!step) return failed(talk, "policy", states::kResult);
  talk.phase = Phase::closing;
  name(talk, *step);
  wait(talk, kStepWait);
}

void Sessions::close(Talk& talk) {
  const log::Json::Object& body = *talk.their_close->body->object();
  const auto agree = body.find("agree");
  talk.agreed = talk.row.state == states::kResult && agree != body.end() && agree->second == log::Json(true);
  talk.phase = Phase::over;
  save(talk, talk.agreed ? states::kAgreed : states::kDisputed);
}

// --- steps that arrive ---------------------------------------------------------------------------------------------

void Sessions::take_step(std::size_t peer, const Digest& step) {
  named_[peer].push_back({step, false});
}

void Sessions::take_disclosure(std::size_t, const std::string& session) {
  if (Talk* talk = find(session)) talk->they_disclosed = true;
}

void Sessions::link_lost(std::size_t peer) {
  named_.erase(peer);
  for (Talk& talk : talks_)
    if (talk.peer == peer && talk.phase != Phase::over && talk.phase != Phase::greeting)
      failed(talk, "peer_gone", states::kAborted);
}

/// As group::LogLink::receive_step(): the entry may be on the way by another link.
bool Sessions::take_named(std::size_t peer, Named& named) {
  const std::string& nick = node_.world().nick(peer);
  auto step = node_.replica().entry(nick, named.step);
  if (step) {
    if (step->body) dispatch(peer, *step);
    return true;
  }
  if (!named.asked) {
    named.asked = true;
    auto question = mirror::write_message(kGroup, mirror::Get{.what = mirror::Get::What::entries,
                                                              .log = nick,
                                                              .from = node_.replica().size(nick),
                                                              .count = mirror::kMaxPushLeaves});
    node_.send(peer, {.type = FrameType::log, .message = std::move(*question), .step = {}, .session = {}});
  }
  return false;
}

void Sessions::dispatch(std::size_t peer, const EntryView& step) {
  const auto& audience = step.entry.audience;
  if (std::ranges::find(audience, node_.world().nick(node_.self())) == audience.end()) return;
  if (step.entry.type == log::kSessionPropose) return begin_answer(peer, step);
  Talk* talk = find(step.entry.session);
  if (talk != nullptr && talk->peer == peer) took(*talk, step);
}

void Sessions::took(Talk& talk, const EntryView& step) {
  const std::string& type = step.entry.type;
  if (type == log::kSessionRefuse && talk.phase == Phase::proposed) return failed(talk, "refused", states::kRefused);
  if (type == log::kSessionAbort) return failed(talk, "refused", states::kAborted);
  if (type == log::kSessionAccept && talk.phase == Phase::proposed) {
    talk.acceptance = step.leaf_hash;
    save(talk, states::kAccepted);
    return commit(talk);
  }
  // The others may be one step ahead of us: what is due is judged when our turn comes.
  if (type == log::kSessionCommit) talk.their_commit = step;
  if (type == log::kSessionRun) talk.their_run = step;
  if (type == log::kSessionResult) talk.their_result = step;
  if (type == log::kSessionClose) talk.their_close = step;
}

void Sessions::go_on(Talk& talk) {
  const std::string& peer = node_.world().nick(talk.peer);
  const std::string& us = node_.world().nick(node_.self());
  switch (talk.phase) {
    case Phase::greeting:
      if (node_.has_heard(talk.peer) && node_.is_live() && node_.replica().trusted(peer)) propose(talk);
      return;
    case Phase::committed:
      if (talk.their_commit) run(talk);
      return;
    case Phase::running: {
      const bool ours_is_held = node_.replica().held_by(peer, us, talk.our_run->entry.seq + 1);
      if ((talk.their_run || flawed(Flaw::discloses_before_theirs_is_held)) &&
          (ours_is_held || flawed(Flaw::discloses_before_held)))
        disclose(talk);
      return;
    }
    case Phase::disclosing:
      if (talk.they_disclosed && talk.our_run) record(talk);
      return;
    case Phase::result:
      if (talk.their_result) compare(talk);
      return;
    case Phase::closing:
      if (talk.their_close) close(talk);
      return;
    default:
      return;
  }
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
}

// --- after a start -------------------------------------------------------------------------------------------------

void Sessions::log_abort(const std::string& session, const SessionRow& row) {
  const session::Abort abort{.phase = "run", .code = "cancelled", .may_have_disclosed = row.may_have_disclosed};
  SessionRow said = row;
  said.says_abort = true;
  node_.append_later({.type = std::string(log::kSessionAbort),
                      .session = session,
                      .refs = {},
                      .audience = {node_.world().nick(row.peer)},
                      .body = abort.to_json()},
                     [&node = node_, session, said](const EntryView&) -> Status {
                       node.disk().put(SessionRow::key(session), said.text());
                       return {};
                     });
}

void Sessions::process_started() {
  if (flawed(Flaw::leaves_a_session_open)) return;
  std::map<std::string, SessionRow> rows;
  for (const auto& [key, value] : node_.disk().values())
    if (key.starts_with(kSessionKeys))
      if (const auto row = SessionRow::parse(value)) rows.emplace(key.substr(kSessionKeys.size()), *row);
  close_interrupted(rows);
  for (const auto& [session, row] : rows)
    if ((row.state == states::kAborted || row.state == states::kExpired) && row.wrote && !row.says_abort)
      log_abort(session, row);
}

/// As session::close_interrupted().
void Sessions::close_interrupted(std::map<std::string, SessionRow>& rows) {
  std::vector<std::string> closed;
  for (auto& [session, row] : rows) {
    if (row.is_at_rest()) continue;
    if (flawed(Flaw::runs_again_after_a_crash) && row.state == states::kRunning)
      node_.world().observer().discloses(node_.self(), row.peer, session, 0, 0);
    row.may_have_disclosed = row.state == states::kRunning && !flawed(Flaw::hides_that_it_disclosed);
    row.state = states::kAborted;
    closed.push_back(session);
  }
  if (closed.empty()) return;
  (void)node_.save([&] {
    for (const std::string& session : closed) node_.disk().put(SessionRow::key(session), rows.at(session).text());
  });
}

}  // namespace parley::sim
