#include "session/detail/canary_json.h"

#include "base/encoding.h"

namespace parley::session::detail {

log::Json to_json(const CanaryHit::Tag& tag) {
  return log::Json::Object{{"count", number(tag.count)},
                           {"index", number(tag.index)},
                           {"key", to_hex(tag.item_key)},
                           {"path", log::hex_of(tag.path)}};
}

Result<CanaryHit::Tag> tag_from(const log::Json& json, std::string_view what) {
  log::ObjectReader reader(json, std::string(what));
  CanaryHit::Tag tag;
  tag.count = static_cast<std::uint64_t>(reader.integer("count", 1, log::kMaxInteger));
  tag.index = static_cast<std::uint64_t>(reader.integer("index", 0, log::kMaxInteger));
  tag.item_key = reader.digest("key");
  tag.path = reader.digests("path", kMaxItemPath);
  TRY_STATUS(reader.finish());
  return tag;
}

}  // namespace parley::session::detail
