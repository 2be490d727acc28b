// Putting damaged rows right out of a peer's copy. A wrong row is found because a signed root covers it; the right one
// is known by the same root (log.md 2.7).
#include <fmt/format.h>

#include <algorithm>

#include "mirror/detail/impl.h"

namespace parley::mirror {
/// A rotation whose own row is damaged is not known: what follows it cannot be checked before it is.
Status Replica::Impl::know_rotation(std::size_t owner, std::uint64_t seq, std::string_view leaf, const Push& push) {
  if (std::ranges::find(keys(owner).rotated, seq, &log::PlacedRotation::seq) != keys(owner).rotated.end()) return {};
  const auto body = std::ranges::find(push.bodies, seq, &Push::EntryBody::seq);
  std::vector<StepRow> there_already;
  return take_rotation(owner, seq, leaf, body == push.bodies.end() ? nullptr : &body->body, there_already);
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
  TRY(const auto held, store.leaves(copy.origin, from, end - from));
  for (std::uint64_t seq = from; seq < end; ++seq) {
    const std::string& leaf = push.leaves[seq - push.from];
    ++effort.checked;
    TRY_STATUS(know_rotation(copy.owner, seq, leaf, push));
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
  TRY_STATUS(commit({.growth = {}, .steps = {}, .faults = {}, .repairs = {std::move(rows)}}));
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
  return copy.owner == group.self ? check_guard() : Status{};
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
