// How a reveal begins: consents, and offers that nobody sees before the other side is bound (reveal.h).
#include "session/reveal.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "crypto/hash.h"
#include "group/rotation.h"
#include "session/answered_reveals.h"
#include "session/detail/exchange.h"
#include "session/reveal_record.h"
#include "session/secrets.h"
#include "wire/frame.h"

namespace parley::session::detail {
namespace {

constexpr std::string_view kFirstDomain{"parley/reveal/first/v1\0", 23};
// An offer that we cannot return, and a consent that is not given, are told by one word: the other side must not learn
// which of its matches we hold context of.
constexpr std::string_view kNoConsentYet = "no-consent-yet";
constexpr std::string_view kNothingInReturn = "nothing-in-return";
constexpr std::string_view kNotRevealable = "not-revealable";
constexpr auto kListWait = std::chrono::seconds(2);

Status nothing_to_open() {
  return fail(Errc::refused,
              "Marks and consent leave nothing to open here that the other side does not have, so nothing was opened "
              "to us either.");
}

}  // namespace

Status Exchange::save(std::string_view state, const vault::SessionStep& step) {
  session_.row.state = state;
  session_.row.updated = wall_clock_now();
  return us_.vault.save_session(session_.row, std::vector{step});
}

Status Exchange::keep(std::string_view state, const ReceivedStep& step) {
  return save(state, stored_step(steps_.peer().nick, step));
}

Result<mirror::EntryView> Exchange::write(std::string_view state, std::string_view type, log::Json body,
                                          std::vector<Digest> refs) {
  return steps_.write(type, std::move(body), std::move(refs),
                      [&](const mirror::EntryView& step) { return save(state, stored_step(step)); });
}

// --- before anything is opened --------------------------------------------------------------------------------------

Status Exchange::check_group(const group::Membership& membership) const {
  TRY_STATUS(membership.check(group::Act::reveal, wall_clock_now()));
  return group::check_key(steps_.link().log(), membership.group().name, log::KeyRole::cosign);
}

Status Exchange::check_peer(const group::Membership& membership) const {
  const std::string& peer = steps_.peer().nick;
  if (membership.charter().member(peer) == nullptr || membership.has_left(peer))
    return fail(Errc::policy, steps_.peer().name + " is no member of this group any more.");
  TRY_STATUS(check_no_bad_opening(us_.vault, membership.group().id, peer));
  return steps_.link().log().with([&](mirror::Replica& replica) { return replica.trusted(peer); });
}

Result<std::vector<Consent>> Exchange::our_consents() const {
  return consents_in_force(us_.vault, session_.row, steps_.peer().nick, wall_clock_now());
}

Result<mirror::EntryView> Exchange::their_step(std::string_view type) const {
  TRY(const auto steps, us_.vault.session_steps(session_.row.id));
  const auto theirs = std::ranges::find_if(
      steps, [&](const vault::SessionStep& step) { return step.type == type && step.author == steps_.peer().nick; });
  if (theirs == steps.end()) return fail(Errc::internal, "A step of the other side is not in the vault.");
  TRY(mirror::EntryView step, find_step(steps_.link().log(), *theirs));
  if (!step.body) return fail(Errc::internal, "What a step of the other side says is not in the vault.");
  return step;
}

Status Exchange::read_their_part() {
  TRY(const Terms terms, read_terms(session_.row.terms));
  our_size_ = terms.our_padded;
  their_size_ = terms.their_padded;
  TRY(const mirror::EntryView commit, their_step(kCommit));
  their_commit_step_ = commit.leaf_hash;
  TRY(their_commitment_, Commitment::from_json(*commit.body));
  return {};
}

Status Exchange::prepare_openings() {
  TRY(const group::Membership membership, us_.membership_now());
  TRY(const auto stored, us_.vault.secret(commitments_name(session_.row.id)));
  if (!stored) return fail(Errc::not_found, "The openings of this session are not in the vault any more.");
  TRY(commitments_, Commitments::restore(stored->expose()));
  TRY(const std::vector<MatchNow> now, matches_now(us_.vault, session_.row.id, session_.matches));
  TRY(RevealPlan made, plan(session_.matches, now, consents_, let_out_by(membership)));
  TRY_STATUS(leave_out_what_they_have(made));
  std::set<std::string> chosen;
  our_offer_.ratio = consents_.front().ratio;
  our_offer_.unreturned = consents_.front().unreturned;
  for (const Consent& consent : consents_) {
    chosen.insert(consent.fields.begin(), consent.fields.end());
    // Of several the strictest: none may lend its ratio to what another opens.
    our_offer_.ratio = std::min(our_offer_.ratio, consent.ratio);
    our_offer_.unreturned = std::min(our_offer_.unreturned, consent.unreturned);
  }
  our_offer_.fields.assign(chosen.begin(), chosen.end());
  ours_ = std::move(made.values);
  std::vector<Digest> hashes;
  hashes.reserve(ours_.size() + 1);
  for (const PlannedValue& value : ours_) {
    TRY(const Opening opening, our_opening(value));
    hashes.push_back(log::leaf_hash(as_bytes(write_opening(opening))));
  }
  our_tree_.emplace(std::move(hashes));
  our_offer_.openings = made.preview.openings;
  our_offer_.values = ours_.size();
  if (only_again_) our_offer_.unreturned = std::max(our_offer_.unreturned, our_offer_.values);
  our_offer_.openings_commitment = our_tree_->root();
  return {};
}

Status Exchange::prepare() {
  TRY(const group::Membership membership, us_.membership_now());
  TRY_STATUS(check_group(membership));
  TRY_STATUS(check_peer(membership));
  TRY_STATUS(read_their_part());
  TRY(our_offer_.first, first_to_open());
  TRY(seal_, OpeningSeal::of_pair(us_.vault, steps_.peer().name, session_.row.id));
  return {};
}

void Exchange::set_sides() {
  const bool we_asked = session_.row.asked_by_us;
  our_side_ = we_asked ? Side::asker : Side::responder;
  their_side_ = we_asked ? Side::responder : Side::asker;
  our_label_ = input_label(session_.row.id, our_side_);
  their_label_ = input_label(session_.row.id, their_side_);
}

Result<std::string> Exchange::first_to_open() const {
  const std::string& peer = steps_.peer().nick;
  TRY(const auto accounting, us_.ledgers.up_to_date(us_.vault, session_.row.group, steps_.our_nick()));
  const ledger::Account account = accounting->with(
      [&](const ledger::Ledger& ledger) { return ledger.account(&peer, std::nullopt, ledger::Window::operation); });
  if (account.weight_in.known != account.weight_out.known)
    return account.weight_out.known > account.weight_in.known ? steps_.our_nick() : peer;
  // The tags under the result's root come from a key of which each side committed to its half beforehand.
  TRY(const mirror::EntryView result, their_step(kResult));
  TRY(const ResultStep signed_result, ResultStep::from_json(*result.body));
  crypto::Sha256 coin;
  coin.update(as_bytes(kFirstDomain));
  coin.update(signed_result.result_root);
  const bool asker = (std::to_integer<unsigned>(coin.finish().back()) & 1) == 0;
  return asker == session_.row.asked_by_us ? steps_.our_nick() : peer;
}

Result<RevealOutcome> Exchange::begin(const std::string& session) {
  TRY(session_, revealable(us_.vault, session));
  if (session_.row.group != steps_.link().log().group()) return fail(Errc::usage, "This session is of another group.");
  steps_.set_session(session_.row.id);
  TRY_STATUS(enter(session_.row.id));
  TRY(consents_, our_consents());
  if (consents_.empty()) return fail(Errc::usage, "No consent of this session stands any more. Give it anew.");
  set_sides();
  TRY_STATUS(find_common());
  // Both ledgers are to say the same about who owes.
  TRY_STATUS(steps_.link().synchronise(deadline_in(kRevealStepWait)));
  TRY_STATUS(prepare());
  TRY_STATUS(send_consent({}));
  us_.progress.phase("waiting for " + steps_.peer().name + "'s consent", 0);
  TRY(const ReceivedStep step, steps_.receive_any(deadline_in(kRevealStepWait)));
  TRY(const auto refused, take_refusal(step));
  if (refused) return *refused;
  if (step.session != session_.row.id || step.type != kRevealConsent)
    return fail(Errc::protocol, "The other side answered the consent with something else.", steps_.peer().name);
  TRY_STATUS(step.check_answers(our_consent_step_, steps_.peer().name));
  TRY(their_consent_, RevealConsent::from_json(step.body));
  return carry_out([&]() -> Status {
    TRY_STATUS(receive_list(their_consent_.received));
    TRY_STATUS(prepare_openings());
    if (ours_.empty() && !all_is_there_) {
      TRY_STATUS(refuse(kNothingInReturn, step));
      return nothing_to_open();
    }
    return exchange_offers(step);
  });
}

Result<std::optional<RevealOutcome>> Exchange::take_refusal(const ReceivedStep& step) const {
  if (step.session != session_.row.id || step.type != kRevealRefuse) return std::nullopt;
  TRY(const Refusal refusal, Refusal::from_json(step.body));
  const std::string& peer = steps_.peer().name;
  if (refusal.code == kNoConsentYet) return RevealOutcome{.waiting = true};
  if (refusal.code == kNothingInReturn)
    return fail(
        Errc::refused,
        peer + " stopped: one of the two sides has nothing to open that the other does not have. Choose other fields.");
  if (refusal.code == kRefusedBusy)
    return fail(Errc::refused, peer + " is in a reveal of this session already; try again.");
  return fail(Errc::refused, peer + " does not reveal for this session.");
}

Result<RevealOutcome> Exchange::answer(const ReceivedStep& step) {
  const std::string& peer = steps_.peer().name;
  steps_.set_session(step.session);
  const auto row = us_.vault.session(step.session);
  if (!row || !is_with_this_peer(*row, step.session)) {
    // Whether there is such a session between others, or none: our log has nothing to say about it.
    TRY_STATUS(steps_.link().send(wire::FrameType::err, as_bytes(wire::kErrNoSession)));
    return fail(Errc::refused, peer + " would reveal in a session that it does not have with this member.");
  }
  TRY(their_consent_, RevealConsent::from_json(step.body));
  TRY_STATUS(admit_reveal(us_.vault, row->group, {.peer = peer, .nick = steps_.peer().nick}, step, wall_clock_now()));
  // Before anything is looked up: what a call leaves behind in our own records, whose growth our next `heads` entry
  // shows, and that one is inside, must not tell whether there are consents, or matches.
  if (const Status recorded = called_ ? called_() : Status(); !recorded) {
    TRY_STATUS(refuse_before_list(kNoConsentYet, step));
    return std::unexpected(recorded.error());
  }
  if (auto entered = enter(step.session); !entered) {
    TRY_STATUS(refuse_before_list(kRefusedBusy, step));
    return std::unexpected(std::move(entered).error());
  }
  const auto can_open = read_session(step.session);
  if (!can_open) {
    TRY_STATUS(refuse_before_list(kNotRevealable, step));
    return std::unexpected(can_open.error());
  }
  // Before consents are looked up, too: a list that is withheld or wrong is answered alike whether there are any.
  TRY_STATUS(receive_list(their_consent_.received));
  TRY_STATUS(note_reveal_waiting(us_.vault, session_.row.id, their_consent_.by));
  TRY(consents_, our_consents());
  if (*can_open && !consents_.empty()) return answer_by_consents(step);
  TRY_STATUS(refuse(kNoConsentYet, step));
  if (*can_open) return RevealOutcome{.waiting = true};
  return fail(Errc::refused, peer + " would reveal in a session that has nothing to reveal.");
}

Result<RevealOutcome> Exchange::answer_by_consents(const ReceivedStep& step) {
  const auto get_ready = [&]() -> Status {
    TRY_STATUS(prepare());
    TRY_STATUS(prepare_openings());
    return ours_.empty() && !all_is_there_ ? nothing_to_open() : Status();
  };
  return carry_out([&]() -> Status {
    if (Status ready = get_ready(); !ready) {
      // Whatever it is depends on what we hold of the matches, and is told by the one word.
      TRY_STATUS(refuse(kNoConsentYet, step));
      return ready;
    }
    TRY_STATUS(send_consent({step.leaf_hash}));
    return exchange_offers(step);
  });
}

Result<bool> Exchange::read_session(const std::string& session) {
  TRY(const group::Membership membership, us_.membership_now());
  TRY_STATUS(check_group(membership));
  TRY_STATUS(check_peer(membership));
  auto found = revealable(us_.vault, session);
  if (found) {
    session_ = *std::move(found);
  } else {
    // A canary is a match to the other side: that we hold nothing on it must look like a consent that is not given.
    // In everything else it must be a session of which a match could be revealed, or the difference would show.
    TRY(session_.row, us_.vault.session(session));
    TRY(const bool decoys_only, only_canaries_are_common(session_.row));
    if (!decoys_only) return std::unexpected(std::move(found).error());
  }
  set_sides();
  TRY_STATUS(find_common());
  return found.has_value();
}

Result<bool> Exchange::only_canaries_are_common(const vault::SessionRow& row) const {
  TRY(const Outcome outcome, read_outcome(row.outcome));
  if (!is_at_rest(row.state) || !outcome.agreed) return false;
  TRY(const auto hits, hits_of(us_.vault, row.id));
  TRY(const auto matches, us_.vault.session_matches(row.id));
  return !hits.empty() && matches.empty();
}

// The list goes with it. Whoever answers is bound to its offer before it sees that of who calls.
Status Exchange::send_consent(std::vector<Digest> refs) {
  const RevealConsent consent{.by = consents_.front().by,
                              .offer = we_call_ ? Digest{} : offer_commitment(our_label_, our_offer_),
                              .received = received_before_->hash(our_label_),
                              .sealed = seal_.has_value()};
  TRY(const mirror::EntryView ours, write(session_.row.state, kRevealConsent, consent.to_json(), std::move(refs)));
  our_consent_step_ = ours.leaf_hash;
  TRY_STATUS(steps_.send(ours));
  return send_list();
}

Status Exchange::enter(const std::string& session) {
  TRY(Turnstile entered, Turnstile::enter(us_.vault, session));
  turnstile_.emplace(std::move(entered));
  return end_consents_of_interrupted(us_.vault, session);
}

bool Exchange::is_with_this_peer(const vault::SessionRow& row, const std::string& session) const {
  return row.id == session && row.peer == steps_.peer().name && row.group == steps_.link().log().group();
}

Status Exchange::refuse(std::string_view code, const ReceivedStep& answered) {
  TRY(const mirror::EntryView ours,
      steps_.write(kRevealRefuse, Refusal{.code = std::string(code), .text = {}}.to_json(), {answered.leaf_hash}));
  return steps_.send(ours);
}

Status Exchange::refuse_before_list(std::string_view code, const ReceivedStep& answered) {
  TRY_STATUS(refuse(code, answered));
  (void)steps_.link().receive(deadline_in(kListWait));
  return {};
}

// Who calls shows its own first.
Status Exchange::exchange_offers(const ReceivedStep& their_consent) {
  TRY_STATUS(keep(session_.row.state, their_consent));
  if (we_call_) TRY_STATUS(send_offer(their_consent.leaf_hash));
  TRY(const ReceivedStep step, steps_.receive_any(deadline_in(kRevealStepWait)));
  TRY(const auto refused, take_refusal(step));
  if (refused) return fail(Errc::refused, steps_.peer().name + " took its consent back.");
  if (step.session != session_.row.id || step.type != kRevealOffer)
    return fail(Errc::protocol, "Something else arrived where an offer was due.", steps_.peer().name);
  // By that both ledgers know which two offers were exchanged, and so whose closing answers whose.
  TRY_STATUS(step.check_answers(we_call_ ? our_offer_step_.leaf_hash : our_consent_step_, steps_.peer().name));
  TRY(their_offer_, RevealOffer::from_json(step.body));
  their_offer_step_ = step.leaf_hash;
  if (auto checked = check_offers(); !checked) {
    TRY_STATUS(keep(session_.row.state, step));
    if (checked.error().code == Errc::refused) TRY_STATUS(refuse(kNothingInReturn, step));
    return checked;
  }
  TRY_STATUS(keep(kRevealing, step));
  return we_call_ ? Status() : send_offer(step.leaf_hash);
}

Status Exchange::send_offer(const Digest& answered) {
  TRY(our_offer_step_, write(kRevealing, kRevealOffer, our_offer_.to_json(), {answered}));
  return steps_.send(our_offer_step_);
}

Status Exchange::check_offers() {
  const std::string& peer = steps_.peer().name;
  if (we_call_ && offer_commitment(their_label_, their_offer_) != their_consent_.offer)
    return fail(Errc::protocol, "The other side offers something else than it had committed to.", peer);
  if (their_offer_.openings == 0 && !only_again_)
    return fail(Errc::refused,
                peer +
                    " agrees to open nothing that is not here already, so nothing was opened. It may agree to other "
                    "fields by parley reveal.");
  if (their_offer_.openings > match_by_indicator_.size())
    return fail(Errc::protocol, "The other side offers to open more indicators than matched.", peer);
  if (their_offer_.values < their_offer_.openings ||
      their_offer_.values > their_offer_.openings * their_offer_.fields.size())
    return fail(Errc::protocol, "The other side's offer counts another number of fields than it can have.", peer);
  if (their_offer_.first != our_offer_.first)
    return fail(Errc::protocol, "The two ledgers differ about who opens first. parley ledger says what each has.",
                peer);
  we_begin_ = our_offer_.first == steps_.our_nick();
  numbers_ = {.we_offer = our_offer_.values,
              .they_offer = their_offer_.values,
              .we_open = opened_of(our_offer_, their_offer_),
              .they_open = opened_of(their_offer_, our_offer_)};
  if (!their_consent_.sealed) seal_.reset();
  return {};
}

}  // namespace parley::session::detail

namespace parley::session {

Result<RevealOutcome> reveal(const Party& us, group::LogLink& link, const std::string& session,
                             const BeforeOpening& before) {
  us.progress.set_wake([&link] { link.shut_down(); });
  auto outcome = detail::Exchange(us, link, true, before, {}).begin(session);
  us.progress.set_wake({});
  return outcome;
}

Result<RevealOutcome> answer_reveal(const Party& us, group::LogLink& link, const ReceivedStep& consent,
                                    const BeforeAnswer& called) {
  us.progress.set_wake([&link] { link.shut_down(); });
  auto outcome = detail::Exchange(us, link, false, {}, called).answer(consent);
  us.progress.set_wake({});
  return outcome;
}

}  // namespace parley::session
