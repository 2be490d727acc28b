// A member whose canaries stand in its log since days, cosigned then: what a session and an alarm ask for.
#pragma once

#include <deque>

#include "session/canary_alarm.h"
#include "support/session_parties.h"

namespace parley::session {

inline constexpr auto kDark = "192.0.2.77";  ///< held by nobody: what a test's first canary is

/// Carries what two replicas have for each other until neither has anything, as if it were `now`.
/// @param by_other  what the clock of `other` shows, where it shows something else
inline void carry_between(group::JointLog& one, group::JointLog& other, UnixSeconds now,
                          std::optional<UnixSeconds> by_other = {}) {
  std::deque<std::pair<group::JointLog*, mirror::Message>> on_its_way;  // to whom
  const auto from_of = [&](group::JointLog* to) -> group::JointLog& { return to == &one ? other : one; };
  const auto collect = [&](group::JointLog& from, group::JointLog& to) {
    const auto messages = from.with([&](mirror::Replica& replica) { return replica.to_send(to.nick()); });
    ASSERT_OK(messages);
    for (const mirror::Message& message : *messages) on_its_way.emplace_back(&to, message);
  };
  one.with([&](mirror::Replica& replica) { replica.connected(other.nick()); });
  other.with([&](mirror::Replica& replica) { replica.connected(one.nick()); });
  for (;;) {
    collect(one, other);
    collect(other, one);
    if (on_its_way.empty()) break;
    while (!on_its_way.empty()) {
      const auto [to, message] = std::move(on_its_way.front());
      on_its_way.pop_front();
      group::JointLog& from = from_of(to);
      const UnixSeconds time = to == &other ? by_other.value_or(now) : now;
      const auto outcome = to->with([&](mirror::Replica& replica) { return replica.take(from.nick(), message, time); });
      ASSERT_OK(outcome);
      for (const mirror::Message& reply : outcome->replies) on_its_way.emplace_back(&from, reply);
    }
  }
  for (group::JointLog* each : {&one, &other})
    ASSERT_OK(each->with([](mirror::Replica& replica) { return replica.flush(); }));
}

/// Opens both logs of a group at `then`, if they are empty.
inline void open_logs(Opened& one, Opened& other, const group::SignedCharter& charter, UnixSeconds then) {
  carry_between(one.log(charter), other.log(charter), then);
  for (Opened* side : {&one, &other})
    side->log(charter).with([&](mirror::Replica& replica) {
      if (replica.size(side->member.card.nick) > 0) return;
      ASSERT_OK(replica.append(mirror::draft_for_everyone(log::kLogOpen, log::Json::Object{{"v", 1}}), then));
    });
  carry_between(one.log(charter), other.log(charter), then);
}

/// Those of the pair's own group.
inline void open_logs(Opened& one, Opened& other, UnixSeconds then) {
  open_logs(one, other, charter_of(one, other), then);
}

inline group::Canary canary(indicator::Type type, const std::string& value, std::int64_t eps_ppm = 10) {
  const std::string kind = type == indicator::Type::domain ? "quiet-domain" : "dark-address";
  return {.indicator = *indicator::canonicalise(type, value),
          .kind = kind,
          .why_nobody_holds = "made by us, and never used",
          .eps_ppm = eps_ppm,
          .created = 1};
}
inline group::Canary dark(const std::string& address, std::int64_t eps_ppm = 10) {
  return canary(indicator::Type::ipv4, address, eps_ppm);
}

/// Puts a set of these into the log of `owner` in a group at `then`.
/// @param believed  when its owner's own program takes the set to be from, where that is another time
inline void put_canaries_at(Opened& owner, const group::SignedCharter& charter,
                            const std::vector<group::Canary>& canaries, UnixSeconds then,
                            std::optional<UnixSeconds> believed = {}) {
  RewritingLog& log = owner.log(charter);
  auto book = group::CanaryBook::load(*owner.vault, charter.charter.group);
  ASSERT_OK(book);
  for (const group::Canary& each : canaries) ASSERT_OK(book->add(each));
  const auto set = book->draw();
  ASSERT_OK(set);
  log.with([&](mirror::Replica& replica) {
    ASSERT_OK(replica.append(mirror::draft_for_everyone(log::kCanarySet, group::canary_set_body(set->root())), then,
                             [&](const mirror::EntryView& entry) -> Status {
                               book->committed(*set, entry.leaf_hash, entry.entry.seq,
                                               believed.value_or(entry.entry.time));
                               return book->save(*owner.vault, charter.charter.group);
                             }));
  });
}

/// The same, and `peer` cosigns it at the same time. Before any session.
inline void commit_canaries_at(Opened& owner, Opened& peer, const group::SignedCharter& charter,
                               const std::vector<group::Canary>& canaries, UnixSeconds then,
                               std::optional<UnixSeconds> believed = {}) {
  open_logs(owner, peer, charter, then);
  put_canaries_at(owner, charter, canaries, then, believed);
  carry_between(owner.log(charter), peer.log(charter), then);
}

/// In the pair's own group.
inline void commit_canaries_at(Opened& owner, Opened& peer, const std::vector<group::Canary>& canaries,
                               UnixSeconds then, std::optional<UnixSeconds> believed = {}) {
  commit_canaries_at(owner, peer, charter_of(owner, peer), canaries, then, believed);
}

inline UnixSeconds days_ago(int days) {
  return wall_clock_now() - days * 86'400;
}

/// What `accuser` can publish about its session with `peer`.
inline Result<CanaryAlarm> alarm_about(Opened& accuser, Opened& peer, const std::string& session) {
  const group::SignedCharter charter = charter_of(accuser, peer);
  group::JointLog& log = accuser.log(charter);
  return alarm_of(*accuser.vault, log, *sources_of(*accuser.vault, accuser.membership(charter)), session);
}

/// What alpha would publish about a session, written into its log and held by bravo too.
inline Result<mirror::EntryView> published_alarm(Opened& accuser, Opened& peer, const CanaryAlarm& alarm,
                                                 const std::string& session) {
  const group::SignedCharter charter = charter_of(accuser, peer);
  mirror::Draft draft = mirror::draft_for_everyone(log::kCanaryAlarm, alarm.to_json());
  draft.session = session;
  TRY(const mirror::EntryView entry, accuser.log(charter).append(std::move(draft), {}));
  carry_between(accuser.log(charter), peer.log(charter), wall_clock_now());
  return entry;
}

/// The alarm as `member` checks it, who was not in the audience of any step of a session.
inline Status check_as_bystander(Opened& member, Opened& other, const mirror::EntryView& alarm) {
  const group::SignedCharter charter = charter_of(member, other);
  AlarmSources sources = *sources_of(*member.vault, member.membership(charter));
  sources.entry = [inner = sources.entry](const std::string& nick, const Digest& hash) -> Result<mirror::EntryView> {
    TRY(mirror::EntryView entry, inner(nick, hash));
    if (!entry.entry.session.empty()) entry.body.reset();
    return entry;
  };
  return check_alarm(alarm, sources);
}

}  // namespace parley::session
