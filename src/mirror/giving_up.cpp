// An end of our own log that nobody else ever had. A disk that is put back can hold entries that a later disk no longer
// held when others were written in their place: both were signed here, and showing both would prove a second history.
// What never left is given up for what the others hold (log.md D10, 2.7). What somebody else was shown is never given
// up.
#include <fmt/format.h>

#include <algorithm>

#include "mirror/detail/impl.h"

namespace parley::mirror {
namespace {

/// Entries that are looked through for a cosignature, at most: more than this is no accident of one crash.
constexpr std::uint64_t kMostGivenUp = 1024;

}  // namespace

std::uint64_t Replica::Impl::showable(const detail::LogCopy& copy) const {
  const State now = state();
  if (copy.owner != group.self || (now != State::asking && now != State::amnesia)) return copy.size();
  std::uint64_t held = 0;
  for (std::size_t i = 0; i < logs.size(); ++i)
    if (i != copy.owner) held = std::max(held, copy.held[i]);
  return std::min(held, copy.size());
}

Result<std::uint64_t> Replica::Impl::sound_and_showable(const detail::LogCopy& copy) {
  if (!copy.mending) return showable(copy);
  std::uint64_t size = copy.mending->state.size;
  if (copy.owner != group.self) return size;
  const std::uint64_t stop = size - std::min(size, kMostGivenUp);
  for (; size > stop; --size) {
    TRY(const auto lines, store.cosignatures(copy.origin, size));
    if (!lines.empty()) return size;
  }
  return 0;
}

Result<bool> Replica::Impl::never_left(std::uint64_t from) {
  const detail::LogCopy& copy = own();
  const State now = state();
  if (now != State::asking && now != State::amnesia) return false;
  if (copy.mending || copy.state.sealed || from >= copy.size() || copy.size() - from > kMostGivenUp) return false;
  if (offered_size > from || showable(copy) > from) return false;
  for (std::uint64_t size = from + 1; size <= copy.size(); ++size) {
    // Whether or not it counts by the keys that are known here: somebody had it.
    TRY(const auto lines, store.cosignatures(copy.origin, size));
    if (!lines.empty()) return false;
  }
  const auto waiting = deferred.find(copy.owner);
  return waiting == deferred.end() ||
         std::ranges::all_of(waiting->second, [&](const vault::LogCosignature& line) { return line.size <= from; });
}

Result<bool> Replica::Impl::contest(const log::Checkpoint& checkpoint, Outcome& outcome) {
  const std::uint64_t from = showable(own());
  if (checkpoint.size <= from) return false;
  TRY(const bool unseen, never_left(from));
  if (!unseen) return false;
  contested = checkpoint;
  TRY(Message question, message(Get{Get::What::entries, nick(group.self), from, checkpoint.size - from}));
  outcome.replies.push_back(std::move(question));
  return true;
}

/// By the keys of its place: what the end that goes has rotated goes with it, and the entry that comes may rotate.
Result<bool> Replica::Impl::replaces_ours(std::uint64_t seq, std::string_view leaf, const log::Body* body) {
  TRY(const bool unseen, never_left(seq));
  if (!unseen) return false;
  ++effort.checked;
  log::MemberKeys there = keys(group.self);
  std::erase_if(there.rotated, [&](const log::PlacedRotation& placed) { return placed.seq >= seq; });
  TRY([[maybe_unused]] const bool rotates, admit(there, seq, leaf, body));
  TRY(const log::Entry entry, log::read_entry(leaf, there));
  if (entry.seq != seq) return false;
  if (seq == 0) return entry.prev == Digest{};
  TRY(const auto before, store.leaves(own().origin, seq - 1, 1));
  return !before.empty() && entry.prev == before.front().hash;
}

// The guard first: one that is ahead of the store would wait for ever for what is given up, and one that is behind it
// only has it given up again.
Status Replica::Impl::give_up(std::uint64_t from) {
  detail::LogCopy& copy = own();
  CutRow cut{.origin = copy.origin, .size = from, .checkpoint = {}, .steps = {}, .leaves = {}};
  TRY(const auto leaves, store.leaves(copy.origin, from, copy.size() - from));
  for (const vault::LogLeaf& leaf : leaves) {
    TRY(const log::Entry entry, log::read_entry_unverified(leaf.note));
    cut.leaves.push_back(leaf.hash);
    if (auto step = log::step_key(entry)) cut.steps.push_back(std::move(*step));
    TRY(const auto body, body_for(group.self, leaf, entry));
    if (!body) continue;
    TRY(const log::Json said, log::open_body(entry, *body));
    if (auto report = report_in(entry, said)) cut.steps.push_back(std::move(report->step));
  }
  const auto& rotated = keys(group.self).rotated;
  for (std::size_t i = 0; i < rotated.size(); ++i)
    if (rotated[i].seq >= from) cut.steps.push_back(rotation_key(nick(group.self), i));
  if (from > 0) {
    TRY(const auto present, checkpoint_of(copy, from));
    TRY(const Digest root, root_at(copy, from));
    const log::Checkpoint kept{copy.origin, from, root};
    if (!present) cut.checkpoint = vault::LogCheckpoint{from, root, log::sign_checkpoint(kept, signing->log)};
    TRY_STATUS(put_guard_back(kept));
  } else {
    TRY_STATUS(put_guard_back({copy.origin, 0, Digest{}}));
  }
  TRY_STATUS(commit({.growth = {}, .steps = {}, .faults = {}, .repairs = {}, .cuts = {std::move(cut)}}));

  for (detail::Peer& peer : peers) peer.next[group.self] = std::min(peer.next[group.self], from);
  contested.reset();
  divergent = false;
  Status loaded = load_again(copy);
  choose_keys();
  if (loaded) loaded = check_guard();
  if (!loaded) halted = loaded.error().text();
  return loaded;
}

/// Of the branch that goes; one that says that the other was signed last is right.
Status Replica::Impl::put_guard_back(const log::Checkpoint& kept) {
  const vault::SignedHead signed_head = guard.head();
  if (signed_head.size <= kept.size || signed_head.size > own().size()) return {};
  TRY(const Digest ours, root_at(own(), signed_head.size));
  if (ours != signed_head.root) return {};
  Status done = guard.restart({kept.size, kept.root});
  if (!done) halted = done.error().text();
  return done;
}

}  // namespace parley::mirror
