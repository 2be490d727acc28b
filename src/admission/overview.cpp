#include "admission/overview.h"

#include <algorithm>

#include "admission/counts.h"
#include "admission/owner.h"

namespace parley::admission {
namespace {

Result<TypeStatus> type_status(vault::Vault& vault, const group::Membership& membership, const group::AdmissionCap& cap,
                               std::string_view our_nick, const std::optional<Epoch>& epoch,
                               std::span<const vault::AdmissionBatch> batches) {
  TypeStatus status{.type = cap.type, .cap = cap.most};
  vault::Selection selection = membership.admitted();
  selection.types = {cap.type};
  TRY(auto held, vault.count(selection));
  if (epoch) {
    selection.admission = vault::TaggedOnly{.epoch = epoch->id, .types = {cap.type}};
    TRY(auto tagged, vault.count(selection));
    status.admitted = tagged[cap.type];
    TRY(status.used, used(vault, membership, *epoch, our_nick, cap.type));
  }
  std::uint64_t canaries_under_way = 0;
  for (const vault::AdmissionBatch& batch : batches) {
    if (batch.type != cap.type) continue;
    status.under_way += batch.count;
    canaries_under_way += batch.canaries;
  }
  const std::uint64_t begun = status.admitted + status.under_way - canaries_under_way;
  status.waiting = held[cap.type] > begun ? held[cap.type] - begun : 0;
  // What the cap still allows makes a batch.
  const auto room = static_cast<std::uint64_t>(std::max<std::int64_t>(cap.most - status.used, 0));
  const std::uint64_t next = std::min(status.waiting, room);
  if (epoch && next > 0 && next < most_in_batch(cap.most)) {
    TRY(status.rests, small_ones_wait(vault, membership, *epoch, our_nick, wall_clock_now()));
  }
  return status;
}

/// How many of each type helpers may have counted for us: what has its tag, and what is on its way, answered or not.
Result<std::map<indicator::Type, std::int64_t>> asked_for(vault::Vault& vault, const std::string& group,
                                                          const Digest& epoch,
                                                          std::span<const vault::AdmissionBatch> batches) {
  std::map<indicator::Type, std::int64_t> asked;
  TRY(const auto tags, vault.count_tags(group, epoch));
  for (const auto& [type, count] : tags) asked[type] += static_cast<std::int64_t>(count);
  for (const vault::AdmissionBatch& batch : batches) asked[batch.type] += static_cast<std::int64_t>(batch.count);
  return asked;
}

}  // namespace

Result<Overview> overview(vault::Vault& vault, const group::Membership& membership, std::string_view our_nick,
                          UnixSeconds now) {
  const std::string& group = membership.charter().group;
  TRY(const Standing standing, admission::standing(vault, membership, now));
  Overview overview{.epoch = standing.name, .missing = standing.missing, .types = {}, .helpers = {}, .others = {}};
  const Digest id = standing.epoch ? standing.epoch->id : Digest{};
  TRY(const auto batches, vault.admission_batches(group, id));
  TRY(const auto totals, vault.admission_totals(group, id));
  TRY(const auto known, vault.admission_helpers(group));
  TRY(auto asked, asked_for(vault, group, id, batches));
  for (const group::AdmissionCap& cap : membership.charter().admission.types) {
    TRY(overview.types.emplace_back(), type_status(vault, membership, cap, our_nick, standing.epoch, batches));
  }
  for (const group::CharterMember* member : membership.current_members()) {
    const std::string& nick = member->keys.nick;
    if (nick == our_nick) continue;
    HelperStatus helper{.nick = nick,
                        .has_key = std::ranges::find(standing.missing, nick) == standing.missing.end(),
                        .trouble = {},
                        .bad_answers_why = {},
                        .counts = {},
                        .beyond = {}};
    OwnerStatus owner{.nick = nick, .counts = {}};
    if (const auto seen = std::ranges::find(known, nick, &vault::AdmissionHelper::nick); seen != known.end()) {
      helper.reached = seen->reached;
      helper.away_since = seen->away_since;
      helper.trouble = seen->trouble;
      helper.bad_answers = seen->bad_answers;
      helper.bad_answers_at = seen->bad_answers_at;
      helper.bad_answers_why = seen->bad_answers_why;
    }
    for (const vault::AdmissionBatch& batch : batches)
      if (!has_answered(batch, nick)) helper.unanswered += batch.count;
    for (const vault::AdmissionTotal& total : totals) {
      if (total.helper == nick && total.owner == our_nick) {
        helper.counts[total.type] = total.count;
        const std::int64_t beyond = total.count - asked[total.type];
        if (beyond > 0) helper.beyond[total.type] = beyond;
      }
      if (total.owner == nick && total.helper != nick)
        owner.counts[total.type] = std::max(owner.counts[total.type], total.count);
    }
    overview.helpers.push_back(std::move(helper));
    overview.others.push_back(std::move(owner));
  }
  return overview;
}

}  // namespace parley::admission
