// What a member keeps of its canaries, as one sealed PJ1 object (canary_book.h).
#include "group/canary_book.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/hash.h"
#include "log/entry.h"

namespace parley::group {
namespace {

using log::Json;

constexpr std::size_t kMaxBookBytes = 32 << 20;
/// Values that were ever canaries: above it none is added, so that there is a place for each that is shown to somebody.
constexpr std::size_t kMostUsed = 4096;
constexpr std::size_t kMostSeen = 1 << 16;  // those, and to whom what stands in sets was shown
constexpr std::size_t kMostRetired = 256;   // in a set of an older book
/// The one in use, and one that waits for its age.
constexpr std::size_t kMostSets = 2;
constexpr std::uint64_t kPlaces = log::kMaxInteger + 1;  // as many as a stored number and a double tell apart
constexpr std::string_view kPlaceDomain{"parley/canary-place/v1\0", 23};

std::string name_of_book(const std::string& group) {
  return "canaries/" + group;
}

Json to_json(const Canary& canary) {
  return Json::Object{{"reason", canary.reason()},
                      {"type", indicator::name_of(canary.indicator.type())},
                      {"value", canary.indicator.value()}};
}

Result<indicator::Canonical> indicator_from(log::ObjectReader& reader) {
  const auto type = indicator::type_named(reader.text("type", 32));
  std::string value = reader.text("value", indicator::kMaxValueBytes);
  if (!type) return fail(Errc::vault_damaged, "A stored canary has no known type.");
  return indicator::Canonical::from_storage(*type, std::move(value));
}

Result<Canary> canary_from(const Json& json) {
  log::ObjectReader reader(json, "a stored canary");
  const Json reason = reader.object("reason");
  TRY(const indicator::Canonical indicator, indicator_from(reader));
  TRY_STATUS(reader.finish());
  return make_canary(indicator.type(), indicator.value(), reason);
}

std::uint64_t place_from(const log::Salt& salt) {
  Bytes message = to_bytes(kPlaceDomain);
  append(message, salt);
  const Digest digest = crypto::sha256(message);
  return read_be<std::uint64_t>(digest) % kPlaces;
}

Result<CanaryBook::Committed> set_from(const Json& json) {
  log::ObjectReader reader(json, "a stored set of canaries");
  CanaryBook::Committed committed;
  committed.entry = reader.digest("entry");
  // Against whom a set entered no session any more: an older book says so, and it does not matter now.
  if (json.object() != nullptr && json.object()->contains("retired")) reader.texts("retired", kMostRetired, 64);
  committed.seq = static_cast<std::uint64_t>(reader.integer("seq", 0, log::kMaxInteger));
  const Json set = reader.object("set");
  committed.time = reader.integer("time", 0, log::kMaxInteger);
  TRY_STATUS(reader.finish());
  TRY(committed.set, CanarySet::from_json(set));
  return committed;
}

}  // namespace

Result<CanaryBook> CanaryBook::load(vault::Vault& vault, const std::string& group) {
  CanaryBook book;
  TRY(const auto stored, vault.secret(name_of_book(group)));
  if (!stored) return book;
  TRY(const Json json, log::parse_pjson(as_text(stored->expose()), kMaxBookBytes));
  log::ObjectReader reader(json, "the stored canaries");
  Json::Array appearances;  // a book that was kept before it had them: places come from the salts
  if (json.object() != nullptr && json.object()->contains("appearances"))
    appearances = reader.array("appearances", kMostSets * kCanaryLeaves);
  const Json::Array seen = reader.array("seen", kMostSeen);
  const Json::Array sets = reader.array("sets", kMostSets);
  const Json::Array waiting = reader.array("waiting", kCanaryLeaves);
  TRY_STATUS(reader.finish());
  for (const Json& each : seen) {
    log::ObjectReader one(each, "a canary that was seen");
    UnixSeconds at = 0;  // an older book does not say when
    if (each.object() != nullptr && each.object()->contains("at")) at = one.integer("at", 0, log::kMaxInteger);
    std::string by = one.text("by", 64);
    TRY(indicator::Canonical indicator, indicator_from(one));
    TRY_STATUS(one.finish());
    book.seen_.try_emplace({std::move(by), std::move(indicator)}, at);
  }
  for (const Json& each : sets) {
    TRY(Committed set, set_from(each));
    book.sets_.push_back(std::move(set));
  }
  for (const Json& each : waiting) {
    TRY(Canary canary, canary_from(each));
    book.waiting_.push_back(std::move(canary));
  }
  for (const Json& each : appearances) {
    log::ObjectReader one(each, "how a canary appears");
    Appearance appearance;
    if (each.object() != nullptr && each.object()->contains("passed"))
      appearance.passed = one.integer("passed", -log::kMaxInteger, log::kMaxInteger);
    appearance.place = static_cast<std::uint64_t>(one.integer("place", 0, log::kMaxInteger));
    TRY(indicator::Canonical indicator, indicator_from(one));
    TRY_STATUS(one.finish());
    book.appearances_.emplace(std::move(indicator), appearance);
  }
  book.follow_sets();
  return book;
}

Status CanaryBook::save(vault::Vault& vault, const std::string& group) const {
  Json::Array appearances, seen, sets, waiting;
  for (const auto& [indicator, appearance] : appearances_) {
    Json::Object one{{"place", static_cast<std::int64_t>(appearance.place)},
                     {"type", indicator::name_of(indicator.type())},
                     {"value", indicator.value()}};
    if (appearance.passed) one.emplace("passed", *appearance.passed);
    appearances.emplace_back(std::move(one));
  }
  for (const auto& [shown, at] : seen_)
    seen.emplace_back(Json::Object{{"at", at},
                                   {"by", shown.first},
                                   {"type", indicator::name_of(shown.second.type())},
                                   {"value", shown.second.value()}});
  for (const Committed& each : sets_)
    sets.emplace_back(Json::Object{{"entry", to_hex(each.entry)},
                                   {"seq", static_cast<std::int64_t>(each.seq)},
                                   {"set", each.set.to_json()},
                                   {"time", each.time}});
  for (const Canary& each : waiting_) waiting.push_back(to_json(each));
  const std::string text = log::write_pjson(Json::Object{{"appearances", std::move(appearances)},
                                                         {"seen", std::move(seen)},
                                                         {"sets", std::move(sets)},
                                                         {"waiting", std::move(waiting)}});
  return vault.put_secret(name_of_book(group), as_bytes(text));
}

Status CanaryBook::add(const Canary& canary) {
  const auto same = [&](const Canary& other) { return other.indicator == canary.indicator; };
  const bool in_newest =
      !sets_.empty() && std::ranges::any_of(sets_.back().set.canaries(), same, &CanarySet::Leaf::canary);
  if (in_newest || std::ranges::any_of(waiting_, same))
    return fail(Errc::exists, "This value is a canary of this group already.");
  if (std::ranges::any_of(seen_, [&](const auto& seen) { return seen.first.second == canary.indicator; }))
    return fail(Errc::exists, "This value was a canary that somebody has seen; it cannot be one again.");
  if (waiting_.size() >= kCanaryLeaves)
    return fail(Errc::limit, "A set has room for 64 canaries; that many wait already.");
  std::set<indicator::Canonical> used = usable();
  for (const auto& [seen, at] : seen_) used.insert(seen.second);
  if (used.size() >= kMostUsed)
    return fail(Errc::limit, "More canaries were used in this group than are kept here. Begin a new group.");
  waiting_.push_back(canary);
  return {};
}

Status CanaryBook::remove(const indicator::Canonical& indicator) {
  const std::size_t waited = std::erase_if(waiting_, [&](const Canary& each) { return each.indicator == indicator; });
  bool in_set = false;
  for (const Committed& set : sets_)
    for (const CanarySet::Leaf& leaf : set.set.canaries()) in_set |= leaf.canary.indicator == indicator;
  if (waited == 0 && !in_set) return fail(Errc::not_found, "This value is no canary of this group.");
  if (in_set) published(indicator);
  return {};
}

Result<CanarySet> CanaryBook::draw() const {
  std::vector<Canary> canaries = waiting_;
  if (!sets_.empty())
    for (const CanarySet::Leaf& leaf : sets_.back().set.canaries())
      if (canaries.size() < kCanaryLeaves && !is_published(leaf.canary.indicator)) canaries.push_back(leaf.canary);
  if (canaries.empty()) return fail(Errc::usage, "There are no canaries to commit to: parley canary add first.");
  return CanarySet::draw(canaries);
}

bool CanaryBook::has_news(UnixSeconds now) const {
  if (!waiting_.empty() || sets_.empty()) return true;
  const Committed& newest = sets_.back();
  if (now >= newest.time + kCanaryRenewal) return true;
  return std::ranges::any_of(newest.set.canaries(),
                             [&](const CanarySet::Leaf& leaf) { return is_published(leaf.canary.indicator); });
}

void CanaryBook::committed(CanarySet set, const Digest& entry, std::uint64_t seq, UnixSeconds time) {
  std::erase_if(waiting_, [&](const Canary& each) {
    return std::ranges::any_of(set.canaries(),
                               [&](const CanarySet::Leaf& leaf) { return leaf.canary.indicator == each.indicator; });
  });
  sets_.push_back({.set = std::move(set), .entry = entry, .seq = seq, .time = time});
  // An older one stays until the newest may be used; of several that wait, the last one counts.
  while (sets_.size() > kMostSets) sets_.erase(sets_.begin() + (sets_[1].time + kCanaryAge > time ? 1 : 0));
  follow_sets();
}

void CanaryBook::follow_sets() {
  std::map<indicator::Canonical, Appearance> placed;
  for (const Committed& set : sets_)  // the oldest first
    for (const CanarySet::Leaf& leaf : set.set.canaries()) {
      const auto known = appearances_.find(leaf.canary.indicator);
      placed.try_emplace(leaf.canary.indicator,
                         known != appearances_.end() ? known->second : Appearance{.place = place_from(leaf.salt)});
    }
  appearances_ = std::move(placed);
  std::vector<indicator::Canonical> used_up;
  std::erase_if(seen_, [&](const auto& seen) {
    const auto& [by, indicator] = seen.first;
    if (by == log::kEveryone || appearances_.contains(indicator)) return false;
    used_up.push_back(indicator);
    return true;
  });
  for (const indicator::Canonical& indicator : used_up) published(indicator);
}

bool CanaryBook::passes(const indicator::Canonical& canary, UnixSeconds since, double share) const {
  const auto appearance = appearances_.find(canary);
  if (appearance == appearances_.end()) return false;
  const auto& [place, passed] = appearance->second;
  return (passed && *passed >= since) || static_cast<double>(place) < share * static_cast<double>(kPlaces);
}

void CanaryBook::passed(const indicator::Canonical& canary, UnixSeconds since) {
  const auto appearance = appearances_.find(canary);
  if (appearance == appearances_.end()) return;
  std::optional<UnixSeconds>& passed = appearance->second.passed;
  passed = std::max(passed.value_or(since), since);
}

const CanaryBook::Committed* CanaryBook::in_use(UnixSeconds now,
                                                const std::function<bool(std::uint64_t seq)>& is_final) const {
  for (auto set = sets_.rbegin(); set != sets_.rend(); ++set)
    if (now >= set->time + kCanaryAge && now < set->time + kCanaryLastUse && is_final(set->seq)) return &*set;
  return nullptr;
}

const CanaryBook::Committed* CanaryBook::oldest_with(const indicator::Canonical& canary) const {
  const auto set = std::ranges::find_if(sets_, [&](const Committed& each) {
    return std::ranges::any_of(each.set.canaries(),
                               [&](const CanarySet::Leaf& leaf) { return leaf.canary.indicator == canary; });
  });
  return set == sets_.end() ? nullptr : &*set;
}

std::vector<CommittedCanary> CanaryBook::entering(const Committed& set, std::span<const indicator::Type> types) const {
  std::vector<CommittedCanary> entering;
  for (CommittedCanary& each : set.set.committed()) {
    const indicator::Canonical& indicator = each.canary.indicator;
    if (std::ranges::find(types, indicator.type()) == types.end() || is_published(indicator)) continue;
    each.set_entry = set.entry;
    entering.push_back(std::move(each));
  }
  return entering;
}

void CanaryBook::opened_to(std::string_view nick, UnixSeconds now) {
  for (const Committed& set : sets_)
    for (const CanarySet::Leaf& leaf : set.set.canaries())
      seen_.try_emplace({std::string(nick), leaf.canary.indicator}, now);
}

std::optional<UnixSeconds> CanaryBook::told(std::string_view nick, const indicator::Canonical& canary) const {
  const auto shown = seen_.find({std::string(nick), canary});
  return shown == seen_.end() ? std::nullopt : std::optional(shown->second);
}

std::set<std::string> CanaryBook::told_of(const Committed& set) const {
  std::set<std::string> nicks;
  for (const auto& [shown, at] : seen_)
    if (shown.first != log::kEveryone && std::ranges::any_of(set.set.canaries(), [&](const CanarySet::Leaf& leaf) {
          return leaf.canary.indicator == shown.second;
        }))
      nicks.insert(shown.first);
  return nicks;
}

void CanaryBook::published(const indicator::Canonical& indicator) {
  seen_.try_emplace({std::string(log::kEveryone), indicator}, 0);
}

std::set<indicator::Canonical> CanaryBook::usable() const {
  std::set<indicator::Canonical> values;
  for (const Canary& canary : waiting_) values.insert(canary.indicator);
  for (const Committed& set : sets_)
    for (const CanarySet::Leaf& leaf : set.set.canaries())
      if (!is_published(leaf.canary.indicator)) values.insert(leaf.canary.indicator);
  return values;
}

bool CanaryBook::is_published(const indicator::Canonical& indicator) const {
  return seen_.contains({std::string(log::kEveryone), indicator});
}

}  // namespace parley::group
