// One session, told from both sides: propose -> accept -> commit -> run -> result -> close.
#include "session/session.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/random.h"
#include "base/text.h"
#include "psi/limits.h"
#include "session/detail/session.h"
#include "session/result_root.h"
#include "session/run_terms.h"
#include "session/secrets.h"
#include "session/unanswered.h"

namespace parley::session {

using detail::kClosingWait;

namespace detail {

// --- the asker ------------------------------------------------------------------------------------------------------

Result<std::string> Session::ask(const Question& question, const BeforeProposal& before) {
  terms_.question = question;
  terms_.our_label = question.label;
  TRY_STATUS(check_own_clock());
  TRY_STATUS(check_permitted(us_.membership.signed_charter().hash));
  TRY(const Enters ours, enters(us_.vault, selection(), canary_places(terms_.question)));
  TRY_STATUS(note_what_enters(ours));
  terms_.our_padded = ours.padded;
  TRY_STATUS(check_permitted(us_.membership.signed_charter().hash));
  if (before) TRY_STATUS(before(ours));

  us_.progress.phase("comparing logs with " + steps_.peer().name, 0);
  TRY_STATUS(steps_.link().exchange_heads(deadline_in(limits_.step)));
  TRY_STATUS(propose());
  if (auto accepted = await_acceptance(); !accepted) return failed(std::move(accepted).error());
  if (auto conducted = conduct(); !conducted) return failed(std::move(conducted).error());
  return row_.id;
}

Status Session::propose() {
  TRY_STATUS(check_own_clock());
  nonces_[0] = random_bytes<32>();
  proposed_at_ = wall_clock_now();
  const Proposal proposal{.question = terms_.question,
                          .padded = terms_.our_padded,
                          .most_tests = most_tests_allowed(),
                          .suites = limits_.suites,
                          .rules = indicator::rules_id(),
                          .nonce = nonces_[0],
                          .admission = admission_epoch()};
  TRY(const mirror::EntryView step, write(kPropose, proposal.to_json(), {}, kProposed));
  proposal_ = step.leaf_hash;
  steps_.set_session(row_.id);
  TRY_STATUS(note_not_run_yet());
  entry_.emplace(us_.under_way, row_.id, row_.group, us_.progress);
  if (auto sent = steps_.send(step); !sent) return failed(std::move(sent).error());
  return {};
}

Status Session::await_acceptance() {
  us_.progress.phase("waiting for " + steps_.peer().name + " to decide", 0);
  const Deadline expires = deadline_in(limits_.decision);
  const auto step = steps_.receive(kAccept, expires);
  if (!step) {
    expired_ = step.error().code == Errc::peer_gone && Monotonic::now() >= expires;
    return std::unexpected(step.error());
  }
  TRY_STATUS(check_step(*step, proposal_, proposed_at_));
  TRY(const Acceptance acceptance, Acceptance::from_json(step->body));
  terms_.their_padded = acceptance.padded;
  nonces_[1] = acceptance.nonce;
  suite_ = acceptance.suite;
  TRY_STATUS(check_permitted(step->charter));
  if (acceptance.admission != admission_epoch())
    return fail(Errc::protocol, "It accepted in another epoch of admission than the one that was proposed.",
                steps_.peer().name);
  acceptance_ = step->leaf_hash;
  TRY_STATUS(save_received(kAccepted, *step));
  TRY(const auto protocol, psi::protocol_of_suite(suite_));
  if (std::ranges::find(limits_.suites, suite_) == limits_.suites.end() || !suits_sizes(*protocol))
    return fail(Errc::protocol,
                fmt::format("It chose the protocol {}, which was not offered for sets of this size.", protocol->name()),
                steps_.peer().name);
  const std::uint64_t tests = their_tests(*protocol, our_role(), terms_.their_padded);
  if (const std::uint64_t most = most_tests_allowed(); tests > most)
    return fail(Errc::limit,
                fmt::format("{} could test up to {} indicators, and at most {} were allowed: each is a question about "
                            "yours. Nothing was compared. If that is what you expect, ask again with --max-theirs {}.",
                            steps_.peer().name, tests, most, tests));
  return {};
}

// --- the responder --------------------------------------------------------------------------------------------------

Result<std::string> Session::answer(const ReceivedStep& step, const Decide& decide, const JudgeByRule& judge) {
  proposal_ = step.leaf_hash;
  TRY(const Proposal proposal, Proposal::from_json(step.body));
  row_.id = step.session;
  steps_.set_session(row_.id);
  terms_.question = proposal.question;
  terms_.their_padded = proposal.padded;
  their_limit_ = proposal.most_tests;
  nonces_[0] = proposal.nonce;

  TRY_STATUS(admit_proposal(us_.vault, steps_.link().log(), {.peer = steps_.peer().name, .nick = steps_.peer().nick},
                            step.leaf_hash, row_.created));
  std::ranges::set_intersection(proposal.suites, limits_.suites, std::back_inserter(suites_));
  if (proposal.rules != indicator::rules_id() || suites_.empty()) {
    TRY_STATUS(save_proposal(step));
    TRY_STATUS(refuse(kRefusedForSkew, ""));
    return fail(Errc::skew, steps_.peer().name +
                                " runs other canonical-form rules or other protocols than this node (" +
                                indicator::rules_name() +
                                "); its proposal was refused. Both sides must run the same version of parley and "
                                "allow a protocol in common (--protocols).");
  }
  TRY_STATUS(save_proposal(step));
  if (auto timely = check_time(step, wall_clock_now() - kLongestOnTheWaySeconds); !timely) {
    TRY_STATUS(refuse(kRefusedForClock, "", timely.error().message));
    return std::unexpected(std::move(timely).error());
  }
  if (auto permitted = check_permitted(step.charter); !permitted) {
    TRY_STATUS(refuse(permitted.error().code == Errc::skew ? kRefusedForCharter : kRefusedByPolicy, "",
                      permitted.error().message));
    return std::unexpected(std::move(permitted).error());
  }

  if (proposal.admission != admission_epoch()) {
    TRY_STATUS(refuse(kRefusedForEpoch, ""));
    return fail(Errc::skew, steps_.peer().name +
                                " is in another epoch of admission than this node; its proposal was refused. Both "
                                "come into step by calling on each other: parley admit.");
  }

  TRY_STATUS(note_not_run_yet());
  entry_.emplace(us_.under_way, row_.id, row_.group, us_.progress);
  const auto accepted = decide_on(proposal, decide, judge);
  if (!accepted) return failed(accepted.error());
  if (!*accepted) return row_.id;
  if (auto conducted = conduct(); !conducted) return failed(std::move(conducted).error());
  return row_.id;
}

Status Session::accept() {
  nonces_[1] = random_bytes<32>();
  accepted_at_ = wall_clock_now();
  const Acceptance acceptance{
      .padded = terms_.our_padded, .suite = suite_, .nonce = nonces_[1], .admission = admission_epoch()};
  TRY(const mirror::EntryView step, write(kAccept, acceptance.to_json(), {proposal_}, kAccepted));
  acceptance_ = step.leaf_hash;
  return steps_.send(step);
}

// --- both -----------------------------------------------------------------------------------------------------------

Status Session::check_own_clock() const {
  TRY(const UnixSeconds of_log, steps_.link().log().time_of_next());
  return check_clock(of_log, wall_clock_now(), us_.membership.charter().clock_skew_seconds);
}

Status Session::check_time(const ReceivedStep& step, UnixSeconds earliest) const {
  TRY_STATUS(check_own_clock());
  return session::check_time(
      step.type, step.time,
      {.earliest = earliest, .now = wall_clock_now(), .skew_seconds = us_.membership.charter().clock_skew_seconds},
      steps_.peer().name);
}

Status Session::check_step(const ReceivedStep& step, const Digest& answered, UnixSeconds earliest) const {
  const std::string& peer = steps_.peer().name;
  TRY_STATUS(step.check_answers(answered, peer));
  TRY_STATUS(check_time(step, earliest));
  const group::SignedCharter& agreed = us_.membership.signed_charter();
  if (step.charter == agreed.hash) return {};
  return fail(Errc::skew,
              fmt::format("Its step \"{}\" is under another version of the charter of {} than the session "
                          "(version {}). If an amendment came into force meanwhile, exchange it and ask "
                          "again: parley group show, group take. Nothing was compared.",
                          visible(step.type), visible(agreed.charter.name), agreed.charter.seq),
              peer);
}

Status Session::conduct() {
  run_began_ = Monotonic::now();
  phase_ = "commit";
  TRY_STATUS(commit());
  phase_ = "run";
  TRY(const psi::Outcome outcome, run());
  phase_ = "result";
  TRY(const ResultStep ours, record(outcome));
  keep_record();
  // The result is ours from here on, whatever the other side does.
  if (auto compared = compare(ours); !compared) {
    // Once the other side's signed result is here, its leaving changes nothing about it.
    if (outcome_.agreed || row_.state == kDisputed) {
      forget_secrets();
      return save(row_.state);
    }
    outcome_.failed_phase = "compare";
    outcome_.failure = steps_.peer().name + " did not confirm the result: " + compared.error().text();
    forget_secrets();
    return save(kHasResult);
  }
  return {};
}

Status Session::commit() {
  const Secret<32> salts = random_secret<32>();
  seed_ = random_secret<32>();
  result_key_share_ = random_secret<32>();
  // A clock that is set back makes none of them too young. Not by whatever time the group has ever seen: that of our
  // own log is held to the clock.
  TRY(const UnixSeconds of_log, steps_.link().log().time_of_next());
  TRY(canaries_, canaries_for(us_.vault, us_.membership, terms_.question, selection(), steps_.peer().nick,
                              std::max(wall_clock_now(), of_log)));
  std::vector<indicator::Canonical> decoys;
  for (const group::CommittedCanary& each : canaries_) decoys.push_back(each.canary.indicator);
  TRY(Input input, Input::make(us_.vault, selection(), row_.id, side_, salts, us_.pool, us_.progress,
                               canary_places(terms_.question), decoys));
  if (input.size() != terms_.our_padded)
    return fail(Errc::cancelled, "The material changed between the agreement and the session. Ask again.");
  input_.emplace(std::move(input));
  our_commitment_ = {.items_root = input_->commitments().items_root(),
                     .context_root = input_->commitments().context_root(),
                     .result_key_commitment = result_key_commitment(result_key_share_.expose()),
                     .seed_commitment = seed_commitment(seed_)};
  const Digest& answered = side_ == Side::asker ? acceptance_ : proposal_;
  committed_at_ = wall_clock_now();
  // What opens a commitment is durable with it.
  TRY(const mirror::EntryView ours,
      steps_.write(kCommit, our_commitment_.to_json(), {answered}, [&](const mirror::EntryView& step) -> Status {
        TRY_STATUS(keep_secret(salts_name(row_.id), salts.expose()));
        TRY_STATUS(keep_secret(seed_name(row_.id), seed_.expose()));
        return save(kCommitted, {stored_step(step)});
      }));
  TRY_STATUS(steps_.send(ours));

  us_.progress.phase("waiting for the other side's commitment", 0);
  TRY(const ReceivedStep theirs, steps_.receive(kCommit, deadline_in(limits_.step)));
  TRY_STATUS(side_ == Side::asker ? check_step(theirs, proposal_, proposed_at_)
                                  : check_step(theirs, acceptance_, accepted_at_));
  their_commit_seq_ = theirs.seq;
  TRY(their_commitment_, Commitment::from_json(theirs.body));
  their_commit_step_ = stored_step(steps_.peer().nick, theirs);  // with our next step
  commits_[static_cast<std::size_t>(side_)] = ours.leaf_hash;
  commits_[1 - static_cast<std::size_t>(side_)] = theirs.leaf_hash;
  return {};
}

Result<psi::Outcome> Session::run() {
  // Durable before the first byte that can disclose leaves: a crash from here on counts as a disclosure (log.md D6,
  // D7).
  // Sessions that run beside this one are charged by the same log, one after the other: none gets past a cap.
  TRY_STATUS(read_logs());
  const auto charged = steps_.write(
      kRun, log::Json::Object{{"probe_items", static_cast<std::int64_t>(terms_.our_padded)}, {"v", kSessionVersion}},
      {commits_[1 - static_cast<std::size_t>(side_)]}, [&](const mirror::EntryView& step) -> Status {
        TRY_STATUS(charge(step));
        return save(kRunning, {their_commit_step_, stored_step(step)});
      });
  // Of a write that failed nobody knows what is on the disk.
  charged_ = charged || charged.error().code == Errc::io;
  if (charged_) not_run_yet_.reset();
  TRY(const mirror::EntryView ours, charged);
  TRY_STATUS(steps_.send(ours));
  TRY(const ReceivedStep theirs, steps_.receive(kRun, deadline_in(limits_.step)));
  TRY_STATUS(check_step(theirs, commits_[static_cast<std::size_t>(side_)], committed_at_));
  if (theirs.seq < their_commit_seq_)
    return fail(Errc::protocol, "The other side wrote that it runs before it had committed to its set.",
                steps_.peer().name);
  log::ObjectReader reader(theirs.body, "the run step");
  const auto probe_items = static_cast<std::uint64_t>(reader.integer("probe_items", 0, log::kMaxInteger));
  reader.integer("v", kSessionVersion, kSessionVersion);
  TRY_STATUS(reader.finish());
  if (probe_items != terms_.their_padded)
    return fail(Errc::protocol, "The other side would enter another number of items than it had agreed to.",
                steps_.peer().name);

  their_run_step_ = stored_step(steps_.peer().nick, theirs);  // with our result

  // Both hold the other's commitment and have signed so, before anything is computed with what is committed to.
  TRY_STATUS(steps_.link().await_held(ours, deadline_in(limits_.step)));
  TRY_STATUS(steps_.link().keep());

  TRY(const auto protocol, psi::protocol_of_suite(suite_));
  outcome_.protocol = protocol->name();
  outcome_.protocol_reason = choose().reason_for(*protocol);
  const psi::Parameters parameters{.role = our_role(),
                                   .reply = reply_of(terms_.question),
                                   .session_id = run_id({proposal_, commits_[0], acceptance_, commits_[1]}),
                                   .peer_count = terms_.their_padded};
  const std::size_t ahead_bytes = (terms_.our_padded + terms_.their_padded) * psi::kAheadBytesPerElement;
  const auto channel = wire::psi_channel(steps_.link(), protocol->suite(), deadline_in(limits_.run), ahead_bytes);
  recorder_.emplace(us_.vault, row_.id, side_, *input_, tagged_ ? tagged_->types : std::vector<indicator::Type>{},
                    terms_.their_padded);
  const auto recorded = recorder_->record(*channel);
  return protocol->run(parameters, input_->elements(), seed_, *recorded, us_.pool, us_.progress);
}

Status Session::compare(const ResultStep& ours) {
  TRY_STATUS(keys_shared_);
  TRY_STATUS(steps_.send(*result_step_));
  TRY(const ReceivedStep step, steps_.receive(kResult, deadline_in(limits_.step)));
  TRY(const ResultStep theirs, ResultStep::from_json(step.body));
  outcome_.agreed =
      theirs.transcript == ours.transcript && theirs.count == ours.count && theirs.result_root == ours.result_root;
  const std::string_view state = outcome_.agreed ? kHasResult : kDisputed;
  const auto closing = steps_.write(
      kClose,
      log::Json::Object{{"agree", outcome_.agreed}, {"peer_result", to_hex(step.leaf_hash)}, {"v", kSessionVersion}},
      {step.leaf_hash}, [&](const mirror::EntryView& written) -> Status {
        forget_secrets();
        return save(state, {stored_step(steps_.peer().nick, step), stored_step(written)});
      });
  if (!closing) {
    // Whatever keeps our log from being written, their signed result is here.
    TRY_STATUS(save_received(state, step));
    return std::unexpected(closing.error());
  }
  TRY_STATUS(steps_.send(*closing));
  TRY(const ReceivedStep closed, steps_.receive(kClose, deadline_in(limits_.step)));
  log::ObjectReader reader(closed.body, "the close step");
  const bool they_agree = reader.boolean("agree");
  if (reader.digest("peer_result") != result_step_->leaf_hash) reader.refuse("it closes with another result than ours");
  reader.integer("v", kSessionVersion, kSessionVersion);
  TRY_STATUS(reader.finish());
  // Where only the other side sees a difference there is one all the same, and nothing may be built on the result.
  outcome_.agreed = outcome_.agreed && they_agree;
  TRY_STATUS(save_received(outcome_.agreed ? kHasResult : kDisputed, closed));
  // What was said last is not needed for the result, only for both logs to be whole.
  const auto settled = settle_ledger();
  (void)steps_.link().await_held(settled && *settled ? **settled : *closing, deadline_in(kClosingWait));
  (void)steps_.link().keep();
  return {};
}

}  // namespace detail

namespace {

// What both logs hold by now is older than whatever comes next in ours. How the session ended does not depend on it.
// One that came to nothing ties nothing: a peer must not make us write by being refused.
void tie_logs(group::LogLink& link) {
  if (link.log().tie_to_others()) (void)link.push(deadline_in(kClosingWait));
}

}  // namespace

Result<std::string> ask(const Party& us, group::LogLink& link, const Question& question, const Limits& limits,
                        const BeforeProposal& before) {
  us.progress.set_wake([&link] { link.shut_down(); });
  auto result = detail::Session(us, link, Side::asker, limits).ask(question, before);
  if (result) tie_logs(link);
  us.progress.set_wake({});
  return result;
}

Result<std::string> answer(const Party& us, group::LogLink& link, const ReceivedStep& proposal, const Limits& limits,
                           const Decide& decide, const JudgeByRule& judge) {
  us.progress.set_wake([&link] { link.shut_down(); });
  auto result = detail::Session(us, link, Side::responder, limits).answer(proposal, decide, judge);
  if (result) tie_logs(link);
  us.progress.set_wake({});
  return result;
}

}  // namespace parley::session
