#include "group/groups.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"

namespace parley::group {
namespace {

/// For so long the log of a group that has ended here is shown to members who have not signed that they hold its end.
constexpr UnixSeconds kShownAfterEndSeconds = 30 * 86'400;

mirror::Departed departed(const Membership& membership, const Charter& charter) {
  mirror::Departed departed;
  for (std::size_t i = 0; i < charter.members.size(); ++i)
    if (membership.has_left(charter.members[i].keys.nick)) departed.members.insert(i);
  const std::size_t rest = charter.members.size() - departed.members.size();
  if (rest == 0) return {};  // nobody is left for whom it would matter
  departed.quorum_of_rest = log_quorum_after(charter.log_quorum, charter.members.size(), rest);
  return departed;
}

mirror::GroupView view_of(const Membership& membership, const SignedCharter& signed_charter) {
  const Charter& charter = signed_charter.charter;
  mirror::GroupView view;
  view.id = charter.group;
  view.log_quorum = charter.log_quorum;
  view.charter = signed_charter.hash;
  view.quota = membership.policy().log_quota;
  view.self = static_cast<std::size_t>(charter.member_by_id(membership.own_id()) - charter.members.data());
  view.members = charter_keys(charter);
  view.departed = departed(membership, charter);
  return view;
}

/// With what a log begins: who writes it, under which charter, with which program.
log::Json opening_of(const Card& card, const SignedCharter& charter) {
  return log::Json::Object{{"card", card.note},
                           {"charter", charter.note},
                           {"software", log::Json::Object{{"name", "parley"}, {"version", PARLEY_VERSION}}},
                           {"v", 1}};
}

/// Which of the entries that end a log is the next: what a run before has written already is not written again.
Result<std::size_t> first_missing(mirror::Replica& replica, const std::string& nick, const SealDue& due) {
  TRY(const mirror::EntryView last, replica.entry(nick, replica.size(nick) - 1));
  const auto written = std::ranges::find(due.entries, last.entry.type, [](const auto& entry) { return entry.first; });
  return written == due.entries.end() ? 0 : static_cast<std::size_t>(written - due.entries.begin()) + 1;
}

Status write_end(mirror::Replica& replica, const std::string& nick, const SealDue& due) {
  // A log without entries needs no end.
  if (replica.size(nick) == 0) return {};
  TRY(const std::size_t first, first_missing(replica, nick, due));
  for (std::size_t i = first; i < due.entries.size(); ++i) {
    TRY([[maybe_unused]] const mirror::EntryView written,
        replica.append(mirror::draft_for_everyone(due.entries[i].first, due.entries[i].second), wall_clock_now()));
  }
  return {};
}

/// The leave with which a member's log ends, and the hash of its entry.
std::optional<std::pair<Digest, std::string>> leave_in_log(mirror::Replica& replica, const std::string& nick) {
  const std::uint64_t size = replica.size(nick);
  if (size < 2 || !replica.trusted(nick)) return std::nullopt;
  const auto last = replica.entry(nick, size - 1), leave = replica.entry(nick, size - 2);
  if (!last || !leave || last->entry.type != log::kLogSeal || leave->entry.type != log::kMemberLeave || !leave->body)
    return std::nullopt;
  const auto note = leave->body->object()->find("note");
  if (note == leave->body->object()->end() || note->second.text() == nullptr) return std::nullopt;
  return std::pair{leave->leaf_hash, *note->second.text()};
}

/// Whether every other member has signed that it holds our whole log.
bool is_held_by_all(mirror::Replica& replica, const std::string& nick, const Membership& membership) {
  const std::uint64_t size = replica.size(nick);
  return size == 0 || std::ranges::all_of(membership.current_members(), [&](const CharterMember* member) {
           return !replica.trusted(member->keys.nick) || replica.held_by(member->keys.nick, nick, size);
         });
}

/// Whether every other member's log has ended here, with our signature on its end.
bool have_all_ended(mirror::Replica& replica, const std::string& nick, const Membership& membership) {
  return std::ranges::all_of(membership.current_members(), [&](const CharterMember* member) {
    const std::string& other = member->keys.nick;
    const std::uint64_t size = replica.size(other);
    if (other == nick || size == 0 || !replica.trusted(other)) return true;
    const auto last = replica.entry(other, size - 1);
    return last && log::ends_log(last->entry.type) && replica.held_by(nick, other, size);
  });
}

}  // namespace

Result<Membership> Groups::membership(std::string_view id) {
  TRY(const vault::GroupRow row, vault_.group(id));
  TRY(const log::VerifierKey own, own_id_key(card_));
  return Membership::load(vault_, row, own);
}

Result<OpenReplica> Groups::open_replica(const Membership& membership, const SignedCharter& charter) {
  const std::string& id = charter.charter.group;
  mirror::GroupView view = view_of(membership, charter);
  auto keys = load_group_keys(folder_, vault_, charter.charter.domain, id, card_.nick);
  const std::string& state = membership.group().state;
  const bool destroyed = !keys && keys.error().code == Errc::not_found && (state == kClosed || state == kWithdrawn);
  if (destroyed) return group::open_replica(vault_, folder_, std::move(view), std::nullopt);
  if (!keys) return std::unexpected(std::move(keys).error());
  TRY(std::vector<Secret<32>> rotated, rotated_seeds(vault_, id));
  return group::open_replica(
      vault_, folder_, std::move(view),
      mirror::OwnSeeds{std::move(keys->node), std::move(keys->log), std::move(keys->cosign), std::move(rotated)});
}

Result<std::shared_ptr<JointLog>> Groups::log(std::string_view id) {
  TRY(const Membership membership, this->membership(id));
  const SignedCharter* charter = membership.newest_naming_us();
  if (charter == nullptr)
    return fail(Errc::policy, "This member is no part of the group \"" + visible(membership.group().name) + "\" yet.");
  const std::lock_guard lock(mutex_);
  Open& open = open_[membership.group().id];
  if (open.log) open.log->clocks().set_skew(charter->charter.clock_skew_seconds);
  if (open.log && open.charter == charter->hash) {
    TRY_STATUS(open.log->with([&](mirror::Replica& replica) {
      replica.set_quota(membership.policy().log_quota);
      return replica.set_departed(departed(membership, charter->charter));
    }));
    return open.log;
  }
  if (open.log) {
    TRY_STATUS(open.log->reopen([&] { return open_replica(membership, *charter); }));
  } else {
    TRY(OpenReplica replica, open_replica(membership, *charter));
    const auto log =
        std::make_shared<JointLog>(membership.group().id, card_.nick, opening_of(card_, *charter), std::move(replica));
    log->clocks().set_skew(charter->charter.clock_skew_seconds);
    if (opened_) TRY_STATUS(opened_(*log));
    open.log = log;
  }
  open.charter = charter->hash;
  return open.log;
}

Status Groups::forget_keys(const std::string& id) {
  TRY(const Membership membership, this->membership(id));
  const SignedCharter* charter = membership.newest_naming_us();
  const std::lock_guard lock(mutex_);
  const auto open = open_.find(id);
  if (open == open_.end() || !open->second.log || charter == nullptr) return {};
  return open->second.log->reopen([&] { return open_replica(membership, *charter); });
}

Result<std::vector<std::string>> Groups::note_leaves(std::string_view id, UnixSeconds now) {
  TRY(const Membership membership, this->membership(id));
  TRY(const std::shared_ptr<JointLog> log, this->log(id));
  std::vector<std::string> left;
  for (const CharterMember* member : membership.current_members()) {
    const std::string& nick = member->keys.nick;
    const auto note = log->with([&](mirror::Replica& replica) { return leave_in_log(replica, nick); });
    if (nick == log->nick() || !note) continue;
    // One under a version that is on its way is looked at again; what is no leave of the log's owner says nothing.
    const auto leave = membership.admit_leave(note->second);
    if (!leave || leave->nick != nick) continue;
    const std::size_t rest = membership.current_members().size() - left.size() - 1;
    const auto quorum = static_cast<std::int64_t>(
        log_quorum_after(membership.charter().log_quorum, membership.charter().members.size(), rest));
    const auto take_it = [&](const mirror::EntryView&) -> Status {
      TRY_STATUS(take(desk(), note->second, now));
      return {};
    };
    TRY_STATUS(log->append({.type = std::string(log::kMemberLeft),
                            .session = {},
                            .refs = {note->first},
                            .audience = {std::string(log::kEveryone)},
                            .body = log::Json::Object{{"nick", nick}, {"quorum", quorum}, {"v", 1}}},
                           take_it));
    left.push_back(nick);
  }
  return left;
}

Result<std::vector<std::string>> Groups::note_rotations(std::string_view id) {
  TRY(const Membership membership, this->membership(id));
  TRY(const std::shared_ptr<JointLog> log, this->log(id));
  return group::note_rotations(vault_, membership.charter(), *log);
}

std::optional<wire::PinnedPeer> Groups::peer_by_key(const ByteArray<32>& tls_key) {
  std::vector<std::shared_ptr<JointLog>> logs;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, open] : open_)
      if (open.log) logs.push_back(open.log);
  }
  std::vector<mirror::Replica::Replaced> replaced;
  for (const auto& log : logs) {
    auto in_log = log->with([](mirror::Replica& replica) { return replica.replaced(log::KeyRole::tls); });
    std::ranges::move(in_log, std::back_inserter(replaced));
  }
  return group::peer_by_key(vault_, tls_key, replaced);
}

