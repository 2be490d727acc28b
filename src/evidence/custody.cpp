#include "evidence/custody.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "log/pjson.h"

namespace parley::evidence {
namespace {

constexpr std::array<std::string_view, kAllStages.size()> kStageNames = {
    "identification", "collection", "acquisition", "preservation", "examination", "transfer", "disposal"};
constexpr std::int64_t kVersion = 1;
constexpr std::size_t kHexBytes = 2 * sizeof(Digest);

std::string hex_or_empty(const std::optional<Digest>& digest) {
  return digest ? to_hex(*digest) : std::string();
}

// 64 hex digits or nothing.
std::optional<Digest> read_hash(log::ObjectReader& reader, std::string_view key) {
  const std::string text = reader.text(key, kHexBytes);
  if (text.empty()) return std::nullopt;
  Digest digest{};
  if (!read_hex(text, digest)) {
    reader.refuse("one of its hashes is none");
    return std::nullopt;
  }
  return digest;
}

Status check(const CustodyStep& step) {
  if (step.actor.empty()) return fail(Errc::usage, "A step of a chain of custody says who took it: give --actor.");
  for (const std::string* text : {&step.actor, &step.role, &step.tool, &step.tool_version, &step.tool_sha256,
                                  &step.command, &step.source_device, &step.location, &step.note}) {
    if (text->size() > kMaxCustodyTextBytes || !is_valid_utf8(*text))
      return fail(Errc::usage,
                  fmt::format("The texts of a step have at most {} bytes each, of valid UTF-8.", kMaxCustodyTextBytes));
  }
  return {};
}

}  // namespace

std::string_view name_of(Stage stage) {
  return kStageNames[static_cast<std::size_t>(stage)];
}

std::optional<Stage> stage_named(std::string_view name) {
  const auto found = std::ranges::find(kStageNames, name);
  if (found == kStageNames.end()) return std::nullopt;
  return kAllStages[static_cast<std::size_t>(found - kStageNames.begin())];
}

Result<std::string> write_custody(const CustodyEntry& entry) {
  const CustodyStep& step = entry.step;
  TRY_STATUS(check(step));
  return log::write_pjson(log::Json::Object{{"actor", step.actor},
                                            {"command", step.command},
                                            {"file", static_cast<std::int64_t>(step.file)},
                                            {"hash_after", hex_or_empty(step.hash_after)},
                                            {"hash_before", hex_or_empty(step.hash_before)},
                                            {"location", step.location},
                                            {"note", step.note},
                                            {"prev", to_hex(entry.prev)},
                                            {"role", step.role},
                                            {"seq", static_cast<std::int64_t>(entry.seq)},
                                            {"source_device", step.source_device},
                                            {"stage", name_of(step.stage)},
                                            {"time", entry.time},
                                            {"tool", step.tool},
                                            {"tool_sha256", step.tool_sha256},
                                            {"tool_version", step.tool_version},
                                            {"v", kVersion}});
}

Result<CustodyEntry> read_custody(std::string_view text) {
  TRY(const log::Json json, log::parse_pjson(text, kMaxCustodyEntryBytes));
  log::ObjectReader reader(json, "the entry of a chain of custody");
  CustodyEntry entry;
  CustodyStep& step = entry.step;
  const auto read = [&](std::string_view key) { return reader.text(key, kMaxCustodyTextBytes); };
  step.actor = read("actor");
  step.command = read("command");
  step.file = static_cast<std::uint64_t>(reader.integer("file", 0, log::kMaxInteger));
  step.hash_after = read_hash(reader, "hash_after");
  step.hash_before = read_hash(reader, "hash_before");
  step.location = read("location");
  step.note = read("note");
  entry.prev = reader.digest("prev");
  step.role = read("role");
  entry.seq = static_cast<std::uint64_t>(reader.integer("seq", 0, kMaxCustodyEntries));
  step.source_device = read("source_device");
  const auto stage = stage_named(read("stage"));
  entry.time = reader.integer("time", 0, log::kMaxInteger);
  step.tool = read("tool");
  step.tool_sha256 = read("tool_sha256");
  step.tool_version = read("tool_version");
  reader.integer("v", kVersion, kVersion);
  if (!stage) reader.refuse("its stage is none that there is");
  if (step.actor.empty()) reader.refuse("it does not say who took it");
  TRY_STATUS(reader.finish());
  step.stage = *stage;
  return entry;
}

CustodyEntry Chain::next(CustodyStep step, UnixSeconds now) const {
  const UnixSeconds before = entries.empty() ? 0 : entries.back().time;
  return {.seq = entries.size(), .prev = last_, .time = std::max(now, before), .step = std::move(step)};
}

void Chain::add(CustodyEntry entry, std::string_view text) {
  last_ = log::leaf_hash(as_bytes(text));
  tree.append(last_);
  entries.push_back(std::move(entry));
}

Result<Chain> read_chain(std::span<const std::string> texts) {
  Chain chain;
  for (const std::string& text : texts) {
    const auto broken = [&](std::string_view why) {
      return fail(Errc::vault_damaged, fmt::format("Entry {} of the chain of custody {}.", chain.entries.size(), why));
    };
    auto entry = read_custody(text);
    if (!entry) return broken("is not as it was written: " + entry.error().message);
    if (entry->seq != chain.entries.size()) return broken("stands in another's place");
    if (entry->prev != chain.last_) return broken("does not follow the one before it");
    if (!chain.entries.empty() && entry->time < chain.entries.back().time)
      return broken("is older than the one before");
    chain.add(*std::move(entry), text);
  }
  return chain;
}

}  // namespace parley::evidence
