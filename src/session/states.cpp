// Terms and outcome of a session as PJ1 text.
#include "session/states.h"

#include <algorithm>

#include "base/text.h"
#include "group/canary.h"

namespace parley::session {
namespace {

constexpr std::size_t kMaxTermsBytes = 64 * 1024;
constexpr std::size_t kMaxTextBytes = 4096;
constexpr std::size_t kMaxTypeBytes = 32;

using Sizes = std::map<indicator::Type, std::uint64_t>;

// PJ1 keys have no hyphen; "user-agent" is the one type name that has.
log::Json sizes_to_json(const Sizes& sizes) {
  log::Json::Object json;
  for (const auto& [type, count] : sizes) {
    std::string key(indicator::name_of(type));
    std::ranges::replace(key, '-', '_');
    json.emplace(std::move(key), static_cast<std::int64_t>(count));
  }
  return json;
}

Result<Sizes> sizes_from_json(const log::Json& json) {
  Sizes sizes;
  log::ObjectReader reader(json, "the stored sizes of a session");
  for (const auto& [key, unused] : *json.object()) {
    std::string name = key;
    std::ranges::replace(name, '_', '-');
    const auto count = static_cast<std::uint64_t>(reader.integer(key, 0, log::kMaxInteger));
    if (const auto type = indicator::type_named(name)) sizes[*type] = count;
  }
  TRY_STATUS(reader.finish());
  return sizes;
}

log::Json types_to_json(std::span<const indicator::Type> types) {
  log::Json::Array names;
  for (const indicator::Type type : types) names.emplace_back(indicator::name_of(type));
  return names;
}

}  // namespace

bool is_at_rest(std::string_view state) {
  return std::ranges::find(kUnderWayStates, state) == kUnderWayStates.end();
}

psi::Role role_of(Side side, Direction direction) {
  const Side receiver = direction == Direction::mine ? Side::asker : Side::responder;
  return side == receiver ? psi::Role::receiver : psi::Role::sender;
}

std::uint64_t their_tests(const psi::Protocol& protocol, psi::Role ours, std::uint64_t their_padded) {
  return ours == psi::Role::receiver ? their_padded : protocol.receiver_tests(their_padded);
}

std::string write_terms(const Terms& terms) {
  log::Json::Object json{{"our_label", terms.our_label},
                         {"our_padded", static_cast<std::int64_t>(terms.our_padded)},
                         {"ours", sizes_to_json(terms.ours_by_type)},
                         {"question", to_json(terms.question)},
                         {"their_padded", static_cast<std::int64_t>(terms.their_padded)}};
  if (!terms.without_tag.empty()) json.emplace("without_tag", sizes_to_json(terms.without_tag));
  if (!terms.none_of_theirs.empty()) json.emplace("none_of_theirs", types_to_json(terms.none_of_theirs));
  return log::write_pjson(std::move(json));
}

Result<Terms> read_terms(const std::string& text) {
  TRY(const log::Json json, log::parse_pjson(text, kMaxTermsBytes));
  log::ObjectReader reader(json, "the stored terms of a session");
  Terms terms;
  terms.our_label = reader.text("our_label", kMaxTextBytes);
  terms.our_padded = static_cast<std::uint64_t>(reader.integer("our_padded", 0, log::kMaxInteger));
  const log::Json& ours = reader.object("ours");
  const log::Json& question = reader.object("question");
  terms.their_padded = static_cast<std::uint64_t>(reader.integer("their_padded", 0, log::kMaxInteger));
  const bool says_none = json.object() != nullptr && json.object()->contains("none_of_theirs");
  const auto none = says_none ? reader.texts("none_of_theirs", indicator::kAllTypes.size(), kMaxTypeBytes)
                              : std::vector<std::string>{};
  const bool has_untagged = json.object() != nullptr && json.object()->contains("without_tag");
  const log::Json& untagged = has_untagged ? reader.object("without_tag") : ours;
  TRY_STATUS(reader.finish());
  TRY(terms.question, question_from_json(question));
  TRY(terms.ours_by_type, sizes_from_json(ours));
  if (has_untagged) {
    TRY(terms.without_tag, sizes_from_json(untagged));
  }
  for (const std::string& name : none)
    if (const auto type = indicator::type_named(name)) terms.none_of_theirs.push_back(*type);
  return terms;
}

namespace {

// A failure quotes the other side, whose words grow where they have to be made visible.
std::string storable(const std::string& text) {
  std::string cut = visible(text);
  if (cut.size() <= kMaxTextBytes) return cut;
  cut.resize(kMaxTextBytes);
  while (!is_valid_utf8(cut)) cut.pop_back();
  return cut;
}

}  // namespace

std::string write_outcome(const Outcome& outcome) {
  return log::write_pjson(log::Json::Object{{"agreed", outcome.agreed},
                                            {"both_learned", outcome.both_learned},
                                            {"bytes_received", outcome.bytes_received},
                                            {"bytes_sent", outcome.bytes_sent},
                                            {"canaries", outcome.canaries},
                                            {"count", outcome.count},
                                            {"failed_phase", outcome.failed_phase},
                                            {"failure", storable(outcome.failure)},
                                            {"file_count", outcome.file_count},
                                            {"learned", outcome.learned},
                                            {"may_have_disclosed", outcome.may_have_disclosed},
                                            {"milliseconds", outcome.milliseconds},
                                            {"protocol", outcome.protocol},
                                            {"protocol_reason", outcome.protocol_reason},
                                            {"transcript", outcome.transcript}});
}

Result<Outcome> read_outcome(const std::string& text) {
  if (text.empty()) return Outcome{};
  TRY(const log::Json json, log::parse_pjson(text, kMaxTermsBytes));
  log::ObjectReader reader(json, "the stored outcome of a session");
  Outcome outcome;
  outcome.agreed = reader.boolean("agreed");
  outcome.both_learned = reader.boolean("both_learned");
  outcome.bytes_received = reader.integer("bytes_received", 0, log::kMaxInteger);
  outcome.bytes_sent = reader.integer("bytes_sent", 0, log::kMaxInteger);
  if (json.object() != nullptr && json.object()->contains("canaries"))
    outcome.canaries = reader.integer("canaries", 0, group::kCanaryLeaves);
  outcome.count = reader.integer("count", -1, log::kMaxInteger);
  outcome.failed_phase = reader.text("failed_phase", kMaxTextBytes);
  outcome.failure = reader.text("failure", kMaxTextBytes);
  outcome.file_count = reader.integer("file_count", -1, log::kMaxInteger);
  outcome.learned = reader.boolean("learned");
  outcome.may_have_disclosed = reader.boolean("may_have_disclosed");
  outcome.milliseconds = reader.integer("milliseconds", 0, log::kMaxInteger);
  outcome.protocol = reader.text("protocol", kMaxTextBytes);
  if (json.object() != nullptr && json.object()->contains("protocol_reason"))
    outcome.protocol_reason = reader.text("protocol_reason", kMaxTextBytes);
  outcome.transcript = reader.text("transcript", kMaxTextBytes);
  TRY_STATUS(reader.finish());
  return outcome;
}

}  // namespace parley::session
