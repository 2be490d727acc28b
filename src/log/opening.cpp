#include "log/opening.h"

#include "base/encoding.h"

namespace parley::log {
namespace {

constexpr std::int64_t kOpeningVersion = 1;
constexpr std::size_t kMaxTagBytes = 64;
constexpr std::size_t kMaxPathBytes = 128;
constexpr std::size_t kMaxValueBytes = 8192;  // 2,000 characters of free text, each an escape of a control character

template <std::size_t N>
ByteArray<N> fixed(const Bytes& bytes) {
  ByteArray<N> array{};
  if (bytes.size() == N) std::memcpy(array.data(), bytes.data(), N);
  return array;
}

Json to_json(const Place& place) {
  return Json::Object{{"index", static_cast<std::int64_t>(place.index)},
                      {"path", hex_of(place.path)},
                      {"size", static_cast<std::int64_t>(place.size)}};
}

Result<Place> place_from_json(const Json& object) {
  ObjectReader reader(object, "a place of an opening");
  Place place;
  place.index = static_cast<std::uint64_t>(reader.integer("index", 0, kMaxInteger));
  place.path = reader.digests("path", kMaxProofHashes);
  place.size = static_cast<std::uint64_t>(reader.integer("size", 1, kMaxInteger));
  TRY_STATUS(reader.finish());
  return place;
}

}  // namespace

Json FieldOpening::to_json() const {
  return Json::Object{{"context", log::to_json(context)},
                      {"field", log::to_json(field)},
                      {"item", to_hex(item)},
                      {"path", path},
                      {"salt", to_base64(salt)},
                      {"side", std::int64_t{side}},
                      {"tag", tag},
                      {"v", kOpeningVersion},
                      {"value", value}};
}

Result<FieldOpening> FieldOpening::from_json(const Json& body) {
  ObjectReader reader(body, "the opening");
  FieldOpening opening;
  const Json& context = reader.object("context");
  const Json& field = reader.object("field");
  opening.item = reader.digest("item");
  opening.path = reader.text("path", kMaxPathBytes);
  opening.salt = fixed<32>(reader.bytes("salt", sizeof(Salt)));
  opening.side = static_cast<std::uint8_t>(reader.integer("side", 0, 1));
  opening.tag = reader.text("tag", kMaxTagBytes);
  reader.integer("v", kOpeningVersion, kOpeningVersion);
  opening.value = reader.text("value", kMaxValueBytes);
  TRY_STATUS(reader.finish());
  TRY(opening.context, place_from_json(context));
  TRY(opening.field, place_from_json(field));
  return opening;
}

bool FieldOpening::is_under(const Digest& context_root, std::string_view session) const {
  const Digest commitment = field_commitment(salt, path, value);
  const auto fields = root_of_inclusion(leaf_hash(commitment), field.index, field.size, field.path);
  if (!fields) return false;
  return verify_inclusion(context_leaf(input_label(session, side), item, *fields), context.index, context.size,
                          context.path, context_root);
}

}  // namespace parley::log
