// Before anything of its context is opened, each side shows that what matched was in the set that it had committed to
// (log.md 5.2 item 1; reveal.h).
#include <fmt/format.h>

#include <algorithm>

#include "session/detail/exchange.h"
#include "session/reveal_record.h"
#include "session/secrets.h"

namespace parley::session::detail {
namespace {

/// Of one side, until the other's turn comes: few enough that they lie in the buffers of a link.
constexpr std::size_t kAtOnce = 32;
constexpr auto kMatchesWait = std::chrono::hours(1);  // for all of them, as for the openings
/// Numbers of steps under the key of the pair, beyond those of the openings.
constexpr std::uint64_t kFirstMatchStep = std::uint64_t{1} << 31;

}  // namespace

Status Exchange::show_matches() {
  us_.progress.phase("showing matches", common_.size());
  exchange_end_ = deadline_in(kMatchesWait);
  for (std::size_t begin = 0; begin < common_.size(); begin += kAtOnce) {
    const std::size_t end = std::min(begin + kAtOnce, common_.size());
    if (we_call_) TRY_STATUS(send_matches(begin, end));
    TRY_STATUS(receive_matches(begin, end));
    if (!we_call_) TRY_STATUS(send_matches(begin, end));
    us_.progress.advance(end);
  }
  return note_unshown();
}

// A canary of ours that the other side holds is a match to it, and is shown like one.
Result<Opening> Exchange::our_match(std::size_t match) const {
  if (match >= session_.matches.size()) {
    const CanaryHit& hit = hits_[match - session_.matches.size()];
    const ItemOpening item{
        .index = hit.item_index, .salt = hit.item_salt, .items_path = hit.item_path, .context_path = {}, .fields = {}};
    return make_opening(hit.canary.canary.indicator, item, our_side_, hit.item_count, {});
  }
  const vault::SessionMatch& ours = session_.matches[match];
  TRY(const CommittedPlace place, CommittedPlace::from_bytes(ours.commitment));
  return make_opening(ours.indicator, commitments_->opening(place.position, place.index, empty_fields()), our_side_,
                      our_size_, {});
}

Status Exchange::send_matches(std::size_t begin, std::size_t end) {
  for (std::size_t place = begin; place < end; ++place) {
    TRY(const Opening opening, our_match(common_[place]));
    const std::string text = write_opening(opening);
    const Bytes payload = seal_ ? seal_->seal(our_label_, kFirstMatchStep + place, as_bytes(text)) : to_bytes(text);
    TRY_STATUS(steps_.link().send(wire::FrameType::opening, payload));
  }
  return {};
}

Status Exchange::receive_matches(std::size_t begin, std::size_t end) {
  for (std::size_t place = begin; place < end; ++place) {
    TRY_STATUS(stopped_by_step());
    TRY(const wire::Frame frame, steps_.link().receive(next_due()));
    if (frame.type != wire::FrameType::opening || frame.payload.size() > kMaxOpeningBytes + OpeningSeal::kOverheadBytes)
      return fail(Errc::protocol, "A frame arrived where a match was to be shown.", steps_.peer().name);
    TRY(const bool shown, shows_match(frame.payload, place));
    if (!shown) unshown_.insert(common_[place]);
  }
  return {};
}

// Whatever is wrong with it, the other side has not shown that it held the indicator.
Result<bool> Exchange::shows_match(ByteView payload, std::size_t place) const {
  if (payload.empty()) return false;
  Bytes text = to_bytes(payload);
  if (seal_) {
    TRY(text, seal_->open(their_label_, kFirstMatchStep + place, payload));
  }
  const auto opening = read_opening(as_text(text));
  if (!opening || !opening->fields.empty() || opening->side != their_side_ || opening->size != their_size_)
    return false;
  const auto known = match_by_indicator_.find(opening->indicator);
  return known != match_by_indicator_.end() && known->second == common_[place] &&
         check_opening(*opening, session_.row.id, their_commitment_.items_root, their_commitment_.context_root)
             .has_value();
}

const indicator::Canonical& Exchange::indicator_of(std::size_t match) const {
  const std::size_t own = session_.matches.size();
  return match < own ? session_.matches[match].indicator : hits_[match - own].canary.canary.indicator;
}

// A canary that is not shown counts like a match, or whoever holds matches back would see which of them are canaries.
Status Exchange::note_unshown() {
  std::set<indicator::Canonical> unshown;
  for (const std::size_t match : unshown_) unshown.insert(indicator_of(match));
  TRY(const std::set<indicator::Canonical> before, unshown_matches(us_.vault, session_.row.id));
  if (unshown == before) return {};
  TRY_STATUS(note_unshown_matches(us_.vault, session_.row.id, unshown));
  newly_unshown_ = static_cast<std::uint64_t>(
      std::ranges::count_if(unshown, [&](const indicator::Canonical& each) { return !before.contains(each); }));
  if (newly_unshown_ == 0) return {};
  return fail(
      Errc::protocol,
      fmt::format("{} does not show {} of the matches that it signed to be in the set that it had committed to. "
                  "They count as matches no more, and nothing was opened. parley reveal goes on with the rest.",
                  steps_.peer().name, newly_unshown_));
}

Status Exchange::stopped_by_step() {
  TRY(const wire::FrameType next, steps_.link().next_type(next_due()));
  if (next != wire::FrameType::step) return {};
  TRY(const ReceivedStep step, steps_.receive_any(deadline_in(kRevealStepWait)));
  if (step.type == kRevealRefuse && step.session == session_.row.id && sent_fields_ == 0) {
    TRY_STATUS(step.check_answers(our_offer_step_.leaf_hash, steps_.peer().name));
    declined_ = true;
    return fail(Errc::refused, "The other side saw both offers in numbers and does not open on these terms.",
                steps_.peer().name);
  }
  return fail(Errc::refused, "The other side stopped revealing.", steps_.peer().name);
}

}  // namespace parley::session::detail
