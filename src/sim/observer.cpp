#include "sim/observer.h"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/hash.h"
#include "session/accounting.h"
#include "session/step.h"
#include "sim/node.h"
#include "sim/world.h"

namespace parley::sim {
namespace {

/// A checkpoint as it stands in a note, whoever signed it: the observer is shown what honest members have verified.
struct Shown {
  log::Checkpoint checkpoint;
  std::vector<log::NoteSignature> signatures;

  bool carries(const log::VerifierKey& key) const {
    return std::ranges::any_of(
        signatures, [&](const log::NoteSignature& one) { return one.name == key.name && one.key_id == key.id(); });
  }
};

std::optional<Shown> shown_by(std::string_view note) {
  auto parsed = log::parse_note(note);
  if (!parsed) return std::nullopt;
  auto checkpoint = log::parse_checkpoint(parsed->text);
  if (!checkpoint) return std::nullopt;
  return Shown{*std::move(checkpoint), std::move(parsed->signatures)};
}

}  // namespace

Observer::Observer(World& world) : world_(world), seen_(world.count()) {
  for (Seen& seen : seen_) {
    seen.acknowledged.resize(world.count());
    seen.cosigned.resize(world.count());
    seen.checked.resize(world.count());
  }
}

void Observer::violated(std::string_view invariant, std::string what) {
  auto& violation = world_.report().violation;
  if (!violation) violation = Violation{std::string(invariant), std::move(what), world_.now()};
}

// --- what leaves ---------------------------------------------------------------------------------------------------

void Observer::leaves(std::size_t from, std::size_t, const Frame& frame) {
  if (frame.type != FrameType::log || !world_.is_honest(from)) return;
  // What was looked at once and could be let out then says nothing new. A disk that went back may know less.
  if (frame.message.type != mirror::MessageType::push &&
      !seen_[from].looked_at.insert(crypto::sha256(frame.message.payload)).second)
    return;
  const auto content = mirror::parse_message(kGroup, frame.message);
  if (!content) return violated("I3", fmt::format("{} sends what cannot be read.", world_.nick(from)));
  if (const auto* push = std::get_if<mirror::Push>(&*content)) sees_push(from, *push);
  if (const auto* cosig = std::get_if<mirror::Cosig>(&*content))
    sees_cosignature(from, world_.position_of(cosig->log), cosig->checkpoint);
  if (const auto* heads = std::get_if<mirror::Heads>(&*content)) {
    for (const mirror::Heads::Log& log : heads->logs) {
      const std::size_t owner = world_.position_of(log.nick);
      if (owner == from) sees_own_checkpoint(from, log.checkpoint);
      if (owner != from) sees_cosignature(from, owner, log.checkpoint);
    }
  }
}

/// I2: one tree of each size, and it is on the disk and in the guard before it leaves.
void Observer::sees_own_checkpoint(std::size_t node, std::string_view note) {
  const auto shown = shown_by(note);
  if (!shown || seen_[node].risky) return;
  const log::Checkpoint* const checkpoint = &shown->checkpoint;
  const auto [signed_before, is_new] = seen_[node].signed_roots.emplace(checkpoint->size, checkpoint->root);
  if (signed_before->second != checkpoint->root)
    return violated("I2", fmt::format("{} signed two trees of {} entries.", world_.nick(node), checkpoint->size));
  const Node& who = *world_.node(node);
  if (!who.disk().is_durable() && !who.disk().lies())
    return violated("I3", fmt::format("{} let out a tree of {} entries that is not on its disk yet.", world_.nick(node),
                                      checkpoint->size));
  if (is_new && who.guard().head().size < checkpoint->size)
    violated("I2", fmt::format("{} let out a tree of {} entries that its guard does not know.", world_.nick(node),
                               checkpoint->size));
}

/// I3: what is acknowledged is on the disk. I2 of cosignatures: one tree of each size.
void Observer::sees_cosignature(std::size_t node, std::size_t owner, std::string_view note) {
  // Its cosignature stands under its name; most notes that pass here are old ones without it.
  const log::VerifierKey& key = world_.keys()[node].cosign;
  if (!note.contains(key.name)) return;
  const auto shown = shown_by(note);
  if (!shown || !shown->carries(key)) return;
  const log::Checkpoint* const checkpoint = &shown->checkpoint;
  Seen& seen = seen_[node];
  const Disk& disk = world_.node(node)->disk();
  const LogRows& rows = disk.rows(world_.keys()[owner].log.name);
  if (rows.leaves.size() < checkpoint->size || (!disk.is_durable() && !disk.lies()))
    return violated("I3", fmt::format("{} says that it holds {} entries of {}, and its disk does not.",
                                      world_.nick(node), checkpoint->size, world_.nick(owner)));
  const auto [before, is_new] = seen.cosigned[owner].emplace(checkpoint->size, checkpoint->root);
  if (before->second != checkpoint->root && !seen_[owner].risky)
    return violated("I1", fmt::format("{} cosigned two trees of {} entries of {}.", world_.nick(node), checkpoint->size,
                                      world_.nick(owner)));
  seen.acknowledged[owner] = std::max(seen.acknowledged[owner], checkpoint->size);
}

void Observer::sees_push(std::size_t from, const mirror::Push& push) {
  const std::size_t owner = world_.position_of(push.log);
  if (owner != from) return;
  sees_own_checkpoint(from, push.checkpoint);
  Seen& seen = seen_[from];
  if (seen.risky) return;
  for (std::size_t i = 0; i < push.leaves.size(); ++i) {
    const Digest hash = log::leaf_hash(as_bytes(push.leaves[i]));
    const std::size_t seq = push.from + i;
    if (seq < seen.history.size() && seen.history[seq] == hash) continue;
    // A row that the disk brought in the place of another is written nowhere, and no member takes it.
    const auto entry = log::read_entry_unverified(push.leaves[i]);
    if (!entry || entry->seq != seq) return;
    if (seq < seen.history.size() && seen.history[seq] != hash)
      return violated("I2", fmt::format("{} wrote another entry {}.", world_.nick(from), seq));
    if (seq == seen.history.size()) seen.history.push_back(hash);
  }
}

// --- sessions ------------------------------------------------------------------------------------------------------

void Observer::proposed(const std::string& session, std::size_t asker, std::size_t responder) {
  sessions_.emplace(session, std::pair(asker, responder));
}

void Observer::charged(std::size_t node, const std::string& session) {
  if (!world_.is_honest(node)) return;
  const auto says = [&](std::string_view when) {
    violated("I4", fmt::format("{} charges session {} {}.", world_.nick(node), session.substr(0, 8), when));
  };
  if (world_.node(node)->is_paused()) says("while its operator has paused the group");
  const UnixSeconds latest = std::max(world_.clock_of(node), world_.node(node)->disk().latest());
  if (latest >= world_.charter().charter.sessions_end()) says("after the end of the operation");
}

void Observer::runs_again(std::size_t node, const std::string& session) {
  if (disclosed_.contains({session, node}))
    violated("I4", fmt::format("{} discloses in session {} a second time.", world_.nick(node), session.substr(0, 8)));
}

void Observer::clock_jumped(std::size_t node, std::int64_t seconds) {
  // By less, several times, is no day within what a simulation lasts.
  if (seconds > group::kSecondsPerDay / 2) seen_[node].jumps.emplace_back(world_.now(), seconds);
}

bool Observer::counts_since(std::size_t node, Time since) const {
  return std::ranges::none_of(seen_[node].jumps, [&](const auto& jump) { return jump.first >= since; });
}

/// I4: nothing that can disclose leaves before it is charged, before both run entries are durable here, and before the
/// other side has said that it holds ours. It leaves once, and no more of it than the charter lets leave.
void Observer::discloses(const Disclosure& disclosure) {
  const std::size_t from = disclosure.from, to = disclosure.to;
  if (!world_.is_honest(from)) return;
  ++world_.report().disclosures;
  const Disk& disk = world_.node(from)->disk();
  const std::string& session = disclosure.session;
  const auto says = [&](std::string_view what) {
    violated("I4", fmt::format("{} discloses to {} in session {} {}.", world_.nick(from), world_.nick(to),
                               session.substr(0, 8), what));
  };
  const auto has_taken = [&](std::size_t who, std::string_view type) {
    const auto& steps = disk.rows(world_.keys()[who].log.name).steps;
    return steps.contains({world_.nick(who), session, std::string(type)});
  };
  if (!disclosed_.emplace(session, from).second) return says("a second time");
  if (!disk.is_durable() && !disk.lies()) return says("what is not on its disk");
  if (!has_taken(from, log::kSessionRun)) return says("without a run entry of its own");
  if (!has_taken(to, log::kSessionRun)) return says("without the other's run entry");
  for (const std::size_t who : {from, to}) {
    const auto& steps = disk.rows(world_.keys()[who].log.name).steps;
    const auto commit = steps.find({world_.nick(who), session, std::string(log::kSessionCommit)});
    if (commit == steps.end() || commit->second > steps.at({world_.nick(who), session, std::string(log::kSessionRun)}))
      return says("before both have committed to what they enter");
  }
  const StoredSession* stored = disk.session(session);
  if (stored == nullptr || stored->row.state != session::kRunning) return says("without having charged it");
  const auto& steps = disk.rows(world_.keys()[from].log.name).steps;
  const std::uint64_t run = steps.at({world_.nick(from), session, std::string(log::kSessionRun)});
  if (world_.is_honest(to) && seen_[to].acknowledged[from] <= run && !seen_[to].went_back)
    return says("before the other side holds the run entry");
  auto spending = spending_of(disclosure);
  if (!spending) return says("without an agreement on its size");
  const auto their_run =
      disk.said(world_.keys()[to].log.name, log::StepKey{world_.nick(to), session, std::string(log::kSessionRun)});
  if (!their_run || their_run->object()->at("probe_items") != log::Json(spending->theirs))
    return says("to one that enters another number of items than was agreed on");
  check_caps(*spending);
  spent_.push_back(*std::move(spending));
}

/// I4 of reveals: a field leaves after both offers, which bind it, are durable here and the other side holds ours; no
/// more fields than were offered; and the ledger has counted it before.
void Observer::opens(const Opening& opening) {
  const std::size_t from = opening.from, to = opening.to;
  if (!world_.is_honest(from)) return;
  ++world_.report().openings;
  const Disk& disk = world_.node(from)->disk();
  const auto says = [&](std::string_view what) {
    violated("I4", fmt::format("{} opens a field to {} in session {} {}.", world_.nick(from), world_.nick(to),
                               opening.session.substr(0, 8), what));
  };
  if (!disk.is_durable() && !disk.lies()) return says("while something is not on its disk");
  const auto ours = disk.said(world_.keys()[from].log.name, opening.our_offer);
  const auto theirs = disk.said(world_.keys()[to].log.name, opening.their_offer);
  if (!ours || !session::RevealOffer::from_json(*ours)) return says("without an offer of its own");
  if (!theirs || !session::RevealOffer::from_json(*theirs)) return says("without the other's offer");
  const auto& places = disk.rows(world_.keys()[from].log.name).places;
  if (world_.is_honest(to) && !seen_[to].went_back && seen_[to].acknowledged[from] <= places.at(opening.our_offer))
    return says("before the other side holds its offer");
  const std::uint64_t in_session = ++opened_in_[{opening.session, from}];
  if (in_session > opening.offered || opening.offered != session::RevealOffer::from_json(*ours)->values)
    return says("beyond what it offered");
  if (const std::int64_t all = ++opened_[{from, to}]; all > opening.counted && !seen_[from].risky)
    says(fmt::format("that its ledger does not count: {} have left, and it says at most {}", all, opening.counted));
}

/// By the proposal and the acceptance, as they lie on the disk of whoever discloses.
std::optional<Observer::Spending> Observer::spending_of(const Disclosure& disclosure) const {
  const Disk& disk = world_.node(disclosure.from)->disk();
  const std::size_t responder = disclosure.asker == disclosure.from ? disclosure.to : disclosure.from;
  const auto proposed = disk.said(world_.keys()[disclosure.asker].log.name, disclosure.proposal);
  const auto accepted =
      disk.said(world_.keys()[responder].log.name,
                log::StepKey{world_.nick(responder), disclosure.session, std::string(log::kSessionAccept)});
  if (!proposed || !accepted) return std::nullopt;
  const auto proposal = session::Proposal::from_json(*proposed);
  const auto acceptance = session::Acceptance::from_json(*accepted);
  if (!proposal || !acceptance) return std::nullopt;
  Spending spending{.disclosure = disclosure,
                    .types = proposal->question.types,
                    .function = proposal->question.function,
                    .ours = static_cast<std::int64_t>(proposal->padded),
                    .theirs = static_cast<std::int64_t>(acceptance->padded)};
  spending.they_learn = proposal->question.responder_learns();
  if (responder != disclosure.from) return spending;
  std::swap(spending.ours, spending.theirs);
  spending.they_learn = proposal->question.asker_learns();
  return spending;
}

/// All that one member has disclosed stays under the caps of the charter. After a jump of its clock its windows are
/// others.
void Observer::check_caps(const Spending& now) {
  const std::size_t from = now.disclosure.from;
  if (seen_[from].risky || !counts_since(from, now.disclosure.began)) return;
  for (const indicator::Type type : now.types) {
    const group::AllowedQuestion* allowed = world_.charter().charter.question(type, now.function);
    const auto too_much = [&](std::string_view what) {
      violated("I4", fmt::format("{} discloses to {} in session {}, and {} than the charter allows.", world_.nick(from),
                                 world_.nick(now.disclosure.to), now.disclosure.session.substr(0, 8), what));
    };
    if (allowed == nullptr) return too_much("asks for other things");
    std::int64_t sessions = 1, theirs = now.theirs, ours = now.ours, group = now.theirs;
    for (const Spending& before : spent_) {
      if (before.disclosure.from != from || std::ranges::find(before.types, type) == before.types.end() ||
          !counts_since(from, before.disclosure.began))
        continue;
      group += before.theirs;
      if (before.disclosure.to != now.disclosure.to) continue;
      theirs += before.theirs;
      ours += before.ours;
      ++sessions;
    }
    const group::Caps& caps = allowed->caps;
    if (std::max(now.theirs, now.ours) > caps.items_per_session) return too_much("more enters it");
    if (sessions > caps.sessions_per_day) return too_much("it is one session more in a day");
    if (std::max(theirs, ours) > caps.probe_items_30d) return too_much("more has been entered");
    if (group > caps.probe_items_group_30d) return too_much("more has been entered by all");
  }
}

// --- after each step -----------------------------------------------------------------------------------------------

void Observer::convicts(std::size_t by, const mirror::Conviction& conviction) {
  if (!world_.is_honest(by)) return;
  const std::size_t accused = world_.position_of(conviction.accused);
  if (!world_.is_honest(accused)) {
    ++world_.report().convictions;
    return;
  }
  if (!seen_[accused].risky)
    violated("I5", fmt::format("{} convicts {}, which is honest: {}", world_.nick(by), conviction.accused,
                               conviction.reason));
}

void Observer::stepped(std::size_t node) {
  if (!world_.is_honest(node)) return;
  check_histories(node);
  check_final(node);
}

/// Every copy of an honest member's log is a beginning of what that member let out.
void Observer::check_histories(std::size_t node) {
  Seen& seen = seen_[node];
  for (std::size_t owner = 0; owner < world_.count(); ++owner) {
    if (owner == node || !world_.is_honest(owner) || seen_[owner].risky) continue;
    const auto& leaves = world_.node(node)->disk().rows(world_.keys()[owner].log.name).leaves;
    std::uint64_t& checked = seen.checked[owner];
    for (checked = std::min<std::uint64_t>(checked, leaves.size()); checked < leaves.size(); ++checked) {
      const auto& history = seen_[owner].history;
      if (checked >= history.size() || history[checked] != leaves[checked].hash)
        return violated("I1", fmt::format("{} holds an entry {} of {} that {} never let out.", world_.nick(node),
                                          checked, world_.nick(owner), world_.nick(owner)));
    }
  }
}

/// No log has two trees of one size of which members are told that a quorum holds them.
void Observer::check_final(std::size_t node) {
  const Node& who = *world_.node(node);
  if (!who.runs()) return;
  // With a member that forgot what it had cosigned there may be one liar more than the quorum stands.
  const auto forgot = [&](const Seen& seen) { return seen.went_back; };
  if (std::ranges::any_of(seen_, forgot)) return;
  for (std::size_t owner = 0; owner < world_.count(); ++owner) {
    if (world_.is_honest(owner)) continue;
    const LogRows& rows = who.disk().rows(world_.keys()[owner].log.name);
    if (rows.leaves.empty()) continue;
    for (const auto& [size, checkpoint] : rows.checkpoints) {
      const auto lines = rows.cosignatures.find(size);
      if (lines == rows.cosignatures.end() || lines->second.size() + 1 < log::log_quorum(world_.count())) continue;
      const auto [before, is_new] = final_.emplace(std::pair(owner, size), checkpoint.root);
      if (before->second != checkpoint.root)
        return violated("I1", fmt::format("Two trees of {} entries of {} have a quorum.", size, world_.nick(owner)));
    }
  }
}

void Observer::check_acknowledged(std::size_t node) {
  const Seen& seen = seen_[node];
  for (std::size_t owner = 0; owner < world_.count(); ++owner) {
    const std::uint64_t held = world_.node(node)->disk().rows(world_.keys()[owner].log.name).leaves.size();
    if (held < seen.acknowledged[owner])
      return violated("I3", fmt::format("{} had said that it holds {} entries of {}; {} are left after a crash.",
                                        world_.nick(node), seen.acknowledged[owner], world_.nick(owner), held));
  }
}

void Observer::started(std::size_t node) {
  if (!world_.is_honest(node)) return;
  check_acknowledged(node);
}

void Observer::disk_went_back(std::size_t node) {
  if (!world_.is_honest(node)) return;
  seen_[node].looked_at.clear();
  Seen& seen = seen_[node];
  seen.went_back = true;
  for (std::size_t owner = 0; owner < world_.count(); ++owner) {
    const std::uint64_t held = world_.node(node)->disk().rows(world_.keys()[owner].log.name).leaves.size();
    seen.acknowledged[owner] = std::min(seen.acknowledged[owner], held);
    if (!world_.is_honest(owner)) seen.cosigned[owner].clear();
  }
}

std::uint64_t Observer::let_out(std::size_t node) const {
  const auto& roots = seen_[node].signed_roots;
  return roots.empty() ? 0 : roots.rbegin()->first;
}

bool Observer::is_protected(std::size_t node) const {
  const std::uint64_t shown = let_out(node);
  if (shown == 0) return true;
  std::size_t holders = 0;
  for (std::size_t i = 0; i < world_.count(); ++i)
    if (i != node && world_.is_honest(i) && world_.node(i)->disk().is_durable() &&
        world_.node(i)->disk().rows(world_.keys()[node].log.name).leaves.size() >= shown)
      ++holders;
  return holders + world_.answers_needed() >= world_.count();
}

bool Observer::is_held_elsewhere(std::size_t node) const {
  const auto size_at = [&](std::size_t i) {
    return world_.node(i)->disk().rows(world_.keys()[node].log.name).leaves.size();
  };
  for (std::size_t i = 0; i < world_.count(); ++i)
    if (i != node && world_.is_honest(i) && size_at(i) >= size_at(node)) return true;
  return false;
}

// --- at rest -------------------------------------------------------------------------------------------------------

void Observer::at_rest() {
  for (std::size_t i = 0; i < world_.count(); ++i) {
    if (!world_.is_honest(i)) continue;
    const Node& node = *world_.node(i);
    if (!node.runs()) return violated("I8", fmt::format("{} does not start.", world_.nick(i)));
    if (!node.is_live() && !seen_[i].risky)
      return violated(
          "I8", fmt::format("{} is {}: {}", world_.nick(i), name_of(node.replica().state()), node.replica().reason()));
    stepped(i);
    rest_of_own_log(i);
    rest_of_ledger(i);
  }
  rest_of_histories();
  rest_of_liars();
  rest_of_sessions();
}

bool Observer::anybody_has(const Digest& body) const {
  for (std::size_t i = 0; i < world_.count(); ++i)
    if (world_.is_honest(i) && world_.node(i)->disk().has_body(body)) return true;
  return false;
}

/// I6: what an honest member committed to it can open, unless its disk went back.
void Observer::rest_of_own_log(std::size_t node) {
  if (seen_[node].went_back) return;
  const Disk& disk = world_.node(node)->disk();
  for (const vault::LogLeaf& leaf : disk.rows(world_.keys()[node].log.name).leaves) {
    const auto entry = log::read_entry_unverified(leaf.note);
    if (!entry || !disk.has_body(entry->body))
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
        const auto entry = log::read_entry_unverified(held[seq].note);
        if (entry && anybody_has(entry->body))
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
  if (row.state == session::kAborted && stored->has_step(us) && !stored->has_step(us, log::kSessionAbort) &&
      !seen_[node].risky)
    return says("I7", "was aborted, and the log does not say so");
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
