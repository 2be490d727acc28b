// What the entries of a session amount to (session_facts.h).
#include "ledger/detail/session_facts.h"

#include <fmt/format.h>

#include <algorithm>

namespace parley::ledger::detail {
namespace {

std::int64_t bounded(std::uint64_t value) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(value, kLargestSum));
}

std::optional<std::uint64_t> agreed_size(const Voice& voice) {
  if (voice.proposed) return voice.proposed->entered;
  if (voice.accepted) return voice.accepted->entered;
  return std::nullopt;
}

/// What of a session is known when both halves of the agreement are.
struct Agreement {
  const Proposed* question = nullptr;
  std::uint16_t suite = 0;
  bool we_ask = false;

  bool we_learn() const { return we_ask ? question->asker_learns : question->responder_learns; }
  bool they_learn() const { return we_ask ? question->responder_learns : question->asker_learns; }
  bool both_learn() const { return question->asker_learns && question->responder_learns; }
  bool we_receive() const { return we_ask == question->asker_receives; }
};

std::optional<Agreement> agreement_of(const Voice& ours, const Voice* theirs) {
  if (theirs == nullptr) return std::nullopt;
  if (ours.proposed && theirs->accepted) return Agreement{&*ours.proposed, theirs->accepted->suite, true};
  if (theirs->proposed && ours.accepted) return Agreement{&*theirs->proposed, ours.accepted->suite, false};
  return std::nullopt;
}

bool same_result(const Resulted& ours, const Resulted& theirs) {
  return ours.count == theirs.count && ours.root == theirs.root && ours.transcript == theirs.transcript;
}

std::int64_t stated_count(const Voice& voice) {
  return voice.resulted ? std::min(voice.resulted->count, kLargestSum) : -1;
}

/// What is said by both of a result that both learned, as far as both can be right.
Range stated_alike(const Voice& a, const Voice& b, std::int64_t full) {
  const std::int64_t least = std::clamp<std::int64_t>(std::min(stated_count(a), stated_count(b)), 0, full);
  const bool alike = stated_count(a) >= 0 && same_result(*a.resulted, *b.resulted);
  return alike ? Range{least, std::max(least, stated_count(a))} : Range{least, full};
}

/// Of a result that both learn: what they did. Ours was computed here: they learned no more, and perhaps did not come
/// so far. Without it, theirs is a claim.
Range they_learned(const Voice& ours, const Voice& theirs, std::int64_t full) {
  if (ours.resulted && theirs.resulted) return stated_alike(ours, theirs, full);
  if (const std::int64_t own = stated_count(ours); own >= 0) return {0, own};
  return {std::clamp<std::int64_t>(stated_count(theirs), 0, full), full};
}

Range we_learned(const Voice& ours, const Voice& theirs, std::int64_t full) {
  if (ours.resulted && theirs.resulted) return stated_alike(ours, theirs, full);
  const std::int64_t own = stated_count(ours);
  return own >= 0 ? Range{own, own} : Range{0, full};
}

std::string matches_text(const Resulted& result) {
  return result.count >= 0 ? fmt::format("{} matches", result.count)
                           : std::string(result.learned ? "learned" : "learned nothing");
}

constexpr const char* kAnsweredOnce = "a step that is answered once";

std::string closing_text(const Voice& voice) {
  if (!voice.closed) return "it did not close";
  return *voice.closed ? "the results are the same" : "the results differ";
}

std::string range_text(const Range& range) {
  return range.known == range.worst ? fmt::format("{}", range.known)
                                    : fmt::format("{} to {}", range.known, range.worst);
}

std::string settled_text(const Settled& settled) {
  return fmt::format("asker entered {} and learned {}, responder entered {} and learned {}", settled.asker_entered,
                     range_text(settled.asker_matches), settled.responder_entered,
                     range_text(settled.responder_matches));
}

std::string fields_text(bool as_opened, const OpeningsSaid& said) {
  if (!as_opened && !said.is_readable()) return "a closing that cannot be read";
  return as_opened ? fmt::format("{} fields opened", said.opened) : fmt::format("{} fields received", said.received);
}

bool can_both_be(const Range& a, const Range& b) {
  return a.known <= b.worst && b.known <= a.worst;
}

