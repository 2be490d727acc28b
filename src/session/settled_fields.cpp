#include "session/settled_fields.h"

#include "base/encoding.h"
#include "log/pjson.h"
#include "session/context_record.h"
#include "session/detail/stored_indicator.h"
#include "session/reveal.h"
#include "session/step.h"

namespace parley::session {
namespace {

using log::Json;

constexpr std::size_t kMaxStoredBytes = std::size_t{1} << 30;  // what is written here, of the largest session
constexpr std::size_t kMaxStoredName = 64;
/// How far behind its offer the closing of a member stands at most: what it wrote meanwhile for others.
constexpr std::uint64_t kLookAhead = 4'096;

std::string settled_name(const std::string& session) {
  return "reveal/" + session + "/settled";
}
std::string exchange_name(const std::string& session) {
  return "reveal/" + session + "/exchange";
}

Json write_fields(const FieldsOf& fields) {
  Json::Array array;
  for (const auto& [indicator, field] : fields)
    array.emplace_back(Json::Object{{"field", std::string(kFieldPaths[field])},
                                    {"type", indicator::name_of(indicator.type())},
                                    {"value", indicator.value()}});
  return array;
}

Result<FieldsOf> read_fields(const Json::Array& array) {
  FieldsOf fields;
  for (const Json& each : array) {
    log::ObjectReader item(each, "a stored field of a reveal");
    const auto field = field_index(item.text("field", kMaxStoredName));
    indicator::Canonical indicator = detail::stored_indicator(item);
    if (!field) item.refuse("its field is not a known one");
    TRY_STATUS(item.finish());
    fields.emplace(std::move(indicator), *field);
  }
  return fields;
}

Json::Object write_both(const SettledFields& fields) {
  return {{"ours", write_fields(fields.ours)}, {"theirs", write_fields(fields.theirs)}};
}

Result<SettledFields> read_both(log::ObjectReader& reader) {
  const Json::Array ours = reader.array("ours", kMostRevealFields), theirs = reader.array("theirs", kMostRevealFields);
  TRY_STATUS(reader.finish());
  SettledFields fields;
  TRY(fields.ours, read_fields(ours));
  TRY(fields.theirs, read_fields(theirs));
  return fields;
}

struct Exchanged {
  Digest offer{};
  std::uint64_t their_size = 0;
  SettledFields opened;
};

Result<std::optional<Exchanged>> stored_exchange(vault::Vault& vault, const std::string& session) {
  TRY(const auto stored, vault.setting(exchange_name(session)));
  if (!stored || stored->empty()) return std::nullopt;
  TRY(const Json json, log::parse_pjson(*stored, kMaxStoredBytes));
  log::ObjectReader reader(json, "the stored end of a reveal");
  Exchanged exchanged;
  exchanged.offer = reader.digest("offer");
  exchanged.their_size = static_cast<std::uint64_t>(reader.integer("their_size", 0, log::kMaxInteger));
  TRY(exchanged.opened, read_both(reader));
  return exchanged;
}

/// The closing of `peer` that answers our offer.
std::optional<RevealEnd> closing_of(mirror::Replica& replica, const std::string& session, const std::string& peer,
                                    const Exchanged& exchanged) {
  const std::uint64_t end = std::min(replica.size(peer), exchanged.their_size + kLookAhead);
  for (std::uint64_t seq = exchanged.their_size; seq < end; ++seq) {
    const auto entry = replica.entry(peer, seq);
    if (!entry || entry->entry.type != kRevealClose || entry->entry.session != session || !entry->body ||
        entry->entry.refs != std::vector{exchanged.offer})
      continue;
    auto closing = RevealEnd::from_json(*entry->body);
    if (closing) return *std::move(closing);
  }
  return std::nullopt;
}

}  // namespace

Result<SettledFields> settled_fields(vault::Vault& vault, const std::string& session) {
  TRY(const auto stored, vault.setting(settled_name(session)));
  if (!stored || stored->empty()) return SettledFields{};
  TRY(const Json json, log::parse_pjson(*stored, kMaxStoredBytes));
  log::ObjectReader reader(json, "the stored fields of a reveal");
  return read_both(reader);
}

Status note_exchange(vault::Vault& vault, const std::string& session, const Digest& offer, std::uint64_t their_size,
                     const SettledFields& opened) {
  Json::Object object = write_both(opened);
  object.emplace("offer", to_hex(offer));
  object.emplace("their_size", static_cast<std::int64_t>(their_size));
  return vault.put_setting(exchange_name(session), log::write_pjson(std::move(object)));
}

Status settle_exchange(vault::Vault& vault, group::JointLog& log, const std::string& session, const std::string& peer) {
  TRY(std::optional<Exchanged> exchanged, stored_exchange(vault, session));
  if (!exchanged) return {};
  const auto closing =
      log.with([&](mirror::Replica& replica) { return closing_of(replica, session, peer, *exchanged); });
  if (!closing) return {};
  SettledFields& opened = exchanged->opened;
  const bool agreed = closing->stopped.empty() && closing->received_fields == opened.ours.size() &&
                      closing->opened == opened.theirs.size();
  TRY(SettledFields all, settled_fields(vault, session));
  if (agreed) {
    all.ours.merge(opened.ours);
    all.theirs.merge(opened.theirs);
  }
  return vault.together([&]() -> Status {
    TRY_STATUS(vault.put_setting(settled_name(session), log::write_pjson(write_both(all))));
    return vault.put_setting(exchange_name(session), "");
  });
}

}  // namespace parley::session
