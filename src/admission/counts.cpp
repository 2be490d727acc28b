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

/// Batches of ours since then, by the helper that has most, with those on their way to it.
Result<std::int64_t> batches_since(vault::Vault& vault, const group::Membership& membership, const Epoch& epoch,
                                   std::string_view our_nick, UnixSeconds since) {
  const std::string& group = membership.charter().group;
  TRY(const auto batches, vault.admission_batches(group, epoch.id));
  std::int64_t most = 0;
  for (const std::string& helper : epoch.members) {
    if (helper == our_nick) continue;
    TRY(std::int64_t count, vault.admission_batches_since(group, helper, our_nick, since));
    count += std::ranges::count_if(batches,
                                   [&](const vault::AdmissionBatch& batch) { return !has_answered(batch, helper); });
    most = std::max(most, count);
  }
  return most;
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

Result<bool> small_ones_wait(vault::Vault& vault, const group::Membership& membership, const Epoch& epoch,
                             std::string_view our_nick, UnixSeconds now) {
  TRY(const std::int64_t today, batches_since(vault, membership, epoch, our_nick, now - group::kSecondsPerDay));
  if (today < kSmallBatchesAtOnce) return false;
  TRY(const std::int64_t lately, batches_since(vault, membership, epoch, our_nick, now - kNextSmallBatch));
  return lately > 0;
}

bool has_answered(const vault::AdmissionBatch& batch, std::string_view nick) {
  return std::ranges::find(batch.answered, nick) != batch.answered.end();
}

Result<std::int64_t> used(vault::Vault& vault, const group::Membership& membership, const Epoch& epoch,
                          std::string_view our_nick, indicator::Type type) {
  TRY(auto tags, vault.count_tags(membership.charter().group, epoch.id));
  TRY(auto batches, vault.admission_batches(membership.charter().group, epoch.id));
  std::erase_if(batches, [&](const vault::AdmissionBatch& batch) { return batch.type != type; });
  auto most = static_cast<std::int64_t>(tags[type]);
  for (const vault::AdmissionBatch& batch : batches) most += static_cast<std::int64_t>(batch.count);
  for (const std::string& helper : epoch.members) {
    if (helper == our_nick) continue;
    TRY(std::int64_t count, counted(vault, membership, epoch.id, helper, our_nick, type, wall_clock_now()));
    for (const vault::AdmissionBatch& batch : batches)
      if (!has_answered(batch, helper)) count += static_cast<std::int64_t>(batch.count);
    most = std::max(most, count);
  }
  return most;
}

}  // namespace parley::admission
