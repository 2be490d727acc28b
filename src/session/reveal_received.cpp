// How each side of a reveal says what it has received already, before either is bound to an offer (reveal.h).
#include <algorithm>

#include "session/detail/exchange.h"

namespace parley::session::detail {
namespace {

/// Of a list, in one frame.
constexpr std::size_t kListBytesAtOnce = std::size_t{1} << 19;

}  // namespace

Status Exchange::find_common() {
  TRY(session_.matches, us_.vault.session_matches(session_.row.id));  // as they stand now that nobody else writes them
  TRY(hits_, hits_of(us_.vault, session_.row.id));
  for (const vault::SessionMatch& match : session_.matches)
    match_by_indicator_.emplace(match.indicator, match_by_indicator_.size());
  for (const CanaryHit& hit : hits_)
    match_by_indicator_.emplace(hit.canary.canary.indicator, match_by_indicator_.size());
  place_of_.resize(match_by_indicator_.size());
  for (const auto& [indicator, match] : match_by_indicator_) {
    place_of_[match] = common_.size();
    common_.push_back(match);
  }
  ReceivedList ours(common_.size());
  for (const std::size_t match : common_) {
    TRY(const std::vector<std::size_t> fields, fields_of_context(theirs_of(match)));
    for (const std::size_t field : fields) ours.add(place_of_[match], field);
  }
  received_before_ = std::move(ours);
  return {};
}

Status Exchange::send_list() {
  for (ByteView left = received_before_->bytes(); !left.empty();) {
    const ByteView part = left.first(std::min(left.size(), kListBytesAtOnce));
    TRY_STATUS(steps_.link().send(wire::FrameType::opening, part));
    left = left.subspan(part.size());
  }
  return {};
}

// It says only what this side opened; still, whoever claims more learns from what is left which of it we hold. So that
// has a price: see carry_out().
Status Exchange::receive_list(const Digest& signed_hash) {
  const std::string& peer = steps_.peer().name;
  const std::size_t size = ReceivedList::bytes_for(common_.size());
  const Deadline deadline = deadline_in(kRevealStepWait);
  Bytes bytes;
  while (bytes.size() < size) {
    TRY(const wire::Frame frame, steps_.link().receive(deadline));
    if (frame.type != wire::FrameType::opening || frame.payload.empty() || frame.payload.size() > size - bytes.size())
      return fail(Errc::protocol, "The list of what the other side has received is not one of this session's matches.",
                  peer);
    append(bytes, frame.payload);
  }
  auto list = ReceivedList::read(common_.size(), std::move(bytes));
  if (!list) return std::unexpected(std::move(list).error().at(peer));
  if (list->hash(their_label_) != signed_hash)
    return fail(Errc::protocol, "The other side says that it has received something else than it signed.", peer);
  for (const std::size_t match : common_) {
    std::vector<std::size_t> opened;
    if (match < session_.matches.size()) {
      TRY(opened, fields_of_context(session_.matches[match].opened));
    }
    for (const std::string_view path : kFieldsByValue) {
      const std::size_t field = *field_index(path);
      claims_more_ |= list->has(place_of_[match], field) && std::ranges::find(opened, field) == opened.end();
    }
  }
  they_have_ = *std::move(list);
  return {};
}

// What the other side says to hold is as good as opened to it. What was opened to it before and is lost there was paid
// for, and is on record: where we offer nothing else, it goes out for nothing.
Status Exchange::leave_out_what_they_have(RevealPlan& made) {
  const bool could_open = !made.values.empty();
  std::erase_if(made.values,
                [&](const PlannedValue& value) { return they_have_->has(place_of_[value.match], value.field); });
  std::set<std::size_t> matches;
  only_again_ = !made.values.empty();
  for (const PlannedValue& value : made.values) {
    matches.insert(value.match);
    TRY(const std::vector<std::size_t> opened, fields_of_context(session_.matches[value.match].opened));
    only_again_ &= std::ranges::find(opened, value.field) != opened.end();
  }
  all_is_there_ = could_open && made.values.empty();
  made.preview.openings = matches.size();
  made.preview.values = made.values.size();
  return {};
}

// Whoever claims what by our record was never opened to it, and then goes without a field of ours or with what it had,
// has seen how much of the rest we hold: an operator says whether it may look again.
Result<RevealOutcome> Exchange::carry_out(const std::function<Status()>& offers) {
  auto outcome = [&]() -> Result<RevealOutcome> {
    TRY_STATUS(offers());
    return exchange();
  }();
  if (claims_more_ && (!outcome || ours_.empty() || only_again_)) TRY_STATUS(end_consents(us_.vault, session_.row.id));
  return outcome;
}

}  // namespace parley::session::detail
