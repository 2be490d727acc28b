// I4 while sessions are held: what is charged, disclosed and opened, and when it may be.
#include <fmt/format.h>

#include <algorithm>

#include "session/step.h"
#include "sim/node.h"
#include "sim/observer.h"
#include "sim/world.h"

namespace parley::sim {

void Observer::proposed(const std::string& session, std::size_t asker, std::size_t responder) {
  sessions_.emplace(session, std::pair(asker, responder));
}

void Observer::charged(std::size_t node, const std::string& session) {
  if (!world_.is_honest(node)) return;
  const auto says = [&](std::string_view when) {
    violated("I4", fmt::format("{} charges session {} {}.", world_.nick(node), session.substr(0, 8), when));
  };
  if (world_.node(node)->is_paused()) says("while its operator has paused the group");
  const UnixSeconds latest = std::max(world_.clock_of(node), world_.node(node)->disk().latest());
  if (latest >= world_.charter().charter.sessions_end()) says("after the end of the operation");
}

void Observer::runs_again(std::size_t node, const std::string& session) {
  if (disclosed_.contains({session, node}))
    violated("I4", fmt::format("{} discloses in session {} a second time.", world_.nick(node), session.substr(0, 8)));
}

void Observer::clock_jumped(std::size_t node, std::int64_t seconds) {
  // By less, several times, is no day within what a simulation lasts.
  if (seconds > group::kSecondsPerDay / 2) seen_[node].jumps.emplace_back(world_.now(), seconds);
}

bool Observer::counts_since(std::size_t node, Time since) const {
  return std::ranges::none_of(seen_[node].jumps, [&](const auto& jump) { return jump.first >= since; });
}

/// I4: nothing that can disclose leaves before it is charged, before both run entries are durable here, and before the
/// other side has said that it holds ours. It leaves once, and no more of it than the charter lets leave.
void Observer::discloses(const Disclosure& disclosure) {
  const std::size_t from = disclosure.from, to = disclosure.to;
  if (!world_.is_honest(from)) return;
  ++world_.report().disclosures;
  const Disk& disk = world_.node(from)->disk();
  const std::string& session = disclosure.session;
  const auto says = [&](std::string_view what) {
    violated("I4", fmt::format("{} discloses to {} in session {} {}.", world_.nick(from), world_.nick(to),
                               session.substr(0, 8), what));
  };
  const auto has_taken = [&](std::size_t who, std::string_view type) {
    const auto& steps = disk.rows(world_.keys()[who].log.name).steps;
    return steps.contains({world_.nick(who), session, std::string(type)});
  };
  if (!disclosed_.emplace(session, from).second) return says("a second time");
  if (!disk.is_durable() && !disk.lies()) return says("what is not on its disk");
  if (!has_taken(from, log::kSessionRun)) return says("without a run entry of its own");
  if (!has_taken(to, log::kSessionRun)) return says("without the other's run entry");
  for (const std::size_t who : {from, to}) {
    const auto& steps = disk.rows(world_.keys()[who].log.name).steps;
    const auto commit = steps.find({world_.nick(who), session, std::string(log::kSessionCommit)});
    if (commit == steps.end() || commit->second > steps.at({world_.nick(who), session, std::string(log::kSessionRun)}))
      return says("before both have committed to what they enter");
  }
  const StoredSession* stored = disk.session(session);
  if (stored == nullptr || stored->row.state != session::kRunning) return says("without having charged it");
  const auto& steps = disk.rows(world_.keys()[from].log.name).steps;
  const std::uint64_t run = steps.at({world_.nick(from), session, std::string(log::kSessionRun)});
  if (world_.is_honest(to) && seen_[to].acknowledged[from] <= run && !seen_[to].went_back)
    return says("before the other side holds the run entry");
  auto spending = spending_of(disclosure);
  if (!spending) return says("without an agreement on its size");
  const auto their_run =
      disk.said(world_.keys()[to].log.name, log::StepKey{world_.nick(to), session, std::string(log::kSessionRun)});
  if (!their_run || their_run->object()->at("probe_items") != log::Json(spending->theirs))
    return says("to one that enters another number of items than was agreed on");
  check_caps(*spending);
  spent_.push_back(*std::move(spending));
}

/// I4 of reveals: a field leaves after both offers, which bind it, are durable here and the other side holds ours; no
/// more fields than were offered; and the ledger has counted it before.
void Observer::opens(const Opening& opening) {
  const std::size_t from = opening.from, to = opening.to;
  if (!world_.is_honest(from)) return;
  ++world_.report().openings;
  const Disk& disk = world_.node(from)->disk();
  const auto says = [&](std::string_view what) {
    violated("I4", fmt::format("{} opens a field to {} in session {} {}.", world_.nick(from), world_.nick(to),
                               opening.session.substr(0, 8), what));
  };
  if (!disk.is_durable() && !disk.lies()) return says("while something is not on its disk");
  const auto ours = disk.said(world_.keys()[from].log.name, opening.our_offer);
  const auto theirs = disk.said(world_.keys()[to].log.name, opening.their_offer);
  if (!ours || !session::RevealOffer::from_json(*ours)) return says("without an offer of its own");
  if (!theirs || !session::RevealOffer::from_json(*theirs)) return says("without the other's offer");
  const auto& places = disk.rows(world_.keys()[from].log.name).places;
  if (world_.is_honest(to) && !seen_[to].went_back && seen_[to].acknowledged[from] <= places.at(opening.our_offer))
    return says("before the other side holds its offer");
  const std::uint64_t in_session = ++opened_in_[{opening.session, from}];
  if (in_session > opening.offered || opening.offered != session::RevealOffer::from_json(*ours)->values)
    return says("beyond what it offered");
  if (const std::int64_t all = ++opened_[{from, to}]; all > opening.counted && !seen_[from].risky)
    says(fmt::format("that its ledger does not count: {} have left, and it says at most {}", all, opening.counted));
}

/// By the proposal and the acceptance, as they lie on the disk of whoever discloses.
std::optional<Observer::Spending> Observer::spending_of(const Disclosure& disclosure) const {
  const Disk& disk = world_.node(disclosure.from)->disk();
  const std::size_t responder = disclosure.asker == disclosure.from ? disclosure.to : disclosure.from;
  const auto proposed = disk.said(world_.keys()[disclosure.asker].log.name, disclosure.proposal);
  const auto accepted =
      disk.said(world_.keys()[responder].log.name,
                log::StepKey{world_.nick(responder), disclosure.session, std::string(log::kSessionAccept)});
  if (!proposed || !accepted) return std::nullopt;
  const auto proposal = session::Proposal::from_json(*proposed);
  const auto acceptance = session::Acceptance::from_json(*accepted);
  if (!proposal || !acceptance) return std::nullopt;
  Spending spending{.disclosure = disclosure,
                    .types = proposal->question.types,
                    .function = proposal->question.function,
                    .ours = static_cast<std::int64_t>(proposal->padded),
                    .theirs = static_cast<std::int64_t>(acceptance->padded)};
  spending.they_learn = proposal->question.responder_learns();
  if (responder != disclosure.from) return spending;
  std::swap(spending.ours, spending.theirs);
  spending.they_learn = proposal->question.asker_learns();
  return spending;
}

/// All that one member has disclosed stays under the caps of the charter. After a jump of its clock its windows are
/// others.
void Observer::check_caps(const Spending& now) {
  const std::size_t from = now.disclosure.from;
  if (seen_[from].risky || !counts_since(from, now.disclosure.began)) return;
  for (const indicator::Type type : now.types) {
    const group::AllowedQuestion* allowed = world_.charter().charter.question(type, now.function);
    const auto too_much = [&](std::string_view what) {
      violated("I4", fmt::format("{} discloses to {} in session {}, and {} than the charter allows.", world_.nick(from),
                                 world_.nick(now.disclosure.to), now.disclosure.session.substr(0, 8), what));
    };
    if (allowed == nullptr) return too_much("asks for other things");
    std::int64_t sessions = 1, theirs = now.theirs, ours = now.ours, group = now.theirs;
    for (const Spending& before : spent_) {
      if (before.disclosure.from != from || std::ranges::find(before.types, type) == before.types.end() ||
          !counts_since(from, before.disclosure.began))
        continue;
      group += before.theirs;
      if (before.disclosure.to != now.disclosure.to) continue;
      theirs += before.theirs;
      ours += before.ours;
      ++sessions;
    }
    const group::Caps& caps = allowed->caps;
    if (std::max(now.theirs, now.ours) > caps.items_per_session) return too_much("more enters it");
    if (sessions > caps.sessions_per_day) return too_much("it is one session more in a day");
    if (std::max(theirs, ours) > caps.probe_items_30d) return too_much("more has been entered");
    if (group > caps.probe_items_group_30d) return too_much("more has been entered by all");
  }
}

}  // namespace parley::sim
