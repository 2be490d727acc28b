// Making and checking alarms (canary_alarm.h).
#include "session/canary_alarm.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/encoding.h"
#include "base/text.h"
#include "group/member.h"
#include "session/detail/canary_json.h"
#include "session/padding.h"
#include "session/result_root.h"

namespace parley::session {
namespace {

using detail::kMaxItemPath, detail::kSetPath, detail::number, detail::salt_in, detail::tag_from;
using log::Json;

constexpr std::int64_t kAlarmVersion = 1;
constexpr std::size_t kMaxShownBytes = 16 * 1024;  // a commitment and a result are far below

std::unexpected<Error> does_not_hold(std::string why) {
  return fail(Errc::protocol, "The alarm does not hold: " + std::move(why));
}

Json write_shown(const CanaryAlarm::Shown& shown) {
  return Json::Object{{"entry", to_hex(shown.entry)}, {"salt", to_base64(shown.body.salt)}, {"text", shown.body.text}};
}

Result<CanaryAlarm::Shown> shown_from(const Json& json) {
  log::ObjectReader reader(json, "a body that the alarm shows");
  CanaryAlarm::Shown shown;
  shown.entry = reader.digest("entry");
  shown.body.salt = salt_in(reader, "salt");
  shown.body.text = reader.text("text", kMaxShownBytes);
  TRY_STATUS(reader.finish());
  return shown;
}

Json write_hit(const CanaryHit& hit) {
  const group::CommittedCanary& canary = hit.canary;
  return Json::Object{{"canary", Json::Object{{"index", number(canary.index)},
                                              {"path", log::hex_of(canary.path)},
                                              {"reason", canary.canary.reason()},
                                              {"salt", to_base64(canary.salt)},
                                              {"set", to_hex(canary.set_entry)}}},
                      {"item", Json::Object{{"count", number(hit.item_count)},
                                            {"index", number(hit.item_index)},
                                            {"path", log::hex_of(hit.item_path)},
                                            {"salt", to_base64(hit.item_salt)}}},
                      {"tag", detail::to_json(*hit.tag)},
                      {"type", indicator::name_of(canary.canary.indicator.type())},
                      {"value", canary.canary.indicator.value()}};
}

Result<group::CommittedCanary> canary_from(const Json& json, indicator::Type type, const std::string& value) {
  log::ObjectReader reader(json, "a canary of the alarm");
  const auto index = static_cast<std::uint64_t>(reader.integer("index", 0, group::kCanaryLeaves - 1));
  std::vector<Digest> path = reader.digests("path", kSetPath);
  const Json reason = reader.object("reason");
  const log::Salt salt = salt_in(reader, "salt");
  const Digest set_entry = reader.digest("set");
  TRY_STATUS(reader.finish());
  TRY(group::Canary canary, group::make_canary(type, value, reason));
  return group::CommittedCanary{
      .canary = std::move(canary), .set_entry = set_entry, .salt = salt, .index = index, .path = std::move(path)};
}

Status read_item(const Json& json, CanaryHit& hit) {
  log::ObjectReader reader(json, "an item of the alarm");
  hit.item_count = static_cast<std::uint64_t>(reader.integer("count", 1, log::kMaxInteger));
  hit.item_index = static_cast<std::uint64_t>(reader.integer("index", 0, log::kMaxInteger));
  hit.item_path = reader.digests("path", kMaxItemPath);
  hit.item_salt = salt_in(reader, "salt");
  return reader.finish();
}

Result<CanaryHit> hit_from(const Json& json) {
  log::ObjectReader reader(json, "a hit of the alarm");
  const Json canary = reader.object("canary");
  const Json item = reader.object("item");
  const Json tag = reader.object("tag");
  const auto type = indicator::type_named(reader.text("type", 32));
  const std::string value = reader.text("value", indicator::kMaxValueBytes);
  if (!type) reader.refuse("its type is not a known one");
  TRY_STATUS(reader.finish());
  TRY(group::CommittedCanary committed, canary_from(canary, *type, value));
  CanaryHit hit{std::move(committed)};
  TRY_STATUS(read_item(item, hit));
  TRY(hit.tag, tag_from(tag, "a tag of the alarm"));
  return hit;
}

// --- checking -------------------------------------------------------------------------------------------------------

// The entry that the alarm names, with the body that it shows.
Result<mirror::EntryView> shown_entry(const CanaryAlarm::Shown& shown, const std::string& author, std::string_view type,
                                      const std::string& session, const AlarmSources& sources) {
  TRY(mirror::EntryView entry, sources.entry(author, shown.entry));
  if (entry.entry.type != type || entry.entry.session != session)
    return does_not_hold(fmt::format("the entry that it names is no {} of this session.", type));
  TRY(entry.body, log::open_body(entry.entry, shown.body));
  return entry;
}

// What the accuser's commitment answers: the acceptance, or the proposal itself.
struct Answered {
  Side accuser = Side::asker;  // on which side it was
  Digest charter{};            // under which the accused entered the session
};

Result<Answered> answered_by(const mirror::EntryView& commit, const std::string& accused, const AlarmSources& sources) {
  if (commit.entry.refs.empty()) return does_not_hold("the commitment answers nothing.");
  TRY(const mirror::EntryView step, sources.entry(accused, commit.entry.refs.front()));
  if (step.entry.type == kPropose && log::session_of_proposal(step.leaf_hash) == commit.entry.session)
    return Answered{Side::responder, step.entry.charter};
  if (step.entry.type == kAccept && step.entry.session == commit.entry.session)
    return Answered{Side::asker, step.entry.charter};
  return does_not_hold("the commitment answers another session.");
}

// Between when and when a session was, as far as both sides state it, and under which version of the charter: the one
// that the accused named before anything was compared, which an honest accuser has compared with its own. What it named
// later may be a version that comes into force after the alarm.
struct SessionTimes {
  std::int64_t earliest = 0, latest = 0;
  Digest charter{};
};

// The accused has signed that it held this commitment before it ran, and its result came after that.
Status check_run(const mirror::EntryView& run, const mirror::EntryView& commit, const mirror::EntryView& result) {
  if (run.entry.type != kRun || run.entry.session != commit.entry.session || run.entry.seq >= result.entry.seq)
    return does_not_hold("it does not name the run of the accused that the result is of.");
  if (std::ranges::find(run.entry.refs, commit.leaf_hash) == run.entry.refs.end())
    return does_not_hold("the accused did not run against the commitment that is shown.");
  return {};
}

// Whether the set was at most 30 days old at the session: as the two of it say, or by what others have signed about the
// run, which the accused could have dated later than it was.
Result<bool> was_fresh(const mirror::EntryView& set, const mirror::EntryView& run, const SessionTimes& times,
                       const AlarmSources& sources) {
  if (times.latest - set.entry.time <= group::kCanaryLife) return true;
  return sources.final_by({.nick = run.entry.author,
                           .seq = run.entry.seq,
                           .time = set.entry.time + group::kCanaryLife,
                           .charter = times.charter});
}

Status check_set(const CanaryHit& hit, const mirror::EntryView& commit, const mirror::EntryView& run,
                 const SessionTimes& times, const AlarmSources& sources) {
  const std::string& accuser = commit.entry.author;
  TRY(const mirror::EntryView set, sources.entry(accuser, hit.canary.set_entry));
  if (set.entry.type != log::kCanarySet || !set.body) return does_not_hold("what it names as its canaries is no set.");
  TRY(const Digest root, group::canary_root_from_body(*set.body));
  const Digest leaf = log::leaf_hash(group::canary_commitment(hit.canary.salt, hit.canary.canary));
  if (!log::verify_inclusion(leaf, hit.canary.index, group::kCanaryLeaves, hit.canary.path, root))
    return does_not_hold("the set of canaries does not hold this value with this reason.");
  if (set.entry.seq >= commit.entry.seq) return does_not_hold("the canary was committed to after the session.");
  TRY(const bool fresh, was_fresh(set, run, times, sources));
  if (!fresh) return does_not_hold("the set of canaries was older than 30 days: others may have come by them since.");
  TRY(const bool in_time, sources.final_by({.nick = accuser,
                                            .seq = set.entry.seq,
                                            .time = times.earliest - group::kCanaryAge,
                                            .charter = times.charter,
                                            .accused = run.entry.author}));
  if (!in_time)
    return does_not_hold("nothing shows that the canary stood in the log, held by enough members, 24 hours before.");
  return {};
}

Status check_hit(const CanaryHit& hit, const Commitment& commitment, const Digest& label, const ResultStep& result) {
  const indicator::Canonical& value = hit.canary.canary.indicator;
  // A root alone does not say how many leaves it has.
  if (!is_padded_size(hit.item_count)) return does_not_hold("no set has the size that it states.");
  const Digest item = log::item_commitment(hit.item_salt, indicator::name_of(value.type()), as_bytes(value.value()));
  if (!log::verify_inclusion(item_leaf(label, item), hit.item_index, hit.item_count, hit.item_path,
                             commitment.items_root))
    return does_not_hold("the canary was not in the set that the accuser committed to in this session.");
  if (!hit.tag || number(hit.tag->count) != result.count ||
      !log::verify_inclusion(result_leaf(hit.tag->item_key, value), hit.tag->index, hit.tag->count, hit.tag->path,
                             result.result_root))
    return does_not_hold("the result that the accused signed does not name the canary.");
  return {};
}

}  // namespace

Json CanaryAlarm::to_json() const {
  Json::Array array;
  for (const CanaryHit& hit : hits) array.push_back(write_hit(hit));
  return Json::Object{{"accused", accused},       {"commit", write_shown(commit)},
                      {"hits", std::move(array)}, {"result", write_shown(result)},
                      {"run", to_hex(run)},       {"v", kAlarmVersion}};
}

Result<CanaryAlarm> CanaryAlarm::from_json(const Json& body) {
  log::ObjectReader reader(body, "the alarm");
  CanaryAlarm alarm;
  alarm.accused = reader.text("accused", 32);
  const Json commit = reader.object("commit");
  const Json::Array hits = reader.array("hits", kMaxAlarmHits);
  const Json result = reader.object("result");
  alarm.run = reader.digest("run");
  reader.integer("v", kAlarmVersion, kAlarmVersion);
  if (!log::is_nick(alarm.accused)) reader.refuse("it accuses nobody");
  if (hits.empty()) reader.refuse("it has no hits");
  TRY_STATUS(reader.finish());
  TRY(alarm.commit, shown_from(commit));
  TRY(alarm.result, shown_from(result));
  for (const Json& each : hits) {
    TRY(CanaryHit hit, hit_from(each));
    alarm.hits.push_back(std::move(hit));
  }
  return alarm;
}

Status check_alarm(const mirror::EntryView& entry, const AlarmSources& sources) {
  if (entry.entry.type != log::kCanaryAlarm || !entry.body) return fail(Errc::format, "This entry is no alarm.");
  const std::string& accuser = entry.entry.author;
  const std::string& session = entry.entry.session;
  TRY(const CanaryAlarm alarm, CanaryAlarm::from_json(*entry.body));
  if (alarm.accused == accuser) return does_not_hold("it accuses its own author.");
  TRY(const mirror::EntryView commit, shown_entry(alarm.commit, accuser, kCommit, session, sources));
  TRY(const mirror::EntryView result, shown_entry(alarm.result, alarm.accused, kResult, session, sources));
  TRY(const Commitment commitment, Commitment::from_json(*commit.body));
  TRY(const ResultStep signed_result, ResultStep::from_json(*result.body));
  TRY(const mirror::EntryView run, sources.entry(alarm.accused, alarm.run));
  TRY_STATUS(check_run(run, commit, result));
  TRY(const Answered answered, answered_by(commit, alarm.accused, sources));
  const Digest label = input_label(session, answered.accuser);
  // Each could date its own as it likes; of the accused's, was_fresh() asks others as well.
  const SessionTimes times{.earliest = std::min({commit.entry.time, run.entry.time, result.entry.time}),
                           .latest = std::max(commit.entry.time, run.entry.time),
                           .charter = answered.charter};
  std::set<indicator::Canonical> values;
  for (const CanaryHit& hit : alarm.hits) {
    if (!values.insert(hit.canary.canary.indicator).second) return does_not_hold("it counts one canary twice.");
    // Hits on canaries of several sets would let their owner pick, of many sets, the one that fits.
    if (hit.canary.set_entry != alarm.hits.front().canary.set_entry)
      return does_not_hold("its canaries are of more than one set.");
    TRY_STATUS(check_hit(hit, commitment, label, signed_result));
  }
  // Last, since it reads a log.
  for (const CanaryHit& hit : alarm.hits) TRY_STATUS(check_set(hit, commit, run, times, sources));
  if (!group::enough_for_alarm(chances_of(alarm.hits)))
    return does_not_hold(
        "one hit on a canary that an honest member may hold more often than once in 10,000 is not "
        "enough.");
  return {};
}

std::vector<std::int64_t> chances_of(std::span<const CanaryHit> hits) {
  std::vector<std::int64_t> chances;
  for (const CanaryHit& hit : hits) chances.push_back(hit.canary.canary.eps_ppm);
  return chances;
}

// --- making ---------------------------------------------------------------------------------------------------------

namespace {

// The entry of a step of the session, with what opens its body.
Result<CanaryAlarm::Shown> shown_step(vault::Vault& vault, group::JointLog& log, const std::string& session,
                                      const std::string& author, std::string_view type) {
  TRY(const auto steps, vault.session_steps(session));
  const auto step = std::ranges::find_if(
      steps, [&](const vault::SessionStep& each) { return each.author == author && each.type == type; });
  if (step == steps.end())
    return fail(Errc::policy, fmt::format("{} never signed the {} of this session, so there is nothing to show.",
                                          visible(author), type.substr(type.find('.') + 1)));
  TRY(const mirror::EntryView entry, find_step(log, *step));
  TRY(const auto body, vault.entry_body(entry.leaf_hash));
  if (!body) return fail(Errc::not_found, "A step of this session is not in the vault any more.");
  return CanaryAlarm::Shown{.entry = entry.leaf_hash,
                            .body = {.salt = body->salt, .text = std::string(as_text(body->content))}};
}

// The check of every other member, on the entry that `accuser` would write. @error Errc::policy with what it finds
Status would_hold(const CanaryAlarm& alarm, const std::string& accuser, const std::string& session,
                  const AlarmSources& sources) {
  mirror::EntryView entry;
  entry.entry.author = accuser;
  entry.entry.type = log::kCanaryAlarm;
  entry.entry.session = session;
  entry.body = alarm.to_json();
  auto holds = check_alarm(entry, sources);
  if (holds || holds.error().code != Errc::protocol) return holds;
  return fail(Errc::policy, std::move(holds).error().message);
}

// Of the hits of a session those that came first in one and the same session with this peer, and of several such parts
// the one that says most. Whoever asks again meets again what it has met: that is no further draw, and what it met in
// two sessions it did not meet in one.
Result<std::vector<CanaryHit>> met_together(vault::Vault& vault, const vault::SessionRow& row,
                                            std::vector<CanaryHit> hits) {
  std::map<indicator::Canonical, std::string> first;
  TRY(const auto sessions, vault.sessions({.group = row.group, .peer = row.peer}));  // the newest first
  for (auto each = std::ranges::find(sessions, row.id, &vault::SessionRow::id); each != sessions.end(); ++each) {
    TRY(const auto found, hits_of(vault, each->id));
    for (const CanaryHit& hit : found) first.insert_or_assign(hit.canary.canary.indicator, each->id);
  }
  std::map<std::string, std::vector<CanaryHit>> together;
  for (CanaryHit& hit : hits) together[first[hit.canary.canary.indicator]].push_back(std::move(hit));
  const auto most = std::ranges::max_element(
      together, {}, [](const auto& part) { return group::likelihood_ratio(chances_of(part.second)); });
  return most == together.end() ? std::vector<CanaryHit>{} : std::move(most->second);
}

}  // namespace

Result<CanaryAlarm> alarm_of(vault::Vault& vault, group::JointLog& log, const AlarmSources& sources,
                             const std::string& session) {
  TRY(std::vector<CanaryHit> hits, hits_of(vault, session));
  if (hits.empty()) return fail(Errc::usage, "No canary of yours was hit in this session.");
  TRY(const group::CanaryBook book, group::CanaryBook::load(vault, log.group()));
  std::erase_if(hits, [&](const CanaryHit& hit) { return book.is_published(hit.canary.canary.indicator); });
  if (hits.empty()) return fail(Errc::usage, "The hits of this session have been published already.");
  TRY(const vault::SessionRow row, vault.session(session));
  TRY(const vault::Peer peer, vault.peer(row.peer));
  TRY(const group::Card card, group::read_card(peer.card));
  std::erase_if(hits, [&](const CanaryHit& hit) {
    const auto told = book.told(card.nick, hit.canary.canary.indicator);
    return told && *told <= row.created;
  });
  if (hits.empty())
    return fail(Errc::policy, fmt::format("{} may have known before this session what your canaries were: a session "
                                          "in which they stood had been opened for an audit.",
                                          visible(card.nick)));
  std::erase_if(hits, [](const CanaryHit& hit) { return !hit.tag; });
  TRY(hits, met_together(vault, row, std::move(hits)));
  // The least likely to be an accident first: if it is enough by itself, no other is shown.
  std::ranges::sort(hits, {}, [](const CanaryHit& hit) { return hit.canary.canary.eps_ppm; });
  if (!hits.empty() && group::enough_for_alarm(chances_of(std::span(hits).first(1))))
    hits.erase(hits.begin() + 1, hits.end());
  else if (hits.size() > kMaxAlarmHits)
    hits.erase(hits.begin() + kMaxAlarmHits, hits.end());
  if (hits.empty())
    return fail(Errc::policy, "The other side left before it signed the result, so nothing can be shown of the hits.");
  if (!group::enough_for_alarm(chances_of(hits)))
    return fail(Errc::policy,
                "One hit on this canary is no ground for an alarm: an honest member may hold it more often than once "
                "in 10,000. It is kept; a second one that is met with it in the same session would be.");
  CanaryAlarm alarm{.accused = card.nick, .commit = {}, .result = {}, .run = {}, .hits = std::move(hits)};
  TRY(alarm.commit, shown_step(vault, log, session, log.nick(), kCommit));
  TRY(alarm.result, shown_step(vault, log, session, alarm.accused, kResult));
  TRY(const CanaryAlarm::Shown run, shown_step(vault, log, session, alarm.accused, kRun));
  alarm.run = run.entry;
  TRY_STATUS(would_hold(alarm, log.nick(), session, sources));
  return alarm;
}

Json CanaryOpinion::to_json() const {
  return Json::Object{{"agree", agree}, {"alarm", to_hex(alarm)}, {"v", kAlarmVersion}, {"why", why}};
}

Result<CanaryOpinion> CanaryOpinion::from_json(const Json& body) {
  log::ObjectReader reader(body, "the opinion on an alarm");
  CanaryOpinion opinion;
  opinion.agree = reader.boolean("agree");
  opinion.alarm = reader.digest("alarm");
  reader.integer("v", kAlarmVersion, kAlarmVersion);
  opinion.why = reader.text("why", group::kMaxCanaryReasonBytes);
  TRY_STATUS(reader.finish());
  return opinion;
}

}  // namespace parley::session
