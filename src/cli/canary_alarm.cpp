// parley canary alarm, check, opinion: what hits prove, to whom, and what the members make of it.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "cli/canary_command.h"
#include "cli/session_view.h"
#include "group/rotation.h"
#include "session/alarm_list.h"

namespace parley::cli {
namespace {

constexpr std::size_t kShownDigits = 8;
constexpr std::string_view kNoVerdict =
    "That is a likelihood ratio and no verdict: whether nobody honest holds these values is the accuser's word, which "
    "each member judges. parley expels nobody.";

// --- alarm ----------------------------------------------------------------------------------------------------------

struct AlarmArguments {
  std::string session = "last";
  bool yes = false;
};

void say_hits(Console& console, std::span<const session::CanaryHit> hits) {
  for (const session::CanaryHit& hit : hits) {
    const group::Canary& canary = hit.canary.canary;
    console.print(fmt::format("    {}\t{}\t{} of {}: {} (held by an honest member: {} in 1,000,000)\n",
                              indicator::name_of(canary.indicator.type()), visible(canary.indicator.value()),
                              canary.kind, to_rfc3339(canary.created), visible(canary.why_nobody_holds),
                              canary.eps_ppm));
  }
}

std::string in_words(std::span<const session::CanaryHit> hits, std::string_view accused) {
  return fmt::format("The hits are about {} times likelier if {} entered guesses than if it holds these by accident.",
                     rounded(group::likelihood_ratio(session::chances_of(hits))), visible(accused));
}

/// What was found here and cannot be shown to others so that it holds.
Status stays_a_suspicion(Console& console, const vault::SessionRow& row, std::span<const session::CanaryHit> hits,
                         const Error& why) {
  if (why.code != Errc::policy) return std::unexpected(why);
  console.print(fmt::format("  SUSPICION about {} in session {}, and no alarm: it would not hold with the others\n",
                            visible(row.peer), row.id.substr(0, kShownDigits)));
  say_hits(console, hits);
  Error error = why;
  error.message += " Nothing was published.";
  return std::unexpected(std::move(error));
}

Status raise(Workplace& at, const AlarmArguments& arguments) {
  TRY(const std::string session, session_that_ran(at.vault, arguments.session));
  TRY(const vault::SessionRow row, at.vault.session(session));
  TRY(const auto log, at.groups.log(row.group));
  TRY(const group::Membership membership, at.groups.membership(row.group));
  TRY(const auto all, session::hits_of(at.vault, session));
  TRY(const session::AlarmSources sources, session::sources_of(at.vault, membership));
  const auto made = session::alarm_of(at.vault, *log, sources, session);
  if (!made) return stays_a_suspicion(at.console, row, all, made.error());
  const session::CanaryAlarm& alarm = *made;
  at.console.print(fmt::format("  an alarm about {} in session {} would show to all members of the group:\n",
                               visible(alarm.accused), session.substr(0, kShownDigits)));
  say_hits(at.console, alarm.hits);
  at.console.print(
      "    that these stood in your log 24 hours before, in one set no older than 30 days, and were in your input\n"
      "    what you committed to in that session, and the result that the other side signed: how many it had in "
      "common\n");
  at.console.say(in_words(alarm.hits, alarm.accused));
  TRY(const group::CanaryBook known, group::CanaryBook::load(at.vault, row.group));
  for (const group::CanaryBook::Committed& set : known.sets())
    if (set.entry == alarm.hits.front().canary.set_entry) at.console.say(accident_in_words(known, set.set));
  at.console.say(kNoVerdict);
  at.console.say(
      fmt::format("Of {} hit(s), {} would be published and be of no use any more. Your other canaries stay "
                  "hidden; a new set with them goes into your log.",
                  all.size(), alarm.hits.size()));
  at.console.say(kWhomCanariesPolice);
  TRY_STATUS(ask_yes(at, arguments.yes, "Publish it to all members?"));
  mirror::Draft draft = mirror::draft_for_everyone(log::kCanaryAlarm, alarm.to_json());
  draft.session = session;
  draft.refs = {alarm.result.entry};
  TRY(const mirror::EntryView written, log->append(std::move(draft), [&](const mirror::EntryView&) -> Status {
    TRY(group::CanaryBook book, group::CanaryBook::load(at.vault, row.group));
    for (const session::CanaryHit& hit : alarm.hits) book.published(hit.canary.canary.indicator);
    return book.save(at.vault, row.group);
  }));
  at.console.say(fmt::format("The alarm is entry {} of your log: {}.", written.entry.seq, to_hex(written.leaf_hash)));
  const auto next = commit_canaries(at, row.group);
  if (!next && next.error().code != Errc::usage) return std::unexpected(next.error());
  if (!next) at.console.say("No canary is left: parley canary add.");
  return {};
}

// --- check ----------------------------------------------------------------------------------------------------------

Result<session::Alarms> alarms_of(Workplace& at, const group::Membership& membership) {
  TRY(const session::AlarmSources sources, session::sources_of(at.vault, membership));
  return session::read_alarms(at.vault, membership.charter().group, sources);
}

void say_left_out(Console& console, const session::Alarms& alarms) {
  for (const auto& [nick, entries] : alarms.left_out)
    console.say(
        fmt::format("{} more alarms and opinions of {} are left out: of one member's alarms the first {} count, "
                    "and no more than {} MiB, of its opinions the first {}.",
                    entries, visible(nick), session::kMostAlarmsOfOne, session::kMostAlarmBytesOfOne >> 20,
                    session::kMostOpinionsOfOne));
  for (const auto& [nick, why] : alarms.unreadable)
    console.say(fmt::format("Not all that {} wrote about canaries can be read here: {}", visible(nick), visible(why)));
}

void print_alarm(Console& console, const session::FoundAlarm& found) {
  const log::Entry& entry = found.entry.entry;
  console.print(fmt::format("alarm {} by {} of {}\n", to_hex(found.entry.leaf_hash).substr(0, kShownDigits),
                            visible(entry.author), to_rfc3339(entry.time)));
  const auto alarm = found.entry.body
                         ? session::CanaryAlarm::from_json(*found.entry.body)
                         : Result<session::CanaryAlarm>(fail(Errc::not_found, "Its body is not here yet."));
  if (alarm) {
    console.print(
        fmt::format("  about {} in session {}\n", visible(alarm->accused), entry.session.substr(0, kShownDigits)));
    say_hits(console, alarm->hits);
  }
  for (const session::OwnCanary& own : found.ours)
    console.print(
        fmt::format("  {} IS A CANARY OF YOURS TOO: entry {} of your log, of {}, has it{}. Whoever learns of a canary "
                    "can name it as its own; tell the members (parley canary opinion).\n",
                    visible(own.value.value()), own.seq, to_rfc3339(own.time),
                    own.theirs ? fmt::format("; the set that the alarm names is of {}", to_rfc3339(*own.theirs)) : ""));
  if (!found.holds) {
    console.print("  DOES NOT HOLD: " + visible(found.holds.error().text()) + "\n");
  } else {
    console.print("  its evidence holds\n");
    if (alarm) console.print("  " + in_words(alarm->hits, alarm->accused) + "\n");
  }
  for (const auto& [nick, opinion] : found.opinions)
    console.print(fmt::format("  {} {}{}\n", visible(nick), opinion.agree ? "agrees" : "disagrees",
                              opinion.why.empty() ? "" : ": " + visible(opinion.why)));
}

OrderedJson alarm_json(const session::FoundAlarm& found) {
  OrderedJson opinions = OrderedJson::array(), hits = OrderedJson::array(), ours = OrderedJson::array(), accused, ratio;
  for (const session::OwnCanary& own : found.ours)
    ours.push_back({{"value", own.value.value()},
                    {"entry", own.seq},
                    {"time", to_rfc3339(own.time)},
                    {"theirs", own.theirs ? OrderedJson(to_rfc3339(*own.theirs)) : OrderedJson()}});
  for (const auto& [nick, opinion] : found.opinions)
    opinions.push_back({{"member", nick}, {"agree", opinion.agree}, {"why", opinion.why}});
  if (const auto alarm = found.entry.body ? session::CanaryAlarm::from_json(*found.entry.body)
                                          : Result<session::CanaryAlarm>(fail(Errc::not_found, {}))) {
    accused = alarm->accused;
    ratio = group::likelihood_ratio(session::chances_of(alarm->hits));
    for (const session::CanaryHit& hit : alarm->hits)
      hits.push_back({{"type", indicator::name_of(hit.canary.canary.indicator.type())},
                      {"value", hit.canary.canary.indicator.value()},
                      {"why", hit.canary.canary.why_nobody_holds},
                      {"eps_ppm", hit.canary.canary.eps_ppm}});
  }
  return {{"alarm", to_hex(found.entry.leaf_hash)},
          {"author", found.entry.entry.author},
          {"accused", accused},
          {"session", found.entry.entry.session},
          {"holds", found.holds.has_value()},
          {"why_not", found.holds ? OrderedJson() : OrderedJson(found.holds.error().text())},
          {"likelihood_ratio", ratio},
          {"hits", hits},
          {"also_canaries_here", ours},
          {"opinions", opinions}};
}

Status check(Workplace& at, const std::string& group, bool as_json) {
  TRY(const vault::GroupRow row, at.vault.group(group));
  TRY(const group::Membership membership, at.groups.membership(row.id));
  TRY(const session::Alarms alarms, alarms_of(at, membership));
  TRY(const auto cutoffs, group::short_cutoffs(at.vault, membership));
  OrderedJson array = OrderedJson::array();
  for (const session::FoundAlarm& alarm : alarms.found) {
    if (as_json)
      array.push_back(alarm_json(alarm));
    else
      print_alarm(at.console, alarm);
  }
  if (as_json) at.console.print(to_line(array));
  say_left_out(at.console, alarms);
  for (const group::ShortCutoff& cutoff : cutoffs) at.console.say(cutoff.in_words());
  if (!as_json) at.console.say(alarms.found.empty() ? "No member has raised an alarm in this group." : kNoVerdict);
  return {};
}

// --- opinion --------------------------------------------------------------------------------------------------------

struct OpinionArguments {
  std::string group, alarm, why;
  bool agree = false, disagree = false;
};

Status give_opinion(Workplace& at, const OpinionArguments& arguments) {
  TRY(const vault::GroupRow row, at.vault.group(arguments.group));
  TRY(const group::Membership membership, at.groups.membership(row.id));
  TRY(const session::Alarms alarms, alarms_of(at, membership));
  const auto named = [&](const session::FoundAlarm& alarm) {
    return arguments.alarm.size() >= kShownDigits && to_hex(alarm.entry.leaf_hash).starts_with(arguments.alarm);
  };
  const auto alarm = std::ranges::find_if(alarms.found, named);
  if (alarm == alarms.found.end())
    return fail(Errc::not_found, "No alarm of this group begins so; parley canary check lists them.");
  TRY(const auto log, at.groups.log(row.id));
  if (arguments.agree && !alarm->holds)
    return fail(Errc::policy, "The evidence of this alarm does not hold, so there is nothing to agree to.");
  const session::CanaryOpinion opinion{
      .alarm = alarm->entry.leaf_hash, .agree = arguments.agree, .why = visible(arguments.why)};
  mirror::Draft draft = mirror::draft_for_everyone(log::kCanaryOpinion, opinion.to_json());
  if (alarm->entry.log != log->nick()) draft.refs = {alarm->entry.leaf_hash};
  TRY(const mirror::EntryView written, log->append(std::move(draft)));
  at.console.say(fmt::format("Entry {} of your log says so to all members.", written.entry.seq));
  return {};
}

}  // namespace

void add_canary_alarm(Command& family, Chosen& chosen) {
  const auto raising = std::make_shared<AlarmArguments>();
  Command* alarm =
      family.add_subcommand("alarm", "Show what an alarm about a session would publish, and publish it to all members");
  alarm->add_option("SESSION", raising->session, "Its id, the first digits of it, or last")->capture_default_str();
  alarm->add_flag("--yes", raising->yes, "Do not ask before publishing");
  alarm->callback(at_work(chosen, [raising](Workplace& at) { return raise(at, *raising); }));

  const auto checking = std::make_shared<std::pair<std::string, bool>>();
  Command* check_command =
      family.add_subcommand("check", "Check the evidence of every alarm in a group, and print what members make of it");
  check_command->add_option("GROUP", checking->first, "The group, as group list prints it")->required();
  check_command->add_flag("--json", checking->second, "Print a JSON array");
  check_command->callback(
      at_work(chosen, [checking](Workplace& at) { return check(at, checking->first, checking->second); }));

  const auto judging = std::make_shared<OpinionArguments>();
  Command* opinion = family.add_subcommand("opinion", "Tell all members what you make of an alarm");
  opinion->add_option("GROUP", judging->group, "The group, as group list prints it")->required();
  opinion->add_option("ALARM", judging->alarm, "The first 8 digits of it, as canary check prints them")->required();
  Option* agree = opinion->add_flag("--agree", judging->agree, "Nobody honest should hold these values");
  Option* disagree = opinion->add_flag("--disagree", judging->disagree, "Honest members may hold them");
  agree->excludes(disagree);
  opinion->add_option("--why", judging->why, "Why; at most 512 bytes");
  opinion->callback(at_work(chosen, [judging](Workplace& at) -> Status {
    if (judging->agree == judging->disagree) return fail(Errc::usage, "Say --agree or --disagree.");
    if (visible(judging->why).size() > group::kMaxCanaryReasonBytes)
      return fail(Errc::usage, "--why has room for 512 bytes.");
    return give_opinion(at, *judging);
  }));
}

}  // namespace parley::cli
