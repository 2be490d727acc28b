#include "log/opening.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/random.h"

namespace parley::log {
namespace {

constexpr std::size_t kMaxFields = 32;
constexpr std::size_t kMaxPathBytes = 128;
constexpr std::size_t kMaxTypeBytes = 32;
constexpr std::size_t kMaxValueBytes = 8192;
constexpr std::size_t kMaxTreePath = 24;  // no input is larger than 2^24
constexpr std::size_t kOfferSaltBytes = 32;

Salt salt_in(ObjectReader& reader) {
  const Bytes bytes = reader.bytes("salt", sizeof(Salt));
  Salt salt{};
  if (bytes.size() == salt.size()) std::ranges::copy(bytes, salt.begin());
  return salt;
}

Json to_json(const FieldOpening& field) {
  return Json::Object{{"path", field.path},
                      {"place", static_cast<std::int64_t>(field.place)},
                      {"salt", to_base64(field.salt)},
                      {"value", field.value}};
}

Result<FieldOpening> field_from(const Json& json) {
  ObjectReader reader(json, "an opened field");
  FieldOpening field;
  field.path = reader.text("path", kMaxPathBytes);
  field.place = static_cast<std::uint64_t>(reader.integer("place", 0, kMaxFields - 1));
  field.salt = salt_in(reader);
  field.value = reader.text("value", kMaxValueBytes);
  TRY_STATUS(reader.finish());
  return field;
}

std::vector<Digest> with_salt(std::vector<Digest> leaves) {
  leaves.push_back(leaf_hash(random_bytes<kOfferSaltBytes>()));
  return leaves;
}

}  // namespace

std::string ItemOpening::text() const {
  Json::Array opened;
  for (const FieldOpening& field : fields) opened.push_back(to_json(field));
  return write_pjson(Json::Object{{"commits", hex_of(commitments)},
                                  {"ctx_path", hex_of(context_path)},
                                  {"fields", std::move(opened)},
                                  {"index", static_cast<std::int64_t>(index)},
                                  {"items_path", hex_of(items_path)},
                                  {"salt", to_base64(salt)},
                                  {"side", std::int64_t{side}},
                                  {"size", static_cast<std::int64_t>(size)},
                                  {"type", type},
                                  {"value", value}});
}

Result<ItemOpening> ItemOpening::parse(std::string_view text) {
  TRY(const Json json, parse_pjson(text, kMaxOpeningBytes));
  ObjectReader reader(json, "the opening");
  ItemOpening opening;
  opening.commitments = reader.digests("commits", kMaxFields);
  opening.context_path = reader.digests("ctx_path", kMaxTreePath);
  const Json::Array fields = reader.array("fields", kMaxFields);
  opening.index = static_cast<std::uint64_t>(reader.integer("index", 0, kMaxInteger));
  opening.items_path = reader.digests("items_path", kMaxTreePath);
  opening.salt = salt_in(reader);
  opening.side = static_cast<std::uint8_t>(reader.integer("side", 0, 1));
  opening.size = static_cast<std::uint64_t>(reader.integer("size", 1, kMaxInteger));
  opening.type = reader.text("type", kMaxTypeBytes);
  opening.value = reader.text("value", kMaxValueBytes);
  TRY_STATUS(reader.finish());
  for (const Json& each : fields) {
    TRY(opening.fields.emplace_back(), field_from(each));
  }
  return opening;
}

std::optional<std::string> ItemOpening::not_under(const Digest& items_root, const Digest& context_root,
                                                  std::string_view session) const {
  const Digest label = input_label(session, side);
  const Digest item = item_commitment(salt, type, as_bytes(value));
  if (!verify_inclusion(item_leaf(label, item), index, size, items_path, items_root))
    return "an indicator that it had not committed to before the session ran";
  if (fields.empty()) return std::nullopt;
  std::vector<Digest> leaves;
  for (const Digest& commitment : commitments) leaves.push_back(leaf_hash(commitment));
  if (!verify_inclusion(context_leaf(label, item, MerkleTree(std::move(leaves)).root()), index, size, context_path,
                        context_root))
    return "context other than what it had committed to before the session ran";
  for (const FieldOpening& field : fields)
    if (field.place >= commitments.size() ||
        field_commitment(field.salt, field.path, field.value) != commitments[field.place])
      return fmt::format("a value of \"{}\" that it had not committed to before the session ran", field.path);
  return std::nullopt;
}

OfferTree::OfferTree(std::vector<Digest> openings) : tree_(with_salt(std::move(openings))) {}

bool OfferedOpening::is_in(const Digest& root, std::uint64_t count) const {
  return index < count && verify_inclusion(leaf_hash(as_bytes(text)), index, count + 1, path, root);
}

}  // namespace parley::log
