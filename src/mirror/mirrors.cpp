// Entries and bodies that arrive: everything is checked, then written in one commit with our cosignature, and only then
// does the cosignature leave (log.md 2.6).
#include <fmt/format.h>

#include <algorithm>

#include "mirror/detail/impl.h"
#include "mirror/stored_entry.h"

namespace parley::mirror {
namespace {

/// @param added  what is missing in addition, behind all that is
LackingRow lacking_without(const detail::LogCopy& copy, const std::set<std::uint64_t>& supplied,
                           const std::set<std::uint64_t>& added) {
  const auto first = std::ranges::find_if(copy.missing, [&](std::uint64_t seq) { return !supplied.contains(seq); });
  if (first != copy.missing.end()) return {copy.origin, *first};
  return {copy.origin, added.empty() ? std::nullopt : std::optional(*added.begin())};
}

}  // namespace

/// A push on its way through the checks. What it will change is gathered here and nowhere else.
struct Replica::Impl::Arrival {
  const Push& push;
  const Bytes& payload;
  detail::LogCopy& copy;
  const log::CosignedCheckpoint& read;
  detail::Growing growing;
  std::vector<StepRow> steps;
  std::vector<Judged> judged;        ///< faults that its entries carry
  std::set<std::uint64_t> missing;   ///< new entries whose bodies did not come
  std::set<std::uint64_t> supplied;  ///< known entries whose bodies came now
  Outcome outcome;
  bool settled = false;                        ///< a fault or a question came of it: there is nothing more to do
  std::optional<std::uint64_t> gives_up = {};  ///< our own log is to begin anew here (give_up)