Result<mirror::EntryView> Groups::rotate(std::string_view id, const Member& us, const Rotating& what,
                                         const Secret<32>& id_seed) {
  TRY(const Membership membership, this->membership(id));
  TRY(const std::shared_ptr<JointLog> log, this->log(id));
  mirror::NewKey next{.role = what.role, .reason = what.reason, .since = what.since, .seed = what.seed.clone()};
  const bool is_tls = what.role == log::KeyRole::tls;
  if (is_tls) {
    next.first_tls = us.card.tls_key;
    TRY(auto seeds, rotated_tls_seeds(vault_));
    // In a group that heard of it later than another one the key in use is one before the last.
    seeds.insert(seeds.begin(), us.tls_seed.clone());
    const auto own = log->with([&](mirror::Replica& replica) { return replica.keys_of(log->nick()); });
    const log::PlacedRotation* before = own ? own->rotation(log::KeyRole::tls) : nullptr;
    const ByteArray<32>& in_use = before == nullptr ? us.card.tls_key : before->rotation.next.key;
    for (const Secret<32>& seed : seeds)
      if (crypto::public_key_of(seed) == in_use) next.old_tls = seed.clone();
  }
  return log->rotate(next, id_seed, [&](const mirror::EntryView&) {
    return is_tls ? keep_tls_seed(vault_, what.seed) : keep_rotated_seed(vault_, membership.group().id, what.seed);
  });
}

