// Copying, moving and destroying a PJ1 value.
#include "log/pjson.h"

namespace parley::log {

Json::Json(const Json& other) = default;
Json::Json(Json&& other) noexcept = default;
Json& Json::operator=(const Json& other) = default;
Json& Json::operator=(Json&& other) noexcept = default;
Json::~Json() = default;

}  // namespace parley::log