  const log::Body* body_of(std::uint64_t seq) const {
    const auto found = std::ranges::find(push.bodies, seq, &Push::EntryBody::seq);
    return found == push.bodies.end() ? nullptr : &found->body;
  }
  bool has_new() const { return !growing.growth.leaves.empty(); }
};

Result<Outcome> Replica::Impl::take_push(std::size_t peer, const Push& push, const Bytes& payload, std::int64_t now) {
  TRY(const std::size_t owner, member(push.log));
  detail::LogCopy& copy = logs[owner];
  TRY(const auto read, read_cosigned(owner, push.checkpoint));
  const std::uint64_t end = push.from + push.leaves.size();
  if (read.checkpoint.size != end)
    return fail(Errc::protocol,
                fmt::format("Entries of the log of {} came with a checkpoint of another size.", push.log));
  if (copy.conviction) return Outcome{};  // it stays as it was
  if (copy.mending || push.from > copy.size()) {
    remember_seen(copy, read.checkpoint, push.checkpoint);
    TRY_STATUS(flush());
  }
  if (owner == group.self) told_size = std::max(told_size, end);
  if (copy.mending) return take_mending(copy, push, read, payload);
  const Status room = has_room(copy, now), takes = takes_more(copy, now);
  if (!takes && takes.error().code != Errc::limit) return std::unexpected(takes.error());
  if (push.from > copy.size() && !takes) return Outcome{};
  if (push.from > copy.size()) {
    Outcome outcome;
    TRY(Message sent, message(Get{Get::What::entries, push.log, copy.size(), end - copy.size()}));
    outcome.replies.push_back(std::move(sent));
    return outcome;
  }

  KeysBefore keys_before{group.members[owner]};
  Arrival arrival{push, payload, copy, read, detail::Growing(copy), {}, {}, {}, {}, {}, false};
  TRY_STATUS(compare_known(arrival));
  if (arrival.gives_up) {
    const std::uint64_t dropped = copy.size() - *arrival.gives_up;
    keys_before.replaced = true;  // what is read of the log anew has its keys anew
    TRY_STATUS(give_up(*arrival.gives_up));
    TRY(Outcome outcome, take_push(peer, push, payload, now));
    outcome.dropped += dropped;
    return outcome;
  }
  // What is known has been compared; what is new is not taken.
  const bool is_taken = end > copy.size() ? takes.has_value() : room || arrival.supplied.empty();
  if (!is_taken && !arrival.settled) return Outcome{};
  if (!arrival.settled) TRY_STATUS(check_new(arrival));
  if (!arrival.settled) {
    TRY_STATUS(keep(arrival, now));
    keys_before.replaced = true;
    if (owner == group.self) choose_keys();
  }
  std::uint64_t& next = peers[peer].next[owner];
  next = std::max(next, end);
  if (owner == peer && !arrival.settled && copy.held[group.self] > 0) {
    TRY(std::optional<Message> cosignature, cosig_message(copy, copy.held[group.self]));
    if (cosignature) arrival.outcome.replies.push_back(std::move(*cosignature));
    peers[peer].cosignature_sent = copy.held[group.self];
  }
  return std::move(arrival.outcome);
}

void Replica::Impl::remember_seen(detail::LogCopy& copy, const log::Checkpoint& checkpoint, std::string_view note) {
  if (copy.owner == group.self || checkpoint.size <= std::max(copy.size(), copy.seen.size)) return;
  copy.seen = {checkpoint.size, checkpoint.root, detail::bare_note(note, keys(copy.owner).log)};
  seen_later.insert(copy.owner);
}

// --- entries that we hold already ----------------------------------------------------------------------------------

Status Replica::Impl::compare_known(Arrival& arrival) {
  const Push& push = arrival.push;
  const std::uint64_t count = std::min<std::uint64_t>(arrival.copy.size() - push.from, push.leaves.size());
  if (count == 0) return {};
  effort.checked += (count + kEntriesPerCheck - 1) / kEntriesPerCheck;
  TRY(const auto rows, store.leaves(arrival.copy.origin, push.from, count));
  for (std::uint64_t i = 0; i < count && !arrival.settled; ++i) {
    if (i >= rows.size()) return fail(Errc::vault_damaged, "Entries of a log are missing on this disk.");
    const std::string& leaf = push.leaves[i];
    if (log::leaf_hash(as_bytes(leaf)) != rows[i].hash) {
      TRY_STATUS(not_known(arrival, rows[i], push.from + i, leaf));
    } else if (arrival.body_of(push.from + i) != nullptr) {
      TRY_STATUS(add_missing_body(arrival, push.from + i, leaf));
    }
  }
  if (arrival.settled || arrival.read.checkpoint.size > arrival.copy.size()) return {};
  TRY(const Digest ours, root_at(arrival.copy, arrival.read.checkpoint.size));
  if (ours == arrival.read.checkpoint.root) return {};
  TRY(arrival.settled, disagree(arrival.copy, arrival.read, push.checkpoint, arrival.payload, arrival.outcome));
  return {};
}

Status Replica::Impl::add_missing_body(Arrival& arrival, std::uint64_t seq, std::string_view leaf) {
  TRY(const log::Entry entry, log::read_entry_unverified(leaf));
  if (!detail::may_read(entry, nick(group.self)))
    return fail(Errc::protocol, "The body of an entry came to a member that is not in its audience.");
  const log::Body& body = *arrival.body_of(seq);
  TRY(log::Json json, log::open_body(entry, body));
  if (!arrival.copy.missing.contains(seq)) return {};
  const Digest hash = log::leaf_hash(as_bytes(leaf));
  arrival.growing.add(hash, body);
  arrival.supplied.insert(seq);
  if (entry.type == log::kFault)
    if (auto judged = judge_entry(json)) arrival.judged.push_back(std::move(*judged));
  arrival.outcome.entries.push_back(view_of(arrival.copy, hash, entry, std::move(json)));
  return {};
}

/// Another entry at a place where we hold one: our row is damaged, or the owner has signed two.
Status Replica::Impl::not_known(Arrival& arrival, const vault::LogLeaf& row, std::uint64_t seq, std::string_view leaf) {
  StoredTree tree(store, arrival.copy.origin);
  const auto node = tree.read(std::vector<log::TreeNode>{{0, seq}});
  if (log::leaf_hash(as_bytes(row.note)) != row.hash || !node || node->front() != row.hash) {
    damage(arrival.copy);
    arrival.settled = true;
    return {};
  }
  if (arrival.copy.owner == group.self) {
    TRY(const bool replaces, replaces_ours(seq, leaf, arrival.body_of(seq)));
    if (replaces) {
      arrival.gives_up = seq;
      arrival.settled = true;
      return {};
    }
  }
  ++effort.checked;
  const auto entry = log::read_entry(leaf, keys(arrival.copy.owner));
  if (const auto fault = fault_of_entries(row.note, leaf, arrival.copy.owner); entry && fault) {
    TRY(arrival.settled, convict(*fault, arrival.payload, arrival.outcome));
    if (arrival.settled) return {};
  }
  // An entry whose key we do not know may be of a branch in which it took the place of one that we know: the owner's
  // signature on the checkpoint tells that as well.
  TRY(arrival.settled, disagree(arrival.copy, arrival.read, arrival.push.checkpoint, arrival.payload, arrival.outcome));
  if (arrival.settled) return {};
  if (!entry) return std::unexpected(entry.error());
  return fail(Errc::protocol,
              fmt::format("Entry {} of the log of {} is not the one that we hold.", entry->seq, arrival.push.log));
}

// --- entries that are new ------------------------------------------------------------------------------------------

Status Replica::Impl::check_new(Arrival& arrival) {
  const Push& push = arrival.push;
  const std::uint64_t end = push.from + push.leaves.size();
  for (std::uint64_t seq = arrival.copy.size(); seq < end && !arrival.settled; ++seq) {
    const std::string& leaf = push.leaves[seq - push.from];
    ++effort.checked;
    if (Status taken = take_rotation(arrival.copy.owner, seq, leaf, arrival.body_of(seq), arrival.steps); !taken)
      return not_continued(arrival, leaf, std::move(taken).error());
    auto extension = log::extend(arrival.growing.state, leaf, keys(arrival.copy.owner));
    if (!extension) return not_continued(arrival, leaf, std::move(extension).error());
    TRY_STATUS(check_step(arrival, *extension, leaf));
    if (arrival.settled) return {};
    TRY_STATUS(check_body(arrival, *extension));
    arrival.growing.add(leaf, *extension);
  }
  if (!arrival.has_new() || arrival.growing.frontier.root() == arrival.read.checkpoint.root) return {};
  TRY(arrival.settled, disagree(arrival.copy, arrival.read, push.checkpoint, arrival.payload, arrival.outcome));
  if (arrival.settled) return {};
  return fail(Errc::protocol,
              fmt::format("Entries of the log of {} do not hash to the checkpoint that came with them.", push.log));
}

Result<std::string> Replica::Impl::leaf_at(const Arrival& arrival, std::uint64_t seq) {
  const vault::LogGrowth& growth = arrival.growing.growth;
  if (seq >= growth.from) return growth.leaves[seq - growth.from].note;
  TRY(const auto rows, store.leaves(arrival.copy.origin, seq, 1));
  if (rows.empty()) return fail(Errc::vault_damaged, "An entry of a log is missing on this disk.");
  return rows.front().note;
}

/// An entry that does not continue the log: by itself a fault, or a sign that the owner has shown others another log.
Status Replica::Impl::not_continued(Arrival& arrival, std::string_view leaf, Error why) {
  const log::MemberKeys& author = keys(arrival.copy.owner);
  const std::uint64_t size = arrival.growing.state.size;
  ++effort.checked;
  const auto entry = log::read_entry(leaf, author);
  if (!entry || size == 0) return std::unexpected(std::move(why));
  std::vector<std::uint64_t> beside{size - 1};
  if (entry->seq < size) beside.push_back(entry->seq);
  for (const std::uint64_t seq : beside) {
    TRY(const std::string held, leaf_at(arrival, seq));
    const auto fault = fault_of_entries(held, leaf, arrival.copy.owner);
    if (!fault) continue;
    TRY(arrival.settled, convict(*fault, arrival.payload, arrival.outcome));
    if (arrival.settled) return {};
  }
  TRY(arrival.settled, disagree(arrival.copy, arrival.read, arrival.push.checkpoint, arrival.payload, arrival.outcome));
  if (arrival.settled) return {};
  return std::unexpected(std::move(why));
}

Status Replica::Impl::check_step(Arrival& arrival, const log::Extension& extension, std::string_view leaf) {
  const auto step = log::step_key(extension.entry);
  if (!step) return {};
  TRY(std::optional<std::uint64_t> taken, store.step(arrival.copy.origin, *step));
  const auto here = std::ranges::find(arrival.steps, *step, &StepRow::step);
  if (here != arrival.steps.end()) taken = here->seq;
  if (!taken) {
    arrival.steps.push_back({arrival.copy.origin, *step, extension.entry.seq});
    return {};
  }
  TRY(const std::string first, leaf_at(arrival, *taken));
  const auto fault = fault_of_entries(first, leaf, arrival.copy.owner);
  if (fault) {
    TRY(arrival.settled, convict(*fault, arrival.payload, arrival.outcome));
    if (arrival.settled) return {};
  }
  return fail(Errc::protocol, fmt::format("{} took a step of a session twice.", arrival.push.log));
}

Status Replica::Impl::check_body(Arrival& arrival, const log::Extension& extension) {
  const log::Entry& entry = extension.entry;
  const log::Body* body = arrival.body_of(entry.seq);
  const bool for_us = detail::may_read(entry, nick(group.self));
  std::optional<log::Json> opened;
  if (body != nullptr) {
    if (!for_us) return fail(Errc::protocol, "The body of an entry came to a member that is not in its audience.");
    TRY(opened, log::open_body(entry, *body));
    arrival.growing.add(extension.leaf_hash, *body);
    if (entry.type == log::kFault)
      if (auto judged = judge_entry(*opened)) arrival.judged.push_back(std::move(*judged));
    if (arrival.copy.owner == group.self)
      if (auto report = report_in(entry, *opened)) arrival.steps.push_back(std::move(*report));
  }
  if (for_us && body == nullptr) {
    arrival.missing.insert(entry.seq);
    // Of our own log there may be nobody left who has the body: the entry counts without it.
    if (arrival.copy.owner != group.self) return {};
  }
  arrival.outcome.entries.push_back(view_of(arrival.copy, extension.leaf_hash, entry, std::move(opened)));
  return {};
}

// --- keeping them --------------------------------------------------------------------------------------------------

Status Replica::Impl::keep(Arrival& arrival, std::int64_t now) {
  detail::LogCopy& copy = arrival.copy;
  vault::LogGrowth& growth = arrival.growing.growth;
  const log::Checkpoint& checkpoint = arrival.read.checkpoint;
  std::string note = detail::bare_note(arrival.push.checkpoint, keys(copy.owner).log);
  if (arrival.has_new()) growth.checkpoint = vault::LogCheckpoint{checkpoint.size, checkpoint.root, note};

  // What is missing is not gone through for each push: of a hostile log it is thousands.
  const bool is_whole = copy.missing.size() == arrival.supplied.size() && arrival.missing.empty();
  const bool accused =
      std::ranges::any_of(arrival.judged, [&](const Judged& one) { return one.accused == copy.owner; });
  const bool cosigns = arrival.has_new() && may_cosign() && copy.owner != group.self && is_whole && !accused;
  if (cosigns) {
    growth.cosignatures.push_back(cosignature_on(checkpoint, now));
    TRY(note, detail::note_with_lines(note, growth.cosignatures));
  }
  Batch batch{.growth = {}, .steps = arrival.steps, .faults = {}, .repairs = {}};
  for (const Judged& judged : arrival.judged) batch.faults.push_back(judged.row);
  if (copy.owner == group.self && !(arrival.missing.empty() && arrival.supplied.empty()))
    batch.lacking.push_back(lacking_without(copy, arrival.supplied, arrival.missing));
  if (arrival.has_new() || !growth.bodies.empty()) {
    batch.growth.push_back(growth);
    if (copy.owner != group.self) batch.usage.push_back(used_by(copy, growth, now));
    TRY_STATUS(commit(batch));
    if (!batch.usage.empty()) copy.usage = batch.usage.front().usage;
    // The checkpoint's signature belongs to what came under it.
    effort.brought += growth.leaves.size() + arrival.supplied.size() + 1;
  }
  if (copy.owner == group.self && arrival.has_new()) TRY_STATUS(adopted(arrival.growing));

  for (const std::uint64_t seq : arrival.supplied) has_come(copy, seq);
  copy.missing.merge(arrival.missing);
  if (arrival.has_new()) {
    copy.state = arrival.growing.state;
    copy.frontier = std::move(arrival.growing.frontier);
    copy.newest = vault::LogCheckpoint{checkpoint.size, checkpoint.root, std::move(note)};
    copy.held[copy.owner] = checkpoint.size;
    if (cosigns) copy.held[group.self] = checkpoint.size;
    TRY_STATUS(count_holders(copy, checkpoint.size));
  }
  for (Judged& judged : arrival.judged) convicted(std::move(judged), arrival.outcome);
  return add_cosignatures(copy, arrival.read, arrival.push.checkpoint);
}

Status Replica::Impl::has_room(const detail::LogCopy& copy, std::int64_t now) const {
  if (copy.owner == group.self) return {};
  TRY(const std::uint64_t free_bytes, store.free_bytes());
  return room_for_more(group.quota, copy.usage, copy.size(), free_bytes, nick(copy.owner), now);
}

/// Our own log goes on however many of its bodies are gone.
Status Replica::Impl::takes_more(const detail::LogCopy& copy, std::int64_t now) const {
  if (copy.owner == group.self) return {};
  TRY_STATUS(has_room(copy, now));
  return room_for_more_without_bodies(copy.missing.size(), nick(copy.owner));
}

void Replica::Impl::has_come(detail::LogCopy& copy, std::uint64_t seq) {
  copy.missing.erase(seq);
  for (detail::Peer& peer : peers) peer.asked[copy.owner].erase(seq);
}

UsageRow Replica::Impl::used_by(const detail::LogCopy& copy, const vault::LogGrowth& growth, std::int64_t now) const {
  UsageRow row{copy.origin, copy.usage.at(now)};
  std::size_t bytes = growth.nodes.size() * sizeof(Digest) + (growth.checkpoint ? growth.checkpoint->note.size() : 0);
  for (const vault::LogLeaf& leaf : growth.leaves) bytes += sizeof(leaf.hash) + leaf.note.size();
  for (const vault::LogBody& body : growth.bodies) bytes += sizeof(body.salt) + body.content.size();
  row.usage.add(static_cast<std::int64_t>(growth.leaves.size()), static_cast<std::int64_t>(bytes));
  return row;
}

Status Replica::Impl::adopted(const detail::Growing& growing) {
  const vault::SignedHead signed_head = guard.head();
  const vault::LogCheckpoint& checkpoint = *growing.growth.checkpoint;
  Status sound = read_back(growing);
  if (sound && signed_head.size > 0 && signed_head.size <= checkpoint.size) {
    StoredTree tree(store, growing.growth.origin);
    TRY(const Digest root, log::tree_root(tree, signed_head.size));
    divergent = divergent || root != signed_head.root;
  }
  if (sound && !divergent && checkpoint.size > signed_head.size)
    sound = guard.advance({checkpoint.size, checkpoint.root});
  if (!sound) halted = sound.error().text();
  return sound;
}

Result<Outcome> Replica::Impl::take_body(const EntryBody& body, std::int64_t now) {
  ++effort.checked;  // hashed, not verified, but up to a whole frame of it
  TRY(const std::size_t owner, member(body.log));
  detail::LogCopy& copy = logs[owner];
  if (body.seq >= copy.size()) return fail(Errc::protocol, "The body of an entry came that we do not hold.");
  TRY(const auto rows, store.leaves(copy.origin, body.seq, 1));
  if (rows.empty()) return fail(Errc::vault_damaged, "An entry of a log is missing on this disk.");
  TRY(const log::Entry entry, log::read_entry_unverified(rows.front().note));
  if (!detail::may_read(entry, nick(group.self)))
    return fail(Errc::protocol, "The body of an entry came to a member that is not in its audience.");
  TRY(log::Json json, log::open_body(entry, body.body));
  Outcome outcome;
  if (!copy.missing.contains(body.seq)) return outcome;
  if (const Status room = has_room(copy, now); !room) {
    if (room.error().code != Errc::limit) return std::unexpected(room.error());
    return outcome;
  }
  detail::Growing growing(copy);
  growing.add(rows.front().hash, body.body);
  Batch batch{.growth = {growing.growth}, .steps = {}, .faults = {}, .repairs = {}};
  if (owner == group.self) {
    batch.lacking.push_back(lacking_without(copy, {body.seq}, {}));
    if (auto report = report_in(entry, json)) batch.steps.push_back(std::move(*report));
  } else {
    batch.usage.push_back(used_by(copy, growing.growth, now));
  }
  std::optional<Judged> judged = entry.type == log::kFault ? judge_entry(json) : std::nullopt;
  if (judged) batch.faults.push_back(judged->row);
  TRY_STATUS(commit(batch));
  ++effort.brought;
  if (!batch.usage.empty()) copy.usage = batch.usage.front().usage;
  has_come(copy, body.seq);
  outcome.entries.push_back(view_of(copy, rows.front().hash, entry, std::move(json)));
  if (judged) convicted(std::move(*judged), outcome);
  return outcome;
}

EntryView Replica::Impl::view_of(const detail::LogCopy& copy, const Digest& leaf_hash, const log::Entry& entry,
                                 std::optional<log::Json> body) const {
  return {nick(copy.owner), leaf_hash, entry, std::move(body)};
}

Result<EntryView> Replica::Impl::read_view(detail::LogCopy& copy, std::uint64_t seq) {
  TRY(const auto rows, store.leaves(copy.origin, seq, 1));
  if (rows.empty())
    return fail(Errc::not_found, fmt::format("The log of {} has no entry {} here.", nick(copy.owner), seq));
  TRY(const log::Entry entry, stored_entry(rows.front().note, rows.front().hash, nick(copy.owner), seq));
  TRY(const std::optional<log::Body> body, body_for(group.self, rows.front(), entry));
  std::optional<log::Json> opened;
  if (body) {
    TRY(opened, log::open_body(entry, *body));
  }
  return view_of(copy, rows.front().hash, entry, std::move(opened));
}

}  // namespace parley::mirror
