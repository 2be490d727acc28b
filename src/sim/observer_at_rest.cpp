// What must hold once faults have ended and all have met: I1, I4, I6, I7 and I8.
#include <fmt/format.h>

#include <algorithm>

#include "mirror/key_rotation.h"
#include "session/step.h"
#include "sim/node.h"
#include "sim/observer.h"
#include "sim/world.h"

namespace parley::sim {

void Observer::at_rest() {
  for (std::size_t i = 0; i < world_.count(); ++i) {
    if (!world_.is_honest(i)) continue;
    const Node& node = *world_.node(i);
    if (!node.runs()) return violated("I8", fmt::format("{} does not start: {}", world_.nick(i), node.refusal()));
    if (!node.is_live() && !seen_[i].risky)
      return violated(
          "I8", fmt::format("{} is {}: {}", world_.nick(i), name_of(node.replica().state()), node.replica().reason()));
    stepped(i);
    rest_of_own_log(i);
    rest_of_ledger(i);
  }
  rest_of_histories();
  rest_of_rotations();
  rest_of_liars();
  rest_of_sessions();
}

bool Observer::anybody_has(const Digest& leaf) const {
  for (std::size_t i = 0; i < world_.count(); ++i)
    if (world_.is_honest(i) && world_.node(i)->disk().has_body(leaf)) return true;
  return false;
}

/// I6: what an honest member committed to it can open, unless its disk went back.
void Observer::rest_of_own_log(std::size_t node) {
  if (seen_[node].went_back) return;
  const Disk& disk = world_.node(node)->disk();
  for (const vault::LogLeaf& leaf : disk.rows(world_.keys()[node].log.name).leaves) {
    const auto entry = log::read_entry_unverified(leaf.note);
    if (!entry || !disk.has_body(leaf.hash))
      return violated("I6", fmt::format("{} cannot open an entry of its own.", world_.nick(node)));
    if (entry->type == log::kSessionCommit && !disk.has_secret(salts_key(entry->session)))
      return violated("I6", fmt::format("{} cannot open what it committed to in session {}.", world_.nick(node),
                                        entry->session.substr(0, 8)));
  }
}

/// I8: all honest members hold the same of each other's logs, and have said so.
void Observer::rest_of_histories() {
  for (std::size_t owner = 0; owner < world_.count(); ++owner) {
    if (!world_.is_honest(owner) || seen_[owner].risky) continue;
    const auto& own = world_.node(owner)->disk().rows(world_.keys()[owner].log.name).leaves;
    world_.report().entries += own.size();
    for (std::size_t i = 0; i < world_.count(); ++i) {
      if (!world_.is_honest(i) || i == owner) continue;
      const Node& node = *world_.node(i);
      const auto& held = node.disk().rows(world_.keys()[owner].log.name).leaves;
      if (held.size() != own.size())
        return violated("I8", fmt::format("{} holds {} of the {} entries of {}.", world_.nick(i), held.size(),
                                          own.size(), world_.nick(owner)));
      const auto missing = node.replica().missing_bodies(world_.nick(owner));
      for (const std::uint64_t seq : missing) {
        if (anybody_has(held[seq].hash))
          return violated("I8", fmt::format("{} lacks the body of entry {} of {}, and others have it.", world_.nick(i),
                                            seq, world_.nick(owner)));
      }
      if (missing.empty() && !own.empty() && !seen_[i].risky &&
          !world_.node(owner)->replica().held_by(world_.nick(i), world_.nick(owner), own.size()))
        return violated("I8",
                        fmt::format("{} does not know that {} holds its log.", world_.nick(owner), world_.nick(i)));
    }
  }
}

/// I8: all honest members hold the same rotations of each other's keys, and would read them again from their disks;
/// and each has the keys that it is to sign with.
void Observer::rest_of_rotations() {
  const auto places = [](const log::MemberKeys& keys) {
    std::vector<std::pair<std::uint64_t, log::Rotation>> all;
    for (const log::PlacedRotation& placed : keys.rotated) all.emplace_back(placed.seq, placed.rotation);
    return all;
  };
  for (std::size_t owner = 0; owner < world_.count(); ++owner) {
    if (!world_.is_honest(owner) || seen_[owner].risky) continue;
    const auto own = places(keys_of(owner));
    world_.report().rotations += own.size();
    for (std::size_t i = 0; i < world_.count(); ++i) {
      if (!world_.is_honest(i)) continue;
      const auto held = world_.node(i)->replica().keys_of(world_.nick(owner));
      Disk disk = world_.node(i)->disk();  // of its own: reading uses up what a disk does wrong
      log::MemberKeys stored = world_.keys()[owner];
      const Status loaded = mirror::load_rotations(disk, stored);
      if (!held || !loaded || places(*held) != own || places(stored) != own)
        return violated("I8",
                        fmt::format("{} holds other rotations of the keys of {}.", world_.nick(i), world_.nick(owner)));
    }
    const mirror::Replica& replica = world_.node(owner)->replica();
    if (!replica.has_key(log::KeyRole::node) || !replica.has_key(log::KeyRole::cosign))
      return violated("I8", fmt::format("{} has not the keys that its log says are in use.", world_.nick(owner)));
  }
}

/// I1: of a log that was shown in two ways to honest members, all honest members know the fault; of any other they hold
/// beginnings of one history.
void Observer::rest_of_liars() {
  for (std::size_t owner = 0; owner < world_.count(); ++owner) {
    if (world_.is_honest(owner)) continue;
    std::vector<std::size_t> honest;
    std::size_t convinced = 0;
    bool differ = false;
    for (std::size_t i = 0; i < world_.count(); ++i) {
      if (!world_.is_honest(i)) continue;
      const auto& held = world_.node(i)->disk().rows(world_.keys()[owner].log.name).leaves;
      for (const std::size_t other : honest) {
        const auto& theirs = world_.node(other)->disk().rows(world_.keys()[owner].log.name).leaves;
        const std::size_t both = std::min(held.size(), theirs.size());
        differ = differ || (both > 0 && held[both - 1].hash != theirs[both - 1].hash);
      }
      honest.push_back(i);
      if (!world_.node(i)->replica().trusted(world_.nick(owner))) ++convinced;
    }
    if (convinced != honest.size() && (differ || convinced > 0))
      return violated("I1", fmt::format("{} has shown two histories or broken a rule, and {} of {} honest members hold "
                                        "the proof.",
                                        world_.nick(owner), convinced, honest.size()));
  }
}

void Observer::rest_of_sessions() {
  for (const auto& [session, pair] : sessions_) {
    const auto [asker, responder] = pair;
    if (world_.is_honest(asker)) {
      const StoredSession* stored = world_.node(asker)->disk().session(session);
      ++world_.report().sessions[stored != nullptr ? ending_of(stored->row) : "forgotten"];
      rest_of_session(session, asker, responder);
    }
    if (world_.is_honest(responder)) rest_of_session(session, responder, asker);
  }
}

/// By the ledger as a process would add it up that starts now: the own log is what charges.
bool Observer::is_charged(const std::string& session, std::size_t node) {
  auto& accounting = ledgers_[node];
  if (!accounting) {
    accounting = std::make_unique<session::Accounting>(std::string(kGroup), world_.nick(node));
    const std::vector<session::MemberLog> own{{world_.keys()[node].log.name, world_.nick(node)}};
    Disk disk = world_.node(node)->disk();  // of its own: reading uses up what a disk does wrong
    if (const Status read = accounting->update(disk, own); !read)
      violated("I4", fmt::format("The ledger of {} cannot be added up: {}", world_.nick(node), read.error().text()));
  }
  const auto id = session::session_id_from(session);
  return id && accounting->with([&](const ledger::Ledger& all) { return all.is_charged(*id); });
}

/// I4 at the end: by the ledger as a process would add it up that starts now from all logs here, whoever took part in a
/// session could test no more, and has no more fields, than it says.
void Observer::rest_of_ledger(std::size_t node) {
  if (seen_[node].risky) return;
  session::Accounting accounting(std::string(kGroup), world_.nick(node));
  std::vector<session::MemberLog> logs;
  for (const log::MemberKeys& member : world_.keys()) logs.push_back({member.log.name, member.nick});
  Disk disk = world_.node(node)->disk();  // of its own: reading uses up what a disk does wrong
  if (const Status read = accounting.update(disk, logs); !read)
    return violated("I4",
                    fmt::format("The ledger of {} cannot be added up: {}", world_.nick(node), read.error().text()));
  for (std::size_t peer = 0; peer < world_.count(); ++peer) {
    if (peer == node) continue;
    // What only a liar was told may be nowhere any more.
    if (seen_[node].went_back && !world_.is_honest(peer)) continue;
    const std::string& nick = world_.nick(peer);
    const ledger::Account account = accounting.with(
        [&](const ledger::Ledger& all) { return all.account(&nick, std::nullopt, ledger::Window::operation); });
    std::int64_t tested = 0;
    for (const Spending& spending : spent_)
      if (spending.disclosure.from == node && spending.disclosure.to == peer && spending.they_learn)
        tested += spending.theirs;
    const auto opened = opened_.find({node, peer});
    const std::int64_t fields = opened == opened_.end() ? 0 : opened->second;
    const auto says = [&](std::string_view what, std::int64_t real, std::int64_t counted) {
      violated("I4", fmt::format("The ledger of {} says that {} {} {}, and it was {}.", world_.nick(node), nick, what,
                                 counted, real));
    };
    if (account.incomplete == 0 && tested > account.probe_in) says("could test", tested, account.probe_in);
    if (fields > account.field_in.worst) says("has at most so many fields:", fields, account.field_in.worst);
    if (world_.is_honest(peer) && !seen_[peer].risky && account.field_in.known > fields)
      says("has at least so many fields:", fields, account.field_in.known);
  }
}

/// I7: no two states that contradict each other. I4 at the end: what was disclosed is charged, and said.
void Observer::rest_of_session(const std::string& session, std::size_t node, std::size_t other) {
  if (seen_[node].went_back) return;
  const Disk& disk = world_.node(node)->disk();
  const StoredSession* stored = disk.session(session);
  const auto says = [&](std::string_view invariant, std::string_view what) {
    violated(invariant, fmt::format("Session {} of {} with {} {}.", session.substr(0, 8), world_.nick(node),
                                    world_.nick(other), what));
  };
  const bool disclosed = disclosed_.contains({session, node});
  if (stored == nullptr) {
    if (disclosed) says("I4", "was not charged");
    return;
  }
  const vault::SessionRow& row = stored->row;
  const auto outcome = session::read_outcome(row.outcome);
  if (!outcome) return says("I7", "cannot be read");
  if (disclosed && !is_charged(session, node)) return says("I4", "was not charged");
  if (!session::is_at_rest(row.state)) return says("I7", "has not ended");
  if (disclosed && row.state == session::kAborted && !outcome->may_have_disclosed)
    return says("I4", "disclosed something, and its abort denies it");
  const std::string& us = world_.nick(node);
  const bool came_to_nothing = row.state == session::kAborted || (row.state == session::kRefused && row.asked_by_us);
  if (came_to_nothing && stored->has_step(us) && !stored->has_step(us, log::kSessionAbort) && !seen_[node].risky)
    return says("I7", "came to nothing, and the log does not say so");
  // What an honest member's log had may be gone once its operator has taken the risk of a second history.
  if (ending_of(row) == "agreed" && !seen_[other].risky) rest_of_agreement(session, node, other);
  if (!world_.is_honest(other) || seen_[other].went_back) return;
  const StoredSession* their_row = world_.node(other)->disk().session(session);
  const std::string theirs = their_row == nullptr ? "" : their_row->row.state;
  if (row.state == session::kDisputed) return says("I7", "is disputed between honest members");
  if (ending_of(row) == "agreed" && theirs != session::kHasResult) return says("I7", "is agreed on one side only");
  if (row.state == session::kHasResult &&
      (theirs.empty() || theirs == session::kRefused || theirs == session::kExpired))
    return says("I7", "has a result on one side, and the other refused it");
  if (row.state == session::kRefused && (theirs.empty() || theirs == session::kHasResult))
    return says("I7", "was refused on one side only");
}

/// Whoever says that both agree holds two signed results that say the same, and no word of the other against it.
void Observer::rest_of_agreement(const std::string& session, std::size_t node, std::size_t other) {
  const Disk& disk = world_.node(node)->disk();
  const auto said = [&](std::size_t who, std::string_view type) {
    return disk.said(world_.keys()[who].log.name, log::StepKey{world_.nick(who), session, std::string(type)});
  };
  const auto says = [&](std::string_view what) {
    violated("I7", fmt::format("Session {} of {} is agreed with {}, {}.", session.substr(0, 8), world_.nick(node),
                               world_.nick(other), what));
  };
  const auto ours = said(node, log::kSessionResult);
  const auto theirs = said(other, log::kSessionResult);
  const auto our_result = ours ? session::ResultStep::from_json(*ours) : fail(Errc::not_found, {});
  const auto their_result = theirs ? session::ResultStep::from_json(*theirs) : fail(Errc::not_found, {});
  if (!our_result || !their_result) return says("and the results of both are not there");
  if (our_result->count != their_result->count || our_result->result_root != their_result->result_root ||
      our_result->transcript != their_result->transcript)
    says("whose signed result is another");
}

}  // namespace parley::sim
