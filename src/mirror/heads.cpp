// What the checkpoints of others tell: how far their copies reach, who cosigned, and whether a log has two histories.
#include <fmt/format.h>

#include <algorithm>

#include "mirror/detail/impl.h"

namespace parley::mirror {
namespace {

/// Cosignatures of one log that wait for the next commit.
constexpr std::size_t kMostDeferred = 64;

Status of_some_entries(const log::CosignedCheckpoint& read) {
  if (read.checkpoint.size > 0) return {};
  return fail(Errc::protocol, "A checkpoint of no entries says nothing.");
}

/// Of a row: a damaged one gives way to what arrives, and no other does. By a new key its cosigner could state a later
/// time than it has stated.
bool is_sound(const log::Checkpoint& checkpoint, const vault::LogCosignature& row, const log::MemberKeys& cosigner) {
  const auto signature = detail::signature_of(row.line);
  const auto key = signature ? cosigner.ever_cosigned_by(*signature) : std::nullopt;
  return key && log::verify_cosignature(checkpoint, *signature, *key);
}

}  // namespace

Result<Outcome> Replica::Impl::take_heads(std::size_t peer, const Heads& heads) {
  std::vector<std::optional<log::CosignedCheckpoint>> read(logs.size());
  std::vector<std::string_view> notes(logs.size());
  for (const Heads::Log& log : heads.logs) {
    TRY(const std::size_t owner, member(log.nick));
    TRY(read[owner], read_cosigned(owner, log.checkpoint));
    TRY_STATUS(of_some_entries(*read[owner]));
    notes[owner] = log.checkpoint;
  }
  Outcome outcome;
  for (detail::LogCopy& copy : logs) {
    const auto& theirs = read[copy.owner];
    detail::Peer& from = peers[peer];
    from.told_of(copy.owner, theirs ? theirs->checkpoint.size : 0);
    from.until[copy.owner] = copy.size();
    if (theirs) TRY_STATUS(learn(copy, *theirs, notes[copy.owner], outcome));
  }
  peers[peer].told = true;
  peers[peer].mending_asked.clear();  // what it could not show before, it may by now
  answered.insert(peer);
  if (heads.answer) {
    // The answer greets as well. Heads that nobody asked for would be taken for the answer of the next round, and what
    // is pushed after them would come to a peer that has stopped listening.
    TRY_STATUS(send_heads(peer, false, outcome.replies));
    peers[peer].greeted = true;
  }
  TRY(const std::vector<Message> lacking, to_send(peer));
  outcome.replies.insert(outcome.replies.end(), lacking.begin(), lacking.end());
  return outcome;
}

Result<Outcome> Replica::Impl::take_cosig(std::size_t peer, const Cosig& cosig) {
  TRY(const std::size_t owner, member(cosig.log));
  TRY(const auto read, read_cosigned(owner, cosig.checkpoint));
  TRY_STATUS(of_some_entries(read));
  Outcome outcome;
  // An operator has taken the risk that there is more than anybody holds.
  if (owner == group.self && risk_accepted && read.checkpoint.size > own().size()) return outcome;
  TRY_STATUS(learn(logs[owner], read, cosig.checkpoint, outcome));
  std::uint64_t& next = peers[peer].next[owner];
  next = std::max(next, read.checkpoint.size);
  return outcome;
}

Result<log::CosignedCheckpoint> Replica::Impl::read_cosigned(std::size_t owner, std::string_view note) {
  detail::LogCopy& copy = logs[owner];
  if (!note.empty() && note == copy.verified_note) return copy.verified;
  if (note.size() > log::kMaxCheckpointBytes) return fail(Errc::limit, "A checkpoint note is longer than its limit.");
  TRY(const log::Note claimed, log::parse_note(note));
  std::vector<log::NoteSignature> known;
  if (copy.newest && copy.newest->note.starts_with(claimed.text)) {
    TRY(log::Note held, log::parse_note(copy.newest->note));
    if (held.text == claimed.text) known = std::move(held.signatures);
  }
  effort.checked += static_cast<std::uint64_t>(std::ranges::count_if(
      claimed.signatures, [&](const auto& one) { return std::ranges::find(known, one) == known.end(); }));
  // Whoever hands a note on may know of another key of a cosigner's than we do, shown to it alone: what does not verify
  // here is no reason to hear nothing of what the log has signed.
  TRY(copy.verified, log::read_cosigned_by(claimed, group.members, owner, known, log::FalseLine::does_not_count));
  copy.verified_note = note;
  return copy.verified;
}

Status Replica::Impl::learn(detail::LogCopy& copy, const log::CosignedCheckpoint& read, std::string_view note,
                            Outcome& outcome) {
  if (copy.owner == group.self) told_size = std::max(told_size, read.checkpoint.size);
  if (!copy.conviction) remember_seen(copy, read.checkpoint, note);
  if (copy.conviction || copy.mending || copy.size() == 0) return {};
  if (read.checkpoint.size > copy.size() && !copy.state.sealed) return {};
  if (read.checkpoint.size <= copy.size()) {
    TRY(const Digest ours, root_at(copy, read.checkpoint.size));
    if (ours == read.checkpoint.root) {
      // What was read of our disk when it was contested was not what is on it.
      if (copy.owner == group.self && contested == read.checkpoint) contested.reset();
      return add_cosignatures(copy, read, note);
    }
    if (copy.owner == group.self) {
      TRY(const bool asked, contest(read.checkpoint, outcome));
      if (asked) return {};
    }
  }
  TRY([[maybe_unused]] const bool shown, disagree(copy, read, note, as_bytes(note), outcome));
  return {};
}

Status Replica::Impl::add_cosignatures(detail::LogCopy& copy, const log::CosignedCheckpoint& read,
                                       std::string_view note) {
  const std::uint64_t size = read.checkpoint.size;
  const bool is_newest = size == copy.size();
  // The owner holds its tree by its log signature. Who holds the newest tree is in memory.
  const auto is_new = [&](const log::Cosigner& cosigner) {
    return cosigner.key != copy.owner && !(is_newest && copy.held[cosigner.key] >= size);
  };
  if (std::ranges::none_of(read.cosigners, is_new)) return {};
  TRY(const log::Note parsed, log::parse_note(note));
  std::vector<vault::LogCosignature> present;
  bool has_row = is_newest;
  if (!is_newest) {
    // A size at which our copy never ended has no checkpoint here that a cosignature could stand on: it only counts.
    TRY(const auto row, checkpoint_of(copy, size));
    has_row = row.has_value();
    TRY(present, lines_of(copy, size));
  }
  std::vector<vault::LogCosignature> added;
  for (const log::Cosigner& cosigner : read.cosigners) {
    if (!is_new(cosigner)) continue;
    copy.held[cosigner.key] = std::max(copy.held[cosigner.key], size);
    if (!has_row) continue;
    const auto held = std::ranges::find(present, nick(cosigner.key), &vault::LogCosignature::cosigner);
    const log::NoteSignature* signature = line_by(cosigner.key, copy, read.checkpoint, parsed);
    if (signature == nullptr) continue;
    if (held != present.end()) ++effort.checked;
    if (held != present.end() && is_sound(read.checkpoint, *held, keys(cosigner.key))) continue;
    added.push_back({size, nick(cosigner.key), detail::line_of(*signature), came_at});
    ++effort.brought;
  }
  if (is_newest) {
    TRY(copy.newest->note, detail::note_with_lines(copy.newest->note, added));
  }
  auto& waiting = deferred[copy.owner];
  waiting.insert(waiting.end(), added.begin(), added.end());
  TRY_STATUS(count_holders(copy, size));
  return waiting.size() < kMostDeferred ? Status{} : flush();
}

const log::NoteSignature* Replica::Impl::line_by(std::size_t cosigner, const detail::LogCopy& copy,
                                                 const log::Checkpoint& checkpoint, const log::Note& note) {
  const auto claims = [&](const log::NoteSignature& one) {
    return cosign_key(cosigner, copy, checkpoint.size, one).has_value();
  };
  const bool is_alone = std::ranges::count_if(note.signatures, claims) == 1;
  for (const log::NoteSignature& one : note.signatures) {
    const auto key = cosign_key(cosigner, copy, checkpoint.size, one);
    if (!key) continue;
    if (is_alone) return &one;
    ++effort.checked;
    if (log::verify_cosignature(checkpoint, one, *key)) return &one;
  }
  return nullptr;
}

Result<Digest> Replica::Impl::root_at(detail::LogCopy& copy, std::uint64_t size) {
  if (size > copy.size()) return fail(Errc::not_found, "A tree larger than the copy has no root here.");
  if (copy.newest && size == copy.size()) return copy.newest->root;
  TRY(const auto row, checkpoint_of(copy, size));
  if (row) return row->root;
  StoredTree tree(store, copy.origin);
  return log::tree_root(tree, size);
}

Status Replica::Impl::count_holders(detail::LogCopy& copy, std::uint64_t size) {
  if (size <= copy.final_size) return {};
  std::set<std::size_t> holders;
  if (size == copy.size()) {
    for (std::size_t i = 0; i < logs.size(); ++i)
      if (copy.held[i] == size) holders.insert(i);
  } else {
    TRY(const auto row, checkpoint_of(copy, size));
    if (!row) return {};
    holders.insert(copy.owner);
    TRY(const auto lines, lines_of(copy, size));
    for (const vault::LogCosignature& line : lines)
      if (const auto holder = member(line.cosigner)) holders.insert(*holder);
  }
  if (is_quorum(holders)) copy.final_size = size;
  return {};
}

vault::LogCosignature Replica::Impl::cosignature_on(const log::Checkpoint& checkpoint, std::int64_t now) const {
  const log::NoteSignature signature = log::cosign(checkpoint, keys(group.self).cosign.name, *signing->cosign,
                                                   static_cast<std::uint64_t>(std::max<std::int64_t>(now, 0)));
  return {checkpoint.size, nick(group.self), detail::line_of(signature), now};
}

Status Replica::Impl::cosign_pending(std::int64_t now) {
  Batch batch;
  std::vector<std::size_t> cosigned;
  for (detail::LogCopy& copy : logs) {
    if (copy.size() <= copy.held[group.self] || !may_cosign(copy)) continue;
    batch.growth.push_back({.origin = copy.origin,
                            .from = copy.size(),
                            .leaves = {},
                            .nodes = {},
                            .bodies = {},
                            .checkpoint = {},
                            .cosignatures = {cosignature_on({copy.origin, copy.size(), copy.newest->root}, now)}});
    cosigned.push_back(copy.owner);
  }
  if (cosigned.empty()) return {};
  TRY_STATUS(commit(batch));
  for (std::size_t i = 0; i < cosigned.size(); ++i) {
    detail::LogCopy& copy = logs[cosigned[i]];
    TRY(copy.newest->note, detail::note_with_lines(copy.newest->note, batch.growth[i].cosignatures));
    copy.held[group.self] = copy.size();
    TRY_STATUS(count_holders(copy, copy.size()));
  }
  return {};
}

Result<std::optional<Message>> Replica::Impl::cosig_message(detail::LogCopy& copy, std::uint64_t size) {
  std::string note;
  if (size == copy.size()) {
    // Our own signature and the log's: others' are not ours to pass on here.
    TRY(log::Note parsed, log::parse_note(copy.newest->note));
    const log::VerifierKey& ours = keys(group.self).cosign;
    const log::VerifierKey& log = keys(copy.owner).log;
    std::erase_if(parsed.signatures,
                  [&](const log::NoteSignature& one) { return one.name != ours.name && one.name != log.name; });
    note = log::write_note(parsed);
  } else {
    TRY(const auto row, sound_checkpoint_of(copy, size));
    TRY(auto lines, lines_of(copy, size));
    std::erase_if(lines, [&](const vault::LogCosignature& line) { return line.cosigner != nick(group.self); });
    if (!row || lines.empty()) return std::nullopt;
    TRY(note, detail::note_with_lines(row->note, lines));
  }
  TRY(Message sent, message(Cosig{nick(copy.owner), std::move(note)}));
  return std::optional<Message>(std::move(sent));
}

}  // namespace parley::mirror