bool can_both_be(const Settled& a, const Settled& b) {
  return a.asker_entered == b.asker_entered && a.responder_entered == b.responder_entered &&
         can_both_be(a.asker_matches, b.asker_matches) && can_both_be(a.responder_matches, b.responder_matches);
}

/// Our run, or what our log would not have without one.
bool ran_here(const Voice& ours) {
  return ours.ran || ours.resulted || ours.offered;
}

/// And a result that they state of a session that we had agreed to: it cannot be, and if it is our log that has lost
/// something, it counts. Where our log has the end of it, the run that would stand before that is not lost; nor is one
/// of a session that goes on here and has not come to it.
bool is_charged(const Voice& ours, const Voice* theirs, bool not_run_yet) {
  if (ran_here(ours)) return true;
  const bool may_be_lost = (ours.proposed || ours.accepted) && !ours.aborted && !not_run_yet;
  return theirs != nullptr && theirs->resulted && may_be_lost;
}

/// By what our own log says: we closed a reveal in which something was opened.
bool says_that_both_offered(const Session& session) {
  return std::ranges::any_of(session.reveals, [](const Reveal& reveal) {
    return reveal.end && (reveal.end->opened > 0 || reveal.end->received_fields > 0);
  });
}

// A closing names the offer of ours that it ends. Which of its own offers it goes by is its affair: what else it wrote
// before or after must not part the two closings of one reveal.
/// Calls `take(ours, theirs)` for each reveal that both have closed.
template <typename Take>
void for_each_closed(const Session& session, const Take& take) {
  const Voice* theirs = session.theirs();
  if (theirs == nullptr) return;
  for (const Reveal& ours : session.reveals) {
    const Answer* answer = theirs->answer_to(ours.offer);
    if (ours.end && answer != nullptr && answer->end) take(ours, *answer);
  }
}

void add_agreed(Amounts::Agreed& agreed, const RevealClosed& opener, const RevealClosed& taker) {
  if (opener.opened < 0 || opener.opened != taker.received_fields) return;
  agreed.opened = sum(agreed.opened, std::min(opener.opened, kLargestSum));
  agreed.kept_back = sum(agreed.kept_back, bounded(opener.kept_back));
}

/// Whether the other side ended in the middle a reveal that ours has seen to its end: by its own word; or by its word
/// that we did, where by its own numbers nothing was lacking.
bool breaks_what_was_whole(const RevealClosed& ours, const RevealClosed& theirs) {
  if (ours.broken_off || !theirs.broken_off) return false;
  return !theirs.other_stopped || (theirs.received_fields == ours.opened && theirs.opened == ours.received_fields);
}

void add_what_is_agreed(const Session& session, Amounts& amounts) {
  for_each_closed(session, [&](const Reveal& ours, const Answer& theirs) {
    amounts.reveals_stopped += breaks_what_was_whole(*ours.end, *theirs.end) ? 1 : 0;
    if (theirs.closings > 1) return;
    add_agreed(amounts.by_us, *ours.end, *theirs.end);
    add_agreed(amounts.by_them, *theirs.end, *ours.end);
  });
}

}  // namespace

std::int64_t sum(std::int64_t a, std::int64_t b) {
  return std::min(a + b, kLargestSum);
}

void Voice::take(const Event& event) {
  first = heard ? std::min(first, event.time) : event.time;
  last = heard ? std::max(last, event.time) : event.time;
  heard = true;
  struct Taker {
    Voice& voice;
    UnixSeconds time;
    void operator()(const Proposed& fact) { voice.proposed = fact; }
    void operator()(const Accepted& fact) { voice.accepted = fact; }
    void operator()(const Refused&) {}
    void operator()(const Ran& fact) {
      voice.ran = std::max(voice.ran.value_or(0), fact.entered);
      voice.ran_at = std::max(voice.ran_at, time);
    }
    void operator()(const Resulted& fact) { voice.resulted = fact; }
    void operator()(const Closed& fact) { voice.closed = fact.agreed; }
    void operator()(const Aborted& fact) {
      voice.aborted = true;
      voice.other_failed = fact.other_failed;
    }
    void operator()(const RevealConsented&) {}
    void operator()(const RevealOffered& fact) { voice.take_offer(fact, time); }
    void operator()(const RevealClosed& fact) { voice.take_reveal_end(fact); }
    void operator()(const Settled& fact) { voice.settled = fact; }
  };
  std::visit(Taker{*this, event.time}, event.fact);
}

