// Builds context records from the vault's sources.
#include "session/context_record.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace parley::session {
namespace {

constexpr std::string_view kCut = "(more)";

// A sorted list of distinct texts, cut where a field's limits are reached.
log::Json text_list(const std::set<std::string>& texts) {
  if (texts.empty()) return kFiller;
  log::Json::Array list;
  std::size_t bytes = 2;
  for (const std::string& text : texts) {
    // Of one byte visible() and PJ1 make at most six, and quotes and a comma stand around the text.
    bytes += 6 * text.size() + 3;
    if (list.size() == kMaxFieldEntries || bytes > kMaxFieldBytes - kCut.size() - 3) {
      list.emplace_back(kCut);
      break;
    }
    // What cannot be signed or would deceive whoever reads it, such as a file's name that is no UTF-8, is spelt out.
    list.emplace_back(visible(text));
  }
  return list;
}

struct Merged {
  std::optional<UnixSeconds> first_seen, last_seen;
  std::optional<std::uint8_t> confidence;
  std::optional<indicator::Pap> pap;
  std::uint64_t sightings = 0;
  std::set<std::string> sources;
  std::array<std::set<std::string>, 5> labels;  // by LabelKind

  void take(const vault::SourceContext& source) {
    const indicator::Context& context = source.context;
    if (context.first_seen) first_seen = std::min(first_seen.value_or(*context.first_seen), *context.first_seen);
    if (context.last_seen) last_seen = std::max(last_seen.value_or(*context.last_seen), *context.last_seen);
    if (context.confidence) confidence = std::max(confidence.value_or(0), *context.confidence);
    if (context.pap) pap = std::max(pap.value_or(*context.pap), *context.pap);
    sightings += context.sightings;
    sources.insert(source.source);
    for (const indicator::Label& label : context.labels)
      labels[static_cast<std::size_t>(label.kind)].insert(label.name);
  }
};

}  // namespace

ContextFields empty_fields() {
  return {kFiller, kFiller, kFiller, kFiller, kFiller, kFiller, kFiller, kFiller, kFiller, kFiller, kFiller, kFiller};
}

std::optional<std::size_t> field_index(std::string_view path) {
  const auto found = std::ranges::find(kFieldPaths, path);
  if (found == kFieldPaths.end()) return std::nullopt;
  return static_cast<std::size_t>(found - kFieldPaths.begin());
}

ContextRecord context_record(std::span<const vault::SourceContext> sources) {
  Merged merged;
  std::optional<indicator::Tlp> strictest;
  for (const vault::SourceContext& source : sources) {
    const indicator::Tlp tlp = source.context.tlp.value_or(kDefaultTlp);
    if (tlp == indicator::Tlp::red) continue;
    strictest = std::max(strictest.value_or(tlp), tlp);
    merged.take(source);
  }
  ContextRecord record;
  if (!strictest) {
    record.tlp = indicator::Tlp::red;
    return record;
  }
  record.tlp = *strictest;
  const auto set = [&](std::string_view path, log::Json value) {
    record.fields[*field_index(path)] = std::move(value);
  };
  const auto labels = [&](indicator::LabelKind kind) {
    return text_list(merged.labels[static_cast<std::size_t>(kind)]);
  };
  set("actor", labels(indicator::LabelKind::actor));
  set("label", labels(indicator::LabelKind::label));
  set("malware", labels(indicator::LabelKind::malware));
  set("sector", labels(indicator::LabelKind::sector));
  set("technique", labels(indicator::LabelKind::technique));
  set("source", text_list(merged.sources));
  if (merged.first_seen) set("first_seen", to_rfc3339(*merged.first_seen));
  if (merged.last_seen) set("last_seen", to_rfc3339(*merged.last_seen));
  if (merged.confidence) set("confidence", static_cast<std::int64_t>(*merged.confidence));
  if (merged.pap) set("pap", indicator::name_of(*merged.pap));
  set("sightings", static_cast<std::int64_t>(std::min<std::uint64_t>(merged.sightings, log::kMaxInteger)));
  set("tlp", indicator::name_of(record.tlp));
  return record;
}

bool is_made_of(const ContextFields& fields, std::string_view source) {
  const log::Json::Array* const names = fields[*field_index("source")].array();
  return names != nullptr && std::ranges::any_of(*names, [shown = visible(source)](const log::Json& name) {
           return *name.text() == shown || *name.text() == kCut;
         });
}

log::Json to_json(const ContextRecord& record) {
  log::Json::Object object;
  for (std::size_t i = 0; i < kFieldPaths.size(); ++i)
    if (record.has(i)) object.emplace(kFieldPaths[i], record.fields[i]);
  return object;
}

}  // namespace parley::session
