// How stored records of a session name an indicator: members "type" and "value" of a PJ1 object.
#pragma once

#include "indicator/indicator.h"
#include "log/pjson.h"

namespace parley::session::detail {

/// Precondition of using it: `item` finishes without an error.
inline indicator::Canonical stored_indicator(log::ObjectReader& item) {
  const auto type = indicator::type_named(item.text("type", 32));
  std::string value = item.text("value", indicator::kMaxValueBytes);
  if (!type) item.refuse("its type is not a known one");
  return indicator::Canonical::from_storage(type.value_or(indicator::kAllTypes.front()), std::move(value));
}

}  // namespace parley::session::detail
