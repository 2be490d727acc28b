#include "session/answered_reveals.h"

#include <fmt/format.h>

#include "base/text.h"

namespace parley::session {
namespace {

using log::Json;

constexpr UnixSeconds kDaySeconds = 86'400;
constexpr std::size_t kMaxStoredBytes = 256;

std::string newest_name(const std::string& session) {
  return "reveal/" + session + "/answered";
}
std::string day_name(const std::string& group, const std::string& nick) {
  return "reveal/answered/" + group + "/" + nick;
}

/// The place in its author's log of the newest consent that was answered; nothing where none was.
Result<std::optional<std::uint64_t>> newest_answered(vault::Vault& vault, const std::string& session) {
  TRY(const auto stored, vault.setting(newest_name(session)));
  if (!stored) return std::nullopt;
  TRY(const Json json, log::parse_pjson(*stored, kMaxStoredBytes));
  log::ObjectReader reader(json, "the stored place of an answered consent");
  const auto seq = static_cast<std::uint64_t>(reader.integer("seq", 0, log::kMaxInteger));
  TRY_STATUS(reader.finish());
  return seq;
}

/// 24 hours that began with an answer.
struct Day {
  UnixSeconds begun = 0;
  std::int64_t answered = 0;
};

Result<Day> day_of(vault::Vault& vault, const std::string& name, UnixSeconds now) {
  TRY(const auto stored, vault.setting(name));
  if (!stored) return Day{.begun = now};
  TRY(const Json json, log::parse_pjson(*stored, kMaxStoredBytes));
  log::ObjectReader reader(json, "the stored number of answered reveals");
  Day day{.begun = {}, .answered = reader.integer("answered", 0, kMostAnsweredRevealsPerDay)};
  day.begun = reader.integer("begun", 0, log::kMaxInteger);
  TRY_STATUS(reader.finish());
  if (now - day.begun >= kDaySeconds) return Day{.begun = now};
  // A clock that was ahead for a moment must not make the day longer, and one that is set back must not end it.
  day.begun = std::min(day.begun, now);
  return day;
}

}  // namespace

Status admit_reveal(vault::Vault& vault, const std::string& group, const Asker& asker, const ReceivedStep& consent,
                    UnixSeconds now) {
  return vault.together([&]() -> Status {
    TRY(const auto newest, newest_answered(vault, consent.session));
    if (newest && consent.seq <= *newest)
      return fail(Errc::protocol, "It named a consent to a reveal that was answered before.", asker.peer);
    const std::string name = day_name(group, asker.nick);
    TRY(Day day, day_of(vault, name, now));
    if (day.answered >= kMostAnsweredRevealsPerDay)
      return fail(Errc::limit, fmt::format("{} had {} consents to a reveal answered here within 24 hours; no other is "
                                           "looked at.",
                                           visible(asker.peer), day.answered));
    ++day.answered;
    TRY_STATUS(
        vault.put_setting(name, log::write_pjson(Json::Object{{"answered", day.answered}, {"begun", day.begun}})));
    return vault.put_setting(newest_name(consent.session),
                             log::write_pjson(Json::Object{{"seq", static_cast<std::int64_t>(consent.seq)}}));
  });
}

}  // namespace parley::session
