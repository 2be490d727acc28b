// Openings as PJ1.
#include "session/opening.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "session/detail/salt.h"

namespace parley::session {
namespace {

constexpr std::size_t kMaxPath = 24;  // a tree of kLargestPadded leaves

// The value of a field stands in the opening as its PJ1 text, since that text is what was committed to.
Result<log::Json> parse_value(const std::string& json) {
  TRY(const log::Json wrapped, log::parse_pjson("{\"v\":" + json + "}", kMaxFieldBytes + 16));
  const auto& object = *wrapped.object();
  if (object.size() != 1) return fail(Errc::format, "An opened value is not one value.");
  return object.at("v");
}

}  // namespace

Opening make_opening(const indicator::Canonical& indicator, const ItemOpening& item,
                     const std::vector<std::size_t>& fields) {
  const auto commitments = field_commitments(item.fields);
  Opening opening{.indicator = indicator,
                  .index = item.index,
                  .salt = item.salt,
                  .items_path = item.items_path,
                  .context_path = item.context_path,
                  .commitments = {commitments.begin(), commitments.end()},
                  .fields = {}};
  for (const std::size_t field : fields) opening.fields.push_back({field, item.fields[field]});
  return opening;
}

std::string write_opening(const Opening& opening) {
  log::Json::Array fields;
  for (const OpenedField& field : opening.fields)
    fields.emplace_back(log::Json::Object{
        {"path", kFieldPaths[field.field]}, {"salt", to_base64(field.opening.salt)}, {"value", field.opening.json}});
  return log::write_pjson(log::Json::Object{{"commits", log::hex_of(opening.commitments)},
                                            {"ctx_path", log::hex_of(opening.context_path)},
                                            {"fields", std::move(fields)},
                                            {"index", static_cast<std::int64_t>(opening.index)},
                                            {"items_path", log::hex_of(opening.items_path)},
                                            {"salt", to_base64(opening.salt)},
                                            {"type", indicator::name_of(opening.indicator.type())},
                                            {"value", opening.indicator.value()}});
}

Result<Opening> read_opening(std::string_view text) {
  TRY(const log::Json json, log::parse_pjson(text, kMaxOpeningBytes));
  log::ObjectReader reader(json, "the opening");
  std::vector<Digest> commitments = reader.digests("commits", kFieldPaths.size());
  std::vector<Digest> context_path = reader.digests("ctx_path", kMaxPath);
  const log::Json::Array fields = reader.array("fields", kFieldPaths.size());
  const auto index = static_cast<std::uint64_t>(reader.integer("index", 0, log::kMaxInteger));
  std::vector<Digest> items_path = reader.digests("items_path", kMaxPath);
  const log::Salt salt = detail::salt_in(reader, "salt");
  const auto type = indicator::type_named(reader.text("type", 32));
  std::string value = reader.text("value", indicator::kMaxValueBytes);
  if (!type) reader.refuse("its type is not a known one");
  TRY_STATUS(reader.finish());

  // Compared with our own matched indicators only, so it need not be canonicalised again.
  Opening opening{.indicator = indicator::Canonical::from_storage(*type, std::move(value)),
                  .index = index,
                  .salt = salt,
                  .items_path = std::move(items_path),
                  .context_path = std::move(context_path),
                  .commitments = std::move(commitments),
                  .fields = {}};
  for (const log::Json& entry : fields) {
    log::ObjectReader field(entry, "an opened field");
    const auto path = field_index(field.text("path", 32));
    const log::Salt field_salt = detail::salt_in(field, "salt");
    std::string json_text = field.text("value", kMaxFieldBytes);
    if (!path) field.refuse("its path is not a known one");
    if (path && !opening.fields.empty() && opening.fields.back().field >= *path)
      field.refuse("the paths are not ascending");
    TRY_STATUS(field.finish());
    opening.fields.push_back({*path, {field_salt, std::move(json_text)}});
  }
  return opening;
}

Result<log::Json> opened_context(const Opening& opening) {
  log::Json::Object context;
  for (const OpenedField& field : opening.fields) {
    TRY(log::Json value, parse_value(field.opening.json));
    if (value != kFiller) context.emplace(kFieldPaths[field.field], std::move(value));
  }
  return context;
}

}  // namespace parley::session
