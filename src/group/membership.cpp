// What a charter permits at a time (membership.h).
#include "group/membership.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "log/quorum.h"

namespace parley::group {
namespace {

std::string clause_of(const AllowedQuestion& allowed, std::string_view cap) {
  return fmt::format("questions: {} {}: {}", indicator::name_of(allowed.type), name_of(allowed.function), cap);
}

bool goes_on_in_grace(Act act) {
  return act == Act::finding || act == Act::dissent || act == Act::settle || act == Act::leave;
}

}  // namespace

std::string_view name_of(Phase phase) {
  switch (phase) {
    case Phase::forming:
      return "forming";
    case Phase::waiting:
      return "not begun";
    case Phase::open:
      return "open";
    case Phase::grace:
      return "over, in its days of grace";
    case Phase::over:
      return "over";
    case Phase::withdrawn:
      return "withdrawn from";
    case Phase::expelled:
      return "expelled from";
    case Phase::alone:
      return "left by everybody else";
  }
  std::unreachable();
}

std::string_view name_of(Act act) {
  switch (act) {
    case Act::question:
      return "a question";
    case Act::reveal:
      return "a reveal";
    case Act::amend:
      return "an amendment";
    case Act::finding:
      return "a finding";
    case Act::dissent:
      return "a dissent";
    case Act::settle:
      return "settling the ledger";
    case Act::leave:
      return "leaving";
  }
  std::unreachable();
}

Membership::Membership(vault::GroupRow group, std::vector<SignedCharter> versions,
                       std::set<std::string, std::less<>> left, LocalPolicy policy, const log::VerifierKey& own_id)
    : group_(std::move(group)),
      versions_(std::move(versions)),
      left_(std::move(left)),
      policy_(std::move(policy)),
      own_id_(own_id) {}

const SignedCharter* Membership::newest_naming_us() const {
  const auto newest = std::ranges::find_if(versions_.rbegin(), versions_.rend(), [&](const SignedCharter& version) {
    return version.charter.member_by_id(own_id_) != nullptr;
  });
  return newest == versions_.rend() ? nullptr : &*newest;
}

Result<Leave> Membership::admit_leave(std::string_view note) const {
  TRY(Leave leave, read_leave(note, versions_));
  const auto named = std::ranges::find(versions_, leave.charter, &SignedCharter::hash);
  const log::VerifierKey& id = named->charter.member(leave.nick)->id;
  const bool stayed = std::all_of(named, versions_.end(), [&](const SignedCharter& version) {
    const CharterMember* member = version.charter.member(leave.nick);
    return member != nullptr && member->id == id;
  });
  // Else who was let in again would have left before that, and no reader would take the version that let it in.
  if (!stayed)
    return fail(Errc::signature, fmt::format("{} withdraws under version {} of the charter, and has been taken off the "
                                             "list since.",
                                             leave.nick, named->charter.seq));
  return leave;
}

std::vector<const CharterMember*> Membership::current_members() const {
  std::vector<const CharterMember*> members;
  for (const CharterMember& member : charter().members)
    if (!has_left(member.keys.nick)) members.push_back(&member);
  return members;
}

std::size_t Membership::log_quorum() const {
  return log_quorum_after(charter().log_quorum, charter().members.size(), current_members().size());
}

std::size_t Membership::finding_quorum() const {
  return finding_quorum_after(charter().finding_quorum, current_members().size());
}

UnixSeconds Membership::sessions_end() const {
  const UnixSeconds by_charter = charter().sessions_end();
  return policy_.not_after ? std::min(by_charter, *policy_.not_after) : by_charter;
}

Phase Membership::phase_at(UnixSeconds now) const {
  now = std::max(now, group_.latest);
  if (group_.state == kWithdrawn) return Phase::withdrawn;
  const CharterMember* us = ourselves();
  if (us == nullptr) return group_.state == kForming ? Phase::forming : Phase::expelled;
  if (has_left(us->keys.nick)) return Phase::withdrawn;
  if (group_.state == kClosed || now >= charter().grace_ends()) return Phase::over;
  if (group_.state == kEnded || now >= charter().sessions_end()) return Phase::grace;
  if (current_members().size() < kFewestMembers) return Phase::alone;
  return now < charter().not_before ? Phase::waiting : Phase::open;
}

std::unexpected<Error> Membership::refuse(std::string clause, std::string why) const {
  return fail(Errc::policy, fmt::format("The charter of {} (version {}) refuses this by its clause \"{}\": {}",
                                        visible(charter().name), charter().seq, clause, why));
}

std::unexpected<Error> Membership::refuse_by_policy(std::string why) const {
  return fail(Errc::policy, fmt::format("Your own policy in {} refuses this: {}", visible(group_.name), why));
}

std::unexpected<Error> Membership::refuse_for_phase(Act act, Phase phase) const {
  switch (phase) {
    case Phase::waiting:
      return refuse("not_before", fmt::format("it begins at {}.", to_rfc3339(charter().not_before)));
    case Phase::grace:
      return refuse("not_after", fmt::format("it ended at {} by clocks that may be {} s apart; until {} only findings, "
                                             "dissent, settling and leaving go on, not {}.",
                                             to_rfc3339(charter().not_after), charter().clock_skew_seconds,
                                             to_rfc3339(charter().grace_ends()), name_of(act)));
    case Phase::over:
      return refuse("grace_days", fmt::format("it is over since {}.", to_rfc3339(charter().grace_ends())));
    case Phase::forming:
      return refuse("members", "you are not a member yet.");
    case Phase::withdrawn:
      return refuse("members", "you have withdrawn from it.");
    case Phase::expelled:
      return refuse("members", "you are no longer a member.");
    default:
      return refuse("members", "everybody else has left, and one is no group.");
  }
}

Status Membership::check(Act act, UnixSeconds now) const {
  const Phase phase = phase_at(now);
  const bool in_time = phase == Phase::open || (phase == Phase::grace && goes_on_in_grace(act)) ||
                       (phase == Phase::waiting && (act == Act::amend || act == Act::leave)) ||
                       (phase == Phase::alone && act == Act::leave);
  if (!in_time) return refuse_for_phase(act, phase);
  if (act != Act::question && act != Act::reveal) return {};
  if (policy_.paused)
    return refuse_by_policy(fmt::format("it is paused (parley group policy {} --resume).", group_.name));
  if (policy_.not_after && std::max(now, group_.latest) >= *policy_.not_after)
    return refuse_by_policy(fmt::format("it ends for you at {}.", to_rfc3339(*policy_.not_after)));
  return {};
}

Status Membership::check_peer(const QuestionFacts& facts) const {
  const CharterMember* peer = charter().member_by_id(facts.peer_id);
  if (peer == nullptr || facts.peer_id == own_id_) return refuse("members", "the other side is no member.");
  if (has_left(peer->keys.nick)) return refuse("members", fmt::format("{} has left.", peer->keys.nick));
  if (facts.peer_card != peer->card)
    return refuse("members", fmt::format("{} is pinned here by another card than the charter names; compare the two.",
                                         peer->keys.nick));
  if (!facts.peer_confirmed)
    return fail(
        Errc::policy,
        fmt::format("{} is not confirmed: compare fingerprints by voice first, then parley confirm.", peer->keys.nick));
  if (facts.charter != versions_.back().hash)
    return fail(Errc::skew, fmt::format("{} has another version of the charter of {} in force than the one here "
                                        "(version {}). Exchange amendments first: parley group show, group take.",
                                        peer->keys.nick, visible(charter().name), charter().seq));
  return {};
}

Caps Membership::caps(const AllowedQuestion& allowed) const {
  Caps caps = allowed.caps;
  if (const LocalLimit* own = policy_.limit(allowed.type, allowed.function))
    for (const NamedCap& cap : kNamedCaps) caps.*cap.value = std::min(caps.*cap.value, own->caps.*cap.value);
  return caps;
}

Status Membership::check_cap(const AllowedQuestion& allowed, const NamedCap& cap, std::int64_t value,
                             std::string_view what) const {
  const std::int64_t by_charter = allowed.caps.*cap.value;
  if (value > by_charter)
    return refuse(clause_of(allowed, cap.name),
                  fmt::format("{} would be {}, and {} is the most.", what, value, by_charter));
  const std::int64_t effective = caps(allowed).*cap.value;
  if (value > effective)
    return refuse_by_policy(
        fmt::format("{}: {} would be {}, and {} is the most.", clause_of(allowed, cap.name), what, value, effective));
  return {};
}

Status Membership::check_caps(const AllowedQuestion& allowed, const QuestionFacts& facts) const {
  const auto found = facts.spent.find(allowed.type);
  const Spent spent = found == facts.spent.end() ? Spent{} : found->second;
  const auto& [items, sessions, probes, probes_group, matches, fields] = kNamedCaps;
  TRY_STATUS(check_cap(allowed, items, facts.our_padded, "your set"));
  TRY_STATUS(check_cap(allowed, items, facts.their_padded, "their set"));
  TRY_STATUS(check_cap(allowed, sessions, spent.sessions_day + 1, "sessions within a day"));
  TRY_STATUS(check_cap(allowed, probes, spent.probe_in_30d + facts.their_padded, "what they enter within 30 days"));
  TRY_STATUS(check_cap(allowed, probes, spent.probe_out_30d + facts.our_padded, "what you enter within 30 days"));
  TRY_STATUS(check_cap(allowed, probes_group, spent.probe_in_group_30d + facts.their_padded,
                       "what all members enter within 30 days"));
  // How many will match is not known before; at least one must be left.
  if (facts.they_learn)
    TRY_STATUS(check_cap(allowed, matches, spent.matches_in_30d + 1, "matches that they learn within 30 days"));
  if (facts.we_learn)
    TRY_STATUS(check_cap(allowed, matches, spent.matches_out_30d + 1, "matches that you learn within 30 days"));
  return {};
}

Status Membership::check_allowed(indicator::Type type, const QuestionFacts& facts) const {
  const AllowedQuestion* allowed = charter().question(type, facts.function);
  if (allowed == nullptr)
    return refuse("questions",
                  fmt::format("it does not allow {} of {}.", name_of(facts.function), indicator::name_of(type)));
  const LocalLimit* own = policy_.limit(type, facts.function);
  if (own != nullptr && own->refused)
    return refuse_by_policy(fmt::format("no {} of {}.", name_of(facts.function), indicator::name_of(type)));
  return check_caps(*allowed, facts);
}

Status Membership::check_question(const QuestionFacts& facts, UnixSeconds now) const {
  TRY_STATUS(check(Act::question, now));
  TRY_STATUS(check_peer(facts));
  if (facts.types.empty()) return refuse("questions", "a question names the types of indicators that it is about.");
  if (!facts.protocol.empty() && std::ranges::find(charter().protocols, facts.protocol) == charter().protocols.end())
    return refuse("protocols", fmt::format("it does not allow the protocol {}.", facts.protocol));
  for (const indicator::Type type : facts.types) TRY_STATUS(check_allowed(type, facts));
  return {};
}

indicator::Tlp Membership::max_tlp() const {
  return policy_.max_tlp ? std::min(charter().max_tlp, *policy_.max_tlp) : charter().max_tlp;
}

vault::Selection Membership::admitted() const {
  vault::Selection selection;
  selection.group = group_.id;
  selection.tlp_max = max_tlp();
  return selection;
}

}  // namespace parley::group