void Voice::take_offer(const RevealOffered& fact, UnixSeconds time) {
  offered = true;
  offered_at = std::max(offered_at, time);
  if (fact.was_unknown) --unknown_offers;
  if (fact.unknown) {
    ++unknown_offers;
    unknown_fields |= fact.fields;
    return;
  }
  const std::int64_t openings = bounded(fact.openings);
  for (std::size_t field = 0; field < kMostFields; ++field) {
    if ((fact.fields >> field & 1) == 0) continue;
    if (openings_by_field.size() <= field) openings_by_field.resize(field + 1);
    openings_by_field[field] = sum(openings_by_field[field], openings);
  }
  most_offered = std::max(most_offered, openings);
  offered_uncounted |= fact.values < 0;
  offered_fields = sum(offered_fields, std::clamp<std::int64_t>(fact.values, 0, kLargestSum));
}

void Voice::take_reveal_end(const RevealClosed& fact) {
  most_received = std::max(most_received, bounded(fact.received));
  most_received_fields = std::max(most_received_fields, fact.received_fields);
  reveals_stopped += fact.other_stopped ? 1 : 0;
  kept_back = sum(kept_back, bounded(fact.kept_back));
  missing = sum(missing, bounded(fact.missing));
}

const Answer* Voice::answer_to(const Digest& step) const {
  const auto found = std::ranges::lower_bound(answers, step, {}, &Answer::step);
  return found == answers.end() || found->step != step ? nullptr : &*found;
}

const Voice* Session::theirs() const {
  const auto found = std::ranges::find(others, with(), &Voice::author);
  return with() == kNobody || found == others.end() ? nullptr : &*found;
}

bool Session::take_ours(const Event& event) {
  ours.take(event);
  if (const auto* const end = std::get_if<RevealClosed>(&event.fact)) note_end(*end);
  const auto* const offer = std::get_if<RevealOffered>(&event.fact);
  if (offer != nullptr) note_offer(*offer);
  const auto* const consent = std::get_if<RevealConsented>(&event.fact);
  const bool is_new =
      (offer != nullptr && note_step(offer->entry)) || (consent != nullptr && note_step(consent->entry));
  return is_new && theirs() != nullptr && theirs()->answers_lost;
}

void Session::take_theirs(MemberNumber author, const Event& event) {
  auto voice = std::ranges::find(others, author, &Voice::author);
  if (voice == others.end()) {
    others.emplace_back().author = author;
    voice = others.end() - 1;
  }
  voice->take(event);
  const auto* const offer = std::get_if<RevealOffered>(&event.fact);
  if (offer != nullptr && !offer->was_unknown)
    if (Answer* const answer = answer_of(*voice, offer->answers)) ++answer->offers;
  const auto* const end = std::get_if<RevealClosed>(&event.fact);
  Answer* const answer = end == nullptr ? nullptr : answer_of(*voice, end->answers);
  if (answer == nullptr) return;
  ++answer->closings;
  if (!answer->end || end->place < answer->end->place) answer->end = *end;
}

bool Session::note_step(const Digest& step) {
  const auto place = std::ranges::lower_bound(steps, step);
  if (step == Digest{} || (place != steps.end() && *place == step)) return false;
  steps.insert(place, step);
  return true;
}

void Session::note_offer(const RevealOffered& fact) {
  const auto place = std::ranges::lower_bound(reveals, fact.place, {}, &Reveal::place);
  if (place == reveals.end() || place->place != fact.place)
    reveals.insert(place, {.place = fact.place, .offer = fact.entry});
}

void Session::note_end(const RevealClosed& fact) {
  const auto after = std::ranges::lower_bound(reveals, fact.place, {}, &Reveal::place);
  if (after == reveals.begin()) return;
  // Of two words about one reveal the first holds, whichever of them came here first.
  std::optional<RevealClosed>& end = std::prev(after)->end;
  if (!end || fact.place < end->place) end = fact;
}

/// Where what `voice` has in answer to `step` is kept; nullptr where it names no step, or none that it is kept for.
Answer* Session::answer_of(Voice& voice, const Digest& step) const {
  if (step == Digest{}) return nullptr;
  const auto place = std::ranges::lower_bound(voice.answers, step, {}, &Answer::step);
  if (place != voice.answers.end() && place->step == step) return &*place;
  if (!std::ranges::binary_search(steps, step)) {
    voice.answers_lost |= voice.early_answers == kMostEarlyAnswers;
    if (voice.answers_lost) return nullptr;
    ++voice.early_answers;
  }
  return &*voice.answers.insert(place, {.step = step});
}

