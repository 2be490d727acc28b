#include "group/groups.h"

#include <algorithm>

#include "base/encoding.h"

namespace parley::group {
namespace {

Result<mirror::GroupView> view_of(const Membership& membership) {
  const CharterMember* self = membership.ourselves();
  if (self == nullptr)
    return fail(Errc::policy, "This member is no part of the group \"" + membership.group().name + "\" any more.");
  const Charter& charter = membership.charter();
  mirror::GroupView view;
  view.id = charter.group;
  view.log_quorum = charter.log_quorum;  // until an amendment takes those who left off the list
  view.charter = membership.signed_charter().hash;
  view.quota = membership.policy().log_quota;
  view.self = static_cast<std::size_t>(self - charter.members.data());
  for (const CharterMember& member : charter.members) view.members.push_back(member.keys);
  return view;
}

/// With what a log begins: who writes it, under which charter, with which program.
log::Json opening_of(const Card& card, const Membership& membership) {
  return log::Json::Object{{"card", card.note},
                           {"charter", membership.signed_charter().note},
                           {"software", log::Json::Object{{"name", "parley"}, {"version", PARLEY_VERSION}}},
                           {"v", 1}};
}

/// Which of the entries that end a log is the next: what a run before has written already is not written again.
Result<std::size_t> first_missing(mirror::Replica& replica, const std::string& nick, const SealDue& due) {
  TRY(const mirror::EntryView last, replica.entry(nick, replica.size(nick) - 1));
  const auto written = std::ranges::find(due.entries, last.entry.type, [](const auto& entry) { return entry.first; });
  return written == due.entries.end() ? 0 : static_cast<std::size_t>(written - due.entries.begin()) + 1;
}

}  // namespace

Result<Membership> Groups::membership(std::string_view id) {
  TRY(const vault::GroupRow row, vault_.group(id));
  TRY(const log::VerifierKey own, own_id_key(card_));
  return Membership::load(vault_, row, own);
}

Result<OpenReplica> Groups::open_replica(const Membership& membership) {
  TRY(mirror::GroupView view, view_of(membership));
  TRY(GroupKeys keys,
      load_group_keys(folder_, vault_, membership.charter().domain, membership.charter().group, card_.nick));
  return group::open_replica(vault_, folder_, std::move(view),
                             {std::move(keys.node), std::move(keys.log), std::move(keys.cosign)});
}

Result<std::shared_ptr<JointLog>> Groups::log(std::string_view id) {
  TRY(const Membership membership, this->membership(id));
  const Digest& charter = membership.signed_charter().hash;
  const std::lock_guard lock(mutex_);
  Open& open = open_[membership.group().id];
  if (open.log && open.charter == charter) {
    open.log->with([&](mirror::Replica& replica) { replica.set_quota(membership.policy().log_quota); });
    return open.log;
  }
  if (open.log) {
    TRY_STATUS(open.log->reopen([&] { return open_replica(membership); }));
  } else {
    TRY(OpenReplica replica, open_replica(membership));
    open.log = std::make_shared<JointLog>(membership.group().id, card_.nick, opening_of(card_, membership),
                                          std::move(replica));
    if (opened_) TRY_STATUS(opened_(*open.log));
  }
  open.charter = charter;
  return open.log;
}

Result<std::vector<std::string>> Groups::active() {
  TRY(const auto rows, vault_.groups());
  std::vector<std::string> ids;
  for (const vault::GroupRow& row : rows) {
    if (row.state == kForming || row.state == kClosed) continue;
    const auto membership = this->membership(row.id);
    if (membership && membership->ourselves() != nullptr && log(row.id)) ids.push_back(row.id);
  }
  return ids;
}

SealLog Groups::sealing() {
  return [this](const SealDue& due) -> Status {
    TRY(const std::shared_ptr<JointLog> log, this->log(due.group));
    return log->with([&](mirror::Replica& replica) -> Status {
      // A log without entries needs no end; one that is sealed has it.
      if (replica.size(log->nick()) == 0 || replica.state() == mirror::State::sealed) return {};
      TRY(const std::size_t first, first_missing(replica, log->nick(), due));
      for (std::size_t i = first; i < due.entries.size(); ++i) {
        TRY([[maybe_unused]] const mirror::EntryView written, replica.append({.type = std::string(due.entries[i].first),
                                                                              .session = {},
                                                                              .refs = {},
                                                                              .audience = {std::string(log::kEveryone)},
                                                                              .body = due.entries[i].second},
                                                                             wall_clock_now()));
      }
      return {};
    });
  };
}

Result<std::vector<Ending>> Groups::end_what_is_over(UnixSeconds now) {
  return group::end_what_is_over(desk(), now, sealing());
}

}  // namespace parley::group
