// A salt as a member of a PJ1 object.
#pragma once

#include <algorithm>
#include <string_view>

#include "log/commitment.h"
#include "log/pjson.h"

namespace parley::session::detail {

/// Zeros where the reader has refused it.
inline log::Salt salt_in(log::ObjectReader& reader, std::string_view key) {
  const Bytes bytes = reader.bytes(key, sizeof(log::Salt));
  log::Salt salt{};
  if (bytes.size() == salt.size()) std::ranges::copy(bytes, salt.begin());
  return salt;
}

}  // namespace parley::session::detail
