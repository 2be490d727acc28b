// How a reveal is carried out: one field at a time in turn, and how it ended (reveal.h).
#include <fmt/format.h>

#include <algorithm>

#include "log/fault.h"
#include "mirror/key_rotation.h"
#include "session/detail/exchange.h"
#include "session/reveal_record.h"
#include "session/secrets.h"

namespace parley::session::detail {
namespace {

constexpr auto kOpeningsWait = std::chrono::hours(1);  // for all of them (log.md 5.2)
constexpr auto kClosingWait = std::chrono::seconds(10);
constexpr std::size_t kMaxOfferedBytes = 1 + log::kMaxProofHashes * sizeof(Digest) + kMaxOpeningBytes;
/// Of a refusal by somebody who saw both offers in numbers.
constexpr std::string_view kDeclined = "declined";

// What is on record as opened is never less than what was: `more` added to the PJ1 object `known`, which may be "".
Result<std::string> with_more(const std::string& known, const log::Json& more) {
  if (known.empty()) return log::write_pjson(more);
  TRY(const log::Json before, log::parse_pjson(known, 2 * kFieldPaths.size() * kMaxFieldBytes));
  log::Json::Object all = *more.object();
  for (const auto& [path, value] : *before.object()) all.emplace(path, value);
  return log::write_pjson(std::move(all));
}

}  // namespace

// --- openings -------------------------------------------------------------------------------------------------------

Result<RevealOutcome> Exchange::exchange() {
  const Status opened = [&]() -> Status {
    // What we open is counted by our offer: it must not be on our disk only.
    TRY_STATUS(steps_.link().await_held(our_offer_step_, deadline_in(kRevealStepWait)));
    TRY_STATUS(agree_to_numbers());
    TRY_STATUS(show_matches());
    return open_in_turn();
  }();
  if (!opened) {
    // Who stopped, and how far both were, goes on record; nobody is ahead by more than a field.
    const bool by_them = is_theirs_to_answer_for(opened.error());
    Error error = opened.error();
    if (would_give_more(by_them)) {
      TRY_STATUS(end_consents(us_.vault, session_.row.id));
      error.message += fmt::format(" Nothing more of this session is opened to {} before somebody here consents anew.",
                                   steps_.peer().name);
    } else {
      TRY_STATUS(forget_ahead(us_.vault, session_.row.id));
    }
    if (!declined_) (void)close(by_them ? "them" : "us");
    return std::unexpected(std::move(error));
  }
  TRY_STATUS(use_up_consent(us_.vault, session_.row.id, consents_));
  session_.row.state = kClosed;
  TRY(const mirror::EntryView ours, close({}));
  if (const Status closed = receive_closing(); !closed) {
    // Without its word both ledgers know less of what we opened than of what it did.
    if (is_theirs_to_answer_for(closed.error())) TRY_STATUS(end_consents(us_.vault, session_.row.id));
    return std::unexpected(closed.error());
  }
  (void)steps_.link().await_held(ours, deadline_in(kClosingWait));
  (void)steps_.link().keep();
  return RevealOutcome{.waiting = false,
                       .opened = matches_opened_.size(),
                       .received = matches_received(),
                       .sealed = seal_.has_value(),
                       .numbers = numbers_};
}

bool Exchange::is_theirs_to_answer_for(const Error& error) const {
  if (us_.progress.cancelled() || stopped_here_) return false;
  return peer_out_ || std::ranges::find(kOthersDoing, error.code) != kOthersDoing.end();
}

bool Exchange::would_give_more(bool by_them) const {
  // Or on terms that it had seen, or without a match that it had signed.
  const bool has_seen = by_them && declined_ && !ours_.empty();
  return has_seen || newly_unshown_ > 0 || sent_fields_ > opened_to_us_.size();
}

// Whoever calls has somebody who sees the numbers; the other side waits for its matches until then.
Status Exchange::agree_to_numbers() {
  if (!we_call_ || !before_) return {};
  auto agreed = before_(numbers_);
  if (agreed) return {};
  declined_ = stopped_here_ = true;
  TRY(const mirror::EntryView refusal,
      steps_.write(kRevealRefuse, Refusal{.code = std::string(kDeclined), .text = {}}.to_json(), {their_offer_step_}));
  TRY_STATUS(steps_.send(refusal));
  return agreed;
}

std::uint64_t Exchange::matches_received() const {
  std::set<std::size_t> received;
  for (const auto& [match, field] : opened_to_us_) received.insert(match);
  return received.size();
}

Status Exchange::receive_closing() {
  const std::string& peer = steps_.peer().name;
  TRY(const ReceivedStep closed, steps_.receive(kRevealClose, deadline_in(kRevealStepWait)));
  TRY_STATUS(closed.check_answers(our_offer_step_.leaf_hash, peer));
  TRY_STATUS(keep(kClosed, closed));
  const auto end = RevealEnd::from_json(closed.body);
  if (end && end->stopped.empty()) return {};
  return fail(Errc::protocol,
              fmt::format("All that was due was opened, and {} signs {}. That is on record as its break; nothing more "
                          "of this session is opened to it before somebody here consents anew.",
                          peer, end ? "that the reveal broke off" : "a closing that nobody can read"),
              peer);
}

Result<mirror::EntryView> Exchange::close(std::string_view stopped) {
  const std::uint64_t received = opened_to_us_.size();
  const RevealEnd end{.opened = sent_fields_,
                      .kept_back = ours_.size() - sent_fields_,
                      .missing = stopped == "them" && newly_unshown_ == 0 ? numbers_.they_open - received : 0,
                      .unshown = newly_unshown_,
                      .received = matches_received(),
                      .received_fields = received,
                      .stopped = std::string(stopped)};
  TRY(mirror::EntryView ours,
      steps_.write(kRevealClose, end.to_json(), {their_offer_step_}, [&](const mirror::EntryView& step) -> Status {
        return save(session_.row.state, stored_step(step));
      }));
  TRY_STATUS(steps_.send(ours));
  return ours;
}

Status Exchange::open_in_turn() {
  us_.progress.phase("opening in turn", turns());
  exchange_end_ = deadline_in(kOpeningsWait);
  for (std::uint64_t turn = 0; turn < turns(); ++turn) {
    if (us_.progress.cancelled()) return fail(Errc::cancelled, "Stopped. What both had opened until then stays.");
    if (we_begin_) TRY_STATUS(send_turn(turn));
    TRY_STATUS(receive_turn(turn));
    if (!we_begin_) TRY_STATUS(send_turn(turn));
    us_.progress.advance(turn + 1);
  }
  return {};
}

Result<Opening> Exchange::our_opening(const PlannedValue& value) const {
  const vault::SessionMatch& match = session_.matches[value.match];
  TRY(const CommittedPlace place, CommittedPlace::from_bytes(match.commitment));
  TRY(const ContextFields fields, committed_fields(match));
  return make_opening(match.indicator, commitments_->opening(place.position, place.index, fields), our_side_, our_size_,
                      with_marks(value.field, fields));
}

Status Exchange::check_still(std::size_t i) {
  TRY(const group::Membership membership, us_.membership_now());
  const Status fit = check_peer(membership);
  peer_out_ = !fit && fit.error().code == Errc::policy;
  TRY_STATUS(fit);
  stopped_here_ = true;  // whatever ends it from here on
  TRY_STATUS(check_group(membership));
  TRY(const std::vector<Consent> consents, our_consents());
  // Its numbers are not those that this goes by.
  if (consents != consents_)
    return fail(Errc::policy,
                "The consent was taken back or changed while the reveal went on. Nothing further was opened; what both "
                "had opened until then stays.");
  const std::span match(&session_.matches[ours_[i].match], 1);
  TRY(const std::vector<MatchNow> now, matches_now(us_.vault, session_.row.id, match));
  TRY(const RevealPlan made, plan(match, now, consents, let_out_by(membership)));
  if (std::ranges::find(made.values, ours_[i].field, &PlannedValue::field) == made.values.end())
    return fail(Errc::policy,
                "Marks or rules do not let the next field out any more. Nothing further was opened; what both had "
                "opened until then stays.");
  stopped_here_ = false;
  return {};
}

Status Exchange::send_turn(std::uint64_t turn) {
  if (turn >= numbers_.we_open) return {};
  TRY_STATUS(check_still(turn));
  // On record before it leaves: what we opened can only be counted too high.
  vault::SessionMatch& match = session_.matches[ours_[turn].match];
  TRY(const Opening opening, our_opening(ours_[turn]));
  TRY(const log::Json context, opened_context(opening));
  TRY(match.opened, with_more(match.opened, context));
  const bool gets_ahead = !ahead_ && sent_fields_ + 1 > opened_to_us_.size();
  const auto record = [&]() -> Status {
    if (gets_ahead) TRY_STATUS(note_ahead(us_.vault, session_.row.id));
    return us_.vault.update_matches(session_.row.id, std::span(&match, 1));
  };
  TRY_STATUS(us_.vault.together(record));
  ahead_ |= gets_ahead;
  ++sent_fields_;
  matches_opened_.insert(ours_[turn].match);
  const Bytes offered = write_offered({.index = turn, .path = our_tree_->path(turn), .text = write_opening(opening)});
  return steps_.link().send(wire::FrameType::opening, seal_ ? seal_->seal(our_label_, turn, offered) : offered);
}

Status Exchange::receive_turn(std::uint64_t turn) {
  if (turn >= numbers_.they_open) return {};
  TRY_STATUS(stopped_by_step());
  TRY(wire::Frame frame, steps_.link().receive(next_due()));
  if (frame.type != wire::FrameType::opening || frame.payload.size() > kMaxOfferedBytes + OpeningSeal::kOverheadBytes)
    return fail(Errc::protocol, "A frame arrived where an opening was due.", steps_.peer().name);
  if (seal_) {
    TRY(frame.payload, seal_->open(their_label_, turn, frame.payload));
  }
  TRY(const log::OfferedOpening offered, read_offered(frame.payload, turn));
  TRY(const std::size_t match, take(offered));
  if (match < session_.matches.size())
    return us_.vault.update_matches(session_.row.id, std::span(&session_.matches[match], 1));
  return keep_hits(us_.vault, session_.row.group, session_.row.id, hits_);
}

// One field that was offered, and the marks with it.
Status Exchange::check_opened(const Opening& opening) const {
  const std::string& peer = steps_.peer().name;
  TRY(const log::Json context, opened_context(opening));
  std::size_t fields = 0;
  for (const OpenedField& field : opening.fields) {
    const std::string_view path = kFieldPaths[field.field];
    if (is_mark(path)) continue;
    ++fields;
    if (std::ranges::find(their_offer_.fields, path) == their_offer_.fields.end())
      return fail(Errc::protocol, "The other side opened a field that it had not offered.", peer);
    if (value_rank(field.field) < last_rank_)
      return fail(Errc::protocol, "The other side opened a field after one that tells more.", peer);
  }
  if (!context.object()->contains("tlp") ||
      std::ranges::all_of(*context.object(), [](const auto& member) { return is_mark(member.first); }))
    return fail(Errc::protocol, "The other side opened an indicator without its TLP, or nothing but marks of it.",
                peer);
  if (fields != 1) return fail(Errc::protocol, "The other side opened more than one field at a time.", peer);
  return {};
}

Result<std::size_t> Exchange::take(const log::OfferedOpening& offered) {
  const std::string& peer = steps_.peer().name;
  if (!offered.is_in(their_offer_.openings_commitment, their_offer_.values))
    return fail(Errc::protocol, "What the other side opened is not what it had offered.", peer);
  TRY(const Opening opening, read_opening(offered.text));
  const auto found = match_by_indicator_.find(opening.indicator);
  if (found == match_by_indicator_.end())
    return fail(Errc::protocol, "The other side opened an indicator that did not match.", peer);
  TRY_STATUS(check_committed(offered, opening));
  TRY_STATUS(check_opened(opening));
  const auto field =
      std::ranges::find_if(opening.fields, [](const OpenedField& each) { return !is_mark(kFieldPaths[each.field]); });
  const std::size_t match = found->second;
  const std::pair opened(match, field->field);
  if (opened_to_us_.contains(opened)) return fail(Errc::protocol, "The other side opened a field twice.", peer);
  if (received_before_->has(place_of_[match], field->field))
    return fail(Errc::protocol,
                "The other side opened once more what we had signed to have received: it pays for nothing.", peer);
  last_rank_ = value_rank(field->field);
  TRY(const log::Json context, opened_context(opening));
  TRY(theirs_of(match), with_more(theirs_of(match), context));
  opened_to_us_.insert(opened);  // only now does it pay for what we open
  return match;
}

// --- what was not committed to --------------------------------------------------------------------------------------

Status Exchange::check_committed(const log::OfferedOpening& offered, const Opening& opening) {
  Status checked =
      check_opening(opening, session_.row.id, their_commitment_.items_root, their_commitment_.context_root);
  if (opening.side != their_side_ || opening.size != their_size_)
    checked = fail(Errc::protocol, "The other side opened something of another set than the one that it entered.",
                   steps_.peer().name);
  if (checked) return {};
  const auto kept = keep_evidence(offered);
  Error error = std::move(checked).error();
  if (kept && *kept)
    error.message +=
        fmt::format(" Its own signatures show that: parley session fault {} writes the evidence to a file.",
                    session_.row.id.substr(0, 8));
  return std::unexpected(std::move(error));
}

Result<bool> Exchange::keep_evidence(const log::OfferedOpening& offered) {
  TRY(const group::Membership membership, us_.membership_now());
  const std::string& peer = steps_.peer().nick;
  const group::CharterMember* member = membership.charter().member(peer);
  if (member == nullptr) return false;
  TRY(const Signed commit, signed_by_them(member->keys.log.name, their_commit_step_));
  TRY(const Signed offer, signed_by_them(member->keys.log.name, their_offer_step_));
  log::MemberKeys keys = member->keys;
  TRY_STATUS(mirror::load_rotations(us_.vault, session_.row.group, std::span(&keys, 1)));
  const auto fault = log::fault_of_opening(commit.note, commit.body, offer.note, offer.body, offered, keys);
  if (!fault) return false;
  TRY_STATUS(keep_bad_opening(us_.vault, session_.row.group, peer, session_.row.id, log::write_fault(*fault)));
  return true;
}

Result<Exchange::Signed> Exchange::signed_by_them(const std::string& origin, const Digest& leaf_hash) const {
  TRY(const auto seq, us_.vault.log_index(origin, leaf_hash));
  if (!seq) return fail(Errc::not_found, "A step of the other side is not in its log here.");
  TRY(const auto leaves, us_.vault.log_leaves(origin, *seq, 1));
  if (leaves.empty()) return fail(Errc::not_found, "A step of the other side is not in its log here.");
  TRY(const auto body, us_.vault.entry_body(leaf_hash));
  if (!body) return fail(Errc::not_found, "What a step of the other side says is not here any more.");
  return Signed{.note = leaves.front().note, .body = {.salt = body->salt, .text = std::string(as_text(body->content))}};
}

}  // namespace parley::session::detail
