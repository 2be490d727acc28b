// What leaves an honest member, and what is checked after each of its steps: I1, I2, I3 and I5.
#include "sim/observer.h"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "log/key_history.h"
#include "mirror/key_rotation.h"
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
  bool carries_any_of(const std::string& name) const {
    return std::ranges::find(signatures, name, &log::NoteSignature::name) != signatures.end();
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
  for (std::size_t i = 0; i < world.count(); ++i) {
    Seen& seen = seen_[i];
    seen.keys = world.keys()[i];
    seen.acknowledged.resize(world.count());
    seen.cosigned.resize(world.count());
    seen.checked.resize(world.count());
  }
}

void Observer::violated(std::string_view invariant, std::string what) {
  auto& violation = world_.report().violation;
  if (!violation) violation = Violation{std::string(invariant), std::move(what), world_.now()};
}

/// What a row of the disk says that was damaged since, it said before.
const log::MemberKeys& Observer::keys_of(std::size_t node) {
  log::MemberKeys& keys = seen_[node].keys;
  const Disk& disk = world_.node(node)->disk();
  const LogRows& rows = disk.rows(keys.log.name);
  for (std::size_t number = 0;; ++number) {
    const auto row = rows.steps.find(mirror::rotation_key(keys.nick, number));
    if (row == rows.steps.end() || row->second >= rows.leaves.size()) {
      keys.rotated.resize(std::min(keys.rotated.size(), number));
      return keys;
    }
    const vault::LogLeaf& leaf = rows.leaves[row->second];
    if (number < keys.rotated.size() && keys.rotated[number].leaf == leaf.note) continue;
    if (log::leaf_hash(as_bytes(leaf.note)) != leaf.hash) return keys;
    keys.rotated.resize(std::min(keys.rotated.size(), number));
    const auto body = disk.stored_body(leaf.hash);
    if (!body || !log::admit_rotation(keys, leaf.note, *body)) return keys;
  }
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
  Seen& seen = seen_[node];
  if (!note.contains(seen.keys.cosign.name)) return;
  const auto shown = shown_by(note);
  if (!shown || !shown->carries_any_of(seen.keys.cosign.name)) return;
  const log::Checkpoint* const checkpoint = &shown->checkpoint;
  const auto valid = keys_of(node).cosign_on(world_.nick(owner), checkpoint->size);
  if (std::ranges::none_of(valid, [&](const log::VerifierKey& key) { return shown->carries(key); })) {
    // What it cosigned before its disk went back it may show again, though it named another end of the key since.
    if (!seen.went_back && !seen.risky && !seen.cosigned[owner].contains(checkpoint->size))
      violated("I2", fmt::format("{} cosigned {} entries of {} with a key that it has replaced.", world_.nick(node),
                                 checkpoint->size, world_.nick(owner)));
    return;
  }
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
    if (seq != seen.history.size()) continue;
    sees_own_entry(from, *entry, push.leaves[i]);
    seen.history.push_back(hash);
  }
}

/// I2: an entry is signed with the key of its place. I6: and the one that a rotation brings is on the disk with it.
void Observer::sees_own_entry(std::size_t node, const log::Entry& claimed, std::string_view leaf) {
  const log::MemberKeys& keys = keys_of(node);
  if (!keys.rotated.empty() && !log::read_entry(leaf, keys))
    return violated("I2", fmt::format("{} signed entry {} with a key that is not that of its place.", world_.nick(node),
                                      claimed.seq));
  if (claimed.type != log::kKeyRotate) return;
  const auto placed = std::ranges::find(keys.rotated, claimed.seq, &log::PlacedRotation::seq);
  if (placed == keys.rotated.end())
    return violated("I2", fmt::format("Entry {} of {} rotates a key, and its disk does not know it.", claimed.seq,
                                      world_.nick(node)));
  const auto seeds = world_.node(node)->rotated_seeds();
  const auto is_due = [&](const Secret<32>& seed) { return crypto::public_key_of(seed) == placed->rotation.next.key; };
  if (std::ranges::none_of(seeds, is_due))
    violated("I6",
             fmt::format("{} let out entry {}, and has not the key that it brings.", world_.nick(node), claimed.seq));
}

/// I6: a key goes with the disk and not otherwise.
void Observer::has_lost_a_key(std::size_t node) {
  if (!seen_[node].went_back)
    violated("I6", fmt::format("{} has not the key that its log says is in use.", world_.nick(node)));
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

}  // namespace parley::sim
