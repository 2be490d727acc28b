// Which canaries enter, and the record of hits (canary_hits.h).
#include "session/canary_hits.h"

#include <algorithm>
#include <map>

#include "base/encoding.h"
#include "crypto/hash.h"
#include "group/membership.h"
#include "session/detail/canary_json.h"
#include "session/result_root.h"
#include "session/secrets.h"

namespace parley::session {
namespace {

using detail::kMaxItemPath, detail::kSetPath, detail::number, detail::salt_in, detail::tag_from;
using log::Json;

// 64 hits, each with all that the peer may open for it: it must not get rid of the evidence by opening much.
constexpr std::size_t kMaxHitsBytes = 32 << 20;

Json to_json(const CanaryHit& hit) {
  const group::CommittedCanary& canary = hit.canary;
  Json::Object object{{"index", number(canary.index)},
                      {"item_count", number(hit.item_count)},
                      {"item_index", number(hit.item_index)},
                      {"item_path", log::hex_of(hit.item_path)},
                      {"item_salt", to_base64(hit.item_salt)},
                      {"path", log::hex_of(canary.path)},
                      {"reason", canary.canary.reason()},
                      {"salt", to_base64(canary.salt)},
                      {"set", to_hex(canary.set_entry)},
                      {"theirs", hit.theirs},
                      {"type", indicator::name_of(canary.canary.indicator.type())},
                      {"value", canary.canary.indicator.value()}};
  if (hit.tag) object.emplace("tag", detail::to_json(*hit.tag));
  return object;
}

Result<CanaryHit> hit_from(const Json& json) {
  log::ObjectReader reader(json, "a stored hit");
  const auto index = static_cast<std::uint64_t>(reader.integer("index", 0, group::kCanaryLeaves - 1));
  const auto item_count = static_cast<std::uint64_t>(reader.integer("item_count", 1, log::kMaxInteger));
  const auto item_index = static_cast<std::uint64_t>(reader.integer("item_index", 0, log::kMaxInteger));
  std::vector<Digest> item_path = reader.digests("item_path", kMaxItemPath);
  const log::Salt item_salt = salt_in(reader, "item_salt");
  std::vector<Digest> path = reader.digests("path", kSetPath);
  const Json reason = reader.object("reason");
  const log::Salt salt = salt_in(reader, "salt");
  const Digest set_entry = reader.digest("set");
  std::optional<Json> tag_json;
  if (json.object() != nullptr && json.object()->contains("tag")) tag_json = reader.object("tag");
  std::string theirs = reader.text("theirs", kFieldPaths.size() * kMaxFieldBytes * 2);
  const auto type = indicator::type_named(reader.text("type", 32));
  const std::string value = reader.text("value", indicator::kMaxValueBytes);
  if (!type) reader.refuse("its type is not a known one");
  TRY_STATUS(reader.finish());
  TRY(group::Canary canary, group::make_canary(*type, value, reason));
  CanaryHit hit{.canary = {.canary = std::move(canary),
                           .set_entry = set_entry,
                           .salt = salt,
                           .index = index,
                           .path = std::move(path)},
                .item_salt = item_salt,
                .item_index = item_index,
                .item_path = std::move(item_path),
                .item_count = item_count,
                .tag = {},
                .theirs = std::move(theirs)};
  if (tag_json) {
    TRY(hit.tag, tag_from(*tag_json, "the tag of a stored hit"));
  }
  return hit;
}

// The same order in every session with this peer, as long as the set is in use. Salts are nobody's but ours.
void put_in_order(std::vector<group::CommittedCanary>& canaries, std::string_view peer) {
  std::ranges::sort(canaries, {}, [&](const group::CommittedCanary& each) {
    Bytes place = to_bytes(each.salt);
    append(place, as_bytes(peer));
    return crypto::sha256(place);
  });
}

using Counts = std::map<indicator::Type, std::uint64_t>;

/// Which part of our indicators of `type` is no older than the question asks for. Where we have none of that type, that
/// of all of ours: a date must not keep out the only ones that there are to meet.
double share_of(indicator::Type type, const Counts& since, const Counts& whole) {
  const auto sum = [of_type = whole.contains(type), type](const Counts& counts) {
    std::uint64_t all = 0;
    for (const auto& [each, count] : counts) all += !of_type || each == type ? count : 0;
    return static_cast<double>(all);
  };
  return sum(whole) == 0 ? 0 : sum(since) / sum(whole);
}

// Those that pass for indicators as new as the question asks for; which ones do is durable before the other side sees
// it.
Status keep_those_since(vault::Vault& vault, vault::Selection selection, const std::string& group,
                        std::vector<group::CommittedCanary>& canaries) {
  const UnixSeconds since = *selection.since;
  selection.types.clear();
  TRY(const Counts counted, vault.count(selection));
  selection.since.reset();
  TRY(const Counts whole, vault.count(selection));
  return vault.together([&]() -> Status {
    TRY(group::CanaryBook book, group::CanaryBook::load(vault, group));
    std::erase_if(canaries, [&](const group::CommittedCanary& each) {
      const indicator::Canonical& canary = each.canary.indicator;
      return !book.passes(canary, since, share_of(canary.type(), counted, whole));
    });
    for (const group::CommittedCanary& each : canaries) book.passed(each.canary.indicator, since);
    return canaries.empty() ? Status{} : book.save(vault, group);
  });
}

}  // namespace

Result<const group::CanaryBook::Committed*> canary_set_in_use(const group::CanaryBook& book,
                                                              const AlarmSources& sources,
                                                              const group::Membership& membership, UnixSeconds now,
                                                              const std::string& peer) {
  const group::CharterMember* us = membership.ourselves();
  if (us == nullptr) return nullptr;
  Status read;
  const group::CanaryBook::Committed* set = book.in_use(now, [&](std::uint64_t seq) {
    const auto in_time = sources.final_by({.nick = us->keys.nick,
                                           .seq = seq,
                                           .time = now - group::kCanaryAge,
                                           .charter = membership.signed_charter().hash,
                                           .accused = peer});
    if (!in_time) read = std::unexpected(in_time.error());
    return in_time && *in_time;
  });
  TRY_STATUS(read);
  return set;
}

Result<std::vector<group::CommittedCanary>> canaries_for(vault::Vault& vault, const group::Membership& membership,
                                                         const Question& question, const vault::Selection& selection,
                                                         const std::string& peer, UnixSeconds now) {
  if (canary_places(question) == 0) return std::vector<group::CommittedCanary>{};
  TRY(const group::CanaryBook book, group::CanaryBook::load(vault, membership.charter().group));
  TRY(const AlarmSources sources, sources_of(vault, membership));
  TRY(const group::CanaryBook::Committed* set, canary_set_in_use(book, sources, membership, now, peer));
  if (set == nullptr) return std::vector<group::CommittedCanary>{};
  std::vector<group::CommittedCanary> entering = book.entering(*set, question.types);
  if (selection.since && !entering.empty())
    TRY_STATUS(keep_those_since(vault, selection, membership.charter().group, entering));
  put_in_order(entering, peer);
  return entering;
}

CanaryHit hit_at(const Input& input, std::size_t position, std::span<const group::CommittedCanary> canaries) {
  const indicator::Canonical& value = *input.canary(position);
  const auto canary = std::ranges::find_if(
      canaries, [&](const group::CommittedCanary& each) { return each.canary.indicator == value; });
  const ItemOpening item = input.commitments().opening(position, input.tree_index(position), empty_fields());
  return {.canary = *canary,
          .item_salt = item.salt,
          .item_index = item.index,
          .item_path = item.items_path,
          .item_count = input.size(),
          .tag = {},
          .theirs = {}};
}

CanaryHit::Tag tag_under(const log::MerkleTree& tree, const Secret<32>& key, const indicator::Canonical& indicator) {
  const Digest item_key = result_item_key(key, indicator);
  const auto leaf = std::ranges::find(tree.leaves(), result_leaf(item_key, indicator));
  const auto index = static_cast<std::uint64_t>(leaf - tree.leaves().begin());
  return {.item_key = item_key, .index = index, .path = tree.inclusion_proof(index), .count = tree.size()};
}

Status keep_hits(vault::Vault& vault, const std::string& group, const std::string& session,
                 std::span<const CanaryHit> hits) {
  if (hits.empty()) return {};
  return vault.together([&]() -> Status {
    TRY(const vault::GroupRow row, vault.group(group));
    if (row.state != group::kActive) return {};  // at its end all secrets of its sessions go, and none comes after
    Json::Array array;
    for (const CanaryHit& hit : hits) array.push_back(to_json(hit));
    const std::string text = log::write_pjson(Json::Object{{"hits", std::move(array)}});
    return vault.put_secret(hits_name(session), as_bytes(text));
  });
}

Status note_canaries_opened(vault::Vault& vault, const std::string& group, std::span<const std::string> nicks) {
  return vault.together([&]() -> Status {
    TRY(group::CanaryBook book, group::CanaryBook::load(vault, group));
    if (book.sets().empty()) return {};
    for (const std::string& nick : nicks) book.opened_to(nick, wall_clock_now());
    return book.save(vault, group);
  });
}

Result<std::vector<CanaryHit>> hits_of(vault::Vault& vault, const std::string& session) {
  std::vector<CanaryHit> hits;
  TRY(const auto stored, vault.secret(hits_name(session)));
  if (!stored) return hits;
  TRY(const Json json, log::parse_pjson(as_text(stored->expose()), kMaxHitsBytes));
  log::ObjectReader reader(json, "the stored hits of a session");
  const Json::Array array = reader.array("hits", group::kCanaryLeaves);
  TRY_STATUS(reader.finish());
  for (const Json& each : array) {
    TRY(CanaryHit hit, hit_from(each));
    hits.push_back(std::move(hit));
  }
  return hits;
}

}  // namespace parley::session
