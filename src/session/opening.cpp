// Openings as PJ1 (opening.h).
#include "session/opening.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace parley::session {
namespace {

// The value of a field stands in the opening as its PJ1 text, since that text is what was committed to.
Result<log::Json> parse_value(const std::string& json) {
  TRY(const log::Json wrapped, log::parse_pjson("{\"v\":" + json + "}", kMaxFieldBytes + 16));
  const auto& object = *wrapped.object();
  if (object.size() != 1) return fail(Errc::format, "An opened value is not one value.");
  return object.at("v");
}

log::ItemOpening to_log(const Opening& opening) {
  log::ItemOpening item{.type = std::string(indicator::name_of(opening.indicator.type())),
                        .value = opening.indicator.value(),
                        .salt = opening.salt,
                        .side = static_cast<std::uint8_t>(opening.side),
                        .index = opening.index,
                        .size = opening.size,
                        .items_path = opening.items_path,
                        .context_path = opening.context_path,
                        .commitments = opening.commitments,
                        .fields = {}};
  for (const OpenedField& field : opening.fields)
    item.fields.push_back({.path = std::string(kFieldPaths[field.field]),
                           .place = field.field,
                           .salt = field.opening.salt,
                           .value = field.opening.json});
  return item;
}

Result<OpenedField> field_from(const log::FieldOpening& field) {
  const auto place = field_index(field.path);
  if (!place || *place != field.place) return fail(Errc::format, "An opening names a field that is not a known one.");
  if (field.value.size() > kMaxFieldBytes) return fail(Errc::limit, "An opened value is too long.");
  return OpenedField{*place, {field.salt, field.value}};
}

}  // namespace

Opening make_opening(const indicator::Canonical& indicator, const ItemOpening& item, Side side, std::uint64_t size,
                     const std::vector<std::size_t>& fields) {
  Opening opening{.indicator = indicator,
                  .side = side,
                  .index = item.index,
                  .size = size,
                  .salt = item.salt,
                  .items_path = item.items_path};
  if (fields.empty()) return opening;
  const auto commitments = field_commitments(item.fields);
  opening.context_path = item.context_path;
  opening.commitments.assign(commitments.begin(), commitments.end());
  for (const std::size_t field : fields) opening.fields.push_back({field, item.fields[field]});
  return opening;
}

std::string write_opening(const Opening& opening) {
  return to_log(opening).text();
}

Result<Opening> read_opening(std::string_view text) {
  TRY(log::ItemOpening item, log::ItemOpening::parse(text));
  const auto type = indicator::type_named(item.type);
  if (!type) return fail(Errc::format, "The type of what was opened is not a known one.");
  if (item.value.size() > indicator::kMaxValueBytes) return fail(Errc::limit, "What was opened is too long.");
  // Compared with our own matched indicators only, so it need not be canonicalised again.
  Opening opening{.indicator = indicator::Canonical::from_storage(*type, std::move(item.value)),
                  .side = static_cast<Side>(item.side),
                  .index = item.index,
                  .size = item.size,
                  .salt = item.salt,
                  .items_path = std::move(item.items_path),
                  .context_path = std::move(item.context_path),
                  .commitments = std::move(item.commitments)};
  for (const log::FieldOpening& field : item.fields) {
    TRY(OpenedField opened, field_from(field));
    if (!opening.fields.empty() && opening.fields.back().field >= opened.field)
      return fail(Errc::format, "The fields of an opening are not in order.");
    opening.fields.push_back(std::move(opened));
  }
  return opening;
}

Status check_opening(const Opening& opening, std::string_view session, const Digest& items_root,
                     const Digest& context_root) {
  std::optional<std::string> wrong = to_log(opening).not_under(items_root, context_root, session);
  if (!wrong && !opening.fields.empty() && opening.commitments.size() != kFieldPaths.size())
    wrong = "context with another number of fields than there are";
  if (!wrong) return {};
  return fail(Errc::protocol,
              fmt::format("The other side opened {}. Nothing of this indicator's opening is kept.", *wrong));
}

Result<log::Json> opened_context(const Opening& opening) {
  log::Json::Object context;
  for (const OpenedField& field : opening.fields) {
    TRY(log::Json value, parse_value(field.opening.json));
    if (value != kFiller) context.emplace(kFieldPaths[field.field], std::move(value));
  }
  return context;
}

Bytes write_offered(const log::OfferedOpening& opening) {
  Bytes payload;
  append_be(payload, static_cast<std::uint8_t>(opening.path.size()));
  for (const Digest& hash : opening.path) append(payload, hash);
  append(payload, as_bytes(opening.text));
  return payload;
}

Result<log::OfferedOpening> read_offered(ByteView payload, std::uint64_t index) {
  if (payload.empty()) return fail(Errc::format, "The other side opened nothing where an opening was due.");
  const auto hashes = std::to_integer<std::size_t>(payload.front());
  if (hashes > log::kMaxProofHashes) return fail(Errc::limit, "An opening comes with more hashes than any offer has.");
  payload = payload.subspan(1);
  if (payload.size() < hashes * sizeof(Digest) || payload.size() > hashes * sizeof(Digest) + kMaxOpeningBytes)
    return fail(Errc::format, "An opening has not the length that it states.");
  log::OfferedOpening opening{.index = index, .path = std::vector<Digest>(hashes), .text = {}};
  for (Digest& hash : opening.path) {
    std::ranges::copy(payload.first(hash.size()), hash.begin());
    payload = payload.subspan(hash.size());
  }
  opening.text = as_text(payload);
  return opening;
}

}  // namespace parley::session
