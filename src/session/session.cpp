// One session, told from both sides: propose -> accept -> commit -> run -> result -> close.
#include "session/session.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>

#include "admission/epoch.h"
#include "base/encoding.h"
#include "base/random.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "log/merkle.h"
#include "psi/intersect/choice.h"
#include "psi/limits.h"
#include "session/audit_keeping.h"
#include "session/canary_hits.h"
#include "session/padding.h"
#include "session/result_root.h"
#include "session/run_terms.h"
#include "session/secrets.h"
#include "session/states.h"
#include "session/unanswered.h"

namespace parley::session {
namespace {

constexpr auto kPingEvery =
    std::chrono::seconds(10);                        // well under the 30 s after which an idle link is cut (log.md 3.1)
constexpr std::uint64_t kLeastTheirPadded = 65'536;  // Limits::their_tests, when it is left to us
constexpr std::uint64_t kTheirPaddedRatio = 16;
constexpr std::size_t kShownIdDigits = 8;  // of a session's id, in the node's log and in commands
constexpr auto kLookEvery = std::chrono::milliseconds(200);
constexpr auto kClosingWait = std::chrono::seconds(10);

// Hashes of one file count once; every other indicator counts for itself.
std::int64_t count_files_once(std::span<const vault::SessionMatch> matches) {
  std::set<std::int64_t> files;
  std::int64_t single = 0;
  for (const vault::SessionMatch& match : matches) {
    if (match.file == 0)
      ++single;
    else
      files.insert(match.file);
  }
  return single + static_cast<std::int64_t>(files.size());
}

// Everything the two sides' stories share.
class Session {
 public:
  Session(const Party& us, group::LogLink& link, Side side, const Limits& limits)
      : us_(us), steps_(link), side_(side), limits_(limits) {
    row_.peer = link.peer().name;
    std::erase_if(limits_.suites, [&](std::uint16_t suite) { return !charter_allows(suite); });
    row_.group = link.log().group();
    row_.asked_by_us = side == Side::asker;
    row_.created = row_.updated = wall_clock_now();
  }

  Result<std::string> ask(const Question& question, const BeforeProposal& before);
  Result<std::string> answer(const ReceivedStep& proposal, const Decide& decide, const JudgeByRule& judge);

 private:
  Status propose();
  Status await_acceptance();
  std::uint64_t most_tests_allowed() const;
  bool charter_allows(std::uint16_t suite) const;
  // Whether charter and own policy permit the question, as far as it is known. @error Errc::policy naming the clause
  Status check_permitted(const Digest& their_charter);
  // @param now  where the windows of the caps end
  Status check_permitted_by(const group::Membership& membership, const Digest& their_charter, UnixSeconds now) const;
  // Brings the ledger up to what both logs have here.
  Status read_logs();
  // Checks all of it once more as things are now, and charges the session with the run that is being written.
  Status charge(const mirror::EntryView& run);
  vault::Selection selection() const;
  vault::Selection admitted() const;
  std::optional<Digest> admission_epoch() const;
  Result<bool> decide_on(const Proposal& proposal, const Decide& decide, const JudgeByRule& judge);
  Result<Decision> await_decision(const Offer& offer, const Decide& decide);
  Status refuse(std::string_view code, const std::string& text);
  Status accept();
  Status settle(std::optional<std::uint64_t> most_tests);
  Status keep_suites(const std::function<bool(const psi::Protocol&)>& fit);
  std::uint64_t our_tests(const psi::Protocol& protocol) const;
  Result<std::uint64_t> most_that_they_could_test() const;
  psi::Choice choose() const;
  psi::Role our_role() const;
  bool suits_sizes(const psi::Protocol& protocol) const;
  Status commit();
  Result<psi::Outcome> run();
  Result<ResultStep> record(const psi::Outcome& result);
  // Exchanges the shares of the result key and puts the root of the matches into `ours`.
  Status share_result_key(ResultStep& ours, const std::vector<vault::SessionMatch>& matches);
  Digest sign_for(const Secret<32>& key, const std::vector<vault::SessionMatch>& matches);
  Status store_result(const ResultStep& ours, const std::vector<vault::SessionMatch>& matches);
  Status compare(const ResultStep& ours);
  Result<std::optional<mirror::EntryView>> settle_ledger();

