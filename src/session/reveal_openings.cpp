// How a reveal is carried out: one field at a time in turn, and how it ended (reveal.h).
#include <algorithm>

#include "session/detail/exchange.h"

namespace parley::session::detail {
namespace {

constexpr auto kOpeningsWait = std::chrono::hours(1);  // for all of them (log.md 5.2)
constexpr auto kClosingWait = std::chrono::seconds(10);

// What is on record as opened is never less than what was: `more` added to the PJ1 object `known`, which may be "".
Result<std::string> with_more(const std::string& known, const log::Json& more) {
  if (known.empty()) return log::write_pjson(more);
  TRY(const log::Json before, log::parse_pjson(known, 2 * kFieldPaths.size() * kMaxFieldBytes));
  log::Json::Object all = *more.object();
  for (const auto& [path, value] : *before.object()) all.emplace(path, value);
  return log::write_pjson(std::move(all));
}

// Whether an exchange that ended so was ended by the other side, as far as we can tell.
bool theirs_to_answer_for(Errc code) {
  return code == Errc::peer_gone || code == Errc::refused || code == Errc::protocol || code == Errc::format ||
         code == Errc::limit;
}

}  // namespace

// --- openings -------------------------------------------------------------------------------------------------------

Result<RevealOutcome> Exchange::exchange() {
  if (auto opened = open_in_turn(); !opened) {
    // Who stopped, and how far both were, goes on record; nobody is ahead by more than a field.
    (void)close(theirs_to_answer_for(opened.error().code) && !us_.progress.cancelled() ? "them" : "us");
    return std::unexpected(std::move(opened).error());
  }
  TRY_STATUS(use_up_consent(us_.vault, session_.row.id));
  session_.row.state = kClosed;
  TRY(const mirror::EntryView ours, close({}));
  TRY(const ReceivedStep closed, steps_.receive(kRevealClose, deadline_in(kRevealStepWait)));
  TRY_STATUS(keep(kClosed, closed));
  (void)steps_.link().await_held(ours, deadline_in(kClosingWait));
  (void)steps_.link().keep();
  std::set<std::size_t> received;
  for (const auto& [match, field] : opened_to_us_) received.insert(match);
  return RevealOutcome{
      .waiting = false, .opened = our_offer_.openings, .received = received.size(), .sealed = seal_.has_value()};
}

Result<mirror::EntryView> Exchange::close(std::string_view stopped) {
  std::set<std::size_t> received;
  for (const auto& [match, field] : opened_to_us_) received.insert(match);
  const RevealEnd end{.opened = sent_fields_,
                      .received = received.size(),
                      .received_fields = opened_to_us_.size(),
                      .stopped = std::string(stopped)};
  TRY(mirror::EntryView ours, write(session_.row.state, kRevealClose, end.to_json(), {}));
  TRY_STATUS(steps_.send(ours));
  return ours;
}

Status Exchange::open_in_turn() {
  us_.progress.phase("opening in turn", turns());
  openings_end_ = deadline_in(kOpeningsWait);
  for (std::uint64_t turn = 0; turn < turns(); ++turn) {
    if (us_.progress.cancelled()) return fail(Errc::cancelled, "Stopped. What both had opened until then stays.");
    if (we_begin_) {
      TRY_STATUS(send_turn(turn));
      TRY_STATUS(receive_turn(turn));
    } else {
      TRY_STATUS(receive_turn(turn));
      TRY_STATUS(send_turn(turn));
    }
    us_.progress.advance(turn + 1);
  }
  return check_salts();
}

Status Exchange::send_turn(std::uint64_t turn) {
  const std::uint64_t begin = turn_begins(turn, ours_.size()), end = turn_begins(turn + 1, ours_.size());
  for (std::uint64_t i = begin; i < end; ++i) {
    // On record before it leaves: what we opened can only be counted too high.
    vault::SessionMatch& match = session_.matches[our_match_[i]];
    TRY(const Opening opening, read_opening(ours_[i]));
    TRY(const log::Json context, opened_context(opening));
    TRY(match.opened, with_more(match.opened, context));
    TRY_STATUS(us_.vault.update_matches(session_.row.id, std::span(&match, 1)));
    ++sent_fields_;
    const Bytes payload = seal_ ? seal_->seal(our_label_, i, as_bytes(ours_[i])) : to_bytes(ours_[i]);
    TRY_STATUS(steps_.link().send(wire::FrameType::opening, payload));
  }
  return {};
}

Status Exchange::receive_turn(std::uint64_t turn) {
  const std::uint64_t begin = turn_begins(turn, their_offer_.values), end = turn_begins(turn + 1, their_offer_.values);
  for (std::uint64_t i = begin; i < end; ++i) {
    TRY(const wire::Frame frame, steps_.link().receive(std::min(deadline_in(kRevealStepWait), openings_end_)));
    if (frame.type == wire::FrameType::step)
      return fail(Errc::refused, "The other side stopped revealing.", steps_.peer().name);
    if (frame.type != wire::FrameType::opening || frame.payload.size() > kMaxOpeningBytes + OpeningSeal::kOverheadBytes)
      return fail(Errc::protocol, "A frame arrived where an opening was due.", steps_.peer().name);
    Bytes text = frame.payload;
    if (seal_) {
      TRY(text, seal_->open(their_label_, i, frame.payload));
    }
    TRY(const std::size_t match, take(as_text(text)));
    if (match < session_.matches.size())
      TRY_STATUS(us_.vault.update_matches(session_.row.id, std::span(&session_.matches[match], 1)));
    else
      TRY_STATUS(keep_hits(us_.vault, session_.row.group, steps_.peer().nick, session_.row.id, hits_));
  }
  return {};
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

Result<std::size_t> Exchange::take(std::string_view text) {
  TRY(const Opening opening, read_opening(text));
  const auto found = match_by_indicator_.find(opening.indicator);
  if (found == match_by_indicator_.end())
    return fail(Errc::protocol, "The other side opened an indicator that did not match.", steps_.peer().name);
  TRY_STATUS(check_opening(their_label_, opening.indicator, opening.index, opening.salt, opening.items_path,
                           opening.context_path, opening.commitments, opening.fields, their_commitment_.items_root,
                           their_commitment_.context_root, their_size_));
  TRY_STATUS(check_opened(opening));
  const auto field =
      std::ranges::find_if(opening.fields, [](const OpenedField& each) { return !is_mark(kFieldPaths[each.field]); });
  const std::size_t match = found->second;
  if (!opened_to_us_.emplace(match, field->field).second)
    return fail(Errc::protocol, "The other side opened a field twice.", steps_.peer().name);
  last_rank_ = value_rank(field->field);
  TRY(const log::Json context, opened_context(opening));
  TRY(theirs_of(match), with_more(theirs_of(match), context));
  received_.add(text);
  return match;
}

// Both show that what they opened is what they had offered, all of it and nothing else.
Status Exchange::check_salts() {
  TRY_STATUS(steps_.link().send(wire::FrameType::opening, our_salt_));
  TRY(const wire::Frame frame, steps_.link().receive(deadline_in(kRevealStepWait)));
  ByteArray<32> salt{};
  if (frame.type != wire::FrameType::opening || frame.payload.size() != salt.size())
    return fail(Errc::protocol, "The other side did not open its offer.", steps_.peer().name);
  std::ranges::copy(frame.payload, salt.begin());
  if (received_.finish(their_label_, salt) != their_offer_.openings_commitment)
    return fail(Errc::protocol, "What the other side opened is not what it had offered.", steps_.peer().name);
  return {};
}

}  // namespace parley::session::detail
