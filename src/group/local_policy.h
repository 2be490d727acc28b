// A member's own rules in one group (log.md 1.5): on top of the charter, and only ever stricter. They bind this node at
// once, need nobody's signature and are told to nobody.
#pragma once

#include "group/charter.h"
#include "mirror/quota.h"

namespace parley::group {

/// Caps that limit nothing.
inline constexpr Caps kNoCaps{kLargestCap, kLargestCap, kLargestCap, kLargestCap, kLargestCap, kLargestCap};

struct LocalLimit {
  indicator::Type type = indicator::Type::ipv4;
  Function function = Function::count;
  bool refused = false;
  Caps caps = kNoCaps;
  bool operator==(const LocalLimit&) const = default;
};

struct LocalPolicy {
  bool paused = false;                         ///< no questions and no reveals until further notice
  std::optional<indicator::Tlp> max_tlp = {};  ///< as Charter::max_tlp
  std::optional<UnixSeconds> not_after = {};   ///< as Charter::not_after
  std::vector<LocalLimit> limits = {};         ///< at most one for a type and function
  std::vector<AdmissionCap> admissions = {};   ///< that we help each other member to; at most one a type
  mirror::Quota log_quota = {};                ///< of each other member's log; the charter says nothing of it
  bool operator==(const LocalPolicy&) const = default;

  const LocalLimit* limit(indicator::Type type, Function function) const;
  /// The limit for these, made if there is none.
  LocalLimit& limit_for(indicator::Type type, Function function);
  /// The most admissions of a type, by this policy alone.
  std::int64_t most_admissions(indicator::Type type) const;
};

/// One PJ1 object, as the vault keeps it.
std::string write_policy(const LocalPolicy& policy);
/// @error Errc::format, Errc::limit
Result<LocalPolicy> read_policy(std::string_view text);

/// Whether `policy` says anything that is looser than `charter`, or about what the charter does not allow anyway. It
/// would have no effect, and whoever wrote it expects one. @error Errc::usage
Status check_only_stricter(const LocalPolicy& policy, const Charter& charter);

}  // namespace parley::group