Amounts amounts_of(const Session& session, bool theirs_may_lack, bool not_run_yet, const Tests& tests) {
  Amounts amounts;
  const Voice& ours = session.ours;
  const Voice* theirs = session.theirs();
  amounts.asked_by_us = ours.proposed.has_value();
  amounts.asked_by_them = theirs != nullptr && theirs->proposed.has_value();
  amounts.asked_at = ours.heard ? ours.first : theirs != nullptr ? theirs->first : 0;
  if (ours.proposed) amounts.types = ours.proposed->types;
  if (amounts.asked_by_them) amounts.types = theirs->proposed->types;
  amounts.charged = is_charged(ours, theirs, not_run_yet);
  amounts.charged_at = ours.ran ? ours.ran_at : ours.last;
  if (!amounts.charged) return amounts;

  const auto agreement = agreement_of(ours, theirs);
  // What they say that they entered was held against no cap where nothing ran here: it is not what counts.
  amounts.incomplete = !agreement || !ran_here(ours);
  // Nothing is opened before both have offered; what we offered since then may have left. Where their offer is not
  // here, our own log may say that there was one: a member that lost its disk can have lost it for everybody.
  const bool they_offered = (theirs != nullptr && theirs->offered) || says_that_both_offered(session);
  amounts.revealed = ours.offered && (they_offered || theirs_may_lack || amounts.incomplete);
  amounts.revealed_at = ours.offered_at;
  if (amounts.revealed) {
    amounts.unopenable = ours.missing;
    amounts.reveals_stopped = ours.reveals_stopped;
    for (const OpeningsSaid& said : openings_that_differ(session))
      if (said.by_us) amounts.denied = sum(amounts.denied, std::max<std::int64_t>(said.received - said.opened, 0));
    add_what_is_agreed(session, amounts);
  }

  amounts.our_entered = bounded(std::max(agreed_size(ours).value_or(0), ours.ran.value_or(0)));
  amounts.our_tests = amounts.our_entered;
  if (amounts.incomplete) return amounts;
  amounts.their_entered = bounded(*agreed_size(*theirs));
  amounts.their_tests = amounts.their_entered;
  std::int64_t& receiver = agreement->we_receive() ? amounts.our_tests : amounts.their_tests;
  receiver = std::max(receiver, tests(agreement->suite, static_cast<std::uint64_t>(receiver)));

  // By what either could test: a changed receiver can prove more matches than it entered, and both sides' ledgers are
  // to say the same.
  const std::int64_t full = std::min(amounts.our_tests, amounts.their_tests);
  const bool both = agreement->both_learn();
  if (agreement->they_learn()) amounts.match_in = both ? they_learned(ours, *theirs, full) : Range{0, full};
  if (agreement->we_learn()) amounts.match_out = both ? we_learned(ours, *theirs, full) : Range{0, full};
  const bool they_ended = theirs->aborted || ours.other_failed || ours.resulted;
  amounts.abort_after_learn = agreement->they_learn() && !theirs->resulted && they_ended;
  return amounts;
}

Range opened(const Voice& opener, const Voice& taker, std::int64_t matches, std::int64_t kept_back, std::int64_t agreed,
             const std::function<std::int64_t(std::size_t field)>& weight) {
  Range range;
  std::int64_t least_weight = kLargestSum, most_weight = 1;
  const FieldSet unknown = opener.unknown_offers > 0 ? opener.unknown_fields : 0;
  for (std::size_t field = 0; field < kMostFields; ++field) {
    const std::int64_t told = field < opener.openings_by_field.size() ? opener.openings_by_field[field] : 0;
    const std::int64_t openings = (unknown >> field & 1) != 0 ? matches : std::min(told, matches);
    if (openings == 0) continue;
    range.worst =
        sum(range.worst, std::min(openings, kLargestSum / std::max<std::int64_t>(weight(field), 1)) * weight(field));
    least_weight = std::min(least_weight, weight(field));
    most_weight = std::max(most_weight, weight(field));
  }
  const auto weight_of = [&](std::int64_t fields) { return std::min(fields, kLargestSum / most_weight) * most_weight; };
  if (!opener.offered_uncounted && unknown == 0)
    range.worst = std::min(range.worst, weight_of(std::max(opener.offered_fields - kept_back, agreed)));
  if (range.worst == 0) return range;
  // Where fields were counted, they are what is known; else one for each opening.
  const std::int64_t confirmed = std::max({std::min({taker.most_received, opener.most_offered, matches}),
                                           std::min(taker.most_received_fields, kLargestSum), agreed});
  range.known =
      std::min(confirmed * std::min(least_weight, kLargestSum / std::max<std::int64_t>(confirmed, 1)), range.worst);
  return range;
}

