// Local policy: written, read, and held against the charter (local_policy.h).
#include "group/local_policy.h"

#include <fmt/format.h>

#include <algorithm>

#include "log/pjson.h"

namespace parley::group {
namespace {

using log::Json;
using log::ObjectReader;

constexpr std::size_t kMaxPolicyBytes = 64 * 1024;
constexpr std::size_t kMaxWordBytes = 32;
constexpr std::int64_t kVersionWithQuota = 2;
constexpr std::int64_t kVersionWithAdmissions = 3;  // and with a quota
constexpr std::size_t kMaxLimits = indicator::kAllTypes.size() * kAllFunctions.size();

Json to_json(const LocalLimit& limit) {
  Json::Object object{
      {"fn", name_of(limit.function)}, {"refused", limit.refused}, {"type", indicator::name_of(limit.type)}};
  for (const NamedCap& cap : kNamedCaps) object.emplace(cap.name, limit.caps.*cap.value);
  return object;
}

Result<LocalLimit> read_limit(const Json& json) {
  ObjectReader reader(json, "a limit of the policy");
  LocalLimit limit;
  const auto function = function_named(reader.text("fn", kMaxWordBytes));
  if (!function) reader.refuse("\"fn\" is no function that is known here");
  limit.refused = reader.boolean("refused");
  const auto type = indicator::type_named(reader.text("type", kMaxWordBytes));
  if (!type) reader.refuse("\"type\" is no type of indicator that is known here");
  for (const NamedCap& cap : kNamedCaps) limit.caps.*cap.value = reader.integer(cap.name, 0, kLargestCap);
  TRY_STATUS(reader.finish());
  limit.function = *function;
  limit.type = *type;
  return limit;
}

Json to_json(const mirror::Quota& quota) {
  Json::Object object;
  for (const mirror::NamedQuota& named : mirror::kNamedQuotas) object.emplace(named.name, quota.*named.value);
  return object;
}

Result<mirror::Quota> read_quota(const Json& json) {
  ObjectReader reader(json, "the quota of the policy");
  mirror::Quota quota;
  for (const mirror::NamedQuota& named : mirror::kNamedQuotas)
    quota.*named.value = reader.integer(named.name, 0, log::kMaxInteger);
  TRY_STATUS(reader.finish());
  return quota;
}

Json admissions_json(const LocalPolicy& policy) {
  Json::Array admissions;
  for (const AdmissionCap& cap : policy.admissions)
    admissions.emplace_back(Json::Object{{"most", cap.most}, {"type", indicator::name_of(cap.type)}});
  return admissions;
}

Result<AdmissionCap> read_admission(const Json& json) {
  ObjectReader reader(json, "an admission of the policy");
  AdmissionCap cap;
  cap.most = reader.integer("most", 0, kLargestCap);
  const auto type = indicator::type_named(reader.text("type", kMaxWordBytes));
  if (!type) reader.refuse("\"type\" is no type of indicator that is known here");
  TRY_STATUS(reader.finish());
  cap.type = *type;
  return cap;
}

std::unexpected<Error> no_effect(const std::string& what) {
  return fail(Errc::usage, fmt::format("{} Your own rules can only be stricter than the charter; what is looser has no "
                                       "effect, and needs an amendment.",
                                       what));
}

}  // namespace

const LocalLimit* LocalPolicy::limit(indicator::Type type, Function function) const {
  const auto found = std::ranges::find_if(
      limits, [&](const LocalLimit& limit) { return limit.type == type && limit.function == function; });
  return found == limits.end() ? nullptr : &*found;
}

LocalLimit& LocalPolicy::limit_for(indicator::Type type, Function function) {
  const auto found = std::ranges::find_if(
      limits, [&](const LocalLimit& limit) { return limit.type == type && limit.function == function; });
  if (found != limits.end()) return *found;
  return limits.emplace_back(LocalLimit{.type = type, .function = function});
}

std::int64_t LocalPolicy::most_admissions(indicator::Type type) const {
  const auto found = std::ranges::find(admissions, type, &AdmissionCap::type);
  return found == admissions.end() ? kLargestCap : found->most;
}

std::string write_policy(const LocalPolicy& policy) {
  Json::Array limits;
  for (const LocalLimit& limit : policy.limits) limits.push_back(to_json(limit));
  // A vault of a version before the quota can be read by that version as long as none was set.
  const bool has_admissions = !policy.admissions.empty();
  const bool has_quota = has_admissions || policy.log_quota != mirror::Quota{};
  Json::Object object{
      {"limits", std::move(limits)},
      {"max_tlp", policy.max_tlp ? std::string(indicator::name_of(*policy.max_tlp)) : std::string()},
      {"not_after", policy.not_after.value_or(0)},
      {"paused", policy.paused},
      {"v", has_admissions ? kVersionWithAdmissions
            : has_quota    ? kVersionWithQuota
                           : 1},
  };
  if (has_admissions) object.emplace("admissions", admissions_json(policy));
  if (has_quota) object.emplace("log_quota", to_json(policy.log_quota));
  return log::write_pjson(std::move(object));
}

Result<LocalPolicy> read_policy(std::string_view text) {
  TRY(const Json json, log::parse_pjson(text, kMaxPolicyBytes));
  ObjectReader reader(json, "the policy");
  LocalPolicy policy;
  const Json::Array& limits = reader.array("limits", kMaxLimits);
  const std::string tlp = reader.text("max_tlp", kMaxWordBytes);
  const UnixSeconds not_after = reader.integer("not_after", 0, log::kMaxInteger);
  policy.paused = reader.boolean("paused");
  const std::int64_t version = reader.integer("v", 1, kVersionWithAdmissions);
  const Json* quota = version >= kVersionWithQuota ? &reader.object("log_quota") : nullptr;
  const Json::Array* admissions =
      version >= kVersionWithAdmissions ? &reader.array("admissions", indicator::kAllTypes.size()) : nullptr;
  if (!tlp.empty()) policy.max_tlp = indicator::tlp_named(tlp);
  if (!tlp.empty() && !policy.max_tlp) reader.refuse("\"max_tlp\" is no TLP mark");
  if (not_after != 0) policy.not_after = not_after;
  TRY_STATUS(reader.finish());
  if (quota != nullptr) {
    TRY(policy.log_quota, read_quota(*quota));
  }
  if (admissions != nullptr) {
    for (const Json& admission : *admissions) {
      TRY(policy.admissions.emplace_back(), read_admission(admission));
    }
  }
  for (const Json& json_limit : limits) {
    TRY(LocalLimit limit, read_limit(json_limit));
    if (policy.limit(limit.type, limit.function) != nullptr)
      return fail(Errc::format, "The policy limits one question twice.");
    policy.limits.push_back(limit);
  }
  return policy;
}

Status check_only_stricter(const LocalPolicy& policy, const Charter& charter) {
  if (policy.max_tlp && *policy.max_tlp > charter.max_tlp)
    return no_effect(fmt::format("The charter lets in material up to {}.", indicator::name_of(charter.max_tlp)));
  if (policy.not_after && *policy.not_after > charter.not_after)
    return no_effect(fmt::format("The charter ends at {}.", to_rfc3339(charter.not_after)));
  for (const AdmissionCap& own : policy.admissions) {
    const AdmissionCap* cap = charter.admission.cap(own.type);
    if (cap == nullptr)
      return no_effect(fmt::format("The charter admits {} without tags.", indicator::name_of(own.type)));
    if (own.most > cap->most)
      return no_effect(
          fmt::format("{} of {} is {} in the charter.", kAdmissionCapName, indicator::name_of(own.type), cap->most));
  }
  for (const LocalLimit& limit : policy.limits) {
    const AllowedQuestion* allowed = charter.question(limit.type, limit.function);
    if (allowed == nullptr)
      return no_effect(fmt::format("The charter does not allow {} of {} at all.", name_of(limit.function),
                                   indicator::name_of(limit.type)));
    for (const NamedCap& cap : kNamedCaps) {
      const std::int64_t ours = limit.caps.*cap.value, theirs = allowed->caps.*cap.value;
      if (ours != kLargestCap && ours > theirs)
        return no_effect(fmt::format("{} of {} {} is {} in the charter.", cap.name, indicator::name_of(limit.type),
                                     name_of(limit.function), theirs));
    }
  }
  return {};
}

}  // namespace parley::group
