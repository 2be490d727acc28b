#include "node/replication.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "crypto/hash.h"
#include "group/rotation.h"
#include "session/audit_keeping.h"

namespace parley::node {
namespace {

constexpr auto kRoundEvery = std::chrono::seconds(60);  // log.md 2.6: pull
constexpr auto kTieEvery = std::chrono::hours(24);      // between entries that tie logs where no session does
constexpr auto kCallLimit = std::chrono::seconds(30);
constexpr auto kHelpLimit = std::chrono::seconds(60);  // of each member in a round; the rest goes on in the next
const wire::Limits kCallLimits{.handshake = std::chrono::seconds(5)};

std::string_view in_words(group::Ending::What what) {
  return what == group::Ending::What::sessions ? "its sessions are over"
                                               : "it is over, and our keys in it are destroyed";
}

}  // namespace

Status call_on(vault::Vault& vault, const vault::Peer& peer, const group::Member& us, group::JointLog& log,
               Deadline deadline, const std::function<void(wire::Link*)>& calling,
               const std::function<Status(group::LogLink&)>& then) {
  TRY(const wire::PinnedPeer pin, group::pinned_now(vault, peer, log));
  TRY(const wire::LocalIdentity identity, group::identity_towards(vault, us, log, pin.nick));
  auto connected = wire::connect(peer.address, identity, pin, kCallLimits);
  if (!connected) {
    // It may have been told of our newest key by hand.
    TRY(const wire::LocalIdentity newest, group::identity_now(vault, us));
    if (!newest.tls_seed.equals(identity.tls_seed)) connected = wire::connect(peer.address, newest, pin, kCallLimits);
  }
  TRY(const auto link, std::move(connected));
  group::LogLink log_link(*link, log);
  if (calling) calling(link.get());
  Status done = log_link.synchronise(deadline);
  if (done && then) done = then(log_link);
  if (done) done = link->send(wire::FrameType::bye, {});
  if (calling) calling(nullptr);
  return done;
}

Result<std::vector<vault::Peer>> fellow_members(vault::Vault& vault, const group::Card& ours,
                                                const group::Membership& membership) {
  TRY(std::vector<vault::Peer> peers, vault.peers());
  std::erase_if(peers, [&](const vault::Peer& peer) {
    const Digest card = crypto::sha256(as_bytes(peer.card));
    const auto members = membership.current_members();
    return std::ranges::none_of(members, [&](const group::CharterMember* member) {
      return member->card == card && member->keys.nick != ours.nick;
    });
  });
  return peers;
}

Status hear_enough(const group::Desk& desk, const group::Member& us, const group::Membership& membership,
                   group::JointLog& log, Progress& progress) {
  const auto waits = [&] {
    return log.with([](mirror::Replica& replica) {
      return replica.state() == mirror::State::asking || replica.state() == mirror::State::amnesia;
    });
  };
  if (!waits()) return {};
  TRY(const std::vector<vault::Peer> members, fellow_members(desk.vault, desk.card, membership));
  std::string unreached;
  for (const vault::Peer& member : members) {
    if (!waits()) return {};
    if (progress.cancelled())
      return fail(Errc::cancelled, "It was stopped while other members were asked for our log.");
    const auto calling = [&](wire::Link* link) {
      progress.set_wake(link == nullptr ? std::function<void()>() : [link] { link->shut_down(); });
    };
    if (!call_on(desk.vault, member, us, log, deadline_in(kCallLimit), calling))
      unreached += (unreached.empty() ? "" : ", ") + visible(member.name);
  }
  if (!waits()) return {};
  return fail(Errc::policy, log.with([](mirror::Replica& replica) { return replica.reason(); }) +
                                (unreached.empty() ? std::string() : " Not reached: " + unreached + "."));
}

Replication::Replication(group::Groups& groups, const group::Member& member, session::UnderWay& sessions,
                         Journal& journal, std::function<void(const std::string&)> close_links)
    : groups_(groups),
      member_(member),
      sessions_(sessions),
      journal_(journal),
      close_links_(std::move(close_links)),
      thread_([this] { run(); }) {}

Replication::~Replication() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    progress_.cancel();
    if (calling_ != nullptr) calling_->shut_down();
  }
  changed_.notify_all();
  thread_.join();
  if (const auto groups = groups_.in_step(wall_clock_now()))
    for (const std::string& group : *groups)
      if (const auto log = groups_.log(group)) (*log)->watch({});
}

