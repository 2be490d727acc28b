// Opening a replica: what is on the disk is checked before anything is signed (log.md 2.7, "Start-up order").
#include <fmt/format.h>

#include <algorithm>

#include "mirror/detail/impl.h"

namespace parley::mirror {
namespace {

/// How many sizes of a log are looked at, from its end backwards, for the newest that has a quorum and the newest that
/// we cosigned. What lies further back is asked for again.
constexpr std::uint64_t kLookBack = 2 * kMaxPushLeaves;
constexpr std::uint64_t kLeavesAtOnce = 1024;

}  // namespace

Replica::Impl::Impl(GroupView view, const std::optional<OwnSeeds>& own, Store& where, Guard& beside)
    : group(std::move(view)), store(where), guard(beside) {
  if (own) {
    signing.emplace(Signing{own->log, own->node, own->cosign});
    seeds.push_back(own->node.clone());
    seeds.push_back(own->cosign.clone());
    for (const Secret<32>& seed : own->rotated) seeds.push_back(seed.clone());
  }
  const std::size_t count = group.members.size();
  for (std::size_t i = 0; i < count; ++i) {
    detail::LogCopy& copy = logs.emplace_back();
    copy.owner = i;
    copy.origin = group.members[i].log.name;
    copy.held.resize(count);
    peers.emplace_back(count);
  }
}

Status Replica::Impl::load() {
  // All keys first: by those of one log what stands on another is counted.
  for (log::MemberKeys& member : group.members) {
    const Status known = load_rotations(store, member);
    if (!known && known.error().code != Errc::vault_damaged) return known;
  }
  choose_keys();
  for (detail::LogCopy& copy : logs) TRY_STATUS(load_copy(copy));
  return check_guard();
}

Status Replica::Impl::load_again(detail::LogCopy& copy) {
  detail::LogCopy fresh;
  fresh.owner = copy.owner;
  fresh.origin = copy.origin;
  fresh.held.resize(logs.size());
  copy = std::move(fresh);
  return load_copy(copy);
}

Status Replica::Impl::load_seen(detail::LogCopy& copy) {
  TRY(std::string note, store.seen(copy.origin));
  if (note.empty()) return {};
  TRY(const log::Checkpoint checkpoint, log::read_checkpoint(note, keys(copy.owner).log));
  copy.seen = {checkpoint.size, checkpoint.root, std::move(note)};
  return {};
}

Status Replica::Impl::load_copy(detail::LogCopy& copy) {
  Status loaded = read_copy(copy);
  if (!loaded) damage(copy);  // nothing is shown or signed out of what was read by half
  copy.keys_in_doubt = copy.mending.has_value();
  return loaded;
}

Status Replica::Impl::read_copy(detail::LogCopy& copy) {
  const Status keys_known = load_rotations(store, group.members[copy.owner]);
  if (!keys_known && keys_known.error().code != Errc::vault_damaged) return keys_known;
  TRY_STATUS(load_seen(copy));
  TRY(const std::optional<FaultRow> fault, store.fault(copy.origin));
  if (fault) {
    auto judged = judge_kept(*fault);
    if (!judged) return fail(Errc::vault_damaged, "The vault's record of a fault does not verify.");
    copy.conviction = std::move(judged->conviction);
  }
  TRY(copy.usage, store.usage(copy.origin));
  TRY(const vault::LogHead head, store.head(copy.origin));
  copy.state.size = head.size;
  copy.state.sealed = head.sealed;
  if (head.size == 0) return {};
  if (!keys_known) {
    damage(copy);
    return {};
  }
  TRY_STATUS(check_edge(copy, head));
  if (copy.mending) return {};
  TRY_STATUS(load_holders(copy));
  return find_missing(copy);
}

/// The last entry, the right edge of the tree and the newest checkpoint say the same, or the copy is damaged.
Status Replica::Impl::check_edge(detail::LogCopy& copy, const vault::LogHead& head) {
  TRY(const std::vector<vault::LogLeaf> last, store.leaves(copy.origin, head.size - 1, 1));
  StoredTree tree(store, copy.origin);
  auto frontier = log::Frontier::read(tree, head.size);
  auto edge = tree.read(std::vector<log::TreeNode>{{0, head.size - 1}});
  const bool readable = last.size() == 1 && frontier && edge && head.checkpoint && head.checkpoint->size == head.size;
  const auto entry = readable ? log::read_entry(last[0].note, keys(copy.owner))
                              : Result<log::Entry>(fail(Errc::vault_damaged, "A row is not there."));
  if (!entry || entry->seq != head.size - 1 || log::leaf_hash(as_bytes(last[0].note)) != edge->front() ||
      last[0].hash != edge->front() || frontier->root() != head.checkpoint->root ||
      !load_newest(copy, *head.checkpoint)) {
    damage(copy);
    return {};
  }
  copy.state = {head.size, last[0].hash, entry->time, log::entry_type(entry->type)->seals};
  copy.frontier = std::move(*frontier);
  copy.held[copy.owner] = head.size;
  return {};
}

Status Replica::Impl::load_newest(detail::LogCopy& copy, const vault::LogCheckpoint& row) {
  TRY(const log::Checkpoint checkpoint, log::read_checkpoint(row.note, keys(copy.owner).log));
  if (checkpoint.size != row.size || checkpoint.root != row.root)
    return fail(Errc::vault_damaged, "A checkpoint is not what its row says.");
  // A cosignature that is damaged is left out; it comes again.
  TRY(const auto lines, store.cosignatures(copy.origin, row.size));
  std::string note = row.note;
  for (const vault::LogCosignature& line : lines) {
    const auto cosigner = member(line.cosigner);
    const auto signature = detail::signature_of(line.line);
    if (!cosigner || !signature) continue;
    const auto key = keys(*cosigner).ever_cosigned_by(*signature);
    if (!key) continue;
    if (auto more = log::add_cosignature(note, *signature, *key)) note = std::move(*more);
  }
  copy.newest = vault::LogCheckpoint{row.size, row.root, std::move(note)};
  return {};
}

Status Replica::Impl::load_holders(detail::LogCopy& copy) {
  const std::uint64_t stop = copy.size() > kLookBack ? copy.size() - kLookBack : 0;
  for (std::uint64_t size = copy.size(); size > stop; --size) {
    TRY(const auto lines, store.cosignatures(copy.origin, size));
    std::set<std::size_t> holders{copy.owner};
    for (const vault::LogCosignature& line : lines) {
      const auto holder = member(line.cosigner);
      // Of the newest, damaged ones were left out of its note.
      if (!holder || !counts(line) || (size == copy.size() && copy.newest->note.find(line.line) == std::string::npos))
        continue;
      copy.held[*holder] = std::max(copy.held[*holder], size);
      holders.insert(*holder);
    }
    if (is_quorum(holders)) copy.final_size = std::max(copy.final_size, size);
    const bool cosigned = copy.owner == group.self || copy.held[group.self] > 0;
    if (copy.final_size > 0 && cosigned) break;
  }
  return {};
}

/// What we cosigned was complete when we did, so only what follows is looked through; of our own log what others gave
/// back.
Status Replica::Impl::find_missing(detail::LogCopy& copy) {
  std::uint64_t seq = copy.held[group.self];
  if (copy.owner == group.self) {
    TRY(const auto lacking, store.lacking(copy.origin));
    seq = lacking.value_or(copy.size());
  }
  while (seq < copy.size()) {
    TRY(const auto leaves, store.leaves(copy.origin, seq, kLeavesAtOnce));
    if (leaves.empty()) break;
    for (const vault::LogLeaf& leaf : leaves) {
      const auto entry = log::read_entry_unverified(leaf.note);
      if (!entry) {
        damage(copy);
        return {};
      }
      if (detail::may_read(*entry, nick(group.self))) {
        TRY(const auto body, store.entry_body(leaf.hash));
        if (!body) copy.missing.insert(seq);
      }
      ++seq;
    }
  }
  return {};
}

/// A store that is ahead of the guard was cut off between the two: the guard catches up. One that is behind it was
/// rolled back.
Status Replica::Impl::check_guard() {
  detail::LogCopy& copy = own();
  const vault::SignedHead signed_head = guard.head();
  if (copy.mending || copy.size() < signed_head.size) return {};
  if (signed_head.size > 0) {
    TRY(const Digest root, root_at(copy, signed_head.size));
    divergent = root != signed_head.root;
  }
  if (divergent || copy.size() == signed_head.size) return {};
  return guard.advance({copy.size(), copy.newest->root});
}

Result<std::unique_ptr<Replica>> Replica::open(GroupView group, const std::optional<OwnSeeds>& seeds, Store& store,
                                               Guard& guard) {
  TRY_STATUS(log::admit_members(group.members));
  const std::size_t count = group.members.size();
  if (group.self >= count) return fail(Errc::usage, "This member is not in the group that it opens.");
  if (group.log_quorum == 0) group.log_quorum = log::log_quorum(count);
  if (group.log_quorum < log::log_quorum(count) || group.log_quorum > count)
    return fail(Errc::policy, fmt::format("A quorum of {} of {} members does not hold a log together; {} would.",
                                          group.log_quorum, count, log::log_quorum(count)));
  TRY_STATUS(detail::check_departed(group.departed, count));
  if (group.answers_needed == 0) group.answers_needed = count - group.log_quorum + 1;
  group.answers_needed = std::min(group.answers_needed, count - 1);
  const log::MemberKeys& self = group.members[group.self];
  if (seeds && (log::vkey_of(self.node.name, log::KeyType::ed25519, seeds->node) != self.node ||
                log::vkey_of(self.log.name, log::KeyType::ed25519, seeds->log) != self.log ||
                log::vkey_of(self.cosign.name, log::KeyType::cosignature, seeds->cosign) != self.cosign))
    return fail(Errc::usage, "The keys of this member are not those that the group knows.");
  auto impl = std::make_unique<Impl>(std::move(group), seeds, store, guard);
  TRY_STATUS(impl->load());
  return std::unique_ptr<Replica>(new Replica(std::move(impl)));
}

}  // namespace parley::mirror
