#include "session/unanswered.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "base/text.h"
#include "session/states.h"
#include "session/step.h"
#include "vault/number_setting.h"

namespace parley::session {
namespace {

constexpr UnixSeconds kDaySeconds = 86'400;
constexpr std::array kWaiting{kProposed};
constexpr std::array kUnanswered{kRefused, kExpired, kAborted};
/// Beyond kMostUnansweredKept, so that not every question forgets one.
constexpr std::int64_t kForgottenAtOnce = 50;

std::string floor_setting(const group::JointLog& log, const std::string& nick) {
  return fmt::format("session-floor {} {}", log.group(), nick);
}

vault::SessionFilter of(const group::JointLog& log, const Asker& asker, std::span<const std::string_view> states) {
  return {.group = log.group(), .peer = asker.peer, .states = states, .asked_by_us = false};
}

/// The number of the first entry of the asker's log that was not a question which was forgotten.
Result<std::uint64_t> floor_of(vault::Vault& vault, const group::JointLog& log, const std::string& nick) {
  TRY(const auto floor, vault::number_setting(vault, floor_setting(log, nick), "forgotten questions"));
  return floor.value_or(0);
}

Result<std::uint64_t> number_of(group::JointLog& log, const std::string& nick, const Digest& entry) {
  TRY(const mirror::EntryView found, log.with([&](mirror::Replica& replica) { return replica.entry(nick, entry); }));
  return found.entry.seq;
}

Status forget(vault::Vault& vault, group::JointLog& log, const Asker& asker,
              const std::vector<vault::SessionRow>& rows) {
  TRY(std::uint64_t floor, floor_of(vault, log, asker.nick));
  std::vector<std::string> ids;
  for (const vault::SessionRow& row : rows) {
    TRY(const Outcome outcome, read_outcome(row.outcome));
    if (outcome.may_have_disclosed) continue;
    TRY(const auto steps, vault.session_steps(row.id));
    for (const vault::SessionStep& step : steps) {
      if (step.author != asker.nick) continue;
      const auto found = find_step(log, step);
      if (found) floor = std::max(floor, found->entry.seq + 1);
    }
    ids.push_back(row.id);
  }
  if (ids.empty()) return {};
  return vault.together([&]() -> Status {
    TRY_STATUS(vault.put_setting(floor_setting(log, asker.nick), fmt::format("{}", floor)));
    return vault.forget_sessions(ids);
  });
}

Status forget_old(vault::Vault& vault, group::JointLog& log, const Asker& asker, UnixSeconds now) {
  vault::SessionFilter filter = of(log, asker, kUnanswered);
  filter.created_before = now - kUnansweredKeptSeconds;
  TRY(const auto too_old, vault.sessions(filter));
  TRY_STATUS(forget(vault, log, asker, too_old));

  // Whatever came within a day stays, so that it is counted.
  filter.created_before = {};
  TRY(const std::int64_t kept, vault.count_sessions(filter));
  if (kept < kMostUnansweredKept + kForgottenAtOnce) return {};
  TRY(auto rows, vault.sessions(filter));
  // Another link may have forgotten some since they were counted.
  rows.erase(rows.begin(), rows.begin() + std::min<std::int64_t>(kMostUnansweredKept, std::ssize(rows)));
  std::erase_if(rows, [&](const vault::SessionRow& row) { return row.created > now - kDaySeconds; });
  return forget(vault, log, asker, rows);
}

std::unexpected<Error> too_many(const Asker& asker, std::int64_t count, std::string_view what) {
  return fail(Errc::limit,
              fmt::format("{} has {} questions here {}; no other is looked at.", visible(asker.peer), count, what));
}

}  // namespace

Status admit_proposal(vault::Vault& vault, group::JointLog& log, const Asker& asker, const Digest& proposal,
                      UnixSeconds now) {
  TRY(const std::int64_t waiting, vault.count_sessions(of(log, asker, kWaiting)));
  if (waiting >= kMostUndecided) return too_many(asker, waiting, "that wait for an answer");
  vault::SessionFilter today = of(log, asker, kUnanswered);
  today.created_after = now - kDaySeconds;
  TRY(const std::int64_t unanswered, vault.count_sessions(today));
  if (unanswered >= kMostUnansweredPerDay) return too_many(asker, unanswered, "that came to nothing within 24 hours");
  TRY_STATUS(forget_old(vault, log, asker, now));

  TRY(const std::uint64_t floor, floor_of(vault, log, asker.nick));
  TRY(const std::uint64_t number, number_of(log, asker.nick, proposal));
  if (number >= floor) return {};
  return fail(Errc::protocol, "A proposal was sent that is older than others which were forgotten here.", asker.peer);
}

}  // namespace parley::session