std::vector<OpeningsSaid> openings_that_differ(const Session& session) {
  std::vector<OpeningsSaid> differing;
  const auto compare = [&](bool by_us, const RevealClosed& opener, const RevealClosed& taker) {
    if (opener.opened < 0 || taker.received_fields < 0 || opener.opened == taker.received_fields) return;
    differing.push_back({.by_us = by_us,
                         .opened = opener.opened,
                         .received = taker.received_fields,
                         .broken_off = opener.broken_off || taker.broken_off,
                         .returned = std::min(opener.received_fields, taker.opened)});
  };
  for_each_closed(session, [&](const Reveal& ours, const Answer& theirs) {
    if (theirs.end->unreadable && ours.end->opened >= 0)
      differing.push_back({.by_us = true, .opened = ours.end->opened, .received = -1});
    compare(true, *ours.end, *theirs.end);
    compare(false, *theirs.end, *ours.end);
  });
  return differing;
}

std::optional<Settled> settlement_of(const Session& session, const Amounts& amounts) {
  if (!amounts.charged || amounts.incomplete) return std::nullopt;
  const bool we_asked = session.ours.proposed.has_value();
  const auto ours = static_cast<std::uint64_t>(amounts.our_entered);
  const auto theirs = static_cast<std::uint64_t>(amounts.their_entered);
  return Settled{.asker_entered = we_asked ? ours : theirs,
                 .responder_entered = we_asked ? theirs : ours,
                 .asker_matches = we_asked ? amounts.match_out : amounts.match_in,
                 .responder_matches = we_asked ? amounts.match_in : amounts.match_out};
}

std::vector<Dispute> disputes_of(const Session& session, const Amounts& amounts) {
  std::vector<Dispute> disputes;
  const Voice& ours = session.ours;
  const Voice* theirs = session.theirs();
  if (theirs == nullptr || !ours.heard) return disputes;
  const auto differ = [&](Difference what, std::string our_version, std::string their_version) {
    disputes.push_back({.session = session.id,
                        .peer = {},
                        .what = what,
                        .ours = std::move(our_version),
                        .theirs = std::move(their_version)});
  };
  const auto agreed = agreed_size(*theirs);
  if (theirs->ran && agreed && *theirs->ran != *agreed)
    differ(Difference::sizes, fmt::format("{} agreed on", *agreed), fmt::format("{} entered", *theirs->ran));
  if (theirs->resulted && !ours.ran) differ(Difference::ran, "it did not run", matches_text(*theirs->resulted));
  if (ours.resulted && theirs->resulted && !same_result(*ours.resulted, *theirs->resulted))
    differ(Difference::results, matches_text(*ours.resulted), matches_text(*theirs->resulted));
  else if (!ours.closed.value_or(true) || !theirs->closed.value_or(true))
    differ(Difference::closing, closing_text(ours), closing_text(*theirs));
  const auto settled = ours.settled ? ours.settled : settlement_of(session, amounts);
  if (settled && theirs->settled && !can_both_be(*settled, *theirs->settled))
    differ(Difference::settlement, settled_text(*settled), settled_text(*theirs->settled));
  for (const OpeningsSaid& said : openings_that_differ(session))
    if (said.cannot_both_be())
      differ(Difference::openings, fields_text(said.by_us, said), fields_text(!said.by_us, said));
  for (const Answer& answer : theirs->answers) {
    if (!std::ranges::binary_search(session.steps, answer.step)) continue;
    if (answer.offers > 1) differ(Difference::answers, kAnsweredOnce, fmt::format("{} offers to it", answer.offers));
    if (answer.closings > 1)
      differ(Difference::answers, kAnsweredOnce, fmt::format("{} closings of it", answer.closings));
  }
  return disputes;
}

}  // namespace parley::ledger::detail
