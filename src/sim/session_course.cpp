// The steps of a session in their order, as session/session.cpp has them: what each side does when it is its turn.
#include <algorithm>

#include "base/encoding.h"
#include "base/random.h"
#include "crypto/hash.h"
#include "indicator/indicator.h"
#include "psi/intersect/choice.h"
#include "session/padding.h"
#include "session/result_root.h"
#include "sim/node.h"
#include "sim/sessions.h"
#include "sim/world.h"

namespace parley::sim {

using mirror::EntryView;
using session::Side;

namespace {

constexpr Time kDecisionWait = 60'000;
constexpr Time kStepWait = 40'000;
constexpr std::size_t kRefusals = 12;  ///< one in so many proposals is refused
constexpr Time kMostThought = 800;

}  // namespace

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
  if (!check_own_clock()) {
    talk.phase = Phase::over;
    return;
  }
  talk.proposed_at = clock();
  const auto step = write(talk, session::kPropose, proposal.to_json(), {}, session::kProposed);
  if (!step) {
    talk.phase = Phase::over;
    return;
  }
  talk.proposal = step->leaf_hash;
  talk.phase = Phase::proposed;
  enter(talk);
  node_.world().observer().proposed(talk.session(), node_.self(), talk.peer);
  name(talk, *step);
  wait(talk, kDecisionWait);
}

void Sessions::accepted(Talk& talk, const EntryView& step) {
  const auto acceptance = session::Acceptance::from_json(*step.body);
  if (!acceptance) return failed(talk, Errc::protocol);
  if (!check_time(step, talk.proposed_at)) return failed(talk, Errc::skew);
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
  if (!check_time(step, clock() - session::kLongestOnTheWaySeconds)) return refuse(talk);
  if (!check_permitted(talk, step.entry.charter)) return refuse(talk);
  enter(talk);
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
  talk.accepted_at = clock();
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
  talk.committed_at = clock();
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
  auto step = write(
      talk, session::kRun,
      log::Json::Object{{"probe_items", static_cast<std::int64_t>(probe_items_of(talk))},
                        {"v", session::kSessionVersion}},
      {talk.their_commit}, charges ? session::kRunning : session::kCommitted, [&](const EntryView& run) -> Status {
        TRY_STATUS(session::check_clock(run.entry.time, clock(), node_.world().charter().charter.clock_skew_seconds));
        if (flawed(Flaw::checks_caps_only_when_asked)) return {};
        return check_permitted(talk, node_.world().charter().hash);
      });
  if (!step) return failed(talk, Errc::policy);
  talk.not_run_yet.reset();
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

// --- whose turn it is -----------------------------------------------------------------------------------------------

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
      if (!check_time(*step, talk.asks() ? talk.proposed_at : talk.accepted_at)) return failed(talk, Errc::skew);
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
    if (!check_time(*talk.their_run, talk.committed_at)) return failed(talk, Errc::skew);
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

}  // namespace parley::sim
