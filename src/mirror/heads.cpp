// What the checkpoints of others tell: how far their copies reach, who cosigned, and whether a log has two histories.
#include <fmt/format.h>

#include <algorithm>

#include "mirror/detail/impl.h"

namespace parley::mirror {
namespace {

/// A note of a log that is no empty tree, with every signature by a member verified.
Result<log::CosignedCheckpoint> read_note(std::string_view note, const log::VerifierKey& log,
                                          std::span<const log::VerifierKey> cosigners) {
  TRY(log::CosignedCheckpoint read, log::read_cosigned(note, log, cosigners));
  if (read.checkpoint.size == 0) return fail(Errc::protocol, "A checkpoint of no entries says nothing.");
  return read;
}

/// Of a row: a damaged one gives way to what arrives.
bool is_sound(const log::Checkpoint& checkpoint, const vault::LogCosignature& row, const log::VerifierKey& key) {
  const auto signature = detail::signature_of(row.line);
  return signature && log::verify_cosignature(checkpoint, *signature, key);
}

}  // namespace

Result<Outcome> Replica::Impl::take_heads(std::size_t peer, const Heads& heads) {
  std::vector<std::optional<log::CosignedCheckpoint>> read(logs.size());
  std::vector<std::string_view> notes(logs.size());
  for (const Heads::Log& log : heads.logs) {
    TRY(const std::size_t owner, member(log.nick));
    TRY(read[owner], read_note(log.checkpoint, keys(owner).log, cosign_keys()));
    notes[owner] = log.checkpoint;
  }
  Outcome outcome;
  for (detail::LogCopy& copy : logs) {
    const auto& theirs = read[copy.owner];
    detail::Peer& from = peers[peer];
    from.next[copy.owner] = theirs ? theirs->checkpoint.size : 0;
    from.until[copy.owner] = copy.size();
    if (theirs) TRY_STATUS(learn(copy, *theirs, notes[copy.owner], outcome));
  }
  peers[peer].told = true;
  answered.insert(peer);
  if (heads.answer) TRY_STATUS(send_heads(false, outcome.replies));
  TRY(const std::vector<Message> lacking, to_send(peer));
  outcome.replies.insert(outcome.replies.end(), lacking.begin(), lacking.end());
  return outcome;
}

Result<Outcome> Replica::Impl::take_cosig(std::size_t peer, const Cosig& cosig) {
  TRY(const std::size_t owner, member(cosig.log));
  TRY(const auto read, read_note(cosig.checkpoint, keys(owner).log, cosign_keys()));
  Outcome outcome;
  TRY_STATUS(learn(logs[owner], read, cosig.checkpoint, outcome));
  std::uint64_t& next = peers[peer].next[owner];
  next = std::max(next, read.checkpoint.size);
  return outcome;
}

Status Replica::Impl::learn(detail::LogCopy& copy, const log::CosignedCheckpoint& read, std::string_view note,
                            Outcome& outcome) {
  if (copy.owner == group.self) told_size = std::max(told_size, read.checkpoint.size);
  if (copy.conviction || copy.mending || copy.size() == 0) return {};
  if (read.checkpoint.size > copy.size() && !copy.state.sealed) return {};
  if (read.checkpoint.size <= copy.size()) {
    TRY(const Digest ours, root_at(copy, read.checkpoint.size));
    if (ours == read.checkpoint.root) return add_cosignatures(copy, read, note);
  }
  TRY([[maybe_unused]] const bool shown, disagree(copy, read, note, as_bytes(note), outcome));
  return {};
}

Status Replica::Impl::add_cosignatures(detail::LogCopy& copy, const log::CosignedCheckpoint& read,
                                       std::string_view note) {
  const std::uint64_t size = read.checkpoint.size;
  TRY(const auto present, store.cosignatures(copy.origin, size));
  TRY(const log::Note parsed, log::parse_note(note));
  vault::LogGrowth growth{.origin = copy.origin,
                          .from = copy.size(),
                          .leaves = {},
                          .nodes = {},
                          .bodies = {},
                          .checkpoint = {},
                          .cosignatures = {}};
  // A size at which our copy never ended has no checkpoint here that a cosignature could stand on: it only counts.
  TRY(const auto row, store.checkpoint(copy.origin, size));
  std::string with_all = copy.newest->note;
  for (const log::Cosigner& cosigner : read.cosigners) {
    if (cosigner.key == copy.owner) continue;  // the owner holds its tree by its log signature
    copy.held[cosigner.key] = std::max(copy.held[cosigner.key], size);
    if (!row) continue;
    const log::VerifierKey& key = keys(cosigner.key).cosign;
    const auto held = std::ranges::find(present, nick(cosigner.key), &vault::LogCosignature::cosigner);
    if (held != present.end() && is_sound(read.checkpoint, *held, key)) continue;
    const auto signature = std::ranges::find_if(parsed.signatures, [&](const log::NoteSignature& one) {
      return one.name == key.name && one.key_id == key.id();
    });
    growth.cosignatures.push_back({size, nick(cosigner.key), detail::line_of(*signature)});
    if (size == copy.size()) {
      TRY(with_all, log::add_cosignature(with_all, *signature, key));
    }
  }
  if (growth.cosignatures.empty()) return {};
  TRY_STATUS(commit({.growth = {growth}, .steps = {}, .faults = {}, .repairs = {}}));
  copy.newest->note = std::move(with_all);
  return count_holders(copy, size);
}

Result<Digest> Replica::Impl::root_at(detail::LogCopy& copy, std::uint64_t size) {
  if (size > copy.size()) return fail(Errc::not_found, "A tree larger than the copy has no root here.");
  if (copy.newest && size == copy.size()) return copy.newest->root;
  TRY(const auto row, store.checkpoint(copy.origin, size));
  if (row) return row->root;
  StoredTree tree(store, copy.origin);
  return log::tree_root(tree, size);
}

Status Replica::Impl::count_holders(detail::LogCopy& copy, std::uint64_t size) {
  if (size <= copy.final_size) return {};
  TRY(const auto lines, store.cosignatures(copy.origin, size));
  TRY(const auto row, store.checkpoint(copy.origin, size));
  if (row && lines.size() + 1 >= group.log_quorum) copy.final_size = size;
  return {};
}

vault::LogCosignature Replica::Impl::cosignature_on(const log::Checkpoint& checkpoint, std::int64_t now) const {
  const log::NoteSignature signature = log::cosign(checkpoint, keys(group.self).cosign.name, seeds.cosign,
                                                   static_cast<std::uint64_t>(std::max<std::int64_t>(now, 0)));
  return {checkpoint.size, nick(group.self), detail::line_of(signature)};
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
  TRY(const auto row, store.checkpoint(copy.origin, size));
  TRY(auto lines, store.cosignatures(copy.origin, size));
  std::erase_if(lines, [&](const vault::LogCosignature& line) { return line.cosigner != nick(group.self); });
  if (!row || lines.empty()) return std::nullopt;
  TRY(std::string note, detail::note_with_lines(row->note, lines));
  TRY(Message sent, message(Cosig{nick(copy.owner), std::move(note)}));
  return std::optional<Message>(std::move(sent));
}

}  // namespace parley::mirror
