// Records of admission: written, read, and gathered from the logs (records.h).
#include "admission/records.h"

#include <fmt/format.h>

#include <algorithm>

#include "admission/detail/framed_hash.h"
#include "base/encoding.h"
#include "crypto/hash.h"
#include "log/commitment.h"
#include "log/entry.h"
#include "log/entry_type.h"
#include "vault/number_setting.h"

namespace parley::admission {
namespace {

using log::Json;
using log::ObjectReader;

constexpr std::string_view kClaimDomain{"parley/admission/key/v1\0", 24};
constexpr std::string_view kBatchDomain{"parley/admission/batch/v1\0", 26};
constexpr std::size_t kMaxEpochBytes = 64;
constexpr std::size_t kMaxNickBytes = 32;
constexpr std::size_t kMaxTypeBytes = 32;
constexpr std::uint64_t kLeavesAtOnce = 1024;
/// In the one spelling of an entry that is of admission. Where another entry has it, it is read in full and left.
constexpr std::string_view kTypeMark = "\"type\":\"admission.";

Result<KeyRecord::OfType> key_of_type(const Json& json) {
  ObjectReader reader(json, "a key for admission");
  KeyRecord::OfType of_type;
  const Bytes key = reader.bytes("key", of_type.key.size());
  const Bytes proof = reader.bytes("proof", of_type.proof.size());
  const auto type = indicator::type_named(reader.text("type", kMaxTypeBytes));
  if (!type) reader.refuse("\"type\" is no type of indicator that is known here");
  TRY_STATUS(reader.finish());
  of_type.type = *type;
  std::ranges::copy(key, of_type.key.begin());
  std::ranges::copy(proof, of_type.proof.begin());
  return of_type;
}

/// What a stretch of a log says.
struct Gathered {
  std::vector<vault::AdmissionKey> keys;
  std::vector<vault::AdmissionCount> counts;
  std::uint64_t read_to = 0;
  std::uint64_t key_records = 0;  ///< of the log up to there
  std::uint64_t verified = 0;     ///< proofs
};

std::string key_records_setting(std::string_view origin) {
  return fmt::format("admission-key-records {}", origin);
}

/// How many records of keys are in what was read of a log. A log that is read anew is counted anew.
Result<std::uint64_t> key_records_before(vault::Vault& vault, std::string_view origin, std::uint64_t read_to) {
  if (read_to == 0) return 0;
  TRY(const auto count, vault::number_setting(vault, key_records_setting(origin), "the keys for admission in a log"));
  return count.value_or(0);
}

/// What was gathered is durable, and the next stretch begins.
Status note(vault::Vault& vault, const vault::LogHead& head, Gathered& gathered) {
  const auto put = [&]() -> Status {
    TRY_STATUS(vault.note_admissions(head.group, head.origin, gathered.read_to, gathered.keys, gathered.counts));
    return vault.put_setting(key_records_setting(head.origin), fmt::format("{}", gathered.key_records));
  };
  TRY_STATUS(vault.together(put));
  gathered.keys.clear();
  gathered.counts.clear();
  return {};
}

/// A proof costs more than the entry that it came in. So what is known is not verified again, nor is anything beyond
/// the records that a member may have to write.
Status gather_key(vault::Vault& vault, const vault::LogHead& head, const Json& body, Gathered& out) {
  if (++out.key_records > kMostKeyRecords) return {};
  const auto record = key_record_from_json(body);
  if (!record) return {};
  TRY(auto known, vault.admission_keys(head.group, record->epoch));
  known.insert(known.end(), out.keys.begin(), out.keys.end());
  for (const KeyRecord::OfType& said : record->keys) {
    const bool is_known = std::ranges::any_of(known, [&](const vault::AdmissionKey& key) {
      return key.nick == head.nick && key.epoch == record->epoch && key.type == said.type;
    });
    if (is_known) continue;
    const auto key = crypto::Element::decode(said.key);
    const Digest claim = claim_of(head.group, head.nick, *record, said.type);
    ++out.verified;
    if (key && psi::admission::verify_possession(*key, claim, said.proof))
      out.keys.push_back({head.nick, record->epoch, said.type, joined(record->members), said.key});
  }
  return {};
}

void gather_count(const vault::LogHead& head, const log::Entry& entry, const Digest& leaf, const Json& body,
                  Gathered& out) {
  const auto record = count_record_from_json(body);
  if (!record) return;
  out.counts.push_back({.helper = head.nick,
                        .owner = record->owner,
                        .type = record->type,
                        .epoch = record->epoch,
                        .batch = record->batch,
                        .answers = record->answers,
                        .count = record->count,
                        .entry = leaf,
                        .time = entry.time});
}

/// @return whether reading goes on: not where the body of a record is not here yet
Result<bool> gather(vault::Vault& vault, const vault::LogHead& head, const vault::LogLeaf& leaf, Gathered& out) {
  if (!leaf.note.contains(kTypeMark)) return true;
  const auto entry = log::read_entry_unverified(leaf.note);
  if (!entry || entry->seq != out.read_to)
    return fail(Errc::vault_damaged,
                fmt::format("Entry {} of a log is damaged here. parley log fsck says more.", out.read_to));
  const bool is_key = entry->type == log::kAdmissionEpoch;
  if (!is_key && entry->type != log::kAdmissionCount) return true;
  // A record that not everybody can read says nothing to anybody.
  if (entry->audience != std::vector<std::string>{std::string(log::kEveryone)}) return true;
  TRY(const auto kept, vault.entry_body(leaf.hash));
  if (!kept) return false;
  const auto body = log::open_body(*entry, {kept->salt, std::string(as_text(kept->content))});
  if (!body) return true;
  if (is_key)
    TRY_STATUS(gather_key(vault, head, *body, out));
  else
    gather_count(head, *entry, leaf.hash, *body, out);
  return true;
}

/// @return how many proofs were verified
Result<std::uint64_t> read_log(vault::Vault& vault, const vault::LogHead& head) {
  Gathered gathered;
  TRY(gathered.read_to, vault.admission_read_to(head.origin));
  TRY(gathered.key_records, key_records_before(vault, head.origin, gathered.read_to));
  while (gathered.read_to < head.size) {
    TRY(const auto leaves, vault.log_leaves(head.origin, gathered.read_to, kLeavesAtOnce));
    if (leaves.empty()) return fail(Errc::vault_damaged, "Entries of a log are not in the vault any more.");
    bool goes_on = true;
    for (const vault::LogLeaf& leaf : leaves) {
      TRY(goes_on, gather(vault, head, leaf, gathered));
      if (!goes_on) break;
      ++gathered.read_to;
    }
    TRY_STATUS(note(vault, head, gathered));
    if (!goes_on) break;
  }
  return gathered.verified;
}

}  // namespace

Json to_json(const KeyRecord& record) {
  Json::Array keys;
  for (const KeyRecord::OfType& each : record.keys)
    keys.push_back(Json::Object{
        {"key", to_base64(each.key)}, {"proof", to_base64(each.proof)}, {"type", indicator::name_of(each.type)}});
  return Json::Object{{"epoch", record.epoch},
                      {"keys", std::move(keys)},
                      {"members", Json::Array(record.members.begin(), record.members.end())},
                      {"v", 1}};
}

Result<KeyRecord> key_record_from_json(const Json& body) {
  ObjectReader reader(body, "the key for admission");
  KeyRecord record;
  record.epoch = reader.text("epoch", kMaxEpochBytes);
  const Json::Array keys = reader.array("keys", indicator::kAllTypes.size());
  record.members = reader.texts("members", log::kMaxGroupMembers, kMaxNickBytes);
  reader.integer("v", 1, 1);
  if (std::ranges::adjacent_find(record.members, std::greater_equal<>()) != record.members.end())
    reader.refuse("its members must ascend, each once");
  if (keys.empty()) reader.refuse("it has no key");
  TRY_STATUS(reader.finish());
  for (const Json& each : keys) {
    TRY(KeyRecord::OfType key, key_of_type(each));
    if (!record.keys.empty() && indicator::name_of(record.keys.back().type) >= indicator::name_of(key.type))
      return fail(Errc::format, "The keys for admission do not ascend by type, each once.");
    record.keys.push_back(std::move(key));
  }
  return record;
}

Digest claim_of(std::string_view group, std::string_view author, const KeyRecord& record, indicator::Type type) {
  crypto::Sha256 hash;
  hash.update(as_bytes(kClaimDomain));
  detail::take_in(hash, group);
  detail::take_in(hash, author);
  detail::take_in(hash, record.epoch);
  hash.update(ByteArray<1>{static_cast<std::byte>(type)});
  for (const std::string& nick : record.members) detail::take_in(hash, nick);
  return hash.finish();
}

std::string joined(std::span<const std::string> nicks) {
  return fmt::format("{}", fmt::join(nicks, ","));
}

Json to_json(const CountRecord& record) {
  return Json::Object{{"answers", to_hex(record.answers)},
                      {"batch", to_hex(record.batch)},
                      {"count", record.count},
                      {"epoch", to_hex(record.epoch)},
                      {"owner", record.owner},
                      {"total", record.total},
                      {"type", indicator::name_of(record.type)},
                      {"v", 1}};
}

Result<CountRecord> count_record_from_json(const Json& body) {
  ObjectReader reader(body, "the count of an admission");
  CountRecord record;
  record.answers = reader.digest("answers");
  record.batch = reader.digest("batch");
  record.count = reader.integer("count", 1, static_cast<std::int64_t>(psi::admission::kMostInBatch));
  record.epoch = reader.digest("epoch");
  record.owner = reader.text("owner", kMaxNickBytes);
  record.total = reader.integer("total", record.count, log::kMaxInteger);
  const auto type = indicator::type_named(reader.text("type", kMaxTypeBytes));
  if (!type) reader.refuse("\"type\" is no type of indicator that is known here");
  reader.integer("v", 1, 1);
  TRY_STATUS(reader.finish());
  record.type = *type;
  return record;
}

Digest batch_hash(const Digest& epoch, std::string_view owner, indicator::Type type, ByteView blinded) {
  crypto::Sha256 hash;
  hash.update(as_bytes(kBatchDomain));
  hash.update(epoch);
  detail::take_in(hash, owner);
  const ByteArray<1> number{static_cast<std::byte>(type)};
  hash.update(number);
  hash.update(blinded);
  return hash.finish();
}

Result<std::uint64_t> read_logs(vault::Vault& vault, const std::string& group) {
  TRY(const std::vector<vault::LogHead> heads, vault.logs());
  std::uint64_t verified = 0;
  for (const vault::LogHead& head : heads) {
    if (head.group != group) continue;
    TRY(const std::uint64_t of_log, read_log(vault, head));
    verified += of_log;
  }
  return verified;
}

}  // namespace parley::admission
