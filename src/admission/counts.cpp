#include "admission/counts.h"

#include <algorithm>

namespace parley::admission {
namespace {

/// Whether a charter named the member, a later one did not, and the one in force does.
bool came_back(const group::Membership& membership, std::string_view nick) {
  bool was_member = false, went = false;
  for (const group::SignedCharter& version : membership.versions()) {
    const bool is_member = version.charter.member(nick) != nullptr;
    went = went || (was_member && !is_member);
    was_member = was_member || is_member;
  }
  return went && membership.charter().member(nick) != nullptr;
}

}  // namespace

Result<std::int64_t> counted(vault::Vault& vault, const group::Membership& membership, const Digest& epoch,
                             std::string_view helper, std::string_view owner, indicator::Type type, UnixSeconds now) {
  const std::string& group = membership.charter().group;
  TRY(const std::int64_t of_epoch, vault.admission_total(group, epoch, helper, owner, type));
  if (!came_back(membership, owner)) return of_epoch;
  TRY(const std::int64_t of_period,
      vault.admission_total_since(group, helper, owner, type, period_begin(membership, now)));
  return std::max(of_epoch, of_period);
}

}  // namespace parley::admission
