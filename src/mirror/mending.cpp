// Checking every row of every log against the signatures (fsck), and putting damaged rows right out of a peer's copy.
// A wrong row is found because a signed root covers it; the right one is known by the same root (log.md 2.7).
#include <fmt/format.h>

#include <algorithm>

#include "mirror/detail/impl.h"

namespace parley::mirror {
namespace {

constexpr std::uint64_t kLeavesAtOnce = 1024;

}  // namespace

// --- repair --------------------------------------------------------------------------------------------------------

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
    TRY(const log::Extension extension, log::extend(next.state, leaf, group.members, copy.owner));
    if (seq - from < held.size()) {
      // Two sound entries at one place are no damage.
      const auto fault = log::fault_of_entries(held[seq - from].note, leaf, keys(copy.owner));
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
  *copy.mending = std::move(next);
  if (end == size) TRY_STATUS(mended(copy));
  return outcome;
}

Status Replica::Impl::mended(detail::LogCopy& copy) {
  const std::optional<Conviction> conviction = std::move(copy.conviction);
  copy.mending.reset();
  copy.missing.clear();
  TRY_STATUS(load_copy(copy));
  if (conviction) copy.conviction = conviction;
  return copy.owner == group.self ? check_guard() : Status{};
}

// --- fsck ----------------------------------------------------------------------------------------------------------

/// One log under inspection, derived again from its entries.
struct Replica::Impl::Inspection {
  detail::LogCopy& copy;
  std::vector<Defect>& defects;
  log::LogState state;
  log::Frontier frontier;
  bool broken = false;  ///< rows that hold the log together are wrong

  void note(std::uint64_t seq, std::string nick, std::string what, bool breaks) {
    defects.push_back({std::move(nick), seq, std::move(what)});
    broken = broken || breaks;
  }
};

Result<std::vector<Defect>> Replica::Impl::fsck() {
  std::vector<Defect> defects;
  for (detail::LogCopy& copy : logs) {
    Inspection inspection{copy, defects, {}, {}, false};
    TRY_STATUS(inspect(inspection));
    if (inspection.broken && !copy.mending) damage(copy);
  }
  return defects;
}

Status Replica::Impl::inspect(Inspection& inspection) {
  const detail::LogCopy& copy = inspection.copy;
  while (inspection.state.size < copy.size()) {
    const std::uint64_t from = inspection.state.size;
    TRY(const auto rows, store.leaves(copy.origin, from, std::min(kLeavesAtOnce, copy.size() - from)));
    for (const vault::LogLeaf& row : rows) {
      TRY_STATUS(inspect_entry(inspection, row));
      if (inspection.state.size == from + static_cast<std::uint64_t>(&row - rows.data()))
        return {};  // it goes no further
    }
    if (rows.empty()) {
      inspection.note(from, nick(copy.owner), "The log ends here, before its size.", true);
      return {};
    }
  }
  return {};
}

Status Replica::Impl::inspect_entry(Inspection& inspection, const vault::LogLeaf& row) {
  const detail::LogCopy& copy = inspection.copy;
  const std::uint64_t seq = inspection.state.size;
  const auto extension = log::extend(inspection.state, row.note, group.members, copy.owner);
  if (!extension) {
    inspection.note(seq, nick(copy.owner), extension.error().message, true);
    return {};
  }
  if (extension->leaf_hash != row.hash)
    inspection.note(seq, nick(copy.owner), "The stored hash of the entry is not its hash.", true);
  std::vector<log::TreeNode> places;
  std::vector<Digest> hashes;
  inspection.frontier.append(extension->leaf_hash, [&](const log::TreeNode& node, const Digest& hash) {
    places.push_back(node);
    hashes.push_back(hash);
  });
  const auto stored = store.nodes(copy.origin, places);
  if (!stored || *stored != hashes)
    inspection.note(seq, nick(copy.owner), "A stored hash of the tree is not that of its entries.", true);
  inspection.state = extension->state;
  TRY_STATUS(inspect_body(inspection, extension->entry));
  return inspect_checkpoint(inspection);
}

Status Replica::Impl::inspect_body(Inspection& inspection, const log::Entry& entry) {
  if (!detail::may_read(entry, nick(group.self))) return {};
  TRY(const auto body, store.body(entry.body));
  if (!body || log::open_body(entry, {body->salt, std::string(as_text(body->content))})) return {};
  inspection.note(entry.seq, entry.author, "The stored body is not the one that the entry was signed for.", false);
  return {};
}

Status Replica::Impl::inspect_checkpoint(Inspection& inspection) {
  const detail::LogCopy& copy = inspection.copy;
  const std::uint64_t size = inspection.state.size;
  TRY(const auto row, store.checkpoint(copy.origin, size));
  if (!row) {
    if (size == copy.size())
      inspection.note(size - 1, nick(copy.owner), "There is no checkpoint of the whole log.", true);
    return {};
  }
  const auto checkpoint = log::read_checkpoint(row->note, keys(copy.owner).log);
  if (!checkpoint || checkpoint->size != size || checkpoint->root != inspection.frontier.root() ||
      row->root != checkpoint->root) {
    inspection.note(size - 1, nick(copy.owner), "The stored checkpoint is not one of these entries.", true);
    return {};
  }
  TRY(const auto lines, store.cosignatures(copy.origin, size));
  for (const vault::LogCosignature& line : lines) {
    const auto cosigner = member(line.cosigner);
    const auto signature = detail::signature_of(line.line);
    if (cosigner && signature && log::verify_cosignature(*checkpoint, *signature, keys(*cosigner).cosign)) continue;
    inspection.note(size - 1, nick(copy.owner),
                    fmt::format("The stored cosignature of {} does not verify.", line.cosigner), false);
  }
  return {};
}

}  // namespace parley::mirror