void Replication::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

void Replication::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    woken_ = false;
    lock.unlock();
    try {
      round();
    } catch (const std::exception& error) {  // no memory, or a broken invariant: the next round may do better
      journal_.line(fmt::format("the joint logs: a failure inside this node ({})", visible(error.what())));
    }
    lock.lock();
    changed_.wait_for(lock, kRoundEvery, [&] { return woken_ || stopping_; });
  }
}

void Replication::round() {
  const auto groups = groups_.in_step(wall_clock_now());
  if (!groups) journal_.line("the joint logs: " + groups.error().text());
  if (groups)
    for (const std::string& group : *groups) call_members(group);
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
  }
  // After the calls: what the other members' clocks show keeps ours from ending what is not over.
  end_what_is_over();
}

void Replication::call_members(const std::string& group) {
  if (const auto left = groups_.note_leaves(group, wall_clock_now())) {
    for (const std::string& nick : *left)
      journal_.line(fmt::format("{} has withdrawn from the group; nothing is asked of it or answered to it any more",
                                visible(nick)));
  }
  const auto membership = groups_.membership(group);
  const auto log = groups_.log(group);
  if (!membership || !log) return;  // it ended meanwhile
  (*log)->watch(
      {.convicted =
           [this](const mirror::Conviction& conviction) {
             journal_.line(
                 fmt::format("FAULT: {} is proven to have cheated: {} The evidence is in the log: parley log list",
                             conviction.accused, conviction.reason));
           },
       .dropped =
           [this](std::uint64_t entries) {
             journal_.line(fmt::format(
                 "this disk is an older state: {} entries of our own log that nobody else ever had gave way to "
                 "those that other members hold",
                 entries));
           }});
  const group::Desk desk = groups_.desk();
  const auto members = fellow_members(desk.vault, desk.card, *membership);
  if (!members) return;
  const admission::Party us{
      .desk = desk, .membership = *membership, .log = **log, .pool = pool_, .progress = progress_};
  note_prepared(us, admission::prepare(us));
  for (const vault::Peer& member : *members) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
    note_reached(member.name, call(member, us));
    note_rotations(group);
    const auto card = group::read_card(member.card);
    if (card) note_clock(member.name, **log, card->nick);
    if (card)
      note_room(member.name, (*log)->with([&](mirror::Replica& replica) {
        return replica.takes_more(card->nick, wall_clock_now());
      }));
  }
  note_missing_keys(*membership, **log);
  if (const auto tied = (*log)->tie_to_others(kTieEvery); !tied)
    journal_.line("the joint logs: " + tied.error().text());
}

void Replication::note_prepared(const admission::Party& us, const Status& prepared) {
  const bool in_trouble = !prepared && prepared.error().code != Errc::cancelled;
  const std::string trouble = in_trouble ? prepared.error().text() : std::string();
  std::string& said = unprepared_[us.membership.group().id];
  if (said != trouble && in_trouble)
    journal_.line(us.log.with([&](mirror::Replica& replica) {
      return replica.state() == mirror::State::asking
                 ? "admission waits: " + replica.reason() + " It goes on by itself when they have."
                 : "admission: " + trouble;
    }));
  said = trouble;
}

void Replication::note_rotations(const std::string& group) {
  const std::lock_guard lock(noting_);
  const auto rotated = groups_.note_rotations(group);
  if (!rotated) journal_.line("keys that members have replaced: " + rotated.error().text());
  if (!rotated || rotated->empty()) return;
  const auto membership = groups_.membership(group);
  const group::Desk desk = groups_.desk();
  const auto members =
      membership ? fellow_members(desk.vault, desk.card, *membership) : std::unexpected(membership.error());
  if (!members) return;
  for (const vault::Peer& member : *members) {
    const auto card = group::read_card(member.card);
    if (!card || std::ranges::find(*rotated, card->nick) == rotated->end()) continue;
    journal_.line(fmt::format("{} has replaced its tls key by a signed entry of its log; links under the old one end",
                              member.name));
    close_links_(member.name);
  }
}

void Replication::note_missing_keys(const group::Membership& membership, group::JointLog& log) {
  for (const log::KeyRole role : {log::KeyRole::node, log::KeyRole::cosign}) {
    const Status here = group::check_key(log, membership.group().name, role);
    if (here)
      keyless_.erase({membership.group().id, role});
    else if (keyless_.insert({membership.group().id, role}).second)
      journal_.line(here.error().text());
  }
}

