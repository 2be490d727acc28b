// What a peer lacks and may have: pushes of entries with the bodies that are for it, cosignatures on its log, and what
// we ask it for.
#include <fmt/format.h>

#include <algorithm>

#include "mirror/detail/impl.h"

namespace parley::mirror {
Result<std::vector<Message>> Replica::Impl::to_send(std::size_t peer) {
  std::vector<Message> out;
  if (!peers[peer].greeted) {
    TRY_STATUS(send_heads(peer, !peers[peer].told, out));
    peers[peer].greeted = true;
  }
  if (!peers[peer].told) return out;
  TRY_STATUS(send_cosignature(peer, out));
  // Our own entries first: what somebody else wrote must not hold them up.
  TRY_STATUS(send_log(peer, own(), own().size(), out));
  TRY_STATUS(send_questions(peer, out));
  for (detail::LogCopy& copy : logs)
    if (copy.owner != group.self) TRY_STATUS(send_log(peer, copy, peers[peer].until[copy.owner], out));
  return out;
}

Result<std::vector<Message>> Replica::ask_for_heads(std::string_view peer) {
  TRY(const std::size_t member, impl_->member(peer));
  std::vector<Message> messages;
  TRY_STATUS(impl_->send_heads(member, true, messages));
  impl_->peers[member].greeted = true;
  return messages;
}

Status Replica::Impl::send_heads(std::size_t peer, bool answer, std::vector<Message>& out) {
  if (logs[peer].seen.size > logs[peer].size()) {
    TRY(Message sent, message(Cosig{nick(peer), logs[peer].seen.note}));
    out.push_back(std::move(sent));
  }
  Heads heads{{}, answer};
  for (detail::LogCopy& copy : logs) {
    TRY(const std::optional<std::string> shown, head_note(copy));
    if (shown) heads.logs.push_back({nick(copy.owner), *shown});
  }
  std::ranges::sort(heads.logs, {}, &Heads::Log::nick);
  TRY(Message sent, message(heads));
  out.push_back(std::move(sent));
  return {};
}

/// Of our own log, what somebody else has cosigned: who sees a checkpoint of ours gets the entries with it, or somebody
/// has them and can tell us of it, should this disk ever go back to an older state.
Result<std::optional<std::string>> Replica::Impl::head_note(detail::LogCopy& copy) {
  if (!copy.newest) return std::nullopt;
  std::uint64_t size = copy.owner == group.self ? 0 : copy.size();
  for (std::size_t i = 0; i < logs.size(); ++i)
    if (i != copy.owner) size = std::max(size, copy.held[i]);
  if (size >= copy.size()) return copy.newest->note;
  TRY(const auto row, sound_checkpoint_of(copy, size));
  if (!row) return std::nullopt;
  TRY(const auto lines, lines_of(copy, size));
  TRY(std::string note, detail::note_with_lines(row->note, lines));
  return note;
}

Status Replica::Impl::send_log(std::size_t peer, detail::LogCopy& copy, std::uint64_t until,
                               std::vector<Message>& out) {
  return copy.mending ? Status{} : push_until(peer, copy, std::min(until, showable(copy)), out);
}

Status Replica::Impl::push_until(std::size_t peer, detail::LogCopy& copy, std::uint64_t until,
                                 std::vector<Message>& out) {
  detail::Peer& to = peers[peer];
  std::uint64_t& next = to.next[copy.owner];
  while (next < until && out.size() < kMaxMessagesAtOnce) {
    // What it did not take before, all of it, is tried with one message on each link: whoever wrote the log must not
    // have us send it for ever.
    if (copy.owner != group.self && to.in_vain[copy.owner]) {
      if (to.tried_again[copy.owner]) break;
      to.tried_again[copy.owner] = true;
    }
    Push push{.log = nick(copy.owner), .from = next, .leaves = {}, .bodies = {}, .checkpoint = {}};
    TRY(const std::uint64_t reached, make_push(peer, copy, until, push));
    if (reached == next) break;  // this peer's copy ends where we hold no checkpoint: somebody else has to help
    auto sent = message(push);
    // Of rows as they were kept it cannot be too long: it came in one message.
    if (!sent && sent.error().code == Errc::limit) break;
    if (!sent) return std::unexpected(std::move(sent).error());
    out.push_back(*std::move(sent));
    if (copy.owner != group.self && !to.pushed_from[copy.owner]) to.pushed_from[copy.owner] = next;
    next = reached;
    if (copy.owner == group.self) offered_size = std::max(offered_size, reached);
  }
  return {};
}

Result<std::optional<log::Body>> Replica::Impl::body_for(std::size_t reader, const vault::LogLeaf& row,
                                                         const log::Entry& entry) {
  if (!detail::may_read(entry, nick(reader))) return std::nullopt;
  // What came with this entry: an author can name the commitment of another's, to be sent what that one says.
  return stored_body(store, row.hash, entry.body);
}

Result<std::uint64_t> Replica::Impl::make_push(std::size_t peer, detail::LogCopy& copy, std::uint64_t until,
                                               Push& push) {
  const std::uint64_t count = std::min<std::uint64_t>(until - push.from, kMaxPushLeaves);
  TRY(const auto rows, store.leaves(copy.origin, push.from, count));
  std::size_t used = 0;
  for (const vault::LogLeaf& row : rows) {
    TRY(const log::Entry entry, log::read_entry_unverified(row.note));
    TRY(const std::optional<log::Body> body, body_for(peer, row, entry));
    used += room_for(row.note.size(), body ? &*body : nullptr);
    if (used > kRoomForEntries) break;
    if (body) push.bodies.push_back({push.from + push.leaves.size(), *body});
    push.leaves.push_back(row.note);
  }
  // A push ends at a checkpoint: the own log has one after each commit, which a push has room for, a mirror where each
  // push to it ended.
  for (; !push.leaves.empty(); push.leaves.pop_back()) {
    const std::uint64_t end = push.from + push.leaves.size();
    while (!push.bodies.empty() && push.bodies.back().seq >= end) push.bodies.pop_back();
    if (end == copy.size()) {
      // Who cosigned our newest so far is told with our heads: here each receiver would verify them all.
      push.checkpoint =
          copy.owner == group.self ? detail::bare_note(copy.newest->note, keys(copy.owner).log) : copy.newest->note;
      return end;
    }
    TRY(std::optional<std::string> note, note_at(copy, end));
    if (!note) continue;
    push.checkpoint = *std::move(note);
    return end;
  }
  return make_bare_push(peer, copy, rows, push);
}

Result<std::optional<std::string>> Replica::Impl::note_at(detail::LogCopy& copy, std::uint64_t size) {
  TRY(auto row, sound_checkpoint_of(copy, size));
  return row ? std::optional(std::move(row->note)) : std::nullopt;
}

// An owner can give entries in one push and what they say later, so that no push has room for all of it: what nobody
// could hand on, its owner could show to some and keep from others.
Result<std::uint64_t> Replica::Impl::make_bare_push(std::size_t peer, detail::LogCopy& copy,
                                                    std::span<const vault::LogLeaf> rows, Push& push) {
  push.bodies.clear();
  std::size_t used = 0;
  for (const vault::LogLeaf& row : rows) {
    TRY(const log::Entry entry, log::read_entry_unverified(row.note));
    std::optional<log::Body> body;
    if (entry.type == log::kKeyRotate) {
      TRY(body, body_for(peer, row, entry));
    }
    used += room_for(row.note.size(), body ? &*body : nullptr);
    if (used > kMaxMessageBytes) break;
    const std::uint64_t end = push.from + push.leaves.size() + 1;
    if (body) push.bodies.push_back({end - 1, *std::move(body)});
    push.leaves.push_back(row.note);
    TRY(std::optional<std::string> note, note_at(copy, end));
    if (!note) continue;
    push.checkpoint = *std::move(note);
    return end;
  }
  return push.from;
}

Status Replica::Impl::send_cosignature(std::size_t peer, std::vector<Message>& out) {
  detail::LogCopy& copy = logs[peer];
  const std::uint64_t cosigned = copy.held[group.self];
  if (cosigned <= peers[peer].cosignature_sent) return {};
  TRY(std::optional<Message> sent, cosig_message(copy, cosigned));
  if (sent) out.push_back(std::move(*sent));
  peers[peer].cosignature_sent = cosigned;
  return {};
}

/// Bodies that we ought to have, and copies of logs that are damaged here.
Status Replica::Impl::send_questions(std::size_t peer, std::vector<Message>& out) {
  detail::Peer& to = peers[peer];
  for (detail::LogCopy& copy : logs) {
    TRY_STATUS(mend_alone(copy));
    // A convicted member's log stays as it was, and nothing that comes of it is taken.
    if (copy.mending && !copy.conviction && copy.size() > 0 && to.mending_asked.insert(copy.owner).second) {
      const std::uint64_t from = copy.mending->state.size;
      // Up to our own end, for the checkpoint there, and once more beyond it: what a peer sends ends at a checkpoint
      // that it holds, and it may hold none in between.
      for (const std::uint64_t beyond : {std::uint64_t{0}, std::uint64_t{kMaxPushLeaves}}) {
        TRY(Message sent, message(Get{Get::What::entries, nick(copy.owner), from, copy.size() - from + beyond}));
        out.push_back(std::move(sent));
      }
    }
    TRY_STATUS(ask_for_bodies(peer, copy, out));
  }
  return {};
}

Status Replica::Impl::ask_for_bodies(std::size_t peer, const detail::LogCopy& copy, std::vector<Message>& out) {
  if (copy.missing.empty()) return {};
  if (const Status room = has_room(copy, came_at); !room)  // what comes would not be kept
    return room.error().code == Errc::limit ? Status{} : room;
  std::set<std::uint64_t>& asked = peers[peer].asked[copy.owner];
  std::uint64_t& from = peers[peer].ask_from[copy.owner];
  while (asked.size() < kMostAsked && out.size() < kMaxMessagesAtOnce) {
    auto next = copy.missing.lower_bound(from);
    if (next == copy.missing.end()) next = copy.missing.begin();
    if (!asked.insert(*next).second) return {};  // all have been asked for
    from = *next + 1;
    TRY(Message sent, message(Get{Get::What::body, nick(copy.owner), *next, 1}));
    out.push_back(std::move(sent));
  }
  return {};
}

Result<Outcome> Replica::Impl::take_get(std::size_t peer, const Get& get) {
  TRY(const std::size_t log, member(get.log));
  detail::LogCopy& copy = logs[log];
  Outcome outcome;
  // Each of two damaged copies may have what the other lacks.
  TRY(const std::uint64_t end, sound_and_showable(copy));
  if (get.from >= end) return outcome;
  if (get.what == Get::What::entries) {
    // From here on, as for any peer that lacks them: to_send() gives the rest.
    detail::Peer& to = peers[peer];
    to.next[log] = get.from;
    to.in_vain[log].reset();  // who asks can take it: it may have been out of order before
    to.until[log] =
        std::min(copy.size(), get.count > log::kMaxTreeSize - get.from ? copy.size() : get.from + get.count);
    TRY_STATUS(push_until(peer, copy, std::min(to.until[log], end), outcome.replies));
    return outcome;
  }
  if (copy.mending) return outcome;
  if (get.what == Get::What::body) {
    TRY(const auto rows, store.leaves(copy.origin, get.from, 1));
    if (rows.empty()) return outcome;
    TRY(const log::Entry entry, log::read_entry_unverified(rows.front().note));
    TRY(std::optional<log::Body> body, body_for(peer, rows.front(), entry));
    if (!body) return outcome;
    TRY(Message sent, message(EntryBody{get.log, get.from, std::move(*body)}));
    outcome.replies.push_back(std::move(sent));
    return outcome;
  }
  if (get.from == 0 || end < copy.size()) return outcome;
  StoredTree tree(store, copy.origin);
  TRY(std::vector<Digest> path, log::prefix_proof(tree, get.from, copy.size()));
  TRY(const Digest root, root_at(copy, get.from));
  const auto shown = log::verify_prefix(get.from, copy.size(), copy.newest->root, path);
  if (!shown || *shown != root)
    return fail(Errc::vault_damaged, fmt::format("What is stored of the log of {} is damaged.", get.log));
  TRY(Message sent, message(Proof{get.log, get.from, std::move(path), copy.newest->note}));
  outcome.replies.push_back(std::move(sent));
  return outcome;
}

}  // namespace parley::mirror