Result<std::vector<std::string>> Groups::in_step(UnixSeconds now) {
  TRY(const auto rows, vault_.groups());
  std::vector<std::string> ids;
  for (const vault::GroupRow& row : rows) {
    if (row.state == kForming) continue;
    const bool ended = row.state == kClosed || row.state == kWithdrawn;
    if (ended && now > row.latest + kShownAfterEndSeconds) continue;
    const auto membership = this->membership(row.id);
    if (!membership || (!ended && membership->ourselves() == nullptr)) continue;
    const auto log = this->log(row.id);
    if (!log) continue;
    const bool everybody_knows = ended && (*log)->with([&](mirror::Replica& replica) {
      return is_held_by_all(replica, (*log)->nick(), *membership);
    });
    if (!everybody_knows) ids.push_back(row.id);
  }
  return ids;
}

SealLog Groups::sealing() {
  return [this](const SealDue& due) -> Result<Sealed> {
    const auto membership = this->membership(due.group);
    if (!membership && membership.error().code == Errc::not_found) return Sealed::settled;  // no charter, no log
    if (!membership) return std::unexpected(membership.error());
    TRY(const std::shared_ptr<JointLog> log, this->log(due.group));
    return log->with([&](mirror::Replica& replica) -> Result<Sealed> {
      if (replica.state() != mirror::State::sealed) TRY_STATUS(write_end(replica, log->nick(), due));
      const bool settled =
          is_held_by_all(replica, log->nick(), *membership) && have_all_ended(replica, log->nick(), *membership);
      return settled ? Sealed::settled : Sealed::here;
    });
  };
}

Result<std::vector<Ending>> Groups::end_what_is_over(UnixSeconds now) {
  const auto by_group = [&](const std::string& id) {
    const std::lock_guard lock(mutex_);
    const auto open = open_.find(id);
    return open == open_.end() || !open->second.log ? now : open->second.log->clocks().bounded(now);
  };
  TRY(std::vector<Ending> endings, group::end_what_is_over(desk(), now, sealing(), by_group));
  for (Ending& ending : endings) {
    if (ending.what != Ending::What::group || ending.failure) continue;
    if (auto forgotten = forget_keys(ending.id); !forgotten) ending.failure = forgotten.error();
  }
  return endings;
}

Result<Ending> Groups::close(const vault::GroupRow& group, UnixSeconds now) {
  TRY(Ending ending, close_group(desk(), group, now, sealing()));
  if (!ending.failure) TRY_STATUS(forget_keys(group.id));
  return ending;
}

Result<Withdrawal> Groups::withdraw(const vault::GroupRow& group, std::string_view reason, const Secret<32>& id_seed,
                                    UnixSeconds now) {
  TRY(Withdrawal withdrawal, group::withdraw(desk(), group, reason, id_seed, now, sealing()));
  if (withdrawal.leave && !withdrawal.failure) TRY_STATUS(forget_keys(group.id));
  return withdrawal;
}

}  // namespace parley::group
