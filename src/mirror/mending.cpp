// Putting damaged rows right out of a peer's copy. A wrong row is found because a signed root covers it; the right one
// is known by the same root (log.md 2.7).
#include <fmt/format.h>

#include <algorithm>

#include "mirror/detail/impl.h"

namespace parley::mirror {

/// A rotation of which a row is damaged is not known: what follows it cannot be checked before it is, and the rows by
/// which it is found again are written again.
Status Replica::Impl::know_rotation(const detail::LogCopy& copy, std::uint64_t seq, std::string_view leaf,
                                    const Push& push, Batch& batch) {
  const auto& rotated = keys(copy.owner).rotated;
  const auto known = std::ranges::find(rotated, seq, &log::PlacedRotation::seq);
  if (known != rotated.end()) {
    const auto number = static_cast<std::size_t>(known - rotated.begin());
    batch.steps.push_back({copy.origin, rotation_key(nick(copy.owner), number), seq});
    return {};
  }
  const auto found = std::ranges::find(push.bodies, seq, &Push::EntryBody::seq);
  const log::Body* body = found == push.bodies.end() ? nullptr : &found->body;
  const std::size_t count = rotated.size();
  TRY_STATUS(take_rotation(copy.owner, seq, leaf, body, batch.steps));
  if (rotated.size() == count) return {};
  detail::Growing growing(copy);
  growing.add(*body);
  if (batch.growth.empty())
    batch.growth.push_back(std::move(growing.growth));
  else
    batch.growth.front().bodies.push_back(std::move(growing.growth.bodies.front()));
  return {};
}

Result<Outcome> Replica::Impl::take_mending(detail::LogCopy& copy, const Push& push,
                                            const log::CosignedCheckpoint& read, const Bytes& payload) {
  Outcome outcome;
  const std::uint64_t from = copy.mending->state.size;
  const std::uint64_t size = copy.size();
  if (push.from > from) {
    TRY(Message sent, message(Get{Get::What::entries, push.log, from, size - from}));
    outcome.replies.push_back(std::move(sent));
    return outcome;
  }
  const std::uint64_t end = std::min(push.from + push.leaves.size(), size);
  if (end <= from) return outcome;

  detail::Mending next = *copy.mending;
  RepairRows rows{.origin = copy.origin, .from = from, .leaves = {}, .nodes = {}, .checkpoint = {}};
  Batch batch{.growth = {}, .steps = {}, .faults = {}, .repairs = {}};
  KeysBefore keys_before{group.members[copy.owner]};
  TRY(const auto held, store.leaves(copy.origin, from, end - from));
  for (std::uint64_t seq = from; seq < end; ++seq) {
    const std::string& leaf = push.leaves[seq - push.from];
    ++effort.checked;
    TRY_STATUS(know_rotation(copy, seq, leaf, push, batch));
    TRY(const log::Extension extension, log::extend(next.state, leaf, group.members, copy.owner));
    if (seq - from < held.size()) {
      // Two sound entries at one place are no damage.
      const auto fault = fault_of_entries(held[seq - from].note, leaf, copy.owner);
      if (fault) {
        TRY(const bool kept, convict(*fault, payload, outcome));
        if (kept) return outcome;
      }
    }
    rows.leaves.push_back({extension.leaf_hash, leaf});
    next.frontier.append(extension.leaf_hash,
                         [&](const log::TreeNode&, const Digest& hash) { rows.nodes.push_back(hash); });
    next.state = extension.state;
  }
  const bool at_checkpoint = read.checkpoint.size == end;
  if (at_checkpoint && read.checkpoint.root != next.frontier.root())
    return fail(Errc::protocol, fmt::format("Entries of the log of {} do not hash to the checkpoint that came with "
                                            "them.",
                                            push.log));
  if (at_checkpoint)
    rows.checkpoint =
        vault::LogCheckpoint{end, read.checkpoint.root, detail::bare_note(push.checkpoint, keys(copy.owner).log)};
  batch.repairs.push_back(std::move(rows));
  TRY_STATUS(commit(std::move(batch)));
  keys_before.replaced = true;
  effort.brought += effort.checked;  // each place is mended once
  *copy.mending = std::move(next);
  if (end == size) TRY_STATUS(mended(copy));
  return outcome;
}

Status Replica::Impl::mended(detail::LogCopy& copy) {
  const std::optional<Conviction> conviction = std::move(copy.conviction);
  copy.mending.reset();
  copy.missing.clear();
  TRY_STATUS(load_copy(copy));
  if (copy.owner == group.self) choose_keys();
  if (conviction) copy.conviction = conviction;
  TRY_STATUS(count_again(copy.owner));
  return copy.owner == group.self ? check_guard() : Status{};
}

Status Replica::Impl::count_again(std::size_t owner) {
  if (keys(owner).rotation(log::KeyRole::cosign) == nullptr) return {};
  forget_verified();
  TRY_STATUS(flush());  // what is looked through is on the disk
  for (detail::LogCopy& copy : logs) {
    if (copy.owner == owner || copy.mending || copy.size() == 0) continue;
    TRY(const auto row, store.checkpoint(copy.origin, copy.size()));
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
  }
  return defects;
}

}  // namespace parley::mirror