void Replication::note_clock(const std::string& peer, group::JointLog& log, const std::string& nick) {
  const auto ahead = log.clocks().ahead(nick, wall_clock_now());
  if (!ahead) return;
  const std::string warning = group::clock_warning(peer, *ahead, log.clocks().skew());
  if (warning.empty() && skewed_.erase(peer) > 0)
    journal_.line(fmt::format("the clock of {} and ours go together again", peer));
  if (!warning.empty() && skewed_.insert(peer).second) journal_.line(warning);
}

Status Replication::call(const vault::Peer& peer, const admission::Party& us) {
  const auto calling = [this](wire::Link* link) {
    const std::lock_guard lock(mutex_);
    calling_ = link;
    if (stopping_ && link != nullptr) link->shut_down();
  };
  const Status called =
      call_on(us.desk.vault, peer, member_, us.log, deadline_in(kCallLimit), calling, [&](group::LogLink& link) {
        const auto helped = admission::work_with(us, link, deadline_in(kHelpLimit));
        note_help(peer.name, helped);
        return Status();  // what is wrong with its help does not keep its log from us
      });
  if (!called)
    if (const auto card = group::read_card(peer.card))
      if (const auto noted = admission::note_helper(us, card->nick, false, {}); !noted)
        journal_.line("admission: " + noted.error().text());
  return called;
}

void Replication::note_help(const std::string& peer, const Result<std::optional<admission::Helped>>& helped) {
  std::string trouble;
  if (!helped)
    trouble = helped.error().text();
  else if (*helped && (*helped)->refusal)
    trouble = "it does not help with the rest; parley admit status says why";
  if (helped && *helped && (*helped)->indicators > 0)
    journal_.line(fmt::format("{} helped to admit {} indicators", peer, (*helped)->indicators));
  if (trouble_[peer] != trouble && !trouble.empty()) journal_.line(fmt::format("{}: {}", peer, trouble));
  trouble_[peer] = std::move(trouble);
}

void Replication::note_room(const std::string& peer, const Status& takes) {
  if (takes && without_room_.erase(peer) > 0) journal_.line(fmt::format("more of the log of {} is taken again", peer));
  if (!takes && without_room_.insert(peer).second) journal_.line(fmt::format("{}: {}", peer, takes.error().text()));
}

void Replication::note_reached(const std::string& peer, const Status& called) {
  if (called) {
    if (unreached_.erase(peer) > 0) journal_.line(fmt::format("{} is there again; its log and ours are in step", peer));
    return;
  }
  if (unreached_.insert(peer).second)
    journal_.line(fmt::format("{} cannot be called on for its log: {}", peer, called.error().text()));
}

void Replication::end_what_is_over() {
  const auto endings = groups_.end_what_is_over(wall_clock_now());
  if (!endings) {
    journal_.line("ending what is over: " + endings.error().text());
    return;
  }
  for (const group::Ending& ending : *endings) note_ending(ending);
  const auto ended = session::end_old_records(groups_.desk().vault);
  if (!ended) journal_.line("ending old records of sessions: " + ended.error().text());
  if (ended && *ended > 0)
    journal_.line(fmt::format("{} records of sessions were destroyed: their time, or their group, is over", *ended));
}

void Replication::note_ending(const group::Ending& ending) {
  const std::size_t stopped = sessions_.stop_all_of(ending.id);
  if (stopped > 0) journal_.line(fmt::format("the group {}: {} sessions under way are stopped", ending.group, stopped));
  if (ending.failure) {
    const std::string why = ending.failure->text();
    std::string& said = not_ended_[ending.id];
    if (said != why) journal_.line(fmt::format("the group {} cannot be ended yet: {}", ending.group, why));
    said = why;
    return;
  }
  not_ended_.erase(ending.id);
  if (ending.what != group::Ending::What::log) {
    journal_.line(fmt::format("the group {}: {}; {} secrets of its sessions were destroyed", ending.group,
                              in_words(ending.what), ending.secrets));
  } else if (settling_.insert(ending.id).second) {
    journal_.line(
        fmt::format("the group {}: our log of it is sealed; its keys go when the others' logs are as well, in "
                    "{} days at the latest",
                    ending.group, group::kSettlingSeconds / 86'400));
  }
}

}  // namespace parley::node
