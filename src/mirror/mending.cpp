// Putting damaged rows right: out of what is sound here, and then out of a peer's copy. A wrong row is found because a
// signed root covers it; the right one is known by the same root (log.md 2.7).
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mirror/detail/impl.h"

namespace parley::mirror {
namespace {

constexpr std::uint64_t kLeavesAtOnce = 1024;

}  // namespace

/// Entries of a damaged log that are sound, one after another from where the damage begins, and what stands over them.
struct Replica::Impl::Repair {
  Repair(detail::LogCopy& copy, log::MemberKeys& owner)
      : next(*copy.mending),
        rows{.origin = copy.origin, .from = next.state.size, .leaves = {}, .nodes = {}, .checkpoint = {}},
        keys_before{owner} {}

  void add(const log::Extension& extension, std::string_view leaf) {
    rows.leaves.push_back({extension.leaf_hash, std::string(leaf)});
    next.frontier.append(extension.leaf_hash,
                         [&](const log::TreeNode&, const Digest& hash) { rows.nodes.push_back(hash); });
    next.state = extension.state;
  }

  detail::Mending next;
  RepairRows rows;
  Batch batch{.growth = {}, .steps = {}, .faults = {}, .repairs = {}};
  KeysBefore keys_before;
};

/// The next entry of a damaged log. A rotation of which a row is damaged is not known: what follows it cannot be
/// checked before it is, and the rows by which it is found again are written again.
/// @param body  of a rotation; nullptr if it is not there
Status Replica::Impl::add_to(Repair& repair, const detail::LogCopy& copy, std::string_view leaf,
                             const log::Body* body) {
  const std::uint64_t seq = repair.next.state.size;
  auto& rotated = group.members[copy.owner].rotated;
  const std::size_t count = rotated.size();
  const auto known = std::ranges::find(rotated, seq, &log::PlacedRotation::seq);
  Batch& batch = repair.batch;
  if (known != rotated.end()) {
    const auto number = static_cast<std::size_t>(known - rotated.begin());
    batch.steps.push_back({copy.origin, rotation_key(nick(copy.owner), number), seq});
  } else {
    TRY_STATUS(take_rotation(copy.owner, seq, leaf, body, batch.steps));
  }
  const auto extension = log::extend(repair.next.state, leaf, keys(copy.owner));
  if (!extension) {
    // Nothing of it stays: what came before it may be kept.
    if (rotated.size() > count) {
      rotated.pop_back();
      batch.steps.pop_back();
    }
    return std::unexpected(extension.error());
  }
  if (rotated.size() > count) {
    if (batch.growth.empty()) batch.growth.push_back(detail::Growing(copy).growth);
    batch.growth.front().bodies.push_back({log::leaf_hash(as_bytes(leaf)), body->salt, to_bytes(body->text)});
  }
  repair.add(*extension, leaf);
  return {};
}

Status Replica::Impl::keep(Repair&& repair, detail::LogCopy& copy) {
  const bool is_whole = repair.next.state.size == copy.size();
  repair.batch.repairs.push_back(std::move(repair.rows));
  TRY_STATUS(commit(std::move(repair.batch)));
  repair.keys_before.replaced = true;
  *copy.mending = std::move(repair.next);
  return is_whole ? mended(copy) : Status{};
}

/// Whether `leaf`, the last entry behind those of `before`, makes the tree of the checkpoint that is stored.
Result<bool> Replica::Impl::ends_as_signed(const detail::LogCopy& copy, log::Frontier before, std::string_view leaf) {
  TRY(const auto stored, sound_checkpoint_of(copy, copy.size()));
  if (!stored) return false;
  before.append(log::leaf_hash(as_bytes(leaf)), [](const log::TreeNode&, const Digest&) {});
  return stored->size == before.size() && stored->root == before.root();
}

/// Whether the checkpoint that came is of another tree than the one of its size that is stored: two that the owner
/// signed. For our own we are not convicted here: ours may be of an end that never left.
Result<bool> Replica::Impl::contradicts_stored(const detail::LogCopy& copy, const log::CosignedCheckpoint& read,
                                               std::string_view note, ByteView branch, Outcome& outcome) {
  TRY(const auto row, checkpoint_of(copy, read.checkpoint.size));
  if (!row || !log::read_checkpoint(row->note, keys(copy.owner).log)) return false;
  const auto fault = log::fault_of_checkpoints(row->note, note, keys(copy.owner));
  if (!fault) return false;
  if (copy.owner == group.self) return true;
  return convict(*fault, branch, outcome);
}

/// What came before an entry that does not go on from it, if `ours` at the place of that entry does.
Result<Outcome> Replica::Impl::keep_beginning(Repair&& repair, detail::LogCopy& copy, const std::string* ours) {
  if (!repair.rows.leaves.empty() && ours != nullptr && log::extend(repair.next.state, *ours, keys(copy.owner)))
    TRY_STATUS(keep(std::move(repair), copy));
  return Outcome{};
}

/// Of our own log, the checkpoint at its end where the stored one is damaged and nobody holds another: what came goes
/// on from that tree to a larger one that we signed.
Result<std::optional<vault::LogCheckpoint>> Replica::Impl::own_checkpoint_before(detail::LogCopy& copy,
                                                                                 log::Frontier frontier,
                                                                                 const Push& push,
                                                                                 const log::Checkpoint& larger) {
  if (copy.owner != group.self || !signing) return std::nullopt;
  const log::Checkpoint ours{copy.origin, frontier.size(), frontier.root()};
  for (std::uint64_t seq = ours.size; seq < larger.size; ++seq)
    frontier.append(log::leaf_hash(as_bytes(push.leaves[seq - push.from])), [](const log::TreeNode&, const Digest&) {});
  if (frontier.root() != larger.root) return std::nullopt;
  return vault::LogCheckpoint{ours.size, ours.root, log::sign_checkpoint(ours, signing->log)};
}

/// What is sound needs nobody: hashes of the tree follow from the entries, and entries behind a damaged one are good
/// again as soon as it is. The last entry waits for a checkpoint that is sound.
Status Replica::Impl::mend_alone(detail::LogCopy& copy) {
  for (bool goes_on = copy.mending && copy.mending->state.size < copy.size(); goes_on;) {
    Repair repair(copy, group.members[copy.owner]);
    const std::uint64_t from = repair.rows.from;
    TRY(const auto held, store.leaves(copy.origin, from, std::min(kLeavesAtOnce, copy.size() - from)));
    for (const vault::LogLeaf& leaf : held) {
      if (repair.next.state.size + 1 == copy.size()) {
        TRY(const bool as_signed, ends_as_signed(copy, repair.next.frontier, leaf.note));
        if (!as_signed) break;
      }
      const auto body = stored_body(store, leaf.note);
      if (!body && body.error().code == Errc::io) return std::unexpected(body.error());
      if (!body || !add_to(repair, copy, leaf.note, *body ? &**body : nullptr)) break;
    }
    // Rows at the end may be missing: then there is nothing to go on with.
    goes_on = !held.empty() && repair.rows.leaves.size() == held.size() && repair.next.state.size < copy.size();
    if (!repair.rows.leaves.empty()) TRY_STATUS(keep(std::move(repair), copy));
  }
  return {};
}

Result<Outcome> Replica::Impl::take_mending(detail::LogCopy& copy, const Push& push,
                                            const log::CosignedCheckpoint& read, const Bytes& payload) {
  Outcome outcome;
  Repair repair(copy, group.members[copy.owner]);
  const std::uint64_t from = repair.rows.from;
  const std::uint64_t size = copy.size();
  if (push.from > from) {
    TRY(Message sent, message(Get{Get::What::entries, push.log, from, size - from}));
    outcome.replies.push_back(std::move(sent));
    return outcome;
  }
  std::uint64_t end = std::min(push.from + push.leaves.size(), size);
  TRY(const auto stored, sound_checkpoint_of(copy, size));
  // The last entry of others' logs waits for a checkpoint over it.
  if (end == size && read.checkpoint.size > size && !stored && copy.owner != group.self) --end;
  if (end <= from) return outcome;
  effort.checked += (end - from + kEntriesPerCheck - 1) / kEntriesPerCheck;
  TRY(const auto held, store.leaves(copy.origin, from, end - from));
  while (repair.next.state.size < end) {
    const std::uint64_t seq = repair.next.state.size;
    const std::string& leaf = push.leaves[seq - push.from];
    const std::string* const ours = seq - from < held.size() ? &held[seq - from].note : nullptr;
    ++effort.checked;
    // Of our own log one of two entries may be of an end that never left; and what comes may be of a branch that its
    // sender was shown and we were not. Neither proves anything here, nor is it a reason to close the link.
    const bool is_ours_another =
        copy.owner == group.self && ours != nullptr && fault_of_entries(*ours, leaf, copy.owner);
    if (is_ours_another) return keep_beginning(std::move(repair), copy, ours);
    const auto body = std::ranges::find(push.bodies, seq, &Push::EntryBody::seq);
    if (Status added = add_to(repair, copy, leaf, body == push.bodies.end() ? nullptr : &body->body); !added) {
      if (added.error().code == Errc::io) return std::unexpected(std::move(added).error());
      return keep_beginning(std::move(repair), copy, ours);
    }
    // Two sound entries at one place are no damage.
    const auto fault = ours == nullptr ? std::nullopt : fault_of_entries(*ours, leaf, copy.owner);
    if (!fault) continue;
    if (copy.owner == group.self) return outcome;
    TRY(const bool kept, convict(*fault, payload, outcome));
    if (kept) return outcome;
  }
  if (read.checkpoint.size == end) {
    if (read.checkpoint.root != repair.next.frontier.root())
      return fail(Errc::protocol, fmt::format("Entries of the log of {} do not hash to the checkpoint that came with "
                                              "them.",
                                              push.log));
    TRY(const bool two_trees, contradicts_stored(copy, read, push.checkpoint, payload, outcome));
    if (two_trees) return outcome;
    repair.rows.checkpoint =
        vault::LogCheckpoint{end, read.checkpoint.root, detail::bare_note(push.checkpoint, keys(copy.owner).log)};
  } else if (end == size && stored && stored->root != repair.next.frontier.root()) {
    return outcome;
  } else if (end == size && !stored) {
    TRY(repair.rows.checkpoint, own_checkpoint_before(copy, repair.next.frontier, push, read.checkpoint));
    if (!repair.rows.checkpoint) return outcome;
  }
  TRY_STATUS(keep(std::move(repair), copy));
  effort.brought += effort.checked;  // each place is mended once
  return outcome;
}

Status Replica::Impl::mended(detail::LogCopy& copy) {
  const std::optional<Conviction> conviction = std::exchange(copy.conviction, std::nullopt);
  copy.mending.reset();
  copy.missing.clear();
  Status loaded = load_copy(copy);
  if (copy.owner == group.self) choose_keys();
  if (conviction) copy.conviction = conviction;
  if (loaded) loaded = count_again(copy.owner);
  if (loaded && copy.owner == group.self) loaded = check_guard();
  if (!loaded) damage(copy);
  return loaded;
}

Status Replica::Impl::count_again(std::size_t owner) {
  if (keys(owner).rotation(log::KeyRole::cosign) == nullptr) return {};
  forget_verified();
  TRY_STATUS(flush());  // what is looked through is on the disk
  for (detail::LogCopy& copy : logs) {
    if (copy.owner == owner || copy.mending || copy.size() == 0) continue;
    TRY(const auto row, checkpoint_of(copy, copy.size()));
    if (row) TRY_STATUS(load_newest(copy, *row));
    TRY_STATUS(load_holders(copy));
  }
  return {};
}

Result<std::vector<Defect>> Replica::Impl::fsck() {
  std::vector<Defect> defects;
  ThreadPool pool(1);  // beside whoever else uses this process
  for (detail::LogCopy& copy : logs) {
    TRY(const std::vector<Defect> found, check_log(store, group.members, copy.owner, group.self, pool));
    defects.insert(defects.end(), found.begin(), found.end());
    if (!copy.mending && std::ranges::any_of(found, &Defect::breaks)) damage(copy);
    for (const Defect& defect : found)
      if (defect.of_body) copy.missing.insert(defect.seq);  // it is asked for as if it had never come
  }
  return defects;
}

}  // namespace parley::mirror
