// What the charter and the ledger say to a session: before it is proposed or accepted, as its run is written, and
// after.
#include "admission/epoch.h"
#include "crypto/hash.h"
#include "group/rotation.h"
#include "session/detail/session.h"

namespace parley::session::detail {

Status Session::check_permitted(const Digest& their_charter) {
  TRY_STATUS(steps_.link().log().with([&](mirror::Replica& replica) { return replica.trusted(steps_.peer().nick); }));
  // What the other side writes would wait for our signature.
  TRY_STATUS(group::check_key(steps_.link().log(), us_.membership.group().name, log::KeyRole::cosign));
  TRY_STATUS(read_logs());
  if (!tagged_) {
    TRY(tagged_, admission::tagged_only(us_.vault, us_.membership, terms_.question.types, wall_clock_now()));
  }
  return check_permitted_by(us_.membership, their_charter, steps_.link().log().time());
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
  facts.spent = accounting_->spent(now, steps_.peer().nick, facts.types,
                                   most_entered_under(membership, terms_.question.function));
  return membership.check_question(facts, wall_clock_now());
}

Status Session::read_logs() {
  TRY(accounting_, us_.ledgers.up_to_date(us_.vault, row_.group, steps_.our_nick()));
  return {};
}

Status Session::note_not_run_yet() {
  TRY(const ledger::SessionId session, session_id_from(row_.id));
  not_run_yet_.emplace(*accounting_, session);
  return {};
}

// An entry that is written together with others may be written anew, and is charged once. Its own time ends the
// windows: by that time it will be counted, whatever the clock says meanwhile.
Status Session::charge(const mirror::EntryView& run) {
  if (in_ledger_) return {};
  TRY_STATUS(check_clock(run.entry.time, wall_clock_now(), us_.membership.charter().clock_skew_seconds));
  TRY(const group::Membership now, us_.membership_now());
  TRY_STATUS(check_permitted_by(now, us_.membership.signed_charter().hash, run.entry.time));
  accounting_->charge(run);
  in_ledger_ = true;
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

// --- what may enter -------------------------------------------------------------------------------------------------

Status Session::note_what_enters(const Enters& ours) {
  terms_.ours_by_type = ours.by_type;
  terms_.without_tag = ours.without_tag;
  if (!tagged_) return {};
  TRY(const auto totals, us_.vault.admission_totals(row_.group, tagged_->epoch));
  terms_.none_of_theirs.clear();
  for (const indicator::Type type : tagged_->types)
    if (std::ranges::none_of(totals, [&](const vault::AdmissionTotal& total) {
          return total.owner == steps_.peer().nick && total.helper != total.owner && total.type == type &&
                 total.count > 0;
        }))
      terms_.none_of_theirs.push_back(type);
  return {};
}

vault::Selection Session::selection() const {
  vault::Selection selection = responder_selection(terms_.question, admitted());
  selection.label = terms_.our_label;
  return selection;
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

}  // namespace parley::session::detail