  Status conduct();
  // Stores how the session failed and tells the other side, if it can still be told. Gives the error back.
  std::unexpected<Error> failed(Error error);
  Status save(std::string_view state, std::vector<vault::SessionStep> steps = {});
  Status save_received(std::string_view state, const ReceivedStep& step);
  Status save_proposal(const ReceivedStep& step);
  // Writes a step of ours and, in the same commit, that the session is in `state`.
  Result<mirror::EntryView> write(std::string_view type, log::Json body, std::vector<Digest> refs,
                                  std::string_view state);
  Status keep_secret(const std::string& name, ByteView secret) const;
  void forget_secrets();
  // For an audit, once there is a transcript in the log that a second run can be compared with.
  void keep_record();

  const Party& us_;
  StepLink steps_;
  Side side_;
  Limits limits_;
  std::string phase_ = "propose";
  bool charged_ = false;               // our log says, or may say, that the run has begun
  bool expired_ = false;               // nobody decided in time
  std::vector<std::uint16_t> suites_;  // the responder's: those that may still run
  std::uint64_t their_limit_ = 0;      // the responder's: how many the asker lets it test
  std::uint16_t suite_ = 0;            // of the protocol that runs

  vault::SessionRow row_;
  Terms terms_;
  Outcome outcome_;
  Digest proposal_{}, acceptance_{};        // leaf hashes of the steps that name this session
  Digest commits_[2]{};                     // likewise, by Side
  ByteArray<32> nonces_[2]{};               // by Side
  std::shared_ptr<Accounting> accounting_;  // of the group, since check_permitted() was first asked
  bool in_ledger_ = false;
  std::optional<vault::TaggedOnly> tagged_;  // of which types only indicators with a tag enter, as the session began
  std::optional<Input> input_;
  std::vector<group::CommittedCanary> canaries_;  // that may be in it
  std::vector<CanaryHit> hits_;                   // those of them that the other side entered too
  Secret<32> seed_, result_key_share_;
  std::optional<AuditRecorder> recorder_;  // since the run began
  Status keys_shared_;
  std::optional<mirror::EntryView> result_step_;
  std::optional<UnderWay::Entry> entry_;  // while it can be stopped
  Commitment our_commitment_, their_commitment_;
  vault::SessionStep their_commit_step_;
  vault::SessionStep their_run_step_;
  Deadline run_began_{};
};

Result<mirror::EntryView> Session::write(std::string_view type, log::Json body, std::vector<Digest> refs,
                                         std::string_view state) {
  return steps_.write(type, std::move(body), std::move(refs), [&](const mirror::EntryView& step) {
    row_.id = session_of(step);
    return save(state, {stored_step(step)});
  });
}

Status Session::save_received(std::string_view state, const ReceivedStep& step) {
  return save(state, {stored_step(steps_.peer().nick, step)});
}

Status Session::save(std::string_view state, std::vector<vault::SessionStep> steps) {
  row_.state = state;
  row_.updated = wall_clock_now();
  row_.terms = write_terms(terms_);
  row_.outcome = write_outcome(outcome_);
  return us_.vault.save_session(row_, steps);
}

/// Only while the group is at work: at its end all secrets of its sessions are destroyed, and none may come after.
/// @error Errc::policy
Status Session::keep_secret(const std::string& name, ByteView secret) const {
  return us_.vault.together([&]() -> Status {
    TRY(const vault::GroupRow group, us_.vault.group(row_.group));
    if (group.state != group::kActive)
      return fail(Errc::policy, "The group " + visible(group.name) + " ended while this session was under way.");
    return us_.vault.put_secret(name, secret);
  });
}

void Session::keep_record() {
  recorder_->finish([this](const auto& name, ByteView secret) { return keep_secret(name, secret); });
  recorder_.reset();
}

void Session::forget_secrets() {
  // Failing to forget is not worth failing the session for: the secrets lie sealed, and close_interrupted() tries
  // again.
  (void)us_.vault.together([&]() -> Status {
    TRY_STATUS(us_.vault.put_secret(salts_name(row_.id), {}));
    return us_.vault.put_secret(seed_name(row_.id), {});
  });
}

std::unexpected<Error> Session::failed(Error error) {
  if (us_.progress.cancelled()) error = {Errc::cancelled, "The session was stopped on this side.", {}};
  const bool disclosed = charged_;
  outcome_.failed_phase = phase_;
  outcome_.failure = error.text();
  outcome_.may_have_disclosed = disclosed;
  outcome_.bytes_sent = static_cast<std::int64_t>(steps_.link().bytes_sent());
  outcome_.bytes_received = static_cast<std::int64_t>(steps_.link().bytes_received());
  const bool refused = error.code == Errc::refused && phase_ == "propose";
  if (!row_.id.empty()) {
    const std::string_view state = refused ? kRefused : expired_ ? kExpired : kAborted;
    const Abort abort{.phase = phase_, .code = std::string(name_of(error.code)), .may_have_disclosed = disclosed};
    const auto said =
        refused ? Result<mirror::EntryView>(fail(Errc::refused, {})) : write(kAbort, abort.to_json(), {}, state);
    if (said && error.code != Errc::peer_gone) (void)steps_.send(*said);  // best effort: the link may be what failed
    if (said && disclosed) (void)settle_ledger();
    // Where our log may not be written any more, the vault still says how the session ended.
    if (!said)
      if (auto saved = save(state); !saved)
        error.message += " And the vault could not record it: " + saved.error().text();
    forget_secrets();
    (void)us_.vault.put_secret(commitments_name(row_.id), {});  // nothing of this session will be revealed
  }
  return std::unexpected(std::move(error));
}

// --- the asker ------------------------------------------------------------------------------------------------------

Result<std::string> Session::ask(const Question& question, const BeforeProposal& before) {
  terms_.question = question;
  terms_.our_label = question.label;
  TRY_STATUS(check_permitted(us_.membership.signed_charter().hash));
  TRY(const Enters ours, enters(us_.vault, selection()));
  terms_.ours_by_type = ours.by_type;
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
  nonces_[0] = random_bytes<32>();
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

bool Session::charter_allows(std::uint16_t suite) const {
  const auto protocol = psi::protocol_of_suite(suite);
  const std::vector<std::string>& allowed = us_.membership.charter().protocols;
  return protocol && std::ranges::find(allowed, (*protocol)->name()) != allowed.end();
}

Status Session::check_permitted(const Digest& their_charter) {
  TRY_STATUS(steps_.link().log().with([&](mirror::Replica& replica) { return replica.trusted(steps_.peer().nick); }));
  TRY_STATUS(read_logs());
  if (!tagged_) {
    TRY(tagged_, admission::tagged_only(us_.vault, us_.membership, terms_.question.types, wall_clock_now()));
  }
  return check_permitted_by(us_.membership, their_charter, steps_.link().log().time());
}

Status Session::read_logs() {
  TRY(accounting_, us_.ledgers.up_to_date(us_.vault, row_.group, steps_.our_nick()));
  return {};
}

// An entry that is written together with others may be written anew, and is charged once. Its own time ends the
// windows: by that time it will be counted, whatever the clock says meanwhile.
Status Session::charge(const mirror::EntryView& run) {
  if (in_ledger_) return {};
  TRY(const group::Membership now, us_.membership_now());
  TRY_STATUS(check_permitted_by(now, us_.membership.signed_charter().hash, run.entry.time));
  accounting_->charge(run);
  in_ledger_ = true;
  return {};
}

Status Session::check_permitted_by(const group::Membership& membership, const Digest& their_charter,
                                   UnixSeconds now) const {
  TRY(const vault::Peer peer, us_.vault.peer(steps_.peer().name));
  TRY(const group::Card card, group::read_card(peer.card));
  group::QuestionFacts facts;
  TRY(facts.peer_id, log::parse_vkey(card.id_vkey));
  facts.peer_card = crypto::sha256(as_bytes(card.note));
  facts.peer_confirmed = peer.confirmed != 0;
  facts.charter = their_charter;
  facts.function = terms_.question.function;
  facts.types = terms_.question.types;
  if (suite_ != 0) {
    TRY(const auto protocol, psi::protocol_of_suite(suite_));
    facts.protocol = protocol->name();
  }
  facts.our_padded = static_cast<std::int64_t>(terms_.our_padded);
  facts.their_padded = static_cast<std::int64_t>(terms_.their_padded);
  facts.we_learn = side_ == Side::asker ? terms_.question.asker_learns() : terms_.question.responder_learns();
  facts.they_learn = side_ == Side::asker ? terms_.question.responder_learns() : terms_.question.asker_learns();
  accounting_->see(now);
  facts.spent =
      accounting_->spent(steps_.peer().nick, facts.types, most_entered_under(membership, terms_.question.function));
  return membership.check_question(facts, wall_clock_now());
}

/// What of the vault may enter: of types that need a tag, what has one of the epoch in which the session began.
vault::Selection Session::admitted() const {
  vault::Selection selection = us_.membership.admitted();
  selection.admission = tagged_;
  return selection;
}

std::optional<Digest> Session::admission_epoch() const {
  return tagged_ ? std::optional(tagged_->epoch) : std::nullopt;
}

vault::Selection Session::selection() const {
  vault::Selection selection = responder_selection(terms_.question, admitted());
  selection.label = terms_.our_label;
  return selection;
}

/// Of the asker: how many indicators the other side may be able to test.
std::uint64_t Session::most_tests_allowed() const {
  if (limits_.their_tests != 0) return limits_.their_tests;
  return std::clamp(kTheirPaddedRatio * terms_.our_padded, kLeastTheirPadded, kMostTests);
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
  if (auto permitted = check_permitted(step.charter); !permitted) {
    TRY_STATUS(refuse(permitted.error().code == Errc::skew ? kRefusedForCharter : kRefusedByPolicy, ""));
    return std::unexpected(std::move(permitted).error());
  }

  if (proposal.admission != admission_epoch()) {
    TRY_STATUS(refuse(kRefusedForEpoch, ""));
    return fail(Errc::skew, steps_.peer().name +
                                " is in another epoch of admission than this node; its proposal was refused. Both "
                                "come into step by calling on each other: parley admit.");
  }

  entry_.emplace(us_.under_way, row_.id, row_.group, us_.progress);
  const auto accepted = decide_on(proposal, decide, judge);
  if (!accepted) return failed(accepted.error());
  if (!*accepted) return row_.id;
  if (auto conducted = conduct(); !conducted) return failed(std::move(conducted).error());
  return row_.id;
}

// People decide by the first digits of an id. Two proposals that share them take an asker seconds to make: one to be
// looked at, and one to be accepted in its place.
Status Session::save_proposal(const ReceivedStep& step) {
  return us_.vault.together([&]() -> Status {
    if (us_.vault.session(row_.id.substr(0, kShownIdDigits)))
      return fail(Errc::protocol, "A proposal that was made before was sent again, or one whose id begins like its id.",
                  steps_.peer().name);
    return save_received(kProposed, step);
  });
}

Result<bool> Session::decide_on(const Proposal& proposal, const Decide& decide, const JudgeByRule& judge) {
  TRY(const std::uint64_t most_tests, most_that_they_could_test());
  Offer offer{.session = row_.id,
              .peer = steps_.peer().name,
              .group = us_.membership.group().name,
              .question = proposal.question,
              .their_padded = proposal.padded,
              .their_tests = most_tests,
              .admitted = admitted(),
              .ours = {}};
  std::optional<Decision> decision;
  if (judge) decision = judge(offer);
  if (!decision) {
    TRY(offer.ours, enters(us_.vault, selection()));
    terms_.ours_by_type = offer.ours.by_type;
    TRY(decision, await_decision(offer, decide));
  }
  if (!decision->accept) {
    TRY_STATUS(refuse(kRefusedByPolicy, decision->why));
    return false;
  }
  terms_.our_label = decision->label;
  if (auto settled = settle(decision->most_tests); !settled) {
    TRY_STATUS(refuse(kRefusedByPolicy, ""));
    return std::unexpected(settled.error());
  }
  TRY_STATUS(accept());
  return true;
}

// The asker may leave while the operator thinks; a ping now and then tells it that we are still here.
Result<Decision> Session::await_decision(const Offer& offer, const Decide& decide) {
  const Deadline expires = deadline_in(limits_.decision);
  Deadline next_ping = deadline_in(kPingEvery);
  while (Monotonic::now() < expires) {
    if (us_.progress.cancelled())
      return fail(Errc::cancelled, "It was stopped here before the question was decided on.");
    if (auto decision = decide(offer, deadline_in(kLookEvery))) return *std::move(decision);
    TRY(const bool said_something, steps_.link().wait_readable(Monotonic::now()));
    if (said_something) {
      // Nothing is due from the asker but its leaving.
      TRY(const ReceivedStep step, steps_.receive(kAbort, deadline_in(kLookEvery)));
      return fail(Errc::peer_gone, offer.peer + " withdrew its question.");
    }
    if (Monotonic::now() >= next_ping) {
      TRY_STATUS(steps_.link().send(wire::FrameType::ping, {}));
      next_ping = deadline_in(kPingEvery);
    }
  }
  expired_ = true;
  return fail(Errc::peer_gone, "The question expired undecided.");
}

Status Session::refuse(std::string_view code, const std::string& text) {
  outcome_.failed_phase = phase_;
  outcome_.failure = code == kRefusedForSkew ? "refused: other canonical-form rules or protocol" : "declined here";
  const Refusal refusal{.code = std::string(code), .text = text};
  TRY(const mirror::EntryView step, write(kRefuse, refusal.to_json(), {proposal_}, kRefused));
  return steps_.send(step);
}

/// Strikes the suites that do not `fit`. @error Errc::refused when none is left
Status Session::keep_suites(const std::function<bool(const psi::Protocol&)>& fit) {
  std::vector<std::uint16_t> kept;
  for (const std::uint16_t suite : suites_) {
    TRY(const auto protocol, psi::protocol_of_suite(suite));
    if (fit(*protocol)) kept.push_back(suite);
  }
  suites_ = std::move(kept);
  if (suites_.empty())
    return fail(Errc::refused,
                "No protocol that both sides allow suits these sets and the most that this side lets the asker test; "
                "the question was declined. The fast protocol needs 1,024 elements or more on the side that learns "
                "first.");
  return {};
}

// What of ours enters, and the protocol: the one that serves best among those that let the asker test no more than
// `most_tests`.
Status Session::settle(std::optional<std::uint64_t> most_tests) {
  const bool we_receive = our_role() == psi::Role::receiver;
  // Before our material is looked at: how long this refusal takes tells nothing of it.
  TRY_STATUS(keep_suites([&](const psi::Protocol& protocol) {
    return (we_receive || suits_sizes(protocol)) &&
           (!most_tests || their_tests(protocol, our_role(), terms_.their_padded) <= *most_tests);
  }));
  TRY(const Enters ours, enters(us_.vault, selection()));
  terms_.ours_by_type = ours.by_type;
  terms_.our_padded = ours.padded;
  TRY_STATUS(keep_suites([&](const psi::Protocol& protocol) { return suits_sizes(protocol); }));

  // The asker stops where we could test more than it allows: a protocol that it would not stop goes first, or the one
  // that exceeds its limit by least.
  std::uint64_t fewest = std::numeric_limits<std::uint64_t>::max();
  for (const std::uint16_t suite : suites_) {
    TRY(const auto protocol, psi::protocol_of_suite(suite));
    fewest = std::min(fewest, our_tests(*protocol));
  }
  const std::uint64_t most = std::max(fewest, their_limit_);
  TRY_STATUS(keep_suites([&](const psi::Protocol& protocol) { return our_tests(protocol) <= most; }));
  const std::uint16_t best = choose().protocol->suite();
  suite_ = std::ranges::find(suites_, best) != suites_.end() ? best : suites_.front();
  return check_permitted(us_.membership.signed_charter().hash);
}

std::uint64_t Session::our_tests(const psi::Protocol& protocol) const {
  const psi::Role theirs = our_role() == psi::Role::receiver ? psi::Role::sender : psi::Role::receiver;
  return their_tests(protocol, theirs, terms_.our_padded);
}

/// What the asker could test at most by those of the protocols that may still run.
Result<std::uint64_t> Session::most_that_they_could_test() const {
  std::uint64_t most = terms_.their_padded;
  for (const std::uint16_t suite : suites_) {
    TRY(const auto protocol, psi::protocol_of_suite(suite));
    if (our_role() == psi::Role::sender && suits_sizes(*protocol))
      most = std::max(most, their_tests(*protocol, our_role(), terms_.their_padded));
  }
  return most;
}

Status Session::accept() {
  nonces_[1] = random_bytes<32>();
  const Acceptance acceptance{
      .padded = terms_.our_padded, .suite = suite_, .nonce = nonces_[1], .admission = admission_epoch()};
  TRY(const mirror::EntryView step, write(kAccept, acceptance.to_json(), {proposal_}, kAccepted));
  acceptance_ = step.leaf_hash;
  return steps_.send(step);
}

/// What would serve best, as this side sees it.
psi::Choice Session::choose() const {
  const bool we_receive = our_role() == psi::Role::receiver;
  const std::uint64_t receivers = we_receive ? terms_.our_padded : terms_.their_padded;
  const std::uint64_t senders = we_receive ? terms_.their_padded : terms_.our_padded;
  const std::chrono::duration<double> round_trip = steps_.link().round_trip();
  return psi::choose_protocol(receivers, senders, psi::line_with(round_trip.count()), us_.pool.size());
}

psi::Role Session::our_role() const {
  return role_of(side_, terms_.question.direction);
}

bool Session::suits_sizes(const psi::Protocol& protocol) const {
  return (our_role() == psi::Role::receiver ? terms_.our_padded : terms_.their_padded) >= protocol.fewest_received();
}

// --- both -----------------------------------------------------------------------------------------------------------

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
  TRY(canaries_, canaries_for(us_.vault, steps_.link().log(), us_.membership, terms_.question, steps_.peer().nick,
                              wall_clock_now()));
  std::vector<indicator::Canonical> decoys;
  for (const group::CommittedCanary& each : canaries_) decoys.push_back(each.canary.indicator);
  TRY(Input input, Input::make(us_.vault, selection(), row_.id, side_, salts, us_.pool, us_.progress, decoys));
  if (input.size() != terms_.our_padded)
    return fail(Errc::cancelled, "The material changed between the agreement and the session. Ask again.");
  input_.emplace(std::move(input));
  our_commitment_ = {.items_root = input_->commitments().items_root(),
                     .context_root = input_->commitments().context_root(),
                     .result_key_commitment = result_key_commitment(result_key_share_.expose()),
                     .seed_commitment = seed_commitment(seed_)};
  const Digest& answered = side_ == Side::asker ? acceptance_ : proposal_;
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
  TRY(const mirror::EntryView ours, charged);
  TRY_STATUS(steps_.send(ours));
  TRY(const ReceivedStep theirs, steps_.receive(kRun, deadline_in(limits_.step)));
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

Result<ResultStep> Session::record(const psi::Outcome& result) {
  const bool intersection = terms_.question.function == Function::intersection;
  outcome_.learned = side_ == Side::asker ? terms_.question.asker_learns() : terms_.question.responder_learns();
  outcome_.both_learned = terms_.question.direction == Direction::both;
  outcome_.transcript = to_hex(result.transcript);
  if (outcome_.learned && !result.learned_count)
    return fail(Errc::internal, "The protocol ended without the result that was agreed on.");

  std::vector<vault::SessionMatch> matches;
  if (outcome_.learned) outcome_.count = static_cast<std::int64_t>(result.count);
  if (outcome_.learned && intersection) {
    for (const psi::Match& match : result.matches) {
      if (input_->canary(match.position) != nullptr) {
        hits_.push_back(hit_at(*input_, match.position, canaries_));
        continue;
      }
      const vault::Item* item = input_->item(match.position);
      if (item == nullptr)
        return fail(Errc::protocol, "Padding of this side matched, which an honest other side cannot bring about.");
      matches.push_back({.indicator = item->indicator,
                         .item = item->id,
                         .file = item->file,
                         .mine = log::write_pjson(to_json(input_->record(match.position))),
                         .opened = {},
                         .theirs = {},
                         .commitment = CommittedPlace{match.position, input_->tree_index(match.position)}.to_bytes()});
    }
    outcome_.file_count = count_files_once(matches);
    outcome_.canaries = static_cast<std::int64_t>(hits_.size());
    outcome_.count -= outcome_.canaries;
  }
  // Only what both know can be opened later; otherwise the salts have done their work.
  if (outcome_.both_learned && !matches.empty()) {
    const auto kept = keep_secret(commitments_name(row_.id), input_->commitments().serialize().expose());
    if (!kept && kept.error().code != Errc::policy) return std::unexpected(kept.error());
  }
  input_.reset();

  ResultStep ours{.learned = outcome_.learned,
                  .count = outcome_.both_learned ? static_cast<std::int64_t>(result.count) : -1,
                  .result_root = empty_result_root(),
                  .transcript = result.transcript};
  // The other side may leave or keep its share back, now that it has learned; what was found here stays found.
  keys_shared_ = share_result_key(ours, matches);
  TRY_STATUS(store_result(ours, matches));
  return ours;
}

Status Session::share_result_key(ResultStep& ours, const std::vector<vault::SessionMatch>& matches) {
  TRY_STATUS(steps_.link().send(wire::FrameType::opening, result_key_share_.expose()));
  TRY(const wire::Frame share, steps_.link().receive(deadline_in(limits_.step)));
  if (share.type != wire::FrameType::opening || share.payload.size() != Secret<32>::kSize ||
      result_key_commitment(share.payload) != their_commitment_.result_key_commitment)
    return fail(Errc::protocol, "The other side opened another result key than it had committed to.",
                steps_.peer().name);
  const Secret<32> theirs(std::span<const std::byte, 32>(share.payload));
  recorder_->add_shares(result_key_share_, theirs);
  if (outcome_.both_learned && terms_.question.function == Function::intersection) {
    const Secret<32>& asker_share = side_ == Side::asker ? result_key_share_ : theirs;
    const Secret<32>& responder_share = side_ == Side::asker ? theirs : result_key_share_;
    const Secret<32> key = result_key(row_.id, nonces_[0], nonces_[1], asker_share, responder_share);
    ours.result_root = sign_for(key, matches);
  }
  return {};
}

// The root over all that both found, our canaries among it: to the other side they are matches like any other.
Digest Session::sign_for(const Secret<32>& key, const std::vector<vault::SessionMatch>& matches) {
  std::vector<indicator::Canonical> found;
  for (const vault::SessionMatch& match : matches) found.push_back(match.indicator);
  for (const CanaryHit& hit : hits_) found.push_back(hit.canary.canary.indicator);
  const log::MerkleTree tree = result_tree(key, found);
  for (CanaryHit& hit : hits_) hit.tag = tag_under(tree, key, hit.canary.canary.indicator);
  return tree.root();
}

Status Session::store_result(const ResultStep& ours, const std::vector<vault::SessionMatch>& matches) {
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Monotonic::now() - run_began_);
  outcome_.milliseconds = took.count();
  outcome_.bytes_sent = static_cast<std::int64_t>(steps_.link().bytes_sent());
  outcome_.bytes_received = static_cast<std::int64_t>(steps_.link().bytes_received());
  row_.state = kHasResult;
  row_.updated = wall_clock_now();
  row_.outcome = write_outcome(outcome_);
  TRY(result_step_, steps_.write(kResult, ours.to_json(), {}, [&](const mirror::EntryView& step) -> Status {
    TRY_STATUS(us_.vault.save_result(row_, std::vector{their_run_step_, stored_step(step)}, matches));
    return keep_hits(us_.vault, row_.group, steps_.peer().nick, row_.id, hits_);
  }));
  return {};
}

// Both sides write down what the session amounts to by their ledgers: where they differ, both show it.
// @return our entry; nothing where there is nothing to settle
Result<std::optional<mirror::EntryView>> Session::settle_ledger() {
  TRY_STATUS(read_logs());
  TRY(const ledger::SessionId session, session_id_from(row_.id));
  const auto settled = accounting_->with([&](const ledger::Ledger& ledger) { return ledger.settlement(session); });
  if (!settled) return std::nullopt;
  TRY(mirror::EntryView entry, steps_.write(log::kLedgerSettle, to_json(*settled), {}));
  TRY_STATUS(steps_.link().push(deadline_in(kClosingWait)));
  return entry;
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

// What both logs hold by now is older than whatever comes next in ours. How the session ended does not depend on it.
// One that came to nothing ties nothing: a peer must not make us write by being refused.
void tie_logs(group::LogLink& link) {
  if (link.log().tie_to_others()) (void)link.push(deadline_in(kClosingWait));
}

}  // namespace

Result<std::string> ask(const Party& us, group::LogLink& link, const Question& question, const Limits& limits,
                        const BeforeProposal& before) {
  us.progress.set_wake([&link] { link.shut_down(); });
  auto result = Session(us, link, Side::asker, limits).ask(question, before);
  if (result) tie_logs(link);
  us.progress.set_wake({});
  return result;
}

Result<std::string> answer(const Party& us, group::LogLink& link, const ReceivedStep& proposal, const Limits& limits,
                           const Decide& decide, const JudgeByRule& judge) {
  us.progress.set_wake([&link] { link.shut_down(); });
  auto result = Session(us, link, Side::responder, limits).answer(proposal, decide, judge);
  if (result) tie_logs(link);
  us.progress.set_wake({});
  return result;
}

Result<std::size_t> close_interrupted(vault::Vault& vault) {
  TRY(const std::vector<vault::SessionRow> rows, vault.sessions({.states = kUnderWayStates}));
  std::size_t closed = 0;
  for (vault::SessionRow row : rows) {
    Outcome outcome;
    outcome.failed_phase = row.state;
    outcome.may_have_disclosed = row.state == kRunning;
    outcome.failure = outcome.may_have_disclosed
                          ? "This node stopped while the session ran. What the other side may have learned counts as "
                            "learned; the session "
                            "is not resumed, since a second run would give it a second try."
                          : "This node stopped before anything was computed. Nothing was disclosed but the question.";
    row.state = kAborted;
    row.updated = wall_clock_now();
    row.outcome = write_outcome(outcome);
    TRY_STATUS(vault.save_session(row, {}));
    TRY_STATUS(vault.put_secret(salts_name(row.id), {}));
    TRY_STATUS(vault.put_secret(seed_name(row.id), {}));
    TRY_STATUS(vault.put_secret(commitments_name(row.id), {}));
    ++closed;
  }
  return closed;
}

namespace {

/// What our log lacks of a session that this vault has as broken off. A disk that was put back has an older row than
/// the log that came back to it: the log is right, and the row says what it does not know of the session any more.
Result<std::optional<mirror::Draft>> missing_abort(vault::Vault& vault, mirror::Replica& replica,
                                                   const std::string& nick, vault::SessionRow row,
                                                   const Digest& our_first_step) {
  const auto said = replica.entry(nick, our_first_step);
  if (!said && said.error().code == Errc::not_found) return std::nullopt;  // it never left, and was given up
  if (!said) return std::unexpected(said.error());
  TRY(Outcome outcome, read_outcome(row.outcome));
  TRY(const bool ran, replica.has_taken(row.id, kRun));
  if (ran && !outcome.may_have_disclosed) {
    outcome.may_have_disclosed = true;
    outcome.failed_phase = kRunning;
    outcome.failure =
        "This disk is an older one than the session: our log, which came back from other members, says that it ran, "
        "and "
        "what came of it is not here any more. What the other side may have learned counts as learned.";
    row.outcome = write_outcome(outcome);
    TRY_STATUS(vault.save_session(row, {}));
  }
  for (const std::string_view end : {kResult, kClose, kAbort}) {
    TRY(const bool ended, replica.has_taken(row.id, end));
    if (ended) return std::nullopt;
  }
  const Abort abort{.phase = outcome.failed_phase,
                    .code = std::string(name_of(Errc::cancelled)),
                    .may_have_disclosed = outcome.may_have_disclosed};
  return mirror::Draft{.type = std::string(kAbort),
                       .session = row.id,
                       .refs = {},
                       .audience = said->entry.audience,
                       .body = abort.to_json()};
}

}  // namespace

Status log_aborts(vault::Vault& vault, group::JointLog& log) {
  constexpr std::array kEnded{kAborted, kExpired};
  TRY(const std::vector<vault::SessionRow> rows, vault.sessions({.group = log.group(), .states = kEnded}));
  for (const vault::SessionRow& row : rows) {
    TRY(const std::vector<vault::SessionStep> steps, vault.session_steps(row.id));
    const auto ours = [&](const vault::SessionStep& step) { return step.author == log.nick(); };
    const auto first = std::ranges::find_if(steps, ours);
    if (first == steps.end() ||
        std::ranges::any_of(steps, [&](const auto& step) { return ours(step) && step.type == kAbort; }))
      continue;
    const auto first_entry = leaf_hash_of(*first);
    if (!first_entry) continue;
    log.append_later([&vault, row, nick = log.nick(), step = *first_entry](
                         mirror::Replica& replica) { return missing_abort(vault, replica, nick, row, step); },
                     [&vault, id = row.id](const mirror::EntryView& step) -> Status {
                       TRY(const vault::SessionRow now, vault.session(id));
                       return vault.save_session(now, std::vector{stored_step(step)});
                     });
  }
  return log.flush();
}

}  // namespace parley::session
