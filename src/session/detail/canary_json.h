// What alarms and stored hits of canaries have in common as PJ1: numbers, and a tag under a result's root.
#pragma once

#include <string_view>

#include "log/pjson.h"
#include "session/canary_hits.h"
#include "session/detail/salt.h"

namespace parley::session::detail {

inline constexpr std::size_t kMaxItemPath = 24;  // a tree of kLargestPadded leaves
inline constexpr std::size_t kSetPath = 6;       // of group::kCanaryLeaves
static_assert(group::kCanaryLeaves == std::size_t{1} << kSetPath);

inline std::int64_t number(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

log::Json to_json(const CanaryHit::Tag& tag);
/// @param what  for messages. @error Errc::format
Result<CanaryHit::Tag> tag_from(const log::Json& json, std::string_view what);

}  // namespace parley::session::detail
