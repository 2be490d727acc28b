#include "cli/admission_help.h"

#include <fmt/format.h>

#include <condition_variable>

#include "admission/owner.h"
#include "base/text.h"
#include "cli/ledger_view.h"
#include "node/replication.h"

namespace parley::cli {
namespace {

constexpr auto kCallLimit = std::chrono::seconds(30);
constexpr auto kHelpLimit = std::chrono::minutes(10);  // of one member in one round
constexpr auto kBeforeAQuestion = std::chrono::seconds(15);
constexpr auto kNextTry = std::chrono::seconds(1);

/// Calls on every other member once. @return who could not be reached
Result<std::vector<std::string>> call_on_all(Workplace& at, const group::Membership& membership,
                                             const admission::Party& us) {
  std::vector<std::string> away;
  TRY(const auto members, node::fellow_members(at.vault, at.member.card, membership));
  const auto calling = [&](wire::Link* link) {
    at.progress.set_wake(link == nullptr ? std::function<void()>() : [link] { link->shut_down(); });
  };
  for (const vault::Peer& member : members) {
    if (at.progress.cancelled()) return fail(Errc::cancelled, "Stopped. What was admitted so far is kept.");
    std::optional<Error> trouble;
    const Status called = node::call_on(at.vault, member, at.member, us.log, deadline_in(kCallLimit), calling,
                                        [&](group::LogLink& link) -> Status {
                                          const auto helped = admission::work_with(us, link, deadline_in(kHelpLimit));
                                          if (!helped) trouble = helped.error();
                                          return {};
                                        });
    if (trouble && trouble->code != Errc::peer_gone)
      at.console.say(fmt::format("{}: {}", member.name, trouble->text()));
    if (called) continue;
    away.push_back(member.name);
    TRY(const group::Card card, group::read_card(member.card));
    TRY_STATUS(admission::note_helper(us, card.nick, false, {}));
  }
  return away;
}

/// Whether help is still to come now: what is beyond the cap waits for another epoch, what rests for the next batch.
bool waits_for_help(const admission::TypeStatus& type) {
  return type.under_way > 0 || (type.waiting > 0 && type.used < type.cap && !type.rests);
}

/// Of `types` those that enter by tags only.
std::vector<indicator::Type> tagged_of(const group::Charter& charter, std::span<const indicator::Type> types) {
  std::vector<indicator::Type> tagged;
  for (const indicator::Type type : types)
    if (charter.admission.cap(type) != nullptr) tagged.push_back(type);
  return tagged;
}

/// What stands against guesses of the types that are asked about.
std::string bound_on_guesses(const group::Charter& charter, const session::Question& question) {
  std::vector<std::string_view> tagged;
  for (const indicator::Type type : tagged_of(charter, question.types)) tagged.push_back(indicator::name_of(type));
  if (tagged.empty()) return ", within the caps of the charter";
  const std::string counted = fmt::format(
      ": of {} only what every member helped to admit, and counted (parley admit status)", fmt::join(tagged, ", "));
  return tagged.size() == question.types.size() ? counted : counted + "; of the rest within the caps of the charter";
}

bool any_waits_for_help(const admission::Overview& overview, std::span<const indicator::Type> types) {
  return std::ranges::any_of(overview.types, [&](const admission::TypeStatus& type) {
    return std::ranges::find(types, type.type) != types.end() && waits_for_help(type);
  });
}

bool is_held_up(const admission::Overview& overview) {
  return std::ranges::any_of(overview.helpers, [](const admission::HelperStatus& helper) {
    return helper.away_since != 0 || !helper.trouble.empty();
  });
}

}  // namespace

Result<admission::Overview> overview_of(Workplace& at, const group::Membership& membership) {
  return admission::overview(at.vault, membership, at.member.card.nick, wall_clock_now());
}

bool is_done(const admission::Overview& overview) {
  return overview.missing.empty() && std::ranges::none_of(overview.types, waits_for_help);
}

Result<admission::Overview> admit_once(Workplace& at, const group::Membership& membership, std::string& said) {
  TRY(const auto log, at.groups.log(membership.group().id));
  TRY_STATUS(node::hear_enough(at.groups.desk(), at.member, membership, *log, at.progress));
  ThreadPool pool(at.threads);
  const group::Desk desk = at.groups.desk();
  const admission::Party us{.desk = desk, .membership = membership, .log = *log, .pool = pool, .progress = at.progress};
  TRY_STATUS(admission::prepare(us));
  TRY(const auto away, call_on_all(at, membership, us));
  std::string now = away.empty() ? std::string()
                                 : group::in_words(away) +
                                       " cannot be reached; the help of all "
                                       "is needed. What they are asked waits here.";
  TRY(admission::Overview overview, overview_of(at, membership));
  for (const admission::HelperStatus& helper : overview.helpers)
    if (!helper.trouble.empty()) now += (now.empty() ? "" : " ") + visible(helper.trouble);
  if (!now.empty() && now != said) at.console.say(fmt::format("{}: {}", membership.group().name, now));
  said = now;
  return overview;
}

bool wait_a_little(Progress& progress, std::chrono::milliseconds how_long) {
  std::mutex mutex;
  std::condition_variable woken;
  progress.set_wake([&] {
    const std::lock_guard lock(mutex);
    woken.notify_all();
  });
  std::unique_lock lock(mutex);
  woken.wait_for(lock, how_long, [&] { return progress.cancelled(); });
  lock.unlock();
  progress.set_wake({});
  return !progress.cancelled();
}

Status admit_before(Workplace& at, const group::Membership& membership, std::span<const indicator::Type> types) {
  const std::vector<indicator::Type> tagged = tagged_of(membership.charter(), types);
  if (tagged.empty()) return {};
  std::string said;
  const Deadline deadline = deadline_in(kBeforeAQuestion);
  TRY(admission::Overview overview, overview_of(at, membership));
  while (any_waits_for_help(overview, tagged)) {
    TRY(overview, admit_once(at, membership, said));
    if (!any_waits_for_help(overview, tagged) || is_held_up(overview) || Monotonic::now() >= deadline) break;
    if (!wait_a_little(at.progress, kNextTry)) return fail(Errc::cancelled, "Nothing was sent.");
  }
  return {};
}

Result<AdmittedOf> admitted_of(Workplace& at, const group::Membership& membership, const std::string& peer,
                               std::span<const indicator::Type> types) {
  TRY(const std::string nick, nick_of(at, peer));
  TRY(const admission::Overview overview, overview_of(at, membership));
  const auto owner = std::ranges::find(overview.others, nick, &admission::OwnerStatus::nick);
  const std::vector<indicator::Type> tagged = tagged_of(membership.charter(), types);
  AdmittedOf admitted{.lines = {}, .may_match = tagged.size() < types.size()};
  for (const indicator::Type type : tagged) {
    const bool has_some = owner != overview.others.end() && owner->counts.contains(type);
    admitted.may_match = admitted.may_match || has_some;
    admitted.lines.push_back(
        has_some ? fmt::format("{} has had {} {} admitted in this epoch, and no others of its can match.", peer,
                               grouped(owner->counts.at(type)), indicator::name_of(type))
                 : fmt::format("NO MATCH IS POSSIBLE among {}: {} has had none admitted in this epoch.",
                               indicator::name_of(type), peer));
  }
  return admitted;
}

std::string how_one_notices(const group::Charter& charter, const session::Question& question, const std::string& peer,
                            bool we_ask) {
  const bool takes_canaries =
      question.direction == session::Direction::both && question.function == session::Function::intersection;
  std::string canaries;
  if (!takes_canaries)
    canaries = " Canaries do not work here: they enter only where both sides learn which ones match.";
  else if (!we_ask)
    canaries = " Canaries that you committed to would notice guesses of theirs (parley canary status).";
  return fmt::format(
      "{} could enter guesses of what you hold{}. It signs how many it enters at most and a commitment to them, which "
      "an audit can open (parley audit).{} Both logs keep that {} asked and how it ended: the other members see who, "
      "when and in which step, and nothing of what.",
      peer, bound_on_guesses(charter, question), canaries, we_ask ? "you" : "it");
}

}  // namespace parley::cli
